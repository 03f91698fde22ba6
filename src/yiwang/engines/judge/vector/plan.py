"""Rules compiled to bins and bit masks.

Each column is cut into bins where any rule's answer changes; bin 0 is the missing value. Each bin has one bit per
rule (packed in uint64 words): `true`, `possible` (not false) and `short` (false, but soft). A row's true rules are
the AND of the `true` words of its bins.

Bits are not in the order of the rules: rules that want the same values of the most telling column (the region, say)
are neighbours, so that few words of a row hold any bit after that column. `order` says which rule a bit is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yiwang.engines.judge.rules.contracts import Condition, Field, Fields, Policy, Rule

Words = NDArray[np.uint64]
MOST_BINS = 65_535
FUSED_BINS = (
    2048  # rows of one table of fused columns: 16 words a row are then 256 KiB, the size of a level-2 cache
)


class TooFine(ValueError):
    """A column has more bins than codes can number; message in Chinese."""


@dataclass(frozen=True)
class Slot:
    """A rule's place among the bits. `scalar` are its conditions that bits cannot decide."""

    policy: int
    rule: Rule
    scalar: tuple[Condition, ...]


@dataclass(frozen=True, eq=False)
class Column:
    """A field's bins. `cuts[i]` is the key at which bin i + 2 begins; masks are [bins, words]."""

    field: Field
    cuts: tuple[Any, ...]
    true: Words
    possible: Words
    short: Words

    @property
    def bins(self) -> int:
        return len(self.cuts) + 2

    @property
    def dtype(self) -> Any:
        """Of its codes."""
        return np.uint8 if self.bins <= 256 else np.uint16


@dataclass(frozen=True)
class Groups:
    """Columns fused to fewer tables: group g looks up row `offset[g] + Σ code[c] * stride[c]` over its columns."""

    columns: NDArray[np.int64]
    strides: NDArray[np.int64]
    starts: NDArray[np.int64]
    """Where each group begins in `columns`; one more at the end."""
    offsets: NDArray[np.int64]
    table: Words
    short: Words
    """Exactly one soft condition of the group fails and the others hold; empty unless asked for."""
    heads: NDArray[np.int64]
    """Where the words of each row of the first group begin in `full`; one more at the end."""
    full: NDArray[np.int64]
    """Numbers of the words of a row of the first group that have any bit."""


