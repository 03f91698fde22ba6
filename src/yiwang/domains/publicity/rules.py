"""How long a decision is public: the terms of the law, the day that the source names, a repair. Pure.

Days are calendar days. A decision is public up to and including ``until``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from yiwang.kernel import feel


@dataclass(frozen=True, slots=True)
class Term:
    """A kind of seriousness. ``when``: FEEL on the record, "" for all others. ``why_not``: why it is never public.

    shortest, longest: days from the decision; a repair takes effect after the shortest, all ends at the longest.
    """

    name: str
    when: str
    why_not: str
    shortest: int
    longest: int


@dataclass(frozen=True, slots=True)
class Standing:
    """``until``: the last day on which it is public. ``repaired``: whether a repair ends it, not the term."""

    until: date
    repaired: bool


def terms_of(data: Mapping[str, Any]) -> tuple[Term, ...]:
    """The terms of a ``publicity`` pack, in its order."""
    return tuple(
        Term(
            t["name"], t.get("when", ""), t.get("why_not", ""), t.get("shortest_days", 0), t.get("longest_days", 0)
        )
        for t in data["terms"]
    )  # fmt: skip


def term_of(terms: Sequence[Term], row: Mapping[str, Any]) -> Term:
    """The first term whose condition is true of the record; the last one has none."""
    return next(t for t in terms if not t.when or feel.parse(t.when).evaluate(row) is True)


def standing(term: Term, decided: date, named: date | None, repaired: date | None) -> Standing:
    """Until when a decision is public.

    Args:
        named: the last day by the source's own word; it can shorten the term, never lengthen it.
        repaired: the day of the repair; before the shortest term it waits for its end.
    """
    until = decided + timedelta(days=term.longest)
    if named is not None:
        until = min(until, named)
    if repaired is not None:
        last = effective(term, decided, repaired) - timedelta(days=1)
        if last < until:
            return Standing(last, True)
    return Standing(until, False)


def effective(term: Term, decided: date, repaired: date) -> date:
    """The first day on which a repaired decision is no longer public."""
    return max(repaired, decided + timedelta(days=term.shortest))
