"""What enterprises are found by: code, beginning of the name, beginning of the name without its place.

PostgreSQL's trigram index is an extension that the embedded server has not; beginnings need only a B-tree.
"""

from __future__ import annotations

import io
import re
from datetime import datetime
from functools import lru_cache

import duckdb
import psycopg
from django.db import connection
from django.utils import timezone
from psycopg import sql

from yiwang.engines.hub import api as hub
from yiwang.engines.hub.linking.names import FULL_WIDTH, HALF_WIDTH
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.purposes import purpose_of
from yiwang.kernel.orgs.models import Region

from . import bulk, tables

MOST = 20
AT_ONCE = 1_000_000  # names brought by large deliveries; of more, everything is indexed anew
_PLAIN = "[^0-9a-z\\x{4e00}-\\x{9fff}]"
_WIDTH = str.maketrans(FULL_WIDTH, HALF_WIDTH)


@lru_cache(maxsize=1)
def areas() -> str:
    """A pattern of the places that names begin with."""
    found: set[str] = set()
    for name in Region.objects.filter(level__in=("province", "city", "county")).values_list(
        "name", flat=True
    ):
        found.add(name)
        short = re.sub(r"(省|市|自治县|县|区|新区|开发区)$", "", name)
        if len(short) >= 2:
            found.add(short)
    return "|".join(re.escape(n) for n in sorted(found, key=lambda n: (-len(n), n)))


def plain(text: str) -> str:
    """A name as it is compared: half-width, lower case, without blanks and brackets."""
    return re.sub(r"[^0-9a-z\u4e00-\u9fff]", "", text.translate(_WIDTH).lower())


def core(text: str) -> str:
    """The plain name without the places it begins with, unless nothing would be left."""
    rest = re.sub(rf"^(?:{areas()}){{1,3}}", "", text)
    return rest if len(rest) >= 2 else text


def follow(codes: list[str]) -> None:
    """Index these enterprises as they are now; whose registration was withdrawn is found no longer."""
    table = tables.current()
    if table is None or not codes:
        return
    with hub.owner_connection() as con, con.transaction():
        # Rather again later than wait for a collector that waits for this handler's transaction.
        con.execute("set local lock_timeout = '3s'")
        _put(con, _held(con, table.subjects, "{of} = any(%s)", codes))


def catch_up() -> None:
    """Index what large deliveries brought since the last time: theirs alone, or everything when they are many."""
    table = tables.current()
    if table is None:
        return
    id = table.subjects.id
    with hub.owner_connection() as con:
        held, latest = con.execute(
            "select exists (select 1 from hub_holding where dataset = %(id)s and rows > 0), max(loaded_at) "
            "from hub_delivery where state = 'loaded' and dataset = %(id)s",
            {"id": id},
        ).fetchone() or (False, None)
        if not held:
            return
        last = con.execute("select up_to from enterprise_indexed where dataset = %s", [id]).fetchone()
        large = hub.large_since(con, last[0] if last else datetime.min, id)
        if last and not large:
            return
        if last is None or sum(large.values()) > AT_ONCE:
            rebuild()
            since = "select seq from hub_delivery where dataset = %s and loaded_at > %s"  # followed, then overwritten
            those = [seq for (seq,) in con.execute(since, [id, latest]).fetchall()]
        else:
            those = list(large)
        with con.transaction():
            _put(con, _held(con, table.subjects, "_delivery = any(%s)", those) if those else [])
            con.execute(
                "insert into enterprise_indexed (dataset, up_to) values (%s, %s) "
                "on conflict (dataset) do update set up_to = excluded.up_to",
                [id, latest],
            )


def _held(con: psycopg.Connection, dataset: hub.Dataset, where: str, value: list) -> list[tuple]:
    """(code, name, region, withdrawn) of registrations as they are held."""
    parts = {"of": sql.Identifier(dataset.subject_field), "held": hub.table(dataset.id)}
    text = "select {of}, name, coalesce(region, ''), _withdrawn from {held} where {of} is not null and "
    return con.execute(sql.SQL(text + where).format(**parts), [value]).fetchall()


def _put(con: psycopg.Connection, told: list[tuple]) -> None:
    """Put some names into the index, or take them out. In a transaction."""
    con.execute(
        "create temp table named (like enterprise_name, gone boolean, primary key (uscc)) on commit drop"
    )
    with con.cursor().copy("copy named (uscc, name, plain, core, region, gone) from stdin") as copy:
        for code, name, region, gone in told:
            copy.write_row((code, name, plain(name), core(plain(name)), region, gone))
    con.execute("delete from enterprise_name n using named d where d.uscc = n.uscc and d.gone")
    con.execute(
        "insert into enterprise_name (uscc, name, plain, core, region) "
        "select uscc, name, plain, core, region from named where not gone on conflict (uscc) do update set "
        "name = excluded.name, plain = excluded.plain, core = excluded.core, region = excluded.region"
    )


def rebuild(memory: str = "2GB") -> int:
    """Index all registrations anew from the lake; returns how many."""
    table = tables.current()
    if table is None:
        return 0
    id = table.subjects.id
    with hub.owner_connection() as con:
        db = duckdb.connect()
        db.execute(f"set memory_limit = '{memory}'; set enable_progress_bar = false")
        bulk.relations(db, con, table, timezone.localdate(), timezone.now(), hub.lake_root())
        return fill(con, db, f'select "{table.subjects.subject_field}" as uscc, name, region from "{id}"')


def fill(con: psycopg.Connection, db: duckdb.DuckDBPyConnection, source: str) -> int:
    """Replace the index by what ``source(uscc, name, region)`` selects."""
    import pyarrow.csv

    width = f"translate(name, '{FULL_WIDTH}', '{HALF_WIDTH}')"
    made = f"regexp_replace(lower({width}), '{_PLAIN}', '', 'g')"
    cut = f"regexp_replace(plain, '^(?:{areas()}){{1,3}}', '')"
    select = (
        f"select uscc, name, plain, case when length({cut}) >= 2 then {cut} else plain end as core, "
        f"coalesce(region, '') as region from (select uscc, name, {made} as plain, region from ({source}))"
    )
    columns = "(uscc, name, plain, core, region)"
    with con.transaction():
        con.execute("truncate enterprise_name")
        indexes = con.execute(
            "select indexname, indexdef from pg_indexes "
            "where tablename = 'enterprise_name' and indexname not like '%pkey'"
        ).fetchall()
        for name, _definition in indexes:
            con.execute(f'drop index "{name}"')
        with con.cursor().copy(f"copy enterprise_name {columns} from stdin (format csv)") as copy:
            for batch in db.sql(select).to_arrow_reader(200_000):
                out = io.BytesIO()
                pyarrow.csv.write_csv(batch, out, pyarrow.csv.WriteOptions(include_header=False))
                copy.write(out.getvalue())
        for _name, definition in indexes:
            con.execute(definition)
    con.execute("analyze enterprise_name")
    ((n,),) = con.execute("select count(*) from enterprise_name").fetchall()
    return int(n)


def search(text: str, purpose: str) -> list[tuple[str, str, str]]:
    """Enterprises (code, name, region) by code or by how their name begins; an entry in the ledger for each found."""
    why = purpose_of(purpose)
    told = plain(text)
    if len(told) < 2:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "select uscc, name, region from enterprise_search(%s, %s, %s, %s, %s, %s, %s, %s)",
            [new_id(), text.strip().upper(), told, core(told), MOST, why.name, why.basis, why.visible_from()],
        )
        return [(c, n, r) for c, n, r in cursor.fetchall()]
