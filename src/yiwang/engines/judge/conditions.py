"""A condition over several fields as a rule table: alternatives, each of cells on one field. Pure.

`a.sex = "女" or a.age >= 60` becomes two rules of one cell each, so that a condition written as one FEEL expression
is judged, explained, counted over every row and analysed like a policy. Readings:
- Missing is unknown, as everywhere in this engine; `and`, `or`, `not` then decide as Kleene's logic does. `if` is
  read as (condition and then) or (not condition and else).
- What one comparison asks of two fields stays one cell, decided row by row.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from yiwang.engines.judge.rules.cells import Cell, today_of
from yiwang.engines.judge.rules.contracts import Condition, Field, NotARule, Policy, Problem, Rule
from yiwang.engines.judge.rules.cuts import NO_KIT, Kit, Scalar, children, constant
from yiwang.kernel.feel import UnaryTests, parse
from yiwang.kernel.feel import nodes as n
from yiwang.kernel.feel.evaluation import Scope

MOST = 64  # alternatives of one condition
_ASKED = n.Name("?")
Ways = tuple[tuple[n.Node, ...], ...]


@lru_cache(maxsize=2048)
def condition_table(
    id_: str,
    name: str,
    text: str,
    fields: tuple[Field, ...],
    as_of: date | None = None,
    kit: Kit = NO_KIT,
    clause: str = "",
) -> Policy:
    """The rule table of a FEEL condition: met where the policy's status is ENTITLED, unknown where MISSING.

    Args:
        text: FEEL over paths such as `holder.hukou_region` and plain names; `today` is the day of judgement.
        fields: what it may read, each named by its path.
        kit: functions of the caller's own.

    Raises:
        FeelSyntaxError: the text is not FEEL.
        NotARule: it reads no field or one that is not declared, is never true, or has too many alternatives.
    """
    by_name = {field.name: field for field in fields}
    place = f"条件「{name}」"
    parsed = parse(text)
    unknown = sorted(parsed.paths - by_name.keys() - kit.functions.keys() - {"today"})
    if unknown:
        raise NotARule([Problem(place, f"读取了没有登记的「{'、'.join(unknown)}」", "请改正名称，或先登记")])
    constants = today_of(as_of, {})
    ways = _ways(parsed.node, by_name)
    if len(ways) > MOST:
        raise NotARule([Problem(place, f"有 {len(ways)} 种情形，超过 {MOST} 种", "请拆成几个条件")])
    rules = []
    for number, atoms in enumerate(ways, 1):
        label = text if len(ways) == 1 else f"{text}（第 {number} 种情形）"
        conditions = _conditions(atoms, label, by_name, constants, kit, clause)
        if conditions is not None:
            rules.append(Rule(str(number), conditions))
    if not rules:
        raise NotARule([Problem(place, f"「{text}」永远不成立", "请改正这个条件，或删去")])
    return Policy(id_, name, tuple(rules), "COLLECT")


def joined(id_: str, name: str, tables: tuple[Policy, ...], most: int = 256) -> Policy | None:
    """All tables at once as one: who meets a rule of each meets a rule of it. None with too many alternatives."""
    rules: list[tuple[str, tuple[Condition, ...]]] = [("", ())]
    for table in tables:
        rules = [
            (f"{before} {table.id}.{r.id}".strip(), (*had, *r.conditions))
            for before, had in rules
            for r in table.rules
        ]
        if len(rules) > most:
            return None
    return Policy(id_, name, tuple(Rule(i, _merged(c)) for i, c in rules), "COLLECT")


def _merged(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """One cell a field: what several ask of it, asked together. Cells that read other fields stay by themselves."""
    kept = [c for c in conditions if c.cell.reads]
    alone: dict[str, list[Condition]] = {}
    for condition in conditions:
        if not condition.cell.reads:
            alone.setdefault(condition.field.name, []).append(condition)
    for same in alone.values():
        first, cells = same[0], [c.cell for c in same]
        if len(same) > 1:
            parts = tuple(
                t.expression for c in cells for t in c.tests.tests or () if isinstance(t, n.ValueTest)
            )
            text = " and ".join(c.text for c in cells)
            tests = UnaryTests(text, (n.ValueTest(n.And(parts), True),), frozenset())
            constants = {k: v for c in cells for k, v in c.constants.items()}
            clauses = "、".join(dict.fromkeys(c.clause for c in same if c.clause))
            first = Condition(first.field, Cell(first.field, tests, constants, cells[0].kit), clauses)
        kept.append(first)
    return tuple(kept)


def _ways(node: n.Node, fields: Mapping[str, Field]) -> Ways:
    """Alternatives of atoms. What reads one field alone, and without `if`, is one atom."""
    if len(_paths(node, fields)) == 1 and not _has(node, n.If):
        return ((node,),)
    return _normal(node, True, fields)


def _normal(node: n.Node, positive: bool, fields: Mapping[str, Field]) -> Ways:
    """Disjunctive normal form; `positive` False stands for the negation of the node."""
    if isinstance(node, (n.And, n.Or)):
        parts = [_normal(part, positive, fields) for part in node.parts]
        if isinstance(node, n.Or) is positive:
            return tuple(way for part in parts for way in part)
        found: Ways = ((),)
        for part in parts:
            found = tuple((*a, *b) for a in found for b in part)
            if len(found) > MOST:
                break
        return found
    if isinstance(node, n.Call) and isinstance(node.function, n.Name) and node.function.name == "not":
        if len(node.arguments) == 1 and not node.names:
            return _normal(node.arguments[0], not positive, fields)
    if isinstance(node, n.If):
        then = n.And((node.condition, node.then))
        otherwise = n.And((n.Call(n.Name("not"), (node.condition,), ()), node.otherwise))
        if positive:
            return _normal(n.Or((then, otherwise)), True, fields)
        refused = tuple(n.Call(n.Name("not"), (part,), ()) for part in (node.then, node.otherwise))
        return _normal(n.If(node.condition, *refused), True, fields)
    if isinstance(node, n.Compare):
        for side in ("left", "right"):
            inner = getattr(node, side)
            if isinstance(inner, n.If):
                then_, else_ = (
                    n.Compare(node.operator, *((p, node.right) if side == "left" else (node.left, p)))
                    for p in (inner.then, inner.otherwise)
                )
                return _normal(n.If(inner.condition, then_, else_), positive, fields)
    return ((node if positive else n.Call(n.Name("not"), (node,), ()),),)


def _conditions(
    atoms: tuple[n.Node, ...],
    label: str,
    fields: Mapping[str, Field],
    constants: Mapping[str, Any],
    kit: Kit,
    clause: str,
) -> tuple[Condition, ...] | None:
    """The cells of one alternative; None when a part without fields is false."""
    alone: dict[str, list[n.Node]] = {}
    several: list[tuple[list[str], n.Node]] = []
    for atom in atoms:
        paths = _paths(atom, fields)
        if not paths:
            try:
                holds = constant(atom, Scope(constants, None, True), kit)
            except Scalar as why:
                raise NotARule([Problem(f"条件「{label}」", str(why), "请改写")]) from None
            if holds is not True:
                return None
        elif len(paths) == 1:
            alone.setdefault(paths[0], []).append(atom)
        else:
            several.append((paths, atom))
    made = []
    for path, parts in alone.items():
        whole = parts[0] if len(parts) == 1 else n.And(tuple(parts))
        made.append(_condition(fields[path], whole, label, fields, constants, kit, clause))
    for number, (paths, atom) in enumerate(several, 1):
        text = label if len(several) == 1 else f"{label}（比较 {number}）"
        made.append(_condition(fields[paths[0]], atom, text, fields, constants, kit, clause))
    return tuple(made)


def _condition(
    field: Field,
    node: n.Node,
    text: str,
    fields: Mapping[str, Field],
    constants: Mapping[str, Any],
    kit: Kit,
    clause: str,
) -> Condition:
    test = n.ValueTest(_turned(node, field.name, fields), True)
    return Condition(field, Cell(field, UnaryTests(text, (test,), frozenset()), constants, kit), clause)


def _path(node: n.Node) -> str:
    """`a.b` of a path from a name; empty for anything else."""
    if isinstance(node, n.Name):
        return node.name
    if isinstance(node, n.Path):
        base = _path(node.base)
        return f"{base}.{node.name}" if base else ""
    return ""


def _paths(node: n.Node, fields: Mapping[str, Field]) -> list[str]:
    """The fields that a node reads, in the order of the text."""
    return list(dict.fromkeys(_walk(node, fields)))


def _walk(node: n.Node, fields: Mapping[str, Field]) -> Iterator[str]:
    path = _path(node)
    if path in fields:
        yield path
        return
    for child in children(node):
        yield from _walk(child, fields)


def _has(node: n.Node, kind: type | tuple[type, ...]) -> bool:
    return isinstance(node, kind) or any(_has(child, kind) for child in children(node))


def _turned(node: n.Node, asked: str, fields: Mapping[str, Field]) -> n.Node:
    """The node with the asked field as `?`, and other fields as plain names of the row."""
    path = _path(node)
    if path == asked:
        return _ASKED
    if path in fields:
        return n.Name(path)
    changed: dict[str, Any] = {}
    for one in dataclasses.fields(node):  # type: ignore[arg-type]
        value = getattr(node, one.name)
        if isinstance(value, n.Node):
            changed[one.name] = _turned(value, asked, fields)
        elif isinstance(value, tuple):
            changed[one.name] = tuple(_within(item, asked, fields) for item in value)
    return dataclasses.replace(node, **changed) if changed else node  # type: ignore[type-var]


def _within(item: Any, asked: str, fields: Mapping[str, Field]) -> Any:
    if isinstance(item, n.Node):
        return _turned(item, asked, fields)
    if isinstance(item, tuple):
        return tuple(_within(one, asked, fields) for one in item)
    return item


__all__ = ["condition_table", "joined"]
