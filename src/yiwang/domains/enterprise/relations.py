"""Relations between enterprises, both ways; entries in the ledger for the one asked for and those that are shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from django.db import connection

from yiwang.engines.hub import api as hub
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.purposes import purpose_of

from . import tables
from .portrait.graph import Drawing, draw
from .risk.rules import as_day


@dataclass(frozen=True)
class Relation:
    """One relation. to: the other one belongs to this enterprise (an investment, a branch); else the other way round.

    word: what the other one is to it; share: percent, or None; over: its time has ended.
    """

    code: str
    name: str
    to: bool
    word: str
    share: str
    since: date | None
    ends: date | None
    over: bool
    delivery: int


def relations_of(uscc: str, purpose: str, on: date) -> list[Relation]:
    """All relations of an enterprise, those in force first, then by share."""
    plan = tables.plan()
    if plan is None or hub.find(plan.relations.dataset) is None:
        return []
    r, why = plan.relations, purpose_of(purpose)
    if purpose not in hub.current(r.dataset).purposes:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "select v from enterprise_relations_of(%s, %s, %s, %s, %s, %s, %s, %s) v",
            [new_id(), r.dataset, r.of, r.to, uscc, why.name, why.basis, why.visible_from()],
        )
        rows = [json.loads(v) if isinstance(v, str) else v for (v,) in cursor.fetchall()]
    found = []
    for row in rows:
        to = row[r.of] == uscc
        words = r.words.get(str(row[r.kind]), ("", ""))
        ends = as_day(row.get(r.ends))
        share = row.get(r.share)
        found.append(
            Relation(
                row[r.to if to else r.of], row[r.to_name if to else r.of_name], to, words[1 if to else 0],
                "" if share is None else f"{float(share):g}%", as_day(row.get(r.since)), ends,
                ends is not None and ends <= on, row["_delivery"],
            )
        )  # fmt: skip
    return sorted(found, key=lambda f: (f.over, f.to, -float(f.share[:-1] or 0), f.name))


def drawn(name: str, relations: list[Relation]) -> Drawing | None:
    """The drawing of the relations in force; None when there are none."""
    now = [r for r in relations if not r.over]
    if not now:
        return None
    label = lambda r: f"{r.word} {r.share}".strip()  # noqa: E731
    left, right = ([(r.name, label(r)) for r in now if r.to is to] for to in (False, True))
    return draw(name, left, right)
