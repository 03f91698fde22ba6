"""Repeating groups: a role that several people fill, such as shareholders.

A group is unrolled before anything else is computed. With three rows, ``founder`` becomes the roles
``founder_1``, ``founder_2``, ``founder_3`` (or, where ``first`` says that the first row is somebody the form
knows already, that role in place of the first). After that a row is a role like any other: the same merging,
prefill, checks, materials and pages. How many rows there are is part of the answers a plan is computed for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from yiwang.engines.cases.forms import expressions
from yiwang.engines.cases.forms.contracts import FieldError, FormPlan, Group, PlanError, Rule
from yiwang.engines.cases.forms.demand import Bound, entity_of
from yiwang.kernel.packs.contracts import Pack

EMPTY = (None, "")


def many_of(data: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The repeating roles of an item or bundle: role → its ``many``."""
    return {
        name: role["many"]
        for name, role in data["roles"].items()
        if isinstance(role, Mapping) and "many" in role
    }


def row_roles(role: str, first: str | None, count: int) -> tuple[str, ...]:
    """The roles of ``count`` rows: ``founder_1``, ``founder_2``…, or ``first`` in place of the first."""
    return tuple(first if first and n == 1 else f"{role}_{n}" for n in range(1, count + 1))


def bounds(one: Group, other: Group) -> Group:
    """Two items' groups of the same role together: the strictest bounds of both.

    Raises:
        PlanError: no number of rows suits both, or they begin with different people.
    """
    low, high = max(one.min, other.min), min(one.max, other.max)
    if low > high:
        raise PlanError(f"{one.label}的人数没有交集：至少 {low} 又至多 {high}，请核对各事项的 many")
    if one.first != other.first:
        raise PlanError(f"{one.label}的第一位不一致：{one.first or '不定'} 与 {other.first or '不定'}")
    return replace(
        one, min=low, max=high, columns=tuple(dict.fromkeys((*one.columns, *other.columns))), rows=()
    )


def declared(item: Bound, role: str, label: str) -> Group:
    """The group that one item wants, in the plan's roles, with no rows yet."""
    many = many_of(item.pack.data)[role]
    first = many.get("first")
    own = [f if isinstance(f, str) else f["path"] for f in item.pack.data["fields"]]
    return Group(
        role=item.bind.get(role, role),
        label=label,
        entity=entity_of(item.pack.data["roles"][role]),
        min=many["min"],
        max=many["max"],
        first=item.bind.get(first, first) if first else None,
        columns=tuple(p.split(".", 1)[1] for p in own if p.startswith(f"{role}.")),
        rows=(),
        opens=many.get("opens", ""),
        why=many.get("why", ""),
    )


def opened(many: Mapping[str, Any], told: Any) -> bool:
    """Whether rows of a group that opens at the push of a button were asked for: the fewest it has, or more.

    Args:
        told: the number of rows in the answers; anything that is no whole number counts as none.
    """
    return isinstance(told, int) and not isinstance(told, bool) and told >= many["min"]


def flags(data: Mapping[str, Any], bind: Mapping[str, str], answers: Mapping[str, Any]) -> dict[str, bool]:
    """What an item's expressions read of its groups (``opens``): name → whether there are rows."""
    return {
        many["opens"]: opened(many, answers.get(bind.get(role, role)))
        for role, many in many_of(data).items()
        if "opens" in many
    }


def wanted(item: Bound, role: str, answers: Mapping[str, Any]) -> bool:
    """Whether an item wants rows of a role: its ``when`` holds, or somebody has said how many there are."""
    many = many_of(item.pack.data)[role]
    if "opens" in many:
        return opened(many, answers.get(item.bind.get(role, role)))
    when = many.get("when")
    decided = True if when is None else expressions.truth(item.text(when), answers, answers)
    return bool(decided) or (decided is None and item.bind.get(role, role) in answers)


def counted(group: Group, answers: Mapping[str, Any]) -> int:
    """How many rows: as many as were asked for, within the bounds; the fewest when nobody asked."""
    told = answers.get(group.role)
    asked = told if isinstance(told, int) and not isinstance(told, bool) else group.min
    return min(max(asked, group.min), group.max)


