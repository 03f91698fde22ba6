"""一企一档: found by name among all entities, and opened; the product's own search and file, with their ledger entries.

The names lie in the index as the product fills it, the registrations in the hub's table, with a few records about
each enterprise that is asked for. A request is one search by the beginning of a name (with its place, without it,
or the code) and then the file of one that was found, in one transaction each, as an official of the demo.

Bar: p95 of both together ≤ 300 ms with 15,000,000 entities.
"""

import os
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from installation import database
from machine import Others, machine, sizes

BAR_MS = 300
PURPOSE = "事中事后监管"
PLACES = ("济南市历下区", "青岛市市南区", "山东省", "烟台", "")
TRADES = ("餐饮有限公司", "商贸有限公司", "机械制造有限公司", "物流有限公司", "软件科技有限公司")
CHARS = "泉润鲁信达海岱文昌金桥顺和瑞丰齐盛蓝湾百合德源明湖宏远兴隆安康吉祥福永盛昌华茂"


def run(options: list[str]) -> dict:
    """Measure and compare with the bar."""
    chosen = sizes(options, entities=15_000_000, requests=400)
    with database() as folder:
        return _measure(folder, chosen)


def _pick(values, expression: str) -> str:
    listed = ", ".join(f"'{v}'" for v in values)
    return f"(array[{listed}])[({expression}) % {len(values)} + 1]"


def _name(i: str) -> str:
    """SQL of the name of entity ``i``: place, three characters of a brand, a number for the rest, a trade."""
    brand = " || ".join(_pick(CHARS, f"({i} / {len(CHARS) ** k}) + {i}") for k in range(3))
    return f"{_pick(PLACES, f'{i} / 3')} || {brand} || ({i} / 50000)::text || {_pick(TRADES, i)}"


def _measure(folder: Path, chosen: dict[str, int]) -> dict:
    filled = _fill(chosen["entities"])
    others = Others(folder)
    figures = _ask(chosen)
    used = others.used(os.getpid())
    return {
        "bench": "file",
        "machine": machine(),
        "sizes": chosen,
        "figures": {**figures, "fill_s": filled, **used},
        "bars": {
            "p95_ms": {
                "bar": BAR_MS,
                "figure": figures["both"]["p95_ms"],
                "holds": figures["both"]["p95_ms"] <= BAR_MS,
            }
        },
    }


