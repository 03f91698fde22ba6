"""Dates, times and durations: constructors and calendar functions (DMN 1.5 §10.3.4.1, §10.3.4.7, §10.3.4.8).

The library has no clock: today() and now() tell the moment that the caller of the evaluation gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_DOWN, Decimal
from typing import Any

from yiwang.kernel.feel.builtins.registry import builtin
from yiwang.kernel.feel.temporal import (
    NANO,
    Clock,
    Day,
    Moment,
    Months,
    Span,
    clock_nanos,
    day_number,
    make_clock,
    make_date,
    make_date_of,
    make_moment,
    named_zone,
    ordinal,
    parts,
    span_nanos,
)
from yiwang.kernel.feel.temporal_text import (
    combine,
    fixed_zone,
    parse_date,
    parse_duration,
    parse_moment,
    parse_time,
)
from yiwang.kernel.feel.values import equal, kind

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@builtin("today", clock=True)
def today(now: datetime) -> Day:
    return now.date()


@builtin("now", clock=True)
def now_(now: datetime) -> Moment:
    return now


@builtin("date", "from: string")
def date_from_text(value: str) -> Day:
    return parse_date(value)


@builtin("date", "from: date")
def date_same(value: Day) -> Day:
    return value


@builtin("date", "from: date and time")
def date_of(value: Moment) -> Day:
    return make_date_of(day_number(value))


@builtin("date", "year: number", "month: number", "day: number")
def date_from_parts(year: Decimal, month: Decimal, day: Decimal) -> Day:
    return make_date(_whole(year), _whole(month), _whole(day))


@builtin("time", "from: string")
def time_from_text(value: str) -> Clock:
    return parse_time(value)


@builtin("time", "from: time")
def time_same(value: Clock) -> Clock:
    return value


@builtin("time", "from: date and time")
def time_of(value: Moment) -> Clock:
    return make_clock(clock_nanos(value), value.tzinfo)


@builtin("time", "hour: number", "minute: number", "second: number", "offset: days and time duration|null?")
def time_from_parts(hour: Decimal, minute: Decimal, second: Decimal, offset: Span | None = None) -> Clock:
    return make_clock(_clock(hour, minute, second), _zone(offset))


@builtin("date and time", "from: string")
def moment_from_text(value: str) -> Moment:
    return parse_moment(value)


@builtin("date and time", "from: date and time")
def moment_same(value: Moment) -> Moment:
    return value


@builtin("date and time", "date: date|date and time", "time: time")
def moment_combine(day: Day | Moment, clock: Clock) -> Moment:
    return combine(day_number(day), clock)


_PARTS = ("year: number", "month: number", "day: number", "hour: number", "minute: number", "second: number")


@builtin("date and time", *_PARTS, "offset: days and time duration|null?")
def moment_from_parts(*values: Any) -> Moment:
    return _moment(values[:6], _zone(values[6]))


@builtin("date and time", *_PARTS, "timezone: string")
def moment_in_zone(*values: Any) -> Moment:
    return _moment(values[:6], named_zone(values[6]))


def _moment(values: Sequence[Decimal], zone: tzinfo | None) -> Moment:
    year, month, day = (_whole(value) for value in values[:3])
    return make_moment(ordinal(year, month, day), _clock(*values[3:]), zone)


@builtin("duration", "from: string")
def duration_from_text(value: str) -> Months | Span:
    return parse_duration(value)


@builtin("duration", "from: days and time duration|years and months duration")
def duration_same(value: Months | Span) -> Months | Span:
    return value


@builtin("years and months duration", "from: date|date and time", "to: date|date and time")
def years_and_months(first: Day | Moment, second: Day | Moment) -> Months:
    """Whole months between the two; a part of a month does not count."""
    (year, month, day), (year2, month2, day2) = parts(first), parts(second)
    count = (year2 - year) * 12 + month2 - month
    if count > 0 and day2 < day:
        count -= 1
    elif count < 0 and day2 > day:
        count += 1
    return Months(count)


@builtin("day of year", "date: date|date and time")
def day_of_year(value: Day | Moment) -> Decimal:
    return Decimal(day_number(value) - ordinal(parts(value)[0], 1, 1) + 1)


@builtin("day of week", "date: date|date and time")
def day_of_week(value: Day | Moment) -> str:
    return _DAYS[(day_number(value) - 1) % 7]


@builtin("month of year", "date: date|date and time")
def month_of_year(value: Day | Moment) -> str:
    return _MONTHS[parts(value)[1] - 1]


@builtin("week of year", "date: date|date and time")
def week_of_year(value: Day | Moment) -> Decimal:
    """ISO 8601: the week belongs to the year that its Thursday is in."""
    number = day_number(value)
    thursday = number - (number - 1) % 7 + 3
    year = parts(make_date_of(thursday))[0]
    return Decimal((thursday - ordinal(year, 1, 1)) // 7 + 1)


@builtin("is", "value1: any", "value2: any")
def is_(first: Any, second: Any) -> bool:
    """The same value of the same kind; two times must also have the same zone."""
    if kind(first) != kind(second) or equal(first, second) is not True:
        return False
    return str(getattr(first, "tzinfo", None)) == str(getattr(second, "tzinfo", None))


def _whole(value: Decimal) -> int:
    if value != value.to_integral_value() or abs(value) > 10**12:
        raise ValueError(f"{value} 应为整数")
    return int(value)


def _clock(hour: Decimal, minute: Decimal, second: Decimal) -> int:
    hours, minutes = _whole(hour), _whole(minute)
    if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= second < 60):
        raise ValueError("时应在 0 到 23 之间，分、秒应在 0 到 59 之间")
    fraction = second.scaleb(9).to_integral_value(ROUND_DOWN)
    return (hours * 3600 + minutes * 60) * NANO + int(fraction)


def _zone(offset: Span | None) -> tzinfo | None:
    if offset is None:
        return None
    return fixed_zone(timedelta(microseconds=span_nanos(offset) // 1000)) if span_nanos(offset) else UTC
