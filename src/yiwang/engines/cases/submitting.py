"""From a draft to a case, once: checked, given to the offices, its flow begun."""

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import SYSTEM, Actor, Refused
from yiwang.kernel.access.session import as_system
from yiwang.kernel.files.api import hand_over
from yiwang.kernel.ids import derived_id
from yiwang.kernel.orgs.models import Organisation
from yiwang.kernel.orgs.queries import responsible

from . import consents, forms, store, supplements
from .actions import begin
from .applying import Filled, Incomplete, fill, find_draft, judged, owed, pledges
from .contracts import Phase, Status
from .forms import FieldError, FormPlan, Way
from .items import publish
from .models import Draft
from .numbering import number
from .receiving import require_receivable
from .store import Change
from .undertakings import undertake


def submit(actor: Actor, draft_id: UUID, signed: Collection[str] = ()) -> UUID:
    """Make the case of a draft. The case has the draft's id, so submitting twice makes one case.

    Args:
        signed: keys of the materials whose pledge the applicant has signed.

    Returns:
        the id of the case (the parent, for a bundle).

    Raises:
        Incomplete: with every missing or wrong field.
        Refused: not the actor's, or no office is responsible.
    """
    with transaction.atomic():
        draft = find_draft(actor, draft_id, lock=True)
        if draft is None:
            raise Refused(_("没有找到这份申请，或它不是您的。"))
        if draft.submitted_at:
            return draft.id
        if not actor.may_file(draft.ref) and draft.org_id not in actor.posts:
            raise Refused(_("您的授权不包括提交这件事。"))
        hand_in(actor, draft, fill(actor, draft), signed)
        return draft.id


def hand_in(actor: Actor, draft: Draft, filled: Filled, signed: Collection[str]) -> None:
    """Make the case of a draft that is new or locked, and save the draft as submitted.

    Where others must agree, they are asked instead, and the draft stays one.

    Raises:
        Incomplete, Refused: as ``submit``.
    """
    unsigned = [
        FieldError(
            m.key, m.name, None, _("请阅读并勾选承诺：%(name)s") % {"name": f"{m.holder_label}的{m.name}"}
        )
        for m in pledges(filled)
        if m.key not in signed
    ]
    if filled.errors or unsigned:
        raise Incomplete([*filled.errors, *unsigned])
    if consents.wanted(filled.plan):
        draft.save()
        consents.ask(actor, draft, filled.plan, filled.data, filled.subject_name)
        return  # a case only once the others have agreed
    now = timezone.now()
    draft.submitted_at = now
    found, draft.looked_up = draft.looked_up, {}  # what registers told is not kept beyond submission
    draft.save()
    draft.looked_up = found
    # A window files for somebody else, with an office that is not its own: the system writes, the
    # events name the official.
    at_window = draft.org_id in actor.posts
    with as_system(actor) if at_window else nullcontext():
        _create(actor, draft, filled, now, "window" if at_window else "online")


def agree(actor: Actor, consent_id: UUID, yes: bool) -> UUID | None:
    """Somebody's answer. The last yes makes the case of what the applicant filled in, or hands in his supplement;
    a no leaves a draft, or the supplement to be mended.

    Returns:
        the id of the case; None after a no, or while others still have to answer.

    Raises:
        Refused: not his to answer, answered already, or too late.
        Incomplete: something of the application no longer holds.
    """
    with transaction.atomic():
        consent = consents.of_second(actor, consent_id)
        if consent is None:
            raise Refused(_("没有找到这项请求，或它不是给您的。"))
        with as_system(actor):  # two who answer at once answer one after the other
            draft = Draft.objects.select_for_update().get(id=consent.draft_id)
            consent.refresh_from_db()
        now = timezone.now()
        if consent.answered_at is not None or consent.until < now:
            raise Refused(_("这项请求已经有了答复，或者已经过期。"))
        if not consents.close(actor, consent, yes, now):
            return None
        with as_system(actor):
            if draft.submitted_at is not None:
                supplements.release(draft)
                return draft.id
            filled = fill(SYSTEM, draft)
            if filled.errors:
                raise Incomplete(filled.errors)
            _create(actor, draft, filled, now, "window" if draft.org_id else "online")
            draft.submitted_at, draft.looked_up = now, {}
            draft.save()
        return draft.id


