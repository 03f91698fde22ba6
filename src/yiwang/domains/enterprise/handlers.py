"""Reactions: a delivery grades anew the enterprises it is about, the same minute."""

from typing import Any
from uuid import UUID

import duckdb
from django.utils import timezone

from yiwang.engines.hub import api as hub
from yiwang.kernel.events.api import on, slowly

from . import names, running, tables
from .regrading import regrade


@on("hub.loaded")
def loaded(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Grade again whom a small delivery is about; a large one waits for the run over all."""
    counts, table = body["counts"], tables.current()
    dataset = hub.find(body["dataset"])
    touched = sum(counts.get(k, 0) for k in ("new", "changed", "withdrawn"))
    if table is None or dataset is None or not 0 < touched <= running.MOST:
        return
    codes = _subjects(dataset, body["seq"])
    if len(codes) > running.MOST:
        return
    if dataset.id == table.subjects.id:
        names.put(dataset, body["seq"])
    if dataset.id in table.datasets:
        for code in codes:
            regrade(code, "delivery")


def _subjects(dataset: hub.Dataset, seq: int) -> list[str]:
    files = names.files_of(dataset.id, seq)
    if not files:
        return []
    field = dataset.subject_field.replace('"', "")
    with duckdb.connect() as db:
        found = db.execute(
            f'select distinct "{field}" from read_parquet(?) where "{field}" is not null limit ?',
            [files, running.MOST + 1],
        )
        return [code for (code,) in found.fetchall()]


@slowly
def daily() -> None:
    """The run over all enterprises, once a day and after large deliveries; and the names to search by."""
    if names.due():
        names.rebuild()
    if running.due(timezone.localtime()):
        running.run()
