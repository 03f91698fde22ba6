"""Others who must want it too: an application becomes a case when everybody it names has agreed (``consent_of``).

Each is asked by himself, all of them at once. One no, a day that passes, or the applicant taking it back ends
the round for all; what was filled in stays, and the next round asks everybody anew, because what they would
agree to may have changed. A supplement that changes what they agreed to asks them again (``supplements``).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max
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

from .forms import FormField, FormPlan
from .models import Consent, Draft

PUBLIC = "公开"  # the level of data that anybody may know once there is a result


@dataclass(frozen=True)
class Needed:
    """Somebody who must agree: the plan's role, and how long he has."""

    role: str
    within: Limit


def wanted(plan: FormPlan) -> list[Needed]:
    """Who besides the applicant must agree; every row of a group but the one who is somebody known anyway."""
    found: dict[str, Needed] = {}
    for item in plan.items:
        spec = item.data.get("consent_of")
        if not spec:
            continue
        role = item.bind.get(spec["role"], spec["role"])
        within = Limit(spec["within"]["value"], Unit(spec["within"]["unit"]))
        group = next((g for g in plan.groups if g.role == role), None)
        rows = [r for r in group.rows if r != group.first] if group else [role] if role in plan.roles else []
        for row in rows:
            found.setdefault(row, Needed(row, within))
    return list(found.values())


def covered(plan: FormPlan, role: str) -> list[FormField]:
    """What somebody agrees to: what becomes public, who is named with him, and all of himself; nothing of others.

    Of a bundle, only what goes to the items that need his consent.
    """
    wants = {item.id for item in plan.items if "consent_of" in item.data}
    fellows = {row for group in plan.groups if role in group.rows for row in group.rows}
    found = []
    for field in plan.fields:
        whose = field.path.partition(".")[0]
        named = whose in fellows and field.path == f"{whose}.name"
        if not field.supporting and wants & set(field.items):
            if named or whose == role or field.level == PUBLIC:
                found.append(field)
    return found


def touched(plan: FormPlan, paths: Collection[str]) -> bool:
    """Whether somebody has agreed to what stands at one of these paths."""
    return any(f.path in paths for one in wanted(plan) for f in covered(plan, one.role))


def pending(actor: Actor, draft: Draft) -> Consent | None:
    """The first consent that a draft of the actor's still waits for, or None."""
    with as_system(actor):  # a window that helps with a draft may know it waits
        return asked(SYSTEM, draft.id)


def asked(actor: Actor, draft_id: UUID) -> Consent | None:
    """The first consent that the actor still waits for, before there is a case or for a supplement; or None."""
    mine = Consent.objects.filter(draft_id=draft_id, answered_at=None)
    if not actor.system:
        mine = mine.filter(asker_id=actor.subject_id)
    return mine.order_by("until", "id").first()


def round_of(actor: Actor, draft: Draft) -> list[Consent]:
    """Everybody who was asked in the last round of a draft of the actor's, in the form's order."""
    with as_system(actor):
        asked = Consent.objects.filter(draft=draft)
        last = asked.aggregate(last=Max("round"))["last"]
        return sorted(asked.filter(round=last), key=lambda c: _turn(c.role)) if last else []


def _turn(role: str) -> tuple[str, int]:
    """``founder_10`` comes after ``founder_9``."""
    name, _line, number = role.rpartition("_")
    return (name, int(number)) if number.isdigit() else (role, 0)


def ask(actor: Actor, draft: Draft, plan: FormPlan, data: Mapping[str, Any], asker_name: str) -> None:
    """Ask everybody whom a complete application needs; the same question again asks once.

    Raises:
        Refused: somebody named has never signed in, is the applicant himself, or is named twice.
    """
    if pending(actor, draft):
        return
    people: dict[UUID, tuple[Needed, str]] = {}
    for one in wanted(plan):
        name, idno = str(data.get(f"{one.role}.name", "")), str(data.get(f"{one.role}.idno", ""))
        with as_system(actor):
            other = Person.objects.filter(idno=idno, name=name).first() if idno else None
        if other is None:
            what = _("没有姓名“%(name)s”与所填号码相符的实名用户，请核对；对方要先登录过本平台才能同意。")
            raise Refused(what % {"name": name})
        if other.id in (actor.person_id, draft.subject_id, draft.applicant_id):
            raise Refused(_("“%(name)s”就是您本人，请填写对方。") % {"name": name})
        if other.id in people:
            raise Refused(_("“%(name)s”填了两次，请去掉重复的一位。") % {"name": name})
        people[other.id] = (one, name)
    now = timezone.now()
    with as_system(actor):
        last = Consent.objects.filter(draft=draft).aggregate(last=Max("round"))["last"] or 0
        for person_id, (one, name) in people.items():
            consent = Consent.objects.create(
                draft=draft,
                subject_id=person_id,
                subject_name=name,
                role=one.role,
                round=last + 1,
                asker_id=draft.subject_id,
                asker_name=asker_name,
                name=plan.name,
                until=due_from(one.within, now),
            )
            day = timezone.localtime(consent.until).date()
            again = draft.submitted_at is not None
            text = (
                _("%(who)s补正了“%(what)s”里您同意过的内容，需要您再同意一次，请在 %(day)s 前答复。")
                if again
                else _("%(who)s提交的“%(what)s”需要您同意，请在 %(day)s 前答复；不答复就不办理。")
            )
            text %= {"who": asker_name, "what": plan.name, "day": day}
            title = _("请您确认：%(what)s") % {"what": plan.name}
            tell(derived_id("message", consent.id), person_id, title, text, f"/consents/{consent.id}")
    record(actor, "consent.asked", "draft", draft.id, draft.id, people=len(people))


