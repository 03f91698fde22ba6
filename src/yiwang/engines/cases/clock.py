"""When a case is due: a projection of its clock intervals, never a column somebody sets."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from yiwang.kernel.calendar.api import working_calendar
from yiwang.kernel.calendar.rules import Limit, Running, deadline

from .store import ClockChange


@dataclass(frozen=True)
class Due:
    """The projection: None while the clock stands still or has not started."""

    promised: datetime | None
    legal: datetime | None
    provisional: bool


def stretches(clock: Iterable[dict[str, Any]], change: ClockChange | None = None) -> list[Running]:
    """The running stretches of a clock, as they will be after ``change``."""
    rows = [dict(row) for row in clock]
    if change:
        for row in rows:
            row["end"] = row["end"] or change.at
        if change.running is not None:
            rows.append({"running": change.running, "start": change.at, "end": None})
    return [
        Running(timezone.localtime(r["start"]), timezone.localtime(r["end"]) if r["end"] else None)
        for r in rows
        if r["running"]
    ]


def due(promised: Limit | None, legal: Limit | None, extra_legal: int, running: list[Running]) -> Due:
    """Project both limits over the stretches.

    Args:
        extra_legal: units by which an approved extension lengthens both limits.
    """
    calendar = working_calendar()

    def one(limit: Limit | None):
        return deadline(calendar, Limit(limit.value + extra_legal, limit.unit), running) if limit else None

    p, g = one(promised), one(legal)
    return Due(
        p.at if p else (g.at if g else None),
        g.at if g else None,
        bool((p and p.provisional) or (g and g.provisional)),
    )
