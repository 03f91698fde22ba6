"""What `.name` reads from dates, times, durations and ranges (DMN 1.5 tables 60 to 66)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from yiwang.kernel.feel.temporal import (
    NANO,
    Clock,
    Moment,
    Months,
    Span,
    clock_nanos,
    day_number,
    make_clock,
    make_date_of,
    offset,
    parts,
    seconds_of,
    span_nanos,
)
from yiwang.kernel.feel.values import kind

_Reader = Callable[[Any], Any]


def _sign(value: int) -> int:
    return -1 if value < 0 else 1


def _months_part(value: Months) -> Decimal:
    return Decimal(_sign(value.count) * (abs(value.count) % 12))


def _years_part(value: Months) -> Decimal:
    return Decimal(_sign(value.count) * (abs(value.count) // 12))


def _span_part(seconds: int, modulus: int | None) -> _Reader:
    def read(value: Span) -> Decimal:
        nanos = span_nanos(value)
        whole = abs(nanos) // NANO // seconds
        return Decimal(_sign(nanos) * (whole % modulus if modulus else whole))

    return read


def _span_seconds(value: Span) -> Decimal:
    nanos = span_nanos(value)
    return seconds_of(_sign(nanos) * (abs(nanos) % (60 * NANO)))


def _zone_name(value: Clock | Moment) -> str | None:
    return value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None


_DAY: dict[str, _Reader] = {
    "year": lambda value: Decimal(parts(value)[0]),
    "month": lambda value: Decimal(parts(value)[1]),
    "day": lambda value: Decimal(parts(value)[2]),
    "weekday": lambda value: Decimal((day_number(value) - 1) % 7 + 1),
}
_CLOCK: dict[str, _Reader] = {
    "hour": lambda value: Decimal(clock_nanos(value) // NANO // 3600),
    "minute": lambda value: Decimal(clock_nanos(value) // NANO // 60 % 60),
    "second": lambda value: seconds_of(clock_nanos(value) % (60 * NANO)),
    "time offset": offset,
    "timezone": _zone_name,
}
_PROPERTIES: Mapping[str, Mapping[str, _Reader]] = {
    "date": _DAY,
    "time": _CLOCK,
    "date and time": {
        **_DAY,
        **_CLOCK,
        "date": lambda value: make_date_of(day_number(value)),
        "time": lambda value: make_clock(clock_nanos(value), value.tzinfo),
    },
    "years and months duration": {"years": _years_part, "months": _months_part},
    "days and time duration": {
        "days": _span_part(86_400, None),
        "hours": _span_part(3600, 24),
        "minutes": _span_part(60, 60),
        "seconds": _span_seconds,
    },
    "range": {
        "start": lambda value: value.start,
        "end": lambda value: value.end,
        "start included": lambda value: value.start_included,
        "end included": lambda value: value.end_included,
    },
}


def has_properties(value: Any) -> bool:
    """Whether values of this kind have properties at all."""
    return kind(value) in _PROPERTIES


def read_property(value: Any, name: str) -> Any:
    """The property `name` of `value`. Raises KeyError when its kind has none of that name."""
    return _PROPERTIES[kind(value)][name](value)
