"""Risk classes of all enterprises from everything recorded about them, and of one after one change.

A seeded world is written into the lake as the collector would have left it: registrations, and records in the
proportions of the datasets. ``grade`` is the statement from Parquet to classes; ``store`` the first run's copy into
PostgreSQL; ``again`` a second run on the next day, of which only changes are written. For the one change, penalties
lie in PostgreSQL as well (``held`` of them): a decision is delivered, collected, handled, and read back with its
reasons. Ten enterprises are graded one by one too, and must agree.

Bars: all graded and stored ≤ 60 s with 30,000,000 records (in proportion for more); one change visible ≤ 5 s.
"""

import json
import os
import sys
import time
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from installation import database
from machine import Others, machine, sizes

ENTERPRISES, RECORDS = 5_000_000, 30_000_000
ALL_SECONDS, ONE_SECONDS = 60, 5
ON = date(2026, 11, 25)
# Of a hundred records, so many are of each dataset.
SHARES = {
    "annual_reports": 35, "tax_status": 15, "social_insurance": 20, "inspections": 8, "penalties": 5, "judicial": 2,
    "complaints": 10, "public_credit": 4, "industry_credit": 1,
}  # fmt: skip


def run(options: list[str]) -> dict:
    """Measure and compare with the bars."""
    chosen = sizes(options, enterprises=ENTERPRISES, records=RECORDS, held=1_000_000, memory_gb=6)
    with database() as folder:
        return _measure(folder, chosen)


def _measure(folder: Path, chosen: dict[str, int]) -> dict:
    from yiwang.domains.enterprise import running

    counts = _world(folder / "lake", chosen)
    memory = f"{chosen['memory_gb']}GB"
    others = Others(folder)
    first = running.run(ON, memory)
    used = others.used(os.getpid())
    again = running.run(ON + timedelta(days=1), memory)
    agree = _agree()
    one = _one_change(folder)
    whole = first["grade"] + first["store"]
    bar = ALL_SECONDS * max(1, chosen["records"] / RECORDS)
    seconds = sum(one["seconds"].values())
    return {
        "bench": "grade",
        "machine": machine(),
        "sizes": chosen,
        "figures": {
            "records": counts, "first": first, "again": again, "classes": _classes(), "one_change": one,
            "one_by_one_agrees": agree, **used,
        },
        "bars": {
            "all_s": {"bar": bar, "figure": round(whole, 1), "holds": whole <= bar},
            "one_s": {"bar": ONE_SECONDS, "figure": round(seconds, 2), "holds": seconds <= ONE_SECONDS},
            "one_by_one_agrees": {"bar": True, "figure": agree, "holds": agree},
        },
    }  # fmt: skip


VALUES = {
    "ent_registration": {
        "name": "concat('示例', i, '号公司')", "kind": "'1100'", "status": "case when i % 50 = 0 then '6' else '1' end",
        "opened_on": "date '2005-01-01' + (rnd(i) % 7900)::int",
        "approved_on": "date '2005-01-01' + (rnd(i) % 7900)::int",
        "industry": "(['H62', 'C14', 'F52', 'C35', 'I65'])[i % 5 + 1]", "region": "'370102'", "address": "'示例路'",
    },
    "annual_reports": {
        "year": "2020 + i % 6", "state": "case when rnd(i) % 30 = 0 then '2' else '1' end", "reported_on": "{d}",
    },
    "tax_status": {
        "state": "case when rnd(i) % 60 = 0 then '03' else '01' end", "changed_on": "{d}",
        "grade": "(['A', 'B', 'M', 'C', 'D'])[rnd(i) % 5 + 1]", "arrears": "0",
    },
    "social_insurance": {
        "kind": "'110'", "state": "'1'", "owed_months": "case when rnd(i) % 40 = 0 then 4 else 0 end",
        "changed_on": "{d}",
    },
    "inspections": {
        "inspection_no": "concat('JC', i)", "kind": "'1'", "item": "'示例'", "inspected_on": "{d}", "authority": "'示例'",
        "result": "case when rnd(i) % 6 = 0 then '2' when rnd(i) % 50 = 1 then '5' else '1' end",
    },
    "penalties": {
        "decision_no": "concat('罚', i)", "kind": "(['01', '02', '02', '03'])[rnd(i) % 4 + 1]", "procedure": "'2'",
        "facts": "'示例'", "law": "'示例'", "content": "'示例'", "decided_on": "{d}", "fine": "(rnd(i) % 200) / 10.0",
        "public_until": "{d} + 365", "authority": "'示例'",
    },
    "judicial": {
        "case_no": "concat('案', i)", "kind": "(['1', '2', '3', '4'])[rnd(i) % 4 + 1]",
        "court": "'示例'", "published_on": "{d}",
    },
    "complaints": {
        "complaint_no": "concat('TS', i)", "kind": "'1'", "received_at": "{d}::timestamp", "problem": "'示例'",
        "region": "'370102'",
        "state": "'40'", "upheld": "case when rnd(i) % 3 = 0 then '是' else '否' end",
    },
    "public_credit": {
        "evaluator": "'示例'", "grade": "(['1', '2', '2', '3', '4'])[rnd(i) % 5 + 1]", "evaluated_on": "{d}",
        "valid_until": "{d} + 365",
    },
    "industry_credit": {
        "evaluator": "'示例'", "industry": "'H62'", "grade": "(['A', 'B', 'C', 'D'])[rnd(i) % 4 + 1]",
        "evaluated_on": "{d}", "valid_until": "{d} + 730",
    },
}  # fmt: skip
DAY = f"(date '{ON}' - (rnd(i + 7) % 1500)::int)"


