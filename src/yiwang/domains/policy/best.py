"""The best combination of policies under exclusions (E38). Pure.

Policies that exclude one another make a graph. Its components are independent; in each, branch and bound over
"take it or leave it", richest first, is exact. A library's components are the members of one group and a few pairs
(at most ten today), so the bound of nodes below is never met; where it would be, the answer says that it is not
proven best.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

MOST_NODES = 200_000
Clashes = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Best:
    """Ids chosen, richest first; their sum in yuan; what was left out, each with the chosen one that rules it out."""

    chosen: tuple[str, ...]
    total: Decimal
    left: Mapping[str, str]
    exact: bool = True


def clashes(policies: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Which policies exclude which, both ways, with the reason: pairs named in ``exclusive``, members of a group."""
    known = {p["id"]: p for p in policies}
    found: dict[str, dict[str, str]] = {id_: {} for id_ in known}
    for id_, data in known.items():
        for pair in data.get("exclusive", ()):
            if pair["with"] in known:
                found[id_][pair["with"]] = pair["why"]
                found[pair["with"]][id_] = pair["why"]
    groups: dict[str, list[str]] = {}
    for id_, data in known.items():
        if data.get("group"):
            groups.setdefault(data["group"], []).append(id_)
    for group, members in groups.items():
        for one in members:
            for other in members:
                if one != other:
                    found[one].setdefault(other, f"「{group}」只能享受一项")
    return found


def best(amounts: Mapping[str, Decimal], excluded: Clashes) -> Best:
    """The set with the largest sum in which no two exclude one another.

    Args:
        amounts: yuan by policy id; those of nothing are left out of the choice.
        excluded: what ``clashes`` gives.
    """
    worth = {k: v for k, v in amounts.items() if v > 0}
    todo, chosen, exact = set(worth), set[str](), True
    while todo:
        part = _component(next(iter(sorted(todo))), todo, excluded)
        todo -= part
        taken, proven = _search(sorted(part, key=lambda k: (-worth[k], k)), worth, excluded)
        chosen |= taken
        exact = exact and proven
    left = {
        k: next((c for c in sorted(chosen, key=lambda c: (-worth[c], c)) if c in excluded.get(k, {})), "")
        for k in worth
        if k not in chosen
    }
    ordered = tuple(sorted(chosen, key=lambda k: (-worth[k], k)))
    return Best(ordered, sum((worth[k] for k in ordered), Decimal(0)), left, exact)


def _component(start: str, among: set[str], excluded: Clashes) -> set[str]:
    found, edge = {start}, [start]
    while edge:
        for other in excluded.get(edge.pop(), {}):
            if other in among and other not in found:
                found.add(other)
                edge.append(other)
    return found


def _search(order: list[str], worth: Mapping[str, Decimal], excluded: Clashes) -> tuple[frozenset[str], bool]:
    rest = [Decimal(0)] * (len(order) + 1)  # what everything from here on is worth
    for n in range(len(order) - 1, -1, -1):
        rest[n] = rest[n + 1] + worth[order[n]]
    top, record, nodes = frozenset[str](), Decimal(-1), 0
    stack: list[tuple[int, frozenset[str], Decimal]] = [(0, frozenset(), Decimal(0))]
    while stack:
        n, taken, value = stack.pop()
        nodes += 1
        if nodes > MOST_NODES:
            return top, False
        if value > record:
            top, record = taken, value
        if n == len(order) or value + rest[n] <= record:
            continue
        stack.append((n + 1, taken, value))
        if not any(other in taken for other in excluded.get(order[n], {})):
            stack.append((n + 1, taken | {order[n]}, value + worth[order[n]]))
    return top, True