def gathered(
    items: Sequence[Bound],
    bundle: Mapping[str, Mapping[str, Any]] | None,
    label: Callable[[str], str],
    answers: Mapping[str, Any],
) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    """The items' groups together: those with rows, as many as the answers say, and those nobody has begun.

    Args:
        bundle: the repeating roles of the bundle that the items are in; None for an item by itself.
        label: role → its Chinese name.

    Raises:
        PlanError: bounds that do not meet, or several people in an item where the bundle has one.
    """
    together: dict[str, Group] = {}
    closed: dict[str, Group] = {}
    for item in items:
        for role in many_of(item.pack.data):
            target = item.bind.get(role, role)
            if bundle is not None and target not in bundle:
                raise PlanError(
                    f"{item.pack.name}的角色 {role} 有多人，一件事的 {target} 却只有一人，请写 many"
                )
            mine = declared(item, role, label(target))
            into = together if wanted(item, role, answers) else closed if mine.opens else None
            if into is not None:
                into[target] = bounds(into[target], mine) if target in into else mine
    for role, many in (bundle or {}).items():
        for found in (together, closed):
            if role in found:
                limits = {"min": many["min"], "max": many["max"], "first": many.get("first")}
                own = replace(found[role], **limits, why=many.get("why", found[role].why))
                found[role] = bounds(own, found[role])
    begun = []
    for role, group in sorted(together.items()):
        begun.append(replace(group, rows=row_roles(role, group.first, counted(group, answers))))
    return tuple(begun), tuple(group for role, group in sorted(closed.items()) if role not in together)


def rows_wanted(item: Bound, counts: Mapping[str, int], answers: Mapping[str, Any]) -> dict[str, int]:
    """An item's repeating roles → how many rows it gets; 0 where it wants none.

    Args:
        counts: the plan's roles → number of rows.
    """
    return {
        role: counts[item.bind.get(role, role)] if wanted(item, role, answers) else 0
        for role in many_of(item.pack.data)
    }


def unrolled(item: Bound, counts: Mapping[str, int]) -> Bound:
    """An item with its repeating roles written out, row by row.

    Args:
        counts: the item's repeating roles → number of rows; 0 takes the role out of the form.
    """
    if not counts:
        return item
    data, bind = item.pack.data, dict(item.bind)
    rows = {
        role: row_roles(role, many.get("first"), counts[role])
        for role, many in many_of(data).items()
        if role in counts
    }
    roles = {name: spec for name, spec in data["roles"].items() if name not in rows}
    for role, names in rows.items():
        target = bind.get(role, role)
        for n, name in enumerate(names, start=1):
            roles.setdefault(name, {"entity": entity_of(data["roles"][role])})
            if name not in data["roles"]:
                bind[name] = f"{target}_{n}"
    new = {
        **data,
        "roles": roles,
        "fields": _each(data["fields"], "path", r"^{role}(?=\.)", rows),
        "materials": _each(data.get("materials", ()), "ref", r"(?<=@){role}$", rows),
        "rules": [
            rule
            for rule in data.get("rules", ())
            if all(
                rows[r] for r in rows if r in {p.split(".", 1)[0] for p in expressions.reads(rule["test"])}
            )
        ],
    }
    pack = item.pack
    return Bound(
        Pack(pack.kind, pack.id, pack.version, pack.name, new, pack.file, pack.lines, pack.sha256),
        bind,
        item.optional,
    )


def _each(entries: Any, key: str, pattern: str, rows: Mapping[str, tuple[str, ...]]) -> list[Any]:
    """Fields or materials, those of a repeating role once for every row, each path once."""
    found: dict[str, Any] = {}
    for entry in entries:
        spec = {key: entry} if isinstance(entry, str) else entry
        role = next((r for r in rows if re.search(pattern.format(role=re.escape(r)), spec[key])), None)
        for name in rows[role] if role else (None,):
            one = entry
            if role and name:
                at = re.sub(pattern.format(role=re.escape(role)), name, spec[key])
                one = at if isinstance(entry, str) else {**entry, key: at, **_in_row(entry, role, name)}
            found.setdefault(one if isinstance(one, str) else one[key], one)
    return list(found.values())


def _in_row(entry: Mapping[str, Any], role: str, name: str) -> dict[str, str]:
    """The conditions of a field of a group speak of its own row."""
    return {
        key: expressions.rename(entry[key], {role: name})
        for key in ("when", "required")
        if isinstance(entry.get(key), str)
    }