def code(row: str) -> str:
    """SQL for the code of enterprise number ``row``; not a valid one, since nothing checks it here."""
    return f"concat('91379901', lpad(({row})::varchar, 9, '0'), 'X')"


def _world(lake: Path, chosen: dict[str, int]) -> dict[str, int]:
    """Write the lake and its deliveries; returns rows by dataset."""
    import duckdb

    from yiwang.domains.enterprise import bulk
    from yiwang.engines.hub import api as hub

    db = duckdb.connect()
    db.execute("create macro rnd(x) as (hash(x) >> 2)::bigint")
    db.execute("set memory_limit = '3GB'; set enable_progress_bar = false")
    counts = {"ent_registration": chosen["enterprises"]}
    counts |= {id: chosen["records"] * share // 100 for id, share in SHARES.items()}
    for seq, (id, rows) in enumerate(counts.items(), 1):
        dataset = hub.current(id)
        told = {k: v.replace("{d}", DAY) for k, v in VALUES[id].items()}
        # A fifth of the enterprises get most of what is recorded on misconduct; reports and states are everybody's.
        n = chosen["enterprises"]
        owner = "i" if id == "ent_registration" else f"i % {n}"
        if id in ("penalties", "inspections", "complaints", "judicial"):
            owner = f"rnd(i + {seq}) % case when i % 4 = 0 then {n} else {max(n // 5, 1)} end"
        told[dataset.subject_field] = code(owner)
        columns = ", ".join(
            f'({told.get(f.id, "null")})::{bulk._type(f)} as "{f.id}"' for f in dataset.fields
        )
        folder = lake / id / f"d{seq:08d}"
        folder.mkdir(parents=True)
        since = told.get(dataset.valid_from, f"date '{ON}'")
        for low in range(0, rows, 500_000):  # files of the size that the collector makes
            db.execute(
                f"copy (select {seq} as _delivery, {seq} as _seen, i::int as _row, ({since})::date as _valid_from, "
                f"false as _withdrawn, {columns} from range({low}, {min(rows, low + 500_000)}) t(i)) "
                f"to '{folder}/{low:012d}.parquet' (format parquet, compression snappy)"
            )
        _delivered(id, seq, rows)
    _hold(counts["penalties"], chosen)
    db.close()
    return counts


def _delivered(id: str, seq: int, rows: int) -> None:
    from yiwang.engines.hub import api as hub

    with hub.owner_connection() as con:
        con.execute(
            "insert into hub_delivery (seq, uid, dataset, contract_version, release, actor, actor_name, channel, name, "
            "batch, size, path, sha256, mode, as_of, received_at, not_before, loaded_at, state, attempts, error, counts, "
            "tally, messages, seconds, workbook, lake_version) values (%s, gen_random_uuid(), %s, 1, '', 'system', "
            "'bench', 'system', 'bench', '', 1, '', '', 'change', now(), now(), now(), now(), 'loaded', 1, '', %s, "
            "'[]', '[]', '{}', '', 0)",
            [seq, id, json.dumps({"good": rows, "new": rows})],
        )
        con.execute("select setval(pg_get_serial_sequence('hub_delivery', 'seq'), %s)", [seq])


def _hold(rows: int, chosen: dict[str, int]) -> None:
    """Penalties and the registration of the enterprise that will change, in PostgreSQL's tables as well."""
    from yiwang.engines.hub import api as hub
    from yiwang.engines.hub import tables

    with hub.owner_connection() as con:
        for id in ("ent_registration", "penalties"):
            tables.ensure(con, hub.current(id))
        con.execute(
            "insert into hub.penalties (_delivery, _seen, _row, _valid_from, decision_no, uscc, name, kind, procedure, "
            "facts, law, content, decided_on, authority) select 6, 6, i, date '2026-01-01', '罚' || i, '91379901' || "
            "lpad((i % %s)::text, 9, '0') || 'X', '示例', '02', '2', '示例', '示例', '示例', date '2026-01-01', '示例' "
            "from generate_series(1, %s) i".replace("i % %s", "i %% %s"),
            [chosen["enterprises"], min(rows, chosen["held"])],
        )


def _agree(some: int = 10) -> bool:
    """Whether single enterprises, read from the same files, get the class that the statement gave them."""
    import duckdb

    from yiwang.domains.enterprise import bulk, tables
    from yiwang.domains.enterprise.regrading import typed
    from yiwang.domains.enterprise.risk.contracts import Record
    from yiwang.domains.enterprise.risk.rules import grade
    from yiwang.engines.hub import api as hub

    table, on = tables.current(), ON + timedelta(days=1)
    with hub.owner_connection() as con, duckdb.connect() as db:
        bulk.relations(db, con, table, on, "infinity", hub.lake_root())
        stored = con.execute(
            "select uscc, grade, total from enterprise_grade order by total desc limit %s", [some]
        )
        for uscc, was, total in stored.fetchall():
            records = []
            for id, dataset in table.datasets.items():
                found = db.execute(f'select * from "{id}" where "{dataset.subject_field}" = ?', [uscc])
                names = [d[0] for d in found.description]
                records += [
                    Record(id, typed(dataset, dict(zip(names, row, strict=True)))) for row in found.fetchall()
                ]
            own = next(r.values for r in records if r.dataset == table.subjects.id)
            told = grade(table, own, records, on)
            if (told.id, told.total) != (was, total):
                return False
    return True


def _classes() -> dict[str, int]:
    from yiwang.engines.hub import api as hub

    with hub.owner_connection() as con:
        return dict(
            con.execute(
                "select grade, count(*) from enterprise_grade group by grade order by grade"
            ).fetchall()
        )


def _one_change(folder: Path) -> dict:
    """A penalty of an enterprise that had none: delivered, collected, graded, read with its reasons."""
    from yiwang.domains.enterprise import queries, regrading
    from yiwang.engines.hub import api as hub
    from yiwang.engines.hub.codes import CREDIT, is_uscc
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.events.api import dispatch_one

    uscc = next(c for c in ("91379901YY0000001" + x for x in CREDIT) if is_uscc(c))
    first, change = folder / "first.csv", folder / "change.csv"
    head = "统一社会信用代码,企业名称,类型,登记状态,住所,所在区划,成立日期,核准日期\n"
    first.write_text(head + f"{uscc},示例公司,1100,1,示例路1号,370102,2015-01-01,2015-01-01\n")
    with acting(SYSTEM):
        hub.by_system("ent_registration", first.name, first)
    hub.collect_once()
    while dispatch_one():
        pass
    with acting(SYSTEM):
        before = regrading.regrade(uscc, "delivery")
    change.write_text(
        "处罚决定书文号,统一社会信用代码,行政相对人名称,处罚类别,处罚程序,违法事实,处罚依据,处罚内容,罚款金额（万元）,"
        f"处罚决定日期,处罚机关\n示例罚新1号,{uscc},示例公司,02,2,示例,示例,示例,1,2026-11-20,示例\n"
    )
    with acting(SYSTEM):
        hub.by_system("penalties", change.name, change)
    marks = [time.perf_counter()]
    hub.collect_once()
    marks.append(time.perf_counter())
    while dispatch_one():
        pass
    marks.append(time.perf_counter())
    with acting(SYSTEM):
        file = queries.file_of(SYSTEM, uscc, "事中事后监管")
    marks.append(time.perf_counter())
    names = ("collect", "grade", "file")
    return {
        "seconds": {n: round(b - a, 3) for n, a, b in zip(names, marks, marks[1:], strict=False)},
        "class": [before.id, file.standing["grade"]["grade"]],
        "explained": [p.indicator.id for p in file.grade.points if p.counts],
    }
