"""Records without a code find their enterprise: the job after deliveries. See engines/hub/linking for how.

The model is trained on the register's own labelled records, those that came with a code. It accepts what is so
likely that labelled records were right as often as the engine asks, and for which a number or a place agrees too;
what is likely waits for a person; the rest is left. Records with a code carry the registered name, so the model
learns little of names cut short: where a telephone agrees, or the house with the brand, a person looks whatever the
model says. Former names are names. As the owner, in the collector's process.
"""

from __future__ import annotations

import hashlib
import json
import string
import tempfile
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import numpy as np
import psycopg
import pyarrow
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop
from psycopg.types.json import Jsonb

from yiwang.engines.hub import api as hub
from yiwang.engines.hub.contracts import Dataset
from yiwang.engines.hub.linking.linker import REVIEW, Linker
from yiwang.engines.hub.linking.names import Vocabulary, vocabulary
from yiwang.kernel.events.api import emit_on
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.purposes import purpose_of
from yiwang.kernel.orgs.models import Region
from yiwang.kernel.packs import api as packs

from . import bulk, tables
from .risk.contracts import SEPARATOR, Table
from .risk.sql import name

PURPOSE = "数据管理"
FORMER = "former_name"  # of the register, where it has one
LICENCE = "licence_no"  # of records, where they have one
LEAST_LABELLED = 40  # with fewer labelled records nothing is learnt, and nothing linked
MOST = 200_000  # records of one round
MEMORY = "5GB"
_NARROW = string.digits + string.ascii_letters + "()"
_WIDE = "".join(chr(ord(c) + 0xFEE0) for c in _NARROW)
STRONG = {
    "phone": gettext_noop("电话相同"), "licence": gettext_noop("许可证号相同"),
    "number": gettext_noop("门牌号相同"), "road": gettext_noop("道路相同"),
}  # fmt: skip
WORDS = {
    "plain_same": gettext_noop("名称完全相同"), "core_same": gettext_noop("字号和行业相同"),
    "brand_same": gettext_noop("字号相同"), "brand_heard": gettext_noop("字号读音相同"),
    "industry": gettext_noop("行业相同"), "form": gettext_noop("组织形式相同"), **STRONG,
}  # fmt: skip


# Enough for a person to look: read from the engine's comparison of a pair.
WORTH = "phone = 1 or licence = 1 or (number = 1 and (brand_same = 1 or brand_heard = 1 or begins = 1))"


def linkable(table: Table) -> list[Dataset]:
    """Datasets of the points table whose records may come without a code."""
    return [d for d in table.datasets.values() if not d.field(d.subject_field).required and "name" in d.by_id]


def words() -> Vocabulary:
    """What names are made of, from the packs."""
    (parts,) = packs.current().all("name_parts")
    regions = Region.objects.filter(level__in=("province", "city", "county")).values_list("name", flat=True)
    return vocabulary(regions, parts.data["forms"], parts.data["branches"])


def run() -> dict[str, dict[str, int]]:
    """Link what has not been looked at; returns by dataset how many were accepted, put to review, left."""
    table, told = tables.current(), {}
    if table is None:
        return {}
    with hub.owner_connection() as con:
        if con.execute("select pg_try_advisory_lock(hashtext('yiwang link'))").fetchone() != (True,):
            return {}
        for dataset in linkable(table):
            others = [table.subjects.id, *(said["dataset"] for said in _numbered())]
            mark, last = [_latest(con, [dataset.id]), _latest(con, others)], _read_marks().get(dataset.id)
            if mark == last:
                continue
            with tempfile.TemporaryDirectory(dir=_folder()) as spill, duckdb.connect() as db:
                db.execute(f"set memory_limit = '{MEMORY}'; set temp_directory = '{spill}'")
                today, now = timezone.localdate(), timezone.now()
                bulk.relations(db, con, table, today, now, hub.lake_root())
                _licences(db, con, table, today, now)
                told[dataset.id] = _link(
                    con, Linker(db, words()), table, dataset, not last or mark[1] != last[1]
                )
            _marks().write_text(json.dumps({**_read_marks(), dataset.id: mark}))
    return told


