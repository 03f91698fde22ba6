"""Names of enterprises, taken apart in SQL: area, brand, industry, form of organisation, branch.

企业名称登记管理规定 (国务院令第734号) 第六条: a name is 行政区划名称、字号、行业或者经营特点、组织形式, in
this order; household businesses and people in a hurry leave parts out. Nothing here insists on any part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import numpy as np
from pypinyin import pinyin_dict

LEARN_FROM = 400_000  # names looked at to learn industries
OFTEN = 0.0004  # an ending that this share of them has is an industry


FULL_WIDTH = "".join(chr(c) for c in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B)))
HALF_WIDTH = "".join(chr(ord(c) - 0xFEE0) for c in FULL_WIDTH)


@dataclass(frozen=True)
class Vocabulary:
    """What names are made of.

    areas: names of the province, its cities, counties and zones, with and without 市, 县, 区.
    forms: endings that say how it is organised, the longer before the shorter.
    branches: endings of a part of an enterprise.
    """

    areas: tuple[str, ...]
    forms: tuple[str, ...]
    branches: tuple[str, ...]


def vocabulary(regions: Iterable[str], forms: Iterable[str], branches: Iterable[str]) -> Vocabulary:
    """Build one from full names of regions and the endings a pack lists."""
    areas: set[str] = set()
    for name in regions:
        areas.add(name)
        short = re.sub(r"(省|市|自治县|县|区|新区|开发区)$", "", name)
        if len(short) >= 2:
            areas.add(short)
    by_length = lambda words: tuple(sorted(set(words), key=lambda w: (-len(w), w)))  # noqa: E731
    return Vocabulary(by_length(areas), by_length(forms), by_length(branches))


def parse(db: duckdb.DuckDBPyConnection, source: str, target: str, words: Vocabulary) -> None:
    """Make ``target`` from ``source(id, name)``: id, plain, area, core, form, branch.

    ``plain`` is the name without brackets, spaces and full-width letters; ``core`` is what is left of it
    between area and form: brand and industry together.
    """
    areas = "|".join(map(re.escape, words.areas))
    forms = "|".join(map(re.escape, words.forms))
    branches = "|".join(map(re.escape, words.branches))
    which = "第?[一二三四五六七八九十]"
    # Patterns without groups run in linear time in DuckDB; the one with groups is for the few with a branch.
    db.execute(
        f"""
        create or replace table {target} as
        with plain as (
          select id, regexp_replace(
                   lower(case when regexp_matches(name, '[{FULL_WIDTH}]') then translate(name, ?, ?) else name end),
                   '[^0-9a-z\\x{{4e00}}-\\x{{9fff}}]', '', 'g') as plain
          from {source}
        ), cut as (
          select id, plain, regexp_extract(plain, '^(?:{areas}){{1,3}}') as area from plain
        ), rested as (
          select id, plain, area, plain[length(area) + 1 :] as rest from cut
        ), ended as (
          select id, plain, area, rest,
                 case when regexp_matches(rest, '(?:{forms}).{{0,6}}(?:{branches})$|{which}(?:{branches})$')
                 then regexp_extract(
                        rest,
                        '^(.{{2,}}?)(?:({forms})(.{{0,6}}(?:{branches}))?|((?:{which})?(?:{branches})))?$',
                        ['core', 'form', 'branch', 'alone'])
                 else {{'core': '', 'form': regexp_extract(rest, '(?:{forms})$'), 'branch': '', 'alone': ''}} end as b
          from rested
        ), cored as (
          select id, plain, area, rest, b,
                 case when b.core <> '' then b.core else rest[: length(rest) - length(b.form)] end as core
          from ended
        )
        select id, plain, area,
               case when length(core) >= 2 then core else rest end as core,
               case when length(core) >= 2 then b.form else '' end as form,
               b.branch || b.alone as branch
        from cored
        """,
        [FULL_WIDTH, HALF_WIDTH],
    )


def learn_industries(db: duckdb.DuckDBPyConnection, parsed: str) -> None:
    """Make table ``industries(word)``: endings of two to four characters that many cores share."""
    db.execute(
        f"""
        create or replace table industries as
        with sample as (select core from {parsed} using sample {LEARN_FROM} rows (reservoir, 7)),
        endings as (
          select right(core, k) as word, k from sample, (values (2), (3), (4)) as lengths(k) where length(core) > k
        ), counted as (select word, k, count(*) as n from endings group by all)
        select word from counted where n >= greatest(5, ? * (select count(*) from sample))
        """,
        [OFTEN],
    )


def split(db: duckdb.DuckDBPyConnection, parsed: str, target: str) -> None:
    """Make ``target`` from a parsed table: brand and industry apart, and the sound of both.

    The longest known ending is the industry, as long as a character is left for the brand.
    """
    db.execute(
        f"""
        create or replace table {target} as
        select p.*, coalesce(i4.word, i3.word, i2.word, '') as industry,
               p.core[: length(p.core) - length(coalesce(i4.word, i3.word, i2.word, ''))] as brand
        from {parsed} p
        left join industries i4 on length(p.core) > 4 and i4.word = right(p.core, 4)
        left join industries i3 on length(p.core) > 3 and i3.word = right(p.core, 3)
        left join industries i2 on length(p.core) > 2 and i2.word = right(p.core, 2)
        """
    )


def _sounds() -> np.ndarray:
    """Code point → a code point that stands for its sound: without tone, and zh/z, ch/c, sh/s, n/ng, l/n merged."""
    table = np.arange(0x10000, dtype=np.uint32)
    stands: dict[str, int] = {}
    for code, readings in pinyin_dict.pinyin_dict.items():
        if 0x4E00 <= code <= 0x9FFF:
            sound = _merged(readings.split(",")[0])
            table[code] = stands.setdefault(sound, code)
    return table


def _merged(reading: str) -> str:
    import unicodedata

    plain = "".join(c for c in unicodedata.normalize("NFD", reading) if not unicodedata.combining(c))
    plain = re.sub(r"^([zcs])h", r"\1", plain)
    plain = re.sub(r"ng$", "n", plain)
    return re.sub(r"^l", "n", plain)


_TABLE: np.ndarray | None = None


def sound(texts: list[str]) -> list[str]:
    """Texts in which every character is replaced by one that sounds the same; equal sounds become equal texts."""
    global _TABLE
    if _TABLE is None:
        _TABLE = _sounds()
    joined = "\n".join(texts)
    codes = np.frombuffer(joined.encode("utf-32-le"), dtype=np.uint32)
    heard = np.where(codes < 0x10000, _TABLE[np.minimum(codes, 0xFFFF)], codes)
    return heard.astype("<u4").tobytes().decode("utf-32-le").split("\n")
