"""A page of a computed form, as the template draws it and as the browser sends it back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse

from yiwang.engines.cases import forms
from yiwang.engines.cases.api import Draft, Filled
from yiwang.kernel.files.models import StoredFile
from yiwang.kernel.files.rules import ACCEPT_ATTRIBUTE, ACCEPTED
from yiwang.kernel.orgs.models import Region

_KINDS = {
    "date": "date",
    "datetime": "datetime",
    "int": "number",
    "decimal": "decimal",
    "phone": "phone",
    "image": "upload",
}
FEW = 6  # up to so many options are shown as a list of buttons


@dataclass
class Widget:
    """One field on a page."""

    id: str
    name: str
    label: str
    kind: str
    value: Any
    required: bool
    hint: str
    why: str
    options: tuple[tuple[str, str], ...]
    error: str = ""
    accept: str = ACCEPT_ATTRIBUTE
    paper: str = ""  # address of what the system wrote, to be signed and uploaded


@dataclass(frozen=True)
class Known:
    """One line of what need not be asked."""

    label: str
    value: str
    source: str
    path: str = ""


def anchor(path: str) -> str:
    """The id of a field's input: ``child.name`` → ``f-child-name``."""
    return "f-" + path.replace(".", "-").replace("@", "-at-")


def regions() -> tuple[tuple[str, str], ...]:
    """Counties to choose from, with their city."""
    rows = Region.objects.filter(level="county", valid_to=None).select_related("parent").order_by("code")
    return tuple((r.code, f"{r.parent.name if r.parent else ''}{r.name}") for r in rows)


def widgets(filled: Filled, draft: Draft, page: str, errors: Mapping[str, str]) -> list[Widget]:
    """What the applicant types on a page."""
    found = []
    plan, data = filled.plan, filled.data
    for path in _page(plan, page):
        field = plan.field(path)
        if not forms.editable(field, filled.provenance) or not forms.visible(plan, field, data):
            continue
        if field.origin is forms.Origin.DEFAULT:
            continue  # shown as known; see ``defaults``
        found.append(_widget(filled, draft, field, errors))
    for material in _materials(plan, page):
        found.append(_upload(material, draft, errors))
    return found


def defaults(filled: Filled, draft: Draft, page: str, errors: Mapping[str, str]) -> list[Widget]:
    """What a page fills in with the usual value, for the few who want another one."""
    plan, data = filled.plan, filled.data
    fields = [plan.field(path) for path in _page(plan, page)]
    return [
        _widget(filled, draft, f, errors)
        for f in fields
        if f.origin is forms.Origin.DEFAULT and not f.supporting and forms.visible(plan, f, data)
    ]


def _page(plan: forms.FormPlan, page: str) -> tuple[str, ...]:
    return next(p.fields for p in plan.pages if p.id == page)


def _materials(plan: forms.FormPlan, page: str) -> list[forms.FormMaterial]:
    """Uploads that are no field of a page belong to the last page."""
    if not plan.pages or plan.pages[-1].id != page:
        return []
    in_fields = {f.path for f in plan.fields if f.type == "image"}
    return [m for m in plan.uploads if m.field not in in_fields]


def _widget(filled: Filled, draft: Draft, field: forms.FormField, errors: Mapping[str, str]) -> Widget:
    if field.type == "image":
        material = next((m for m in filled.plan.uploads if m.field == field.path), None)
        if material:
            return _upload(material, draft, errors, field)
    options = forms.choices(filled.plan, field, filled.data)
    if field.type == "region" and not options:
        options = regions()
    kind = ("choice" if len(options) <= FEW else "select") if options else _KINDS.get(field.type, "text")
    value = filled.data.get(field.path)
    if value in (None, "") and field.suggest:
        value = filled.data.get(field.suggest)
    if kind == "datetime" and value:
        value = str(value)[:16]
    return Widget(
        id=anchor(field.path),
        name=field.path,
        label=field.label,
        kind=kind,
        value="" if value is None else str(value),
        required=field.required or field.required_when is not None or field.supporting,
        hint=f"{field.hint}。" if field.hint else "",
        why=f"{field.why_asked}。" if field.why_asked else "",
        options=options,
        error=errors.get(field.path, ""),
    )


