"""One enterprise graded anew after something about it changed, with every reason. Reads leave entries in the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from yiwang.engines.hub import api as hub
from yiwang.engines.hub.contracts import Dataset, Type
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.audit.api import record
from yiwang.kernel.events.api import emit
from yiwang.kernel.packs import api as packs

from . import tables
from .models import Correction, Link
from .risk.contracts import SEPARATOR, Grade, Record, Table
from .risk.force import Standing, step
from .risk.rules import grade, is_subject
from .running import PURPOSE, write

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


def marks(code: str) -> tuple[list[Link], list[Correction]]:
    """Links and corrections of an enterprise; to be read as the system, since they bear on the class for everybody."""
    links = Link.objects.filter(uscc=code, state=Link.State.ACCEPTED)
    return list(links), list(Correction.objects.filter(uscc=code).select_related("org").order_by("asked_at"))


def frozen(corrections: Iterable[Correction]) -> set[tuple[str, str]]:
    """(dataset, key) of the lines that do not count just now."""
    return {(c.dataset, c.key) for c in corrections if c.done_at is None and c.freezes}


def read(ids: Iterable[str], code: str, purpose: str, links: Iterable[Link] = ()) -> Rows:
    """Current records about an enterprise by dataset; one entry in the ledger for each dataset and linked record."""
    found = {}
    for id in ids:
        dataset = hub.find(id)
        if dataset is not None and purpose in dataset.purposes:
            found[id] = [typed(dataset, r) for r in hub.of_subject(dataset, code, purpose)]
            found[id] += _linked(dataset, code, purpose, links)
    return found


def _linked(dataset: Dataset, code: str, purpose: str, links: Iterable[Link]) -> list[dict[str, Any]]:
    """Records that came without a code and were linked to this enterprise, marked with ``_link``."""
    found = []
    for link in (one for one in links if one.dataset == dataset.id):
        key = dict(zip(dataset.key, link.key.split(SEPARATOR), strict=True))
        latest = next(iter(hub.versions(dataset, key, purpose)), None)
        if latest is not None and not latest["_withdrawn"] and not latest.get(dataset.subject_field):
            found.append(typed(dataset, {**latest, dataset.subject_field: code, "_link": link}))
    return found


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
    links, corrections = marks(code)
    return assess(table, read(table.datasets, code, PURPOSE, links), on, frozen(corrections))


def regrade(code: str, why: str, on: date | None = None, trace_id: UUID | None = None) -> Grade | None:
    """Grade one enterprise today and write what changed. Call within ``acting(SYSTEM)``.

    Args:
        trace_id: of the delivery that led to it; what changed then leaves an audit event for the trace page.
    """
    table, on = tables.current(), on or timezone.localdate()
    if table is None:
        return None
    found = _assessed(table, code, on)
    with hub.owner_connection() as con, con.transaction():
        was = con.execute(
            "select grade, in_force, from_day, total, sums from enterprise_grade where uscc = %s for update",
            [code],
        ).fetchone()
        if found is None:
            con.execute("delete from enterprise_grade where uscc = %s", [code])
            return None
        now = step(table, Standing(*was[:3]) if was else None, found.id, on)
        if was is None or (now, found.total, list(found.sums)) != (Standing(*was[:3]), was[3], was[4]):
            told = (was[0], was[3]) if was else (None, None)
            write(con, code, now, found.total, found.sums, on, packs.current_release(), why, *told)
            if trace_id:
                record(SYSTEM, "enterprise.graded", "enterprise", code, trace_id, why=why)
            if now.from_day is not None and (was is None or was[2] != now.from_day):
                told = {"uscc": code, "grade": now.grade, "from_day": now.from_day.isoformat()}
                emit("enterprise.notice", {**told, "because": _because(found)}, trace_id)
            if was and table.noticed(was[0]) and not table.noticed(now.grade):
                was_from = was[2].isoformat() if was[2] else ""
                body = {"uscc": code, "grade": now.grade, "was": was[0], "was_from": was_from}
                emit("enterprise.relieved", body, trace_id)
    return found
