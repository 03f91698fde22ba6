"""From a draft to a case: prefill, check, submit once."""

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import SYSTEM, Actor, Refused
from yiwang.kernel.access.rules import visible
from yiwang.kernel.access.session import as_system
from yiwang.kernel.accounts.models import Enterprise, Person
from yiwang.kernel.audit.api import record
from yiwang.kernel.files.api import hand_over
from yiwang.kernel.ids import derived_id, new_id
from yiwang.kernel.orgs.models import Organisation
from yiwang.kernel.orgs.queries import region_names, responsible
from yiwang.kernel.packs import api as packs
from yiwang.kernel.registers import api as registers

from . import consents, forms, store
from .actions import begin
from .contracts import PURPOSE, Phase, Status
from .forms import FieldError, FormPlan, Provenance, RegisterUnavailable, Way
from .items import publish
from .models import Case, Draft
from .receiving import require_receivable
from .store import Change
from .undertakings import undertake


class Incomplete(Refused):
    """The application cannot be submitted yet; ``errors`` says what is missing or wrong, per field."""

    def __init__(self, errors: list[FieldError]) -> None:
        listed = "；".join(e.message for e in errors[:5])
        super().__init__(
            _("还有 %(count)s 处需要填写或修改：%(listed)s") % {"count": len(errors), "listed": listed}
        )
        self.errors = errors


class SavedElsewhere(Refused):
    """Another tab or device saved this draft since this page was opened."""


@dataclass(frozen=True)
class Filled:
    """A draft with everything that is known about it now."""

    plan: FormPlan
    data: Mapping[str, Any]
    provenance: Mapping[str, Provenance]
    errors: list[FieldError]
    subject_name: str = ""

    def error(self, path: str) -> FieldError | None:
        """What is wrong with one field, or None."""
        return next((e for e in self.errors if e.path == path), None)


def open_draft(actor: Actor, ref: str, answers: Mapping[str, Any]) -> Draft:
    """The unfinished draft for ``ref`` of the one whose matter it is, or a new one.

    Raises:
        Refused: as ``new_draft``.
    """
    fresh = new_draft(actor, ref, answers)
    found = Draft.objects.filter(subject_id=actor.subject_id, ref=ref, submitted_at=None)
    draft = found.order_by("-saved").first()
    if draft is None:
        draft = fresh
        draft.save(force_insert=True)
        record(actor, "draft.opened", "draft", draft.id, trace_id=draft.id, ref=ref)
    return draft


def new_draft(actor: Actor, ref: str, answers: Mapping[str, Any], draft_id: UUID | None = None) -> Draft:
    """A draft that is not saved yet.

    Raises:
        Refused: not signed in, a mandate that does not cover the service, or a service for enterprises.
    """
    if actor.person_id is None or actor.subject_id is None:
        raise Refused(_("请先登录。"))
    kind = actor.acting_for.kind if actor.acting_for else "person"
    if not actor.may_file(ref):
        raise Refused(_("对方给您的授权不包括这件事，请对方在“授权管理”里加上，或以本人身份办理。"))
    _require_kind(ref, kind)
    return Draft(
        id=draft_id or new_id(),
        ref=ref,
        release=packs.current_release(),
        subject_id=actor.subject_id,
        subject_kind=kind,
        applicant_id=actor.person_id if kind == "enterprise" else actor.subject_id,
        answers=dict(answers),
    )


def _require_kind(ref: str, kind: str) -> None:
    library = packs.current()
    pack = library.find("bundle", ref) or library.get("service_item", ref)
    if pack.data.get("subject") and kind != "enterprise":
        raise Refused(_("这件事以企业的名义办理。请先在页面上方切换到您的企业，再开始办理。"))
    if not pack.data.get("subject") and kind == "enterprise":
        raise Refused(_("这件事以个人的名义办理。请先在页面上方切换回本人，再开始办理。"))


def open_drafts(actor: Actor) -> list[Draft]:
    """The actor's applications that are not handed in yet, the last touched first."""
    return list(Draft.objects.filter(subject_id=actor.subject_id, submitted_at=None).order_by("-saved"))


def find_draft(actor: Actor, draft_id: UUID, *, lock: bool = False) -> Draft | None:
    """A draft of the actor's subject, or one that the actor's window helps with; None otherwise."""
    drafts = Draft.objects.filter(visible(actor), id=draft_id)
    return (drafts.select_for_update() if lock else drafts).first()


def lookup_for(draft: Draft, away: frozenset[str] | None = None) -> forms.Lookup:
    """Reads registers for a draft, each subject once: what was found stays with the draft until submission.

    A register that is down raises RegisterUnavailable, so that the form asks instead.
    """
    cache: dict[str, Any] = draft.looked_up
    away = registers.down() if away is None else away

    def look(register: str, key: str) -> Mapping[str, Any] | None:
        name = f"{register}|{key}"
        if name not in cache:
            try:
                cache[name] = registers.lookup(register, key, PURPOSE, draft.id, away)
            except registers.Unavailable as down:
                raise RegisterUnavailable(str(down)) from down
        found: Mapping[str, Any] | None = cache[name]
        return found

    return look


