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
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import psycopg
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
            bears_on_it = [dataset.id, table.subjects.id, *(said["dataset"] for said in _numbered())]
            mark = _latest(con, bears_on_it)
            if mark <= _read_marks().get(dataset.id, 0):
                continue
            db = duckdb.connect()
            today, now = timezone.localdate(), timezone.now()
            bulk.relations(db, con, table, today, now, hub.lake_root())
            _licences(db, con, table, today, now)
            linker = Linker(db, words())
            told[dataset.id] = _link(con, linker, table, dataset)
            _marks().write_text(json.dumps({**_read_marks(), dataset.id: mark}))
            db.close()
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


def _marks() -> Path:
    folder = Path(settings.ENV.var / "link")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "linked.json"


def _read_marks() -> dict[str, int]:
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


def _link(con: psycopg.Connection, linker: Linker, table: Table, dataset: Dataset) -> dict[str, int]:
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
    known = con.execute(  # one that was rejected or undone may still belong to another enterprise
        "select distinct key from enterprise_link where dataset = %s and state in ('accepted', 'review')",
        [dataset.id],
    ).fetchall()
    db.execute("create table known (key varchar)")
    if known:
        db.executemany("insert into known values (?)", known)
    key = " || chr(31) || ".join(f"{name(k)}::varchar" for k in dataset.key)
    subject = name(dataset.subject_field)
    own = _number(LICENCE) if LICENCE in dataset.by_id else "null"
    db.execute(
        "create table records_source as select r.* exclude (no), coalesce(l.one, r.no, '') as licence from ("
        f"select row_number() over () as key, {key} as record, {subject} as uscc, "
        f"{', '.join(f'{_column(dataset, c)} as {c}' for c in columns)}, {own} as no from {name(dataset.id)}) r "
        "left join licences l on l.no = r.no"
    )
    db.execute(
        "create table coded as select row_number() over () as key, r.* exclude (key, record, uscc), g.id as truth "
        "from records_source r "
        f"join register_source g using (uscc) where not g.former limit {MOST}"
    )
    db.execute(
        "create table asked as select * exclude (record, uscc) from records_source where uscc is null "
        f"and record not in (select key from known) limit {MOST}"
    )
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
    refused = set(
        con.execute(
            "select key, uscc from enterprise_link where dataset = %s and state in ('rejected', 'undone')",
            [dataset.id],
        ).fetchall()
    )
    rows = [r for r in _rows(linker, dataset, links, version) if r[1:3] not in refused]
    counts["left"] = asked - len(rows)
    with con.transaction():
        _note(con, dataset, [r[2] for r in rows])
        for row in rows:
            counts["accepted" if row[8] == "accepted" else "review"] += 1
            con.execute(
                "insert into enterprise_link (id, dataset, key, uscc, score, margin, model, evidence, name_only, state, "
                "at, by, accepted_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now(), 'system', "
                "case when %s = 'accepted' then now() end) on conflict do nothing",
                [new_id(), dataset.id, *row[1:5], row[5], Jsonb(row[6]), row[7], row[8], row[8]],
            )
            if row[8] == "accepted":
                emit_on(con, "enterprise.linked", {"uscc": row[2]})
    return counts


def _rows(linker: Linker, dataset: Dataset, links: Any, version: str) -> list[tuple[Any, ...]]:
    """(place, record, uscc, score, margin, model, evidence, name_only, state) of links worth a look."""
    db = linker.db
    chosen = np.flatnonzero(links.score >= REVIEW)
    pairs = [
        (
            int(links.key[n]),
            int(links.id[n]),
            float(links.score[n]),
            float(links.margin[n]),
            bool(links.accepted[n]),
        )
        for n in chosen
    ]
    have = {place for place, *_rest in pairs}
    worth = db.execute(
        f"select key, id from compared where {WORTH} qualify row_number() over (partition by key order by "
        "coalesce(phone, 0) + coalesce(licence, 0) + coalesce(number, 0) + coalesce(brand_same, 0) + "
        "coalesce(industry, 0) desc, core_jaro desc) = 1"
    ).fetchall()
    pairs += [(int(key), int(id), 0.0, 0.0, False) for key, id in worth if key not in have]
    found = []
    for place, id, score, margin, accepted in pairs:
        features = db.execute("select * from compared where key = ? and id = ?", [place, id])
        names = [d[0] for d in features.description]
        told = dict(zip(names, features.fetchone() or (), strict=True))
        evidence = [said for feature, said in WORDS.items() if told.get(feature) == 1]
        name_only = not any(told.get(feature) == 1 for feature in STRONG)
        ((record,),) = db.execute("select record from records_source where key = ?", [place]).fetchall()
        ((uscc,),) = db.execute("select uscc from register_source where id = ?", [id]).fetchall()
        state = "accepted" if accepted and not name_only else "review"
        found.append((place, record, uscc, score, margin, version, evidence, name_only, state))
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
