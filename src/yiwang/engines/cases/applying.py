"""Drafts: opened, filled from registers, saved page by page. ``submitting`` makes the case."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.rules import visible
from yiwang.kernel.access.session import as_system
from yiwang.kernel.accounts.models import Enterprise, Person
from yiwang.kernel.audit.api import record
from yiwang.kernel.ids import new_id
from yiwang.kernel.orgs.queries import region_names
from yiwang.kernel.packs import api as packs
from yiwang.kernel.registers import api as registers

from . import consents, forms
from .contracts import PURPOSE
from .forms import FieldError, FormPlan, Provenance, RegisterUnavailable, Way
from .models import Draft
from .rows import set_rows


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
    rows: Mapping[str, int] | None = None,
) -> Draft:
    """Keep what was typed on a page, right or wrong; checking is the page's business, losing is nobody's.

    Args:
        revision: the draft's revision the page was drawn from.
        rows: how many rows the page had of each repeating group; what it had is what is kept.

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
        if consents.pending(actor, draft):
            raise Refused(_("正在等对方同意，先撤回再修改。"))
        more = {r: n for r, n in (rows or {}).items() if draft.answers.get(r, 0) != n}
        if draft.revision != revision and (more or any(k in draft.data for k in changed)):
            raise SavedElsewhere(_("另一个页面刚刚改过这份申请。下面是您这次填的内容，请核对后再保存一次。"))
        if more:
            set_rows(draft, forms.plan(packs.library(draft.release), draft.ref, draft.answers), more)
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
        if consents.pending(actor, draft):
            raise Refused(_("正在等对方同意，先撤回再修改。"))
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


def judged(
    filled: Filled, item_id: str, draft: Draft, data: Mapping[str, Any] | None = None
) -> list[forms.ConditionResult]:
    """The acceptance conditions of one item on what is known now; ``data``: of the item alone, else of the whole form."""
    known = filled.data if data is None else data
    return forms.conditions(
        filled.plan,
        item_id,
        known,
        lookup_for(draft),
        filled.provenance,
        lambda code: region_names().get(code, code),
    )


def conditions_of(filled: Filled, draft: Draft) -> list[tuple[str, list[forms.ConditionResult]]]:
    """Name of each item of an application that has any → its acceptance conditions, judged on what is known now."""
    found = [(item.name, judged(filled, item.id, draft)) for item in filled.plan.items]
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
