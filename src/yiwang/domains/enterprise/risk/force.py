"""When a class comes into force: at once, or after the notice that the pack asks for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from .contracts import Table


@dataclass(frozen=True, slots=True)
class Standing:
    """The class computed, the class in force, and from which day the computed one is in force (None: it is)."""

    grade: str
    in_force: str
    from_day: date | None = None


def step(table: Table, before: Standing | None, grade: str, on: date) -> Standing:
    """What holds on a day after the class was computed.

    A class with a notice waits for its term, unless it is no worse than the one in force. Of two such classes
    one after the other each has its own term.
    """
    found = table.of_class(grade)
    now = before.in_force if before else ""
    if found is None or not found.notice_days or _rank(table, grade) <= _rank(table, now):
        return Standing(grade, grade)
    waits = before.from_day if before and before.grade == grade else on + timedelta(days=found.notice_days)
    if waits is None or waits <= on:
        return Standing(grade, grade)
    return Standing(grade, now, waits)


def _rank(table: Table, grade: str) -> int:
    """From good to bad; not rated is before all."""
    return next((n for n, c in enumerate(table.classes) if c.id == grade), -1)