def _fill(n: int) -> dict[str, float]:
    """Registrations into the hub's table, their names into the index."""
    import duckdb
    import pyarrow as pa

    from yiwang.domains.enterprise import names
    from yiwang.engines.hub import api as hub
    from yiwang.engines.hub import tables

    marks = [time.monotonic()]
    dataset = hub.current("ent_registration")
    with hub.owner_connection() as con:
        con.execute("set max_parallel_workers_per_gather = 0")
        tables.create(con, dataset.id, dataset, 1)
        con.execute(
            "insert into hub.ent_registration (_valid_from, uscc, name, kind, status, address, region, opened_on, "
            "approved_on) select date '2020-01-01', '91379901' || lpad(i::text, 9, '0') || 'X', "
            f"{_name('i')}, '1100', '1', '示例路1号', '370102', date '2010-01-01', date '2020-01-01' "
            f"from generate_series(0, {n - 1}) i"
        )
        tables.index(con, dataset.id, dataset)
        con.execute("analyze hub.ent_registration")
        for id in ("penalties", "inspections", "complaints", "annual_reports", "ent_relations"):
            tables.ensure(con, hub.current(id))
        for id in (
            *(
                "ent_registration",
                "penalties",
                "inspections",
                "complaints",
                "annual_reports",
                "ent_relations",
            ),
        ):
            d = hub.current(id)
            con.execute(
                "insert into hub_holding (dataset, name, department, contract_version, key, subject_field, rows) "
                "values (%s, %s, %s, 1, to_jsonb(%s::text[]), %s, 1)",
                [id, d.name, d.department, list(d.key), d.subject_field],
            )
        marks.append(time.monotonic())

        def batches():
            with con.transaction(), con.cursor("names") as cursor:
                cursor.itersize = 200_000
                cursor.execute("select uscc, name, region from hub.ent_registration")
                while rows := cursor.fetchmany(200_000):
                    yield pa.table(
                        dict(zip(("uscc", "name", "region"), zip(*rows, strict=True), strict=True))
                    )

        db = duckdb.connect()
        db.execute("create table source (uscc varchar, name varchar, region varchar)")
        for batch in batches():
            db.register("batch", batch)
            db.execute("insert into source select * from batch")
        marks.append(time.monotonic())
        names.fill(con, db, "select * from source")
        marks.append(time.monotonic())
        con.execute(
            "insert into hub.penalties (_delivery, _seen, _row, _valid_from, decision_no, uscc, name, kind, procedure, "
            "facts, law, content, decided_on, authority) select 1, 1, i, date '2026-06-01', '罚' || i, '91379901' || "
            "lpad((i * 37 %% %s)::text, 9, '0') || 'X', '示例', '02', '2', '示例', '示例', '示例', date '2026-06-01', "
            "'示例' from generate_series(1, least(%s, 1000000)) i",
            [n, n // 5],
        )
        con.execute("analyze hub.penalties")
        con.execute(
            "insert into hub.ent_relations (_delivery, _seen, _row, _valid_from, uscc, name, other_uscc, other_name, "
            "kind, share, since) select 1, 1, i, date '2020-01-01', '91379901' || lpad((i %% %s)::text, 9, '0') || 'X', "
            "'示例公司', '91379901' || lpad(((i * 7 + 1) %% %s)::text, 9, '0') || 'X', '另一示例公司', '1', 30, "
            "date '2020-01-01' from generate_series(1, least(%s, 1000000)) i on conflict do nothing",
            [n, n, n],
        )
        con.execute("analyze hub.ent_relations")
    told = ("registrations", "read_back", "index")
    return {name: round(b - a, 1) for name, a, b in zip(told, marks, marks[1:], strict=False)}


def _ask(chosen: dict[str, int]) -> dict:
    from yiwang.domains.enterprise import names, queries, showing
    from yiwang.engines.hub import api as hub
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting

    chance = random.Random(7)
    with hub.owner_connection() as con:
        wanted = con.execute(
            "select uscc, name from hub.ent_registration where uscc = any(%s)",
            [[f"91379901{chance.randrange(chosen['entities']):09d}X" for _n in range(chosen["requests"])]],
        ).fetchall()
    searched, opened, both, found_it = [], [], [], 0
    for turn, (uscc, name) in enumerate(wanted):
        plain = name.replace("有限公司", "")
        text = (name, plain[: len(plain) // 2 + 3], names.core(names.plain(plain)), uscc)[turn % 4]
        began = time.perf_counter()
        with acting(SYSTEM):
            found = names.search(text, PURPOSE)
        mark = time.perf_counter()
        with acting(SYSTEM):
            file = queries.file_of(SYSTEM, found[0][0] if found else uscc, PURPOSE)
            showing.shown_file(SYSTEM, file, PURPOSE)  # relations, sources side by side, evaluations
        ended = time.perf_counter()
        assert file.registration is not None
        found_it += uscc in [f[0] for f in found]
        if turn >= 20:  # the first ones open connections and fill caches of code
            searched.append(mark - began)
            opened.append(ended - mark)
            both.append(ended - began)
    return {
        "search": _told(searched), "open": _told(opened), "both": _told(both),
        "found_share": round(found_it / len(wanted), 3),
    }  # fmt: skip


def _told(seconds: list[float]) -> dict[str, float]:
    seconds.sort()
    return {
        "p50_ms": round(1000 * statistics.median(seconds), 1),
        "p95_ms": round(1000 * seconds[int(len(seconds) * 0.95)], 1),
        "most_ms": round(1000 * seconds[-1], 1),
    }
