"""Fill a plan: sign-in, registers, derivations, defaults; and check what the applicant gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yiwang.engines.cases.forms import expressions, groups
from yiwang.engines.cases.forms.contracts import (
    FieldError,
    FormField,
    FormMaterial,
    FormPlan,
    Lookup,
    Origin,
    Provenance,
    RegisterUnavailable,
    Way,
)
from yiwang.engines.cases.forms.project import authority
from yiwang.engines.cases.forms.validate import clean

EMPTY = (None, "")
TYPED = "您填写"  # the source of what the applicant gave


def context(plan: FormPlan, data: Mapping[str, Any]) -> dict[str, Any]:
    """What expressions of this plan see: data by role, the situations' answers, groups as lists of rows."""
    types = {f.path: f.type for f in plan.fields}
    found = {**expressions.context(data, plan.roles, types), **plan.answers}
    return {**found, **groups.nested(plan, found)}


def holds(plan: FormPlan, text: str, data: Mapping[str, Any]) -> bool | None:
    """A FEEL condition over the plan's data: True, False, or None when it cannot be told yet."""
    value = expressions.evaluate(text, context(plan, data))
    return value if isinstance(value, bool) else None


def value(plan: FormPlan, text: str, data: Mapping[str, Any]) -> Any:
    """The value of a FEEL expression of a pack over the plan's data, as JSON; None where it cannot be told."""
    return expressions.plain(expressions.evaluate(text, context(plan, data)))


def visible(plan: FormPlan, field: FormField, data: Mapping[str, Any]) -> bool:
    """Whether a field belongs to this application; unknown counts as yes."""
    if field.when is None:
        return True
    known = {p for p, v in data.items() if v not in EMPTY} | plan.answers.keys()
    return expressions.truth(field.when, context(plan, data), known) is not False


def editable(field: FormField, provenance: Mapping[str, Provenance]) -> bool:
    """Whether the applicant types this field: asked, changeable, or a register failed to give it."""
    if field.origin in (Origin.ASKED, Origin.DEFAULT):
        return True
    found = provenance.get(field.path)
    return found is not None and found.origin is Origin.ASKED


def answer(plan: FormPlan, data: Mapping[str, Any], lookup: Lookup) -> dict[str, Any]:
    """The situations' answers as far as they are known: given, or told by a register.

    Args:
        data: what is known, with the query keys of the registers.
    """
    answers = dict(plan.answers)
    for situation in plan.situations:
        if situation.id in answers or situation.lookup is None:
            continue
        key = data.get(situation.lookup.key)
        if key in EMPTY:
            continue
        try:
            record = lookup(situation.lookup.register, str(key))
        except RegisterUnavailable:
            continue
        if situation.holds is None:
            answers[situation.id] = record is not None
        else:
            answers[situation.id] = (
                bool(record) and expressions.evaluate(situation.holds, dict(record or {})) is True
            )
    return answers


def fill(
    plan: FormPlan, data: Mapping[str, Any], lookup: Lookup
) -> tuple[dict[str, Any], dict[str, Provenance]]:
    """Everything known about an application.

    Args:
        data: what the sign-in tells and what was typed.
        lookup: reads a register; may raise RegisterUnavailable.

    Returns:
        the data with prefilled, derived, default and constant values, and where each came from. A field
        that a register should have filled but did not has origin ASKED and a note.
    """
    filled = dict(data)
    provenance: dict[str, Provenance] = {}
    pending = [f for f in plan.fields if f.origin is not Origin.PRODUCED]
    _settle(plan, pending, filled, provenance, lookup)
    # What no register gave has to be typed; a typed key may in turn open registers about things.
    missing = [f for f in pending if f.origin in (Origin.PREFILLED, Origin.CONSTANT)]
    for field in [f for f in pending if filled.get(f.path) not in EMPTY]:
        note = "没有查到，请填写" if field in missing else ""
        provenance[field.path] = Provenance(Origin.ASKED, TYPED, note=note)
        pending.remove(field)
    _settle(plan, pending, filled, provenance, lookup)
    for field in pending:
        if field in missing:
            provenance[field.path] = Provenance(Origin.ASKED, "", note="没有查到，请填写")
    return filled, provenance


