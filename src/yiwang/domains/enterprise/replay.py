"""The class of one enterprise on a past day: as it was known and in force then, and what today's knowledge says.

Two figures that must not be taken for one another. The first is the stored class of that day with the reasons that
follow from what had been published, linked and disputed by the end of it, under the table of that day. The second
is computed from what is known now. A correction changes the second, never the first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.hub import api as hub
from yiwang.engines.hub.contracts import Dataset
from yiwang.engines.hub.history import pick
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.session import as_system
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.purposes import purpose_of

from . import tables
from .models import Correction, Link
from .regrading import Rows, assess, typed
from .risk.contracts import Grade, Table
from .risk.force import step
from .risk.rules import key_of

Versions = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Standing:
    """What was stored on a day. ``in_force``: the class that sampling went by; ``release``: the packs of it."""

    grade: str
    total: int
    in_force: str
    from_day: date | None
    release: str


@dataclass(frozen=True)
class Replay:
    """A day replayed. ``stored``: None when no class was kept then. ``then``: with reasons; ``now``: see above.

    ``table``: the points table of that day. ``agrees``: whether the reasons lead to the stored class and total.
    """

    on: date
    known_at: datetime
    stored: Standing | None
    table: Table
    then: Grade | None
    now: Grade | None

    @property
    def agrees(self) -> bool:
        """Whether the replay is what was in place."""
        return self.stored is not None and self.then is not None and (
            (self.then.id, self.then.total) == (self.stored.grade, self.stored.total)
        )  # fmt: skip


def replay(actor: Actor, uscc: str, purpose: str, on: date) -> Replay:
    """Replay a day; entries in the ledger as for any look into the file.

    Raises:
        Refused: a day to come, or packs without a points table.
    """
    today, table = timezone.localdate(), tables.current()
    if on > today:
        raise Refused(_("%(day)s 还没有到，只能查今天和以前的日子。") % {"day": on})
    if table is None:
        raise Refused(_("还没有积分表，没有分类可查。"))
    end = timezone.make_aware(datetime.combine(on + timedelta(days=1), time.min))
    known_at = min(timezone.now(), end - timedelta(microseconds=1))
    stored = _stored(uscc, on, known_at, purpose, table)
    past = (tables.of_release(stored.release) if stored and stored.release else None) or table
    with as_system(actor):
        links = list(Link.objects.filter(uscc=uscc).exclude(accepted_at=None))
        corrections = list(Correction.objects.filter(uscc=uscc))
    versions = _versions({**past.datasets, **table.datasets}, uscc, purpose)
    then = _grade(past, versions, uscc, on, known_at, links, corrections)
    now = _grade(table, versions, uscc, on, timezone.now(), links, corrections)
    return Replay(on, known_at, stored, past, then, now)


def _stored(uscc: str, on: date, known_at: datetime, purpose: str, table: Table) -> Standing | None:
    why = purpose_of(purpose)
    with connection.cursor() as cursor:
        cursor.execute(
            "select enterprise_grade_on(%s, %s, %s, %s, %s, %s)",
            [new_id(), uscc, known_at, why.name, why.basis, why.visible_from()],
        )
        (told,) = cursor.fetchone()
    found = json.loads(told) if isinstance(told, str) else told
    change, after, first, run = (found[k] for k in ("change", "after", "grade", "run"))
    if change and change["grade"] is None:
        return None
    if change:
        release = (
            run["release"] if run and _moment(run["began"]) > _moment(change["at"]) else change["release"]
        )
        return Standing(
            change["grade"], change["total"], change["in_force"], _day(change["from_day"]), release
        )
    if run is None:
        return None
    if after and after["was"] is not None:  # the first run over all was copied without an entry for each
        grade, total = after["was"], after["was_total"]
    elif not after and first and _day(first["on"]) <= on:
        return Standing(
            first["grade"], first["total"], first["in_force"], _day(first["from_day"]), run["release"]
        )
    else:
        return None
    made = step(tables.of_release(run["release"]) or table, None, grade, _day(found["first_run"]) or on)
    return Standing(grade, total, made.in_force, made.from_day, run["release"])


def _versions(datasets: dict[str, Dataset], uscc: str, purpose: str) -> Versions:
    """Every version of every record that was ever said, or linked, to be the enterprise's."""
    why, found = purpose_of(purpose), {}
    for id, dataset in datasets.items():
        if hub.find(id) is None or purpose not in dataset.purposes:
            continue
        with connection.cursor() as cursor:
            cursor.execute(
                "select v from enterprise_versions_of(%s, %s, %s, %s, %s, %s) v",
                [new_id(), id, uscc, why.name, why.basis, why.visible_from()],
            )
            rows = [json.loads(v) if isinstance(v, str) else v for (v,) in cursor.fetchall()]
        found[id] = rows
    return found


def _grade(
    table: Table, versions: Versions, uscc: str, on: date, known_at: datetime,
    links: list[Link], corrections: list[Correction],
) -> Grade | None:  # fmt: skip
    linked = {
        (link.dataset, link.key)
        for link in links
        if link.accepted_at
        and link.accepted_at <= known_at
        and (link.undone_at is None or link.undone_at > known_at)
    }
    disputed = {
        (c.dataset, c.key)
        for c in corrections
        if c.freezes and c.asked_at <= known_at and (c.done_at is None or c.done_at > known_at)
    }
    rows: Rows = {}
    for id, dataset in table.datasets.items():
        of_key: dict[str, list[dict[str, Any]]] = {}
        for v in versions.get(id, ()):
            of_key.setdefault(key_of(dataset, v), []).append(v)
        rows[id] = []
        for key, those in of_key.items():
            one = pick(those, known_at, on)
            if one is None or one["_withdrawn"]:
                continue
            subject = one.get(dataset.subject_field)
            if subject == uscc or (not subject and (id, key) in linked):
                rows[id].append(typed(dataset, {**one, dataset.subject_field: uscc}))
    return assess(table, rows, on, disputed)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def shown(told: Replay) -> dict[str, Any]:
    """A replay as the page shows it."""
    from .showing import evaluations

    context: dict[str, Any] = {"told": told}
    if told.stored is not None:
        context["class"] = told.table.of_class(told.stored.in_force)
        context["total"] = told.stored.total / 100
    for name, grade in (("then", told.then), ("now", told.now)):
        if grade is not None:
            table = told.table if name == "then" else tables.current() or told.table
            context[name] = {
                "grade": grade,
                "total": grade.total / 100,
                "evaluations": evaluations(table, grade),
            }
    return context
