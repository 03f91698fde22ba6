"""The verbs on an Arrow table in memory: counts, pairs, near misses, labels. Scalar-only conditions included.

`source` does the same on Parquet of any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from yiwang.engines.judge.rules import derived_sql
from yiwang.engines.judge.rules.contracts import Fields
from yiwang.engines.judge.vector import encode, kernels
from yiwang.engines.judge.vector.plan import Plan

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Counts:
    """How many rows; how many are entitled, per policy id and per (policy id, rule id)."""

    rows: int
    policies: dict[str, int]
    rules: dict[tuple[str, str], int]


def fields_read(plan: Plan, fields: Fields) -> list[str]:
    """The stored columns that a plan needs, those below derived features included."""
    wanted = {column.field.name for column in plan.columns} | scalar_reads(plan)
    for name in reversed(fields.order):
        if name in wanted:
            wanted |= derived_sql.reads(fields[name])
    return sorted(name for name in wanted if not fields[name].derive)


def scalar_reads(plan: Plan) -> set[str]:
    """Fields that conditions decided row by row read."""
    found: set[str] = set()
    for k in plan.unsettled:
        for condition in plan.slots[k].scalar:
            found |= {condition.field.name, *condition.cell.reads}
    return found


def with_derived(table: Any, fields: Fields, names: set[str], as_of: date | None) -> Any:
    """The table with the derived features among `names`, computed by DuckDB; rows keep their order."""
    wanted = tuple(name for name in fields.order if name in names - set(table.schema.names))
    if not wanted:
        return table
    below = {name for one in derived_sql.needed(fields, wanted) for name in derived_sql.reads(fields[one])}
    given, columns = {"yw_row": pa.nulls(table.num_rows, pa.bool_())}, {}
    for name in sorted(below):
        if fields[name].derive:
            continue
        given[name] = table.column(name)
        if fields[name].type == "number":
            given[name], columns[name] = encode.scaled(fields[name], table.column(name))
    held = pa.table(given)
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        connection.register("held", held)
        made = connection.sql(derived_sql.select(fields, "held", as_of, wanted, columns)).to_arrow_table()
    for name in wanted:
        table = table.append_column(name, encode.unscaled(fields[name], made.column(name)))
    return table


def ready(plan: Plan, table: Any, fields: Fields, as_of: date | None) -> Any:
    """The table with every column the plan reads. Raises encode.WrongColumn for one that is not there."""
    missing = [name for name in fields_read(plan, fields) if name not in table.schema.names]
    if missing:
        raise encode.WrongColumn(f"数据里没有列「{'、'.join(missing)}」；请先归集，或从规则中去掉")
    names = {column.field.name for column in plan.columns} | scalar_reads(plan)
    return with_derived(table, fields, names, as_of)


def settle(plan: Plan, table: Any, rows: Ints, rules: Ints) -> tuple[Ints, Ints]:
    """Of candidate pairs, those whose scalar-only conditions are true as well."""
    open_ = np.isin(rules, plan.unsettled)
    if not open_.any():
        return rows, rules
    places = np.unique(rows[open_])
    names = sorted(scalar_reads(plan))
    by_name = {c.field.name: c.field for k in plan.unsettled for c in plan.slots[k].scalar}
    raw = dict(zip(places.tolist(), encode.rows_of(table, names, places), strict=True))
    keep = np.ones(len(rows), bool)
    for i in np.flatnonzero(open_):
        row = raw[int(rows[i])]
        for condition in plan.slots[rules[i]].scalar:
            value = encode.readable(by_name[condition.field.name], row[condition.field.name])
            if condition.cell.answer(value, row) is not True:
                keep[i] = False
                break
    return rows[keep], rules[keep]


def pairs(
    plan: Plan, table: Any, fields: Fields, as_of: date | None = None, backend: str | None = None
) -> tuple[Ints, Ints]:
    """Row number and slot (`plan.slots`) of every rule met, ordered."""
    table = ready(plan, table, fields, as_of)
    kernel = kernels.backend(backend)
    codes = encode.table_codes(plan.columns, table, backend != "numpy" and kernels.fast())
    rows, rules = kernel.pairs(plan, codes)
    return settle(plan, table, rows, rules)


def counts(
    plan: Plan, table: Any, fields: Fields, as_of: date | None = None, backend: str | None = None
) -> Counts:
    """How many rows meet each rule and each policy."""
    if len(plan.unsettled):
        rows, rules = pairs(plan, table, fields, as_of, backend)
        return named(plan, table.num_rows, *totals(plan, rows, rules))
    codes = encode.table_codes(
        plan.columns, ready(plan, table, fields, as_of), backend != "numpy" and kernels.fast()
    )
    return named(plan, table.num_rows, *kernels.backend(backend).count(plan, codes))


def totals(plan: Plan, rows: Ints, rules: Ints) -> tuple[Ints, Ints]:
    """Per rule and per policy, from ordered pairs."""
    policy = plan.policy_of[rules] if len(rules) else rules
    fresh = np.ones(len(rows), bool)
    fresh[1:] = (rows[1:] != rows[:-1]) | (policy[1:] != policy[:-1])
    return np.bincount(rules, minlength=len(plan.slots)), np.bincount(
        policy[fresh], minlength=len(plan.policies)
    )


def named(plan: Plan, rows: int, per_rule: Ints, per_policy: Ints) -> Counts:
    """Counts by id."""
    return Counts(
        rows,
        {policy.id: int(n) for policy, n in zip(plan.policies, per_policy, strict=True)},
        {
            (plan.policies[slot.policy].id, slot.rule.id): int(n)
            for slot, n in zip(plan.slots, per_rule, strict=True)
        },
    )


def labels(
    plan: Plan, table: Any, fields: Fields, as_of: date | None = None, backend: str | None = None
) -> Ints:
    """Per row the first rule met (slot), -1 when none: what FIRST gives for a plan of one table."""
    rows, rules = pairs(plan, table, fields, as_of, backend)
    found = np.full(table.num_rows, -1, np.int64)
    places, first = np.unique(rows, return_index=True)
    found[places] = rules[first]
    return found
