"""A part of FEEL as SQL, of DuckDB and of PostgreSQL: what conditions over the fields of one row are made of. Pure.

Translated: fields, ``as_of``, numbers, texts, true, false, null, ``date("2024-07-01")``; + and -; comparisons;
and, or, not(…); between; in with lists and ranges; if; ``string length``, ``starts with``, ``ends with``,
``contains``. Anything else is refused with the part named. Both sides must be of one kind, because FEEL makes
null of the others and SQL an error. FEEL's rule that ``x = null`` is true or false is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal

from yiwang.kernel.feel import FeelSyntaxError, nodes, parse

from .contracts import Dataset, Field, NotTranslatable, Type

_KINDS = {Type.INT: "number", Type.DECIMAL: "number", Type.DATE: "date", Type.DATETIME: "moment"}
_NAMES = {"number": "数", "string": "文字", "date": "日期", "moment": "时刻", "boolean": "真假", "null": "空"}
_FUNCTIONS: Mapping[str, str] = {  # what both databases have
    "starts with": "starts_with({0}, {1})",
    "ends with": "(right({0}, cast(length({1}) as integer)) = {1})",
    "contains": "(strpos({0}, {1}) > 0)",
}
_Sql = tuple[str, str]  # the SQL and its kind


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def kind_of(field: Field) -> str:
    """FEEL's kind of a field's values: number, string, date or moment."""
    return _KINDS.get(field.type, "string")


class Translator:
    """Conditions of one dataset.

    Args:
        column: gives the SQL of a field's typed value.
        as_of: the SQL of the delivery's day.
    """

    def __init__(self, dataset: Dataset, column: Callable[[str], str], as_of: str) -> None:
        self._dataset, self._column, self._as_of = dataset, column, as_of

    def condition(self, text: str) -> str:
        """The SQL of a FEEL condition: true, false or null like FEEL's own.

        Raises:
            NotTranslatable: no FEEL, no condition, or something without a translation.
        """
        try:
            expression = parse(text)
        except FeelSyntaxError as error:
            raise NotTranslatable(f"条件写得不对：{error}") from error
        sql, kind = self._sql(expression.node)
        if kind != "boolean":
            raise NotTranslatable(f"“{text}”的结果是{_NAMES[kind]}，不是真假")
        return sql

    def _sql(self, node: nodes.Node) -> _Sql:
        match node:
            case nodes.Literal(value):
                return _literal(value)
            case nodes.AtLiteral(text):
                return _day(text)
            case nodes.Name("as_of"):
                return self._as_of, "date"
            case nodes.Name(name):
                if name not in self._dataset.by_id:
                    raise NotTranslatable(
                        f"没有字段 {name}；有：{'、'.join(f.id for f in self._dataset.fields)}"
                    )
                return self._column(name), kind_of(self._dataset.field(name))
            case nodes.Negate(operand):
                return f"(-{self._of(operand, 'number')})", "number"
            case nodes.Arithmetic(operator, left, right) if operator in "+-":
                return f"({self._of(left, 'number')} {operator} {self._of(right, 'number')})", "number"
            case nodes.And(parts):
                return self._joined("and", parts), "boolean"
            case nodes.Or(parts):
                return self._joined("or", parts), "boolean"
            case nodes.Compare(operator, left, right):
                return self._compare(operator, self._sql(left), self._sql(right)), "boolean"
            case nodes.Between(value, low, high):
                told = self._sql(value)
                tests = self._compare(">=", told, self._sql(low)), self._compare("<=", told, self._sql(high))
                return f"({' and '.join(tests)})", "boolean"
            case nodes.In(value, tests):
                told = self._sql(value)
                return f"({' or '.join(self._test(told, test) for test in tests)})", "boolean"
            case nodes.If(condition, then, otherwise):
                (yes, kind), (no, other) = self._sql(then), self._sql(otherwise)
                if "null" not in (kind, other) and kind != other:
                    raise NotTranslatable("if 的两个结果不是同一类，改成同一类")
                chosen = kind if kind != "null" else other
                return f"case when {self._of(condition, 'boolean')} then {yes} else {no} end", chosen
            case nodes.Call(nodes.Name(name), arguments, ()):
                return self._call(name, arguments)
        raise NotTranslatable(
            f"用了不能译成 SQL 的写法（{type(node).__name__}）。只用比较、and、or、not、in、between、if、"
            "加减和 string length、starts with、ends with、contains、date"
        )

    def _call(self, name: str, arguments: tuple[nodes.Node, ...]) -> _Sql:
        if name == "not" and len(arguments) == 1:
            return f"(not {self._of(arguments[0], 'boolean')})", "boolean"
        if name == "date" and len(arguments) == 1 and isinstance(arguments[0], nodes.Literal):
            return _day(str(arguments[0].value))
        if name == "string length" and len(arguments) == 1:
            return f"length({self._of(arguments[0], 'string')})", "number"
        if name in _FUNCTIONS and len(arguments) == 2:
            return _FUNCTIONS[name].format(*(self._of(a, "string") for a in arguments)), "boolean"
        raise NotTranslatable(
            f"函数 {name} 不能译成 SQL；可用 not、date、string length、{'、'.join(_FUNCTIONS)}"
        )

    def _of(self, node: nodes.Node, wanted: str) -> str:
        sql, kind = self._sql(node)
        if kind not in (wanted, "null"):
            raise NotTranslatable(f"这里要{_NAMES[wanted]}，写的是{_NAMES[kind]}（{sql}）")
        return sql

    def _joined(self, word: str, parts: Iterable[nodes.Node]) -> str:
        return "(" + f" {word} ".join(self._of(part, "boolean") for part in parts) + ")"

    @staticmethod
    def _compare(operator: str, left: _Sql, right: _Sql) -> str:
        kinds = {left[1], right[1]}
        if "null" not in kinds and len(kinds) > 1:
            told = "和".join(_NAMES[k] for k in (left[1], right[1]))
            raise NotTranslatable(f"{told}不能比较（{left[0]} {operator} {right[0]}）")
        if operator in ("=", "!="):
            same = "is not distinct from" if operator == "=" else "is distinct from"
            return f"({left[0]} {same} {right[0]})"
        return f"({left[0]} {operator} {right[0]})"

    def _test(self, told: _Sql, test: nodes.Node) -> str:
        match test:
            case nodes.OperatorTest(operator, operand):
                return self._compare(operator, told, self._sql(operand))
            case nodes.ValueTest(nodes.RangeOf(low_in, low, high, high_in), False):
                parts = []
                if low is not None:
                    parts.append(self._compare(">=" if low_in else ">", told, self._sql(low)))
                if high is not None:
                    parts.append(self._compare("<=" if high_in else "<", told, self._sql(high)))
                return f"({' and '.join(parts)})"
            case nodes.ValueTest(expression, False):
                return self._compare("=", told, self._sql(expression))
        raise NotTranslatable("in 后面只写值、区间和 < 5 这样的比较")


def _literal(value: object) -> _Sql:
    if value is None:
        return "null", "null"
    if isinstance(value, bool):
        return str(value).lower(), "boolean"
    if isinstance(value, Decimal):
        return str(value), "number"
    if isinstance(value, str):
        return quoted(value), "string"
    raise NotTranslatable(f"不认识的值 {value!r}")


def _day(text: str) -> _Sql:
    try:
        return f"date '{date.fromisoformat(text).isoformat()}'", "date"
    except ValueError:
        raise NotTranslatable(f"“{text}”不是日期，写成 2024-07-01") from None
