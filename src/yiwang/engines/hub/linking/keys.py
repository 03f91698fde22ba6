"""Which enterprises could a record mean? Pairs that share a key, unless too many share it.

Each key is one hash of what two writings of the same name, place or number have in common. A record gets the
keys of every reading it may have; an enterprise the same. ``MOST`` keeps a common brand in a big city from
proposing thousands.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

MOST = 60
"""Enterprises that one key may propose. More share it: it says nothing."""

MOST_OF_ONE = 40
"""Candidates of one record that are compared, those that share most keys first."""


@dataclass(frozen=True)
class Key:
    """One way to propose: its name, and SQL that makes the text (null: no such key here).

    The expression may use the columns of a prepared table: core, brand, industry, heard (the sound of core),
    heard_brand, heard_industry, city, region, road, number, phone, licence.
    """

    name: str
    text: str
    most: int = MOST


KEYS = (
    Key("licence", "nullif(licence, '')"),
    Key("phone", "nullif(phone, '')", 20),
    Key("core", "heard"),
    Key("core in city", "case when length(heard) >= 2 then heard || city end", 400),
    Key("brand in county", "case when length(heard_brand) >= 2 then heard_brand || region end", 80),
    Key("brand in city", "case when length(heard_brand) >= 2 then heard_brand || city end"),
    Key("first and industry", "case when industry <> '' then heard[1] || heard_industry || region end"),
    Key("last and industry", "case when industry <> '' then heard_brand[-1] || heard_industry || region end"),
    Key("start", "case when length(heard) >= 4 then heard[:3] || city end"),
    Key("place", "case when number <> '' then region || road || number end", 30),
    Key("place and first", "case when road <> '' then region || road || heard[1] end", 40),
    Key(
        "place and second",
        "case when road <> '' and length(heard) > 1 then region || road || heard[2] end",
        40,
    ),
)


def columns() -> str:
    """SQL for the hash of every key, as columns k0, k1 … of a prepared table; null where there is no such key."""
    return ", ".join(
        f"case when ({way.text}) is not null then hash({way.text}) end as k{n}" for n, way in enumerate(KEYS)
    )


def propose(db: duckdb.DuckDBPyConnection, records: str, register: str, target: str) -> None:
    """Make ``target(key, id, ways)``: pairs of record and enterprise that share a key, and how many keys.

    Args:
        records, register: prepared tables (see ``features.prepare``), with ``key`` and ``id``.
    """
    db.execute(f"create or replace table {target}_all (key bigint, id bigint)")
    for n, way in enumerate(KEYS):
        db.execute(
            f"""
            insert into {target}_all
            with asked as materialized (select key, k{n} as h from {records} where k{n} is not null),
            there as materialized (
              select id, k{n} as h from {register} where k{n} in (select distinct h from asked)
            ), few as (select h from there group by h having count(*) <= {way.most})
            select asked.key, there.id from asked join there using (h) where h in (select h from few)
            """
        )
    db.execute(
        f"""
        create or replace table {target} as
        with pairs as (select key, id, count(*) as ways from {target}_all group by key, id)
        select key, id, ways from pairs
        qualify row_number() over (partition by key order by ways desc, id) <= {MOST_OF_ONE}
        """
    )
    db.execute(f"drop table {target}_all")
