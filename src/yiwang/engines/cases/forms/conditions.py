"""Acceptance conditions (受理条件) of items on the judge engine: one evaluator, one explanation.

Each condition becomes a small rule table: a FEEL test over the form's data, or a truth value a register gives.
Missing data makes a condition unknown and is named; it is never read as met or failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from yiwang.engines.cases.forms import expressions
from yiwang.engines.cases.forms.contracts import (
    Checked,
    ConditionResult,
    FormField,
    FormPlan,
    Lookup,
    Origin,
    Provenance,
    RegisterUnavailable,
)
from yiwang.engines.cases.forms.functions import FUNCTIONS, MONOTONE
from yiwang.engines.cases.forms.project import RegionName, show
from yiwang.engines.judge.conditions import condition_table
from yiwang.engines.judge.rules import Condition, Field, Fields, Judge, Policy, Status
from yiwang.engines.judge.rules.cuts import Kit

KIT = Kit(FUNCTIONS, MONOTONE)
EMPTY = (None, "")
_TYPES = {"int": "number", "date": "date", "datetime": "date", "boolean": "boolean"}
_VALUE = {Status.ENTITLED: True, Status.MISSING: None, Status.NEAR: False, Status.NOT: False}
_WORDS = {True: "符合", False: "不符合", None: "信息不全，待核实"}


@dataclass(frozen=True)
class Table:
    """A condition of an item ready to be judged. ``table`` is None where a person has to judge it.

    ``register``: where the truth value of the only field comes from: (register, path of its key, wanted).
    """

    id: str
    data: Mapping[str, Any]
    table: Policy | None
    fields: tuple[Field, ...]
    register: tuple[str, str, bool] | None = None


def tables(plan: FormPlan, item_id: str, as_of: date | None) -> Iterator[Table]:
    """The rule tables of an item's conditions, under the plan's roles, for one day.

    Raises:
        NotARule: a condition is none; ``yiwang packs check`` tells before it is in force.
    """
    item = plan.item(item_id)
    known = {f.path: f for f in plan.fields}
    for condition in item.data.get("conditions", ()):
        register = condition.get("register")
        if "test" in condition:
            text = expressions.rename(condition["test"], item.bind)
            reads = sorted(expressions.reads(text) - {"today"})
            fields = tuple(_field(plan, path, known.get(path)) for path in reads)
            yield Table(condition["id"], condition, _table(condition, text, fields, as_of), fields)
        elif register:
            role, element = register["key"].split(".", 1)
            name = plan.library.get("register", register["register"]).name
            field = Field(f"登记.{register['register']}", name, "boolean", source=name)
            wanted = register["expect"] == "有记录"
            text = f"{field.name} = {'true' if wanted else 'false'}"
            there = (register["register"], f"{item.bind.get(role, role)}.{element}", wanted)
            yield Table(condition["id"], condition, _table(condition, text, (field,), as_of), (field,), there)
        else:
            yield Table(condition["id"], condition, None, ())


def _table(condition: Mapping[str, Any], text: str, fields: tuple[Field, ...], as_of: date | None) -> Policy:
    return condition_table(
        condition["id"], condition["text"], text, fields, as_of, KIT, condition.get("basis", "")
    )


def _field(plan: FormPlan, path: str, field: FormField | None) -> Field:
    """A path or situation as the judge knows it."""
    if field is not None:
        kind = _TYPES.get(field.type, "string")
        allowed = tuple(v for v, _ in field.options) if kind == "string" else ()
        return Field(path, field.label, kind, source=field.source, values=allowed)
    answer = next((s for s in plan.situations if s.id == path), None)
    return Field(path, answer.ask if answer else path, "string" if answer and answer.options else "boolean")


def row(plan: FormPlan, data: Mapping[str, Any], fields: tuple[Field, ...]) -> dict[str, Any]:
    """What is known of these fields, as the judge takes it; what cannot be read is left out, and so missing."""
    found: dict[str, Any] = {}
    for field in fields:
        value = data.get(field.name, plan.answers.get(field.name))
        if value in EMPTY:
            continue
        if field.type == "date":
            value = _day(value)
        elif field.type == "string":
            value = str(value)
        if value is not None:
            found[field.name] = value
    return found


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def conditions(
    plan: FormPlan,
    item_id: str,
    data: Mapping[str, Any],
    lookup: Lookup,
    provenance: Mapping[str, Provenance] | None = None,
    regions: RegionName | None = None,
) -> list[ConditionResult]:
    """An item's acceptance conditions over these data, each with its reason, explanation and basis.

    Args:
        data: filled data; ``today`` in it is the day of judgement.
        provenance: where each value came from, as ``fill`` tells, to be named in the explanation.
        regions: names of region codes, for the explanation.
    """
    as_of = _day(data.get("today")) if data.get("today") else None
    return [
        _result(plan, one, data, lookup, (provenance or {}, regions), as_of)
        for one in tables(plan, item_id, as_of)
    ]


def _result(
    plan: FormPlan,
    one: Table,
    data: Mapping[str, Any],
    lookup: Lookup,
    words: tuple[Mapping[str, Provenance], RegionName | None],
    as_of: date | None,
) -> ConditionResult:
    provenance, regions = words
    said = (one.data.get("basis", ""), one.data.get("else", ""))
    if one.table is None:
        return ConditionResult(one.id, one.data["text"], None, "由工作人员审核", False, *said)
    reason = ""
    if one.register:
        known, reason, label = _registered(plan, one.register, data, lookup)
    else:
        known = row(plan, data, one.fields)
        label = ""
    ways = [replace(one.table, rules=(rule,)) for rule in one.table.rules]
    fields = Fields({f.name: f for f in one.fields})
    whole, *each = Judge([one.table, *ways], fields, as_of).explain(known)
    value = _VALUE[whole.status]
    # Met: what met it. Otherwise every way it could still be met, and what each lacks.
    told = (
        [f for v in each for f in v.findings if f.answer is not True] if value is not True else whole.findings
    )
    findings, missing = [], []
    for finding in told:
        field = finding.condition.field
        shown = "" if one.register else _shown(plan, data, field.name, regions)
        source = provenance[field.name].source if field.name in provenance else field.source
        gap = finding.suggestion if field.type in ("number", "date") and finding.answer is False else ""
        findings.append(Checked(field.label, shown, source, finding.answer, gap))
        if finding.answer is None:
            missing += _lacking(one, finding.condition, known, label)
    return ConditionResult(
        one.id,
        one.data["text"],
        value,
        reason or _WORDS[value],
        True,
        *said,
        tuple(dict.fromkeys(findings)),
        tuple(dict.fromkeys(missing)) if value is None else (),
    )


def _lacking(one: Table, condition: Condition, known: Mapping[str, Any], label: str) -> list[str]:
    """Labels of what a cell wants to read and does not find."""
    if one.register:
        return [label] if label else []
    asked = {condition.field.name, *condition.cell.reads}
    return [f.label for f in one.fields if f.name in asked and known.get(f.name) is None]


def _shown(plan: FormPlan, data: Mapping[str, Any], path: str, regions: RegionName | None) -> str:
    value = data.get(path, plan.answers.get(path))
    if isinstance(value, bool):
        return "是" if value else "否"
    return show(plan, path, value, regions)


def _registered(
    plan: FormPlan, register: tuple[str, str, bool], data: Mapping[str, Any], lookup: Lookup
) -> tuple[dict[str, Any], str, str]:
    """Whether a register has a record, the reason in words, and the label of a missing key."""
    id_, path, _wanted = register
    field = next((f for f in plan.fields if f.path == path), None)
    key = data.get(path)
    if key in EMPTY:
        if field is not None and field.origin is Origin.PRODUCED:
            return {}, "由前序事项的结果满足", ""
        return {}, "", field.label if field else path
    try:
        record = lookup(id_, str(key))
    except RegisterUnavailable:
        return {}, "登记库暂时查不到，由工作人员审核", ""
    name = plan.library.get("register", id_).name
    return {f"登记.{id_}": record is not None}, f"{name}{'有' if record else '无'}记录", ""


__all__ = ["KIT", "Table", "conditions", "row", "tables"]
