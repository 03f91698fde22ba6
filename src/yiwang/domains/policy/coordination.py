"""How a policy fits with those in force (E34): 对象重叠, 条件冲突, 资金重复, 时间断档. Pure.

Two policies are compared when both reach some region and kind of subject in common. "Money twice" means: the same
base of money (a field of both amounts), objects in common and nothing that excludes the one from the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from yiwang.engines.judge.api import load_policy, overlaps
from yiwang.engines.judge.library import Frame, conditions, load, prefix, table
from yiwang.kernel.feel import parse

OVERLAP, CONFLICT, TWICE, GAP = "对象重叠", "条件冲突", "资金重复", "时间断档"


@dataclass(frozen=True)
class Relation:
    """What is between a policy and one in force: the kind, the other's id and name, the fact, the remedy."""

    kind: str
    other: str
    name: str
    what: str
    remedy: str


def relations(
    data: Mapping[str, Any], others: Iterable[Mapping[str, Any]], frame: Frame, as_of: date
) -> list[Relation]:
    """Everything to settle between an edited policy and the others, the gravest kinds first."""
    found: list[Relation] = []
    mine = load(data, frame, as_of)
    for other in others:
        if other["id"] == data["id"] or not _meet(data, other):
            continue
        related = data["topic"] == other["topic"] or set(_bases(data)) & set(_bases(other))
        if not related:
            continue
        found += _gap(data, other)
        if not _same_time(data, other):
            continue
        together = any(
            f.kind == "overlap" for f in overlaps([mine, load(other, frame, as_of)], of=data["id"])
        )
        if not together:
            found += _conflict(data, other, frame, as_of)
            continue
        base = sorted(set(_bases(data)) & set(_bases(other)) & set(frame.raw))
        if base and not _excluded(data, other):
            what = f"都按「{'、'.join(base)}」给钱，对象有重叠，也没有约定互斥或就高"
            remedy = "写进 exclusive 或同一个 group，或说明可以叠加"
            found.append(Relation(TWICE, other["id"], other["name"], what, remedy))
        else:
            said = _excluded(data, other)
            what = "同一领域，有企业同时符合" + (f"；已约定：{said}" if said else "")
            found.append(
                Relation(
                    OVERLAP, other["id"], other["name"], what, "核对是否允许叠加" if not said else "不用处理"
                )
            )
    order = (TWICE, CONFLICT, GAP, OVERLAP)
    return sorted(found, key=lambda r: (order.index(r.kind), r.other))


def _meet(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    a, b = prefix(one["issuer"]["region"]), prefix(other["issuer"]["region"])
    return (a.startswith(b) or b.startswith(a)) and bool(set(one["subjects"]) & set(other["subjects"]))


def _bases(data: Mapping[str, Any]) -> Sequence[str]:
    return sorted(parse(data["benefit"]["amount"]).paths)


def _excluded(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    for a, b in ((one, other), (other, one)):
        for pair in a.get("exclusive", ()):
            if pair["with"] == b["id"]:
                return str(pair["why"])
    group = one.get("group")
    return f"「{group}」只能享受一项" if group and group == other.get("group") else ""


def _same_time(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    a, b = one["effective"], other["effective"]
    return bool(a["from"] <= b.get("to", "9999-12-31") and b["from"] <= a.get("to", "9999-12-31"))


def _gap(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Relation]:
    """A predecessor of the same group that ended before this one begins, with days between."""
    if not one.get("group") or one["group"] != other.get("group") or "to" not in other["effective"]:
        return []
    end, start = date.fromisoformat(other["effective"]["to"]), date.fromisoformat(one["effective"]["from"])
    days = (start - end).days - 1
    if days <= 0 or one["issuer"] != other["issuer"]:
        return []
    what = f"「{other['name']}」{end} 到期，本政策 {start} 才开始，中间 {days} 天没有政策"
    return [
        Relation(
            GAP, other["id"], other["name"], what, f"把开始日期提前到 {end + timedelta(days=1)}，或写明不溯及"
        )
    ]


def _conflict(one: Mapping[str, Any], other: Mapping[str, Any], frame: Frame, as_of: date) -> list[Relation]:
    """Fields on which no value meets both, where each has a single rule."""
    a, b = list(conditions(one, frame).values()), list(conditions(other, frame).values())
    if len(a) != 1 or len(b) != 1:
        return []
    theirs = {c["field"]: c for c in b[0]}
    found = []
    for cell in a[0]:
        against = theirs.get(cell["field"])
        if against is None or cell.get("hard"):
            continue
        small = [
            load_policy(
                {
                    "id": str(n),
                    "params": table(data, frame)["params"],
                    "rules": [{"id": "r", "when": {c["field"]: {"test": c["test"]}}}],
                },
                frame.fields,
                as_of,
            )
            for n, (data, c) in enumerate(((one, cell), (other, against)))
        ]
        if not any(f.kind == "overlap" for f in overlaps(small)):
            what = f"「{cell['field']}」要求 {cell['test']}，对方要求 {against['test']}，没有企业能同时符合"
            found.append(
                Relation(CONFLICT, other["id"], other["name"], what, "统一口径，或写明两项政策面向不同企业")
            )
    return found
