"""What collecting a province's registrations costs: the first load, then a day's change, on an installation's database.

The file is made by a seeded generator, which is not counted: 16 columns, codes with right check digits, a few in
ten thousand rows wrong, a few repeated. Everything runs through the product's own functions: a delivery is taken
in, and the collector loads it. The file ends in a broken line. Beside it, in the same run, plain COPY of its whole
lines into a bare table of texts, without checks, key, history or lake.

Bars: first load ≤ 180 s with 15,000,000 rows (in proportion for fewer); ≤ 4 GB resident outside PostgreSQL; a
change of 150,000 rows with history ≤ 20 s.
"""

import os
import resource
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from installation import database
from machine import Others, machine, sizes

FIRST_SECONDS, FIRST_ROWS = 180, 15_000_000
CHANGE_SECONDS, GIGABYTES = 20, 4
DATASET = "ent_registration"
SEED = 20230115


def run(options: list[str]) -> dict:
    """Measure and compare with the bars."""
    chosen = sizes(options, rows=FIRST_ROWS, changes=150_000, plain=1)
    wanted = chosen["rows"] * 1000 + (2 << 30)
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < wanted:
        raise SystemExit(f"needs {wanted >> 30} GB of disk, there are {free >> 30}")
    with database() as folder:
        return _measure(folder, chosen)


def _measure(folder: Path, chosen: dict[str, int]) -> dict:
    first, change = folder / "first.csv", folder / "change.csv"
    expected = _generate(first, change, chosen["rows"], chosen["changes"])
    size = first.stat().st_size
    with first.open("ab") as out:  # and the line that a broken connection leaves
        out.write("91379901MA00,断在这".encode())
    expected["bad"] += 1
    others = Others(folder)
    with Resident() as resident:
        whole, loaded = _deliver(first)
        used = others.used(os.getpid())
        again, changed = _deliver(change)
    plain = _plain(first, size) if chosen["plain"] else {}
    rows, seconds = chosen["rows"], loaded.seconds
    bar = max(FIRST_SECONDS * rows / FIRST_ROWS, 5)
    right = (
        loaded.counts["bad"] == expected["bad"]
        and loaded.counts["repeated"] == expected["repeated"]
        and loaded.counts["new"] == rows + 1 - expected["bad"] - expected["repeated"]
        and changed.counts["changed"] + changed.counts["new"] == chosen["changes"]
    )
    figures = {
        "file_mb": size >> 20,
        "first_s": round(whole, 1),
        "first_rows_s": round(rows / whole),
        "stages": {name: {"s": s, "rows_s": round(rows / s) if s else None} for name, s in seconds.items()},
        "plain": plain,
        "change_s": round(again, 1),
        "change_stages_s": changed.seconds,
        "counts": {"first": loaded.counts, "change": changed.counts},
        "resident_gb": round(resident.most / 2**30, 2),
        "as_expected": right,
        **used,
    }
    return {
        "bench": "ingest",
        "machine": machine(),
        "sizes": chosen,
        "figures": figures,
        "bars": {
            "first_s": {"bar": bar, "figure": figures["first_s"], "holds": whole <= bar},
            "change_s": {
                "bar": CHANGE_SECONDS,
                "figure": figures["change_s"],
                "holds": again <= CHANGE_SECONDS,
            },
            "resident_gb": {
                "bar": GIGABYTES,
                "figure": figures["resident_gb"],
                "holds": resident.most <= GIGABYTES << 30,
            },
            "every_bad_row_found": {"bar": True, "figure": right, "holds": right},
        },
    }


class Resident:
    """The most memory that this process held, sampled; PostgreSQL's processes are not part of it."""

    def __enter__(self):
        self.most, self._stop = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        page = resource.getpagesize()
        while not self._stop.wait(0.2):
            self.most = max(self.most, int(Path("/proc/self/statm").read_text().split()[1]) * page)

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


def _deliver(file: Path) -> tuple[float, object]:
    """Take a file in and let the collector load it: seconds, and the delivery."""
    from yiwang.engines.hub import actions, collect
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting

    with acting(SYSTEM):
        delivery = actions.by_system(DATASET, file.name, file)
    start = time.monotonic()
    collect.work_once()
    seconds = time.monotonic() - start
    with acting(SYSTEM):
        delivery.refresh_from_db()
    if delivery.state != "loaded":
        raise RuntimeError(delivery.error)
    return seconds, delivery


