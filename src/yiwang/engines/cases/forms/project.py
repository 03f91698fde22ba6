"""From the merged form back to each item's own form, and on to what the item produces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from yiwang.engines.cases.forms import groups
from yiwang.engines.cases.forms.contracts import Allocation, Authority, FormPlan, Told, Way
from yiwang.engines.cases.forms.dictionary import Dictionary
from yiwang.engines.cases.forms.functions import as_date, county_of, idno_check_digit
from yiwang.engines.cases.forms.uscc import make_uscc

#: the name of a region code; empty when there is none
RegionName = Callable[[str], str]


def _needs(item: Mapping[str, Any]) -> list[str]:
    """Every path of an item that running it reads: its form, its routing, its results."""
    outputs = item.get("outputs", {})
    paths = [f if isinstance(f, str) else f["path"] for f in item["fields"]]
    paths.append(item["authority"]["region"])
    for field in outputs.get("fields", ()):
        allocate = field.get("allocate", {})
        paths += [allocate[k] for k in ("region", "birth", "sex") if k in allocate]
    paths += outputs.get("licence", {}).get("fields", ())
    paths += outputs.get("enterprise", {}).values()
    for register in outputs.get("register", ()):
        paths += [register["key"], *register["fields"].values()]
    return list(dict.fromkeys(paths))


def project(plan: FormPlan, item_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """An item's own original form, in the item's roles, from the merged data (一表申请).

    Args:
        data: filled data of the plan, in the plan's roles.
    """
    bind = plan.item(item_id).bind
    own = {}
    for path in _needs(plan.item(item_id).data):
        role, element = path.split(".", 1)
        value = data.get(f"{bind.get(role, role)}.{element}")
        if value not in (None, ""):
            own[path] = value
    return own


def rows_of(plan: FormPlan, item_id: str) -> dict[str, int]:
    """How many rows each repeating role of an item has in this plan, under the item's own names."""
    bind = plan.item(item_id).bind
    counts = {group.role: len(group.rows) for group in plan.groups}
    repeating = groups.many_of(plan.library.get("service_item", item_id).data)
    return {role: counts[at] for role in repeating if (at := bind.get(role, role)) in counts}


def authority(plan: FormPlan, item_id: str, data: Mapping[str, Any]) -> Authority:
    """Which function at which level in which region decides an item; the region is None while unknown."""
    item = plan.item(item_id).data["authority"]
    role, element = item["region"].split(".", 1)
    path = f"{plan.item(item_id).bind.get(role, role)}.{element}"
    return Authority(item["function"], item["level"], county_of(data.get(path)), path)


def catalogue_of_told(plan: FormPlan) -> tuple[Told, ...]:
    """一次告知: every field and material the applicant was told of; a supplement picks from nothing else."""
    lines = [
        Told("field", f.path, f.label, f.items, f.why_asked or f.source)
        for f in plan.fields
        if not f.supporting and not f.produced_by
    ]
    lines += [
        Told("material", m.key, f"{m.holder_label}的{m.name}", m.items, m.told)
        for m in plan.materials
        if m.way is not Way.PRODUCED
    ]
    return tuple(lines)


def allocations(plan: FormPlan, item_id: str, data: Mapping[str, Any]) -> list[Allocation]:
    """The values an item must allocate when it is granted, from its own data (which has ``today``).

    An empty scope draws no number.
    """
    found = []
    for output in plan.item(item_id).data.get("outputs", {}).get("fields", ()):
        spec = output.get("allocate")
        if not spec:
            continue
        if spec["method"] == "serial":
            scope = spec.get("scope", f"{item_id}:{output['path']}")
            found.append(Allocation(output["path"], "serial", scope, spec))
            continue
        if spec["method"] == "today":
            found.append(Allocation(output["path"], "today", "", {"day": data.get("today", "")}))
            continue
        if spec["method"] == "gb32100":
            seed = {**spec, "region": county_of(data.get(spec["region"])) or "000000"}
            found.append(Allocation(output["path"], "gb32100", f"gb32100:{spec['prefix']}", seed))
            continue
        born = as_date(data.get(spec["birth"]))
        region = county_of(data.get(spec["region"])) or "000000"
        seed = {"region": region, "birth": f"{born:%Y%m%d}" if born else "", "sex": data.get(spec["sex"])}
        found.append(
            Allocation(output["path"], "gb11643", f"gb11643:{region}:{seed['birth']}:{seed['sex']}", seed)
        )
    return found


def render(allocation: Allocation, serial: int) -> str:
    """The ``serial``-th value of an allocation.

    An identity number's three digits of order are odd for men, even for women (GB 11643-1999).
    A subject code is unique in the country, so its range is counted across regions (GB 32100-2015).
    """
    if allocation.method == "today":
        return str(allocation.spec["day"])
    if allocation.method == "gb32100":
        spec = allocation.spec
        return make_uscc(spec["authority"], spec["category"], spec["region"], spec["prefix"], serial)
    if allocation.method == "serial":
        return f"{allocation.spec['prefix']}{serial:0{allocation.spec['digits']}d}"
    odd = allocation.spec["sex"] == "男"
    order = 2 * serial - 1 if odd else 2 * serial
    first = f"{allocation.spec['region']}{allocation.spec['birth']}{order:03d}"
    return first + idno_check_digit(first)