def _settle(
    plan: FormPlan,
    pending: list[FormField],
    filled: dict[str, Any],
    provenance: dict[str, Provenance],
    lookup: Lookup,
) -> None:
    """Fill what can be told now, again and again, because queries feed queries."""
    progress = True
    while progress:
        progress = False
        for field in list(pending):
            found = _value(plan, field, filled, provenance, lookup)
            if found is None:
                continue
            value, source = found
            if value not in EMPTY:
                filled[field.path] = value
                provenance[field.path] = source
                pending.remove(field)
                progress = True


def _value(
    plan: FormPlan,
    field: FormField,
    filled: Mapping[str, Any],
    provenance: Mapping[str, Provenance],
    lookup: Lookup,
) -> tuple[Any, Provenance] | None:
    """A field's value and source, as far as it can be told now."""
    typed = filled.get(field.path)
    if field.origin is Origin.CONSTANT:
        return field.default, Provenance(Origin.CONSTANT, field.source)
    if field.origin is Origin.ASKED:
        return (typed, Provenance(Origin.ASKED, TYPED)) if typed not in EMPTY else None
    if field.origin is Origin.DEFAULT:
        if typed not in EMPTY:
            return typed, Provenance(Origin.DEFAULT, TYPED if typed != field.default else field.source)
        return field.default, Provenance(Origin.DEFAULT, field.source)
    if field.origin is Origin.DERIVED and field.derive:
        value = expressions.plain(expressions.evaluate(field.derive, context(plan, filled)))
        return value, Provenance(Origin.DERIVED, field.source)
    if not field.lookups:  # from the sign-in, or by authorisation
        return (typed, Provenance(Origin.PREFILLED, field.source)) if typed not in EMPTY else None
    for source in field.lookups:
        typed_key = _about_things(plan, source.register)
        record = known_record(source.register, source.key, filled, provenance, lookup, typed_key)
        if record and record.get(source.field) not in EMPTY:
            return record[source.field], Provenance(
                Origin.PREFILLED,
                plan.library.get("register", source.register).name,
                source.register,
                source.key,
            )
    return None


def _about_things(plan: FormPlan, register: str) -> bool:
    """Whether a register holds nothing but public facts, such as addresses by parcel."""
    fields = plan.library.get("register", register).data["fields"].values()
    return all(field["level"] == "公开" for field in fields)


def known_record(
    register: str,
    key: str,
    filled: Mapping[str, Any],
    provenance: Mapping[str, Provenance],
    lookup: Lookup,
    typed_key: bool = False,
) -> Mapping[str, Any] | None:
    """A register's record, by the value of path ``key`` that the sign-in, a register or a derivation gave.

    Args:
        typed_key: also by a key somebody typed. Never where persons are registered: typing somebody's
            number must not show that person's data.
    """
    value = filled.get(key)
    given = provenance.get(key)
    if value in EMPTY or given is None:
        return None
    if given.origin in (Origin.ASKED, Origin.DEFAULT) and not typed_key:
        return None
    try:
        return lookup(register, str(value))
    except RegisterUnavailable:
        return None


