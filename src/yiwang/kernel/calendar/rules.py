"""Counting days. Pure: no database, no clock.

A limit is counted over the stretches in which its clock runs. The day of an event is not counted
(民法典第二百零一条: 开始的当日不计入，自下一日开始计算), neither when a clock starts nor when it resumes;
the day on which it stops is. A stretch is therefore the half-open run of days (start, end].
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum


class Unit(StrEnum):
    """Units of legal limits."""

    WORKING_DAYS = "工作日"
    CALENDAR_DAYS = "自然日"
    HOURS = "小时"


class CalendarTooShort(Exception):
    """A deadline lies beyond the last day of the calendar."""


@dataclass(frozen=True)
class Limit:
    """So many units."""

    value: int
    unit: Unit


@dataclass(frozen=True)
class Running:
    """A stretch in which the clock ran; ``end`` is None while it still runs."""

    start: datetime
    end: datetime | None = None


@dataclass(frozen=True)
class Deadline:
    """When a limit ends: the last instant of ``due`` for days, or the instant ``at`` for hours.

    provisional: the count crosses days that no State Council notice covers yet.
    """

    due: date
    at: datetime
    provisional: bool


class WorkingCalendar:
    """Working days with constant-time counting, by an index of cumulative working days.

    Args:
        first: the first day.
        working: for each day from ``first`` on, whether it is a working day.
        provisional_from: the first day that no notice covers; None when all are covered.
    """

    def __init__(self, first: date, working: Sequence[bool], provisional_from: date | None = None) -> None:
        self.first = first
        self.provisional_from = provisional_from
        self._cumulative: list[int] = []
        count = 0
        for is_working in working:
            count += is_working
            self._cumulative.append(count)

    @property
    def last(self) -> date:
        return self.first + timedelta(days=len(self._cumulative) - 1)

    def _index(self, day: date) -> int:
        index = (day - self.first).days
        if not 0 <= index < len(self._cumulative):
            raise CalendarTooShort(f"日历只覆盖 {self.first} 至 {self.last}，不含 {day}")
        return index

    def _count_to(self, day: date) -> int:
        return self._cumulative[self._index(day)]

    def is_working(self, day: date) -> bool:
        """Whether ``day`` is a working day. Raises CalendarTooShort outside the calendar."""
        return self._count_to(day) > (self._count_to(day - timedelta(days=1)) if day > self.first else 0)

    def between(self, start: date, end: date) -> int:
        """Working days in (start, end]; negative when ``end`` is before ``start``."""
        return self._count_to(end) - self._count_to(start)

    def after(self, start: date, days: int) -> date:
        """The ``days``-th working day after ``start`` (``days`` ≥ 1)."""
        wanted = self._count_to(start) + days
        index = bisect_left(self._cumulative, wanted)
        if index == len(self._cumulative):
            raise CalendarTooShort(f"{start} 之后不足 {days} 个工作日：日历只到 {self.last}")
        return self.first + timedelta(days=index)

    def next_working(self, day: date) -> date:
        """``day`` itself if it is a working day, else the next one."""
        return day if self.is_working(day) else self.after(day, 1)


def end_of(day: date, like: datetime) -> datetime:
    """The last second of ``day`` in the time zone of ``like``."""
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=like.tzinfo)


def deadline(calendar: WorkingCalendar, limit: Limit, stretches: Iterable[Running]) -> Deadline | None:
    """When ``limit`` ends, given the stretches in which its clock ran; None while it is stopped.

    Calendar days that end on a day off run to the next working day (民法典第二百零三条).
    A limit already used up when its clock stopped ended on the day it was used up.
    """
    used = 0
    spent = timedelta()
    for stretch in stretches:
        start = stretch.start
        if limit.unit == Unit.HOURS:
            left = timedelta(hours=limit.value) - spent
            if stretch.end is None or stretch.end - start >= left:
                at = start + left
                return Deadline(at.date(), at, _provisional(calendar, at.date()))
            spent += stretch.end - start
            continue
        left_days = limit.value - used
        if limit.unit == Unit.WORKING_DAYS:
            due = calendar.after(start.date(), left_days) if left_days else start.date()
            used_here = calendar.between(start.date(), stretch.end.date()) if stretch.end else 0
        else:
            due = start.date() + timedelta(days=left_days)
            used_here = (stretch.end.date() - start.date()).days if stretch.end else 0
        if stretch.end is None or used_here >= left_days:
            if limit.unit == Unit.CALENDAR_DAYS:
                due = calendar.next_working(due)
            return Deadline(due, end_of(due, start), _provisional(calendar, due))
        used += used_here
    return None


def _provisional(calendar: WorkingCalendar, due: date) -> bool:
    return calendar.provisional_from is not None and due >= calendar.provisional_from
