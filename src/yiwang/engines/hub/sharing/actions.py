"""Ask for the use of a dataset, answer, withdraw, revoke. Each leaves an audit event and tells the other side."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.hub import datasets
from yiwang.engines.hub.actions import REPORTER, is_steward
from yiwang.engines.hub.cells import value
from yiwang.engines.hub.contracts import Dataset
from yiwang.engines.hub.models import Delivery, SharingGrant, SharingRequest, State
from yiwang.engines.hub.standing import offices_of
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.session import as_system
from yiwang.kernel.audit.api import record
from yiwang.kernel.calendar.api import working_calendar
from yiwang.kernel.events.api import emit
from yiwang.kernel.orgs.models import Organisation
from yiwang.kernel.packs import api as packs

from .checks import faults, masked
from .contracts import Ask, Class, Condition, Fault, Rules, Test


class Faulty(Refused):
    """A request with faults; nothing was stored, the form shows them all."""

    def __init__(self, found: list[Fault]) -> None:
        super().__init__(found[0].text)
        self.faults = found


def rules() -> Rules:
    """The rules of sharing in force, from the pack."""
    data = packs.current().get("sharing_rules", "sharing").data
    return Rules(
        answer_within=data["answer_within"]["value"],
        longest=data["longest"]["value"],
        most_daily=data["most_daily"]["value"],
        remind_before=data["remind_before"]["value"],
        purpose=data["purpose"],
    )


def source_of(dataset: Dataset) -> Organisation | None:
    """The office that answers for a dataset: which delivered it last, else one with the function that reports.

    Where each office delivers its own region, the one above the others answers: a county gives nothing away of others.
    """
    reporting = offices_of(dataset.department)
    if dataset.territory:
        return next(iter(reporting), None)
    last = (
        Delivery.objects.filter(dataset=dataset.id, state=State.LOADED, org__in=reporting)
        .order_by("-seq")
        .values_list("org", flat=True)
        .first()
    )
    return next((org for org in reporting if org.id == last), next(iter(reporting), None))


def ask(
    actor: Actor, dataset: Dataset, org_id: UUID, wish: Ask, renews: UUID | None = None
) -> SharingRequest:
    """Put a request to the source of a dataset. What is shared without conditions is granted at once.

    Args:
        org_id: the office for which the actor asks.
        renews: a grant of the same office and dataset that the new one is to follow.

    Raises:
        Refused: not an office of the actor's, no office answers for the dataset, the grant is not his.
        Faulty: fields of the form are wrong.
    """
    if org_id not in actor.posts:
        raise Refused(_("您在这个单位没有岗位，不能以它的名义申请。请改选您所在的单位。"))
    found = faults(wish, dataset, rules(), timezone.localdate())
    if found:
        raise Faulty(found)
    with as_system(actor):  # other offices' deliveries
        source = source_of(dataset)
    if source is None:
        raise Refused(
            _("“%(name)s”还没有单位报送，没有谁能答复。请联系数据主管部门。") % {"name": dataset.name}
        )
    old = (
        SharingGrant.objects.filter(id=renews, org_id=org_id, dataset=dataset.id).first() if renews else None
    )
    if renews and old is None:
        raise Refused(_("没有找到要续期的授权，请从“我的授权”里点续期。"))
    if old and old.revoked_at is None and wish.until and wish.until <= old.until:
        told = _("到期日要晚于原授权的 %(day)s，续期才有意义。请改晚一些。") % {"day": old.until}
        raise Faulty([Fault("until", told)])
    day = working_calendar().after(timezone.localdate(), rules().answer_within)
    made = SharingRequest.objects.create(
        dataset=dataset.id,
        org_id=org_id,
        source=source,
        person_id=actor.person_id,
        fields=[f.id for f in dataset.fields if f.id in {*wish.fields, *dataset.key}],
        plain=sorted(wish.plain),
        rows=[{"field": r.field, "test": r.test, "value": _plain(dataset, r)} for r in wish.rows],
        purpose=wish.purpose,
        basis=wish.basis.strip(),
        reasons=wish.reasons.strip(),
        daily=wish.daily or 0,
        until=wish.until or timezone.localdate(),
        renews=old,
        due_at=timezone.make_aware(datetime.combine(day, time(23, 59, 59))),
    )
    record(actor, "sharing.asked", "sharing_request", made.id, dataset=dataset.id, fields=made.fields)
    if dataset.sharing == Class.FREE and not made.plain:
        _grant(actor, made, dataset, frozenset(), _("无条件共享，自动同意。"), _("系统"))
    else:
        emit("hub.share_asked", {"request": str(made.id)})
    return made


def _plain(dataset: Dataset, row: Condition) -> str:
    """A condition's value as PostgreSQL reads it, whatever the field's type."""
    text = row.value.strip()
    found = text if row.test == Test.STARTS else value(dataset.field(row.field), text)
    match found:
        case datetime():
            return found.isoformat(" ")
        case date():
            return found.isoformat()
        case Decimal():
            return f"{found:f}"
    return str(found)


def _grant(
    actor: Actor, asked: SharingRequest, dataset: Dataset, plain: frozenset[str], answer: str, by: str
) -> SharingGrant:
    """Write the grant and close the request, as the system: the source has decided, or nobody had to."""
    hidden = masked(asked.fields, plain, dataset)
    since = timezone.localdate()
    with as_system(actor):  # another office may report the dataset by now than gave the old grant
        # A renewal follows the old grant: two at a time would double the quota. Locked: revoking it ends this one too.
        old = SharingGrant.objects.select_for_update().filter(id=asked.renews_id, revoked_at=None).first()
        if old is not None:
            since = max(since, old.until + timedelta(days=1))
        made = SharingGrant.objects.create(
            request=asked,
            dataset=dataset.id,
            org_id=asked.org_id,
            source_id=asked.source_id,
            fields=[
                {"id": f.id, "level": f.level, "mask": f.id in hidden}
                for f in dataset.fields
                if f.id in asked.fields
            ],
            rows=asked.rows,
            purpose=asked.purpose,
            basis=asked.basis,
            daily=asked.daily,
            since=since,
            until=asked.until,
        )
        asked.state, asked.answer, asked.answered_by = SharingRequest.State.GRANTED, answer, by
        asked.answered_at = timezone.now()
        asked.save()
    record(actor, "sharing.granted", "sharing_grant", made.id, request=str(asked.id), masked=sorted(hidden))
    emit("hub.share_answered", {"request": str(asked.id)})
    return made


def may_answer(actor: Actor, asked: SharingRequest) -> bool:
    """Whether the actor reports data for the source, and did not ask himself."""
    return actor.has_role(asked.source_id, REPORTER) and asked.person_id != actor.person_id


def answer(
    actor: Actor, request_id: UUID, agreed: bool, text: str, plain: frozenset[str] = frozenset()
) -> SharingRequest:
    """The source agrees or not.

    Args:
        plain: of the fields wanted without a mask, those that the source gives so.

    Raises:
        Refused: not the source's, answered already, no reason for a refusal, or the wish has run out.
    """
    asked = SharingRequest.objects.select_for_update(of=("self",)).filter(id=request_id).first()
    if asked is None or not may_answer(actor, asked):
        raise Refused(_("没有找到这个申请，或它不由您答复。自己提的申请由同事答复。"))
    if asked.state != SharingRequest.State.ASKED:
        raise Refused(_("这个申请已经是“%(state)s”，不能再答复。") % {"state": asked.get_state_display()})
    dataset = datasets.find(asked.dataset)
    if agreed and dataset is None:
        raise Refused(_("数据集“%(name)s”已经停用，不能再授权。") % {"name": asked.dataset})
    if agreed and asked.until < timezone.localdate():
        raise Refused(_("申请的到期日 %(day)s 已过。请不同意，并请对方重新申请。") % {"day": asked.until})
    if not agreed and not text.strip():
        raise Refused(_("请写明不同意的理由和依据，对方才知道怎么改。"))
    if agreed and dataset is not None:
        gone = [f for f in asked.fields if f not in dataset.by_id]
        if gone:
            told = {"fields": "、".join(gone)}
            raise Refused(_("数据集已经没有字段“%(fields)s”。请不同意，并请对方重新申请。") % told)
        _grant(actor, asked, dataset, plain & set(asked.plain), text.strip(), actor.name)
        return asked
    asked.state, asked.answer, asked.answered_by = SharingRequest.State.REFUSED, text.strip(), actor.name
    asked.answered_at = timezone.now()
    asked.save()
    record(actor, "sharing.refused", "sharing_request", asked.id)
    emit("hub.share_answered", {"request": str(asked.id)})
    return asked


def withdraw(actor: Actor, request_id: UUID) -> SharingRequest:
    """The office that asked no longer needs an answer. Raises Refused."""
    asked = SharingRequest.objects.select_for_update(of=("self",)).filter(id=request_id).first()
    if asked is None or asked.org_id not in actor.posts:
        raise Refused(_("没有找到这个申请，或它不是您单位提的。"))
    if asked.state != SharingRequest.State.ASKED:
        raise Refused(_("这个申请已经是“%(state)s”，不能撤回。") % {"state": asked.get_state_display()})
    asked.state, asked.answered_by, asked.answered_at = (
        SharingRequest.State.WITHDRAWN,
        actor.name,
        timezone.now(),
    )
    asked.save()
    record(actor, "sharing.withdrawn", "sharing_request", asked.id)
    return asked


def revoke(actor: Actor, grant_id: UUID, why: str) -> list[SharingGrant]:
    """End a grant at once, and what was agreed as its renewal: by the source, whoever looks after data, or its user.

    Returns:
        what has ended: the grant, then its renewals in their order.

    Raises:
        Refused: none of these, over already, or no reason.
    """
    grant = SharingGrant.objects.filter(id=grant_id).first()
    if grant is None or not may_revoke(actor, grant):
        raise Refused(_("没有找到这个授权，或它不由您收回。"))
    if not in_force(grant) and not begins_later(grant):
        raise Refused(_("这个授权已经结束，不用收回。"))
    if not why.strip():
        raise Refused(_("请写明收回的理由，对方会看到。"))
    with as_system(actor):  # a renewal that is just being agreed to is waited for, and ended with it
        if not SharingGrant.objects.select_for_update().filter(id=grant.id, revoked_at=None).exists():
            raise Refused(_("这个授权已经结束，不用收回。"))
    ended = [grant, *renewals_of(actor, grant)]
    for one in ended:
        # A renewal stands and falls with what it renews, also when another office reports the dataset by now.
        with as_system(actor):
            one.revoked_at, one.revoked_by, one.revoked_why = timezone.now(), actor.name, why.strip()
            one.save(update_fields=["revoked_at", "revoked_by", "revoked_why"])
        record(
            actor, "sharing.revoked", "sharing_grant", one.id, renews=None if one is grant else str(grant.id)
        )
        emit("hub.share_revoked", {"grant": str(one.id)})
    return ended


def renewals_of(actor: Actor, grant: SharingGrant) -> list[SharingGrant]:
    """The grants that follow one, the whole chain, those in force or to come."""
    found: list[SharingGrant] = []
    wanted = [grant.id]
    with as_system(actor):
        while wanted:
            after = SharingGrant.objects.filter(request__renews__in=wanted).order_by("since", "id")
            new = [one for one in after if one.id not in {grant.id, *(f.id for f in found)}]
            found, wanted = found + new, [one.id for one in new]
    return [one for one in found if in_force(one) or begins_later(one)]


def may_revoke(actor: Actor, grant: SharingGrant) -> bool:
    """Whether the actor may end a grant."""
    return (
        actor.has_role(grant.source_id, REPORTER) or is_steward(actor) or bool(actor.posts.get(grant.org_id))
    )


def in_force(grant: SharingGrant) -> bool:
    """Whether records may be read under a grant today."""
    return grant.revoked_at is None and grant.since <= timezone.localdate() <= grant.until


def begins_later(grant: SharingGrant) -> bool:
    """Whether a grant was given for a time that has not come: a renewal before its turn."""
    return grant.revoked_at is None and grant.since > timezone.localdate()
