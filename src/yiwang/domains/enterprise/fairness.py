"""Who gets the bad classes: shares by industry, size, age and county, with what drives them. Figures only.

Figures are those of the latest run, made anew when classes have changed since. Cells that are too small are left out,
and so many others with them that no small one can be worked out by subtraction.
"""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import psycopg
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg import sql
from psycopg.types.json import Jsonb

from yiwang.engines.hub import api as hub
from yiwang.kernel.events.api import slowly
from yiwang.kernel.orgs.models import Region
from yiwang.kernel.packs import api as packs

from . import tables
from .risk.contracts import Fairness, Table
from .risk.suppression import Row, suppressed

MOST = 400  # rows of a table
PAUSE_SECONDS = 30  # between two times, and twenty times as long as it takes


def bad_classes(table: Table) -> list[str]:
    """The classes that are announced before they take effect: the ones that weigh on an enterprise."""
    return [c.id for c in table.classes if c.notice_days]


@slowly
def refresh() -> None:
    """Make the figures of the latest run anew when a class has changed since they were made."""
    table = tables.current()
    if table is None or table.fairness is None:
        return
    with hub.owner_connection() as con:
        run = con.execute(
            "select id, \"on\", (counts -> 'fair' ->> 'change')::bigint, (counts -> 'fair' ->> 'at')::timestamptz, "
            "(counts -> 'fair' ->> 'seconds')::float from enterprise_run where ended is not null "
            "order by began desc limit 1"
        ).fetchone()
        latest = con.execute("select coalesce(max(id), 0) from enterprise_gradechange").fetchone()
        if run is None or latest is None:
            return
        id, on, change, at, seconds = run
        if change is not None and (change >= latest[0] or _too_soon(at, seconds)):
            return
        compute(con, table, id, on)


def _too_soon(at: Any, seconds: float) -> bool:
    return bool((timezone.now() - at).total_seconds() < max(PAUSE_SECONDS, 20 * seconds))


def compute(con: psycopg.Connection, table: Table, run: int, on: date) -> float:
    """Write the figures into a run, and return the seconds it took. ``con``: a connection of the owner's."""
    began = time.monotonic()
    ((change,),) = con.execute("select coalesce(max(id), 0) from enterprise_gradechange").fetchall()
    told = shares(con, table, on)
    seconds = time.monotonic() - began
    about = {"change": change, "at": timezone.now().isoformat(), "seconds": seconds}
    con.execute(
        "update enterprise_run set counts = counts || %s where id = %s",
        [Jsonb({"fairness": told, "fair": about}), run],
    )
    return seconds


def shares(con: psycopg.Connection, table: Table, on: date) -> dict[str, list[Row]]:
    """By dimension: rows of {value, rated, bad, drivers: [[group, mean points] …]}; bad is None where it is not told."""
    f = table.fairness
    if f is None or not hub.exists(con, table.subjects.id):
        return {}
    field = {n: sql.Identifier("r", n) for n in (table.industry, f.size, table.opened, f.region)}
    years = sql.SQL("({}::date - {}::date) / 365.25").format(on, field[table.opened])
    dimensions = {
        "industry": sql.SQL("left({}, 1)").format(field[table.industry]),
        "size": _band(field[f.size], f.sizes),
        "age": _band(years, f.years),
        "county": field[f.region],
    }
    bad = bad_classes(table)
    names = [sql.Identifier(id) for id in dimensions]
    means = sql.SQL(", ").join(
        sql.SQL("avg(least(sums[{}], {}) * {} / 100.0) filter (where bad)").format(n + 1, s.cap, s.weight)
        for n, s in enumerate(table.slots)
    )
    text = sql.SQL(
        "select {which}, count(*), count(*) filter (where bad), {means} from (select {values}, g.sums, "
        "g.grade = any({classes}) as bad from enterprise_grade g join {subjects} r on r.{subject} = g.uscc "
        "and not r._withdrawn where g.grade <> '') g group by grouping sets ({sets}) order by {order}"
    ).format(
        which=sql.SQL(", ").join(sql.SQL("{0}, grouping({0})").format(n) for n in names),
        means=means,
        values=sql.SQL(", ").join(
            sql.SQL("{} as {}").format(v, n) for v, n in zip(dimensions.values(), names, strict=True)
        ),
        classes=bad,
        subjects=hub.table(table.subjects.id),
        subject=sql.Identifier(table.subjects.subject_field),
        sets=sql.SQL(", ").join(sql.SQL("({})").format(n) for n in names),
        order=sql.SQL(", ").join(sql.SQL("{} nulls last").format(n) for n in names),
    )
    told: dict[str, list[Row]] = {id: [] for id in dimensions}
    for row in con.execute(
        text
    ).fetchall():  # (value, 1 if it is not this dimension's) for each, then the figures
        at = next(n for n in range(len(names)) if row[2 * n + 1] == 0)
        told[list(dimensions)[at]].append(_row(table, (row[2 * at], *row[2 * len(names) :])))
    return {id: suppressed(rows, f.hide_under)[:MOST] for id, rows in told.items()}


