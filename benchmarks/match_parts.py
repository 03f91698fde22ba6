"""What `bench match` measures of our own, each in a process of its own."""

import multiprocessing
import resource
import time

import match_world as world

from yiwang.engines.judge.rules import Judge
from yiwang.engines.judge.vector import kernels, matching
from yiwang.engines.judge.vector.effect import Axis, effect
from yiwang.engines.judge.vector.plan import compile_plan
from yiwang.engines.judge.vector.source import Source


class Cpu:
    """CPU and wall seconds of a `with` block."""

    def __enter__(self):
        self.start = time.process_time(), time.monotonic()
        return self

    def __exit__(self, *_):
        self.cpu, self.wall = time.process_time() - self.start[0], time.monotonic() - self.start[1]


def alone(work, *arguments):
    """What `work` returns in a new process, and that process's peak of resident memory in GB under "rss_gb"."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_told, (work, arguments))


def _told(work, arguments):
    found = work(*arguments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {**found, "rss_gb": round(peak, 2)}


def warm(fast):
    """Compile numba's kernels, which are kept on disk, before anything is timed."""
    if fast:
        found = world.fields()
        plan = compile_plan(world.policies(200, found), found)
        table = world._group(1000, world.np.random.default_rng(1))
        matching.counts(plan, table, found, world.TODAY)
        matching.pairs(plan, table, found, world.TODAY)


def streaming(paths, cache, count, fast):
    """From Parquet, all in one pass: reading, derived features, encoding, kernel; codes are kept."""
    warm(fast)
    found = world.fields()
    rules = world.policies(count, found)
    with Cpu() as compiling:
        plan = compile_plan(rules, found)
    source = Source(paths, found, cache, world.TODAY, fast=fast)
    with Cpu() as used:
        counts = source.count(plan)
    return {
        "cpu_s": used.cpu,
        "wall_s": used.wall,
        "compile_cpu_s": compiling.cpu,
        "matches": sum(counts.policies.values()),
        "policies_without_match": sum(not n for n in counts.policies.values()),
    }


def cached(paths, cache, count, fast):
    """Counts from codes on disk."""
    warm(fast)
    found = world.fields()
    source = Source(paths, found, cache, world.TODAY, fast=fast)
    plan = compile_plan(world.policies(count, found), found, source.cuts())
    _ = plan.groups
    with Cpu() as used:
        counts = source.count(plan)
    return {"cpu_s": used.cpu, "wall_s": used.wall, "counts": list(counts.policies.values())}


def first_part(paths, cache, count):
    """Counts on the rows that other engines get."""
    found = world.fields()
    source = Source(paths[:1], found, cache, world.TODAY)
    counts = source.count(compile_plan(world.policies(count, found), found))
    return {"counts": list(counts.policies.values()), "rows": source.rows}


def increments(paths, cache, count):
    """10,000 changed enterprises; one changed policy; the editor's answer."""
    warm(kernels.fast())
    found = world.fields()
    source = Source(paths, found, cache, world.TODAY)
    rules = world.policies(count, found)
    cuts = source.cuts()
    plan = compile_plan(rules, found, cuts)
    _ = plan.groups
    block = source.blocks[len(source.blocks) // 2]
    changed = source.table(block, matching.fields_read(plan, found)).slice(0, 10_000)
    with Cpu() as rows:
        pairs = matching.pairs(plan, changed, found, world.TODAY)
    one = []
    for policy in rules[:5]:
        with Cpu() as used:
            effect(source, policy)
        one.append(used.cpu)
    axes = [Axis("region", 4), Axis("industry", 1), Axis("size")]
    amount = "min(rd * 0.1, 200)"
    with Cpu() as groups:  # prepared with the codes, after each delivery of the register
        for axis in axes:
            source.axis(axis.field, axis.prefix)
    with Cpu() as known:  # other thresholds of codes that are there
        effect(source, rules[0], rules[1], axes, amount)
    with Cpu() as cold:  # a threshold nobody used before: its column is encoded anew
        edited, published = world.edit(found)
        first = effect(source, edited, published, axes, amount)
    with Cpu() as used:
        again, _ = world.edit(found, "900")
        shown = effect(source, again, published, axes, amount)
    return {
        "rows_cpu_s": rows.cpu,
        "pairs": len(pairs[0]),
        "one_policy_cpu_s": sum(one) / len(one),
        "one_policy_worst_cpu_s": max(one),
        "groups_cpu_s": groups.cpu,
        "editor_known_thresholds_wall_s": known.wall,
        "editor_first_wall_s": cold.wall,
        "editor_wall_s": used.wall,
        "editor_cpu_s": used.cpu,
        "editor": {"before": shown.before, "entitled": shown.entitled, "gained": shown.gained, "lost": shown.lost,
                   "groups": len(shown.groups), "cost": str(shown.cost), "first_entitled": first.entitled},
    }  # fmt: skip


def explanation(paths, count):
    """One enterprise with many fields filled against all policies."""
    found = world.fields()
    judge = Judge(world.policies(count, found), found, world.TODAY)
    rows = world.pq.ParquetFile(paths[0]).read_row_group(0).slice(0, 2000).to_pylist()
    row = max(rows, key=lambda one: sum(value is not None for value in one.values()))
    verdicts = judge.explain(row)
    times = []
    for _ in range(20):
        with Cpu() as used:
            judge.explain(row)
        times.append(used.cpu)
    words = [verdict.word for verdict in verdicts]
    return {"ms": sorted(times)[10] * 1000, "words": {word: words.count(word) for word in sorted(set(words))}}
