"""Who gets the bad classes: shares by industry, size, age and county, with what drives them. Figures only."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb

from .risk.contracts import Table
from .risk.sql import name


def bad_classes(table: Table) -> list[str]:
    """The classes that are announced before they take effect: the ones that weigh on an enterprise."""
    return [c.id for c in table.classes if c.notice_days]


def shares(db: duckdb.DuckDBPyConnection, table: Table, on: date) -> dict[str, list[dict[str, Any]]]:
    """By dimension: rows of {value, rated, bad, drivers: [[slot, mean points] …]}, from ``grades`` of the run.

    Values with fewer enterprises than the pack allows are left out, so nobody can be told from a cell.
    """
    f = table.fairness
    if f is None:
        return {}
    r = name(table.subjects.id)
    years = f"date_diff('day', r.{name(table.opened)}, date '{on.isoformat()}') / 365.25"
    dimensions = {
        "industry": f"left(r.{name(table.industry)}, 1)",
        "size": _band(f"r.{name(f.size)}", f.sizes),
        "age": _band(years, f.years),
        "county": f"r.{name(f.region)}",
    }
    bad = ", ".join("'" + c + "'" for c in bad_classes(table))
    means = ", ".join(
        f"avg(least(g.s{n}, {s.cap}) * {s.weight} / 100.0) filter (g.class in ({bad}))"
        for n, s in enumerate(table.slots)
    )
    told: dict[str, list[dict[str, Any]]] = {}
    for id, expression in dimensions.items():
        rows = db.execute(
            f"select {expression} as value, count(*), count(*) filter (g.class in ({bad})), {means} "
            f"from grades g join {r} r on r.{name(table.subjects.subject_field)} = g.uscc where g.class <> '' "
            f"group by value having count(*) >= {f.hide_under} order by value nulls last limit 400"
        ).fetchall()
        told[id] = [_row(table, row, f.hide_under) for row in rows]
    return told


def _row(table: Table, row: tuple[Any, ...], hide_under: int) -> dict[str, Any]:
    value, rated, bad, *means = row
    hidden = 0 < bad < hide_under
    slots = sorted(((m or 0.0, n) for n, m in enumerate(means)), reverse=True)[:2]
    drivers = [[table.slots[n].group_name, round(m, 1)] for m, n in slots if m and not hidden]
    return {
        "value": None if value is None else str(value), "rated": rated,
        "bad": None if hidden else bad, "drivers": drivers,
    }  # fmt: skip


def _band(value: str, lows: tuple[float, ...] | tuple[int, ...]) -> str:
    cases = " ".join(f"when {value} >= {low} then '{low:g}'" for low in reversed(lows))
    return f"case {cases} end"
