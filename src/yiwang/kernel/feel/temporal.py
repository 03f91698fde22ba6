"""Dates, times and durations as values (DMN 1.5 §10.3.2.3.4 to §10.3.2.3.8).

Python's own classes hold whatever they can. The four classes here hold the rest: years outside 1 to 9999,
fractions of a second finer than a microsecond, durations beyond a billion days. A value never has two forms:
the `make_` functions give Python's class whenever it fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

NANO = 10**9
DAY_NANOS = 86_400 * NANO
FURTHEST_YEAR = 999_999_999
_MICRO = timedelta(microseconds=1)
_LAST_ORDINAL = date.max.toordinal()
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097  # the Gregorian calendar repeats, weekdays included


@dataclass(frozen=True, slots=True, order=True)
class Months:
    """A years and months duration, as a whole number of months."""

    count: int

    def __str__(self) -> str:
        years, months = divmod(abs(self.count), 12)
        text = (f"{years}Y" if years else "") + (f"{months}M" if months else "")
        return ("-" if self.count < 0 else "") + "P" + (text or "0M")


@dataclass(frozen=True, slots=True)
class FarDate:
    """A date in a year that Python's `date` does not reach."""

    year: int
    month: int
    day: int

    def __str__(self) -> str:
        return date_text(self)


@dataclass(frozen=True, slots=True)
class FineTime:
    """A time of day with more than six decimals of a second."""

    nanos: int
    """Since midnight."""
    tzinfo: tzinfo | None = None

    def __str__(self) -> str:
        return clock_text(self.nanos) + zone_text(self.tzinfo)


@dataclass(frozen=True, slots=True)
class FarMoment:
    """A date and time that Python's `datetime` cannot hold: a far year, or more than six decimals."""

    ordinal: int
    """Of the day; 1 is 0001-01-01, as in Python."""
    nanos: int
    """Since midnight."""
    tzinfo: tzinfo | None = None

    def __str__(self) -> str:
        return f"{date_text(make_date_of(self.ordinal))}T{clock_text(self.nanos)}{zone_text(self.tzinfo)}"


@dataclass(frozen=True, slots=True)
class FarSpan:
    """A days and time duration that Python's `timedelta` cannot hold."""

    nanos: int

    def __str__(self) -> str:
        return span_text(self.nanos)


Day = date | FarDate
Clock = time | FineTime
Moment = datetime | FarMoment
Span = timedelta | FarSpan
Temporal = Day | Clock | Moment | Span | Months


# The calendar


def ordinal(year: int, month: int, day: int) -> int:
    """The number of a day, in any year. Raises ValueError when there is no such day."""
    if not -FURTHEST_YEAR <= year <= FURTHEST_YEAR:
        raise ValueError(f"年份应在 -{FURTHEST_YEAR} 到 {FURTHEST_YEAR} 之间")
    cycles = (year - 1) // _CYCLE_YEARS
    return date(year - cycles * _CYCLE_YEARS, month, day).toordinal() + cycles * _CYCLE_DAYS


def calendar(number: int) -> tuple[int, int, int]:
    """Year, month and day of the day with this ordinal. Raises ValueError beyond the last year."""
    cycles, rest = divmod(number - 1, _CYCLE_DAYS)
    near = date.fromordinal(rest + 1)
    year = near.year + cycles * _CYCLE_YEARS
    if not -FURTHEST_YEAR <= year <= FURTHEST_YEAR:
        raise ValueError(f"年份应在 -{FURTHEST_YEAR} 到 {FURTHEST_YEAR} 之间")
    return year, near.month, near.day


def days_in(year: int, month: int) -> int:
    """How many days the month has."""
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    cycles = (year - 1) // _CYCLE_YEARS * _CYCLE_YEARS
    first = date(year - cycles, month, 1)
    return (date(following[0] - cycles, following[1], 1) - first).days


# Making values


def make_date(year: int, month: int, day: int) -> Day:
    """The date. Raises ValueError when there is none."""
    if 1 <= year <= 9999:
        return date(year, month, day)
    ordinal(year, month, day)
    return FarDate(year, month, day)


def make_date_of(number: int) -> Day:
    """The date with this ordinal. Raises ValueError beyond the last year."""
    if 1 <= number <= _LAST_ORDINAL:
        return date.fromordinal(number)
    return FarDate(*calendar(number))


def make_clock(nanos: int, zone: tzinfo | None = None) -> Clock:
    """The time of day, `nanos` after midnight."""
    micros, rest = divmod(nanos, 1000)
    if rest:
        return FineTime(nanos, zone)
    seconds, micro = divmod(micros, 1_000_000)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60, micro, zone)


def make_moment(number: int, nanos: int, zone: tzinfo | None = None) -> Moment:
    """The date and time on the day with this ordinal. Raises ValueError beyond the last year."""
    if 1 <= number <= _LAST_ORDINAL and nanos % 1000 == 0:
        clock = make_clock(nanos, zone)
        assert isinstance(clock, time)  # noqa: S101 (for the type checker)
        return datetime.combine(date.fromordinal(number), clock)
    calendar(number)
    return FarMoment(number, nanos, zone)


def make_span(nanos: int) -> Span:
    """The days and time duration."""
    micros, rest = divmod(nanos, 1000)
    if rest == 0:
        try:
            return timedelta(microseconds=micros)
        except OverflowError:
            pass
    if abs(nanos) > 2 * FURTHEST_YEAR * 366 * DAY_NANOS:
        raise ValueError("期间超出范围")
    return FarSpan(nanos)


# Taking them apart


