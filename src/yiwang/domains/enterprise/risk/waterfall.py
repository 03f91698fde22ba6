"""The bars of a waterfall: how points add up to a total. Pure; the template draws them."""

from __future__ import annotations

from dataclasses import dataclass

from .contracts import Grade, Table
from .rules import by_slot

WIDTH, ROW = 480, 26  # in the units of the SVG's view box


@dataclass(frozen=True, slots=True)
class Bar:
    """One row. x, width, y in view-box units; amount in points, weighted. evaluation: "" for the total."""

    evaluation: str
    label: str
    amount: float
    total: float
    x: float
    width: float
    y: int
    kind: str  # part or total


def bars(table: Table, grade: Grade) -> list[Bar]:
    """A bar for each group of each evaluation that has points, and the total last."""
    steps: list[tuple[str, str, float]] = []
    for n, found in sorted(by_slot(table, grade).items()):
        slot = table.slots[n]
        if any(p.counts for p in found):
            amount = min(grade.sums[n], slot.cap) * slot.weight / 100
            steps.append((slot.evaluation_name, slot.group_name, amount))
    whole = grade.total / 100
    scale = WIDTH / max(whole, table.classes[-1].least, 1)
    drawn, at = [], 0.0
    for row, (evaluation, label, amount) in enumerate(steps):
        drawn.append(
            Bar(
                evaluation,
                label,
                amount,
                at + amount,
                round(at * scale, 1),
                round(amount * scale, 1),
                row * ROW,
                "part",
            )
        )
        at += amount
    drawn.append(Bar("", "总分", whole, whole, 0, round(whole * scale, 1), len(steps) * ROW, "total"))
    return drawn


def lines(table: Table, grade: Grade) -> list[tuple[str, float]]:
    """Where each class begins, on the same scale."""
    scale = WIDTH / max(grade.total / 100, table.classes[-1].least, 1)
    return [(c.id, round(c.least * scale, 1)) for c in table.classes if c.least]
