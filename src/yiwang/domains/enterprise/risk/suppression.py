"""Which cells of a table of figures may be shown, so that no small one can be worked out. Pure."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]


def suppressed(rows: list[Row], least: int) -> list[Row]:
    """The rows that may be shown, without small cells and without what would give one away.

    Values with fewer than ``least`` enterprises are left out. A number of bad ones from 1 to ``least`` - 1 is hidden.
    The total is known from another table, so all that is hidden in one can be subtracted from it: others are hidden
    too, the smallest first, until at least two are and they make up twice ``least`` together, or nothing is left.
    """
    shown = [dict(r) for r in rows if r["rated"] >= least]
    outside = sum(r["bad"] for r in rows if r["rated"] < least)
    hidden = [r for r in shown if 0 < r["bad"] < least]
    if not hidden and not outside:
        return shown
    others = sorted(
        (r for r in shown if r not in hidden), key=lambda r: (r["bad"] == 0, r["bad"], -r["rated"])
    )
    while others and (len(hidden) + bool(outside) < 2 or sum(r["bad"] for r in hidden) + outside < 2 * least):
        hidden.append(others.pop(0))
    for r in hidden:
        r["bad"], r["drivers"] = None, []
    return shown
