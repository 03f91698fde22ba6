"""Derived features as DuckDB SQL: whole numbers (HUGEINT) only, so that nothing is rounded before the end. Pure.

A part is (numerator, scale, denominator): the value is numerator / 10**scale / denominator. The digits of each are
bounded from the declared digits; what could pass 38 is refused when the feature is declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from yiwang.engines.judge.rules.derived import NotDerived, tree
from yiwang.kernel.feel import nodes as n

if TYPE_CHECKING:
    from yiwang.engines.judge.rules.contracts import Field, Fields

_MOST = 37


@dataclass(frozen=True, slots=True)
class Part:
    """`digits` and `below_digits` bound the numerator and the denominator `below` (None: 1)."""

    over: str
    scale: int
    digits: int
    below: str | None = None
    below_digits: int = 0


def quoted(name: str) -> str:
    """A column's name as SQL; names come from checked declarations, and are quoted all the same."""
    return '"' + name.replace('"', '""') + '"'


def text_literal(value: str) -> str:
    """A text as SQL."""
    return "'" + value.replace("'", "''") + "'"


def fraction(field: Field, fields: Mapping[str, Field], as_of: date | None) -> tuple[str, str]:
    """SQL of numerator and denominator; rounded half to even, their quotient is the value times 10**scale.

    Raises:
        NotDerived: the expression is outside the subset, or may need more than 38 digits.
    """
    part = _Sql(fields, as_of).number(tree(field.derive))
    if field.scale >= part.scale:
        over, digits = _times(part.over, part.digits, field.scale - part.scale)
        below, below_digits = part.below or "1", part.below_digits or 1
    else:
        over, digits = part.over, part.digits
        below, below_digits = _times(part.below or "1", part.below_digits or 1, part.scale - field.scale)
    _fits(digits, below_digits + 1)
    return f"CAST({over} AS HUGEINT)", f"CAST({below} AS HUGEINT)"


def select(fields: Fields, relation: str, as_of: date | None, wanted: tuple[str, ...] | None = None) -> str:
    """A query that gives all columns of `relation` and the derived features (of `wanted`, with what they need)."""
    query = f"SELECT * FROM {relation}"  # noqa: S608 (a name of the caller's own)
    for name in needed(fields, wanted):
        field = fields[name]
        over, below = fraction(field, fields.by_name, as_of)
        n_, d_ = "abs(__n)", "abs(__d)"
        up = f"CASE WHEN 2*({n_} % {d_}) > {d_} OR (2*({n_} % {d_}) = {d_} AND ({n_} // {d_}) % 2 = 1) THEN 1 ELSE 0 END"
        whole = f"(CASE WHEN (__n < 0) = (__d < 0) THEN 1 ELSE -1 END * ({n_} // {d_} + {up}))"
        ten = 10**field.digits
        value = f"CASE WHEN abs(__q) < {ten} THEN {_decimal(field.scale)} END"
        query = (
            f"SELECT * EXCLUDE (__q), {value} AS {quoted(name)} FROM ("  # noqa: S608
            f"SELECT * EXCLUDE (__n, __d), {whole} AS __q FROM ("
            f"SELECT *, {over} AS __n, NULLIF({below}, 0) AS __d FROM ({query})))"
        )
    return query


def _decimal(scale: int) -> str:
    """`__q` scaled down, exactly: multiplied by a decimal constant 10**-scale."""
    one = "1" if not scale else "0." + "0" * (scale - 1) + "1"
    return f"CAST(CAST(__q AS DECIMAL(18,0)) * CAST({one} AS DECIMAL({scale + 1},{scale})) AS DECIMAL(18,{scale}))"


