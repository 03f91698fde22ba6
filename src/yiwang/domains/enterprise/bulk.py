"""The class of every enterprise, from the lake: what was known at a moment, of how things were on a day.

DuckDB reads the Parquet files of the deliveries; PostgreSQL only says which there are, and what full deliveries
withdrew. Of a dataset the largest delivery is scanned as it lies; only records that another one touches are ranked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from yiwang.engines.hub import api as hub
from yiwang.engines.hub.contracts import Dataset, Type

from .risk.contracts import Table
from .risk.sql import name, statement


@dataclass(frozen=True)
class Known:
    """A published delivery: its number, its place in the order of the source's moments, its files, its rows."""

    seq: int
    place: int
    rows: int
    files: tuple[str, ...]


def deliveries(con: psycopg.Connection, dataset: str, known_at: Any, lake: Path) -> list[Known]:
    """Deliveries published until ``known_at``, in the order of the source's moments."""
    found = con.execute(
        "select seq, counts from hub_delivery where dataset = %s and state = 'loaded' and loaded_at <= %s "
        "order by as_of, seq",
        [dataset, known_at],
    ).fetchall()
    told = []
    for place, (seq, counts) in enumerate(found):
        files = tuple(str(f) for f in sorted((lake / dataset / f"d{seq:08d}").glob("*.parquet")))
        if files:
            told.append(Known(seq, place, int(counts.get("good", 0)), files))
    return told


def withdrawn(con: psycopg.Connection, dataset: Dataset, known_at: Any) -> list[tuple[Any, ...]]:
    """Records that a full delivery did not have: (seq, from which day, key …). The lake has no rows for that.

    One that came after the full delivery, with an earlier moment, was never there by it: that is known since it came.
    """
    full = con.execute(
        "select count(*) filter (where mode = 'full') > 0 and count(*) filter ("
        "where (counts ->> 'withdrawn')::bigint > 0 and mode = 'full' or (counts ->> 'late')::bigint > 0) > 0 "
        "from hub_delivery where dataset = %s and state = 'loaded' and loaded_at <= %s",
        [dataset.id, known_at],
    ).fetchone()
    if full != (True,):
        return []
    key = ", ".join(name(k) for k in dataset.key)
    return con.execute(
        f"select v._seen, v._valid_from, {key} from hub.{name(dataset.id + '_versions')} v "
        "join hub_delivery d on d.seq = v._delivery where v._withdrawn and v._row is null and d.loaded_at <= %s",
        [known_at],
    ).fetchall()


def relations(
    db: duckdb.DuckDBPyConnection, con: psycopg.Connection, table: Table, on: date, known_at: Any, lake: Path
) -> None:
    """Make a view for each dataset of the table, as the statement wants it."""
    for dataset in table.datasets.values():
        relation(db, con, dataset, on, known_at, lake)


def relation(
    db: duckdb.DuckDBPyConnection,
    con: psycopg.Connection,
    dataset: Dataset,
    on: date,
    known_at: Any,
    lake: Path,
) -> None:
    """Make a view of the records of one dataset, by what was known at a moment, of a day."""
    known = deliveries(con, dataset.id, known_at, lake)
    if known:
        db.execute(
            f"create or replace view {name(dataset.id)} as {_current(db, con, dataset, known, on, known_at)}"
        )
    else:
        columns = ", ".join(f"null::{_type(f)} as {name(f.id)}" for f in dataset.fields)
        db.execute(f"create or replace view {name(dataset.id)} as select {columns} where false")


def _current(
    db: duckdb.DuckDBPyConnection,
    con: psycopg.Connection,
    dataset: Dataset,
    known: list[Known],
    on: date,
    at: Any,
) -> str:
    fields = ", ".join(name(f.id) for f in dataset.fields)
    big = max(known, key=lambda k: k.rows)
    day = f"date '{on.isoformat()}'"
    gone = withdrawn(con, dataset, at)
    there = f"_valid_from <= {day} and not _withdrawn"
    if len(known) == 1 and not gone:
        return f"select {fields} from {_scan(db, dataset, big.files)} where {there}"
    system = "_delivery, _valid_from, _withdrawn"
    key = ", ".join(name(k) for k in dataset.key)
    same = " and ".join(f"t.{name(k)} = b.{name(k)}" for k in dataset.key)
    rest = [f for k in known if k is not big for f in k.files]
    places = ", ".join(f"({k.seq}, {k.place})" for k in known)
    late = f"late_{dataset.id}"
    columns = ", ".join(f"{name(f.id)} {_type(f)}" for f in dataset.fields)
    db.execute(
        f"create or replace temp table {name(late)} ({columns}, _delivery int, _valid_from date, _withdrawn bool)"
    )
    if rest:
        db.execute(f"insert into {name(late)} select {fields}, {system} from {_scan(db, dataset, rest)}")
    if gone:
        take(db, f"gone_{dataset.id}", ("_delivery", "_valid_from", *dataset.key), gone)
        db.execute(
            f"insert into {name(late)} ({key}, _delivery, _valid_from, _withdrawn) "
            f"select {key}, _delivery, _valid_from, true from {name(f'gone_{dataset.id}')}"
        )
    touched = f"select 1 from {name(late)} t where {same}"
    source = f"(select {fields}, {system} from {_scan(db, dataset, big.files)}) b"
    return (
        f"select {fields} from {source} where {there} and not exists ({touched}) union all "
        f"select {fields} from (select u.* from (select * from {source} where exists ({touched}) "
        f"union all select {fields}, {system} from {name(late)}) u join (values {places}) o(seq, place) "
        f"on o.seq = u._delivery where u._valid_from <= {day} "
        f"qualify row_number() over (partition by {key} order by o.place desc) = 1) where not _withdrawn"
    )


