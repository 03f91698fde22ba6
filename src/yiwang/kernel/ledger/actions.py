"""Doubt a use of one's data, answer a doubt, erase somebody's details."""

from datetime import datetime
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.session import as_system
from yiwang.kernel.audit.api import record
from yiwang.kernel.calendar.api import working_calendar
from yiwang.kernel.events.api import emit

from .models import Doubt
from .purposes import answer_within
from .queries import of_use


def doubt(actor: Actor, use_id: UUID, words: str) -> Doubt:
    """The subject doubts a use; the office that used it has to answer.

    Raises:
        Refused: not a use of his data, or he has asked already.
    """
    entry = of_use(actor, use_id)
    if entry is None:
        raise Refused(_("没有找到这条使用记录，或它不是使用您的数据。"))
    use = entry.use
    if Doubt.objects.filter(use=use, subject_id=actor.subject_id).exists():
        raise Refused(_("您已经就这条记录提出过疑问，请等答复。"))
    made = Doubt.objects.create(
        use=use,
        subject_id=actor.subject_id,
        org_id=use.orgs[0] if use.orgs else None,
        words=words.strip()[:1000],
        due_at=_due(timezone.now()),
    )
    record(actor, "ledger.doubted", "use", use.id, source=use.source)
    emit("ledger.doubted", {"doubt": str(made.id)})
    return made


def _due(now: datetime) -> datetime:
    day = working_calendar().after(timezone.localtime(now).date(), answer_within())
    return timezone.make_aware(datetime(day.year, day.month, day.day, 23, 59, 59))


def answer(actor: Actor, doubt_id: UUID, justified: bool, text: str) -> Doubt:
    """The office says why it used the data, or that it should not have.

    Raises:
        Refused: not his office's, answered already, no reason given.
    """
    made = Doubt.objects.select_for_update().filter(id=doubt_id).first()
    if made is None or (made.org_id not in actor.posts and not actor.system):
        raise Refused(_("没有找到这条疑问，或它不归您单位答复。"))
    if made.answered_at is not None:
        raise Refused(_("这条疑问已经答复。"))
    if not text.strip():
        raise Refused(_("请写明使用的理由，或不当之处和处理结果。"))
    made.justified, made.answer = justified, text.strip()
    made.answered_by, made.answered_at = actor.name, timezone.now()
    made.save()
    record(actor, "ledger.answered", "use", made.use_id, justified=justified)
    emit("ledger.answered", {"doubt": str(made.id)})
    return made


def erase(actor: Actor, kind: str, key: str) -> int:
    """Erase whose data entries were about, for one subject; the tree and every proof stay as they are.

    Returns:
        how many entries were erased.
    """
    with as_system(actor), connection.cursor() as cursor:
        cursor.execute("select ledger_erase(%s, %s)", [kind, key])
        erased = cursor.fetchone()[0]
        record(actor, "ledger.erased", "subject", kind, entries=erased)
    return erased
