"""The kernels in numba (the extra `fast`). Same names and results as `kernels`. They hold no interpreter lock."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from yiwang.engines.judge.vector.kernels import by_rule
from yiwang.engines.judge.vector.plan import Groups, Plan, Words

Ints = NDArray[np.int64]
BLOCK = 256  # rows sieved at once; their words stay in the level-1 cache
_OPTIONS = {"nogil": True, "cache": True, "boundscheck": False}


@nb.njit(inline="always")
def _ones(v):
    """How many bits are set."""
    v = v - ((v >> np.uint64(1)) & np.uint64(0x5555555555555555))
    v = (v & np.uint64(0x3333333333333333)) + ((v >> np.uint64(2)) & np.uint64(0x3333333333333333))
    v = (v + (v >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((v * np.uint64(0x0101010101010101)) >> np.uint64(56))


@nb.njit(**_OPTIONS)
def _sieve(codes, columns, strides, starts, offsets, table, heads, full, scratch, first, rows):
    """The words that have a bit left, of `rows` rows from `first` on: row, number and value, and how many.

    `heads` and `full` list the words of each row of the first table that have any bit. A flat list that every
    group shortens: one loop, without branches that could be mispredicted.
    """
    at, word, value, where = scratch
    left = 0
    for g in range(offsets.shape[0]):
        for r in range(rows):
            where[r] = offsets[g]
        for i in range(starts[g], starts[g + 1]):
            held, stride = codes[columns[i], first : first + rows], np.uint32(strides[i])
            for r in range(rows):
                where[r] += np.uint32(held[r]) * stride
        if g == 0:
            for r in range(rows):
                row = where[r]
                for i in range(heads[row], heads[row + 1]):
                    w = full[i]
                    at[left], word[left], value[left] = r, w, table[row, w]
                    left += 1
        else:
            kept = np.uint64(0)
            for j in range(left):
                r, w = at[j], word[j]
                v = value[j] & table[where[r], w]
                at[kept], word[kept], value[kept] = r, w, v
                kept += np.uint64(v != 0)
            left = np.int64(kept)
    return left


@nb.njit(**_OPTIONS)
def _room(words):
    """Scratch for `_sieve`: row, number and value of words, and the table row of every row."""
    most = BLOCK * words + 1
    # unsigned: numba then does not look for negative indices
    return (
        np.empty(most, np.uint32),
        np.empty(most, np.uint32),
        np.empty(most, np.uint64),
        np.empty(BLOCK, np.uint32),
    )


@nb.njit(**_OPTIONS)
def _count(codes, columns, strides, starts, offsets, table, heads, full, policy_of, per_bit, per_policy):
    scratch = _room(table.shape[1])
    at, word, value, _ = scratch
    total = codes.shape[1]
    for first in range(0, total, BLOCK):
        rows = min(BLOCK, total - first)
        left = _sieve(codes, columns, strides, starts, offsets, table, heads, full, scratch, first, rows)
        row, last = np.int64(-1), np.int64(-1)
        for j in range(left):
            if at[j] != row:
                row, last = at[j], -1
            v = value[j]
            while v != 0:
                low = v & (~v + np.uint64(1))
                k = word[j] * 64 + _ones(low - np.uint64(1))
                per_bit[k] += 1
                p = policy_of[k]
                if p != last:
                    per_policy[p] += 1
                    last = p
                v ^= low


@nb.njit(**_OPTIONS)
def _pairs(codes, columns, strides, starts, offsets, table, heads, full, out_rows, out_bits):
    scratch = _room(table.shape[1])
    at, word, value, _ = scratch
    total, room, found = codes.shape[1], out_rows.shape[0], 0
    for first in range(0, total, BLOCK):
        rows = min(BLOCK, total - first)
        left = _sieve(codes, columns, strides, starts, offsets, table, heads, full, scratch, first, rows)
        for j in range(left):
            v = value[j]
            while v != 0:
                low = v & (~v + np.uint64(1))
                if found < room:
                    out_rows[found] = first + at[j]
                    out_bits[found] = word[j] * 64 + _ones(low - np.uint64(1))
                found += 1
                v ^= low
    return found


@nb.njit(**_OPTIONS)
def _near(codes, columns, strides, starts, offsets, table, short, valid, met, one_short):
    words = table.shape[1]
    whole, one = np.empty(words, np.uint64), np.empty(words, np.uint64)
    for r in range(codes.shape[1]):
        for w in range(words):
            whole[w] = valid[w]
            one[w] = 0
        for g in range(offsets.shape[0]):
            row = np.uint64(offsets[g])
            for i in range(starts[g], starts[g + 1]):
                row += np.uint64(codes[columns[i], r]) * np.uint64(strides[i])
            left = np.uint64(0)
            for w in range(words):
                v = table[row, w]
                one[w] = (one[w] & v) | (whole[w] & short[row, w])
                whole[w] &= v
                left |= one[w] | whole[w]
            if left == 0:
                break
        for w in range(words):
            v = whole[w]
            while v != 0:
                low = v & (~v + np.uint64(1))
                met[w * 64 + _ones(low - np.uint64(1))] += 1
                v ^= low
            v = one[w]
            while v != 0:
                low = v & (~v + np.uint64(1))
                one_short[w * 64 + _ones(low - np.uint64(1))] += 1
                v ^= low


@nb.njit(**_OPTIONS)
def _bins(values, valid, offset, cuts, out):
    """`valid` is a bitmap beginning at bit `offset`; empty when nothing is missing."""
    count = cuts.shape[0]
    some = valid.shape[0] > 0
    for r in range(values.shape[0]):
        if some:
            at = r + offset
            if (valid[at >> 3] >> (at & 7)) & 1 == 0:
                out[r] = 0
                continue
        v = values[r]
        low, length = 0, count
        while length > 0:
            half = length >> 1
            if cuts[low + half] <= v:
                low += half + 1
                length -= half + 1
            else:
                length = half
        out[r] = low + 1


def _parts(groups: Groups) -> tuple[Any, ...]:
    return (
        groups.columns,
        groups.strides,
        groups.starts,
        groups.offsets,
        groups.table,
        groups.heads,
        groups.full,
    )


def _whole(plan: Plan, codes: NDArray[Any]) -> bool:
    return bool(plan.columns) and codes.shape[1] > 0


def count(plan: Plan, codes: NDArray[Any]) -> tuple[Ints, Ints]:
    """As `kernels.count`."""
    if not _whole(plan, codes):
        from yiwang.engines.judge.vector import kernels

        return kernels.count(plan, codes)
    per_rule = np.zeros(plan.words * 64, np.int64)
    per_policy = np.zeros(len(plan.policies), np.int64)
    _count(codes, *_parts(plan.groups), plan.policy_of_bit, per_rule, per_policy)
    return per_rule[plan.bit_of], per_policy


def pairs(plan: Plan, codes: NDArray[Any], possible: bool = False) -> tuple[Ints, Ints]:
    """As `kernels.pairs`."""
    if not _whole(plan, codes):
        from yiwang.engines.judge.vector import kernels

        return kernels.pairs(plan, codes, possible)
    parts = _parts(plan.possible_groups if possible else plan.groups)
    room = max(1024, codes.shape[1] * 2)
    while True:
        rows, rules = np.empty(room, np.int64), np.empty(room, np.int64)
        found = _pairs(codes, *parts, rows, rules)
        if found <= room:
            return by_rule(plan, rows[:found], rules[:found])
        room = int(found)


def near(plan: Plan, codes: NDArray[Any]) -> tuple[Ints, Ints]:
    """As `kernels.near`."""
    if not _whole(plan, codes):
        from yiwang.engines.judge.vector import kernels

        return kernels.near(plan, codes)
    met, one = np.zeros(plan.words * 64, np.int64), np.zeros(plan.words * 64, np.int64)
    groups = plan.near_groups
    _near(codes, *_parts(groups)[:5], groups.short, plan.valid, met, one)
    return met[plan.bit_of], one[plan.bit_of]


def bitmap_bins(
    values: NDArray[Any], valid: NDArray[np.uint8], offset: int, cuts: Words | Ints, out: NDArray[Any]
) -> None:
    """The bin of each number into `out`, missing ones by Arrow's bitmap."""
    _bins(values, valid, offset, cuts, out)
