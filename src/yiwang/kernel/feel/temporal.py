"""Dates, times and durations in FEEL's lexical forms (DMN 1.5 §10.3.2.3.4 to §10.3.2.3.8)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import ROUND_DOWN, Decimal
from zoneinfo import ZoneInfo

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(
    r"T?([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(Z|[+-][0-9]{2}:[0-9]{2}(?::[0-9]{2})?|@[\w+/-]+)?"
)
_MONTHS = re.compile(r"(-?)P(?:([0-9]+)Y)?(?:([0-9]+)M)?")
_DAYS = re.compile(r"(-?)P(?:([0-9]+)D)?(T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+(?:\.[0-9]+)?)S)?)?")


@dataclass(frozen=True, slots=True, order=True)
class Months:
    """A years and months duration, as a whole number of months."""

    count: int

    def __str__(self) -> str:
        years, months = divmod(abs(self.count), 12)
        text = (f"{years}Y" if years else "") + (f"{months}M" if months else "")
        return ("-" if self.count < 0 else "") + "P" + (text or "0M")


Temporal = date | time | datetime | timedelta | Months


def parse_date(text: str) -> date:
    """ISO 8601 calendar date. Raises ValueError."""
    found = _DATE.fullmatch(text)
    if not found:
        raise ValueError(f"「{text}」不是日期，应写作 2026-11-23")
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise ValueError(f"没有「{text}」这一天，请改正日期") from None


def parse_time(text: str) -> time:
    """`09:30:00`, with `Z`, `+08:00` or `@Asia/Shanghai` behind. Raises ValueError."""
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError(f"「{text}」不是时间，应写作 09:30:00")
    try:
        micro = int((found[4] or "").ljust(6, "0")[:6])
        return time(int(found[1]), int(found[2]), int(found[3]), micro, parse_zone(found[5]))
    except ValueError as error:
        raise ValueError(f"没有「{text}」这个时间：{error}") from None


def parse_zone(text: str | None) -> tzinfo | None:
    """The zone behind a time; None for a local time. Raises ValueError."""
    if not text:
        return None
    if text == "Z":
        return UTC
    if text[0] == "@":
        try:
            return ZoneInfo(text[1:])
        except (KeyError, OSError, ValueError):
            raise ValueError(f"没有「{text[1:]}」这个时区，请写作 Asia/Shanghai") from None
    parts = [int(part) for part in text[1:].split(":")]
    offset = timedelta(hours=parts[0], minutes=parts[1], seconds=parts[2] if len(parts) > 2 else 0)
    return timezone(-offset if text[0] == "-" else offset)


def parse_datetime(text: str) -> datetime:
    """A date, `T` and a time; a date alone is its midnight. Raises ValueError."""
    day, separator, clock = text.partition("T")
    moment = parse_time(clock) if separator else time()
    return datetime.combine(parse_date(day), moment)


def parse_duration(text: str) -> Months | timedelta:
    """`P1Y2M` or `P3DT4H5M6S`. Raises ValueError."""
    found = _MONTHS.fullmatch(text)
    if found and (found[2] or found[3]):
        count = int(found[2] or 0) * 12 + int(found[3] or 0)
        if count > 12 * 10**9:
            raise ValueError(f"期间「{text}」超出范围，请改小")
        return Months(-count if found[1] else count)
    found = _DAYS.fullmatch(text)
    if not found or not any(found[part] for part in (2, 4, 5, 6)) or found[3] == "T":
        raise ValueError(f"「{text}」不是期间，应写作 P20D、PT4H 或 P1Y6M")
    seconds = Decimal(found[6] or 0)
    whole = int(seconds.to_integral_value(ROUND_DOWN))
    try:
        value = timedelta(
            days=int(found[2] or 0),
            hours=int(found[4] or 0),
            minutes=int(found[5] or 0),
            seconds=whole,
            microseconds=int((seconds - whole) * 1_000_000),
        )
    except OverflowError:
        raise ValueError(f"期间「{text}」超出范围，请改小") from None
    return -value if found[1] else value


def parse_at(text: str) -> Temporal:
    """The value of `@"…"` (rule 66). Raises ValueError."""
    if "P" in text[:2]:
        return parse_duration(text)
    if "T" in text[1:]:
        return parse_datetime(text)
    return parse_time(text) if ":" in text else parse_date(text)


def add_months(day: date, months: int) -> date:
    """The same day `months` later; the last of the month when there is no such day. Raises ValueError."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if not 1 <= year <= 9999:
        raise ValueError("日期超出范围，年份应在 1 到 9999 之间")
    last = 31 if month == 11 else (date(year, month + 2, 1) - timedelta(days=1)).day
    return day.replace(year=year, month=month + 1, day=min(day.day, last))


def months_between(first: date, second: date) -> Months:
    """Whole months from `first` to `second` (DMN 1.5 table 83, years and months duration)."""
    sign = 1
    if (second.year, second.month, second.day) < (first.year, first.month, first.day):
        first, second, sign = second, first, -1
    count = (second.year - first.year) * 12 + second.month - first.month - (second.day < first.day)
    return Months(sign * count)


def text_of(value: Temporal) -> str:
    """The ISO text that reads back as `value`."""
    if isinstance(value, timedelta):
        return _days_text(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Months):
        return str(value)
    plain = value.replace(tzinfo=None).isoformat()
    if "." in plain:
        plain = plain.rstrip("0")
    return plain + _zone_text(value)


def _zone_text(value: time | datetime) -> str:
    zone = value.tzinfo
    if zone is None:
        return ""
    if isinstance(zone, ZoneInfo):
        return f"@{zone.key}"
    offset = zone.utcoffset(None) or timedelta()
    if not offset:
        return "Z"
    sign = "-" if offset < timedelta() else "+"
    minutes, seconds = divmod(int(abs(offset).total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours:02}:{minutes:02}" + (f":{seconds:02}" if seconds else "")


def _days_text(value: timedelta) -> str:
    rest = abs(value)
    hours, seconds = divmod(rest.seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    fraction = f".{rest.microseconds:06}".rstrip("0") if rest.microseconds else ""
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    clock += f"{seconds}{fraction}S" if seconds or fraction else ""
    text = (f"{rest.days}D" if rest.days else "") + (f"T{clock}" if clock else "")
    return ("-" if value < timedelta() else "") + "P" + (text or "T0S")
