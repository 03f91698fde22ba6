"""A rule table as bins and sets of rules: what every question of this room is asked of. Pure.

A set of rules is an integer, rule k being bit k. A bin is a stretch of one column's values on which no rule's answer
changes; `true[b]` are the rules that are true there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from yiwang.engines.judge.rules import values
from yiwang.engines.judge.rules.contracts import Field, Policy, Rule


class TooLarge(Exception):
    """The question needs more nodes than allowed. Never leaves the room: the answer is then "undecided"."""


@dataclass(frozen=True)
class Column:
    """A field's bins; each has a value that lies in it, None for the missing value."""

    field: Field
    samples: tuple[Any, ...]
    true: tuple[int, ...]

    def without_null(self) -> Column:
        """The bins of values that are there."""
        kept = [i for i, sample in enumerate(self.samples) if sample is not None]
        return Column(self.field, tuple(self.samples[i] for i in kept), tuple(self.true[i] for i in kept))


@dataclass(frozen=True)
class Grid:
    """Rules over columns. `left_out` are rules that cannot be analysed, with the reason; no set holds them."""

    rules: tuple[Rule, ...]
    columns: tuple[Column, ...]
    left_out: dict[int, str]

    @property
    def all(self) -> int:
        """Every rule that takes part."""
        return sum(1 << k for k in range(len(self.rules)) if k not in self.left_out)

    def without_null(self) -> Grid:
        return Grid(self.rules, tuple(column.without_null() for column in self.columns), self.left_out)


def of_rules(rules: Sequence[Rule]) -> Grid:
    """The grid of some rules. Values that the field does not allow, and codes not in force, have no bin."""
    left_out: dict[int, str] = {}
    asked: dict[str, tuple[Field, dict[int, Any]]] = {}
    for k, rule in enumerate(rules):
        for condition in rule.conditions:
            if condition.cell.segments is None:
                left_out[k] = f"「{condition.title}」{condition.cell.scalar_reason}"
            else:
                asked.setdefault(condition.field.name, (condition.field, {}))[1][k] = condition.cell.segments
    everyone = sum(1 << k for k in range(len(rules)) if k not in left_out)
    columns = []
    for field, found in asked.values():
        cuts = sorted({cut for segments in found.values() for cut in segments.cuts})
        least = _least(field, cuts)
        samples: list[Any] = [None]
        true = [everyone & ~sum(1 << k for k, one in found.items() if one.null is not True)]
        for i, key in enumerate([least, *cuts]):
            sample = _allowed(field, key, cuts[i] if i < len(cuts) else None)
            if sample is None:
                continue
            samples.append(sample)
            failing = sum(1 << k for k, one in found.items() if one.at(key) is not True)
            true.append(everyone & ~failing)
        columns.append(Column(field, tuple(samples), tuple(true)))
    return Grid(tuple(rules), tuple(columns), left_out)


def of_policy(policy: Policy) -> Grid:
    """The grid of one rule table."""
    return of_rules(policy.rules)


def _least(field: Field, cuts: list[Any]) -> Any:
    if field.type in ("string", "code"):
        return ""
    if field.type == "boolean":
        return 0
    return cuts[0] - 1 if cuts else 0


def _allowed(field: Field, first: Any, end: Any) -> Any:
    """A value between two keys that the field allows; None when there is none."""
    if field.values:
        keys = sorted(values.key_of(field, value) for value in field.values)
    elif field.codes:
        keys = list(field.codes.ordered)
    elif field.type == "boolean":
        keys = [0, 1]
    else:
        return values.value_of(field, first)
    place = bisect_left(keys, first)
    if place < len(keys) and (end is None or keys[place] < end):
        return values.value_of(field, keys[place])
    return None


@dataclass(frozen=True)
class Reached:
    """Every set of rules that is true together for some row, each with how it came about, column after column."""

    grid: Grid
    layers: tuple[dict[int, tuple[int, int]], ...]
    """Per column: set of rules so far → (set before, bin)."""

    def states(self) -> set[int]:
        """The sets of rules true together after all columns."""
        found = set(self.layers[-1]) if self.layers else {self.grid.all}
        if any(0 in layer for layer in self.layers):
            found.add(0)
        return found

    def witness(self, state: int) -> dict[str, Any]:
        """Values, by field, of a row for which exactly the rules of `state` are true."""
        depth = len(self.layers)
        if state == 0:
            depth = next(i + 1 for i, layer in enumerate(self.layers) if 0 in layer)
        found = {column.field.name: _first(column) for column in self.grid.columns[depth:]}
        while depth:
            depth -= 1
            column = self.grid.columns[depth]
            state, place = self.layers[depth][state]
            found[column.field.name] = column.samples[place]
        return found


def _first(column: Column) -> Any:
    return next((sample for sample in column.samples if sample is not None), None)


def reached(grid: Grid, limit: int) -> Reached:
    """Layer by layer, every set of rules that can be true together. Raises TooLarge beyond `limit` nodes."""
    columns = sorted(
        grid.columns, key=lambda column: sum(one.bit_count() for one in column.true) / len(column.true)
    )
    sorted_grid = Grid(grid.rules, tuple(columns), grid.left_out)
    layers: list[dict[int, tuple[int, int]]] = []
    states, nodes = [grid.all], 1
    for column in columns:
        classes: dict[int, int] = {}
        for place, true in enumerate(column.true):
            if true not in classes or column.samples[classes[true]] is None:
                classes[true] = place
        layer: dict[int, tuple[int, int]] = {}
        for state in states:
            for true, place in classes.items():
                layer.setdefault(state & true, (state, place))
            if nodes + len(layer) > limit:
                raise TooLarge
        nodes += len(layer)
        layers.append(layer)
        states = [state for state in layer if state]
    return Reached(sorted_grid, tuple(layers))
