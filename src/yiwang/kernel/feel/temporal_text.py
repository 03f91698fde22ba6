"""Reading dates, times and durations (DMN 1.5 §10.3.2.3, after XML Schema part 2; zones by IANA name too)."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo

from yiwang.kernel.feel.temporal import (
    FURTHEST_YEAR,
    NANO,
    Clock,
    Day,
    Moment,
    Months,
    Span,
    Temporal,
    clock_nanos,
    day_number,
    make_clock,
    make_date,
    make_moment,
    make_span,
    named_zone,
)

_DATE = re.compile(r"(-?(?:[1-9][0-9]{4,8}|[0-9]{4}))-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2}(?::[0-9]{2})?|@[A-Za-z0-9_+/-]+)?"
)
_MONTHS = re.compile(r"(-?)P(?:([0-9]+)Y)?(?:([0-9]+)M)?")
_DAYS = re.compile(r"(-?)P(?:([0-9]+)D)?(T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:\.([0-9]+))?S)?)?")
_STARTS_AS_TIME = re.compile("[0-9]{2}:")
_FURTHEST_OFFSET = timedelta(hours=14)  # XML Schema part 2, §3.2.7.3
_LONGEST = 40  # digits of a number in a duration; more is a mistake


def parse_date(text: str) -> Day:
    """ISO 8601 calendar date, years of four to nine digits. Raises ValueError."""
    found = _DATE.fullmatch(text)
    if not found:
        raise ValueError(f"「{_short(text)}」不是日期，应写作 2026-11-23")
    try:
        return make_date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise ValueError(f"没有「{text}」这一天，请改正日期") from None


def parse_time(text: str) -> Clock:
    """`09:30:00`, with `Z`, `+08:00` or `@Asia/Shanghai` behind. Raises ValueError."""
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError(f"「{_short(text)}」不是时间，应写作 09:30:00")
    hour, minute, second = int(found[1]), int(found[2]), int(found[3])
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f"没有「{text}」这个时间：时在 0 到 23 之间，分、秒在 0 到 59 之间")
    nanos = int((found[4] or "0").ljust(9, "0")[:9])
    return make_clock((hour * 3600 + minute * 60 + second) * NANO + nanos, parse_zone(found[5]))


def parse_zone(text: str | None) -> tzinfo | None:
    """The zone behind a time; None for a local time. Raises ValueError."""
    if not text:
        return None
    if text in "Zz":
        return UTC
    if text[0] == "@":
        return named_zone(text[1:])
    parts = [int(part) for part in text[1:].split(":")]
    distance = timedelta(hours=parts[0], minutes=parts[1], seconds=parts[2] if len(parts) > 2 else 0)
    if parts[1] > 59 or (len(parts) > 2 and parts[2] > 59):
        raise ValueError(f"没有「{text}」这个时差")
    return fixed_zone(-distance if text[0] == "-" else distance)


def fixed_zone(distance: timedelta) -> tzinfo:
    """The zone at a fixed distance from UTC. Raises ValueError beyond 14 hours."""
    if abs(distance) > _FURTHEST_OFFSET:
        raise ValueError("时差应在 -14:00 到 +14:00 之间")
    return timezone(distance) if distance else UTC


def parse_moment(text: str) -> Moment:
    """A date, `T` and a time; a date alone is its midnight. Raises ValueError."""
    day, separator, clock = text.partition("T")
    number = day_number(parse_date(day))
    if not separator:
        return make_moment(number, 0)
    read = parse_time(clock)
    return combine(number, read)


def combine(number: int, clock: Clock) -> Moment:
    """A day's ordinal and a time of day. Raises ValueError."""
    return make_moment(number, clock_nanos(clock), clock.tzinfo)


def parse_duration(text: str) -> Months | Span:
    """`P1Y2M` or `P3DT4H5M6S`. Raises ValueError."""
    if len(text) > 6 * _LONGEST:
        raise ValueError(f"期间「{_short(text)}」太长，请改正")
    found = _MONTHS.fullmatch(text)
    if found and (found[2] or found[3]):
        count = int(found[2] or 0) * 12 + int(found[3] or 0)
        if count > 12 * 2 * (FURTHEST_YEAR + 1):
            raise ValueError(f"期间「{text}」超出范围，请改小")
        return Months(-count if found[1] else count)
    found = _DAYS.fullmatch(text)
    if not found or not any(found[part] for part in (2, 4, 5, 6)) or found[3] == "T":
        raise ValueError(f"「{_short(text)}」不是期间，应写作 P20D、PT4H 或 P1Y6M")
    seconds = (int(found[2] or 0) * 24 + int(found[4] or 0)) * 3600 + int(found[5] or 0) * 60
    nanos = (seconds + int(found[6] or 0)) * NANO + int((found[7] or "0").ljust(9, "0")[:9])
    try:
        return make_span(-nanos if found[1] else nanos)
    except ValueError:
        raise ValueError(f"期间「{text}」超出范围，请改小") from None


def parse_at(text: str) -> Temporal:
    """The value of `@"…"` (rule 66). Raises ValueError."""
    if "P" in text[:2]:
        return parse_duration(text)
    if _STARTS_AS_TIME.match(text):
        return parse_time(text)
    return parse_moment(text) if "T" in text else parse_date(text)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"
