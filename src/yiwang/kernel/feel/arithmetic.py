"""`+ - * / **` on numbers, strings, dates and durations (DMN 1.5 §10.3.2.4 and tables 54 to 58)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from yiwang.kernel.feel.temporal import (
    DAY_NANOS,
    FarDate,
    FarMoment,
    FarSpan,
    FineTime,
    Months,
    clock_nanos,
    day_number,
    days_in,
    instant,
    make_clock,
    make_date,
    make_date_of,
    make_moment,
    make_span,
    moment_at,
    ordinal,
    parts,
    span_nanos,
)
from yiwang.kernel.feel.values import DECIMAL, LONGEST, kind, kind_zh


class Mismatch(Exception):
    """The operator has no meaning for these kinds. Never leaves the library."""


_NUMBERS: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": DECIMAL.add,
    "-": DECIMAL.subtract,
    "*": DECIMAL.multiply,
    "/": DECIMAL.divide,
    "**": DECIMAL.power,
}
_SPANS = (timedelta, FarSpan)
_CLOCKS = (time, FineTime)
_MOMENTS = (datetime, FarMoment)
_DAYS = (date, FarDate, FarMoment)  # datetime is a date in Python
_POINTS = (*_CLOCKS, *_DAYS)


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """The result of `left operator right`.

    Raises:
        Mismatch: no such operation on these kinds.
        ArithmeticError, ValueError: division by zero, out of range.
    """
    if type(left) is Decimal and type(right) is Decimal:
        if operator == "**" and not right:
            return Decimal(1)  # 0 ** 0 as well, as in XPath
        return _NUMBERS[operator](left, right)
    calculate = _OPERATIONS.get(operator)
    if calculate is None:
        raise _mismatch(operator, left, right)
    return calculate(left, right)


def negate(value: Any) -> Any:
    """`-value` for a number or a duration. Raises Mismatch."""
    if type(value) is Decimal:
        return DECIMAL.minus(value)
    if isinstance(value, _SPANS):
        return make_span(-span_nanos(value))
    if isinstance(value, Months):
        return Months(-value.count)
    raise Mismatch(f"{kind_zh(kind(value))}不能取负")


def _mismatch(operator: str, left: Any, right: Any) -> Mismatch:
    return Mismatch(f"{kind_zh(kind(left))}与{kind_zh(kind(right))}不能用「{operator}」运算")


def _add(left: Any, right: Any) -> Any:
    if type(left) is str and type(right) is str:
        if len(left) + len(right) > LONGEST:
            raise ValueError("文本太长")
        return left + right
    if isinstance(left, Months) and isinstance(right, Months):
        return _months(left.count + right.count)
    if isinstance(left, _SPANS) and isinstance(right, _SPANS):
        return make_span(span_nanos(left) + span_nanos(right))
    if isinstance(right, (Months, *_SPANS)) and isinstance(left, _POINTS):
        return shift(left, right)
    if isinstance(left, (Months, *_SPANS)) and isinstance(right, _POINTS):
        return shift(right, left)
    raise _mismatch("+", left, right)


def _subtract(left: Any, right: Any) -> Any:
    if isinstance(left, Months) and isinstance(right, Months):
        return _months(left.count - right.count)
    if isinstance(left, _SPANS) and isinstance(right, _SPANS):
        return make_span(span_nanos(left) - span_nanos(right))
    if isinstance(left, _DAYS) and isinstance(right, _DAYS):
        return _distance(_midnight(left), _midnight(right))
    if isinstance(left, _CLOCKS) and isinstance(right, _CLOCKS):
        return _distance(left, right)
    if isinstance(left, _POINTS) and isinstance(right, (Months, *_SPANS)):
        return shift(left, negate(right))
    raise _mismatch("-", left, right)


def _distance(left: Any, right: Any) -> Any:
    (mark, later), (other, earlier) = instant(left), instant(right)
    if mark != other:
        raise Mismatch("一个带时区、一个不带，不能相减")
    return make_span(later - earlier)


def _midnight(value: Any) -> Any:
    """A date counts as its midnight in UTC (table 57)."""
    return value if isinstance(value, _MOMENTS) else make_moment(day_number(value), 0, UTC)


def _multiply(left: Any, right: Any) -> Any:
    if type(left) is Decimal:
        left, right = right, left
    if type(right) is not Decimal:
        raise _mismatch("*", left, right)
    return _scale("*", left, right)


def _divide(left: Any, right: Any) -> Any:
    if isinstance(left, Months) and isinstance(right, Months):
        return DECIMAL.divide(Decimal(left.count), Decimal(right.count))
    if isinstance(left, _SPANS) and isinstance(right, _SPANS):
        return DECIMAL.divide(Decimal(span_nanos(left)), Decimal(span_nanos(right)))
    if type(right) is not Decimal:
        raise _mismatch("/", left, right)
    return _scale("/", left, right)


def _scale(operator: str, duration: Any, factor: Decimal) -> Any:
    calculate = _NUMBERS[operator]
    if isinstance(duration, Months):
        return _months(_towards_zero(calculate(Decimal(duration.count), factor)))
    if isinstance(duration, _SPANS):
        return make_span(_towards_zero(calculate(Decimal(span_nanos(duration)), factor)))
    raise _mismatch(operator, duration, factor)


def _towards_zero(value: Decimal) -> int:
    if abs(value) > 10**30:
        raise ValueError("期间超出范围")
    return int(value.to_integral_value(ROUND_DOWN))


def _months(count: int) -> Months:
    if abs(count) > 12 * 2 * 10**9:
        raise ValueError("期间超出范围")
    return Months(count)


def shift(point: Any, duration: Any) -> Any:
    """A date, time or date and time moved by a duration. Raises Mismatch, ValueError.

    A moment moves by elapsed time and keeps its zone; months move the calendar and keep the clock.
    """
    if isinstance(duration, Months):
        if isinstance(point, _CLOCKS):
            raise _mismatch("+", point, duration)
        return _add_months(point, duration.count)
    nanos = span_nanos(duration)
    if isinstance(point, _CLOCKS):
        return make_clock((clock_nanos(point) + nanos) % DAY_NANOS, point.tzinfo)  # round the clock
    if isinstance(point, _MOMENTS):
        return moment_at(instant(point)[1] + nanos, point.tzinfo)
    return make_date_of(day_number(point) + nanos // DAY_NANOS)


def _add_months(point: Any, count: int) -> Any:
    """The same day `count` months later; the last of the month when there is no such day."""
    year, month, day = parts(point)
    year, month = divmod(year * 12 + month - 1 + count, 12)
    day = min(day, days_in(year, month + 1))
    if isinstance(point, _MOMENTS):
        return make_moment(ordinal(year, month + 1, day), clock_nanos(point), point.tzinfo)
    return make_date(year, month + 1, day)


_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
}
