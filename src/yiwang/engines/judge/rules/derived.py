"""Derived features: one FEEL expression over other fields, computed exactly and rounded once. Pure.

The subset: numbers, fields, `+ - * /`, negation, `min` `max` `abs`, `if then else` with comparisons, `and`, `or`,
`not`, and `(a - b).days` of dates (`today` among them). Readings: a missing part makes the result missing, as does
a zero divisor; a comparison with a missing value is unknown, and `if` then takes `else`; `x = null` asks for it.
Arithmetic is on fractions, so that the order of calculation cannot matter; `derived_sql` does the same in DuckDB.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from yiwang.engines.judge.rules import values
from yiwang.kernel.feel import FeelSyntaxError, parse
from yiwang.kernel.feel import nodes as n
from yiwang.kernel.feel.values import DECIMAL

if TYPE_CHECKING:
    from yiwang.engines.judge.rules.contracts import Field, Fields, Problem


class NotDerived(ValueError):
    """The expression is outside the subset; message in Chinese."""


@lru_cache(maxsize=1024)
def tree(text: str) -> n.Node:
    """The parsed expression. Raises FeelSyntaxError."""
    return parse(text).node


def ordered(fields: Mapping[str, Field], where: str, problems: list[Problem]) -> tuple[str, ...]:
    """Derived fields, each after what it reads; adds to `problems` what is wrong with them."""
    from yiwang.engines.judge.rules.contracts import Problem
    from yiwang.engines.judge.rules.derived_sql import fraction

    reads: dict[str, frozenset[str]] = {}
    for field in fields.values():
        if not field.derive:
            continue
        place = f"{where}派生指标「{field.name}」"
        try:
            reads[field.name] = parse(field.derive).paths - {"today"}
            unknown = sorted(name for name in reads[field.name] if name not in fields)
            for name in unknown:
                problems.append(
                    Problem(place, f"「{field.derive}」读取了没有登记的「{name}」", "请先登记这个字段")
                )
            if not unknown:
                fraction(field, fields, date(2000, 1, 1))
        except FeelSyntaxError as error:
            problems.append(Problem(place, f"「{field.derive}」写错了：{error}", "请按提示的位置改正"))
        except NotDerived as error:
            problems.append(
                Problem(place, f"「{field.derive}」不能批量计算：{error}", "请改写或拆成几个指标")
            )
    done: list[str] = []
    left = dict(reads)
    while left:
        ready = [name for name, needs in left.items() if not needs & left.keys()]
        if not ready:
            problems.append(
                Problem(f"{where}派生指标", f"{'、'.join(sorted(left))} 互相引用成环", "请去掉其中一处引用")
            )
            break
        done += ready
        for name in ready:
            del left[name]
    return tuple(done)


def filled(
    fields: Fields, row: Mapping[str, Any], as_of: date | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The row with every declared field: read, derived ones computed; and why values could not be used."""
    found: dict[str, Any] = {}
    refused: list[str] = []
    for name, field in fields.by_name.items():
        if field.derive:
            continue
        try:
            found[name] = values.read(field, row.get(name))
        except values.Unusable as error:
            found[name] = None
            refused.append(str(error))
    for name in fields.order:
        found[name] = compute(fields[name], found, fields, as_of)
    return found, refused


def compute(field: Field, row: Mapping[str, Any], fields: Fields, as_of: date | None) -> Decimal | None:
    """The value of a derived feature; None when a part is missing, a divisor is 0 or 18 digits do not hold it."""
    result = _Exact(row, fields, as_of).number(tree(field.derive))
    if result is None:
        return None
    scaled = round(result * 10**field.scale)  # half to even
    return DECIMAL.scaleb(Decimal(scaled), -field.scale) if abs(scaled) < 10**field.digits else None


class _Exact:
    """Evaluates on fractions."""

    def __init__(self, row: Mapping[str, Any], fields: Fields, as_of: date | None) -> None:
        self.row, self.fields, self.as_of = row, fields, as_of

    def _read(self, name: str) -> Any:
        value = self.as_of if name == "today" else self.row.get(name)
        if isinstance(value, Decimal) and abs(value) >= 10 ** (
            self.fields[name].digits - self.fields[name].scale
        ):
            return None
        return value

    def number(self, node: n.Node) -> Fraction | None:
        if isinstance(node, n.Literal):
            return None if node.value is None else Fraction(node.value)
        if isinstance(node, n.Name):
            value = self._read(node.name)
            return Fraction(value) if isinstance(value, Decimal) else None
        if isinstance(node, n.Negate):
            inner = self.number(node.operand)
            return None if inner is None else -inner
        if isinstance(node, n.Arithmetic):
            left, right = self.number(node.left), self.number(node.right)
            if left is None or right is None or (node.operator == "/" and not right):
                return None
            match node.operator:
                case "+":
                    return left + right
                case "-":
                    return left - right
                case "*":
                    return left * right
            return left / right
        if isinstance(node, n.If):
            return self.number(node.then if self.truth(node.condition) is True else node.otherwise)
        if isinstance(node, n.Path):
            assert isinstance(node.base, n.Arithmetic)  # noqa: S101 (loading refuses others)
            days = [self._day(side) for side in (node.base.left, node.base.right)]
            return None if None in days else Fraction((days[0] or 0) - (days[1] or 0))
        assert isinstance(node, n.Call) and isinstance(node.function, n.Name)  # noqa: S101
        parts = [self.number(argument) for argument in node.arguments]
        whole = [part for part in parts if part is not None]
        if len(whole) < len(parts):
            return None
        if node.function.name == "abs":
            return abs(whole[0])
        return min(whole) if node.function.name == "min" else max(whole)

    def _day(self, node: n.Node) -> int | None:
        assert isinstance(node, n.Name)  # noqa: S101
        value = self._read(node.name)
        return value.toordinal() if isinstance(value, date) else None

    def truth(self, node: n.Node) -> bool | None:
        if isinstance(node, (n.And, n.Or)):
            decisive = isinstance(node, n.Or)
            found = [self.truth(part) for part in node.parts]
            return decisive if decisive in found else (None if None in found else not decisive)
        if isinstance(node, n.Call):
            inner = self.truth(node.arguments[0])
            return None if inner is None else not inner
        if isinstance(node, n.Name):
            value = self._read(node.name)
            return value if isinstance(value, bool) else None
        assert isinstance(node, n.Compare)  # noqa: S101
        left, right = self._side(node.left), self._side(node.right)
        if _is_null(node.right):
            return (left is None) is (node.operator == "=")
        if left is None or right is None:
            return None
        match node.operator:
            case "=":
                return bool(left == right)
            case "!=":
                return bool(left != right)
            case "<":
                return bool(left < right)
            case "<=":
                return bool(left <= right)
            case ">":
                return bool(left > right)
        return bool(left >= right)

    def _side(self, node: n.Node) -> Any:
        if isinstance(node, n.Literal) and isinstance(node.value, (str, bool)):
            return node.value
        if isinstance(node, n.Name) and node.name in self.fields:
            if self.fields[node.name].type != "number":
                return self._read(node.name)
        return self.number(node)


def _is_null(node: n.Node) -> bool:
    return isinstance(node, n.Literal) and node.value is None
