"""One enterprise graded anew after something about it changed, with every reason. Reads leave entries in the ledger."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection
from django.utils import timezone

from yiwang.engines.hub import api as hub
from yiwang.engines.hub.contracts import Dataset, Type
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.audit.api import record_on
from yiwang.kernel.events.api import emit_on
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.purposes import purpose_of
from yiwang.kernel.packs import api as packs

from . import tables
from .models import Correction, Link
from .risk.contracts import SEPARATOR, Grade, Record, Table
from .risk.force import Standing, step
from .risk.rules import grade, is_subject
from .running import COLUMNS, NOTICE, PURPOSE, RELIEVED, REPLACE, relief

Rows = dict[str, list[dict[str, Any]]]


def typed(dataset: Dataset, row: dict[str, Any]) -> dict[str, Any]:
    """A row of the database's JSON with dates, moments and numbers as such; moments of the system are kept."""
    return {**row, **{f.id: _typed(f.type, row[f.id]) for f in dataset.fields if row.get(f.id) is not None}}


def _typed(kind: Type, value: Any) -> Any:
    match kind:
        case Type.DATE:
            return date.fromisoformat(str(value)[:10])
        case Type.DATETIME:
            return datetime.fromisoformat(str(value))
        case Type.DECIMAL | Type.INT:
            return Decimal(str(value))
    return value


def corrections_of(code: str) -> list[Correction]:
    """Corrections of an enterprise; to be read as the system, since they bear on the class for everybody."""
    return list(Correction.objects.filter(uscc=code).select_related("org").order_by("asked_at"))


def frozen(corrections: Iterable[Correction]) -> set[tuple[str, str]]:
    """(dataset, key) of the lines that do not count just now."""
    return {(c.dataset, c.key) for c in corrections if c.done_at is None and c.freezes}


def read(ids: Iterable[str], code: str, purpose: str) -> Rows:
    """Current records about an enterprise by dataset; entries in the ledger for each dataset."""
    found = {}
    for id in ids:
        dataset = hub.find(id)
        if dataset is not None and purpose in dataset.purposes:
            rows = [*hub.of_subject(dataset, code, purpose), *_linked(dataset, code, purpose)]
            found[id] = [typed(dataset, r) for r in rows]
    return found


def _linked(dataset: Dataset, code: str, purpose: str) -> list[dict[str, Any]]:
    """Records that came without a code and were linked to this enterprise; ``_link``: what speaks for it."""
    why = purpose_of(purpose)
    with connection.cursor() as cursor:
        cursor.execute(
            "select v from enterprise_linked_to(%s, %s, %s, %s, %s, %s) v",
            [new_id(), dataset.id, code, why.name, why.basis, why.visible_from()],
        )
        rows = [json.loads(v) if isinstance(v, str) else v for (v,) in cursor.fetchall()]
    return [{**r, dataset.subject_field: code} for r in rows]


def assess(table: Table, rows: Rows, on: date, disputed: Collection[tuple[str, str]] = ()) -> Grade | None:
    """The class by these records; None for one that is no subject of classes."""
    registration = next(iter(rows.get(table.subjects.id, ())), None)
    if registration is None or not is_subject(table, registration, on):
        return None
    records = [Record(id, r) for id in table.datasets for r in rows.get(id, ())]
    repairs: dict[tuple[str, str], date] = {}
    if table.repairs:
        r = table.repairs
        for row in rows.get(r.dataset, ()):
            at = (row[r.of], row[r.event])
            repairs[at] = min(row[r.day], repairs.get(at, row[r.day]))
    return grade(table, registration, records, on, disputed, repairs)


def _because(found: Grade, most: int = 6) -> str:
    """The records that count most, in words: what, how many points, the record's number."""
    counted = sorted((p for p in found.points if p.counts), key=lambda p: -p.indicator.points)[:most]
    return "；".join(
        f"{p.indicator.name}（{p.indicator.points} 分，{p.key.replace(SEPARATOR, ' ')}）" for p in counted
    )


def reasons(code: str) -> str:
    """Why an enterprise has its class, in words; "" for one that has none. Reads leave entries in the ledger."""
    table = tables.current()
    found = _assessed(table, code, timezone.localdate()) if table else None
    return _because(found) if found else ""


