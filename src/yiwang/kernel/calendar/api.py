"""The working-day calendar: read it, seed it, import the State Council's notice."""

import time
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from yiwang.kernel.events.api import emit

from .models import CalendarDay
from .rules import Limit, Running, WorkingCalendar, deadline

CHECK_SECONDS = 5.0  # how long a process may use its copy before asking whether the table changed
_cached: tuple[float, tuple, WorkingCalendar] | None = None
FIXED_FEASTS = {(1, 1): "元旦", (5, 1): "劳动节", (10, 1): "国庆节", (10, 2): "国庆节", (10, 3): "国庆节"}


def working_calendar() -> WorkingCalendar:
    """The calendar in force, kept in memory and refreshed when the table changes."""
    global _cached
    now = time.monotonic()
    if _cached and now - _cached[0] < CHECK_SECONDS:
        return _cached[2]
    provisional = CalendarDay.objects.filter(provisional=True).aggregate(first=Min("date"))["first"]
    mark = (provisional, CalendarDay.objects.filter(working=True).count())
    if _cached and _cached[1] == mark:
        _cached = (now, mark, _cached[2])
        return _cached[2]
    days = list(CalendarDay.objects.order_by("date").values_list("date", "working"))
    if not days:
        raise RuntimeError("日历是空的：请先运行 yiwang up 或 yiwang packs load")
    built = WorkingCalendar(days[0][0], [working for _, working in days], provisional)
    _cached = (now, mark, built)
    return built


def due_from(limit: Limit, start: datetime) -> datetime:
    """The end of a limit that starts now and never stops, such as the five days to ask for a supplement."""
    found = deadline(working_calendar(), limit, [Running(timezone.localtime(start))])
    if found is None:  # a single stretch without end always ends a limit
        raise AssertionError(limit)
    return found.at


def forget() -> None:
    """Drop this process's copy (after an import, in tests)."""
    global _cached
    _cached = None


def seed(first_year: int, last_year: int) -> None:
    """Fill the table: from chinesecalendar as far as it knows, beyond it provisionally.

    Beyond the last notice weekends and fixed feasts are assumed, without make-up working days: honest
    guesses, marked as such, never passed off as the notice.
    """
    import chinese_calendar

    rows = []
    day = date(first_year, 1, 1)
    while day.year <= last_year:
        try:
            rest, name = chinese_calendar.get_holiday_detail(day)
            row = CalendarDay(date=day, working=not rest, name=name or "", source="chinesecalendar 1.11")
        except NotImplementedError:
            feast = FIXED_FEASTS.get((day.month, day.day), "")
            row = CalendarDay(
                date=day,
                working=day.weekday() < 5 and not feast,
                name=feast,
                source="推定：当年国务院放假通知尚未导入",
                provisional=True,
            )
        rows.append(row)
        day += timedelta(days=1)
    CalendarDay.objects.bulk_create(rows, ignore_conflicts=True, batch_size=2000)
    forget()


def import_notice(
    year: int, source: str, holidays: Iterable[tuple[str, date, date]], workdays: Iterable[date]
) -> int:
    """Put a State Council notice into the calendar and ask for the deadlines it moves.

    Args:
        year: the year the notice is for; all its days stop being provisional.
        source: the notice's number, such as 国办发明电〔2026〕… 号.
        holidays: (name, first day, last day), both included.
        workdays: make-up working days.

    Returns:
        how many days changed between working and not.

    Raises:
        ValueError: a day lies outside the year, or is named as both.
    """
    named: dict[date, tuple[bool, str]] = {}
    for name, first, last in holidays:
        if last < first:
            raise ValueError(f"{name}：结束日 {last} 早于开始日 {first}，请核对通知")
        for offset in range((last - first).days + 1):
            named[first + timedelta(days=offset)] = (False, name)
    for day in workdays:
        if day in named:
            raise ValueError(f"{day} 既是放假日又是调休上班日，请核对通知")
        named[day] = (True, "调休上班")
    for day in named:
        if day.year not in (year - 1, year, year + 1):
            raise ValueError(f"{day} 不在 {year} 年通知的范围内，请核对年份")
    changed = 0
    with transaction.atomic():
        existing: Mapping[date, CalendarDay] = CalendarDay.objects.in_bulk(
            [*named, *(date(year, 1, 1) + timedelta(days=i) for i in range(366))]
        )
        day = date(year, 1, 1)
        wanted = set(named) | {date(year, 1, 1) + timedelta(days=i) for i in range(366)}
        for day in sorted(d for d in wanted if d in named or d.year == year):
            working, name = named.get(day, (day.weekday() < 5, ""))
            old = existing.get(day)
            changed += old is None or old.working != working
            CalendarDay.objects.update_or_create(
                date=day,
                defaults={"working": working, "name": name, "source": source, "provisional": False},
            )
        emit("calendar.changed", {"year": year, "source": source})
    forget()
    return changed
