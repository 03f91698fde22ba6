"""An official's work: the list, and every command on a case. The same ``command_id`` again is a success."""

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from ninja import Query, Router

from yiwang.engines.cases import api as cases
from yiwang.kernel.access.contracts import Refused

from . import access, paging, reads, shapes

router = Router(auth=access.handle, tags=["work"])


@router.get("/work", response=shapes.WorkList, summary=gettext_lazy("待办，最急的在前"))
def work(
    request: HttpRequest,
    due: Literal["", "overdue", "today", "week"] = "",
    service: str = Query("", max_length=80),
    step: str = Query("", max_length=120),
    q: str = Query("", max_length=60),
    mine: bool = False,
    cursor: str = Query("", max_length=300),
    limit: int = Query(50, ge=1, le=200),
):
    """Open work of the caller's posts, filtered like the desk's inbox."""
    if not request.actor.is_staff:
        raise Refused(_("您没有岗位，没有待办。"))
    try:
        after = paging.place(cursor, paging.moment, paging.identity, int)
    except paging.BadCursor as bad:
        raise cases.Incomplete([paging.bad_cursor(cursor)]) from bad
    wanted = {"due": due, "ref": service, "step": step, "q": q.strip(), "mine": "1" if mine else ""}
    found = cases.work_page(request.actor, wanted, after, limit + 1)
    page = found[:limit]
    last = page[-1] if len(found) > limit else None
    return {
        "items": [
            {
                "case": reads.case(token.case),
                "token": token.id,
                "step": token.name,
                "due_at": token.due_at,
                "assignee": token.assignee_name,
                "applicant": token.case.subject_name,
            }
            for token in page
        ],
        "next": paging.cursor(last.due_at, last.case_id, last.id) if last else None,
    }


def done(held: Any) -> dict[str, Any]:
    """A case after a command, as ``shapes.Done``."""
    return {
        "id": held.id,
        "seq": held.seq,
        "status": held.status,
        "phase": held.phase,
        "result": held.result,
        "again": held.already,
    }


def _command(verb: str, summary: Any, auth: access.Signed = access.handle):
    return router.post(
        f"/cases/{{uuid:case_id}}/{verb}", response=shapes.Done, summary=summary, auth=auth, tags=["commands"]
    )


@_command("complete", gettext_lazy("办结一个环节"))
def complete(request: HttpRequest, case_id: UUID, body: shapes.Complete):
    """Finish a step with an outcome that the flow offers."""
    actor, why = request.actor, body.reason.strip()
    return done(cases.complete(actor, case_id, body.token, body.outcome, why, body.command_id))


@_command("supplement", gettext_lazy("一次性告知补正"))
def supplement(request: HttpRequest, case_id: UUID, body: shapes.Supplement):
    """Ask the applicant, once, for things on the list he was told at the start."""
    actor, note = request.actor, body.note.strip()
    return done(cases.request_supplement(actor, case_id, body.token, body.keys, note, body.command_id))


@_command("suspend", gettext_lazy("暂停计时"))
def suspend(request: HttpRequest, case_id: UUID, body: shapes.Suspend):
    """Stop the clock on a ground that the service lists."""
    return done(cases.suspend(request.actor, case_id, body.ground, body.note.strip(), body.command_id))


@_command("resume", gettext_lazy("恢复计时"))
def resume(request: HttpRequest, case_id: UUID, body: shapes.Note):
    """Let the clock run again."""
    return done(cases.resume(request.actor, case_id, body.note.strip(), body.command_id))


@_command("extend", gettext_lazy("申请延长期限"))
def extend(request: HttpRequest, case_id: UUID, body: shapes.Because):
    """Ask the head of the office for more time."""
    return done(cases.request_extension(request.actor, case_id, body.reason, body.command_id))


@_command("approve", gettext_lazy("批准延长期限"))
def approve(request: HttpRequest, case_id: UUID, body: shapes.Command):
    """Grant the extension that somebody else asked for."""
    return done(cases.approve_extension(request.actor, case_id, body.command_id))


@_command("assign", gettext_lazy("交给一位工作人员；不写 person 为自己领取"))
def assign(request: HttpRequest, case_id: UUID, body: shapes.Assign):
    """Give a step to an official of the office; to oneself when nobody is named."""
    person = body.person or request.actor.person_id
    return done(cases.assign(request.actor, case_id, body.token, person, body.command_id))


@_command("transfer", gettext_lazy("转办到负责的机构"))
def transfer(request: HttpRequest, case_id: UUID, body: shapes.Transfer):
    """Send the case to the office that is really responsible."""
    return done(cases.transfer(request.actor, case_id, body.office, body.reason, body.command_id))


@_command("withdraw", gettext_lazy("申请人撤回"), access.apply)
def withdraw(request: HttpRequest, case_id: UUID, body: shapes.Because):
    """Take one's own application back before the decision."""
    return done(cases.withdraw(request.actor, case_id, body.reason[:300], body.command_id))
