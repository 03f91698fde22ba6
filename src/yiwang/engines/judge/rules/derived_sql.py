"""Derived features as DuckDB SQL: whole numbers only (BIGINT, HUGEINT), so that nothing is rounded before the end. Pure.

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

_MOST, _SHORT = 37, 18  # digits that HUGEINT and BIGINT hold


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


def fraction(
    field: Field, fields: Mapping[str, Field], as_of: date | None, columns: Mapping[str, str] | None = None
) -> tuple[str, str]:
    """SQL of numerator and denominator; rounded half to even, their quotient is the value times 10**scale.

    Args:
        columns: SQL of number columns that are at hand as whole numbers, scaled by their field.

    Raises:
        NotDerived: the expression is outside the subset, or may need more than 37 digits.
    """
    part = _Sql(fields, as_of, columns or {}).number(tree(field.derive))
    over, digits = part.over, part.digits
    below, below_digits = part.below or "CAST(1 AS BIGINT)", part.below_digits or 1
    if field.scale >= part.scale:
        over, digits = _times(over, digits, field.scale - part.scale)
    else:
        below, below_digits = _times(below, below_digits, part.scale - field.scale)
    _fits(digits, below_digits + 1)
    kind = "BIGINT" if max(digits, below_digits) <= _SHORT else "HUGEINT"
    return f"CAST({over} AS {kind})", f"CAST({below} AS {kind})"


def select(
    fields: Fields,
    relation: str,
    as_of: date | None,
    wanted: tuple[str, ...] | None = None,
    columns: Mapping[str, str] | None = None,
) -> str:
    """A query that gives all columns of `relation` and the derived features (of `wanted`, with what they need).

    With `columns` (see `fraction`) the derived features come scaled, as BIGINT; else as DECIMAL(18, scale).
    """
    query = f"SELECT * FROM {relation}"  # noqa: S608 (a name of the caller's own)
    known = dict(columns or {})
    for name in needed(fields, wanted):
        field = fields[name]
        over, below = fraction(field, fields.by_name, as_of, known)
        up = "CAST(2 * (__a - __q * __b) > __b OR (2 * (__a - __q * __b) = __b AND __q % 2 = 1) AS TINYINT)"
        value = f"CASE WHEN __w < {10**field.digits} THEN CAST(__w * __s AS BIGINT) END"
        if columns is None:
            value = _decimal(value, field.scale)
        else:
            known[name] = quoted(name)
        query = (
            f"SELECT * EXCLUDE (__w, __s), {value} AS {quoted(name)} FROM ("  # noqa: S608
            f"SELECT * EXCLUDE (__a, __b, __q), __q + {up} AS __w FROM ("
            f"SELECT * EXCLUDE (__n, __d), abs(__n) AS __a, abs(__d) AS __b, abs(__n) // abs(__d) AS __q, "
            f"sign(__n) * sign(__d) AS __s FROM ("
            f"SELECT *, {over} AS __n, NULLIF({below}, 0) AS __d FROM ({query}))))"
        )
    return query


def _decimal(whole: str, scale: int) -> str:
    """A whole number scaled down, exactly: multiplied by a decimal constant 10**-scale."""
    one = "1" if not scale else "0." + "0" * (scale - 1) + "1"
    constant = f"CAST({one} AS DECIMAL({scale + 1},{scale}))"
    return f"CAST(CAST({whole} AS DECIMAL(18,0)) * {constant} AS DECIMAL(18,{scale}))"


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
    if not power:
        return text, digits
    return _product(text, digits, f"CAST({10**power} AS {'BIGINT' if power < _SHORT else 'HUGEINT'})", power)


class _Sql:
    def __init__(self, fields: Mapping[str, Field], as_of: date | None, columns: Mapping[str, str]) -> None:
        self.fields, self.as_of, self.columns = fields, as_of, columns

    def number(self, node: n.Node) -> Part:
        if isinstance(node, n.Literal):
            if node.value is None:
                return Part("CAST(NULL AS BIGINT)", 0, 1)
            if isinstance(node.value, (bool, str)):
                raise NotDerived("文本与是否值不能参加计算")
            exponent = node.value.as_tuple().exponent
            scale = max(0, -int(exponent))
            whole = int(node.value.scaleb(scale))
            _fits(len(str(abs(whole))))
            digits = len(str(abs(whole)))
            kind = "BIGINT" if digits <= _SHORT else "HUGEINT"
            return Part(f"CAST({whole} AS {kind})", scale, digits)
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
                return Part(f"CAST(date_diff('day', {earlier}, {later}) AS BIGINT)", 0, 7)
        if isinstance(node, n.Call) and isinstance(node.function, n.Name) and not node.names:
            return self._call(node.function.name, [self.number(one) for one in node.arguments])
        raise NotDerived("只能用数字、字段、+ - * /、min、max、abs、if 与 (日期 - 日期).days")

    def _column(self, name: str) -> Part:
        field = self.fields.get(name)
        if field is None or field.type != "number":
            raise NotDerived(f"「{name}」不是数字字段")
        if name in self.columns:
            return Part(self.columns[name], field.scale, field.digits)
        ten, exact = 10**field.scale, f"TRY_CAST({quoted(name)} AS DECIMAL(18,{field.scale}))"
        whole = f"CAST({exact} * CAST({ten} AS DECIMAL(19,0)) AS BIGINT)"
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
            below, below_digits = _below(a, b)
            over = f"({_wide(left, digits)} {node.operator} {right})"
            return Part(over, scale, digits, below, below_digits)
        if node.operator == "*":
            over, digits = _product(a.over, a.digits, b.over, b.digits)
            below, below_digits = _below(a, b)
            return Part(over, a.scale + b.scale, digits, below, below_digits)
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
            belows.append(f"{word} {part.below or 'CAST(1 AS BIGINT)'}")
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
    if b is None:
        return a, a_digits
    digits = a_digits + b_digits
    _fits(digits)
    return f"({_wide(a, digits)} * {b})", digits


def _below(a: Part, b: Part) -> tuple[str | None, int]:
    """The product of two denominators, either of which may be 1."""
    if a.below is None or b.below is None:
        return (a.below or b.below), a.below_digits + b.below_digits
    return _product(a.below, a.below_digits, b.below, b.below_digits)


def _wide(text: str, digits: int) -> str:
    """An operand of a result of so many digits: BIGINT holds 18."""
    return text if digits <= _SHORT else f"CAST({text} AS HUGEINT)"
