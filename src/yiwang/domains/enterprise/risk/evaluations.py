"""The evaluations that make a class, one by one, and how the published rule puts them together. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .contracts import Evaluation, Grade, Point, Table
from .rules import by_slot


@dataclass(frozen=True, slots=True)
class Group:
    """One group within an evaluation. points: what was found, added up; counted: no more than ``cap``."""

    name: str
    points: int
    cap: int
    counted: int


@dataclass(frozen=True, slots=True)
class Part:
    """One evaluation. points: its groups, each capped, added up; subtotal: hundredths of a point of the total.

    found: every point of it, those that count first.
    """

    evaluation: Evaluation
    groups: tuple[Group, ...]
    points: int
    subtotal: int
    found: tuple[Point, ...]


def parts(table: Table, grade: Grade) -> tuple[Part, ...]:
    """The evaluations in the order of the table; their subtotals add up to the total."""
    found = by_slot(table, grade)
    told = []
    for evaluation in table.evaluations:
        slots = [(n, s) for n, s in enumerate(table.slots) if s.evaluation == evaluation.id]
        groups = tuple(
            Group(s.group_name, grade.sums[n], s.cap, min(grade.sums[n], s.cap))
            for n, s in slots
            if found.get(n)
        )
        points = sum(g.counted for g in groups)
        told.append(
            Part(
                evaluation, groups, points, points * evaluation.weight,
                tuple(p for n, _s in slots for p in found.get(n, ())),
            )
        )  # fmt: skip
    return tuple(told)


def delivered(table: Table, evaluation: Evaluation) -> tuple[str, ...]:
    """The datasets whose records are the results of an evaluation that others make; none for the platform's own."""
    if not evaluation.delivered:
        return ()
    slots = {n for n, s in enumerate(table.slots) if s.evaluation == evaluation.id}
    return tuple(dict.fromkeys(i.dataset for i in table.indicators if i.slot in slots))