def _licences(
    db: duckdb.DuckDBPyConnection, con: psycopg.Connection, table: Table, on: date, now: Any
) -> None:
    """``licences(no, uscc, one)``: whose a number is; ``one`` stands for all that the enterprise has.

    A number of two enterprises says nothing. Each enterprise is compared by one number, so a record's own is put
    down as that one.
    """
    db.execute("create table numbered (no varchar, uscc varchar)")
    for said in _numbered():
        dataset = hub.find(said["dataset"])
        if dataset is None:
            continue
        if dataset.id not in table.datasets:
            bulk.relation(db, con, dataset, on, now, hub.lake_root())
        db.execute(
            f"insert into numbered select {_number(said['field'])}, {name(dataset.subject_field)} "
            f"from {name(dataset.id)} where {name(said['field'])} is not null"
        )
    db.execute(
        "create table licences as select no, any_value(uscc) as uscc, "
        "min(no) over (partition by any_value(uscc)) as one from numbered where uscc is not null and no <> '' "
        "group by no having count(distinct uscc) = 1"
    )


def _numbered() -> list[dict[str, str]]:
    """Where numbers of licences are told, as the pack says: {dataset, field}."""
    (parts,) = packs.current().all("name_parts")
    return list(parts.data.get("licences", ()))


def _number(field: str) -> str:
    """A number as it is compared: without blanks, in capitals of one width."""
    narrow = f"translate({name(field)}::varchar, '{_WIDE}', '{_NARROW}')"
    return f"upper(regexp_replace({narrow}, '[\\s\u3000]', '', 'g'))"


def _folder() -> Path:
    folder = Path(settings.ENV.var / "link")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _marks() -> Path:
    return _folder() / "marks.json"


def _read_marks() -> dict[str, list[int]]:
    return json.loads(_marks().read_text()) if _marks().exists() else {}


def _latest(con: psycopg.Connection, datasets: list[str]) -> int:
    """The number of the latest delivery of some datasets, 0 when there is none."""
    ((latest,),) = con.execute(
        "select coalesce(max(seq), 0) from hub_delivery where state = 'loaded' and dataset = any(%s)",
        [datasets],
    ).fetchall()
    return int(latest)


def _column(dataset: Dataset, id: str) -> str:
    return f"coalesce({name(id)}::varchar, '')" if id in dataset.by_id else "''"


