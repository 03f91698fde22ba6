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
from registrations import BROKEN, DATASET, generate

FIRST_SECONDS, FIRST_ROWS = 180, 15_000_000
CHANGE_SECONDS, GIGABYTES = 20, 4


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
    expected = generate(first, change, chosen["rows"], chosen["changes"])
    size = first.stat().st_size
    with first.open("ab") as out:  # and the line that a broken connection leaves
        out.write(BROKEN)
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