def _band(value: sql.Composable, lows: tuple[float, ...] | tuple[int, ...]) -> sql.Composed:
    cases = (sql.SQL("when {} >= {} then {}").format(value, low, f"{low:g}") for low in reversed(lows))
    return sql.SQL("case {} end").format(sql.SQL(" ").join(cases))


def _row(table: Table, row: tuple[Any, ...]) -> Row:
    value, rated, bad, *means = row
    slots = sorted(((float(m or 0), n) for n, m in enumerate(means)), reverse=True)[:2]
    drivers = [[table.slots[n].group_name, round(m, 1)] for m, n in slots if m]
    return {"value": None if value is None else str(value), "rated": rated, "bad": bad, "drivers": drivers}


def shown(figures: dict[str, list[Row]], table: Table) -> list[tuple[str, str, list[Row]]]:
    """(dimension, its name, rows with ``label`` and ``share``) in the order that people read them."""
    f = table.fairness
    if f is None:
        return []
    size = table.subjects.field(f.size).name
    names = {
        "industry": _("行业门类"), "size": size, "age": _("成立年数"), "county": _("县区"),
    }  # fmt: skip
    return [(id, name, _labelled(id, figures[id], table, f)) for id, name in names.items() if id in figures]


def _labelled(id: str, rows: list[Row], table: Table, f: Fairness) -> list[Row]:
    label = {"industry": _industries(table), "county": _counties()}.get(id, {})
    steps = {"size": f.sizes, "age": f.years}.get(id, ())
    bands = {f"{low:g}": n for n, low in enumerate(sorted(steps))}
    told = []
    for r in rows:
        value = r["value"]
        words = _band_name(id, value, steps) if value in bands else label.get(value, value)
        share = None if r["bad"] is None else r["bad"] / r["rated"]
        told.append({**r, "label": words or _("没有登记"), "share": share})
    return sorted(told, key=lambda r: bands.get(r["value"], len(bands))) if bands else told


def _band_name(id: str, value: str, steps: Any) -> str:
    """A band from its lower end to the next one."""
    ordered = sorted((f"{low:g}" for low in steps), key=float)
    place = ordered.index(value)
    until = ordered[place + 1] if place + 1 < len(ordered) else ""
    if id == "size":
        words = _("%(a)s 万元至不足 %(b)s 万元") if until else _("%(a)s 万元及以上")
    else:
        words = _("满 %(a)s 年至不满 %(b)s 年") if until else _("满 %(a)s 年及以上")
    return words % {"a": value, "b": until}


def _industries(table: Table) -> dict[str, str]:
    listed = packs.current().find("codelist", table.subjects.field(table.industry).codelist)
    return {c["code"]: c["name"] for c in listed.data["codes"]} if listed else {}


def _counties() -> dict[str, str]:
    """Counties with their city before them: several cities have a 市中区."""
    rows = Region.objects.filter(level__in=("county", "city")).select_related("parent")
    return {
        r.code: f"{r.parent.name if r.level == 'county' and r.parent and r.parent.level == 'city' else ''}{r.name}"
        for r in rows
    }
