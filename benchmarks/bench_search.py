"""What a question costs: the everyday questions, over the packs and a catalogue of some thousands of items.

Bars: ≤ 20 ms CPU for 95 of 100 questions; the index is built in ≤ 5 s; every question finds its first result
among the rows it was written for.
"""

import csv
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from machine import machine, sizes

KINDS = ("变更", "延续", "注销", "补证", "备案", "年审")


def run(options: list[str]) -> dict:
    """Measure and compare with the bars."""
    import yaml

    from yiwang.config.environment import ROOT
    from yiwang.domains.services.search.entries import from_catalogue, from_packs, vocabulary
    from yiwang.domains.services.search.index import Index
    from yiwang.kernel.packs.loader import read

    chosen = sizes(options, entries=5_000)
    library, _problems = read(ROOT / "packs")
    with (ROOT / "packs/shandong/catalogue/demo.csv").open(encoding="utf-8") as lines:
        rows = [(r["实施编码"], r["事项名称"], r["实施主体"], r["事项类型"]) for r in csv.DictReader(lines)]
    more = chosen["entries"] - len(rows)
    copies = [
        (f"{code}-{n}", f"{name}（{KINDS[n % len(KINDS)]}，{n} 类）", department, type_)
        for n in range(more // len(rows) + 1)
        for code, name, department, type_ in rows
    ][:more]
    entries = [*from_packs(library), *from_catalogue([*rows, *copies])]
    start = time.process_time()
    index = Index(entries, vocabulary(library))
    build = time.process_time() - start
    told = yaml.safe_load(
        (ROOT / "src/yiwang/domains/services/search/tests/questions.yaml").read_text(encoding="utf-8")
    )["questions"]
    took, right = [], 0
    for _round in range(3):
        for case in told:
            start = time.process_time()
            hits = index.find(case["ask"]).hits
            took.append(1000 * (time.process_time() - start))
            right += bool(hits) and hits[0].entry.title.startswith(case["first"])
    took.sort()
    figures = {
        "entries": len(entries),
        "questions": len(told),
        "build_s": round(build, 2),
        "median_ms": round(took[len(took) // 2], 2),
        "p95_ms": round(took[int(len(took) * 0.95)], 2),
        "right": round(right / len(took), 3),
    }
    return {
        "bench": "search",
        "machine": machine(),
        "sizes": chosen,
        "figures": figures,
        "bars": {
            "p95_ms": {"bar": 20, "figure": figures["p95_ms"], "holds": figures["p95_ms"] <= 20},
            "build_s": {"bar": 5, "figure": figures["build_s"], "holds": figures["build_s"] <= 5},
            "right": {"bar": 0.9, "figure": figures["right"], "holds": figures["right"] >= 0.9},
        },
    }
