"""The tables of a dataset in PostgreSQL's schema ``hub``, made from its contract by the owner.

``hub.ID`` holds the latest version of each record, ``hub.ID_hist`` the versions before, ``hub.ID_versions`` is
the view of both with the four moments. A row keeps the numbers of deliveries, not moments: ``_delivery`` brought
this version, ``_seen`` said it last, ``_until`` replaced it. The moments are the deliveries' own, so "known
since" is when a delivery was published, to the row exactly. A withdrawn record stays, marked.

Statements here take identifiers only from checked contracts, quoted; values are parameters.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection, sql

from .cells import postgres_type
from .contracts import Dataset, NotReadable

SCHEMA = "hub"
# Fixed sizes first: fifteen million rows pay for every byte of padding.
SYSTEM = (
    ("_delivery", "integer"), ("_seen", "integer"), ("_row", "integer"), ("_valid_from", "date"),
)  # fmt: skip
_TAIL = ("_withdrawn", "boolean")


def table(name: str) -> sql.Identifier:
    """A table of the schema."""
    return sql.Identifier(SCHEMA, name)


def names(ids: Any) -> sql.Composed:
    """Columns, with commas."""
    return sql.SQL(", ").join(sql.Identifier(i) for i in ids)


def ordered(dataset: Dataset) -> list[tuple[str, str]]:
    """The fields' columns and types, those of fixed size first."""
    found = [(f.id, postgres_type(f)) for f in dataset.fields]
    return sorted(found, key=lambda c: {"bigint": 0, "timestamp": 0, "date": 1}.get(c[1], 2))


def _columns(dataset: Dataset, seq: int | None = None) -> sql.Composed:
    parts = []
    for name, kind in SYSTEM:
        default = f" default {int(seq)}" if seq is not None and name in ("_delivery", "_seen") else ""
        null = "" if name == "_row" else " not null"
        parts.append(sql.SQL("{} " + kind + null + default).format(sql.Identifier(name)))
    parts += [sql.SQL("{} " + kind).format(sql.Identifier(name)) for name, kind in ordered(dataset)]
    parts.append(sql.SQL("_withdrawn boolean not null default false"))
    return sql.SQL(", ").join(parts)


def create(
    con: Connection, name: str, dataset: Dataset, seq: int | None = None, unlogged: bool = False
) -> None:
    """Make a bare table; with ``seq``, rows that do not say otherwise are of that delivery."""
    kind = "create unlogged table {} ({})" if unlogged else "create table {} ({})"
    con.execute(sql.SQL(kind).format(table(name), _columns(dataset, seq)))


def drop(con: Connection, name: str) -> None:
    """Drop a table if it is there."""
    con.execute(sql.SQL("drop table if exists {}").format(table(name)))


def exists(con: Connection, name: str) -> bool:
    """Whether the schema has a table of that name."""
    return con.execute("select to_regclass(%s) is not null", [f'{SCHEMA}."{name}"']).fetchone() == (True,)


def is_empty(con: Connection, name: str) -> bool:
    """Whether a table has no rows."""
    found = con.execute(sql.SQL("select exists (select 1 from {})").format(table(name))).fetchone()
    return found == (False,)


def index(con: Connection, name: str, dataset: Dataset) -> None:
    """The primary key, and an index on whom the records are about."""
    con.execute(sql.SQL("alter table {} add primary key ({})").format(table(name), names(dataset.key)))
    if dataset.key[0] != dataset.subject_field:
        con.execute(sql.SQL("create index on {} ({})").format(table(name), names([dataset.subject_field])))


def refers(con: Connection, dataset: Dataset) -> None:
    """An index on the numbers of the records that a dataset refers to; whoever looks from there finds it by them."""
    if dataset.refers is not None:
        wanted = sql.SQL("create index if not exists {} on {} ({})")
        name = sql.Identifier(f"{dataset.id}_refers")
        con.execute(wanted.format(name, table(dataset.id), names([dataset.refers.number])))


