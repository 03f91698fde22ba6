"""会审: other offices say what they think of a case before it is decided; the file stays where it is.

Asked by an official of the office that handles the case. No decision is possible while an opinion is
outstanding, so none can be forgotten; whoever asked may also take the question back, with a reason.
"""

from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.rules import require_role
from yiwang.kernel.access.session import as_system
from yiwang.kernel.calendar.api import due_from
from yiwang.kernel.calendar.rules import Limit, Unit
from yiwang.kernel.orgs.models import Organisation

from .actions.moving import Row, execute, require_open
from .models import Case, Review
from .store import Change, Locked

OPINIONS = ("agree", "conditional", "against")
LONGEST = 20  # working days for an opinion


def ask(
    actor: Actor, case_id: UUID, offices: list[str], question: str, days: int, command_id: UUID
) -> Locked:
    """Ask offices for their opinion.

    Args:
        offices: full names. days: working days they have, 1 to ``LONGEST``.

    Raises:
        Refused: not the actor's case, no question, an office that does not exist or was asked already.
    """

    def decide(held: Locked, now: datetime) -> Change:
        require_open(held)
        require_role(actor, Row(held), next(iter(sorted(actor.posts.get(held.org_id, ()))), ""))
        if not question.strip():
            raise Refused(_("请写明要对方就什么提意见。"))
        if not 1 <= days <= LONGEST:
            raise Refused(
                _("期限是 1 到 %(most)s 个工作日，现在是 %(days)s。") % {"most": LONGEST, "days": days}
            )
        asked = [_office(held, name) for name in dict.fromkeys(n.strip() for n in offices if n.strip())]
        if not asked:
            raise Refused(_("请写要征询的机构，写全称，一行一个。"))
        due = due_from(Limit(days, Unit.WORKING_DAYS), now)
        for org in asked:
            Review.objects.create(
                case_id=held.id,
                org_id=org.id,
                org_name=org.name,
                asker_org_id=held.org_id,
                asker_name=actor.name,
                question=question.strip(),
                asked_at=now,
                due_at=due,
            )
        change = Change(
            "review-asked", {"offices": [org.name for org in asked], "question": question.strip()}
        )
        change.patch["extra"] = {**held.extra, "reviews": held.extra.get("reviews", 0) + len(asked)}
        change.outbox.append(("cases.review-asked", {"case": str(held.id), "seq": held.seq + 1}))
        return change

    return execute(actor, case_id, command_id, decide)


def _office(held: Locked, name: str) -> Organisation:
    org = Organisation.objects.filter(name=name).first()
    if org is None:
        raise Refused(_("没有名为“%(name)s”的机构，请写全称。") % {"name": name})
    if org.id == held.org_id:
        raise Refused(_("“%(name)s”就是本机构，不用征询。") % {"name": name})
    if Review.objects.filter(case_id=held.id, org_id=org.id, answered_at=None, dropped_at=None).exists():
        raise Refused(_("已经在征询“%(name)s”，请等它答复。") % {"name": name})
    return org


def answer(actor: Actor, review_id: UUID, opinion: str, text: str, command_id: UUID) -> Locked:
    """An official of the office that was asked gives its opinion.

    Raises:
        Refused: not his office, answered already, no opinion, no reason for one that is not plain agreement.
    """
    review = find(actor, review_id)
    if review is None or review.org_id not in actor.posts:
        raise Refused(_("没有找到这件会审，或它不是问您单位的。"))
    if opinion not in OPINIONS:
        raise Refused(_("请选择同意、有条件同意或不同意。"))
    if opinion != "agree" and not text.strip():
        raise Refused(_("不是同意的，请写明条件或理由。"))

    def decide(held: Locked, now: datetime) -> Change:
        if held.subject_id == actor.person_id or held.subject_id in actor.interests:
            raise Refused(_("这是您本人或您所代表的单位的申请，应当回避，请由同单位的其他工作人员答复。"))
        given = {"opinion": opinion, "text": text.strip(), "answered_by": actor.name, "answered_at": now}
        if not Review.objects.filter(id=review_id, answered_at=None, dropped_at=None).update(**given):
            raise Refused(_("这件会审已经答复或撤回。"))
        body = {"office": review.org_name, "opinion": opinion, "reason": text.strip()}
        change = Change("review-answered", body, patch={"extra": _one_less(held)})
        change.outbox.append(
            ("cases.review-answered", {"case": str(held.id), "seq": held.seq + 1, "review": str(review_id)})
        )
        return change

    with as_system(actor):  # the case is not his office's: he writes his opinion into it and nothing else
        return execute(actor, review.case_id, command_id, decide)


def drop(actor: Actor, review_id: UUID, reason: str, command_id: UUID) -> Locked:
    """The office that asked takes its question back.

    Raises:
        Refused: not its case, no reason, answered already.
    """
    review = find(actor, review_id)
    if review is None:
        raise Refused(_("没有找到这件会审。"))

    def decide(held: Locked, now: datetime) -> Change:
        require_role(actor, Row(held), next(iter(sorted(actor.posts.get(held.org_id, ()))), ""))
        if not reason.strip():
            raise Refused(_("请写明为什么不再等对方的意见。"))
        if not Review.objects.filter(id=review_id, answered_at=None, dropped_at=None).update(dropped_at=now):
            raise Refused(_("这件会审已经答复或撤回。"))
        body = {"office": review.org_name, "reason": reason.strip()}
        return Change("review-dropped", body, patch={"extra": _one_less(held)})

    return execute(actor, review.case_id, command_id, decide)


def _one_less(held: Locked) -> dict:
    return {**held.extra, "reviews": max(held.extra.get("reviews", 0) - 1, 0)}


def find(actor: Actor, review_id: UUID) -> Review | None:
    """A review that the actor's offices asked for or were asked, or None."""
    mine = [*actor.posts, *actor.oversees]
    found = Review.objects.filter(id=review_id).first()
    return found if found and (found.org_id in mine or found.asker_org_id in mine) else None


def of_case(case: Case) -> list[Review]:
    """Every opinion asked for on a case, in the order of asking."""
    return list(Review.objects.filter(case=case).order_by("asked_at", "org_name"))


def to_answer(actor: Actor) -> list[Review]:
    """What the actor's offices are asked and have not answered, the most urgent first."""
    open_ = Review.objects.filter(org_id__in=list(actor.posts), answered_at=None, dropped_at=None)
    return list(open_.order_by("due_at"))


def case_of(actor: Actor, review: Review) -> Case:
    """The case behind an open question, for those who have to answer it; nobody else may see it this way."""
    if review.org_id not in actor.posts:
        raise Refused(_("没有找到这件会审，或它不是问您单位的。"))
    with as_system(actor):
        return Case.objects.select_related("org").get(id=review.case_id)


def open_now(review: Review) -> bool:
    """Whether the case's papers are still to be seen by the office that was asked."""
    return review.answered_at is None and review.dropped_at is None and review.asked_at <= timezone.now()
