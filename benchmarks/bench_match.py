"""Policies against every market entity of a made-up province; other engines on the same rows and rules.

    yiwang bench match [entities=15000000] [policies=1000] [duckdb=100] [polars=200] [zen=200] [spark=500000]

`duckdb`, `polars`: how many of the policies these get, on the first 3,000,000 rows (all rows if fewer); `zen`: on how
many rows; `spark`: on how many rows, 0 for none. CPU seconds are of the process with all its threads (of its children
too, for Spark). Each measurement runs in a process of its own, so that its peak of resident memory is its own.
"""

import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import match_others as others
import match_world as world
from machine import machine, sizes
from match_parts import Cpu, alone, cached, explanation, first_part, increments, streaming

from yiwang.engines.judge.vector import kernels

DEFAULTS = {
    "entities": 15_000_000,
    "policies": 1000,
    "duckdb": 100,
    "polars": 200,
    "zen": 200,
    "spark": 500_000,
}


def run(options):
    size = sizes(options, **DEFAULTS)
    folder = Path(tempfile.mkdtemp(prefix="yiwang-match-"))
    try:
        return _run(size, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(size, folder):
    entities, count, fast = size["entities"], size["policies"], kernels.fast()
    with Cpu() as made:
        paths = world.write(folder, entities)
    work = entities * count
    figures = {
        "generate_s": round(made.wall, 1),
        "parquet_gb": round(sum(p.stat().st_size for p in paths) / 1e9, 2),
    }
    counts = {}
    for name in ("numpy", *(["numba"] if fast else [])):
        cache = folder / f"cache-{name}"
        found = alone(streaming, paths, cache, count, name == "numba")
        figures[f"streaming_{name}"] = found
        kept = alone(cached, paths, cache, count, name == "numba")
        counts[name] = kept.pop("counts")
        figures[f"cached_{name}"] = {**kept, "evaluations_per_cpu_s": work / kept["cpu_s"]}
        if name == "numpy" and fast:
            shutil.rmtree(cache)
    best = "numba" if fast else "numpy"
    same = all(one == counts[best] for one in counts.values())
    figures["incremental"] = alone(increments, paths, folder / f"cache-{best}", count)
    figures["explanation"] = alone(explanation, paths, count)
    part = alone(first_part, paths, None, count)
    for name in ("duckdb", "polars"):
        some = min(size[name], count)
        figures[name] = alone(getattr(others, name), paths[0], count, some, part["counts"]) if some else None
    figures["zen"] = alone(others.zen, paths[0], count, size["zen"]) if size["zen"] else None
    figures["spark"] = (
        alone(others.spark, paths[0], count, size["spark"]) if size["spark"] else "not asked for; spark=ROWS"
    )
    return {"benchmark": "match", "machine": machine(), "sizes": size,
            "figures": _rounded({**figures, "same_counts": same}), "bars": _bars(figures, same, fast)}  # fmt: skip


def _bars(figures, same, fast):
    def bar(figure, limit, holds):
        return {"figure": _rounded(figure), "bar": limit, "holds": bool(holds)}

    stream = figures["streaming_numba" if fast else "streaming_numpy"]
    numpy_rate = figures["cached_numpy"]["evaluations_per_cpu_s"]
    changed = figures["incremental"]
    bars = {
        "numpy_evaluations_per_cpu_s": bar(numpy_rate, ">= 2e9", numpy_rate >= 2e9),
        "streaming_cpu_s": bar(stream["cpu_s"], "<= 20", stream["cpu_s"] <= 20),
        "streaming_rss_gb": bar(stream["rss_gb"], "<= 1", stream["rss_gb"] <= 1),
        "changed_enterprises_cpu_s": bar(changed["rows_cpu_s"], "<= 0.1", changed["rows_cpu_s"] <= 0.1),
        "changed_policy_cpu_s": bar(
            changed["one_policy_cpu_s"], "<= 0.2", changed["one_policy_cpu_s"] <= 0.2
        ),
        "explanation_ms": bar(figures["explanation"]["ms"], "<= 30", figures["explanation"]["ms"] <= 30),
        "editor_s": bar(
            max(changed["editor_wall_s"], changed["editor_first_wall_s"]),
            "<= 3, also with a new threshold",
            max(changed["editor_wall_s"], changed["editor_first_wall_s"]) <= 3,
        ),
        "same_counts": bar(same, "numpy = numba", same),
    }
    if fast:
        rate = figures["cached_numba"]["evaluations_per_cpu_s"]
        bars["numba_evaluations_per_cpu_s"] = bar(rate, ">= 8e9", rate >= 8e9)
    else:
        bars["numba_evaluations_per_cpu_s"] = {
            "figure": None,
            "bar": ">= 8e9",
            "holds": True,
            "why": "numba is not installed",
        }
    for name, least in (("duckdb", 8), ("polars", None)):
        if isinstance(figures[name], dict):
            ratio = numpy_rate / figures[name]["evaluations_per_cpu_s"]
            figures[name]["numpy_is_faster_by"] = ratio
            agreed = figures[name]["same_counts"]
            bars[f"times_{name}"] = bar(
                ratio,
                f">= {least}, same counts" if least else "same counts",
                agreed and (not least or ratio >= least),
            )
    return bars


def _rounded(value):
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value
