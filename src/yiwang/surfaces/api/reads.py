"""What the engine knows, as the API says it."""

from typing import Any

from yiwang.engines.cases import api as cases
from yiwang.engines.cases import forms
from yiwang.kernel.access.contracts import Actor
from yiwang.kernel.documents.models import IssuedDocument
from yiwang.kernel.packs.contracts import Pack


def service(pack: Pack) -> dict[str, Any]:
    """A bundle or item in a list."""
    return {"id": pack.id, "kind": pack.kind, "name": pack.name, "summary": pack.data.get("summary", "")}


def draft(one: cases.Draft) -> dict[str, Any]:
    """A draft without what was typed."""
    return {
        "id": one.id,
        "service": one.ref,
        "revision": one.revision,
        "done": one.done,
        "saved": one.saved,
        "submitted_at": one.submitted_at,
    }


def form(one: cases.Draft, filled: cases.Filled) -> dict[str, Any]:
    """A computed form with all that is known; what only supports it is left out."""
    plan, data = filled.plan, filled.data
    return {
        "draft": draft(one),
        "pages": [{"id": p.id, "title": p.title, "why": p.why} for p in plan.pages],
        "fields": [
            {
                "path": f.path,
                "label": f.label,
                "type": f.type,
                "page": f.page,
                "value": data.get(f.path),
                "source": filled.provenance[f.path].source if f.path in filled.provenance else "",
                "editable": forms.editable(f, filled.provenance),
                "required": f.required,
                "options": forms.choices(plan, f, data),
                "hint": f.hint,
            }
            for f in plan.fields
            if forms.visible(plan, f, data)
            and not (f.supporting and not forms.editable(f, filled.provenance))
        ],
        "materials": [
            {
                "key": m.key,
                "name": m.name,
                "holder": m.holder_label,
                "way": str(m.way),
                "required": m.required,
                "file": one.uploads.get(m.key),
                "pledge": m.pledge,
            }
            for m in plan.materials
        ],
        "situations": [
            {"id": s.id, "ask": s.ask, "answer": s.answer, "asked": s.asked} for s in plan.situations
        ],
        "groups": [
            {
                "role": g.role,
                "label": g.label,
                "min": g.min,
                "max": g.max,
                "rows": g.rows,
                "elements": g.columns,
            }
            for g in (*plan.groups, *plan.closed)
        ],
        "errors": {e.path: e.message for e in filled.errors},
    }


def case(one: cases.Case) -> dict[str, Any]:
    """A case in a list."""
    return {
        "id": one.id,
        "number": one.number,
        "service": one.ref,
        "kind": one.kind,
        "name": one.name,
        "office": one.org.name if one.org else None,
        "channel": one.channel,
        "status": one.status,
        "phase": one.phase,
        "result": one.result,
        "seq": one.seq,
        "parent": one.parent_id,
        "submitted_at": one.submitted_at,
        "accepted_at": one.accepted_at,
        "due_at": one.due_at,
        "legal_due_at": one.legal_due_at,
        "closed_at": one.closed_at,
    }


def _supplement(one: cases.Case) -> dict[str, Any] | None:
    """What was asked for; what waits for others' consent is nobody's but the applicant's yet."""
    asked = one.extra.get("supplement")
    return asked and {key: value for key, value in asked.items() if key != "held"}


def case_in_full(actor: Actor, one: cases.Case) -> dict[str, Any]:
    """A case with what was filled in, for its subject and the office that handles it; others see it bare."""
    concerned = one.subject_id == actor.subject_id or one.org_id in actor.posts
    return case(one) | {
        "applicant": one.subject_name,
        "data": one.data if concerned else {},
        "materials": one.extra.get("materials", []) if concerned else [],
        "supplement": _supplement(one),
        "steps": cases.steps_of(one),
        "children": [case(child) for child in cases.family(one)] if one.kind == "bundle" else [],
    }


def document(one: IssuedDocument) -> dict[str, Any]:
    """What a signed document says of itself."""
    return {
        "id": one.id,
        "case": one.case_id,
        "kind": one.kind,
        "title": one.title,
        "number": one.number,
        "office": one.org_name,
        "code": one.code,
        "sha256": one.sha256,
        "issued_at": one.issued_at,
        "revoked_at": one.revoked_at,
    }