def _plain(file: Path, size: int) -> dict:
    """Plain COPY of the file's whole lines into a bare table of texts; the broken one it would refuse with the rest."""
    from yiwang.engines.hub.collect import connect

    header = file.open(encoding="utf-8").readline().strip().split(",")
    columns = ", ".join(f"c{n} text" for n in range(len(header)))
    with connect() as con:
        con.execute(f"create table plain ({columns})")
        start = time.monotonic()
        with (
            con.cursor().copy("copy plain from stdin (format csv, header)") as copy,
            file.open("rb") as stream,
        ):
            while block := stream.read(min(1 << 20, size - stream.tell())):
                copy.write(block)
        copied = time.monotonic() - start
        (rows,) = con.execute("select count(*) from plain").fetchone()
        con.execute("drop table plain")
    return {"copy_s": round(copied, 1), "rows_s": round(rows / copied)}


def _generate(first: Path, change: Path, rows: int, changes: int) -> dict[str, int]:
    """Both files, from arithmetic on the row's number: the same for the same sizes everywhere."""
    import duckdb

    from yiwang.engines.hub.codes import CREDIT, CREDIT_WEIGHTS

    con = duckdb.connect()
    con.execute("set memory_limit = '1GB'")  # what it keeps would count as resident

    def letter(expression: str) -> str:
        return f"substr('{CREDIT}', ({expression}) % 31 + 1, 1)"

    places = [
        "370102",
        "370103",
        "370202",
        "370302",
        "370402",
        "370602",
        "370702",
        "371002",
        "371302",
        "371502",
    ]
    listed = "[" + ", ".join(f"'{p}'" for p in places) + "]"
    powers = ", ".join(letter(f"i // {31**k}") for k in range(4, -1, -1))
    total = " + ".join(f"{w} * (strpos('{CREDIT}', f[{n}]) - 1)" for n, w in enumerate(CREDIT_WEIGHTS, 1))
    # Of every 10,000 rows: a wrong check digit, a code list, a cross-field rule; and one row sent twice.
    every = 10_000

    def table(select: str, moved: str, to: Path) -> None:
        con.execute(
            f"""copy (with n as ({select}), f as (select i,
            concat('91379901', {powers}, {letter("i // 7")}, '00', '0') as f from n),
            c as (select i, f, ((31 - ({total}) % 31) % 31)::bigint as d from f)
            select concat(f, case when i % {every} = 17 then {letter("d + 1")} else {letter("d")} end)
              as "统一社会信用代码",
            concat('示例', (hash(i + {SEED}) % 1000000)::varchar, '号商贸有限公司{moved}') as "企业名称",
            '' as "曾用名", case when i % 9 = 0 then '9500' else '1100' end as "类型",
            case when i % {every} = 18 then '8' when i % 40 = 0 then '3' else '1' end as "登记状态",
            ((i * 7919) % 1000000 / 100.0)::decimal(12, 2) as "注册资本（万元）",
            case when i % 3 = 0 then 'H62' else 'F52' end as "行业代码", '日用百货销售；食品销售（示例）' as "经营范围",
            concat('示例市示例区泉城路', (i % 999)::varchar, '号', (i % 77)::varchar, '室') as "住所",
            ({listed})[i % 10 + 1] as "所在区划", concat('经营者', (i % 5000)::varchar) as "法定代表人姓名",
            concat('0531', lpad(((i * 31) % 100000000)::varchar, 8, '0')) as "联系电话",
            concat('示例', ({listed})[i % 10 + 1], '登记机关') as "登记机关",
            strftime(date '2000-01-01' + (i % 9000)::int, '%Y-%m-%d') as "成立日期",
            strftime(date '2000-01-01' + (case when i % {every} = 19 then -5 else i % 9000 + 100 end)::int, '%Y-%m-%d')
              as "核准日期",
            case when i % 40 = 0 then '2026-01-05' else '' end as "注销日期" from c)
            to '{to}' (format csv, header)"""
        )

    unique = rows - rows // every
    table(
        f"select i from range({unique}) t(i) union all select i from range({unique}) t(i) "
        f"where i % {every} = 20 and i < {rows // every} * {every} limit {rows}",
        "",
        first,
    )
    old, new = changes * 9 // 10, changes - changes * 9 // 10
    step = max(unique // max(old * 2, 1), 1)
    clean = f"i % {every} not in (17, 18, 19)"
    table(
        f"select * from (select i * {step} as i from range({unique // step}) t(i)) where {clean} limit {old}",
        "（变更）",
        change,
    )
    extra = change.with_suffix(".new")
    table(
        f"select * from (select i from range({unique}, {unique + new * 2}) t(i)) where {clean} limit {new}",
        "",
        extra,
    )
    with change.open("ab") as out, extra.open("rb") as stream:
        stream.readline()
        shutil.copyfileobj(stream, out)
    extra.unlink()
    counted = con.execute(
        f"select count(*) filter (where i % {every} in (17, 18, 19)), count(*) filter (where i % {every} = 20) "
        f"from range({unique}) t(i)"
    ).fetchone()
    con.close()
    sent = sum(1 for _ in first.open("rb")) - 1 if rows < 1_000_000 else rows
    return {"bad": counted[0], "repeated": sent - unique}