def needed(fields: Fields, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    """The derived features among `wanted` and below them, in order of calculation."""
    if wanted is None:
        return fields.order
    found = set(wanted)
    for name in reversed(fields.order):
        if name in found:
            found |= reads(fields[name])
    return tuple(name for name in fields.order if name in found)


def reads(field: Field) -> frozenset[str]:
    """The fields that a derived one reads directly."""
    from yiwang.kernel.feel import parse

    return parse(field.derive).paths - {"today"}


def _fits(*digits: int) -> None:
    if max(digits) > _MOST:
        raise NotDerived(f"中间结果可能有 {max(digits)} 位，超过 {_MOST} 位；请为字段声明较小的 digits")


def _times(text: str, digits: int, power: int) -> tuple[str, int]:
    _fits(digits + power)
    return (text, digits) if not power else (f"({text} * CAST({10**power} AS HUGEINT))", digits + power)


class _Sql:
    def __init__(self, fields: Mapping[str, Field], as_of: date | None) -> None:
        self.fields, self.as_of = fields, as_of

    def number(self, node: n.Node) -> Part:
        if isinstance(node, n.Literal):
            if node.value is None:
                return Part("CAST(NULL AS HUGEINT)", 0, 1)
            if isinstance(node.value, (bool, str)):
                raise NotDerived("文本与是否值不能参加计算")
            exponent = node.value.as_tuple().exponent
            scale = max(0, -int(exponent))
            whole = int(node.value.scaleb(scale))
            _fits(len(str(abs(whole))))
            return Part(f"CAST({whole} AS HUGEINT)", scale, len(str(abs(whole))))
        if isinstance(node, n.Name):
            return self._column(node.name)
        if isinstance(node, n.Negate):
            part = self.number(node.operand)
            return Part(f"(-{part.over})", part.scale, part.digits, part.below, part.below_digits)
        if isinstance(node, n.Arithmetic):
            return self._arithmetic(node)
        if isinstance(node, n.If):
            condition = self.truth(node.condition)
            return self._choice([(condition, node.then), ("", node.otherwise)])
        if isinstance(node, n.Path) and node.name == "days" and isinstance(node.base, n.Arithmetic):
            if node.base.operator == "-":
                later, earlier = self._day(node.base.left), self._day(node.base.right)
                return Part(f"CAST(date_diff('day', {earlier}, {later}) AS HUGEINT)", 0, 7)
        if isinstance(node, n.Call) and isinstance(node.function, n.Name) and not node.names:
            return self._call(node.function.name, [self.number(one) for one in node.arguments])
        raise NotDerived("只能用数字、字段、+ - * /、min、max、abs、if 与 (日期 - 日期).days")

    def _column(self, name: str) -> Part:
        field = self.fields.get(name)
        if field is None or field.type != "number":
            raise NotDerived(f"「{name}」不是数字字段")
        ten, exact = 10**field.scale, f"TRY_CAST({quoted(name)} AS DECIMAL(18,{field.scale}))"
        whole = f"CAST({exact} * CAST({ten} AS DECIMAL(19,0)) AS HUGEINT)"
        return Part(
            f"(CASE WHEN abs({whole}) < {10**field.digits} THEN {whole} END)", field.scale, field.digits
        )

    def _arithmetic(self, node: n.Arithmetic) -> Part:
        a, b = self.number(node.left), self.number(node.right)
        if node.operator in "+-":
            scale = max(a.scale, b.scale)
            left, left_digits = _times(a.over, a.digits, scale - a.scale)
            right, right_digits = _times(b.over, b.digits, scale - b.scale)
            left, left_digits = _product(left, left_digits, b.below, b.below_digits)
            right, right_digits = _product(right, right_digits, a.below, a.below_digits)
            digits = max(left_digits, right_digits) + 1
            _fits(digits)
            below, below_digits = _product(a.below or "1", a.below_digits, b.below, b.below_digits)
            return Part(
                f"({left} {node.operator} {right})",
                scale,
                digits,
                below if below_digits else None,
                below_digits,
            )
        if node.operator == "*":
            over, digits = _product(a.over, a.digits, b.over, b.digits)
            below, below_digits = _product(a.below or "1", a.below_digits, b.below, b.below_digits)
            return Part(over, a.scale + b.scale, digits, below if below_digits else None, below_digits)
        if node.operator == "/":
            over, digits = _product(a.over, a.digits, b.below, b.below_digits)
            scale = a.scale - b.scale
            if scale < 0:
                over, digits = _times(over, digits, -scale)
                scale = 0
            below, below_digits = _product(b.over, b.digits, a.below, a.below_digits)
            return Part(over, scale, digits, f"NULLIF({below}, 0)", below_digits)
        raise NotDerived(f"不能用「{node.operator}」运算")

    def _choice(self, branches: list[tuple[str, n.Node]]) -> Part:
        parts = [self.number(node) for _, node in branches]
        scale = max(part.scale for part in parts)
        overs, belows, digits = [], [], 0
        for (condition, _), part in zip(branches, parts, strict=True):
            over, long = _times(part.over, part.digits, scale - part.scale)
            digits = max(digits, long)
            word = f"WHEN {condition} THEN" if condition else "ELSE"
            overs.append(f"{word} {over}")
            belows.append(f"{word} {part.below or 'CAST(1 AS HUGEINT)'}")
        below_digits = max(part.below_digits for part in parts)
        below = f"(CASE {' '.join(belows)} END)" if below_digits else None
        return Part(f"(CASE {' '.join(overs)} END)", scale, digits, below, below_digits)

    def _call(self, name: str, parts: list[Part]) -> Part:
        if name not in ("min", "max", "abs") or not parts or (name == "abs" and len(parts) != 1):
            raise NotDerived(f"不能用函数「{name}」，可用 min、max、abs")
        if any(part.below for part in parts):
            raise NotDerived(f"{name} 里不能有除法，请把除法单独声明为一个派生指标")
        scale = max(part.scale for part in parts)
        same = [_times(part.over, part.digits, scale - part.scale) for part in parts]
        digits = max(long for _, long in same)
        if name == "abs":
            return Part(f"abs({same[0][0]})", scale, digits)
        known = " AND ".join(f"{text} IS NOT NULL" for text, _ in same)
        word = "least" if name == "min" else "greatest"
        return Part(f"(CASE WHEN {known} THEN {word}({', '.join(t for t, _ in same)}) END)", scale, digits)

    def _day(self, node: n.Node) -> str:
        if isinstance(node, n.Name) and node.name == "today":
            return f"DATE '{self.as_of.isoformat()}'" if self.as_of else "CAST(NULL AS DATE)"
        if (
            isinstance(node, n.Name)
            and (field := self.fields.get(node.name)) is not None
            and field.type == "date"
        ):
            return quoted(node.name)
        raise NotDerived(".days 的两边应是日期字段或 today")

    def truth(self, node: n.Node) -> str:
        """SQL of a condition."""
        if isinstance(node, (n.And, n.Or)):
            word = " AND " if isinstance(node, n.And) else " OR "
            return f"({word.join(self.truth(part) for part in node.parts)})"
        if isinstance(node, n.Call) and isinstance(node.function, n.Name) and node.function.name == "not":
            if len(node.arguments) == 1:
                return f"(NOT {self.truth(node.arguments[0])})"
        if isinstance(node, n.Name):
            field = self.fields.get(node.name)
            if field is not None and field.type == "boolean":
                return quoted(node.name)
        if isinstance(node, n.Compare):
            return self._compare(node)
        raise NotDerived("if 的条件只能用比较、and、or、not")

    def _compare(self, node: n.Compare) -> str:
        left_type = self._type(node.left)
        null = isinstance(node.right, n.Literal) and node.right.value is None
        if null and isinstance(node.left, n.Name) and node.operator in ("=", "!="):
            known = quoted(node.left.name) if left_type != "number" else self.number(node.left).over
            return f"({known} IS {'NOT ' if node.operator == '!=' else ''}NULL)"
        operator = {"!=": "<>"}.get(node.operator, node.operator)
        if left_type == "number":
            a, b = self.number(node.left), self.number(node.right)
            if a.below or b.below:
                raise NotDerived("比较里不能有除法，请把除法单独声明为一个派生指标")
            scale = max(a.scale, b.scale)
            left, _ = _times(a.over, a.digits, scale - a.scale)
            right, _ = _times(b.over, b.digits, scale - b.scale)
            return f"({left} {operator} {right})"
        if isinstance(node.left, n.Name) and isinstance(node.right, n.Literal):
            value = node.right.value
            if left_type in ("string", "code") and isinstance(value, str):
                return f"({quoted(node.left.name)} {operator} {text_literal(value)})"
            if left_type == "boolean" and isinstance(value, bool) and operator in ("=", "<>"):
                return f"({quoted(node.left.name)} {operator} {str(value).lower()})"
        raise NotDerived("比较的左边应是字段，右边应是同类的常量")

    def _type(self, node: n.Node) -> str:
        if isinstance(node, n.Name) and node.name in self.fields:
            return self.fields[node.name].type
        return "number"


def _product(a: str, a_digits: int, b: str | None, b_digits: int) -> tuple[str, int]:
    if b is None or b == "1":
        return a, a_digits
    if a == "1" and not a_digits:
        return b, b_digits
    _fits(a_digits + b_digits)
    return f"({a} * {b})", a_digits + b_digits
