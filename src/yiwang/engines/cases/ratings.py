"""好差评 and 整改: one rating per case, five levels; a bad one is looked into by somebody who was not rated.

国办发〔2019〕51号. What counts as bad and how long mending may take is in the pack ``rating_rules``.
"""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import SYSTEM, Actor, Refused
from yiwang.kernel.access.rules import require_subject, visible
from yiwang.kernel.access.session import as_system
from yiwang.kernel.audit.api import record
from yiwang.kernel.calendar.api import due_from
from yiwang.kernel.calendar.rules import Limit, Unit
from yiwang.kernel.events.api import emit
from yiwang.kernel.orgs.models import Organisation
from yiwang.kernel.orgs.queries import MANAGER, above, colleagues
from yiwang.kernel.packs import api as packs

from .contracts import RATING_LEVELS
from .models import Case, Rating, Rectification


def rules() -> dict[str, Any]:
    """The pack's rules of rectification in force."""
    return dict(packs.current().get("rating_rules", "rating").data)


def rate(actor: Actor, case: Case, level: str, comment: str) -> Rating:
    """Rate a closed case. A bad rating opens its rectification in the same transaction.

    Args:
        level: "1" (非常不满意) to "5" (非常满意).

    Raises:
        Refused: not the actor's case, not closed, no level chosen, or rated before.
    """
    require_subject(actor, case)
    if case.closed_at is None:
        raise Refused(_("办结后才能评价。"))
    if level not in map(str, RATING_LEVELS):
        raise Refused(_("请选择一个评价。"))
    try:
        with transaction.atomic():
            rating = Rating.objects.create(
                case=case, subject_id=case.subject_id, level=int(level), comment=comment[:500]
            )
            record(actor, "case.rated", "case", case.id, case.trace_id, level=int(level))
            if rating.level in rules()["bad"]:
                with as_system(actor):
                    _open(case, "rating", rating.comment, rating.level, timezone.now(), 1)
            return rating
    except IntegrityError as twice:
        raise Refused(_("这件办件已经评价过了，一事一评。")) from twice


def complain(actor: Actor, case: Case, words: str) -> Rectification:
    """A complaint about how a case is handled, open or closed; looked into like a bad rating.

    Raises:
        Refused: not the actor's case, nothing written, or the last complaint is not answered yet.
    """
    require_subject(actor, case)
    if not words.strip():
        raise Refused(_("请写明投诉的内容。"))
    rounds = Rectification.objects.filter(case=case, kind="complaint")
    if rounds.filter(closed_at=None).exists():
        raise Refused(_("上一次投诉还在办理，答复后可以再投诉。"))
    with as_system(actor):
        done = _open(case, "complaint", words.strip()[:1000], None, timezone.now(), rounds.count() + 1)
    record(actor, "case.complained", "case", case.id, case.trace_id)
    return done


def _open(case: Case, kind: str, words: str, level: int | None, now: datetime, turn: int) -> Rectification:
    """Open a round, given to a manager who did not handle the case: of the office, else of the one above."""
    handled = [case, *case.children.all()]
    rated = sorted(
        {e.actor for c in handled for e in c.events.all() if e.actor.startswith("user:")}
        - {f"user:{u.id}" for u in _users_of(case.subject_id)}
    )
    limit = rules()["rectify_within"]
    office, post = _rectifier(case.org, rated)
    done = Rectification.objects.create(
        case=case,
        kind=kind,
        words=words,
        level=level,
        subject_id=case.subject_id,
        org_id=office.id,
        assignee_id=post.person_id if post else None,
        assignee_name=post.person.name if post else "",
        rated=rated,
        round=turn,
        opened_at=now,
        due_at=due_from(Limit(limit["value"], Unit(limit["unit"])), now),
    )
    record(SYSTEM, "rectification.opened", "rectification", done.id, case.trace_id, round=turn)
    emit("ratings.rectify", {"rectification": str(done.id), "case": str(case.id)}, case.trace_id)
    return done


def _users_of(person_id: UUID):
    from yiwang.kernel.accounts.models import User

    return User.objects.filter(person_id=person_id)


