"""Deadlines worked by hand from the law and the calendar of 2026, and the algebra behind them."""

from datetime import UTC, date, datetime, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.kernel.calendar.rules import CalendarTooShort, Limit, Running, Unit, WorkingCalendar, deadline

FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(365)]
KNOWN = [chinese_calendar.is_workday(day) for day in DAYS]
# Early 2027 by hand: New Year's Day off, weekends off, no notice yet.
NEXT = [date(2027, 1, 1) + timedelta(days=n) for n in range(120)]
ASSUMED = [day.weekday() < 5 and day != date(2027, 1, 1) for day in NEXT]
CALENDAR = WorkingCalendar(FIRST, KNOWN + ASSUMED, provisional_from=date(2027, 1, 1))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def runs(*texts: str) -> list[Running]:
    """``"11-02 11-06"`` ran from the 2nd to the 6th; a single date still runs."""
    found = []
    for text in texts:
        parts = [at(f"2026-{p}" if len(p) > 5 else f"2026-{p}T10:00") for p in text.split(" ")]
        found.append(Running(parts[0], parts[1] if len(parts) > 1 else None))
    return found


W, C, H = Unit.WORKING_DAYS, Unit.CALENDAR_DAYS, Unit.HOURS
# Each line counted on paper. National Day 1–7 Oct; 20 Sep (Sunday) and 10 Oct (Saturday) are worked;
# Mid-Autumn 25–27 Sep. The day of acceptance does not count, the day of a suspension does, the day of resuming not.
BY_HAND = [
    ("a plain week", 5, W, ["11-23"], "2026-11-30"),
    ("over National Day, with the worked Saturday", 3, W, ["09-30"], "2026-10-10"),
    ("with the worked Sunday", 5, W, ["09-17"], "2026-09-23"),
    ("accepted on a Friday before the worked Sunday", 5, W, ["09-18"], "2026-09-24"),
    ("one day before Mid-Autumn", 1, W, ["09-24"], "2026-09-28"),
    (
        "行政许可法第四十二条 20 days, expert review from 6 to 16 Nov",
        20,
        W,
        ["11-02 11-06", "11-16"],
        "2026-12-08",
    ),
    ("the same, extended by 10 days", 30, W, ["11-02 11-06", "11-16"], "2026-12-22"),
    ("suspended twice", 5, W, ["11-23 11-24", "11-26 11-27", "12-01"], "2026-12-04"),
    ("suspended on the day of acceptance", 2, W, ["11-23 11-23", "11-25"], "2026-11-27"),
    ("on the spot", 0, W, ["11-23"], "2026-11-23"),
    ("30 calendar days ending in a holiday run to the next working day", 30, C, ["09-01"], "2026-10-08"),
    ("15 calendar days", 15, C, ["11-23"], "2026-12-08"),
    ("45 days of joint handling", 45, W, ["10-12"], "2026-12-14"),
    ("into the year without a notice", 5, W, ["12-28"], "2027-01-05"),
]


@pytest.mark.parametrize(("what", "value", "unit", "clock", "due"), BY_HAND, ids=[row[0] for row in BY_HAND])
def test_deadline_as_worked_by_hand(what, value, unit, clock, due):
    found = deadline(CALENDAR, Limit(value, unit), runs(*clock))
    assert found is not None
    assert found.due == date.fromisoformat(due)
    assert found.provisional == due.startswith("2027")


def test_hours_stop_and_go():
    clock = [Running(at("2026-11-23T09:00"), at("2026-11-23T11:00")), Running(at("2026-11-23T14:00"))]
    found = deadline(CALENDAR, Limit(4, H), clock)
    assert found is not None
    assert found.at == at("2026-11-23T16:00")


def test_no_deadline_while_the_clock_stands_still():
    assert deadline(CALENDAR, Limit(5, W), runs("11-23 11-24")) is None


def test_used_up_before_the_suspension_ended_then():
    found = deadline(CALENDAR, Limit(2, W), runs("11-23 11-27", "12-10"))
    assert found is not None
    assert found.due == date(2026, 11, 25)


def test_beyond_the_calendar_is_said_not_guessed():
    with pytest.raises(CalendarTooShort):
        CALENDAR.after(date(2027, 4, 1), 200)


WITHIN = st.integers(0, 400).map(lambda n: FIRST + timedelta(days=n))


@given(start=WITHIN, days=st.integers(1, 40))
def test_the_nth_working_day_is_counted_one_by_one(start, days):
    day, left = start, days
    while left:
        day += timedelta(days=1)
        left -= CALENDAR.is_working(day)
    assert CALENDAR.after(start, days) == day
    assert CALENDAR.between(start, day) == days


@given(start=st.integers(0, 200), first=st.integers(0, 20), gap=st.integers(1, 30), days=st.integers(1, 20))
def test_a_suspension_moves_the_deadline_by_the_working_days_it_took(start, first, gap, days):
    begin = datetime(2026, 1, 5, 10, tzinfo=UTC) + timedelta(days=start)
    stop, go = begin + timedelta(days=first), begin + timedelta(days=first + gap)
    plain = deadline(CALENDAR, Limit(days, W), [Running(begin)])
    paused = deadline(CALENDAR, Limit(days, W), [Running(begin, stop), Running(go)])
    assert plain is not None
    assert paused is not None
    if plain.due <= stop.date():
        assert paused.due == plain.due
    else:
        lost = CALENDAR.between(stop.date(), go.date())
        assert CALENDAR.between(plain.due, paused.due) == lost
