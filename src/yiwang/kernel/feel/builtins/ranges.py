"""Relations between points and ranges (DMN 1.5 §10.3.4.9, table 80, after Allen and HL7 CQL).

A point is the closed range from itself to itself, which gives the same results as the table's separate rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from yiwang.kernel.feel.builtins.registry import builtin
from yiwang.kernel.feel.lexer import Token, scan
from yiwang.kernel.feel.temporal_text import parse_at, parse_date, parse_duration, parse_moment, parse_time
from yiwang.kernel.feel.values import DECIMAL, Range, compare


def _range(value: Any) -> Range:
    if value is None:
        raise ValueError("参数是空值")
    return value if isinstance(value, Range) else Range(True, value, value, True)


def _true(operator: str, left: Any, right: Any) -> bool:
    result = compare(operator, left, right)
    if result is None:
        raise ValueError("两个值不能比较大小")
    return result


def _before(a: Range, b: Range) -> bool:
    if a.end is None or b.start is None:  # a missing end lies infinitely far
        return False
    touch = a.end_included and b.start_included
    return _true("<", a.end, b.start) or (not touch and _true("=", a.end, b.start))


def _starts_no_later(a: Range, b: Range) -> bool:
    if a.start is None or b.start is None:
        return a.start is None
    return _true("<", a.start, b.start) or (
        _true("=", a.start, b.start) and (a.start_included or not b.start_included)
    )


def _ends_no_earlier(a: Range, b: Range) -> bool:
    if a.end is None or b.end is None:
        return a.end is None
    return _true(">", a.end, b.end) or (_true("=", a.end, b.end) and (a.end_included or not b.end_included))


def _same_start(a: Range, b: Range) -> bool:
    if a.start is None or b.start is None:
        return a.start is b.start
    return _true("=", a.start, b.start) and a.start_included == b.start_included


def _same_end(a: Range, b: Range) -> bool:
    if a.end is None or b.end is None:
        return a.end is b.end
    return _true("=", a.end, b.end) and a.end_included == b.end_included


# What the standard calls the two arguments, by whether each is a point or a range.
_POINTS = ("point1: any", "point2: any")
_RANGES = ("range1: any", "range2: any")
_POINT_RANGE = ("point: any", "range: range")
_RANGE_POINT = ("range: range", "point: any")
_Relation = Callable[[Any, Any], bool]


def _relation(name: str, *signatures: tuple[str, str]) -> Callable[[_Relation], _Relation]:
    def register(function: _Relation) -> _Relation:
        for signature in signatures:
            builtin(name, *signature)(function)
        return function

    return register


@_relation("before", _POINTS, _POINT_RANGE, _RANGE_POINT, _RANGES)
def before(a: Any, b: Any) -> bool:
    return _before(_range(a), _range(b))


@_relation("after", _POINTS, _POINT_RANGE, _RANGE_POINT, _RANGES)
def after(a: Any, b: Any) -> bool:
    return _before(_range(b), _range(a))


@builtin("meets", "range1: range", "range2: range")
def meets(a: Any, b: Any) -> bool:
    first, second = _range(a), _range(b)
    if first.end is None or second.start is None:
        return False
    return first.end_included and second.start_included and _true("=", first.end, second.start)


@builtin("met by", "range1: range", "range2: range")
def met_by(a: Any, b: Any) -> bool:
    return meets(b, a)


@builtin("overlaps", "range1: range", "range2: range")
def overlaps(a: Any, b: Any) -> bool:
    first, second = _range(a), _range(b)
    return not _before(first, second) and not _before(second, first)


@builtin("overlaps before", "range1: range", "range2: range")
def overlaps_before(a: Any, b: Any) -> bool:
    first, second = _range(a), _range(b)
    return overlaps(a, b) and not _starts_no_later(second, first) and _ends_no_earlier(second, first)


@builtin("overlaps after", "range1: range", "range2: range")
def overlaps_after(a: Any, b: Any) -> bool:
    return overlaps_before(b, a)


@_relation("includes", _RANGE_POINT, ("range1: range", "range2: any"))
def includes(a: Any, b: Any) -> bool:
    outer, inner = _range(a), _range(b)
    return _starts_no_later(outer, inner) and _ends_no_earlier(outer, inner)


@_relation("during", _POINT_RANGE, ("range1: any", "range2: range"))
def during(a: Any, b: Any) -> bool:
    return includes(b, a)


@_relation("starts", _POINT_RANGE, ("range1: any", "range2: range"))
def starts(a: Any, b: Any) -> bool:
    inner, outer = _range(a), _range(b)
    return _same_start(inner, outer) and _ends_no_earlier(outer, inner)


@_relation("started by", _RANGE_POINT, ("range1: range", "range2: any"))
def started_by(a: Any, b: Any) -> bool:
    return starts(b, a)


@_relation("finishes", _POINT_RANGE, ("range1: any", "range2: range"))
def finishes(a: Any, b: Any) -> bool:
    inner, outer = _range(a), _range(b)
    return _same_end(inner, outer) and _starts_no_later(outer, inner)


@_relation("finished by", _RANGE_POINT, ("range1: range", "range2: any"))
def finished_by(a: Any, b: Any) -> bool:
    return finishes(b, a)


@_relation("coincides", _POINTS, _RANGES)
def coincides(a: Any, b: Any) -> bool:
    first, second = _range(a), _range(b)
    return _same_start(first, second) and _same_end(first, second)


@builtin("range", "from: string")
def range_from_text(text: str) -> Range:
    """`range("[18..21)")`: the ends are literals, one may be missing (table 71)."""
    reader = _Reader(text)
    left = reader.operator("[", "(", "]")
    start = None if reader.at("..") else reader.end()
    reader.operator("..")
    end = None if reader.at("]", ")", "[") else reader.end()
    right = reader.operator("]", ")", "[")
    if scan(text, reader.position, ()).kind != "end" or (start is None and end is None):
        raise ValueError(f"「{text}」不是区间，应写作 [18..21)")
    if (start is None and left == "[") or (end is None and right == "]"):
        raise ValueError(f"「{text}」没有端点的一边应写圆括号")
    if start is not None and end is not None and compare("<=", start, end) is not True:
        raise ValueError(f"「{text}」的两端应能比较，从小到大")
    return Range(left == "[", start, end, right == "]")


class _Reader:
    """Reads the literals of a range's text one after another."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def next(self) -> Token:
        token = scan(self.text, self.position, ())
        self.position = token.end
        return token

    def at(self, *operators: str) -> bool:
        token = scan(self.text, self.position, ())
        return token.kind == "operator" and token.text in operators

    def operator(self, *operators: str) -> str:
        if not self.at(*operators):
            raise ValueError(f"「{self.text}」不是区间，应写作 [18..21)")
        return self.next().text

    def end(self) -> Any:
        token = self.next()
        if token.text == "-" and token.kind == "operator":
            return DECIMAL.minus(DECIMAL.create_decimal(self.kind("number")))
        if token.kind == "number":
            return DECIMAL.create_decimal(token.text)
        if token.kind == "string":
            return token.text
        if token.text == "@":
            return parse_at(self.kind("string"))
        words = [token.text]
        while not self.at("("):
            words.append(self.kind("name", "keyword"))
        self.operator("(")
        read = _LITERALS.get(" ".join(words))
        if read is None:
            raise ValueError(f'「{self.text}」的端点应是字面值，例如 18、"a"、@"2026-11-23"')
        value = read(self.kind("string"))
        self.operator(")")
        return value

    def kind(self, *kinds: str) -> str:
        token = self.next()
        if token.kind not in kinds:
            raise ValueError(f"「{self.text}」不是区间，应写作 [18..21)")
        return token.text


_LITERALS: dict[str, Callable[[str], Any]] = {
    "date": parse_date,
    "time": parse_time,
    "date and time": parse_moment,
    "duration": parse_duration,
}
