"""Run the tests that packs carry: what must be asked, filled, refused, needed and decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from yiwang.engines.cases.forms.conditions import conditions
from yiwang.engines.cases.forms.contracts import FormPlan, PlanError, RegisterUnavailable
from yiwang.engines.cases.forms.fill import choices, fill, visible
from yiwang.engines.cases.forms.merge import plan as make_plan
from yiwang.engines.cases.forms.project import authority
from yiwang.engines.cases.forms.validate import clean
from yiwang.kernel.packs.contracts import Library, Pack

Expectation = Callable[[FormPlan, "_Run", Any], str | None]


class _Run:
    """One test's world: its registers, its data filled in."""

    def __init__(self, plan: FormPlan, test: Mapping[str, Any]) -> None:
        self.plan = plan
        self.records = test.get("records", {})
        up = test.get("registers", "全通")
        everything = {p.id for p in plan.library.all("register")}
        self.up = everything if up == "全通" else set() if isinstance(up, str) else set(up)
        given = dict(test.get("given", {}))
        if "today" in test:
            given["today"] = test["today"]
        self.data, self.provenance = fill(plan, given, self.lookup)

    def lookup(self, register: str, key: str) -> Mapping[str, Any] | None:
        if register not in self.up:
            raise RegisterUnavailable(register)
        found: Mapping[str, Any] | None = self.records.get(register, {}).get(key)
        return found


def failures(library: Library, pack: Pack, test: Mapping[str, Any]) -> list[str]:
    """What a pack's own test finds different from what it expects; empty when it passes.

    Args:
        pack: a bundle or service item. test: one entry of its ``tests``.
    """
    registers = test.get("registers", "全通")
    up = True if registers == "全通" else False if isinstance(registers, str) else registers
    try:
        plan = make_plan(library, pack.id, test.get("answers", {}), up)
    except PlanError as error:
        return [str(error)]
    strange = [p for p in test.get("given", {}) if p.partition(".")[0] not in plan.roles]
    if strange:
        return [f"given 里的 {p} 没有这个角色" for p in strange]
    run = _Run(plan, test)
    found = []
    for what, wanted in test["expect"].items():
        failure = _EXPECTATIONS[what](plan, run, wanted)
        if failure:
            found.append(failure)
    return found


def _exactly(what: str, there: Any, wanted: Any) -> str | None:
    missing = [str(x) for x in wanted if x not in there]
    extra = [str(x) for x in there if x not in wanted]
    parts = [f"少了 {'、'.join(missing)}"] * bool(missing) + [f"多了 {'、'.join(extra)}"] * bool(extra)
    return f"{what}{'，'.join(parts)}" if parts else None


def _asked(plan: FormPlan, run: _Run, wanted: list[str]) -> str | None:
    return _exactly("要填的字段", [f.path for f in plan.asked], wanted)


def _not_asked(plan: FormPlan, run: _Run, wanted: list[str]) -> str | None:
    wrong = [f.path for f in plan.asked if f.path in wanted]
    return f"不该问却要填：{'、'.join(wrong)}" if wrong else None


def _seen(plan: FormPlan, run: _Run) -> set[str]:
    return {f.path for f in plan.fields if not f.supporting and visible(plan, f, run.data)}


def _shown(plan: FormPlan, run: _Run, wanted: list[str]) -> str | None:
    wrong = sorted(set(wanted) - _seen(plan, run))
    return f"该出现却没有：{'、'.join(wrong)}" if wrong else None


def _hidden(plan: FormPlan, run: _Run, wanted: list[str]) -> str | None:
    wrong = sorted(set(wanted) & _seen(plan, run))
    return f"不该出现却有：{'、'.join(wrong)}" if wrong else None


def _values(what: str, there: Mapping[str, Any], wanted: Mapping[str, Any]) -> str | None:
    wrong = [f"{k} 应为 {v!r}，实为 {there.get(k)!r}" for k, v in wanted.items() if there.get(k) != v]
    return f"{what}：{'；'.join(wrong)}" if wrong else None


def _filled(plan: FormPlan, run: _Run, wanted: Mapping[str, Any]) -> str | None:
    return _values("填好的值", run.data, wanted)


def _materials(plan: FormPlan, run: _Run, wanted: Mapping[str, str]) -> str | None:
    there = {m.key: str(m.way) for m in plan.materials}
    return _values("材料", {k: there.get(k, "none") for k in wanted}, wanted)


def _uploads(plan: FormPlan, run: _Run, wanted: list[str]) -> str | None:
    return _exactly("要上传的材料", [m.key for m in plan.uploads], wanted)


def _items(plan: FormPlan, run: _Run, wanted: list[str]) -> str | None:
    return _exactly("事项", [i.id for i in plan.items], wanted)


def _batches(plan: FormPlan, run: _Run, wanted: list[list[str]]) -> str | None:
    there = [sorted(batch) for batch in plan.batches]
    return None if there == [sorted(b) for b in wanted] else f"批次应为 {wanted}，实为 {there}"


def _refused(plan: FormPlan, run: _Run, wanted: Mapping[str, Any]) -> str | None:
    taken = []
    fields = {f.path: f for f in plan.fields}
    for path, value in wanted.items():
        field = fields.get(path)
        if field is None:
            return f"表里没有 {path}"
        if clean(field, str(value), choices(plan, field, run.data))[1] is None:
            taken.append(f"{path} = {value!r}")
    return f"该拒绝却接受了：{'；'.join(taken)}" if taken else None


def _conditions(plan: FormPlan, run: _Run, wanted: Mapping[str, Any]) -> str | None:
    there = {c.id: c.value for i in plan.items for c in conditions(plan, i.id, run.data, run.lookup)}
    return _values("条件", there, wanted)


def _authority(plan: FormPlan, run: _Run, wanted: str) -> str | None:
    there = authority(plan, plan.items[0].id, run.data).region
    return None if there == wanted else f"承办区划应为 {wanted}，实为 {there}"


_EXPECTATIONS: Mapping[str, Expectation] = {
    "asked": _asked,
    "not_asked": _not_asked,
    "shown": _shown,
    "hidden": _hidden,
    "filled": _filled,
    "materials": _materials,
    "uploads": _uploads,
    "items": _items,
    "batches": _batches,
    "refused": _refused,
    "conditions": _conditions,
    "authority": _authority,
}
