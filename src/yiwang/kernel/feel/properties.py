"""What `.name` reads from dates, times, durations and ranges (DMN 1.5 tables 60 to 66)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from yiwang.kernel.feel.temporal import Months
from yiwang.kernel.feel.values import Range, kind

_Reader = Callable[[Any], Any]


def _sign(value: int) -> int:
    return -1 if value < 0 else 1


def _months_part(value: Months) -> Decimal:
    return Decimal(_sign(value.count) * (abs(value.count) % 12))


def _years_part(value: Months) -> Decimal:
    return Decimal(_sign(value.count) * (abs(value.count) // 12))


def _clock_part(divisor: int, modulus: int) -> _Reader:
    def read(value: timedelta) -> Decimal:
        return Decimal(_sign(value.days) * (abs(value).seconds // divisor % modulus))

    return read


def _duration_seconds(value: timedelta) -> Decimal:
    rest = abs(value)
    return _sign(value.days) * (Decimal(rest.seconds % 60) + Decimal(rest.microseconds).scaleb(-6))


def _zone_name(value: datetime | time) -> str | None:
    return value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None


def _seconds(value: datetime | time) -> Decimal:
    whole = Decimal(value.second)
    return whole + Decimal(value.microsecond).scaleb(-6) if value.microsecond else whole


_DAY: dict[str, _Reader] = {
    "year": lambda value: Decimal(value.year),
    "month": lambda value: Decimal(value.month),
    "day": lambda value: Decimal(value.day),
    "weekday": lambda value: Decimal(value.isoweekday()),
}
_CLOCK: dict[str, _Reader] = {
    "hour": lambda value: Decimal(value.hour),
    "minute": lambda value: Decimal(value.minute),
    "second": _seconds,
    "time offset": lambda value: value.utcoffset(),
    "timezone": _zone_name,
}
_PROPERTIES: Mapping[str, Mapping[str, _Reader]] = {
    "date": _DAY,
    "time": _CLOCK,
    "date and time": {
        **_DAY,
        **_CLOCK,
        "date": lambda value: value.date(),
        "time": lambda value: value.timetz(),
    },
    "years and months duration": {"years": _years_part, "months": _months_part},
    "days and time duration": {
        "days": lambda value: Decimal(_sign(value.days) * abs(value).days),
        "hours": _clock_part(3600, 24),
        "minutes": _clock_part(60, 60),
        "seconds": _duration_seconds,
    },
    "range": {
        "start": lambda value: value.start,
        "end": lambda value: value.end,
        "start included": lambda value: value.start_included,
        "end included": lambda value: value.end_included,
    },
}


def has_properties(value: date | time | timedelta | Months | Range | Any) -> bool:
    """Whether values of this kind have properties at all."""
    return kind(value) in _PROPERTIES


def read_property(value: Any, name: str) -> Any:
    """The property `name` of `value`. Raises KeyError when its kind has none of that name."""
    return _PROPERTIES[kind(value)][name](value)
