"""Tell a person something, once: in the platform, and by the ways he has chosen."""

from collections.abc import Collection
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import SYSTEM, Actor
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Person
from yiwang.kernel.audit.api import record
from yiwang.kernel.ids import derived_id
from yiwang.kernel.packs import api as packs

from . import ports
from .models import Delivery, Message, Reach

LEASE = timedelta(minutes=2)  # a sender that died is taken to have failed after this
MOST_ATTEMPTS = 8


def tell(
    message_id: UUID,
    person_id: UUID,
    title: str,
    body: str,
    link: str = "",
    case_id: UUID | None = None,
    ways: Collection[str] = (),
) -> None:
    """Leave a message in the subject's inbox, and send it out by ``ways`` where he can be reached.

    Args:
        message_id: made from the event that it tells of, so that a repeated event tells once.
        ways: sms, email.
    """
    message, new = Message.objects.get_or_create(
        id=message_id,
        defaults={"subject_id": person_id, "title": title, "body": body, "link": link, "case_id": case_id},
    )
    if not new or not ways:
        return
    reach = reach_of(person_id)
    addresses = {"sms": reach.phone if reach.sms else "", "email": reach.email}
    for way in ways:
        address = addresses.get(way, "")
        if address and reach.bounced.get(way) != address and ports.sender(way) is not None:
            Delivery.objects.create(
                id=derived_id("delivery", message_id, way),
                message=message,
                subject_id=person_id,
                way=way,
                address=address,
                not_before=after_quiet(timezone.now(), quiet_hours()),
            )


def reach_of(subject_id: UUID) -> Reach:
    """How a subject is reached; a person who has chosen nothing by his number from real-name sign-in."""
    found = Reach.objects.filter(subject_id=subject_id).first()
    if found is None:
        person = Person.objects.filter(id=subject_id).first()
        found = Reach(subject_id=subject_id, phone=person.phone if person else "")
    return found


def choose(actor: Actor, phone: str, email: str, sms: bool) -> Reach:
    """The subject says how to reach him; a new address is tried again even if the old one bounced."""
    reach, _new = Reach.objects.update_or_create(
        subject_id=actor.subject_id,
        defaults={"phone": phone.strip(), "email": email.strip(), "sms": sms, "bounced": {}},
    )
    record(actor, "reach.chosen", "subject", actor.subject_id, sms=sms, email=bool(email.strip()))
    return reach


def quiet_hours() -> tuple[time, time] | None:
    """From and to, in local time, in which nobody is disturbed: the pack's, or none."""
    pack = packs.current().find("notify_rules", "notify")
    quiet = pack.data.get("quiet") if pack else None
    return (time.fromisoformat(quiet["from"]), time.fromisoformat(quiet["to"])) if quiet else None


def after_quiet(now: datetime, quiet: tuple[time, time] | None) -> datetime:
    """``now``, or the end of the quiet hours that it falls into (which may run over midnight)."""
    if quiet is None:
        return now
    local = timezone.localtime(now)
    start, end = quiet
    clock = local.time()
    inside = start <= clock < end if start <= end else clock >= start or clock < end
    if not inside:
        return now
    day = local.date() + timedelta(days=int(clock >= end))
    return timezone.make_aware(datetime.combine(day, end), timezone.get_current_timezone())


def deliver_due(limit: int = 20) -> int:
    """Send what is due, outside any transaction: a slow gateway holds nothing up. Returns how many.

    A claim lasts LEASE; a process that dies in between leaves the row to be claimed again. So a message
    may, rarely, be sent twice, and is never lost.
    """
    now = timezone.now()
    with acting(SYSTEM):
        due = Delivery.objects.filter(state__in=(Delivery.WAITING, Delivery.SENDING), not_before__lte=now)
        claimed = list(
            due.select_for_update(skip_locked=True).select_related("message").order_by("not_before")[:limit]
        )
        Delivery.objects.filter(id__in=[d.id for d in claimed]).update(
            state=Delivery.SENDING, not_before=now + LEASE, attempts=F("attempts") + 1
        )
    for delivery in claimed:
        _send(delivery)
    return len(claimed)


def _send(delivery: Delivery) -> None:
    sender = ports.sender(delivery.way)
    message = delivery.message
    result: dict[str, Any]
    try:
        if sender is None:
            raise ports.Bounced("没有配置这种渠道")
        receipt = sender.send(delivery.address, message.title, message.body)
        result = {"state": Delivery.SENT, "receipt": receipt, "sent_at": timezone.now(), "error": ""}
    except ports.Bounced as bounced:
        result = {"state": Delivery.BOUNCED, "error": str(bounced)[:300]}
    except OSError as trouble:
        tries = delivery.attempts + 1
        later = timezone.now() + min(timedelta(minutes=10), timedelta(seconds=2**tries))
        gone = tries >= MOST_ATTEMPTS
        result = {"state": Delivery.BOUNCED if gone else Delivery.WAITING, "error": str(trouble)[:300]}
        result |= {} if gone else {"not_before": later}
    with acting(SYSTEM):
        Delivery.objects.filter(id=delivery.id).update(**result)
        if result["state"] == Delivery.BOUNCED:
            _bounced(delivery, result["error"])


def _bounced(delivery: Delivery, why: str) -> None:
    """Say so where it will be read, and do not try that address again until it is changed."""
    reach = reach_of(delivery.subject_id)
    reach.bounced = {**reach.bounced, delivery.way: delivery.address}
    reach.save()
    name = {"sms": _("短信"), "email": _("邮件")}[delivery.way]
    tell(
        derived_id("message", delivery.id, "bounced"),
        delivery.subject_id,
        _("%(way)s没有送达") % {"way": name},
        _("发往 %(address)s 的%(way)s没有送达：%(why)s。请在本页更新联系方式，消息都在这里，没有丢。")
        % {"address": delivery.address, "way": name, "why": why},
    )
