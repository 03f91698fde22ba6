"""Two who must both want it: what one has filled in becomes a case when the other has agreed (``consent_of``)."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import SYSTEM, Actor, Refused
from yiwang.kernel.access.session import acting, as_system
from yiwang.kernel.accounts.models import Person
from yiwang.kernel.audit.api import record
from yiwang.kernel.calendar.api import due_from
from yiwang.kernel.calendar.rules import Limit, Unit
from yiwang.kernel.ids import derived_id
from yiwang.kernel.notify.api import tell
from yiwang.kernel.packs import api as packs

from .models import Consent, Draft


def wanted(draft: Draft) -> dict | None:
    """What the draft's pack says of a second person, or None."""
    library = packs.library(draft.release)
    pack = library.find("bundle", draft.ref) or library.get("service_item", draft.ref)
    found: dict | None = pack.data.get("consent_of")
    return found


def pending(draft: Draft) -> Consent | None:
    """The consent that a draft waits for, or None."""
    return Consent.objects.filter(draft=draft, answered_at=None).first()


def ask(actor: Actor, draft: Draft, data: dict, name: str, asker_name: str) -> Consent:
    """Ask the second person of a complete application; the same question again asks once.

    Raises:
        Refused: no such person has signed in before, or it is the applicant himself.
    """
    open_one = pending(draft)
    if open_one:
        return open_one
    spec = wanted(draft) or {}
    role = spec["role"]
    said, idno = str(data.get(f"{role}.name", "")), str(data.get(f"{role}.idno", ""))
    with as_system(actor):
        other = Person.objects.filter(idno=idno, name=said).first()
    if other is None:
        what = _("没有姓名“%(name)s”与所填号码相符的实名用户，请核对；对方要先登录过本平台才能同意。")
        raise Refused(what % {"name": said})
    if other.id in (actor.person_id, draft.subject_id):
        raise Refused(_("“%(name)s”就是您本人，请填写对方。") % {"name": said})
    now = timezone.now()
    limit = spec["within"]
    with as_system(actor):
        consent = Consent.objects.create(
            draft=draft,
            subject_id=other.id,
            asker_id=draft.subject_id,
            asker_name=asker_name,
            name=name,
            until=due_from(Limit(limit["value"], Unit(limit["unit"])), now),
        )
        day = timezone.localtime(consent.until).date()
        text = _("%(who)s提交的“%(what)s”需要您同意，请在 %(day)s 前答复；不答复就不办理。") % {
            "who": asker_name,
            "what": name,
            "day": day,
        }
        title = _("请您确认：%(what)s") % {"what": name}
        tell(derived_id("message", consent.id), other.id, title, text, f"/consents/{consent.id}")
    record(actor, "consent.asked", "draft", draft.id, draft.id)
    return consent


def of_second(actor: Actor, consent_id: UUID) -> Consent | None:
    """A consent that is the actor's own to give, or None."""
    found = Consent.objects.select_for_update(of=("self",)).filter(id=consent_id)
    return found.filter(subject_id=actor.person_id).first() if actor.acting_for is None else None


def close(actor: Actor, consent: Consent, agreed: bool, now: datetime) -> None:
    """Write down the answer, and tell the one who asked when it is no."""
    with as_system(actor):
        consent.answered_at, consent.agreed = now, agreed
        consent.save()
        if not agreed and consent.asker_id != actor.subject_id:
            title = _("没有提交：%(what)s") % {"what": consent.name}
            text = _("对方没有同意，或者没有在期限内答复。填的内容还在，可以修改后重新提交。")
            link = f"/apply/{consent.draft_id}/check"
            tell(derived_id("message", consent.id, "no"), consent.asker_id, title, text, link)
    record(actor, "consent.answered", "draft", consent.draft_id, consent.draft_id, agreed=agreed)


def cancel(actor: Actor, draft: Draft) -> None:
    """The applicant takes the question back; the draft is his to change again."""
    consent = pending(draft)
    if consent:
        close(actor, consent, False, timezone.now())


def lapse(limit: int = 100) -> int:
    """Close consents whose day has passed without an answer; returns how many."""
    with acting(SYSTEM):
        late = Consent.objects.filter(answered_at=None, until__lt=timezone.now())
        rows = list(late.select_for_update(skip_locked=True)[:limit])
        for consent in rows:
            close(SYSTEM, consent, False, timezone.now())
    return len(rows)