def _link(
    con: psycopg.Connection, linker: Linker, table: Table, dataset: Dataset, again: bool
) -> dict[str, int]:
    """Link one dataset's records; ``again``: also ask those that were left before."""
    db, subjects = linker.db, table.subjects
    columns = ("name", "region", "address", "phone")
    db.execute(
        f"create table told as select {name(subjects.subject_field)} as uscc, false as former, "
        f"{', '.join(f'{_column(subjects, c)} as {c}' for c in columns)} from {name(subjects.id)}"
    )
    if FORMER in subjects.by_id:  # a row of its own for each name it had
        db.execute(
            f"insert into told select {name(subjects.subject_field)}, true, trim(former), "
            f"{', '.join(_column(subjects, c) for c in columns[1:])} from (select *, "
            f"unnest(regexp_split_to_array(coalesce({name(FORMER)}::varchar, ''), '[、；;，,]')) as former "
            f"from {name(subjects.id)}) as each where trim(former) <> ''"
        )
    db.execute(
        "create table register_source as select row_number() over () as id, told.*, coalesce(l.one, '') as licence "
        "from told left join (select uscc, any_value(one) as one from licences group by uscc) l using (uscc)"
    )
    key = " || chr(31) || ".join(f"{name(k)}::varchar" for k in dataset.key)
    subject = name(dataset.subject_field)
    own = _number(LICENCE) if LICENCE in dataset.by_id else "null"
    db.execute(
        "create table records_source as select r.* exclude (no), coalesce(l.one, r.no, '') as licence, "
        f"md5(concat_ws(chr(31), {', '.join(columns)}, coalesce(r.no, ''))) as about from ("
        f"select row_number() over () as key, {key} as record, {subject} as uscc, "
        f"{', '.join(f'{_column(dataset, c)} as {c}' for c in columns)}, {own} as no from {name(dataset.id)}) r "
        "left join licences l on l.no = r.no"
    )
    db.execute(
        "create table coded as select row_number() over () as key, r.* exclude (key, record, uscc, about), g.id as truth "
        "from records_source r "
        f"join register_source g using (uscc) where not g.former limit {MOST}"
    )
    _undo_changed(con, db, dataset)
    _choose(con, db, dataset, again)
    counts = dict.fromkeys(("accepted", "review", "left"), 0)
    ((coded, asked),) = db.execute(
        "select (select count(*) from coded), (select count(*) from asked)"
    ).fetchall()
    if coded < LEAST_LABELLED or not asked:
        return counts | {"left": asked}
    linker.index("register_source")
    linker.learn("coded")
    links = linker.link("asked")
    version = hashlib.sha256(linker.model.booster.model_to_string().encode()).hexdigest()[:16]
    refused = set(  # by a person; what the system undid may be found again
        con.execute(
            "select key, uscc from enterprise_link where dataset = %s and state in ('rejected', 'undone') "
            "and by <> 'system'",
            [dataset.id],
        ).fetchall()
    )
    rows = [r for r in _rows(linker, links, version) if r[:2] not in refused]
    counts["accepted"] = sum(r[-1] == "accepted" for r in rows)
    counts |= {"review": len(rows) - counts["accepted"], "left": asked - len(rows)}
    with con.transaction():
        _note(con, dataset, [r[1] for r in rows])
        con.cursor().executemany(
            "insert into enterprise_link (id, dataset, key, uscc, about, score, margin, model, evidence, name_only, "
            "state, at, by, accepted_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now(), 'system', "
            "case when %s = 'accepted' then now() end) on conflict do nothing",
            [(new_id(), dataset.id, *r[:6], Jsonb(r[6]), r[7], r[8], r[8]) for r in rows],
        )
        _leave(con, db, dataset, {r[0] for r in rows})
        _tell(con, [r[1] for r in rows if r[-1] == "accepted"])
    return counts


def _tell(con: psycopg.Connection, codes: list[str]) -> None:
    """Whose files and classes follow; of many, the run over all is due (``running.due``)."""
    if len(codes) <= hub.TOUCHED:
        for uscc in dict.fromkeys(codes):
            emit_on(con, "enterprise.linked", {"uscc": uscc})


