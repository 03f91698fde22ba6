"""What an edit does to the whole province before it is published: who gains, who loses, by group, and the cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from yiwang.engines.judge.rules.contracts import Field, Fields, NotARule, Policy, Problem
from yiwang.engines.judge.rules.derived import ordered
from yiwang.engines.judge.rules.derived_sql import quoted
from yiwang.engines.judge.vector import matching
from yiwang.engines.judge.vector.plan import Plan, compile_plan
from yiwang.engines.judge.vector.source import Block, Source

_AMOUNT = "yw_amount"
_AT_ONCE = 500_000  # rows whose amounts are computed together


@dataclass(frozen=True)
class Axis:
    """Group by a text field, or by the first `prefix` characters of its codes."""

    field: str
    prefix: int = 0


@dataclass(frozen=True)
class Group:
    """Enterprises with the same `key` (one text per axis, "" when missing)."""

    key: tuple[str, ...]
    entitled: int
    gained: int
    lost: int


@dataclass(frozen=True)
class Effect:
    """The edited policy against the published one (without one, everything is gained).

    `cost` sums the amounts of those entitled; None when no amount was given. `unknown` counts those whose amount
    cannot be computed for lack of data.
    """

    rows: int
    entitled: int
    before: int
    gained: int
    lost: int
    groups: tuple[Group, ...]
    cost: Decimal | None = None
    cost_before: Decimal | None = None
    unknown: int = 0


def effect(
    source: Source,
    edited: Policy,
    published: Policy | None = None,
    axes: Sequence[Axis] = (),
    amount: str = "",
    amount_before: str | None = None,
) -> Effect:
    """Judge one policy over the whole source, beside its published version.

    Args:
        axes: by what to group.
        amount: FEEL (the subset of derived features) of what one enterprise gets, in yuan or the pack's unit, with
            2 decimals: "50000", "min(研发费用 * 0.1, 200)".
        amount_before: that of the published version; None: the same.

    Raises:
        NotARule: an amount is not in the subset.
        encode.WrongColumn: a column is missing, or cannot be grouped by.
    """
    fields = source.fields
    plan = compile_plan([one for one in (edited, published) if one], fields, source.cuts())
    named = [source.axis(axis.field, axis.prefix) for axis in axes]
    sizes = [len(texts) for texts, _ in named]
    amounts = [amount, amount if amount_before is None else amount_before]
    priced = [_with_amount(fields, text) if text else None for text in amounts]

    names = sorted({name for one in priced if one for name in _stored_below(one, _AMOUNT)})

    def work(block: Block) -> tuple[list[NDArray[np.int64]], list[Any]]:
        new = selected(source, plan, 0, block)
        old = selected(source, plan, 1, block) if published else np.zeros(0, np.int64)
        gained = np.setdiff1d(new, old, assume_unique=True)
        lost = np.setdiff1d(old, new, assume_unique=True)
        counts = [_grouped(named, sizes, block, rows) for rows in (new, gained, lost)]
        some = any(len(rows) and one for rows, one in zip((new, old), priced, strict=True))
        table = _read(source, block, names) if some else None
        return counts, [
            _taken(table, rows) if one and len(rows) else None
            for rows, one in zip((new, old), priced, strict=True)
        ]

    total = np.zeros((3, int(np.prod(sizes)) if sizes else 1), np.int64)
    bills = [_Bill(source, one) for one in priced]
    for counts, tables in source.each(work):
        for i, one in enumerate(counts):
            total[i] += one
        for bill, table in zip(bills, tables, strict=True):
            if table is not None:
                bill.add(table)
    cost = [bill.total() for bill in bills]
    source.finish(plan)
    entitled, gained, lost = (int(one.sum()) for one in total)
    return Effect(
        source.rows,
        entitled,
        entitled - gained + lost,
        gained,
        lost,
        tuple(_groups(named, sizes, total)),
        cost[0] if amounts[0] else None,
        cost[1] if amounts[1] and published else None,
        bills[0].unknown,
    )


def selected(source: Source, plan: Plan, policy: int, block: Block) -> NDArray[np.int64]:
    """Rows of a block, counted from its first, that meet a policy; ascending."""
    codes: dict[int, NDArray[Any]] = {}
    parts = []
    for k in np.flatnonzero(plan.policy_of == policy):
        rows = _met(source, plan, int(k), block, codes)
        if plan.slots[k].scalar:
            table = source.table(block, sorted(matching.scalar_reads(plan)))
            rows, _ = matching.settle(plan, table, rows, np.full(len(rows), k))
        parts.append(rows)
    rows = parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))
    return source.shown(block.start, rows)


def _met(
    source: Source, plan: Plan, k: int, block: Block, held: dict[int, NDArray[Any]]
) -> NDArray[np.int64]:
    """Rows that meet rule k: column after column, the most selective first, on what is left."""
    word, bit = plan.bit_of[k] // 64, np.uint64(plan.bit_of[k] % 64)
    asked = []
    for c, column in enumerate(plan.columns):
        true = ((column.true[:, word] >> bit) & np.uint64(1)).astype(bool)
        if not true.all():
            asked.append((float(true.mean()), c, true))
    asked.sort(key=lambda one: one[0])
    rows: NDArray[np.int64] | None = None
    for _, c, true in asked:
        if c not in held:
            one = replace(plan, columns=(plan.columns[c],))
            held[c] = source.codes(one, block)[0]
        codes = held[c]
        if rows is None:
            rows = np.flatnonzero(_among(codes, true))
        else:
            rows = rows[true[codes[rows]]]
    return np.arange(block.rows) if rows is None else rows


def _among(codes: NDArray[Any], true: NDArray[np.bool_]) -> NDArray[Any]:
    """Whether each code is a true one: by its range if the true ones are neighbours, else by table."""
    places = np.flatnonzero(true)
    if not len(places):
        return np.zeros(len(codes), bool)
    low, high = int(places[0]), int(places[-1])
    if high - low + 1 == len(places):
        if low == high:
            return np.asarray(codes == low)
        return np.asarray((codes - codes.dtype.type(low)) <= high - low)  # below `low` it wraps round
    if codes.dtype == np.uint8:
        table = np.zeros(256, np.uint8)
        table[places] = 1
        return np.frombuffer(codes.tobytes().translate(table.tobytes()), np.uint8)
    return np.asarray(true[codes])


def _grouped(
    named: list[tuple[list[str], NDArray[np.uint16]]], sizes: list[int], block: Block, rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    cell = np.zeros(len(rows), np.int64)
    for (_, groups), size in zip(named, sizes, strict=True):
        cell *= size
        cell += groups[block.start : block.start + block.rows][rows]
    return np.bincount(cell, minlength=int(np.prod(sizes)) if sizes else 1)


def _groups(
    named: list[tuple[list[str], NDArray[np.uint16]]], sizes: list[int], total: NDArray[np.int64]
) -> list[Group]:
    found = []
    for cell in np.flatnonzero(total.any(0)):
        places = np.unravel_index(cell, sizes) if sizes else ()
        key = tuple(texts[int(i)] for (texts, _), i in zip(named, places, strict=True))
        found.append(Group(key, *(int(n) for n in total[:, cell])))
    return sorted(found, key=lambda one: one.key)


def _with_amount(fields: Fields, text: str) -> Fields:
    by_name = {**fields.by_name, _AMOUNT: Field(_AMOUNT, "金额", "number", 2, derive=text)}
    problems: list[Problem] = []
    order = ordered(by_name, "金额公式：", problems)
    if problems:
        raise NotARule(problems)
    return Fields(by_name, order)


def _read(source: Source, block: Block, names: list[str]) -> Any:
    """What amounts are computed from, for all rows of a block."""
    return source.table(block, names) if names else pa.table({"yw_row": np.arange(block.rows)})


def _taken(table: Any, rows: NDArray[np.int64]) -> Any:
    return table.take(pa.array(rows))


class _Bill:
    """Sums amounts, many blocks at a time."""

    def __init__(self, source: Source, fields: Fields | None) -> None:
        self.source, self.fields = source, fields
        self.held: list[Any] = []
        self.sum, self.unknown = Decimal(0), 0

    def add(self, table: Any) -> None:
        self.held.append(table)
        if sum(one.num_rows for one in self.held) > _AT_ONCE:
            self.total()

    def total(self) -> Decimal:
        """The sum so far."""
        if not self.held or self.fields is None:
            return self.sum
        table = pa.concat_tables(self.held).unify_dictionaries()
        self.held = []
        made = matching.with_derived(table, self.fields, {_AMOUNT}, self.source.as_of).column(_AMOUNT)
        held = pa.table({_AMOUNT: made.cast(pa.decimal128(18, 2))})
        with duckdb.connect() as connection:
            connection.register("held", held)
            column = quoted(_AMOUNT)
            query = f"SELECT coalesce(sum({column}), 0), count(*) - count({column}) FROM held"  # noqa: S608
            found = connection.execute(query).fetchone()
        assert found is not None  # noqa: S101
        self.sum += Decimal(found[0])
        self.unknown += int(found[1])
        return self.sum


def _stored_below(fields: Fields, name: str) -> set[str]:
    from yiwang.engines.judge.rules.derived_sql import reads

    field = fields[name]
    if not field.derive:
        return {name}
    return {one for below in reads(field) for one in _stored_below(fields, below)}