def rules_of(items: list[Bound]) -> tuple[Rule, ...]:
    """The rules across fields and rows that the items lay down, in the plan's roles, each once."""
    found: dict[tuple[str, str], Rule] = {}
    for item in items:
        for rule in item.pack.data.get("rules", ()):
            test = item.text(rule["test"])
            shown = item.text(rule["value"]) if "value" in rule else ""
            one = Rule(rule["id"], rule["text"], test, shown, item.path(rule["at"]), rule["else"])
            found.setdefault((test, one.at), one)
    return tuple(found.values())


def nested(plan: FormPlan, context: dict[str, Any]) -> dict[str, Any]:
    """What expressions see of groups: role → a list of its rows, so that ``sum(founder.share)`` adds them up."""
    return {g.role: [context.get(row, {}) for row in g.rows] for g in plan.groups}


def broken(plan: FormPlan, values: Mapping[str, Any]) -> list[FieldError]:
    """The rules that do not hold; one that cannot be told yet waits for what is missing.

    Args:
        values: the context of the plan, with its groups.
    """
    errors = []
    for rule in plan.rules:
        if not all(_told(name, values) for name in expressions.reads(rule.test)):
            continue
        if expressions.evaluate(rule.test, values) is not False:
            continue
        path = at_first_row(plan, rule.at)
        field = next((f for f in plan.fields if f.path == path), None)
        now = expressions.plain(expressions.evaluate(rule.value, values)) if rule.value else None
        shown = f"，现为 {now}" if now is not None else ""
        label = field.label if field else path
        errors.append(FieldError(path, label, now, f"{rule.text}{shown}。{rule.otherwise}"))
    return errors


def _told(name: str, values: Mapping[str, Any]) -> bool:
    """Whether a name has a value; of a group, whether every row has one."""
    role, _, element = name.partition(".")
    held = values.get(role)
    rows = held if isinstance(held, list) else [held if element else {"": held}]
    return all(isinstance(row, Mapping) and row.get(element) not in EMPTY for row in rows)


def at_first_row(plan: FormPlan, path: str) -> str:
    """A path of a group as that of its first row; any other as it is."""
    role, _, element = path.partition(".")
    group = next((g for g in plan.groups if g.role == role), None)
    return f"{group.rows[0]}.{element}" if group and group.rows else path


def without_row(group: Group, number: int, data: Mapping[str, Any]) -> dict[str, Any]:
    """The data without one row; those behind it move up.

    Args:
        number: counts from 1. data: paths or ``material@role`` → value; what is not of the group stays.

    Raises:
        ValueError: no such row, or one that is not the group's own (``first``).
    """
    if not 1 <= number <= len(group.rows) or group.rows[number - 1] == group.first:
        raise ValueError(number)
    moved = {group.rows[n]: group.rows[n - 1] for n in range(number, len(group.rows))}
    gone = group.rows[number - 1]
    kept: dict[str, Any] = {}
    for key, value in data.items():
        parts = re.split(r"([.@])", key, maxsplit=1)
        if len(parts) == 3:
            place = 2 if parts[1] == "@" else 0
            if parts[place] == gone:
                continue
            parts[place] = moved.get(parts[place], parts[place])
        kept["".join(parts)] = value
    return kept


def joined(plan: FormPlan, path: str, data: Mapping[str, Any], own: Mapping[str, str]) -> list[Any]:
    """Every value of a path in an item's own data: one, or one of each row of a group.

    Of a group without rows, the value of the one who would be the first.

    Args:
        own: the item's roles → the plan's (its ``bind``).
    """
    role, _, element = path.partition(".")
    shut = next((g for g in plan.closed if g.role == own.get(role, role)), None)
    if shut is not None:
        path = f"{next((mine for mine, bound in own.items() if bound == shut.first), shut.first)}.{element}"
    group = next((g for g in plan.groups if g.role == own.get(role, role)), None)
    if group is None or role in plan.roles:
        return [data[path]] if data.get(path) not in EMPTY else []
    values = []
    for row in group.rows:
        names = [name for name, bound in own.items() if bound == row] or [row]
        values += [v for n in names if (v := data.get(f"{n}.{element}")) not in EMPTY][:1]
    return values
