"""What contracts give out at all, where PostgreSQL reads it: written as the owner when packs come into force."""

import logging
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from yiwang.engines.hub import datasets, tables
from yiwang.engines.hub.contracts import Dataset, NotReadable
from yiwang.kernel.events.api import on
from yiwang.kernel.packs import api as packs

from .contracts import limits_of

log = logging.getLogger(__name__)


def keep(con: psycopg.Connection, release: str) -> bool:
    """Write the limits of every contract of a release, unless they are there; returns whether they were not.

    Args:
        con: a connection of the owner's; the application has no right to write them.
    """
    known = con.execute("select exists (select 1 from hub_sharinglimits where release = %s)", [release])
    if known.fetchone() == (True,):
        return False
    found = [datasets.of_release(release, pack.id) for pack in packs.library(release).all("dataset")]
    for dataset in found:
        _widen(con, dataset)
    with con.transaction(), con.cursor() as cursor:
        cursor.executemany(
            "insert into hub_sharinglimits (dataset, release, rows) values (%s, %s, %s) on conflict do nothing",
            [(d.id, release, Jsonb(limits_of(d))) for d in found],
        )
    return True


def _widen(con: psycopg.Connection, dataset: Dataset) -> None:
    """Let what the new contract says of a new field be asked before the next delivery; that would do it as well."""
    if not tables.exists(con, dataset.id):
        return
    try:
        with con.transaction():
            con.execute("set local lock_timeout = '1s'")
            tables.widen(con, dataset)
    except (NotReadable, psycopg.Error) as error:
        log.warning("columns of %s: %s", dataset.id, error)


@on("packs.loaded")
def loaded(body: dict[str, Any], trace_id: UUID | None) -> None:
    """At once: until they are written, nothing is given out. The collector looks too, should the worker be away."""
    from yiwang.engines.hub.collect import connect

    with connect() as con:
        keep(con, body["release"])
