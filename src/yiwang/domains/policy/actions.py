"""What an enterprise does: state a missing value, subscribe, object, apply. And what an office answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.cases import api as cases
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.session import as_system
from yiwang.kernel.accounts.models import Enterprise
from yiwang.kernel.audit.api import record
from yiwang.kernel.calendar.api import working_calendar
from yiwang.kernel.ids import derived_id
from yiwang.kernel.notify.api import tell
from yiwang.kernel.orgs.models import Post
from yiwang.kernel.orgs.queries import responsible
from yiwang.kernel.packs.contracts import Pack

from . import queries
from .contracts import PUBLISHER, WRITER
from .models import Application, Objection, Statement, Subscription

ITEMS = {"告知承诺": "policy.promise", "快速兑付": "policy.fast", "常规申报": "policy.standard"}
MODES = ("免申即享", *ITEMS)
POLICY = "service.policy"  # the element that holds the policy's name in an application
_NUMBER = re.compile(r"\d{1,12}(\.\d+)?\Z")


def require_enterprise(actor: Actor) -> Enterprise:
    """The enterprise that the actor acts for.

    Raises:
        Refused: he acts for himself.
    """
    found = queries.enterprise_of(actor)
    if found is None:
        raise Refused(_("请先在“授权”页切换到您代表的企业。"))
    return found


def require_policy(ref: str) -> Pack:
    """A policy in force. Raises Refused."""
    found = next((p for p in queries.listed() if p.id == ref), None)
    if found is None:
        raise Refused(_("没有这项政策，或它已经到期。"))
    return found


def state(actor: Actor, given: Mapping[str, str]) -> dict[str, str]:
    """Keep what the enterprise says of itself; a register's value outweighs it as soon as there is one.

    Returns:
        what is wrong, a sentence by field; nothing is saved for those fields.
    """
    enterprise = require_enterprise(actor)
    if "viewer" in actor.acting_for.roles:
        raise Refused(_("您的授权只能查看，不能代企业填报。"))
    declared, wrong = queries.frame(), {}
    for name, text in given.items():
        if name not in declared.raw or not declared.asked(name):
            wrong[name] = _("“%(name)s”不由企业填报。") % {"name": name}
            continue
        value, trouble = _read(declared.fields[name], text.strip())
        if trouble:
            wrong[name] = trouble
            continue
        Statement.objects.update_or_create(
            subject_id=enterprise.id,
            field=name,
            defaults={"value": value, "stated_by": actor.label},
        )
        record(actor, "policy.stated", "enterprise", enterprise.id, field=name)
    return wrong


def _read(field, text: str) -> tuple[str, str]:
    """The text to keep, or what is wrong with it."""
    about = {"name": field.label, "value": text}
    if field.type == "boolean":
        return text, "" if text in ("true", "false") else _("“%(name)s”请选“是”或“否”。") % about
    if field.type != "number":
        return text, _("“%(name)s”不由企业填报。") % about
    if not _NUMBER.match(text):
        return "", _("“%(name)s”填的“%(value)s”不是数，请写成 12 或 3.5 这样的数。") % about
    about["scale"], about["digits"] = field.scale, field.digits - field.scale
    if Decimal(text) != round(Decimal(text), field.scale):
        return "", _("“%(name)s”填的“%(value)s”最多保留 %(scale)s 位小数。") % about
    if Decimal(text) >= 10 ** (field.digits - field.scale):
        return "", _("“%(name)s”填的“%(value)s”太大，整数最多 %(digits)s 位，请核对单位。") % about
    return text, ""


def subscribe(actor: Actor, yes: bool) -> None:
    """Whether changes also go out by text message and e-mail."""
    enterprise = require_enterprise(actor)
    if yes:
        Subscription.objects.get_or_create(subject_id=enterprise.id)
    else:
        Subscription.objects.filter(subject_id=enterprise.id).delete()
    record(actor, "policy.subscribed" if yes else "policy.unsubscribed", "enterprise", enterprise.id)


def apply(actor: Actor, ref: str) -> UUID:
    """Open an application for a policy, with the policy and what is known filled in; returns the draft's id.

    Raises:
        Refused: not one to apply for, or another application of this kind is not handed in yet.
    """
    enterprise, pack = require_enterprise(actor), require_policy(ref)
    item = ITEMS.get(pack.data["mode"])
    if item is None or not pack.data["benefit"]["paid"]:
        raise Refused(_("“%(name)s”不用申请：符合条件的自动享受。") % {"name": pack.name})
    draft = cases.open_draft(actor, item, {})
    held = draft.data.get(POLICY)
    if held and held != pack.name:
        raise Refused(
            _("“%(name)s”的申请还没有提交，请先在“我的办件”里提交或删去它，再申请这一项。") % {"name": held}
        )
    if not held:
        cases.save_page(actor, draft.id, "policy", {POLICY: pack.name}, {}, draft.revision)
    Application.objects.get_or_create(
        id=draft.id, defaults={"policy": pack.id, "subject_id": enterprise.id, "uscc": enterprise.uscc}
    )
    record(actor, "policy.applied", "draft", draft.id, trace_id=draft.id, policy=pack.id)
    return draft.id


def object_to(actor: Actor, ref: str, words: str) -> Objection:
    """The enterprise disagrees: a message to the issuing office, to be answered in time.

    Raises:
        Refused: no words, or the last objection is not answered yet.
    """
    enterprise, pack = require_enterprise(actor), require_policy(ref)
    if not words.strip():
        raise Refused(_("请写明您认为哪里不对，有什么依据。"))
    if Objection.objects.filter(subject_id=enterprise.id, policy=ref, answered_at=None).exists():
        raise Refused(_("您对这项政策的异议还没有答复，请等答复后再提。"))
    org = office(pack)
    days = queries.rules_of()["answer"]["value"]
    made = Objection.objects.create(
        policy=pack.id,
        name=pack.name,
        subject_id=enterprise.id,
        subject_name=enterprise.name,
        org_id=org.id if org else None,
        words=words.strip()[:1000],
        due_on=working_calendar().after(timezone.localdate(), days),
    )
    record(actor, "policy.objected", "policy", pack.id, objection=str(made.id))
    if org:
        with as_system(actor):
            for post in Post.objects.filter(org=org, until=None, roles__overlap=[WRITER, PUBLISHER]):
                title = _("企业对“%(name)s”提出异议") % {"name": pack.name}
                tell(
                    derived_id("objection", made.id, post.person_id),
                    post.person_id,
                    title,
                    made.words,
                    "/desk/policies",
                )
    return made


def office(pack: Pack):
    """The office that issued a policy and pays it; None where no such office exists."""
    issuer = pack.data["issuer"]
    return responsible(issuer["function"], issuer["region"])


def answer(actor: Actor, objection_id: UUID, text: str) -> None:
    """The office answers an objection. Raises Refused."""
    made = Objection.objects.select_for_update().filter(id=objection_id).first()
    if made is None or not {WRITER, PUBLISHER} & set(actor.posts.get(made.org_id, ())):
        raise Refused(_("没有找到这条异议，或它不归您单位答复。"))
    if made.answered_at:
        raise Refused(_("这条异议已经答复。"))
    if not text.strip():
        raise Refused(_("请写明核实的情况和结论。"))
    made.answer, made.answered_by, made.answered_at = text.strip()[:1000], actor.name, timezone.now()
    made.save()
    record(actor, "policy.answered", "policy", made.policy, objection=str(made.id))
    with as_system(actor):
        title = _("您对“%(name)s”的异议已答复") % {"name": made.name}
        tell(
            derived_id("objection", made.id), made.subject_id, title, made.answer, f"/policies/{made.policy}"
        )


def period_of(pack: Pack, day: date) -> str:
    """The period in which a policy is enjoyed once: the year, or for good."""
    return "once" if pack.data["once"] == "只一次" else str(day.year)
