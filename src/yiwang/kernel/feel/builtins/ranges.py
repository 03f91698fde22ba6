"""Relations between points and ranges (DMN 1.5 §10.3.4.9, table 80, after Allen and HL7 CQL).

A point is the closed range from itself to itself, which gives the same results as the table's separate rows.
"""

from __future__ import annotations

from typing import Any

from yiwang.kernel.feel.builtins.registry import builtin
from yiwang.kernel.feel.values import Range, compare


def _range(value: Any) -> Range:
    if value is None:
        raise ValueError("参数是空值")
    if isinstance(value, Range):
        if value.start is None or value.end is None:
            raise ValueError("区间应有两端")
        return value
    return Range(True, value, value, True)


def _true(operator: str, left: Any, right: Any) -> bool:
    result = compare(operator, left, right)
    if result is None:
        raise ValueError("两个值不能比较大小")
    return result


def _before(a: Range, b: Range) -> bool:
    touch = a.end_included and b.start_included
    return _true("<", a.end, b.start) or (not touch and _true("=", a.end, b.start))


def _starts_no_later(a: Range, b: Range) -> bool:
    return _true("<", a.start, b.start) or (
        _true("=", a.start, b.start) and (a.start_included or not b.start_included)
    )


def _ends_no_earlier(a: Range, b: Range) -> bool:
    return _true(">", a.end, b.end) or (_true("=", a.end, b.end) and (a.end_included or not b.end_included))


def _same_start(a: Range, b: Range) -> bool:
    return _true("=", a.start, b.start) and a.start_included == b.start_included


def _same_end(a: Range, b: Range) -> bool:
    return _true("=", a.end, b.end) and a.end_included == b.end_included


@builtin("before", "a: any", "b: any")
def before(a: Any, b: Any) -> bool:
    return _before(_range(a), _range(b))


@builtin("after", "a: any", "b: any")
def after(a: Any, b: Any) -> bool:
    return _before(_range(b), _range(a))


@builtin("meets", "range1: range", "range2: range")
def meets(a: Any, b: Any) -> bool:
    first, second = _range(a), _range(b)
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
    first, second = _range(a), _range(b)
    return overlaps(a, b) and not _ends_no_earlier(second, first) and _starts_no_later(second, first)


@builtin("includes", "range: range", "point: any")
def includes(a: Any, b: Any) -> bool:
    outer, inner = _range(a), _range(b)
    return _starts_no_later(outer, inner) and _ends_no_earlier(outer, inner)


@builtin("during", "point: any", "range: range")
def during(a: Any, b: Any) -> bool:
    return includes(b, a)


@builtin("starts", "point: any", "range: range")
def starts(a: Any, b: Any) -> bool:
    inner, outer = _range(a), _range(b)
    return _same_start(inner, outer) and _ends_no_earlier(outer, inner)


@builtin("started by", "range: range", "point: any")
def started_by(a: Any, b: Any) -> bool:
    return starts(b, a)


@builtin("finishes", "point: any", "range: range")
def finishes(a: Any, b: Any) -> bool:
    inner, outer = _range(a), _range(b)
    return _same_end(inner, outer) and _starts_no_later(outer, inner)


@builtin("finished by", "range: range", "point: any")
def finished_by(a: Any, b: Any) -> bool:
    return finishes(b, a)


@builtin("coincides", "a: any", "b: any")
def coincides(a: Any, b: Any) -> bool:
    first, second = _range(a), _range(b)
    return _same_start(first, second) and _same_end(first, second)
