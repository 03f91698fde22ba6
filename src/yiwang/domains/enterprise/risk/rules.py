"""The class of one enterprise on one day, every point explained. Pure; ``sql.py`` says the same of all of them.

A record counts from its date until its term ends, the end it names itself, or a repair. One event counts once, by
the indicator with most points. A record in dispute does not count. Sums never fall when a record is added.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from yiwang.engines.hub.contracts import Dataset
from yiwang.kernel.feel import parse

from .contracts import SEPARATOR, Grade, Indicator, Point, Record, Table

_parse = lru_cache(maxsize=512)(parse)


def holds(condition: str, values: Mapping[str, Any], on: date) -> bool:
    """Whether a FEEL condition is true of a record; null is not."""
    return _parse(condition).evaluate({**values, "as_of": on}) is True


def key_of(dataset: Dataset, values: Mapping[str, Any]) -> str:
    """A record's key as one text."""
    return joined(dataset.key, values)


def joined(fields: Iterable[str], values: Mapping[str, Any]) -> str:
    """Values as one text; a missing one as nothing."""
    return SEPARATOR.join("" if values.get(f) is None else str(values[f]) for f in fields)


def is_subject(table: Table, registration: Mapping[str, Any], on: date) -> bool:
    """Whether this is an enterprise that gets a class at all."""
    return holds(table.who, registration, on)


def is_new(table: Table, registration: Mapping[str, Any], on: date) -> bool:
    """Whether it is too young to be rated."""
    opened = as_day(registration.get(table.opened))
    return opened is None or opened + timedelta(days=table.new_days) > on


def grade(
    table: Table,
    registration: Mapping[str, Any],
    records: Iterable[Record],
    on: date,
    disputed: Collection[tuple[str, str]] = (),
    repairs: Mapping[tuple[str, str], date] | None = None,
) -> Grade:
    """The class on a day.

    Args:
        registration: the subject's own record. records: of all datasets, as known on the day; the
            registration among them if indicators look at it.
        disputed: (dataset, key) of records in dispute.
        repairs: (space, event) → the day of the repair.
    """
    industry = str(registration.get(table.industry) or "")
    points = [
        point
        for record in records
        for i in table.indicators
        if i.dataset == record.dataset and (point := _point(table, i, record, industry, on))
    ]
    frozen, repaired = set(disputed), repairs or {}
    points = [_stopped(p, on, frozen, repaired) for p in points]
    points = _once(points)
    sums = [0] * len(table.slots)
    for p in points:
        sums[p.indicator.slot] += p.indicator.points if p.counts else 0
    total = total_of(table, sums)
    id = "" if is_new(table, registration, on) else table.class_of(total)
    return Grade(id, total, tuple(sums), tuple(points))


def total_of(table: Table, sums: Iterable[int]) -> int:
    """Sums by slot, capped and weighted: hundredths of a point."""
    return sum(min(n, s.cap) * s.weight for n, s in zip(sums, table.slots, strict=True))


def _point(table: Table, i: Indicator, record: Record, industry: str, on: date) -> Point | None:
    if i.industries and not industry.startswith(i.industries):
        return None
    since = as_day(record.values.get(i.since))
    if since is None or not holds(i.when, record.values, on):
        return None
    until = None if i.days is None else since + timedelta(days=i.days)
    ends = as_day(record.values.get(i.ends)) if i.ends else None
    if ends is not None:
        until = ends if until is None else min(ends, until)
    key = key_of(table.datasets[i.dataset], record.values)
    return Point(i, key, joined(i.event, record.values), since, until, "counts")


def _stopped(
    p: Point, on: date, disputed: Collection[tuple[str, str]], repairs: Mapping[tuple[str, str], date]
) -> Point:
    """The point with its true end, and why it does not count."""
    i, until, state = p.indicator, p.until, p.state
    repaired = repairs.get((i.space, p.event))
    if repaired is not None:
        told = max(repaired, p.since + timedelta(days=i.min_days))
        if until is None or told < until:
            until = told
            state = "repaired" if told <= on else state
    if state == "counts" and until is not None and until <= on:
        state = "expired"
    if state == "counts" and p.since > on:
        state = "later"
    if state == "counts" and (i.dataset, p.key) in disputed:
        state = "disputed"
    return Point(i, p.key, p.event, p.since, until, state)


def _once(points: list[Point]) -> list[Point]:
    """Of the points of one event the highest counts; of equals, the first."""
    best: dict[tuple[str, str], int] = {}
    for n, p in enumerate(points):
        at = (p.indicator.space, p.event)
        if p.counts and (at not in best or points[best[at]].indicator.points < p.indicator.points):
            best[at] = n
    return [
        p if not p.counts or best[p.indicator.space, p.event] == n
        else Point(p.indicator, p.key, p.event, p.since, p.until, "same")
        for n, p in enumerate(points)
    ]  # fmt: skip


def next_changes(grade: Grade, table: Table, on: date) -> list[tuple[date, str, int]]:
    """What time alone will do: (day, class, total) whenever points end, if nothing new comes."""
    found = []
    for day in sorted({p.until for p in grade.points if p.until and p.until > on and p.counts}):
        sums = [0] * len(table.slots)
        for p in grade.points:
            if p.counts and (p.until is None or p.until > day):
                sums[p.indicator.slot] += p.indicator.points
        total = total_of(table, sums)
        found.append((day, table.class_of(total), total))
    return found


def as_day(value: Any) -> date | None:
    """A day from a date, a moment or its text."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, str):
        return date.fromisoformat(value[:10])
    return value if isinstance(value, date) else None


def by_slot(table: Table, grade: Grade) -> dict[int, list[Point]]:
    """Points that were found, by slot, those that count first and the weightiest first."""
    found: dict[int, list[Point]] = defaultdict(list)
    for p in sorted(grade.points, key=lambda p: (not p.counts, -p.indicator.points, p.since)):
        found[p.indicator.slot].append(p)
    return dict(found)
