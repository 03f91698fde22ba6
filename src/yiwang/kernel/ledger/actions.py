"""Doubt a use of one's data, answer a doubt, tell of late answers."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import SYSTEM, Actor, Refused
from yiwang.kernel.access.session import acting, as_system
from yiwang.kernel.audit.api import record
from yiwang.kernel.calendar.api import working_calendar
from yiwang.kernel.events.api import emit
from yiwang.kernel.orgs.queries import STEWARD, office_with

from .models import Doubt, Use
from .purposes import answer_within
from .queries import is_steward, of_use, region_of

ROUNDS = 2  # a doubt, and one more when the answer does not do


def doubt(actor: Actor, use_id: UUID, words: str) -> Doubt:
    """The subject doubts a use; the office that used it has to answer, for the system's uses the data authority.

    Once answered, he may ask once more; then the data authority answers.

    Raises:
        Refused: not a use of his data, no answer yet, asked twice, or nothing said the second time.
    """
    entry = of_use(actor, use_id)
    if entry is None:
        raise Refused(_("没有找到这条使用记录，或它不是使用您的数据。"))
    use, words = entry.use, words.strip()[:1000]
    before = list(Doubt.objects.filter(use=use, subject_id=actor.subject_id).order_by("round"))
    if before and before[-1].answered_at is None:
        raise Refused(_("您已经就这条记录提出过疑问，请等答复。"))
    if len(before) >= ROUNDS:
        raise Refused(_("您已经问过两次。仍不满意的，可以拨打 12345，也可以向网信部门投诉或依法起诉。"))
    if before and not words:
        raise Refused(_("请写明哪里没有说清楚，数据主管部门才知道核实什么。"))
    made = Doubt.objects.create(
        use=use,
        subject_id=actor.subject_id,
        org_id=_asked(actor, use, before),
        round=len(before) + 1,
        words=words,
        due_at=_due(timezone.now()),
    )
    record(actor, "ledger.doubted", "use", use.id, source=use.source, round=made.round)
    emit("ledger.doubted", {"doubt": str(made.id)})
    return made


def _asked(actor: Actor, use: Use, before: list[Doubt]) -> UUID | None:
    """Which office has to answer: the one that used the data; the data authority for the system and a second time.

    A use under a grant names the grant's office alone; otherwise, of several, the one where the post is the oldest.
    """
    if use.orgs and not before:
        return use.orgs[0]
    with as_system(actor):
        office = office_with(STEWARD, region_of(actor.subject_id), before[-1].org_id if before else None)
    return office.id if office else None


def _due(now: datetime) -> datetime:
    day = working_calendar().after(timezone.localtime(now).date(), answer_within())
    return timezone.make_aware(datetime(day.year, day.month, day.day, 23, 59, 59))


def answer(actor: Actor, doubt_id: UUID, justified: bool, text: str) -> Doubt:
    """The office says why it used the data, or that it should not have.

    Raises:
        Refused: not his office's and he is no steward, his own read or doubt, answered already, no reason given.
    """
    made = Doubt.objects.select_for_update(of=("self",)).select_related("use").filter(id=doubt_id).first()
    if made is None or not (actor.system or made.org_id in actor.posts or is_steward(actor)):
        raise Refused(_("没有找到这条疑问，或它不归您单位答复。"))
    if made.answered_at is not None:
        raise Refused(_("这条疑问已经答复。"))
    if not actor.system:
        _require_other(actor, made)
    if not text.strip():
        raise Refused(_("请写明使用的理由，或不当之处和处理结果。"))
    made.justified, made.answer = justified, text.strip()
    made.answered_by, made.answerer_id, made.answered_at = actor.name, actor.person_id, timezone.now()
    made.save()
    record(actor, "ledger.answered", "use", made.use_id, justified=justified, round=made.round)
    emit("ledger.answered", {"doubt": str(made.id)})
    return made


def _require_other(actor: Actor, made: Doubt) -> None:
    """Nobody answers for his own read, his own doubt, or twice."""
    another = _("请由本单位其他人答复；没有别人的，由数据主管部门（数据管理岗）答复。")
    if made.use.actor == actor.label:
        raise Refused(_("这次数据是您自己读取的，不能由您答复。") + another)
    if made.subject_id == actor.person_id:
        raise Refused(_("这条疑问是您自己提出的，不能由您答复。") + another)
    first = Doubt.objects.filter(use_id=made.use_id, subject_id=made.subject_id, round=1)
    if made.round > 1 and first.filter(answerer_id=actor.person_id).exists():
        raise Refused(_("第一次是您答复的，本人不满意。") + another)


def tell_late(most: int = 100) -> int:
    """Emit ``ledger.overdue`` for each doubt whose time is over without an answer, once; returns how many."""
    with acting(SYSTEM):
        late = Doubt.objects.filter(answered_at=None, overdue_told=False, due_at__lt=timezone.now())
        found = list(late.select_for_update(skip_locked=True).order_by("due_at")[:most])
        for one in found:
            one.overdue_told = True
            one.save(update_fields=["overdue_told"])
            record(SYSTEM, "ledger.overdue", "use", one.use_id, round=one.round)
            emit("ledger.overdue", {"doubt": str(one.id)})
    return len(found)
