"""一企一档: everything known about one enterprise, each fact with source, time and quality. Reads leave entries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.utils import timezone

from yiwang.engines.hub import api as hub
from yiwang.engines.hub.contracts import Dataset
from yiwang.kernel.access.contracts import Actor
from yiwang.kernel.access.session import as_system
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.purposes import purpose_of
from yiwang.kernel.orgs.models import Organisation
from yiwang.kernel.orgs.queries import staffed
from yiwang.kernel.packs import api as packs

from . import tables
from .models import Correction
from .regrading import assess, corrections_of, frozen, read
from .risk.contracts import SEPARATOR, Grade, Point, Table
from .risk.rules import as_day, key_of

CREDIT = "credit"  # role of posts that look at files of enterprises
ASKED = "enterprise.correction"  # a request for correction was made, answered or is over; opens a matter
__all__ = ["ASKED", "CREDIT", "SEPARATOR", "Fact", "File", "file_of", "latest_of", "office_of", "standing_of"]


@dataclass(frozen=True)
class Fact:
    """One record: when, from whom, what it says, and what it does to the class."""

    dataset: Dataset
    key: str
    day: date | None
    values: dict[str, Any]
    delivery: Any
    quality: Any
    points: tuple[Point, ...]
    correction: Correction | None


@dataclass(frozen=True)
class File:
    """The file of one enterprise. ``grade``: computed now from the facts shown; None where no class is given."""

    uscc: str
    registration: dict[str, Any] | None
    facts: tuple[Fact, ...]
    table: Table | None
    grade: Grade | None
    standing: dict[str, Any]
    on: date


def standing_of(uscc: str, purpose: str) -> dict[str, Any]:
    """The stored class and its changes: {"grade": …, "changes": […]} or {}. Leaves an entry in the ledger."""
    why = purpose_of(purpose)
    with connection.cursor() as cursor:
        cursor.execute(
            "select enterprise_grade_of(%s, %s, %s, %s, %s)",
            [new_id(), uscc, why.name, why.basis, why.visible_from()],
        )
        (found,) = cursor.fetchone()
    told: dict[str, Any] = json.loads(found) if isinstance(found, str) else found
    return told


def file_of(actor: Actor, uscc: str, purpose: str, on: date | None = None) -> File:
    """Everything about one enterprise, for a purpose; an entry in the ledger for each dataset and for the class."""
    table, on = tables.current(), on or timezone.localdate()
    ids = [p.id for p in packs.current().all("dataset") if p.data["subject"]["entity"] == "ent"]
    with as_system(actor):
        corrections = corrections_of(uscc)
    rows = read(ids, uscc, purpose)
    grade = assess(table, rows, on, frozen(corrections)) if table else None
    by_record: dict[tuple[str, str], list[Point]] = {}
    for p in grade.points if grade else ():
        by_record.setdefault((p.indicator.dataset, p.key), []).append(p)
    asked = {(c.dataset, c.key): c for c in corrections if c.freezes}
    seqs = {r["_delivery"] for found in rows.values() for r in found}
    with as_system(actor):  # where a fact comes from is no secret of the office that delivered it
        brought = {d.seq: d for d in hub.Delivery.objects.filter(seq__in=seqs).select_related("org")}
    scores = {
        q.dataset: q
        for q in hub.Quality.objects.filter(dataset__in=rows).order_by("dataset", "-at").distinct("dataset")
    }
    facts = []
    for id, found in rows.items():
        dataset = hub.current(id)
        for r in found:
            at = (id, key_of(dataset, r))
            facts.append(
                Fact(
                    dataset, at[1], as_day(r.get(dataset.valid_from)), r, brought.get(r["_delivery"]), scores.get(id),
                    tuple(by_record.get(at, ())), asked.get(at),
                )
            )  # fmt: skip
    facts.sort(key=lambda f: f.day or date.min, reverse=True)
    registration = next(iter(rows.get(table.subjects.id, ())), None) if table else None
    return File(uscc, registration, tuple(facts), table, grade, standing_of(uscc, purpose), on)


def latest_of(dataset: Dataset, key: str, purpose: str) -> dict[str, Any] | None:
    """The record of a key as it is held now; an entry in the ledger. None without one.

    So too for a key that is not whole: a request about a record that is missing has the enterprise's code alone.
    """
    values = key.split(SEPARATOR)
    if len(values) != len(dataset.key):
        return None
    return next(iter(hub.versions(dataset, dict(zip(dataset.key, values, strict=True)), purpose)), None)


def office_of(dataset: Dataset, delivery: hub.Delivery | None, region: str) -> Organisation | None:
    """Whom to ask about a record: who delivered it, else the department's office there that can answer first."""
    if delivery is not None and delivery.org is not None:
        return delivery.org
    return staffed(dataset.department, [hub.REPORTER, CREDIT], region)