@dataclass(frozen=True, slots=True)
class Founded:
    """An enterprise that an item brings into being, and who represents it."""

    name: str
    uscc: str
    legal_name: str
    legal_idno: str


def founded(plan: FormPlan, item_id: str, data: Mapping[str, Any]) -> Founded | None:
    """The enterprise of ``outputs.enterprise``, from the item's data after allocation; None when there is none."""
    spec = plan.item(item_id).data.get("outputs", {}).get("enterprise")
    if not spec:
        return None
    role = spec["legal"].split(".", 1)[0]
    paths = (spec["name"], spec["uscc"], f"{role}.name", spec["legal"])
    return Founded(*(str(data.get(path, "")) for path in paths))


def write_backs(
    plan: FormPlan, item_id: str, data: Mapping[str, Any]
) -> list[tuple[str, str, dict[str, Any]]]:
    """What an item's result writes back: (register, key, fields), for those whose key is known.

    A register's field with a code list gets the code, any other the words.
    """
    found = []
    for target in plan.item(item_id).data.get("outputs", {}).get("register", ()):
        key = data.get(target["key"])
        if key in (None, ""):
            continue
        held = plan.library.get("register", target["register"]).data["fields"]
        fields = {}
        for name, path in target["fields"].items():
            values = groups.joined(plan, path, data, plan.item(item_id).bind)
            if len(values) == 1:
                fields[name] = values[0] if "codelist" in held[name] else _words(plan, path, values[0])
            elif values:
                fields[name] = "、".join(str(_words(plan, path, v)) for v in values)
        found.append((target["register"], str(key), fields))
    return found


def _words(plan: FormPlan, path: str, value: Any) -> Any:
    field = next((f for f in plan.fields if f.path == path), None)
    return dict(field.options).get(str(value), value) if field else value


@dataclass(frozen=True, slots=True)
class LicenceContent:
    """What a certificate says. ``rows`` are (label, shown value)."""

    type: str
    number: str
    holder: str
    rows: tuple[tuple[str, str], ...]


def licence(
    plan: FormPlan, item_id: str, data: Mapping[str, Any], regions: RegionName | None = None
) -> LicenceContent | None:
    """The certificate an item issues, from its own data after allocation; None when it issues none.

    Args:
        regions: tells the name of a region code; without it the code is printed.
    """
    outputs = plan.item(item_id).data.get("outputs", {})
    spec = outputs.get("licence")
    if not spec:
        return None
    number = next((str(data[f["path"]]) for f in outputs.get("fields", ()) if data.get(f["path"])), "")
    bind = plan.item(item_id).bind
    rows = tuple(
        (label(plan, p), "、".join(show(plan, groups.at_first_row(plan, p), v, regions) for v in values))
        for p in spec["fields"]
        if (values := groups.joined(plan, p, data, bind))
    )
    return LicenceContent(spec["type"], number, str(data.get(f"{spec['holder']}.name", "")), rows)


def label(plan: FormPlan, path: str) -> str:
    """The Chinese label of a path."""
    for field in plan.fields:
        if field.path == path:
            return field.label
    role, _, element = path.partition(".")
    words = Dictionary(plan.library)
    group = next((g for g in (*plan.groups, *plan.closed) if g.role == role), None)
    if group:
        found = words.find(element, group.entity)
        return f"{group.label}的{found.name}" if found else path
    found = words.find(element, plan.roles.get(role))
    return f"{words.label(plan.roles.get(role, role))}的{found.name}" if found else path


def show(plan: FormPlan, path: str, value: Any, regions: RegionName | None = None) -> str:
    """A value as people read it: code → label, dates and times in Chinese, regions by ``regions``."""
    if value in (None, ""):
        return ""
    field = next((f for f in plan.fields if f.path == path), None)
    if field is None:
        return str(value)
    named = dict(field.options).get(str(value))
    if named:
        return named
    if field.type == "region" and regions:
        return regions(str(value)) or str(value)
    if field.type == "date" and len(str(value)) >= 10:
        y, m, d = str(value)[:10].split("-")
        return f"{y} 年 {int(m)} 月 {int(d)} 日"
    if field.type == "datetime" and len(str(value)) >= 16:
        y, m, d = str(value)[:10].split("-")
        return f"{y} 年 {int(m)} 月 {int(d)} 日 {str(value)[11:16]}"
    if field.type == "bank_account":
        return f"{str(value)[:4]} **** {str(value)[-4:]}"
    return str(value)


__all__ = [
    "Founded",
    "LicenceContent",
    "allocations",
    "authority",
    "catalogue_of_told",
    "founded",
    "label",
    "licence",
    "project",
    "render",
    "show",
    "write_backs",
]
