"""The same rules as SQL conditions, from the syntax tree: a third implementation, to count against. Pure.

Not used to match: a WHERE per policy is many times slower than bits (docs/reference/judge.md).
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from yiwang.engines.judge.rules.cells import Cell
from yiwang.engines.judge.rules.contracts import Field, Policy, Rule
from yiwang.engines.judge.rules.cuts import asks, constant
from yiwang.engines.judge.rules.derived_sql import quoted, text_literal
from yiwang.kernel.feel import Range
from yiwang.kernel.feel import nodes as n
from yiwang.kernel.feel.evaluation import Scope
from yiwang.kernel.feel.values import DECIMAL

_BEYOND = Decimal(10**18)  # greater than any value of a column


class NoSql(ValueError):
    """The cell has no SQL of this module; message in Chinese."""


def where(policy: Policy) -> str:
    """SQL that is true for a row that meets one of the policy's rules. Raises NoSql."""
    return "(" + " OR ".join(rule_where(rule) for rule in policy.rules) + ")"


def rule_where(rule: Rule) -> str:
    """SQL that is true, false or null as the rule is. Raises NoSql."""
    return " AND ".join(cell_sql(condition.field, condition.cell) for condition in rule.conditions) or "true"


def cell_sql(field: Field, cell: Cell) -> str:
    """SQL of one cell. Raises NoSql."""
    if cell.reads:
        raise NoSql("这个条件读取了别的字段")
    if cell.tests.tests is None:
        return "true"
    made = _Sql(field, Scope(cell.constants, None, True), cell.speaks_of_null)
    return made.any(cell.tests.tests)


class _Sql:
    def __init__(self, field: Field, constants: Scope, null_counts: bool) -> None:
        self.field, self.constants, self.null_counts = field, constants, null_counts
        self.column = quoted(field.name)

    def any(self, tests: tuple[n.Node, ...]) -> str:
        return "(" + " OR ".join(map(self.test, tests)) + ")"

    def test(self, node: n.Node) -> str:
        if isinstance(node, n.NotTest):
            return f"(NOT {self.any(node.tests)})"
        if isinstance(node, n.OperatorTest):
            return self.compared(node.operator, constant(node.operand, self.constants))
        if isinstance(node, n.ValueTest) and not node.asks:
            return self.among(constant(node.expression, self.constants))
        if isinstance(node, n.ValueTest):
            return self.condition(node.expression)
        raise NoSql("没有对应的 SQL")

    def among(self, value: Any) -> str:
        if isinstance(value, list):
            return "(" + (" OR ".join(map(self.among, value)) or "false") + ")"
        if isinstance(value, Range):
            ends = []
            if value.start is not None:
                ends.append(self.compared(">=" if value.start_included else ">", value.start))
            if value.end is not None:
                ends.append(self.compared("<=" if value.end_included else "<", value.end))
            return "(" + " AND ".join(ends) + ")"
        return self.compared("=", value)

    def compared(self, operator: str, value: Any) -> str:
        if value is None:
            if operator in ("=", "!="):
                return f"({self.column} IS {'NOT ' if operator == '!=' else ''}NULL)"
            return "CAST(NULL AS BOOLEAN)"
        if self.field.type == "number" and isinstance(value, Decimal):
            value, exact = self._at_scale(operator, value)
            if not exact and operator in ("=", "!="):  # no value of the field equals it
                other = "false" if operator == "=" else "true"
                return (
                    other
                    if self.null_counts
                    else f"({self.column} {'<>' if operator == '=' else '='} {self.column})"
                )
        if operator in ("=", "!=") and self.null_counts:
            word = "IS NOT DISTINCT FROM" if operator == "=" else "IS DISTINCT FROM"
            return f"({self.column} {word} {self.literal(value)})"
        return f"({self.column} {'<>' if operator == '!=' else operator} {self.literal(value)})"

    def _at_scale(self, operator: str, value: Decimal) -> tuple[Decimal, bool]:
        """The constant moved to a number that the column can hold, to the side that keeps the comparison's sense."""
        if abs(value) >= _BEYOND:
            return _BEYOND.copy_sign(value), False
        rounding = ROUND_FLOOR if operator in ("<=", ">") else ROUND_CEILING
        moved = value.quantize(Decimal(1).scaleb(-self.field.scale), rounding, DECIMAL)
        return moved, moved == value

    def condition(self, node: n.Node) -> str:
        if not asks(node):
            value = constant(node, self.constants)
            return {True: "true", False: "false"}.get(value, "CAST(NULL AS BOOLEAN)")
        if isinstance(node, (n.And, n.Or)):
            word = " AND " if isinstance(node, n.And) else " OR "
            return f"({word.join(map(self.condition, node.parts))})"
        if isinstance(node, n.Compare):
            if isinstance(node.left, n.Name):
                return self.compared(node.operator, constant(node.right, self.constants))
            turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(node.operator, node.operator)
            return self.compared(turned, constant(node.left, self.constants))
        if isinstance(node, n.Between):
            low, high = (constant(side, self.constants) for side in (node.low, node.high))
            return f"({self.compared('>=', low)} AND {self.compared('<=', high)})"
        if isinstance(node, n.In):
            return self.any(node.tests)
        if isinstance(node, n.Call) and isinstance(node.function, n.Name):
            name = node.function.name
            if name == "not":
                return f"(NOT {self.condition(node.arguments[0])})"
            if name == "starts with":
                prefix = constant(node.arguments[1], self.constants)
                return f"starts_with({self.column}, {self.literal(prefix)})"
            if name == "list contains":
                return self.among(constant(node.arguments[0], self.constants))
        if isinstance(node, n.Name) and self.field.type == "boolean":
            return self.column
        raise NoSql("没有对应的 SQL")

    def literal(self, value: Any) -> str:
        kind = self.field.type
        if kind == "number" and isinstance(value, Decimal):
            return f"{value:f}"
        if kind in ("string", "code") and isinstance(value, str):
            return text_literal(value)
        if kind == "boolean" and isinstance(value, bool):
            return str(value).lower()
        if kind == "date" and isinstance(value, date):
            return f"DATE '{value.isoformat()}'"
        raise NoSql(f"「{self.field.label}」与 {value!r} 类型不同")
