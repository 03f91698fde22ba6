"""What enterprises are found by: code, beginning of the name, beginning of the name without its place.

PostgreSQL's trigram index is an extension that the embedded server has not; beginnings need only a B-tree.
"""

from __future__ import annotations

import io
import re
from functools import lru_cache

import duckdb
import psycopg
from django.db import connection

from yiwang.engines.hub import api as hub
from yiwang.engines.hub.linking.names import FULL_WIDTH, HALF_WIDTH
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.purposes import purpose_of
from yiwang.kernel.orgs.models import Region

from . import bulk, tables

MOST = 20
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


def files_of(dataset: str, seq: int) -> list[str]:
    """The lake's files of one delivery."""
    return sorted(str(f) for f in (hub.lake_root() / dataset / f"d{seq:08d}").glob("*.parquet"))


def put(dataset: hub.Dataset, seq: int) -> None:
    """Index the registrations of a small delivery."""
    rows = duckdb.sql("select * from read_parquet($files)", params={"files": files_of(dataset.id, seq)})
    code, name, region = dataset.subject_field, "name", "region"
    told = [(c, n, plain(n), core(plain(n)), r) for c, n, r in rows.select(code, name, region).fetchall()]
    with hub.owner_connection() as con:
        con.cursor().executemany(
            "insert into enterprise_name (uscc, name, plain, core, region) values (%s, %s, %s, %s, %s) "
            "on conflict (uscc) do update set name = excluded.name, plain = excluded.plain, core = excluded.core, "
            "region = excluded.region",
            told,
        )


def due() -> bool:
    """Whether registrations are held and none is indexed, or a large delivery came since the last index."""
    with hub.owner_connection() as con:
        table = tables.current()
        if table is None or not hub.exists(con, table.subjects.id):
            return False
        return con.execute(
            "select not exists (select 1 from enterprise_name) and exists (select 1 from hub_holding where dataset = %s "
            "and rows > 0)",
            [table.subjects.id],
        ).fetchone() == (True,)


def rebuild(memory: str = "2GB") -> int:
    """Index all registrations anew from the lake; returns how many."""
    from django.utils import timezone

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
