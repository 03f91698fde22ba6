"""A dataset that did not come, a grant that is about to end: each told once, as an event of the outbox."""

from django.utils import timezone
from psycopg import Connection
from psycopg.types.json import Jsonb

from yiwang.kernel.events.api import emit_on

from . import datasets
from .collect import connect
from .queries import due_of
from .sharing.actions import rules


def remind() -> int:
    """Emit ``hub.overdue`` for every dataset that is late, ``hub.share_ending`` for every grant; returns how many."""
    told = 0
    with connect() as con:
        told += _of_grants(con)
        for dataset in datasets.every():
            row = con.execute(
                "select latest_as_of, reminded_for from hub_holding where dataset = %s", [dataset.id]
            ).fetchone() or (None, None)
            due = due_of(dataset, row[0])
            if due > timezone.now() or row[1] == due:
                continue
            with con.transaction():
                con.execute(
                    "insert into hub_holding (dataset, name, department, contract_version, key, subject_field, rows, "
                    "reminded_for) values (%s, %s, %s, %s, %s, %s, 0, %s) "
                    "on conflict (dataset) do update set reminded_for = excluded.reminded_for",
                    [
                        dataset.id, dataset.name, dataset.department, dataset.version, Jsonb(list(dataset.key)),
                        dataset.subject_field, due,
                    ],
                )  # fmt: skip
                body = {
                    "dataset": dataset.id, "name": dataset.name, "department": dataset.department,
                    "due": due.isoformat(), "latest": row[0].isoformat() if row[0] else None,
                }  # fmt: skip
                emit_on(con, "hub.overdue", body)
            told += 1
    return told


def _of_grants(con: Connection) -> int:
    """Grants that end within the days that the pack says, not renewed and not told of.

    One that was given today for a few days is told of tomorrow: who got it knows its end.
    """
    with con.transaction():
        ending = con.execute(
            "update hub_sharinggrant g set reminded = true where not reminded and revoked_at is null "
            "and since < %(today)s and until >= %(today)s and until - %(days)s <= %(today)s and not exists ("
            "  select 1 from hub_sharingrequest r where r.renews_id = g.id and r.state in ('asked', 'granted')) "
            "returning id",
            {"today": timezone.localdate(), "days": rules().remind_before},
        ).fetchall()
        for (id,) in ending:
            emit_on(con, "hub.share_ending", {"grant": str(id)})
    return len(ending)