def fill(actor: Actor, draft: Draft, identity: "Identity | None" = None) -> Filled:
    """Plan the draft's form and fill in all that is known: from the sign-in, registers, derivations.

    What was looked up is kept on the draft; the caller saves it.

    Args:
        identity: who applies, when that is known already.
    """
    identity = identity or identify(actor, draft)
    library = packs.library(draft.release)
    away = registers.down()
    up = frozenset({pack.id for pack in library.all("register")} - away)
    look = lookup_for(draft, away)
    plan = forms.plan(library, draft.ref, draft.answers, up)
    answers = forms.answer(plan, draft.data | signed_in(plan, identity), look)
    if answers != dict(plan.answers):
        plan = forms.plan(library, draft.ref, answers, up)
    known = draft.data | signed_in(plan, identity) | {"today": timezone.localdate().isoformat()}
    data, provenance = forms.fill(plan, known, look)
    plan = replace(plan, materials=forms.verified(plan, data, provenance, look))
    plan = replace(plan, materials=forms.eased(plan, data))
    errors = forms.check(plan, data, draft.uploads)
    return Filled(plan, data, provenance, errors, identity.subject_name)


@dataclass(frozen=True)
class Identity:
    """Who applies, as the sign-in (or the identity card at the window) tells."""

    person: Person
    enterprise: Enterprise | None

    @property
    def subject_name(self) -> str:
        return self.enterprise.name if self.enterprise else self.person.name


def identify(actor: Actor, draft: Draft) -> Identity:
    """Who applies. Another than the actor (at a window, by a mandate) is for the system to read."""
    person_id = draft.applicant_id or draft.subject_id
    enterprise = draft.subject_kind == "enterprise"
    with nullcontext() if person_id == actor.person_id and not enterprise else as_system(actor):
        person = Person.objects.get(id=person_id)
        return Identity(person, Enterprise.objects.get(id=draft.subject_id) if enterprise else None)


def signed_in(plan: FormPlan, identity: Identity) -> dict[str, Any]:
    """What the sign-in tells of the applicant and his enterprise; it outweighs anything in the draft."""
    person = identity.person
    told = {"name": person.name, "idno": person.idno, "phone": person.phone}
    known = {f"{plan.login}.{element}": value for element, value in told.items() if value}
    if identity.enterprise and plan.subject:
        known[f"{plan.subject}.name"] = identity.enterprise.name
        known[f"{plan.subject}.uscc"] = identity.enterprise.uscc
    return known


def save_page(
    actor: Actor,
    draft_id: UUID,
    page: str,
    values: Mapping[str, Any],
    uploads: Mapping[str, str],
    revision: int,
) -> Draft:
    """Keep what was typed on a page, right or wrong; checking is the page's business, losing is nobody's.

    Args:
        revision: the draft's revision the page was drawn from.

    Raises:
        SavedElsewhere: another tab saved since.
        Refused: not the actor's draft, or submitted already.
    """
    with transaction.atomic():
        draft = find_draft(actor, draft_id, lock=True)
        if draft is None:
            raise Refused(_("没有找到这份申请，或它不是您的。"))
        if draft.submitted_at:
            raise Refused(_("这份申请已经提交，不能再改。"))
        changed = {k: v for k, v in values.items() if draft.data.get(k) != v}
        if consents.pending(draft):
            raise Refused(_("正在等对方同意，先撤回再修改。"))
        if draft.revision != revision and any(k in draft.data for k in changed):
            raise SavedElsewhere(_("另一个页面刚刚改过这份申请。下面是您这次填的内容，请核对后再保存一次。"))
        draft.data = {**draft.data, **values}
        draft.uploads = {**draft.uploads, **uploads}
        draft.done = [*[p for p in draft.done if p != page], page]
        draft.revision += 1
        draft.save()
        record(actor, "draft.saved", "draft", draft.id, trace_id=draft.id, page=page)
        return draft


def answer_situations(actor: Actor, draft_id: UUID, answers: Mapping[str, bool]) -> None:
    """Keep the applicant's answers to situations; they change what is asked from here on.

    Raises:
        Refused: not the actor's draft, or submitted already.
    """
    with transaction.atomic():
        draft = find_draft(actor, draft_id, lock=True)
        if draft is None or draft.submitted_at:
            raise Refused(_("没有找到这份申请，或它已经提交。"))
        draft.answers = {**draft.answers, **answers}
        draft.save()
        record(actor, "draft.answered", "draft", draft.id, trace_id=draft.id, situations=sorted(answers))


def pledges(filled: Filled) -> list[forms.FormMaterial]:
    """The materials in whose place the applicant signs a pledge (告知承诺)."""
    return [
        m
        for m in filled.plan.materials
        if m.way is Way.COMMITMENT and forms.needed(filled.plan, m, filled.data)
    ]


