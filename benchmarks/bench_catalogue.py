"""What importing a large catalogue costs, on an installation of its own.

Bars: ≥ 1,000 rows a second; memory grows by ≤ 64 MB from a small file to one twenty times as long.
"""

import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from installation import database
from machine import machine, sizes

HEADER = "事项名称,实施编码,事项类型,实施主体,行使层级,法定办结时限,承诺办结时限\n"


def run(options: list[str]) -> dict:
    """Measure and compare with the bars."""
    chosen = sizes(options, rows=200_000)
    with database() as folder:
        return _measure(folder, chosen["rows"])


def _measure(folder: Path, rows: int) -> dict:
    small, _seconds = _import(folder, "small", rows // 20)
    large, seconds = _import(folder, "large", rows)
    _again, unchanged = _import(folder, "large", rows)
    figures = {
        "rows": rows,
        "rows_a_second": round(rows / seconds),
        "again_rows_a_second": round(rows / unchanged),
        "memory_mb": round(large),
        "growth_mb": round(large - small),
    }
    return {
        "bench": "catalogue",
        "machine": machine(),
        "sizes": {"rows": rows},
        "figures": figures,
        "bars": {
            "rows_a_second": {
                "bar": 1000,
                "figure": figures["rows_a_second"],
                "holds": figures["rows_a_second"] >= 1000,
            },
            "growth_mb": {"bar": 64, "figure": figures["growth_mb"], "holds": figures["growth_mb"] <= 64},
        },
    }


def _import(folder: Path, name: str, rows: int) -> tuple[float, float]:
    """Import a GBK file of that many rows; the peak memory so far in MB, and seconds."""
    from yiwang.domains.services.catalogue.actions import import_catalogue
    from yiwang.domains.services.catalogue.queries import current_standard
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting

    file = folder / f"{name}.csv"
    with file.open("w", encoding="gbk") as out:
        out.write(HEADER)
        for n in range(rows):
            code = f"37{n % 10}A{n:08d}-37990100000{len(name) % 2}-000-11379901MB00007744-1-00"
            out.write(
                f"第 {n} 号设施设置审批,{code}{name.upper()},行政许可,某市第 {n % 300} 局,市级,20个工作日,5个工作日\n"
            )
    start = time.monotonic()
    with file.open("rb") as stream, acting(SYSTEM):
        counts = import_catalogue(SYSTEM, stream, file.name, name, current_standard(), lambda _finding: None)
    if counts["good"] != rows:
        raise RuntimeError(f"{counts['refused']} rows were refused")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.monotonic() - start