def ensure(con: Connection, dataset: Dataset) -> None:
    """Make the tables of a dataset, or give them what a newer contract has; call in a transaction.

    A field that the contract no longer has keeps its column: what was known stays known.

    Raises:
        NotReadable: the contract changes the type of a field, or its key.
    """
    con.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(SCHEMA)))
    if not exists(con, dataset.id):
        create(con, dataset.id, dataset)
        index(con, dataset.id, dataset)
    hist = f"{dataset.id}_hist"
    if not exists(con, hist):
        create(con, hist, dataset)
        con.execute(sql.SQL("alter table {} add column _until integer not null").format(table(hist)))
        con.execute(sql.SQL("create index on {} ({})").format(table(hist), names(dataset.key)))
    if (
        dataset.subject_field and dataset.key[0] != dataset.subject_field
    ):  # a past day is asked for by subject
        wanted = sql.SQL("create index if not exists {} on {} ({})")
        subject = sql.Identifier(f"{hist}_subject")
        con.execute(wanted.format(subject, table(hist), names([dataset.subject_field])))
    widen(con, dataset)
    refers(con, dataset)
    key = con.execute(
        "select array_agg(attname::text order by attnum) from pg_attribute a join pg_index i "
        "on i.indrelid = a.attrelid and a.attnum = any(i.indkey) where i.indrelid = %s::regclass and i.indisprimary",
        [f'{SCHEMA}."{dataset.id}"'],
    ).fetchone()
    if key and key[0] and set(key[0]) != set(dataset.key):
        raise NotReadable(f"合同改了主键（原为 {'、'.join(key[0])}）：请另建数据集")
    if not (exists(con, f"{dataset.id}_versions") and _newer_is_held(con, dataset)):
        view(con, dataset)


def _newer_is_held(con: Connection, dataset: Dataset) -> bool:
    """Whether a later version of the contract has been in force: what comes now was begun under an older one."""
    told = "select contract_version > %s from hub_holding where dataset = %s"
    return con.execute(told, [dataset.version, dataset.id]).fetchone() == (True,)


def columns(con: Connection, name: str) -> dict[str, str]:
    """The columns of a table and their types, in their order."""
    return dict(
        con.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute "
            "where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum",
            [f'{SCHEMA}."{name}"'],
        ).fetchall()
    )


def fields(con: Connection, name: str) -> dict[str, str]:
    """The columns of a table for fields of any version of its contract, and their types."""
    return {id: kind for id, kind in columns(con, name).items() if not id.startswith("_")}


def widen(con: Connection, dataset: Dataset) -> None:
    """Give the tables of a dataset the columns of a newer contract's fields.

    Raises:
        NotReadable: the contract changes the type of a field.
    """
    for name in (dataset.id, f"{dataset.id}_hist"):
        have = columns(con, name)
        for f in dataset.fields:
            kind = postgres_type(f)
            told = have.get(f.id)
            if told is None:
                add = sql.SQL("alter table {} add column {} " + kind)
                con.execute(add.format(table(name), sql.Identifier(f.id)))
            elif told != {"timestamp": "timestamp without time zone"}.get(kind, kind).replace(", ", ","):
                raise NotReadable(
                    f"合同第 {dataset.version} 版把“{f.name}”（{f.id}）的类型从 {told} 改成了 {kind}，已有的数据装不下。"
                    "请给新类型另起一个字段名，或另建数据集"
                )


def view(con: Connection, dataset: Dataset) -> None:
    """The view of every version with its moments: as_of, sys_from, sys_to, valid_from, valid_to.

    It has every field that the table has, also those that another version of the contract knows.
    """
    columns = names(fields(con, dataset.id))
    until = (
        sql.SQL("{}::date").format(sql.Identifier(dataset.valid_to))
        if dataset.valid_to
        else sql.SQL("null::date")
    )
    con.execute(sql.SQL("drop view if exists {}").format(table(f"{dataset.id}_versions")))
    con.execute(
        sql.SQL(
            "create view {view} as select v.*, seen.as_of as _as_of, brought.loaded_at as _sys_from, "
            "replaced.loaded_at as _sys_to from ("
            "select {columns}, _delivery, _seen, _row, _valid_from, {until} as _valid_to, _withdrawn, "
            "null::integer as _until from {current} union all "
            "select {columns}, _delivery, _seen, _row, _valid_from, {until}, _withdrawn, _until from {hist}) v "
            "join public.hub_delivery brought on brought.seq = v._delivery "
            "join public.hub_delivery seen on seen.seq = v._seen "
            "left join public.hub_delivery replaced on replaced.seq = v._until"
        ).format(
            view=table(f"{dataset.id}_versions"), columns=columns, until=until,
            current=table(dataset.id), hist=table(f"{dataset.id}_hist"),
        )
    )  # fmt: skip