def of_second(actor: Actor, consent_id: UUID) -> Consent | None:
    """A consent that is the actor's own to give, or None."""
    found = Consent.objects.filter(id=consent_id)
    return found.filter(subject_id=actor.person_id).first() if actor.acting_for is None else None


def of_supplement(actor: Actor, consent: Consent) -> bool:
    """Whether it is about what changes in a case, not about an application that is to become one."""
    with as_system(actor):  # who is asked may not read the draft
        return Draft.objects.filter(id=consent.draft_id).exclude(submitted_at=None).exists()


def close(actor: Actor, consent: Consent, agreed: bool, now: datetime) -> bool:
    """Write down one answer. A no ends the round: the applicant hears of it, and everybody else who was asked.

    The caller has locked the draft.

    Returns:
        whether everybody who was asked has agreed now.
    """
    with as_system(actor):
        consent.answered_at, consent.agreed = now, agreed
        consent.save()
        if not agreed:
            _end(
                consent, now, consent.asker_id != actor.subject_id, _("对方没有同意，或者没有在期限内答复。")
            )
        waits = Consent.objects.filter(draft_id=consent.draft_id, answered_at=None).exists()
    record(actor, "consent.answered", "draft", consent.draft_id, consent.draft_id, agreed=agreed)
    return agreed and not waits


def _end(cause: Consent, now: datetime, tell_asker: bool, why: str) -> None:
    """End a round: what is open is closed, and who was asked in it hears that nothing comes of it."""
    if tell_asker:
        again = of_supplement(SYSTEM, cause)
        title = (_("补正没有交成：%(what)s") if again else _("没有提交：%(what)s")) % {"what": cause.name}
        text = why + _("填的内容还在，可以修改后重新提交。")
        if cause.subject_name:
            text = _("%(who)s：%(text)s") % {"who": cause.subject_name, "text": text}
        tell(
            derived_id("message", cause.id, "no"),
            cause.asker_id,
            title,
            text,
            f"/cases/{cause.draft_id}/supplement" if again else f"/apply/{cause.draft_id}/check",
        )
    for other in Consent.objects.filter(draft_id=cause.draft_id, round=cause.round).exclude(id=cause.id):
        if other.answered_at is None:
            other.answered_at, other.agreed = now, False
            other.save()
        _withdrawn(other)


def _withdrawn(consent: Consent) -> None:
    title = _("不用再确认：%(what)s") % {"what": consent.name}
    text = _("%(who)s的这份申请没有提交成，您的答复不再算数。改好以后会重新请您确认。") % {
        "who": consent.asker_name
    }
    link = f"/consents/{consent.id}"
    tell(derived_id("message", consent.id, "withdrawn"), consent.subject_id, title, text, link)


def cancel(actor: Actor, draft: Draft) -> None:
    """The applicant takes the question back; the draft is his to change again. Whoever was asked hears of it."""
    now = timezone.now()
    with as_system(actor):
        Draft.objects.select_for_update().get(id=draft.id)
        consent = pending(SYSTEM, draft)
        if consent is None:
            return
        consent.answered_at, consent.agreed = now, False
        consent.save()
        _withdrawn(consent)
        _end(consent, now, False, "")
    record(actor, "consent.answered", "draft", draft.id, draft.id, agreed=False)


def lapse(limit: int = 100) -> int:
    """Close consents whose day has passed without an answer; returns how many applications came to nothing."""
    ended = 0
    with acting(SYSTEM):
        late = Consent.objects.filter(answered_at=None, until__lt=timezone.now())
        for draft_id in set(late.values_list("draft_id", flat=True)[:limit]):
            if not Draft.objects.select_for_update(skip_locked=True).filter(id=draft_id).exists():
                continue  # somebody answers right now
            consent = late.filter(draft_id=draft_id).order_by("until", "id").first()
            if consent:
                close(SYSTEM, consent, False, timezone.now())
                ended += 1
    return ended