def _scan(db: duckdb.DuckDBPyConnection, dataset: Dataset, files: Any) -> str:
    """What to select from: the files, and an empty column for a field that is younger than all of them."""
    listed = ", ".join("'" + f.replace("'", "''") + "'" for f in files)
    source = f"read_parquet([{listed}], union_by_name = true)"
    there = {told[0] for told in db.execute(f"describe select * from {source}").fetchall()}
    lacking = [f", null::{_type(f)} as {name(f.id)}" for f in dataset.fields if f.id not in there]
    return f"(select *{''.join(lacking)} from {source})" if lacking else source


def _type(f: Any) -> str:
    kinds = {
        Type.INT: "bigint",
        Type.DECIMAL: f"decimal(18, {f.scale})",
        Type.DATE: "date",
        Type.DATETIME: "timestamp",
    }
    return kinds.get(f.type, "varchar")


def grade_all(
    con: psycopg.Connection,
    table: Table,
    on: date,
    known_at: Any,
    lake: Path | None = None,
    memory: str = "4GB",
    only: str = "",
) -> duckdb.DuckDBPyConnection:
    """A DuckDB with the table ``grades(uscc, class, total, s0 …)`` of every subject.

    Args:
        only: the code of a single enterprise.
    """  # fmt: skip
    db = duckdb.connect()
    db.execute(
        f"set memory_limit = '{memory}'; set enable_progress_bar = false; set preserve_insertion_order = false"
    )
    relations(db, con, table, on, known_at, lake or hub.lake_root())
    _linked(db, con, table, known_at)
    disputes, repairs = _frozen(db, con, known_at), _repairs(db, table)
    text = statement(table, on, disputes, repairs)
    if only:
        db.execute(f"create table grades as select * from ({text}) where uscc = ?", [only])
    else:
        db.execute(f"create table grades as {text}")
    return db


def _linked(db: duckdb.DuckDBPyConnection, con: psycopg.Connection, table: Table, known_at: Any) -> None:
    """Records without a code are of the enterprise to which they were linked at that moment."""
    rows = con.execute(
        "select dataset, key, uscc from enterprise_link "
        "where accepted_at <= %s and (undone_at is null or undone_at > %s)",
        [known_at, known_at],
    ).fetchall()
    take(db, "links", ("dataset", "key", "uscc"), rows)
    for id in {dataset for dataset, _key, _uscc in rows} & set(table.datasets):
        dataset = table.datasets[id]
        ((text,),) = db.execute("select sql from duckdb_views() where view_name = ?", [id]).fetchall()
        inner = text.split(" AS ", 1)[1].rstrip().rstrip(";")
        key, subject = (
            " || chr(31) || ".join(f"v.{name(k)}::varchar" for k in dataset.key),
            name(dataset.subject_field),
        )
        db.execute(
            f"create or replace view {name(id)} as select v.* replace (coalesce(v.{subject}, l.uscc) as {subject}) "
            f"from ({inner}) v left join links l on l.dataset = '{id}' and v.{subject} is null and l.key = {key}"
        )


def _frozen(db: duckdb.DuckDBPyConnection, con: psycopg.Connection, known_at: Any) -> bool:
    rows = con.execute(
        "select dataset, key from enterprise_correction "
        "where freezes and asked_at <= %s and (done_at is null or done_at > %s)",
        [known_at, known_at],
    ).fetchall()
    take(db, "disputed", ("dataset", "key"), rows)
    return bool(rows)


def take(
    db: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Make a table of rows that PostgreSQL gave; by columns, since row by row takes a minute for 200,000."""
    import pyarrow

    taken = pyarrow.table(
        {c: [row[n] for row in rows] if rows else pyarrow.array([], "string") for n, c in enumerate(columns)}
    )
    db.register("taken", taken)
    db.execute(f"create or replace temp table {name(table)} as select * from taken")
    db.unregister("taken")


def _repairs(db: duckdb.DuckDBPyConnection, table: Table) -> bool:
    r = table.repairs
    if r is None:
        db.execute("create table repairs (uscc varchar, space varchar, event varchar, on_day date)")
        return False
    db.execute(
        f"create table repairs as select {name(table.datasets[r.dataset].subject_field)} as uscc, "
        f"{name(r.of)} as space, {name(r.event)} as event, {name(r.day)} as on_day from {name(r.dataset)}"
    )
    return db.execute("select count(*) from repairs").fetchone() != (0,)
