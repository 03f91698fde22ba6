"""A county's or city's overlay on a provincial item: only ever tighter (shorter, fewer, free)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from yiwang.engines.cases.forms.contracts import FormMaterial, FormPlan
from yiwang.engines.cases.forms.project import authority
from yiwang.kernel.packs.contracts import Library, Pack, Problem


def overlay_for(library: Library, item_id: str, region: str | None) -> Pack | None:
    """The overlay in force for an item decided in a region: the county's before the city's."""
    if not region:
        return None
    fitting = [
        pack
        for pack in library.all("overlay")
        if pack.data["for"] == item_id and region.startswith(pack.data["region"].removesuffix("00"))
    ]
    return max(fitting, key=lambda pack: len(pack.data["region"].removesuffix("00")), default=None)


def overlaid(item: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """An item's data with an overlay laid on it."""
    data = dict(item)
    if "promised" in overlay:
        data["time"] = {**item["time"], "promised": overlay["promised"]}
    if "visits" in overlay:
        data["visits"] = {**item["visits"], **overlay["visits"]}
    if overlay.get("free"):
        data["fee"] = {"charged": False}
    return data


def eased(plan: FormPlan, data: Mapping[str, Any]) -> tuple[FormMaterial, ...]:
    """The materials that are left when the offices that decide do without some of them."""
    dropped: dict[str, set[str]] = {}
    for item in plan.items:
        pack = overlay_for(plan.library, item.id, authority(plan, item.id, data).region)
        for entry in pack.data.get("without", ()) if pack else ():
            material, holder = entry.split("@")
            dropped.setdefault(f"{material}@{item.bind.get(holder, holder)}", set()).add(item.id)
    left = []
    for one in plan.materials:
        wanted = tuple(i for i in one.items if i not in dropped.get(one.key, ()))
        if wanted:
            left.append(replace(one, items=wanted))
    return tuple(left)


def lint(library: Library) -> Iterator[Problem]:
    """L7: an overlay that loosens anything is refused, with what it loosens."""
    for pack in library.all("overlay"):
        item = library.find("service_item", pack.data["for"])
        if item is None:
            yield pack.problem(("for",), f"没有事项 {pack.data['for']}", "写已有事项的 id", "L1")
            continue
        promised, base = pack.data.get("promised"), item.data["time"]["promised"]
        if promised and promised["unit"] != base["unit"]:
            what = f"承诺时限的单位是{promised['unit']}，全省是{base['unit']}，无法比较"
            yield pack.problem(("promised",), what, f"改用{base['unit']}", "L7")
        elif promised and promised["value"] > base["value"]:
            what = f"承诺 {promised['value']} {promised['unit']}，比全省的 {base['value']} {base['unit']}长"
            yield pack.problem(("promised",), what, "本级只许更快：写不大于全省的数", "L7")
        for channel, visits in pack.data.get("visits", {}).items():
            if visits > item.data["visits"][channel]:
                what = f"跑动 {visits} 次，比全省的 {item.data['visits'][channel]} 次多"
                yield pack.problem(("visits", channel), what, "本级只许更少", "L7")
        there = {m if isinstance(m, str) else m["ref"] for m in item.data.get("materials", ())}
        for n, entry in enumerate(pack.data.get("without", ())):
            if entry not in there:
                what = f"事项本来就不要 {entry}"
                yield pack.problem(("without", n), what, f"可去掉的有：{'、'.join(sorted(there))}", "L7")
