"""The kernels: codes to counts, pairs and near misses. numpy here; numba's in `compiled`, with the same results.

`codes` is uint16 [columns, rows]: the bin of each row in each column of the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yiwang.engines.judge.vector.plan import Groups, Plan, Words

CHUNK = 4096  # rows whose words stay in the cache: 512 KiB at 16 words
Ints = NDArray[np.int64]


def fast() -> bool:
    """Whether numba is installed."""
    return find_spec("numba") is not None


def backend(name: str | None = None) -> Any:
    """The module with the kernels: "numpy", "numba", or the fastest there is. Raises ImportError."""
    if name == "numba" or (name is None and fast()):
        from yiwang.engines.judge.vector import compiled

        return compiled
    from yiwang.engines.judge.vector import kernels

    return kernels


def _rows_of(codes: NDArray[Any], groups: Groups, g: int, part: slice) -> NDArray[np.intp]:
    """The table row of each data row in group g."""
    first, last = groups.starts[g], groups.starts[g + 1]
    found = codes[groups.columns[first], part].astype(np.intp)
    for i in range(first + 1, last):
        found += codes[groups.columns[i], part].astype(np.intp) * groups.strides[i]
    found += groups.offsets[g]
    return found


def _words(codes: NDArray[Any], groups: Groups, valid: Words) -> Iterator[tuple[int, Words]]:
    """Chunk by chunk: first row, and the words of true rules of every row."""
    rows = codes.shape[1]
    words = len(valid)
    held, taken = np.empty((CHUNK, words), np.uint64), np.empty((CHUNK, words), np.uint64)
    for start in range(0, rows, CHUNK):
        part = slice(start, min(rows, start + CHUNK))
        count = part.stop - start
        result, other = held[:count], taken[:count]
        result[:] = valid
        for g in range(len(groups.offsets)):
            where = _rows_of(codes, groups, g, part)
            if g == 0:
                np.take(groups.table, where, axis=0, out=result, mode="clip")
            else:
                np.take(groups.table, where, axis=0, out=other, mode="clip")
                np.bitwise_and(result, other, out=result)
        yield start, result


def _bits(words: Words) -> tuple[Ints, Ints]:
    """Row and bit of every set bit, ordered."""
    flat = np.flatnonzero(words)
    bits = np.unpackbits(words.ravel()[flat].view(np.uint8), bitorder="little").reshape(-1, 64)
    which, bit = np.nonzero(bits)
    row, word = np.divmod(flat[which], words.shape[1])
    return row, word * 64 + bit


def count(plan: Plan, codes: NDArray[Any]) -> tuple[Ints, Ints]:
    """Rows per rule, and rows per policy (a row that meets two of its rules counts once)."""
    per_rule = np.zeros(plan.words * 64, np.int64)
    per_policy = np.zeros(len(plan.policies), np.int64)
    for _, words in _words(codes, plan.groups, plan.valid):
        row, rule = _bits(words)
        per_rule += np.bincount(rule, minlength=len(per_rule))
        if plan.many and len(row):
            policy = plan.policy_of_bit[rule]
            fresh = np.ones(len(row), bool)
            fresh[1:] = (row[1:] != row[:-1]) | (policy[1:] != policy[:-1])
            per_policy += np.bincount(policy[fresh], minlength=len(per_policy))
    found = per_rule[plan.bit_of]
    return found, per_policy if plan.many else found.copy()


def pairs(plan: Plan, codes: NDArray[Any], possible: bool = False) -> tuple[Ints, Ints]:
    """Row and rule of every rule met (or not failed, if `possible`), ordered by row, then rule."""
    groups = plan.possible_groups if possible else plan.groups
    rows, rules = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for start, words in _words(codes, groups, plan.valid):
        row, rule = _bits(words)
        rows.append(row + start)
        rules.append(rule)
    return by_rule(plan, np.concatenate(rows), np.concatenate(rules))


def by_rule(plan: Plan, rows: Ints, bits: Ints) -> tuple[Ints, Ints]:
    """Rows and bits, ordered by row, as rows and slots, ordered by row, then slot."""
    rules = plan.order[bits]
    order = np.lexsort((rules, rows))
    return rows[order], rules[order]


def near(plan: Plan, codes: NDArray[Any]) -> tuple[Ints, Ints]:
    """Per rule: rows that meet it; rows where one soft condition fails and all others are true."""
    groups = plan.near_groups
    found = np.zeros((2, plan.words * 64), np.int64)
    for start in range(0, codes.shape[1], CHUNK):
        part = slice(start, min(codes.shape[1], start + CHUNK))
        whole = np.repeat(plan.valid[None], part.stop - start, 0)
        one = np.zeros_like(whole)
        for g in range(len(groups.offsets)):
            where = _rows_of(codes, groups, g, part)
            table = groups.table[where]
            one &= table
            one |= whole & groups.short[where]
            whole &= table
        for i, words in enumerate((whole, one)):
            found[i] += np.bincount(_bits(words)[1], minlength=found.shape[1])
    return found[0][plan.bit_of], found[1][plan.bit_of]


def bins_of(values: NDArray[Any], valid: NDArray[Any] | None, cuts: Ints, out: NDArray[Any]) -> None:
    """The bin of each number into `out`; `valid` are booleans, None when nothing is missing."""
    some = values if valid is None else values[valid]
    low, high = (int(cuts[0]), int(cuts[-1])) if len(cuts) else (0, 0)
    limits = np.iinfo(values.dtype)
    if not len(cuts):
        found = np.ones(len(some), out.dtype)
    elif high - low < 1 << 16 and limits.min < low and high < limits.max:
        table = (np.searchsorted(cuts, np.arange(low - 1, high + 1), side="right") + 1).astype(out.dtype)
        found = table[np.clip(some, low - 1, high) - (low - 1)]
    else:
        found = (np.searchsorted(_within(cuts, values.dtype), some, side="right") + 1).astype(out.dtype)
        below = int(np.count_nonzero(cuts < limits.min))
        found += out.dtype.type(below)
    if valid is None:
        out[:] = found
    else:
        out[:] = 0
        out[valid] = found


def _within(cuts: Ints, dtype: Any) -> NDArray[Any]:
    """The cuts that values of this type can be on either side of."""
    limits = np.iinfo(dtype)
    return cuts[(cuts >= limits.min) & (cuts <= limits.max)].astype(dtype)
