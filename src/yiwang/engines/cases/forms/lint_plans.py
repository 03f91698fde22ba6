"""Lint rules that need the computed form: L3 intersections, L4 keys, L6 cycles, L10 consent, L12 targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from yiwang.engines.cases.forms.burden import burden
from yiwang.engines.cases.forms.contracts import FormPlan, Origin, PlanError
from yiwang.engines.cases.forms.dictionary import absolute
from yiwang.engines.cases.forms.merge import plan as make_plan
from yiwang.engines.cases.forms.validate import clean
from yiwang.kernel.packs.contracts import Library, Pack, Problem

_KIND = {Origin.CONSTANT: "固定值", Origin.DEFAULT: "默认值"}
_BARS = {"fields": "须填字段", "uploads": "须传材料", "visits": "跑动次数", "promised_days": "承诺天数"}


def plans(library: Library, pack: Pack) -> Iterator[Problem]:
    """Problems of the form of one bundle or item, planned with every register up, then with none."""
    answers = pack.data.get("targets", {}).get("for", {})
    try:
        plan = make_plan(library, pack.id, answers, True)
        make_plan(library, pack.id, answers, False)
    except PlanError as error:
        cycle = "循环" in str(error)
        where = ("items",) if pack.kind == "bundle" else ("fields",)
        remedy = "去掉其中一条产出或输入" if cycle else "放宽其中一个事项的约束，或用 merge 裁决"
        yield pack.problem(where, str(error), remedy, "L6" if cycle else "L3")
        return
    for field in plan.fields:
        if field.origin in (Origin.CONSTANT, Origin.DEFAULT):
            _, wrong = clean(field, str(field.default), field.options)
            if wrong:
                at: tuple[str | int, ...] = (
                    ("constants", field.path) if field.origin is Origin.CONSTANT else ("fields",)
                )
                what = f"{_KIND[field.origin]}不合要求：{wrong.message}"
                yield pack.problem(at, what, "写成代码表里的代码", "L3")
    if pack.kind != "bundle":
        return
    yield from _keys(pack, plan)
    yield from _consent(pack, plan)
    shown = {f.path for f in plan.fields}
    for n, page in enumerate(pack.data["pages"]):
        for path in page["fields"]:
            if path.endswith(".*"):
                continue
            if path not in shown and not _ever(library, pack, path):
                what = f"页面「{page['title']}」写了 {path}，但没有事项要它"
                yield pack.problem(("pages", n), what, "从页面里去掉", "L5")
    for name, bar in burden(library, pack.id)["targets"].items():
        if not bar["holds"]:
            what = f"门槛未达：{_BARS[name]} {bar['figure']}，门槛 {bar['bar']}"
            yield pack.problem(("targets",), what, "减少要填要传的，或压缩时限；不达不得发布", "L12")


def _ever(library: Library, pack: Pack, path: str) -> bool:
    """Whether a path is in the form when every item is in."""
    everything: dict[str, Any] = {e["ref"]: True for e in pack.data["items"]}
    return any(f.path == path for f in make_plan(library, pack.id, everything, True).fields)


def _keys(pack: Pack, plan: FormPlan) -> Iterator[Problem]:
    """L4: with every register up, nothing that a register holds is asked for want of its key."""
    produced = {f.path for f in plan.fields if f.origin is Origin.PRODUCED}
    for field in plan.fields:
        if field.origin is not Origin.ASKED or any(
            a["path"] == field.path for a in pack.data.get("ask_anyway", ())
        ):
            continue
        entity, element = field.element.split(".", 1)
        sources = plan.library.get("elements", entity).data["elements"][element].get("sources", ())
        role = field.path.split(".", 1)[0]
        # By a key that only this application produces, no register can know anything yet.
        held = [s for s in sources if "register" in s and absolute(s["key"], role) not in produced]
        if held:
            keys = "、".join(s["key"] if "." in s["key"] else f"{role}.{s['key']}" for s in held)
            what = f"{field.label}（{field.path}）有登记库可查，但查询键 {keys} 在填表时不知道"
            yield pack.problem(
                ("known",), what, "让查询键已知（known），或列入 ask_anyway 说明为什么要问", "L4"
            )
    for situation in plan.situations:
        if situation.lookup and situation.lookup.key not in {f.path for f in plan.fields}:
            what = f"情形 {situation.id} 的查询键 {situation.lookup.key} 不在表里"
            yield pack.problem(("situations",), what, "换一个查询键", "L4")


def _consent(pack: Pack, plan: FormPlan) -> Iterator[Problem]:
    """L10: every register that is read is in what the applicant consents to."""
    agreed = {r for c in pack.data["consent"] for r in c["registers"]}
    read = {lookup.register for f in plan.fields for lookup in f.lookups}
    read |= {m.lookup.register for m in plan.materials if m.lookup}
    read |= {s.lookup.register for s in plan.situations if s.lookup}
    for register in sorted(read - agreed):
        name = plan.library.get("register", register).name
        what = f"表里要查{name}（{register}），但没有列入征得同意的范围"
        yield pack.problem(("consent",), what, "写进 consent.registers", "L10")
