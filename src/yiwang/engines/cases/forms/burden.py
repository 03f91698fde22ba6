"""The burden waterfall: what one-form-for-all saves, step by step, from the same packs that ask it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from yiwang.engines.cases.forms import expressions
from yiwang.engines.cases.forms.contracts import FormPlan, Origin, Way
from yiwang.engines.cases.forms.merge import plan as make_plan
from yiwang.kernel.packs.contracts import Library


@lru_cache(maxsize=256)
def burden(library: Library, ref: str) -> dict[str, Any]:
    """Fields, materials, visits and days: apart, merged, … asked; with registers up and with registers down.

    The situations are those the bundle's targets are measured in (``targets.for``).
    """
    pack = library.find("bundle", ref) or library.get("service_item", ref)
    targets = pack.data.get("targets", {})
    answers = targets.get("for", {})
    up = make_plan(library, ref, answers, True)
    down = make_plan(library, ref, answers, False)
    items = [library.get("service_item", i.id) for i in up.items]
    figures = {"registers_up": _waterfall(up), "registers_down": _waterfall(down)}
    days = _days(up)
    visits = {
        "apart": sum(i.data["visits"]["offline"] for i in items),
        "asked": max((i.data["visits"]["online"] for i in items), default=0),
    }
    result: dict[str, Any] = {
        "id": pack.id,
        "name": pack.name,
        "items": len(items),
        "departments": len({i.data["authority"]["function"] for i in items}),
        "forms": {"apart": len(items), "merged": 1},
        "visits": visits,
        "days": days,
        **figures,
    }
    if targets:
        asked = figures["registers_up"]
        bars = {
            "fields": (asked["fields"]["asked"], targets["asked_fields_max"]),
            "uploads": (asked["materials"]["upload"], targets["upload_max"]),
            "visits": (visits["asked"], targets["visits"]),
            "promised_days": (days["critical_promised"], targets["promised_days"]),
        }
        result["targets"] = {k: {"figure": f, "bar": b, "holds": f <= b} for k, (f, b) in bars.items()}
    return result


def _waterfall(plan: FormPlan) -> dict[str, Any]:
    apart = materials_apart = 0
    for item in plan.items:
        data = item.data
        apart += sum(_applies(plan, item.bind, entry, "when") for entry in data["fields"])
        materials_apart += sum(
            _applies(plan, item.bind, entry, "required") for entry in data.get("materials", ())
        )
    fields = list(plan.fields)
    merged = sum(1 for f in fields if not f.supporting)
    counts = {"apart": apart, "merged": merged}
    left = {f.path for f in fields if not f.supporting}
    asked_supporting = {f.path for f in fields if f.supporting and f.origin is Origin.ASKED}
    steps: list[tuple[str, Collection[Origin]]] = [
        ("not_produced", {Origin.PRODUCED}),
        ("not_derived", {Origin.DERIVED}),
        ("not_default", {Origin.DEFAULT, Origin.CONSTANT}),
        ("asked", {Origin.PREFILLED}),
    ]
    for name, gone in steps:
        left -= {f.path for f in fields if f.origin in gone}
        counts[name] = len(left)
    counts["asked"] += len(asked_supporting)
    ways = [m.way for m in plan.materials]
    materials = {"apart": materials_apart, "merged": len(ways)}
    remaining = len(ways)
    for way, name in (
        (Way.PRODUCED, "not_produced"),
        (Way.LICENCE, "not_licence"),
        (Way.REGISTER, "not_register"),
        (Way.COMMITMENT, "not_commitment"),
        (Way.PROVED, "upload"),
    ):
        remaining -= ways.count(way)
        materials[name] = remaining
    return {
        "fields": counts,
        "materials": materials,
        "asked": [{"path": f.path, "label": f.label} for f in plan.asked],
        "uploads": [{"key": m.key, "label": f"{m.holder_label}的{m.name}"} for m in plan.uploads],
    }


def _applies(plan: FormPlan, bind: Mapping[str, str], entry: Any, key: str) -> bool:
    """Whether a field or material of an item counts under the plan's answers."""
    text = entry.get(key) if isinstance(entry, Mapping) else None
    if not isinstance(text, str):
        return True
    return expressions.truth(expressions.rename(text, bind), plan.answers, plan.answers) is not False


def _days(plan: FormPlan) -> dict[str, int]:
    """Days: one after the other by law; on the critical path by law; on the critical path as promised."""
    limits: dict[str, tuple[int, int]] = {}
    for item in plan.items:
        time = plan.library.get("service_item", item.id).data["time"]
        limits[item.id] = (time["legal"]["value"], time["promised"]["value"])

    def finish(item_id: str, which: int) -> int:
        before: int = max((finish(b, which) for b in plan.dependencies[item_id]), default=0)
        return before + limits[item_id][which]

    return {
        "serial_legal": sum(legal for legal, _ in limits.values()),
        "critical_legal": max((finish(i, 0) for i in limits), default=0),
        "serial_promised": sum(promised for _, promised in limits.values()),
        "critical_promised": max((finish(i, 1) for i in limits), default=0),
    }