def day_number(value: Day | Moment) -> int:
    """The ordinal of the day that the value is on."""
    if isinstance(value, FarMoment):
        return value.ordinal
    if isinstance(value, FarDate):
        return ordinal(value.year, value.month, value.day)
    return value.toordinal()


def parts(value: Day | Moment) -> tuple[int, int, int]:
    """Year, month and day."""
    if isinstance(value, FarMoment):
        return calendar(value.ordinal)
    return value.year, value.month, value.day


def clock_nanos(value: Clock | Moment) -> int:
    """Nanoseconds since midnight, on the clock of the value's own zone."""
    if isinstance(value, (FineTime, FarMoment)):
        return value.nanos
    seconds = value.hour * 3600 + value.minute * 60 + value.second
    return seconds * NANO + value.microsecond * 1000


def span_nanos(value: Span) -> int:
    """The duration in nanoseconds."""
    return value.nanos if isinstance(value, FarSpan) else value // _MICRO * 1000


def offset(value: Clock | Moment) -> timedelta | None:
    """The distance from UTC. None: local, or a time of day in a zone whose distance depends on the day."""
    zone = value.tzinfo
    if zone is None:
        return None
    if isinstance(value, FarMoment):
        return zone.utcoffset(_near(value.ordinal, value.nanos))
    return zone.utcoffset(None) if isinstance(value, FineTime) else value.utcoffset()


def _near(number: int, nanos: int) -> datetime:
    """A moment that `datetime` can hold, in the same place of the calendar's cycle."""
    rest = number
    if number < 1:
        rest = (number - 1) % _CYCLE_DAYS + 1
    elif number > _LAST_ORDINAL:
        rest = (number - 1) % _CYCLE_DAYS + 1 + 23 * _CYCLE_DAYS
    seconds = nanos // NANO
    return datetime.combine(date.fromordinal(rest), time(seconds // 3600, seconds // 60 % 60, seconds % 60))


def instant(value: Clock | Moment) -> tuple[str | None, int]:
    """What orders times and moments: a mark that two must share to be compared, and nanoseconds.

    Zoned values share "Z" and are counted in UTC; local ones share None.
    """
    nanos = clock_nanos(value)
    if isinstance(value, (datetime, FarMoment)):
        nanos += day_number(value) * DAY_NANOS
    if value.tzinfo is None:
        return None, nanos
    distance = offset(value)
    if distance is None:  # a time of day in a zone with summer time: comparable with its own kind
        return str(value.tzinfo), nanos
    return "Z", nanos - distance // _MICRO * 1000


def moment_at(nanos: int, zone: tzinfo | None) -> Moment:
    """The moment `nanos` after ordinal 0 in UTC (of a local clock when `zone` is None), told in `zone`."""
    number, rest = divmod(nanos, DAY_NANOS)
    if zone is None or zone is UTC:
        return make_moment(number, rest, zone)
    fixed = zone.utcoffset(None)
    if fixed is None:
        near = _near(number, rest).replace(tzinfo=UTC)
        try:
            local = near.astimezone(zone)
        except OverflowError:
            raise ValueError("日期超出范围") from None
        fixed = local.utcoffset() or timedelta()
    number, rest = divmod(nanos + fixed // _MICRO * 1000, DAY_NANOS)
    made = make_moment(number, rest, zone)
    if isinstance(made, datetime) and not isinstance(zone, type(UTC)) and made.utcoffset() != fixed:
        return made.replace(fold=1)  # the second of two equal clock readings in autumn
    return made


# Text


def date_text(value: Day) -> str:
    """`2026-11-23`; more digits or a minus for far years."""
    return f"{'-' if value.year < 0 else ''}{abs(value.year):04}-{value.month:02}-{value.day:02}"


def clock_text(nanos: int) -> str:
    """`09:30:00.5`."""
    seconds, rest = divmod(nanos, NANO)
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"


def zone_text(zone: tzinfo | None) -> str:
    """`Z`, `+08:00`, `@Asia/Shanghai`, or nothing."""
    if zone is None:
        return ""
    if isinstance(zone, ZoneInfo):
        return f"@{zone.key}"
    distance = zone.utcoffset(None) or timedelta()
    if not distance:
        return "Z"
    minutes, seconds = divmod(int(abs(distance).total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if distance < timedelta() else "+"
    return f"{sign}{hours:02}:{minutes:02}" + (f":{seconds:02}" if seconds else "")


def span_text(nanos: int) -> str:
    """`P1DT2H3M4.5S`, nothing superfluous."""
    seconds, fraction = divmod(abs(nanos), NANO)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    decimals = f".{fraction:09}".rstrip("0") if fraction else ""
    clock += f"{seconds}{decimals}S" if seconds or fraction else ""
    text = (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
    return ("-" if nanos < 0 else "") + "P" + (text or "T0S")


def text_of(value: Temporal) -> str:
    """The text that reads back as `value`."""
    if isinstance(value, timedelta):
        return span_text(span_nanos(value))
    if isinstance(value, datetime):
        return f"{date_text(value.date())}T{clock_text(clock_nanos(value))}{zone_text(value.tzinfo)}"
    if isinstance(value, time):
        return clock_text(clock_nanos(value)) + zone_text(value.tzinfo)
    return date_text(value) if isinstance(value, date) else str(value)


@lru_cache(maxsize=256)
def named_zone(name: str) -> ZoneInfo:
    """The IANA zone. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"没有「{name}」这个时区，请写作 Asia/Shanghai") from None


def seconds_of(nanos: int) -> Decimal:
    """Nanoseconds as seconds, without superfluous digits."""
    whole, rest = divmod(abs(nanos), NANO)
    value = Decimal(whole) + Decimal(rest).scaleb(-9).normalize() if rest else Decimal(whole)
    return -value if nanos < 0 else value
