"""A dataset that did not come: told once per delivery that is missing, as an event of the outbox."""

from django.utils import timezone
from psycopg.types.json import Jsonb

from yiwang.kernel.events.api import emit_on

from . import datasets
from .collect import connect
from .queries import due_of


def remind() -> int:
    """Emit ``hub.overdue`` for every dataset that is late and has not been told of; returns how many."""
    told = 0
    with connect() as con:
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
