"""What is wrong with a rule table, or odd: findings that name the rules, show an example, and suggest. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from yiwang.engines.judge.analysis.grid import Grid, Reached, TooLarge, of_policy, of_rules, reached
from yiwang.engines.judge.rules import values
from yiwang.engines.judge.rules.contracts import Policy
from yiwang.engines.judge.rules.cuts import children
from yiwang.kernel.feel import nodes as n

LIMIT = 300_000
KINDS = (
    "overlap",
    "conflict",
    "subsumed",
    "unreachable",
    "never",
    "gap",
    "value",
    "no-hit",
    "undecided",
    "left-out",
)


@dataclass(frozen=True)
class Finding:
    """`kind` is one of KINDS; `rules` are ids; `witness` is a row for which it shows, by field name."""

    kind: str
    rules: tuple[str, ...]
    text: str
    suggestion: str
    witness: Mapping[str, Any] = field(default_factory=dict)


def analyse(
    policy: Policy,
    complete: bool = False,
    hits: Mapping[str, int] | None = None,
    limit: int = LIMIT,
) -> list[Finding]:
    """Findings on one rule table, in a stable order.

    Args:
        complete: whether every row should meet some rule, so that a gap is a fault. Benefits have gaps by nature.
        hits: rows of the province per rule id; rules with none are told.
        limit: nodes after which a question is given up; the finding "undecided" then says which.
    """
    grid = of_policy(policy)
    found = [
        Finding(
            "left-out",
            (grid.rules[k].id,),
            f"规则「{grid.rules[k].id}」未参加分析：{why}",
            "请人工核对这条规则",
        )
        for k, why in sorted(grid.left_out.items())
    ]
    never = _never(grid)
    found += [_never_finding(grid, k) for k in never]
    found += _values(policy)
    alive = [k for k in range(len(grid.rules)) if k not in grid.left_out and k not in never]
    found += _pairs(policy, grid, alive)
    found += _shadowed(policy, grid, alive, found, limit)
    if complete and not grid.left_out:
        found += _gap(grid, limit)
    for rule in policy.rules:
        if hits is not None and hits.get(rule.id, 0) == 0:
            text = f"规则「{rule.id}」在全省没有一户命中"
            found.append(Finding("no-hit", (rule.id,), text, "请核对条件是否过严，或数据是否齐全"))
    return found


def overlaps(policies: Sequence[Policy], of: str | None = None) -> list[Finding]:
    """Pairs of policies that one enterprise could meet both, each with an example; exclusions are the caller's.

    Pairwise, on all columns: exact, except that policies with conditions decided row by row are left out.

    Args:
        of: the id of a policy; only its pairs are told. One of 1,000 takes a second, all pairs some 20.
    """
    rules = [rule for policy in policies for rule in policy.rules]
    owner = [p for p, policy in enumerate(policies) for _ in policy.rules]
    grid = of_rules(rules)
    together = _together(grid)
    found = []
    seen: set[tuple[int, int]] = set()
    for a in range(len(rules)):
        for b in _bits(together[a] >> (a + 1)):
            pair = (owner[a], owner[a + 1 + b])
            if pair[0] == pair[1] or pair in seen:
                continue
            if of is not None and of not in (policies[pair[0]].id, policies[pair[1]].id):
                continue
            seen.add(pair)
            first, second = policies[pair[0]], policies[pair[1]]
            witness = _common(grid, a, a + 1 + b)
            text = f"「{first.name}」与「{second.name}」可以同时享受，例如：{_shown(grid, witness)}"
            found.append(
                Finding("overlap", (first.id, second.id), text, "若不应叠加，请在 exclusions 中写明", witness)
            )
    return found


def _never(grid: Grid) -> list[int]:
    possible = grid.all
    for column in grid.columns:
        somewhere = 0
        for true in column.true:
            somewhere |= true
        possible &= somewhere
    return [k for k in range(len(grid.rules)) if k not in grid.left_out and not possible >> k & 1]


def _never_finding(grid: Grid, k: int) -> Finding:
    rule = grid.rules[k]
    names = [column.field.label for column in grid.columns if not any(true >> k & 1 for true in column.true)]
    text = f"规则「{rule.id}」永远不会命中：没有一个「{'、'.join(names)}」的值符合它的条件"
    return Finding("never", (rule.id,), text, "请改正这个条件，或删去这条规则")


def _values(policy: Policy) -> Iterator[Finding]:
    """Constants of cells that the field does not allow."""
    for rule in policy.rules:
        for condition in rule.conditions:
            allowed = condition.field.values
            if not allowed:
                continue
            for value in _constants(condition.cell.tests.tests or ()):
                if type(value) is type(allowed[0]) and value not in allowed:
                    told = "、".join(values.shown(condition.field, one) for one in allowed)
                    text = f"规则「{rule.id}」的「{condition.title}」写了「{value}」，不在允许的取值之内"
                    yield Finding("value", (rule.id,), text, f"允许的取值：{told}")


def _constants(nodes: Sequence[n.Node]) -> Iterator[Any]:
    """Values that a cell compares for equality: literals that stand for themselves."""
    for node in nodes:
        if isinstance(node, n.ValueTest) and isinstance(node.expression, n.Literal):
            yield node.expression.value
        elif isinstance(node, n.OperatorTest) and node.operator in ("=", "!="):
            if isinstance(node.operand, n.Literal):
                yield node.operand.value
        elif isinstance(node, (n.NotTest, n.In)):
            yield from _constants(tuple(children(node)))


def _together(grid: Grid) -> list[int]:
    """For each rule, the rules that are true with it somewhere in every column."""
    found = [grid.all if grid.all >> k & 1 else 0 for k in range(len(grid.rules))]
    for column in grid.columns:
        here = [0] * len(found)
        for true in set(column.true):
            for k in _bits(true):
                here[k] |= true
        found = [a & b for a, b in zip(found, here, strict=True)]
    return found


def _bits(set_: int) -> Iterator[int]:
    while set_:
        low = set_ & -set_
        yield low.bit_length() - 1
        set_ ^= low


def _common(grid: Grid, *rules: int) -> dict[str, Any]:
    """A row for which all of these rules are true; values that are there are preferred."""
    wanted = sum(1 << k for k in rules)
    found = {}
    for column in grid.columns:
        fits = [i for i, true in enumerate(column.true) if true & wanted == wanted]
        known = [i for i in fits if column.samples[i] is not None]
        found[column.field.name] = column.samples[(known or fits)[0]]
    return found


def _shown(grid: Grid, witness: Mapping[str, Any]) -> str:
    told = [
        f"{column.field.label}={values.shown(column.field, witness[column.field.name])}"
        for column in grid.columns
        if witness.get(column.field.name) is not None
    ]
    return "，".join(told) or "任何企业"


def _within(grid: Grid, a: int, b: int) -> bool:
    """Whether rule b is true wherever rule a is."""
    return all(not (true >> a & 1) or true >> b & 1 for column in grid.columns for true in column.true)


def _pairs(policy: Policy, grid: Grid, alive: list[int]) -> Iterator[Finding]:
    together = _together(grid)
    for place, a in enumerate(alive):
        for b in alive[place + 1 :]:
            if not together[a] >> b & 1:
                continue
            one, other = grid.rules[a], grid.rules[b]
            same = dict(one.outputs) == dict(other.outputs)
            ids = (one.id, other.id)
            witness = _common(grid, a, b)
            example = _shown(grid, witness)
            if policy.hit_policy == "UNIQUE":
                text = f"规则「{one.id}」与「{other.id}」会同时命中（UNIQUE 只应命中一条），例如：{example}"
                yield Finding("overlap", ids, text, "请改条件使两条规则互不重叠", witness)
            elif policy.hit_policy == "ANY" and not same:
                text = f"规则「{one.id}」与「{other.id}」会同时命中，结果却不同，例如：{example}"
                yield Finding("conflict", ids, text, "请统一两条规则的结果，或改为 FIRST 并排好次序", witness)
            if _within(grid, b, a):
                yield from _subsumed(policy, one.id, other.id, same, later=True)
            elif _within(grid, a, b):
                yield from _subsumed(policy, other.id, one.id, same, later=False)


def _subsumed(policy: Policy, wide: str, narrow: str, same: bool, later: bool) -> Iterator[Finding]:
    if policy.hit_policy == "COLLECT" or (policy.hit_policy == "FIRST" and not later and not same):
        return  # intended: each adds its part, or the special case stands before the general one
    text = f"凡命中规则「{narrow}」的，都命中规则「{wide}」"
    if policy.hit_policy == "FIRST" and later:
        yield Finding("subsumed", (narrow, wide), f"{text}，而后者在前", "请调整次序，或删去前者")
    elif same:
        yield Finding("subsumed", (narrow, wide), text, f"规则「{narrow}」是多余的，可以删去")
    else:
        yield Finding("subsumed", (narrow, wide), text, "请核对两条规则的条件")


def _reached(grid: Grid, limit: int) -> Reached | None:
    try:
        return reached(grid, limit)
    except TooLarge:
        return None


def _undecided(what: str, limit: int) -> Finding:
    text = f"规则太多太杂，在 {limit:,} 个节点内没有判定{what}"
    return Finding("undecided", (), text, "可以把表拆小后再分析；两两比较的结果仍然有效")


def _shadowed(
    policy: Policy, grid: Grid, alive: list[int], told: list[Finding], limit: int
) -> Iterator[Finding]:
    """Under FIRST: rules whose every row an earlier rule takes, though perhaps no single one takes all."""
    if policy.hit_policy != "FIRST":
        return
    found = _reached(grid, limit)
    if found is None:
        yield _undecided("哪些规则永远轮不到", limit)
        return
    first = {(state & -state).bit_length() - 1 for state in found.states() if state}
    covered = {finding.rules[0] for finding in told if finding.kind == "subsumed"}
    for k in alive:
        id_ = grid.rules[k].id
        if k not in first and id_ not in covered:
            earlier = ", ".join(grid.rules[j].id for j in alive if j < k and _together(grid)[k] >> j & 1)
            text = f"规则「{id_}」永远轮不到：它的情形已被前面的规则（{earlier}）合起来占完"
            yield Finding("unreachable", (id_,), text, "请调整次序，或删去这条规则")


def _gap(grid: Grid, limit: int) -> Iterator[Finding]:
    found = _reached(grid.without_null(), limit)
    if found is None:
        yield _undecided("有没有遗漏的情形", limit)
    elif 0 in found.states():
        witness = found.witness(0)
        text = f"有的情形没有规则：例如 {_shown(found.grid, witness)}"
        yield Finding("gap", (), text, "请补一条规则，或给出默认结果", witness)