@dataclass(frozen=True)
class Plan:
    """Compiled policies. Immutable; pickles, so it can be sent to other processes."""

    policies: tuple[Policy, ...]
    slots: tuple[Slot, ...]
    columns: tuple[Column, ...]
    order: NDArray[np.int64]
    """The slot of every bit; the bits of one policy are neighbours, its rules in their order."""

    @cached_property
    def bit_of(self) -> NDArray[np.int64]:
        """The bit of every slot."""
        return np.argsort(self.order)

    @property
    def words(self) -> int:
        return max(1, -(-len(self.slots) // 64))

    @cached_property
    def valid(self) -> Words:
        """One bit for every rule there is."""
        found: Words = pack(np.ones((1, len(self.slots)), bool))[0]
        return found

    @cached_property
    def policy_of(self) -> NDArray[np.int64]:
        """The policy of every slot."""
        return np.array([slot.policy for slot in self.slots], np.int64)

    @cached_property
    def policy_of_bit(self) -> NDArray[np.int64]:
        """The policy of every bit."""
        found: NDArray[np.int64] = self.policy_of[self.order]
        return found

    @cached_property
    def many(self) -> bool:
        """Whether some policy has more than one rule."""
        return len(self.slots) > len(self.policies)

    @cached_property
    def unsettled(self) -> NDArray[np.int64]:
        """Slots with conditions that are decided row by row."""
        return np.array([k for k, slot in enumerate(self.slots) if slot.scalar], np.int64)

    @cached_property
    def groups(self) -> Groups:
        return _fused(self, False)

    @cached_property
    def near_groups(self) -> Groups:
        return _fused(self, True)

    @cached_property
    def possible_groups(self) -> Groups:
        return _fused(self, False, True)


def pack(bits: NDArray[np.bool_]) -> Words:
    """[rows, rules] booleans to [rows, words]; bits beyond the last rule are 0."""
    rows, count = bits.shape
    padded = np.zeros((rows, max(1, -(-count // 64)) * 64), bool)
    padded[:, :count] = bits
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)


def compile_plan(
    policies: Sequence[Policy], fields: Fields, cuts: Mapping[str, Sequence[Any]] | None = None
) -> Plan:
    """Bins and masks of all vectorisable conditions; the others are kept at their slots.

    Args:
        cuts: more cuts by field, such as those of cached codes, so that these can be used as they are.

    Raises:
        TooFine: a column has more than 65,535 bins.
    """
    slots: list[Slot] = []
    asked: dict[str, dict[Any, list[tuple[int, Condition]]]] = {}
    for place, policy in enumerate(policies):
        for rule in policy.rules:
            scalar = tuple(c for c in rule.conditions if c.cell.segments is None)
            for condition in rule.conditions:
                if condition.cell.segments is not None:
                    cells = asked.setdefault(condition.field.name, {})
                    cells.setdefault(condition.cell.key, []).append((len(slots), condition))
            slots.append(Slot(place, rule, scalar))
    found = [
        _column(fields[name], cells.values(), len(slots), (cuts or {}).get(name, ()))
        for name, cells in sorted(asked.items())
    ]
    order = _order(slots, [masks[0] for _, _, masks in found])
    columns = tuple(
        Column(field, edges, *(pack(mask[:, order]) for mask in masks)) for field, edges, masks in found
    )
    return Plan(tuple(policies), tuple(slots), columns, order)


def _order(slots: list[Slot], masks: list[NDArray[np.bool_]]) -> NDArray[np.int64]:
    """Slots so that policies with the same values in the most telling column are neighbours."""
    policy = np.array([slot.policy for slot in slots], np.int64)
    if not masks:
        return np.arange(len(slots))
    telling = min(masks, key=lambda mask: float(mask.mean(0).sum()))
    first, share = telling.argmax(0), telling.mean(0)
    rank = np.where(share == 1, len(telling), first)
    leader = np.unique(policy, return_index=True)[1]
    return np.lexsort((np.arange(len(slots)), policy, rank[leader][policy]))


def _column(
    field: Field, cells: Iterable[list[tuple[int, Condition]]], rules: int, more: Sequence[Any]
) -> tuple[Field, tuple[Any, ...], tuple[NDArray[np.bool_], ...]]:
    """Cuts, and the masks true, possible and short as booleans [bins, slots]."""
    cells = list(cells)
    found = [users[0][1].cell.segments for users in cells]
    cuts = sorted({*more, *(cut for segments in found if segments for cut in segments.cuts)})
    if len(cuts) + 2 > MOST_BINS:
        raise TooFine(
            f"「{field.label}」的不同界值有 {len(cuts)} 个，超过 {MOST_BINS - 2} 个；请合并界值，或分批计算"
        )
    place = {cut: i for i, cut in enumerate(cuts)}
    bins = np.arange(len(cuts) + 1)
    true = np.ones((len(cuts) + 2, rules), bool)
    possible, short = true.copy(), np.zeros_like(true)
    for users, segments in zip(cells, found, strict=True):
        assert segments is not None  # noqa: S101
        starts = np.array([place[cut] for cut in segments.cuts], np.int64)
        which = np.searchsorted(starts, bins, side="left")
        answers = [segments.null, *(segments.answers[i] for i in which)]
        yes = np.array([answer is True for answer in answers])
        no = np.array([answer is False for answer in answers])
        ks = [k for k, _ in users]
        true[:, ks], possible[:, ks] = yes[:, None], ~no[:, None]
        soft = [k for k, condition in users if not condition.hard]
        short[:, soft] = no[:, None]
    return field, tuple(cuts), (true, possible, short)


def _fused(plan: Plan, near: bool, possible: bool = False) -> Groups:
    """Small columns multiplied into one table while it stays within FUSED_BINS; the most selective group first."""
    order = sorted(range(len(plan.columns)), key=lambda c: plan.columns[c].bins)
    packed: list[list[int]] = []
    size = 0
    for c in order:
        bins = plan.columns[c].bins
        if packed and size * bins <= FUSED_BINS:
            packed[-1].append(c)
            size *= bins
        else:
            packed.append([c])
            size = bins
    made = []
    for group in packed:
        first = plan.columns[group[0]]
        table = first.possible if possible else first.true
        short = first.short
        strides = [1]
        for c in group[1:]:
            column = plan.columns[c]
            mask = column.possible if possible else column.true
            if near:
                one = (table[None] & column.short[:, None]) | (short[None] & mask[:, None])
                short = one.reshape(-1, plan.words)
            strides.append(strides[-1] * plan.columns[group[len(strides) - 1]].bins)
            table = (mask[:, None] & table[None]).reshape(-1, plan.words)
        made.append((int(np.bitwise_count(table).sum()) / len(table), group, strides, table, short))
    made.sort(key=lambda one: one[0])
    if not made:
        empty = np.zeros(0, np.int64)
        return Groups(
            empty, empty, np.zeros(1, np.int64), empty, plan.valid[None], plan.valid[None], empty, empty
        )
    sizes = [len(one[3]) for one in made]
    return Groups(
        np.array([c for one in made for c in one[1]], np.int64),
        np.array([s for one in made for s in one[2]], np.int64),
        np.cumsum([0, *(len(one[1]) for one in made)]).astype(np.int64),
        np.cumsum([0, *sizes[:-1]]).astype(np.int64),
        np.concatenate([one[3] for one in made]),
        np.concatenate([one[4] for one in made]) if near else np.zeros((0, plan.words), np.uint64),
        np.concatenate([[0], np.cumsum((made[0][3] != 0).sum(1))]).astype(np.int64),
        np.nonzero(made[0][3])[1].astype(np.int64),
    )
