"""What was known on one day of how things were on another. Pure.

Each version is a statement of the source: from ``_valid_from`` on, the record is this. Statements are ordered
by the source's own moment (``_as_of``), then by delivery; a later one overrides an earlier one from its
``_valid_from`` on. ``_sys_from`` is when the statement was published here, so that late arrivals, corrections and
withdrawals need no rule of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

Version = Mapping[str, Any]


def moment(value: datetime | str) -> datetime:
    """A moment, as the database or its JSON gives it."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def day(value: date | str | None) -> date | None:
    """A day, as the database or its JSON gives it."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def pick(versions: Iterable[Version], known_at: datetime, valid_at: date) -> Version | None:
    """The version in force on ``valid_at`` by what had been published until ``known_at``; None for none.

    A version that was withdrawn is returned as such (``_withdrawn``); ``ended`` says whether its time is over.
    """
    there = [
        v
        for v in versions
        if moment(v["_sys_from"]) <= known_at and (day(v["_valid_from"]) or date.min) <= valid_at
    ]
    return max(there, key=lambda v: (moment(v["_as_of"]), v["_delivery"]), default=None)


def ended(version: Version, valid_at: date) -> bool:
    """Whether the version's own end (``_valid_to``, not included) is past on that day."""
    until = day(version["_valid_to"])
    return until is not None and until <= valid_at
