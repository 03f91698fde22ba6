"""Requests for correction: an enterprise asks, the source department answers within the limit of the pack."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.cases import api as cases
from yiwang.engines.hub import api as hub
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.accounts.models import Enterprise
from yiwang.kernel.audit.api import record
from yiwang.kernel.events.api import emit

from . import conflicts, queries, tables
from .models import Correction

OWN = "数据管理"  # the purpose under which an enterprise reads what is held about itself


def enterprise_of(actor: Actor) -> Enterprise | None:
    """The enterprise that the actor acts for in everything, or None: a mandate for some services opens no file."""
    if actor.acting_for is None or actor.acting_for.kind != "enterprise" or not actor.in_everything:
        return None
    return Enterprise.objects.filter(id=actor.acting_for.id).first()


def ask(actor: Actor, dataset_id: str, key: str, words: str) -> Correction:
    """Ask for the correction of one line of the actor's enterprise.

    Raises:
        Refused: nobody's, not his line, asked already, no reason.
    """
    own, table = enterprise_of(actor), tables.current()
    if own is None or table is None or "viewer" in (actor.acting_for.roles if actor.acting_for else ()):
        raise Refused(
            _("只有代企业办事的人才能提出更正，请先切换到企业身份（只能查看、只能办某些事项的授权不行）。")
        )
    if len(words.strip()) < 4:
        raise Refused(_("请写明这一行哪里不对、应该是什么，再提交。"))
    file = queries.file_of(actor, own.uscc, OWN)
    fact = next((f for f in file.facts if f.dataset.id == dataset_id and f.key == key), None)
    if fact is None:
        raise Refused(_("档案里没有这一行，可能已经更新，请刷新页面再选。"))
    if why := asked_before(fact):
        raise Refused(why)
    made = Correction.objects.create(
        subject_id=own.id,
        uscc=own.uscc,
        dataset=dataset_id,
        key=key,
        title=f"{fact.dataset.name} {key}"[:200].replace("\x1f", " "),
        words=words.strip()[:1000],
        org=queries.office_of(fact.dataset, fact.delivery, str((file.registration or {}).get("region", ""))),
        asked_by=actor.label,
        due_on=cases.due_day(queries.ASKED, timezone.now()),
        delivery=fact.values["_delivery"],
    )
    record(actor, "enterprise.correction-asked", "correction", made.id, dataset=dataset_id)
    emit(queries.ASKED, {"correction": str(made.id), "uscc": own.uscc})
    return made


def asked_before(fact: queries.Fact) -> str:
    """Why a line cannot be disputed now, in words; empty when it can. One that has not changed freezes once."""
    last = fact.correction
    if last is None:
        return ""
    if last.done_at is None:
        return _("这一行已经提出过更正，正在核实，请等答复。")
    if last.state == Correction.State.SOUND and last.delivery == fact.values["_delivery"]:
        return _("这一行没有变，来源部门已经答复过“记录无误”。不服的，可以依法申请行政复议或者提起行政诉讼。")
    return ""


def answer(actor: Actor, correction_id: UUID, faulty: bool, words: str, by: str = "") -> Correction:
    """The source department's answer. A faulty line stays frozen until it is delivered anew.

    Args:
        by: who answers, where the system only hands on what an official said in a matter.

    Raises:
        Refused: not his office's, answered already, no reason.
    """
    made = Correction.objects.select_for_update().filter(id=correction_id).first()
    if made is None or not may_answer(actor, made):
        raise Refused(_("没有找到这条更正申请，或它不归您单位答复。"))
    if made.state != Correction.State.OPEN:
        raise Refused(_("这条更正申请已经答复，不能再改。"))
    if len(words.strip()) < 4:
        raise Refused(_("请写明核实的经过和理由，企业会看到。"))
    made.state = Correction.State.FAULTY if faulty else Correction.State.SOUND
    made.answer, made.answered_by, made.answered_at = words.strip()[:1000], by or actor.name, timezone.now()
    made.done_at = None if faulty else made.answered_at
    if not made.freezes and not faulty:
        conflicts.reopen(actor, made)
    made.save()
    record(actor, "enterprise.correction-answered", "correction", made.id, faulty=faulty)
    emit(queries.ASKED, {"correction": str(made.id), "uscc": made.uscc})
    return made


def settle(dataset_id: str) -> None:
    """Lines found faulty that the source has delivered anew: no longer frozen, whoever follows them hears of it."""
    waiting = list(
        Correction.objects.filter(
            dataset=dataset_id, state=Correction.State.FAULTY, done_at=None, freezes=True
        )
    )
    dataset = hub.find(dataset_id)
    if not waiting or dataset is None:
        return
    for one in waiting:
        latest = queries.latest_of(dataset, one.key, OWN)
        if latest is not None and latest["_delivery"] != one.delivery:
            one.done_at = timezone.now()
            one.save(update_fields=["done_at"])
            emit(queries.ASKED, {"correction": str(one.id), "uscc": one.uscc})


def may_answer(actor: Actor, made: Correction) -> bool:
    """Whether it is the actor's to answer: those who report the data of the asked office, or look at files there."""
    return actor.system or bool({hub.REPORTER, queries.CREDIT} & actor.posts.get(made.org_id, frozenset()))


def record_of(made: Correction) -> list[tuple[str, str]]:
    """The disputed line as it is held now, (field, value); an entry in the ledger."""
    dataset = hub.find(made.dataset)
    if dataset is None:
        return []
    latest = queries.latest_of(dataset, made.key, OWN) or {}
    return [(f.name, text) for f in dataset.fields if (text := hub.said(dataset, f.id, latest.get(f.id)))]


def corrections_of(actor: Actor, own: Enterprise) -> list[Correction]:
    """What the enterprise has asked for, the latest first: where it stands, by when, and the answer."""
    found = Correction.objects.filter(subject_id=own.id, freezes=True).select_related("org")
    return list(found.order_by("-asked_at")[:50])


def open_corrections(actor: Actor) -> list[Correction]:
    """What is the actor's to answer, the soonest due first; then what waits to be delivered anew; then what is over."""
    offices = [org for org, roles in actor.posts.items() if {hub.REPORTER, queries.CREDIT} & roles]
    mine = Correction.objects.filter(org_id__in=offices).select_related("org")
    first = (F("done_at").desc(nulls_first=True), F("answered_at").asc(nulls_first=True), "due_on", "id")
    return list(mine.order_by(*first)[:200])


def correction_for(actor: Actor, correction_id: UUID) -> Correction | None:
    """One that is the actor's to answer, however far down the list it would be; None for others'."""
    made = Correction.objects.select_related("org").filter(id=correction_id).first()
    return made if made is not None and may_answer(actor, made) else None