def owed(filled: Filled, draft: Draft) -> list[forms.FormMaterial]:
    """The materials that may follow later and are not there yet (容缺受理)."""
    return [
        m
        for m in filled.plan.uploads
        if m.tolerable and not draft.uploads.get(m.key) and forms.needed(filled.plan, m, filled.data)
    ]


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

    Where a second person must agree, he is asked instead, and the draft stays one.

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
    if consents.wanted(draft):
        draft.save()
        consents.ask(actor, draft, dict(filled.data), filled.plan.name, filled.subject_name)
        return  # a case only once the other has agreed
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
    """The second person's answer. Yes makes the case of what the first one filled in; no leaves a draft.

    Returns:
        the id of the case, or None.

    Raises:
        Refused: not his to answer, answered already, or too late.
        Incomplete: something of the application no longer holds.
    """
    with transaction.atomic():
        consent = consents.of_second(actor, consent_id)
        if consent is None:
            raise Refused(_("没有找到这项请求，或它不是给您的。"))
        now = timezone.now()
        if consent.answered_at is not None or consent.until < now:
            raise Refused(_("这项请求已经有了答复，或者已经过期。"))
        if not yes:
            consents.close(actor, consent, False, now)
            return None
        with as_system(actor):
            draft = Draft.objects.select_for_update().get(id=consent.draft_id)
            filled = fill(SYSTEM, draft)
            if filled.errors:
                raise Incomplete(filled.errors)
            _create(actor, draft, filled, now, "online")
            draft.submitted_at, draft.looked_up = now, {}
            draft.save()
        consents.close(actor, consent, True, now)
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
            spec, office = plan.library.get("service_item", planned.id).data, offices[planned.id]
            if office:
                require_receivable(spec["authority"], planned.name, office, draft.org_id)
    lead = offices[plan.items[0].id]
    if lead is None:
        raise Refused(_("没有找到负责这件事的机构，请拨打 12345 由工作人员协助。"))
    number = _number(lead, now)
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
                "number": number,
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
                "number": f"{number}-{n}" if bundle else number,
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


def _number(org: Organisation, now: datetime) -> str:
    with connection.cursor() as cursor:
        cursor.execute("select nextval('cases_case_number')")
        (serial,) = cursor.fetchone()
    return f"{org.region_id[:6]}-{timezone.localtime(now):%Y%m%d}-{serial:06d}"


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
        for c in forms.conditions(
            filled.plan, item_id, data, lookup_for(draft), filled.provenance, _region_name
        )
    ]


def _region_name(code: str) -> str:
    return region_names().get(code, code)


def conditions_of(filled: Filled, draft: Draft) -> list[tuple[str, list[forms.ConditionResult]]]:
    """Name of each item of an application that has any → its acceptance conditions, judged on what is known now."""
    look = lookup_for(draft)
    found = [
        (
            item.name,
            forms.conditions(filled.plan, item.id, filled.data, look, filled.provenance, _region_name),
        )
        for item in filled.plan.items
    ]
    return [(name, results) for name, results in found if results]


def self_check(
    actor: Actor, ref: str, answers: Mapping[str, Any]
) -> list[tuple[str, list[forms.ConditionResult]]]:
    """“我能办吗”: the same for the person signed in, before anything is begun; nothing is kept but the ledger's entries.

    Raises:
        Refused: as ``new_draft``.
    """
    draft = new_draft(actor, ref, answers)
    return conditions_of(fill(actor, draft), draft)


def _measured(filled: Filled, draft: Draft, channel: str) -> dict[str, int]:
    """The burden as it was: what the applicant typed and uploaded, to set beside the designed figures."""
    plan = filled.plan
    typed = [p for p, v in filled.provenance.items() if v.origin is forms.Origin.ASKED]
    items = [plan.library.get("service_item", i.id).data for i in plan.items]
    return {
        "fields": sum(1 for path in typed if filled.data.get(path) not in (None, "")),
        "uploads": len(draft.uploads),
        # Coming to the window is a visit; items that require presence anyway are done on the same one.
        "visits": max(int(channel == "window"), *(i["visits"]["online"] for i in items)),
    }


def plan_of(case: Case) -> FormPlan:
    """The plan a case was applied for with: its bundle's, or its own."""
    root = case.parent or case
    return forms.plan(packs.library(root.release), root.ref, root.extra.get("answers", {}))


def _bind(case: Case) -> dict[str, str]:
    return dict(plan_of(case).item(case.ref).bind)


def in_item(case: Case, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values under the bundle's roles, renamed to every role of the case's own item that is bound to them."""
    bind = _bind(case)
    own: dict[str, Any] = {}
    for path, value in values.items():
        role, element = path.split(".", 1)
        for mine in [item for item, bundle in bind.items() if bundle == role] or [role]:
            own[f"{mine}.{element}"] = value
    return own


def value_in_bundle(case: Case, path: str) -> Any:
    """A case's value for a path in the bundle's roles."""
    return next((v for own in in_item(case, {path: None}) if (v := case.data.get(own)) is not None), None)


def clean_value(plan: FormPlan, path: str, raw: str) -> tuple[Any, str]:
    """Check one value; returns it tidy, and what is wrong or an empty string."""
    value, error = forms.validate(plan, path, raw)
    return value, error.message if error else ""