def _undo_changed(con: psycopg.Connection, db: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    """Links of records that say something else now than when they were compared: the record is asked anew."""
    known = con.execute(
        "select id::text, key, about from enterprise_link where dataset = %s and state in ('accepted', 'review')",
        [dataset.id],
    ).fetchall()
    bulk.take(db, "known", ("id", "key", "about"), known)
    changed = db.execute(
        "select k.id from known k join records_source r on r.record = k.key where k.about <> '' and k.about <> r.about"
    ).fetchall()
    if not changed:
        return
    with con.transaction():
        undone = con.execute(
            "update enterprise_link l set state = 'undone', by = 'system', undone_at = now() from "
            "(select id, state from enterprise_link where id = any(%s) for update) was "
            "where l.id = was.id and was.state in ('accepted', 'review') returning l.uscc, was.state",
            [[UUID(id) for (id,) in changed]],
        ).fetchall()
        _tell(con, [uscc for uscc, state in undone if state == "accepted"])
    db.execute("delete from known where id in (select unnest(?))", [[id for (id,) in changed]])


def _choose(con: psycopg.Connection, db: duckdb.DuckDBPyConnection, dataset: Dataset, again: bool) -> None:
    """Make ``asked``: new and changed records first; ``again``: then those left before, the longest ago first."""
    left = con.execute(
        "select key, about, extract(epoch from at)::float8 from enterprise_unlinked where dataset = %s",
        [dataset.id],
    ).fetchall()
    bulk.take(db, "unlinked", ("record", "about", "at"), left)
    db.execute(
        "create table asked as select r.* exclude (uscc, record, about) from records_source r "
        "left join unlinked u on u.record = r.record and u.about = r.about where r.uscc is null "
        f"and r.record not in (select key from known) and (u.at is null or {again}) "
        f"order by u.at nulls first limit {MOST}"
    )


def _leave(con: psycopg.Connection, db: duckdb.DuckDBPyConnection, dataset: Dataset, found: set[str]) -> None:
    """Remember which records were asked for nothing."""
    asked = db.execute("select record, about from asked join records_source using (key)").fetchall()
    con.execute("create temp table asked (key varchar(400), about varchar(32), found boolean) on commit drop")
    with con.cursor().copy("copy asked from stdin") as copy:
        for record, about in asked:
            copy.write_row((record, about, record in found))
    con.execute(
        "delete from enterprise_unlinked u using asked a where u.dataset = %s and u.key = a.key and a.found",
        [dataset.id],
    )
    con.execute(
        "insert into enterprise_unlinked (dataset, key, about, at) "
        "select %s, key, about, now() from asked where not found "
        "on conflict (dataset, key) do update set about = excluded.about, at = excluded.at",
        [dataset.id],
    )


def _rows(linker: Linker, links: Any, version: str) -> list[tuple[Any, ...]]:
    """(record, uscc, about, score, margin, model, evidence, name_only, state) of links worth a look."""
    db = linker.db
    chosen = np.flatnonzero(links.score >= REVIEW)
    likely = {c: np.asarray(getattr(links, c))[chosen] for c in ("key", "id", "score", "margin", "accepted")}
    db.register("likely", pyarrow.table(likely))
    told = list(WORDS)
    rows = db.execute(
        "with worth as ("
        f"  select key, id, 0.0 as score, 0.0 as margin, false as accepted from compared where {WORTH} "
        "  and key not in (select key from likely) qualify row_number() over (partition by key order by "
        "  coalesce(phone, 0) + coalesce(licence, 0) + coalesce(number, 0) + coalesce(brand_same, 0) + "
        "  coalesce(industry, 0) desc, core_jaro desc) = 1), "
        "pairs as (select key, id, score, margin, accepted from likely union all select * from worth) "
        f"select r.record, g.uscc, r.about, p.score, p.margin, p.accepted, {', '.join(f'c.{w}' for w in told)} "
        "from pairs p join compared c using (key, id) join records_source r on r.key = p.key "
        "join register_source g on g.id = p.id order by p.score desc, r.record"
    ).fetchall()
    found = []
    for record, uscc, about, score, margin, accepted, *features in rows:
        same = {w for w, value in zip(told, features, strict=True) if value == 1}
        name_only = not same & STRONG.keys()
        state = "accepted" if accepted and not name_only else "review"
        evidence = [WORDS[w] for w in told if w in same]
        found.append((record, uscc, about, score, margin, version, evidence, name_only, state))
    return found


def _note(con: psycopg.Connection, dataset: Dataset, codes: list[str]) -> None:
    """One use for the round, an entry for each enterprise that something was found for."""
    if codes:
        why, keys = purpose_of(PURPOSE), sorted(set(codes))
        con.execute("select set_config('app.actor', 'system', true)")
        con.execute(
            "select ledger_note(%s, %s, 'name,region,address,phone', %s, %s, null, null, 'enterprise', %s, %s)",
            [new_id(), f"hub.{dataset.id}", why.name, why.basis, keys, [True] * len(keys)],
        )


def key_parts(dataset: Dataset, key: str) -> dict[str, str]:
    """A record's key as fields."""
    return dict(zip(dataset.key, key.split(SEPARATOR), strict=True))