def _assessed(table: Table, code: str, on: date) -> Grade | None:
    return assess(table, read(table.datasets, code, PURPOSE), on, frozen(corrections_of(code)))


def linked_to(dataset: str, keys: list[str]) -> list[str]:
    """Enterprises to which some of a dataset's records, that came without a code, were linked."""
    links = Link.objects.filter(dataset=dataset, key__in=keys, state=Link.State.ACCEPTED)
    return list(links.values_list("uscc", flat=True).distinct())


def regrade(code: str, why: str, on: date | None = None, trace_id: UUID | None = None) -> Grade | None:
    """Grade one enterprise today and write what changed. Call within ``acting(SYSTEM)``.

    What follows from it is told and written where the class is, in the owner's transaction: the caller's may still
    be rolled back, and when it is done again the class is no change any more.

    Args:
        trace_id: of the delivery that led to it; what changed then leaves an audit event for the trace page.
    """
    table, on = tables.current(), on or timezone.localdate()
    if table is None:
        return None
    found = _assessed(table, code, on)
    with hub.owner_connection() as con, con.transaction():
        con.execute("set local lock_timeout = '3s'")  # a run over all is writing: rather again later
        was = con.execute(
            "select grade, in_force, from_day, total, sums from enterprise_grade where uscc = %s for update",
            [code],
        ).fetchone()
        before = Standing(*was[:3]) if was else None
        if found is None:
            if was and before:
                _end(con, code, on, why, was[0], was[3])
                _relieve(con, table, code, before, "", trace_id)
            return None
        now = step(table, before, found.id, on)
        con.execute("update enterprise_grade set at = now() where uscc = %s", [code])
        if was is None or (now, found.total, list(found.sums)) != (before, was[3], was[4]):
            told = (was[0], was[3]) if was else (None, None)
            _write(con, code, now, found.total, found.sums, on, why, *told)
            if trace_id:
                record_on(
                    con, SYSTEM.label, SYSTEM.name, "enterprise.graded", "enterprise", code, trace_id, why=why
                )
            if now.from_day is not None and (was is None or was[2] != now.from_day):
                told = {"uscc": code, "grade": now.grade, "from_day": now.from_day.isoformat()}
                emit_on(con, NOTICE, {**told, "because": _because(found)}, trace_id)
            if before:
                _relieve(con, table, code, before, now.grade, trace_id)
    return found


def _relieve(
    con: psycopg.Connection, table: Table, code: str, before: Standing, grade: str, trace_id: UUID | None
) -> None:
    if table.noticed(before.grade) and not table.noticed(grade):
        emit_on(con, RELIEVED, relief(code, before, grade), trace_id)


def _write(
    con: psycopg.Connection,
    uscc: str,
    standing: Standing,
    total: int,
    sums: Sequence[int],
    on: date,
    why: str,
    was: str | None = None,
    was_total: int | None = None,
) -> None:
    """Put one class in place, and what was and what is into the history. As the owner."""
    con.execute(
        f"insert into enterprise_grade ({COLUMNS}, at) values (%s, %s, %s, %s, %s, %s, %s, now()) {REPLACE}, "
        "at = excluded.at",
        [uscc, standing.grade, total, list(sums), on, standing.in_force, standing.from_day],
    )
    _change(con, uscc, on, standing, total, why, was, was_total)


def _end(con: psycopg.Connection, uscc: str, on: date, why: str, was: str, was_total: int) -> None:
    """It is no subject of classes any more: its class goes, and the history says until when there was one."""
    con.execute("delete from enterprise_grade where uscc = %s", [uscc])
    _change(con, uscc, on, None, 0, why, was, was_total)


def _change(
    con: psycopg.Connection, uscc: str, on: date, now: Standing | None, total: int, why: str,
    was: str | None, was_total: int | None,
) -> None:  # fmt: skip
    con.execute(
        'insert into enterprise_gradechange (uscc, "on", at, grade, total, in_force, from_day, release, why, was, '
        "was_total) values (%s, %s, clock_timestamp(), %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            uscc, on, now and now.grade, total, now.in_force if now else "", now and now.from_day,
            packs.current_release(), why, was, was_total,
        ],
    )  # fmt: skip