def _create(actor: Actor, draft: Draft, filled: Filled, now: datetime, channel: str) -> None:
    plan, data = filled.plan, dict(filled.data)
    told = forms.catalogue_of_told(plan)
    later = {m.key for m in owed(filled, draft)}
    needed = [m for m in plan.materials if forms.needed(plan, m, data)]
    bundle = plan.kind == "bundle"
    offices = {i.id: _office(plan, i.id, data) for i in plan.items}
    if channel == "window" and draft.org_id:
        for planned in plan.items:
            spec, office = planned.data, offices[planned.id]
            if office:
                require_receivable(spec["authority"], planned.name, office, draft.org_id)
    lead = offices[plan.items[0].id]
    if lead is None:
        raise Refused(_("没有找到负责这件事的机构，请拨打 12345 由工作人员协助。"))
    serial = number(lead, now)
    common = {
        "release": draft.release,
        "subject_id": draft.subject_id,
        "subject_name": filled.subject_name,
        "channel": channel,
        "trace_id": draft.id,
        "submitted_at": now,
    }
    if bundle:
        held = store.insert(
            {
                **common,
                "id": draft.id,
                "number": serial,
                "kind": "bundle",
                "ref": plan.ref,
                "name": plan.name,
                "flow_id": publish(draft.release, "base/flows/std.bundle.bpmn"),
                "org_id": lead.id,
                "after": [],
                "status": Status.RECEIVED,
                "phase": Phase.WAITING,
                "data": data | {"items": [i.id for i in plan.items]},
                "extra": {"answers": dict(plan.answers), "burden": _measured(filled, draft, channel)},
            }
        )
        _begin(actor, held, now)
    for n, planned in enumerate(plan.items, start=1):
        after = sorted(plan.dependencies.get(planned.id, ()))
        office = offices[planned.id]
        held = store.insert(
            {
                **common,
                "id": derived_id("child", draft.id, planned.id) if bundle else draft.id,
                "number": f"{serial}-{n}" if bundle else serial,
                "kind": "service_item",
                "ref": planned.id,
                "name": planned.name,
                "flow_id": publish(draft.release, f"base/flows/{planned.flow}.bpmn"),
                "parent_id": draft.id if bundle else None,
                "org_id": office.id if office else None,
                "after": after,
                "status": Status.WAITING if after else Status.RECEIVED,
                "phase": Phase.WAITING,
                "data": forms.project(plan, planned.id, data),
                "extra": {
                    "told": [{"key": t.key, "label": t.label} for t in told if planned.id in t.items],
                    "materials": _materials(plan, planned.id, draft, data),
                    "conditions": _conditions(filled, planned.id, data, draft),
                    "provenance": {p: v.source for p, v in filled.provenance.items()},
                    **_rows(plan, planned),
                    **_overlay(plan, planned.id, data),
                    **({} if bundle else {"burden": _measured(filled, draft, channel)}),
                },
            }
        )
        mine = [m for m in needed if planned.id in m.items]
        undertake(held.id, draft.subject_id, held.org_id, mine, later)
        if after:
            change = Change("received", {"after": after}, patch={"status": Status.WAITING})
            store.write(held, actor, derived_id("receive", held.id), now, change)
        else:
            _begin(actor, held, now)
    hand_over([UUID(f) for f in draft.uploads.values()], draft.id)


def _rows(plan: FormPlan, planned: forms.PlanItem) -> dict[str, dict[str, int]]:
    """How many rows the item's groups have, under its own names: what its plan is computed from again."""
    counts = forms.rows_of(plan, planned.id)
    return {"rows": counts} if counts else {}


def _overlay(plan: FormPlan, item_id: str, data: Mapping[str, Any]) -> dict[str, str]:
    """The local overlay that the deciding region lays on the item."""
    found = forms.overlay_for(plan.library, item_id, forms.authority(plan, item_id, data).region)
    return {"overlay": found.id} if found else {}


def _begin(actor: Actor, held: store.Locked, now: datetime) -> None:
    change = begin(held, now)
    change.type = "submitted"
    if held.parent_id is None:
        change.outbox.append(("cases.happened", {"case": str(held.id), "seq": 1, "what": "receipt"}))
    store.write(held, actor, derived_id("submit", held.id), now, change)


def _office(plan: FormPlan, item_id: str, data: Mapping[str, Any]) -> Organisation | None:
    authority = forms.authority(plan, item_id, data)
    return responsible(authority.function, authority.region) if authority.region else None


def _materials(plan: FormPlan, item_id: str, draft: Draft, data: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "key": m.key,
            "name": m.name,
            "holder": m.holder_label,
            "way": str(m.way),
            "source": m.source,
            "file": draft.uploads.get(m.key) if m.way is Way.UPLOAD else None,
        }
        for m in plan.materials
        if item_id in m.items
    ]


def _conditions(filled: Filled, item_id: str, data: Mapping[str, Any], draft: Draft) -> list[dict[str, Any]]:
    """The item's conditions as they stand on the case: what was found, and why."""
    return [
        {
            "id": c.id,
            "text": c.text,
            "value": c.value,
            "reason": c.reason,
            "basis": c.basis,
            "detail": c.detail,
            "sources": sorted({f.source for f in c.findings if f.source and f.value}),
        }
        for c in judged(filled, item_id, draft, data)
    ]


def _measured(filled: Filled, draft: Draft, channel: str) -> dict[str, int]:
    """The burden as it was: what the applicant typed and uploaded, to set beside the designed figures."""
    plan = filled.plan
    typed = [p for p, v in filled.provenance.items() if v.origin is forms.Origin.ASKED]
    items = [i.data for i in plan.items]
    return {
        "fields": sum(1 for path in typed if filled.data.get(path) not in (None, "")),
        "uploads": len(draft.uploads),
        # Coming to the window is a visit; items that require presence anyway are done on the same one.
        "visits": max(int(channel == "window"), *(i["visits"]["online"] for i in items)),
    }
