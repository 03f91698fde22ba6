"""What speaks for and against a pair, in numbers, computed in SQL.

A missing value is null, not a disagreement. ``rarity`` keeps a common brand from counting as much as a rare one.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from .keys import columns as key_columns
from .names import Vocabulary, learn_industries, parse, sound, split

FEATURES = {
    "plain_same": "(c.plain = r.plain)::int",
    "core_same": "(c.core = r.core)::int",
    "heard_same": "(c.heard = r.heard)::int",
    "core_jaro": "jaro_winkler_similarity(c.core, r.core)",
    "heard_jaro": "jaro_winkler_similarity(c.heard, r.heard)",
    "heard_edits": "levenshtein(c.heard, r.heard)",
    "core_edits": "levenshtein(c.core, r.core)",
    "begins": "(starts_with(r.heard, c.heard) or starts_with(c.heard, r.heard))::int",
    "brand_same": "(c.brand = r.brand)::int",
    "brand_heard": "(c.heard_brand = r.heard_brand)::int",
    "brand_edits": "levenshtein(c.heard_brand, r.heard_brand)",
    "brand_length": "length(r.brand)",
    "core_length": "length(c.core)",
    "length_apart": "length(r.core) - length(c.core)",
    "industry": "case when c.industry = '' or r.industry = '' then null"
    " else (c.heard_industry = r.heard_industry)::int end",
    "form": "case when c.form = '' or r.form = '' then null else (c.form = r.form)::int end",
    "branch": "(c.branch <> '')::int",
    "area": "case when c.area = '' or r.area = '' then null"
    " when c.area = r.area then 2 when contains(r.area, c.area) or contains(c.area, r.area) then 1 else 0 end",
    "region": "(c.region = r.region)::int + (c.city = r.city)::int",
    "road": "case when c.road = '' or r.road = '' then null else (c.road = r.road)::int end",
    "number": "case when c.number = '' or r.number = '' then null"
    " else (c.number = r.number and c.road = r.road)::int end",
    "phone": "case when c.phone = '' or r.phone = '' then null else (c.phone = r.phone)::int end",
    "licence": "case when c.licence = '' or r.licence = '' then null else (c.licence = r.licence)::int end",
    "rarity": "ln(1 + coalesce(f.n, 0))",
    "ways": "p.ways",
}


def prepare(
    db: duckdb.DuckDBPyConnection,
    source: str,
    target: str,
    words: Vocabulary,
    *,
    learn: bool,
    key: str = "id",
) -> None:
    """Make ``target`` from ``source(key, name, region, address, phone, licence)``: names apart, sounds, places.

    Args:
        learn: learn the industries from these names (the register); otherwise use those learnt before.
        key: the name of the column that identifies a row.
    """
    db.execute(f"create or replace view {target}_names as select {key} as id, name from {source}")
    parse(db, f"{target}_names", f"{target}_parsed", words)
    if learn:
        learn_industries(db, f"{target}_parsed")
    split(db, f"{target}_parsed", f"{target}_parts")
    parts = db.sql(f"select id, core, brand from {target}_parts").to_arrow_table()
    heard = sound(parts["core"].to_pylist())
    db.register("heard_in", pa.table({"id": parts["id"], "heard": heard}))
    db.execute(
        f"""
        create or replace table {target} as
        with joined as (
          select p.id as {key}, p.plain, p.area, p.core, p.form, p.branch, p.industry, p.brand, h.heard,
                 h.heard[: length(p.brand)] as heard_brand, h.heard[length(p.brand) + 1 :] as heard_industry,
                 s.region, s.region[:4] as city, s.phone, s.licence,
                 right(regexp_extract(s.address, '[\\x{{4e00}}-\\x{{9fff}}]{{2,4}}?[路街道巷]'), 3) as road,
                 regexp_extract(s.address, '([0-9]+)号', 1) as number
          from {target}_parts p join heard_in h using (id) join {source} s on s.{key} = p.id
        )
        select *, {key_columns()} from joined
        """
    )  # three characters of a road tell it from others and leave the county's name out
    db.unregister("heard_in")
    db.execute(f"drop table {target}_parsed; drop table {target}_parts; drop view {target}_names")


def compare(db: duckdb.DuckDBPyConnection, records: str, register: str, pairs: str, target: str) -> None:
    """Make ``target``: for each pair key, id and every feature."""
    columns = ", ".join(f"({sql})::float as {name}" for name, sql in FEATURES.items())
    db.execute(
        f"create or replace table frequency as select heard_brand, count(*) as n from {register} group by heard_brand"
    )
    db.execute(
        f"""
        create or replace table {target} as
        select p.key, p.id, {columns}
        from {pairs} p join {records} c on c.key = p.key join {register} r on r.id = p.id
        left join frequency f on f.heard_brand = r.heard_brand
        """
    )
