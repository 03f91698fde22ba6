"""Dates, times and durations: constructors and calendar functions (DMN 1.5 §10.3.4.1, §10.3.4.7, §10.3.4.8).

`today()` and `now()` are not here: the library has no clock. A caller that has one passes them as functions.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from decimal import ROUND_DOWN, Decimal
from typing import Any

from yiwang.kernel.feel.builtins.registry import builtin
from yiwang.kernel.feel.temporal import (
    Months,
    months_between,
    parse_date,
    parse_datetime,
    parse_duration,
    parse_time,
    parse_zone,
)
from yiwang.kernel.feel.values import equal, kind

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@builtin("date", "from: string")
def date_from_text(value: str) -> date:
    return parse_date(value)


@builtin("date", "from: date")
def date_same(value: date) -> date:
    return value


@builtin("date", "from: date and time")
def date_of(value: datetime) -> date:
    return value.date()


@builtin("date", "year: number", "month: number", "day: number")
def date_from_parts(year: Decimal, month: Decimal, day: Decimal) -> date:
    return date(_whole(year), _whole(month), _whole(day))


@builtin("time", "from: string")
def time_from_text(value: str) -> time:
    return parse_time(value)


@builtin("time", "from: date and time|time|date")
def time_of(value: datetime | time | date) -> time:
    if isinstance(value, datetime):
        return value.timetz()
    return value if isinstance(value, time) else time(tzinfo=parse_zone("Z"))


@builtin("time", "hour: number", "minute: number", "second: number", "offset: days and time duration?")
def time_from_parts(hour: Decimal, minute: Decimal, second: Decimal, offset: timedelta | None = None) -> time:
    seconds, micro = _second(second)
    zone = None if offset is None else timezone(offset)
    return time(_whole(hour), _whole(minute), seconds, micro, zone)


@builtin("date and time", "from: string")
def moment_from_text(value: str) -> datetime:
    return parse_datetime(value)


@builtin("date and time", "from: date and time")
def moment_same(value: datetime) -> datetime:
    return value


@builtin("date and time", "date: date|date and time", "time: time")
def moment_combine(day: date, clock: time) -> datetime:
    return datetime.combine(day.date() if isinstance(day, datetime) else day, clock)


@builtin(
    "date and time",
    "year: number",
    "month: number",
    "day: number",
    "hour: number",
    "minute: number",
    "second: number",
    "offset: days and time duration|string?",
)
def moment_from_parts(
    year: Decimal,
    month: Decimal,
    day: Decimal,
    hour: Decimal,
    minute: Decimal,
    second: Decimal,
    offset: timedelta | str | None = None,
) -> datetime:
    seconds, micro = _second(second)
    zone = timezone(offset) if isinstance(offset, timedelta) else parse_zone(f"@{offset}" if offset else None)
    clock = time(_whole(hour), _whole(minute), seconds, micro, zone)
    return datetime.combine(date_from_parts(year, month, day), clock)


@builtin("duration", "from: string")
def duration_from_text(value: str) -> Months | timedelta:
    return parse_duration(value)


@builtin("duration", "from: days and time duration|years and months duration")
def duration_same(value: Months | timedelta) -> Months | timedelta:
    return value


@builtin("years and months duration", "from: date|date and time", "to: date|date and time")
def years_and_months(first: date, second: date) -> Months:
    return months_between(first, second)


@builtin("day of year", "date: date|date and time")
def day_of_year(value: date) -> Decimal:
    return Decimal(value.timetuple().tm_yday)


@builtin("day of week", "date: date|date and time")
def day_of_week(value: date) -> str:
    return _DAYS[value.weekday()]


@builtin("month of year", "date: date|date and time")
def month_of_year(value: date) -> str:
    return _MONTHS[value.month - 1]


@builtin("week of year", "date: date|date and time")
def week_of_year(value: date) -> Decimal:
    return Decimal(value.isocalendar().week)


@builtin("is", "value1: any", "value2: any")
def is_(first: Any, second: Any) -> bool:
    """The same value of the same kind; two times must also have the same zone."""
    if kind(first) != kind(second) or equal(first, second) is not True:
        return False
    return getattr(first, "tzinfo", None) == getattr(second, "tzinfo", None)


def _whole(value: Decimal) -> int:
    if value != value.to_integral_value():
        raise ValueError(f"{value} 应为整数")
    return int(value)


def _second(value: Decimal) -> tuple[int, int]:
    whole = int(value.to_integral_value(ROUND_DOWN))
    return whole, int((value - whole) * 1_000_000)