def _upload(
    material: forms.FormMaterial,
    draft: Draft,
    errors: Mapping[str, str],
    field: forms.FormField | None = None,
) -> Widget:
    stored = StoredFile.objects.filter(id=draft.uploads.get(material.key)).first() if draft.uploads else None
    return Widget(
        id=anchor(field.path if field else material.key),
        name=material.key,
        label=f"{material.holder_label}的{material.name}",
        kind="upload",
        value=stored.name if stored else "",
        required=material.required or material.required_when is not None,
        hint=f"{field.hint}。" if field and field.hint else "",
        why=f"可传 {ACCEPTED}，不超过 10 MB。",
        options=(),
        error=errors.get(material.key, ""),
        paper=reverse("paper", args=[draft.id, material.key]) if material.generated else "",
    )


def known(filled: Filled, page: str) -> list[Known]:
    """What is filled in already on a page, with its source; what only supports the form is left out."""
    lines = []
    for path in _page(filled.plan, page):
        field = filled.plan.field(path)
        value = filled.data.get(path)
        hidden = field.supporting or field.origin in (forms.Origin.PRODUCED, forms.Origin.CONSTANT)
        if hidden or value in (None, "") or not forms.visible(filled.plan, field, filled.data):
            continue
        if forms.editable(field, filled.provenance) and field.origin is not forms.Origin.DEFAULT:
            continue
        lines.append(Known(field.label, shown(filled.plan, path, value), filled.provenance[path].source))
    return lines


def shown(plan: forms.FormPlan, path: str, value: Any) -> str:
    """A value as people read it; identity numbers masked."""
    field = plan.field(path)
    if field.type == "idno" and len(str(value)) == 18:
        return f"{str(value)[:6]}********{str(value)[14:]}"
    if field.type == "region":
        region = Region.objects.filter(code=value).select_related("parent").first()
        return f"{region.parent.name if region.parent else ''}{region.name}" if region else str(value)
    return forms.show(plan, path, value)


def summary(filled: Filled, draft: Draft) -> list[dict[str, Any]]:
    """The check page: page by page, what will be submitted and where it came from."""
    sections = []
    for page in filled.plan.pages:
        rows = []
        for path in page.fields:
            field = filled.plan.field(path)
            value = filled.data.get(path)
            if field.supporting or field.origin is forms.Origin.PRODUCED or field.type == "image":
                continue
            if value in (None, "") or not forms.visible(filled.plan, field, filled.data):
                continue
            mine = forms.editable(field, filled.provenance) and field.origin is not forms.Origin.DEFAULT
            source = "" if mine else filled.provenance[path].source
            rows.append(
                {
                    "label": field.label,
                    "value": shown(filled.plan, path, value),
                    "source": source,
                    "mine": mine,
                }
            )
        uploads = [m for m in filled.plan.uploads if draft.uploads.get(m.key)]
        if page is filled.plan.pages[-1]:
            for material in uploads:
                stored = StoredFile.objects.filter(id=draft.uploads[material.key]).first()
                label = f"{material.holder_label}的{material.name}"
                rows.append(
                    {"label": label, "value": stored.name if stored else "", "source": "", "mine": True}
                )
        if rows:
            sections.append({"page": page, "rows": rows})
    return sections


def read(filled: Filled, page: str, posted: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """What was typed on a page: values (wrong ones kept as typed) and errors by path."""
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for path in _page(filled.plan, page):
        field = filled.plan.field(path)
        if path not in posted or not forms.editable(field, filled.provenance):
            continue
        value, error = forms.clean(field, posted[path], forms.choices(filled.plan, field, filled.data))
        values[path] = value if value is not None else ""
        if error:
            errors[path] = error.message
    return values, errors


def with_values(filled: Filled, values: Mapping[str, Any]) -> Filled:
    """The same page with values that are not saved yet."""
    return replace(filled, data={**filled.data, **values})


def missing(filled: Filled, page: str) -> dict[str, str]:
    """Errors of the filled form that belong to a page."""
    mine = set(_page(filled.plan, page)) | {m.key for m in _materials(filled.plan, page)}
    mine |= {m.key for m in filled.plan.uploads if m.field in mine}
    return {e.path: e.message for e in filled.errors if e.path in mine}
