"""The lake: every good row of every delivery, as it came, in one Delta table per dataset.

Files are written once, by DuckDB, under the delivery's own folder; joining them to the table is a commit of
the log and can be repeated: a file that is there already is not added twice. So history and bulk reads need
no PostgreSQL, and the lake may lag behind it by a crash, never run ahead of it.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import Connection
from psycopg import sql as pg

from .tables import columns, names, table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PART = "d{seq:08d}"


def folder(lake: Path, dataset: str, seq: int) -> Path:
    """Where the files of a delivery lie."""
    return lake / dataset / PART.format(seq=seq)


def discard(lake: Path, dataset: str, seq: int) -> None:
    """Throw away files that were written and never joined: the delivery begins anew."""
    shutil.rmtree(folder(lake, dataset, seq), ignore_errors=True)


def write_anew(
    lake: Path, dataset: str, seq: int, con: Connection, stage: str, db: DuckDBPyConnection, scratch: Path
) -> None:
    """Write the files of a delivery once more, as its rows stand in its table after they were filled from others.

    Args:
        con: of the transaction that filled them. stage: the table. db: what writes. scratch: thrown away later.
    """
    there = columns(con, stage)
    listed = {id: kind for id, kind in there.items() if id not in ("_delivery", "_seen")}
    file = scratch / "filled.csv"
    wanted = pg.SQL("copy (select {} from {}) to stdout (format csv)").format(names(listed), table(stage))
    with file.open("wb") as out, con.cursor().copy(wanted) as copy:
        for block in copy:
            out.write(block)
    discard(lake, dataset, seq)
    to = folder(lake, dataset, seq)
    to.mkdir(parents=True)
    with db.cursor() as own:  # what another statement has not finished reading stays as it is
        rows = own.read_csv(
            str(file),
            header=False,
            columns=listed,
            auto_detect=False,
            delimiter=",",
            quotechar='"',
            escapechar='"',
        )
        rows.project(f"{int(seq)} as _delivery, *").write_parquet(
            f"{to}/{0:012d}.parquet", compression="snappy"
        )
    file.unlink()


def join(lake: Path, dataset: str, seq: int) -> int:
    """Make a delivery's files part of the table; harmless to repeat.

    Returns:
        the table's version that has them.
    """
    import pyarrow.parquet as pq
    from deltalake import CommitProperties, DeltaTable, Schema
    from deltalake.transaction import AddAction, create_table_with_add_actions

    root = lake / dataset
    files = sorted(folder(lake, dataset, seq).glob("*.parquet"))
    there = DeltaTable(str(root)) if DeltaTable.is_deltatable(str(root)) else None
    if there is not None:
        known = {uri.rsplit("/", 2)[-2] for uri in there.file_uris()}
        if PART.format(seq=seq) in known or not files:
            return int(there.version())
    if not files:
        return -1
    adds = []
    for file in files:
        rows = pq.read_metadata(file).num_rows
        path = file.relative_to(root).as_posix()
        adds.append(
            AddAction(
                path, file.stat().st_size, {}, int(time.time() * 1000), True, json.dumps({"numRecords": rows})
            )
        )
    schema = Schema.from_arrow(pq.read_schema(files[0]))
    properties = CommitProperties(custom_metadata={"delivery": str(seq)})
    if there is None:
        create_table_with_add_actions(str(root), schema, adds, name=dataset, commit_properties=properties)
    else:
        have = {f.name for f in there.schema().fields}
        fresh = [f for f in schema.fields if f.name not in have]
        if fresh:
            there.alter.add_columns(fresh)
        there.create_write_transaction(adds, "append", there.schema(), commit_properties=properties)
    return int(DeltaTable(str(root)).version())


def version(lake: Path, dataset: str) -> int:
    """The table's version; -1 when there is none yet."""
    from deltalake import DeltaTable

    root = str(lake / dataset)
    return int(DeltaTable(root).version()) if DeltaTable.is_deltatable(root) else -1