def _rectifier(office: Organisation, rated: list[str]):
    """The office and a manager of it who is not among the rated; the office above when there is none."""
    current: Organisation | None = office
    while current is not None:
        for post in colleagues(current.id, MANAGER):
            if not {f"user:{u.id}" for u in _users_of(post.person_id)} & set(rated):
                return current, post
        current = above(current)
    return office, None


def desk(actor: Actor) -> list[Rectification]:
    """Rectifications of the actor's offices that he may do, open ones first, the most urgent first."""
    found = Rectification.objects.filter(visible(actor)).select_related("case").order_by("due_at")
    return [r for r in found if actor.label not in r.rated]


def find(actor: Actor, rectification_id: UUID) -> Rectification | None:
    """A rectification of an office that the actor manages, or None."""
    done = Rectification.objects.filter(visible(actor), id=rectification_id).first()
    return done if done and actor.has_role(done.org_id, MANAGER) else None


def answer(actor: Actor, rectification_id: UUID, text: str, called_back: str) -> Rectification:
    """Say what was found and mended, and how the person was called back; he then says whether it is solved.

    Raises:
        Refused: not a manager of the office, one of the rated, answered already, or no answer.
    """
    done = Rectification.objects.select_for_update().filter(id=rectification_id).first()
    if done is None or not actor.has_role(done.org_id, MANAGER):
        raise Refused(_("没有找到这件整改单，或您不是该机构的负责人。"))
    if actor.label in done.rated:
        raise Refused(_("您办过这件事，差评不能由被评的人自己整改。"))
    if done.answered_at is not None:
        raise Refused(_("这件整改单已经答复过。"))
    if not text.strip() or not called_back.strip():
        raise Refused(_("请写明整改情况和回访情况，两项都会给评价人看。"))
    done.answer, done.called_back = text.strip()[:2000], called_back.strip()[:300]
    done.answered_at = timezone.now()
    done.save()
    record(actor, "rectification.answered", "rectification", done.id, done.case.trace_id)
    emit("ratings.answered", {"rectification": str(done.id), "case": str(done.case_id)}, None)
    return done


def settle(actor: Actor, rectification_id: UUID, solved: bool) -> Rectification:
    """The person says whether it is solved; if not, another round opens, in the end with the office above.

    Raises:
        Refused: not his, not answered yet, or said already.
    """
    done = Rectification.objects.select_for_update().filter(id=rectification_id).first()
    if done is None or done.subject_id != actor.subject_id:
        raise Refused(_("没有找到这件整改单。"))
    if done.answered_at is None or done.closed_at is not None:
        raise Refused(_("这件整改单现在不能评价。"))
    now = timezone.now()
    done.solved, done.closed_at = solved, now
    done.save()
    record(actor, "rectification.settled", "rectification", done.id, done.case.trace_id, solved=solved)
    if not solved and done.round < rules()["rounds"]:
        with as_system(actor):
            _open(done.case, done.kind, done.words, done.level, now, done.round + 1)
    return done


_PERSONAL = re.compile(r"[0-9]{6,}[0-9Xx]?|1[3-9][0-9]{9}|[\w.]+@[\w.]+")


def published(text: str, *names: str) -> str:
    """A comment without personal data: numbers, addresses of mail and the names of those concerned."""
    for name in names:
        if name:
            text = text.replace(name, "＊")
    return _PERSONAL.sub("＊", text)


def concerned(case: Case) -> set[str]:
    """The names of those who had to do with a case."""
    return {case.subject_name, *case.events.values_list("actor_name", flat=True)}


def public_comments(actor: Actor, limit: int = 20) -> list[dict[str, Any]]:
    """The latest comments with what was answered, without personal data, for anybody to read."""
    with as_system(actor):
        found = Rating.objects.exclude(comment="").select_related("case__org").order_by("-created")[:limit]
        lines = []
        for rating in found:
            case = rating.case
            names = concerned(case)
            last = case.rectifications.filter(kind="rating").exclude(answer="").order_by("-round").first()
            lines.append(
                {
                    "item": case.name,
                    "office": case.org.name if case.org else "",
                    "level": rating.level,
                    "comment": published(rating.comment, *names),
                    "answer": published(last.answer, *names) if last else "",
                    "day": rating.created,
                }
            )
        return lines