def choices(plan: FormPlan, field: FormField, data: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The options of a field for these data: an element may be allowed only values of other fields."""
    entity, element = field.element.split(".", 1)
    allow = plan.library.get("elements", entity).data["elements"][element].get("allow")
    if not allow:
        return field.options
    values = [data.get(path) for path in allow]
    labels = dict(field.options)
    return (
        tuple((str(v), labels.get(str(v), str(v))) for v in dict.fromkeys(values) if v not in EMPTY)
        or field.options
    )


def check(plan: FormPlan, data: Mapping[str, Any], uploads: Mapping[str, Any]) -> list[FieldError]:
    """Everything that keeps an application from being submitted.

    Args:
        data: filled data. uploads: ``material@holder`` → anything true when it was uploaded.
    """
    errors = []
    routes = _routes(plan)
    for field in plan.fields:
        if field.origin is Origin.PRODUCED or not visible(plan, field, data):
            continue
        if field.origin is Origin.DERIVED:
            error = _underived(plan, field, data, routes)
            if error:
                errors.append(error)
            continue
        value = data.get(field.path)
        required = field.required or (
            field.required_when is not None and holds(plan, field.required_when, data) is True
        )
        if field.type == "image":
            continue  # the upload is checked with the materials
        if value in EMPTY:
            if required or (field.supporting and _feeds(plan, field, data, routes)):
                errors.append(FieldError(field.path, field.label, value, _missing(field)))
            continue
        _, error = clean(field, str(value), choices(plan, field, data))
        if error:
            errors.append(error)
    if plan.rules:
        errors += groups.broken(plan, context(plan, data))
    for material in plan.materials:
        if material.way is Way.UPLOAD and not uploads.get(material.key):
            if needed(plan, material, data) and not material.tolerable:
                name = f"{material.holder_label}的{material.name}"
                errors.append(FieldError(material.key, name, None, f"请上传{name}"))
    return errors


def needed(plan: FormPlan, material: FormMaterial, data: Mapping[str, Any]) -> bool:
    """Whether a material is wanted for these data."""
    return material.required or (
        material.required_when is not None and holds(plan, material.required_when, data) is True
    )


def _routes(plan: FormPlan) -> frozenset[str]:
    """Paths that decide who acts: without them nobody could take the application."""
    return frozenset(authority(plan, item.id, {}).region_path for item in plan.items)


def _reads(field: FormField) -> frozenset[str]:
    return frozenset(expressions.reads(field.derive)) if field.derive else frozenset()


def _feeds(plan: FormPlan, field: FormField, data: Mapping[str, Any], routes: frozenset[str]) -> bool:
    """Whether something needed is still empty for want of this supporting field."""
    if field.path in routes:
        return True
    return any(
        data.get(other.path) in EMPTY
        and (other.required or other.path in routes or _feeds(plan, other, data, routes))
        for other in plan.fields
        if other.path != field.path and field.path in _reads(other) and visible(plan, other, data)
    )


def _underived(
    plan: FormPlan, field: FormField, data: Mapping[str, Any], routes: frozenset[str]
) -> FieldError | None:
    """A needed value that cannot be derived although its inputs are given: they do not fit together."""
    if data.get(field.path) not in EMPTY or not (field.required or field.path in routes):
        return None
    inputs = [f for f in plan.fields if f.path in _reads(field) and visible(plan, f, data)]
    given = [f for f in inputs if data.get(f.path) not in EMPTY and f.origin is Origin.ASKED]
    if not given:
        return None  # what is missing is reported itself
    names = "、".join(f.label for f in given)
    message = f"按现在填的{names}，推不出{field.label}，请核对后重填"
    return FieldError(given[0].path, given[0].label, data.get(given[0].path), message)


def _missing(field: FormField) -> str:
    verb = "请选择" if field.options or field.type == "region" else "请填写"
    example = f"，例如 {field.example}" if field.example else ""
    return f"{verb}{field.label}{example}"


def decides_itself(
    plan: FormPlan,
    item_id: str,
    data: Mapping[str, Any],
    conditions: list[bool | None],
    materials: list[bool],
) -> bool:
    """Whether the item's pack lets the system grant it without a person (``decision.auto``).

    Args:
        conditions: the values of its acceptance conditions. materials: whether each needs nobody to look at it.
    """
    text = plan.item(item_id).data.get("decision", {}).get("auto")
    if not text:
        return False
    names = {**context(plan, data), "conditions": conditions, "materials": materials}
    return expressions.evaluate(expressions.rename(text, plan.item(item_id).bind), names) is True
