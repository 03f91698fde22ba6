"""What managers do: give work to somebody, send a case to another office, press for what is overdue."""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from yiwang.engines.cases.store import Change, Locked
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.rules import require_role
from yiwang.kernel.access.session import as_system
from yiwang.kernel.orgs.models import Organisation, Post
from yiwang.kernel.orgs.queries import MANAGER

from .moving import AlreadyChanged, Row, closed_because, execute, happened, node_of, require_open


def assign(actor: Actor, case_id: UUID, token_id: int, person_id: UUID, command_id: UUID) -> Locked:
    """Give a piece of work to an official of the office: by its manager, or by an official to himself.

    Raises:
        Refused: neither, or the official has no post for the step, or the matter is his own.
    """

    def decide(held: Locked, now: datetime) -> Change:
        require_open(held)
        role = node_of(held, token_id).ext.get("role", "")
        require_role(actor, Row(held), role if person_id == actor.person_id else MANAGER)
        name = actor.name if person_id == actor.person_id else _colleague(actor, held, person_id, role)
        return Change(
            "assigned",
            {"token": token_id, "node_name": node_of(held, token_id).name, "to": name},
            assignee=(token_id, person_id, name),
        )

    return execute(actor, case_id, command_id, decide)


def _colleague(actor: Actor, held: Locked, person_id: UUID, role: str) -> str:
    """The name of an official who may be given the step."""
    posts = Post.objects.filter(org_id=held.org_id, person_id=person_id, until=None)
    post = next((p for p in posts if role in p.roles), None)
    if post is None:
        raise Refused(_("这位工作人员没有办理这一环节的岗位，请另选一位。"))
    if held.subject_id == person_id:
        raise Refused(_("这是他本人的申请，应当回避，请另选一位。"))
    with as_system(actor):
        return str(post.person.name)


def transfer(actor: Actor, case_id: UUID, office: str, reason: str, command_id: UUID) -> Locked:
    """转办: the case goes to the office that is really responsible; the applicant is told, the clock runs on.

    Raises:
        Refused: no such office, the same one, or no reason.
    """

    def decide(held: Locked, now: datetime) -> Change:
        # First whether it is his at all: "closed already" would tell a stranger that there is such a case.
        require_role(actor, Row(held), next(iter(sorted(actor.posts.get(held.org_id, ()))), ""))
        require_open(held)
        org = Organisation.objects.filter(name=office.strip()).first()
        if org is None:
            raise Refused(_("没有名为“%(name)s”的机构，请写全称。") % {"name": office.strip()})
        if org.id == held.org_id:
            raise Refused(_("这件办件已经在本机构。"))
        if not reason.strip():
            raise Refused(_("请写明转办的理由：会告知申请人。"))
        was = Organisation.objects.get(id=held.org_id).name
        change = Change(
            "transferred",
            {"from": was, "to": org.name, "reason": reason},
            patch={"org_id": org.id},
            token_org=org.id,
        )
        happened(held, change, "transferred", reason=reason)
        return change

    with as_system(actor):  # the row leaves the actor's office; who may do that is decided above
        return execute(actor, case_id, command_id, decide)


def escalate(actor: Actor, case_id: UUID, note: str, command_id: UUID) -> Locked:
    """督办: somebody above presses an office to finish a case; it stays on the case's record.

    Raises:
        Refused: not a manager of the office or of one above it, or the case is closed.
    """

    def decide(held: Locked, now: datetime) -> Change:
        above = held.org_id in actor.oversees
        if not (actor.system or above or actor.has_role(held.org_id, MANAGER)):
            raise Refused(_("只有本机构或上级机构的负责人可以督办。"))
        if held.closed_at is not None:
            raise AlreadyChanged(closed_because(held))
        if not note.strip():
            raise Refused(_("请写明督办要求。"))
        pressed = [
            *held.extra.get("escalations", []),
            {"by": actor.name, "at": now.isoformat(), "note": note},
        ]
        change = Change("escalated", {"note": note}, patch={"extra": {**held.extra, "escalations": pressed}})
        change.outbox.append(("cases.escalated", {"case": str(held.id), "seq": held.seq + 1, "note": note}))
        return change

    # An overseer may read the case but does not handle it: the row is written on the office's behalf.
    with as_system(actor):
        return execute(actor, case_id, command_id, decide)
