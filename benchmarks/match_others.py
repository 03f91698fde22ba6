"""The same rules in other engines, for `bench match`. Each says what it could not do."""

import json
import os
import time
from decimal import Decimal

import match_world as world
import pyarrow.parquet as pq

from yiwang.engines.judge.rules import Judge, derived_sql, sql
from yiwang.engines.judge.vector import matching


def _all_cpu():
    """CPU seconds of this process, its threads and its ended children."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _given(path, found):
    """The rows with derived features already computed: these engines get them for nothing."""
    table = pq.read_table(path)
    return matching.with_derived(table, found, set(found.order), world.TODAY)


def duckdb(path, count, some, wanted):
    """One query per policy with its WHERE, on a table in memory."""
    import duckdb as engine

    found = world.fields()
    rules = world.policies(count, found)[:some]
    with engine.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        stored = f"read_parquet('{path}')"
        connection.execute(f"CREATE TABLE t AS {derived_sql.select(found, stored, world.TODAY)}")
        rows = connection.execute("SELECT count(*) FROM t").fetchone()[0]
        start = time.process_time()
        counts = [
            connection.execute(f"SELECT count(*) FROM t WHERE {sql.where(rule)}").fetchone()[0]
            for rule in rules
        ]
        used = time.process_time() - start
    return {
        "version": engine.__version__,
        "policies": some,
        "rows": rows,
        "cpu_s": used,
        "evaluations_per_cpu_s": rows * some / used,
        "same_counts": counts == wanted[:some],
    }


def polars(path, count, some, wanted):
    """All counts as sums in one lazy select, on a frame in memory; numbers as floats, as polars users have them."""
    import polars as pl

    found = world.fields()
    rules = world.policies(count, found)[:some]
    frame = pl.from_arrow(_wide(_given(path, found)))
    exact = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Decimal)]
    frame = frame.with_columns(pl.col(name).cast(pl.Float64) for name in exact)
    frame = frame.with_columns(pl.col(pl.Categorical).cast(pl.String))
    asked = [_polars(pl, rule).sum().alias(rule.id) for rule in rules]
    start = time.process_time()
    counts = frame.lazy().select(asked).collect().row(0)
    used = time.process_time() - start
    return {
        "version": pl.__version__,
        "policies": some,
        "rows": len(frame),
        "cpu_s": used,
        "evaluations_per_cpu_s": len(frame) * some / used,
        "same_counts": list(counts) == wanted[:some],
        "could_not": "no rules: expressions were written for it; decimals were given as floats",
    }


def _wide(table):
    """decimal64 as decimal128, which others read."""
    import pyarrow as pa

    for i, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type) and field.type.bit_width == 64:
            wide = table.column(i).cast(pa.decimal128(field.type.precision, field.type.scale))
            table = table.set_column(i, field.name, wide)
    return table


def _polars(pl, policy):
    return pl.all_horizontal(
        _polars_cell(pl, condition.field.name, condition.cell.text)
        for condition in policy.rules[0].conditions
    )


def _polars_cell(pl, name, text):
    column = pl.col(name)
    if text == "true":
        return column
    if text.startswith("not("):
        return ~column.is_in(json.loads(f"[{text[4:-1]}]"))
    if text.startswith("starts with"):
        return column.str.starts_with(text.split('"')[1])
    if text.startswith('"'):
        return column.is_in(json.loads(f"[{text}]"))
    if text.startswith("["):
        low, high = text[1:-1].split("..")
        return (column >= float(low)) & (column < float(high))
    operator, value = text.split()
    return column >= float(value) if operator == ">=" else column < float(value)


def zen(path, count, rows):
    """One decision table with a rule per policy, collecting hits, row by row."""
    import zen as engine

    found = world.fields()
    rules = world.policies(count, found)
    names = [
        name for name in found.by_name if name in {c.field.name for p in rules for c in p.rules[0].conditions}
    ]
    table = {
        "hitPolicy": "collect",
        "inputs": [{"id": name, "name": name, "type": "expression", "field": name} for name in names],
        "outputs": [{"id": "out", "name": "out", "type": "expression", "field": "policy"}],
        "rules": [
            {
                "_id": p.id,
                "out": json.dumps(p.id),
                **{c.field.name: _zen_cell(c.cell.text) for c in p.rules[0].conditions},
            }
            for p in rules
        ],
    }  # fmt: skip
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in", "position": {"x": 0, "y": 0}},
        {"id": "t", "type": "decisionTableNode", "name": "t", "content": table, "position": {"x": 0, "y": 0}},
        {"id": "end", "type": "outputNode", "name": "end", "position": {"x": 0, "y": 0}},
    ]
    edges = [
        {"id": "a", "sourceId": "in", "targetId": "t", "type": "edge"},
        {"id": "b", "sourceId": "t", "targetId": "end", "type": "edge"},
    ]
    decision = engine.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))
    sample = _given(path, found).slice(0, rows).to_pylist()
    judge = Judge(rules, found, world.TODAY)
    wanted = [sorted(v.policy.id for v in judge.explain(row) if v.status == "entitled") for row in sample]
    given = [{name: _plain(row[name]) for name in names} for row in sample]
    start, got, raised = time.process_time(), [], {}
    for row in given:
        try:
            result = decision.evaluate(row)["result"]
            got.append(sorted(one["policy"] for one in (result if isinstance(result, list) else [])))
        except Exception as error:  # what it raises is the finding
            got.append(None)
            text = str(error)[:120]
            raised[text] = raised.get(text, 0) + 1
    used = time.process_time() - start
    answered = sum(one is not None for one in got)
    return {
        "rows": rows,
        "policies": count,
        "cpu_s": used,
        "rows_answered": answered,
        "rows_with_the_same_policies": sum(a == b for a, b in zip(got, wanted, strict=True)),
        "evaluations_per_cpu_s": rows * count / used,
        "could_not": "no unknown (not(…) is true of a missing value), no reasons for a miss, floats, row by row",
        "raised": raised,
    }


def _zen_cell(text):
    if text.startswith("not("):
        return f"not($ in [{text[4:-1]}])"
    if text.startswith("starts with"):
        return f"startsWith($, {text.split(',')[1].strip(' )')})"
    return text


def _plain(value):
    return (
        float(value)
        if isinstance(value, Decimal)
        else value.isoformat()
        if hasattr(value, "isoformat")
        else value
    )


def spark(path, count, rows):
    """The same kernel in mapInArrow, on two local cores."""
    try:
        from yiwang.engines.judge.vector import spark as inside

        session = inside.local_session()
    except (ImportError, RuntimeError) as reason:
        return f"not measured: {reason}"
    from yiwang.engines.judge.vector.plan import compile_plan

    found = world.fields()
    plan = compile_plan(world.policies(count, found), found)
    try:
        start = time.monotonic()
        frame = session.read.parquet(str(path)).limit(rows)
        counts = inside.count(frame, plan, found, world.TODAY)
        return {
            "rows": counts.rows,
            "wall_s": time.monotonic() - start,
            "matches": sum(counts.policies.values()),
        }
    finally:
        session.stop()
