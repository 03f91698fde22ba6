"""Cases: apply in one call, follow, look up what happened."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router, Status

from yiwang.engines.cases import api as cases

from . import access, paging, reads, shapes

router = Router(auth=access.read, tags=["cases"])


def seen(request: HttpRequest, case_id: UUID) -> cases.Case:
    """A case the caller may see.

    Raises:
        Http404: there is none.
    """
    found = cases.find(request.actor, case_id)
    if found is None:
        raise Http404
    return found


@router.post("/cases", response={201: shapes.Made}, auth=access.apply, summary=_("一次调用提交申请"))
def create(request: HttpRequest, body: shapes.NewCase):
    """Open, fill and submit in one call. The same ``command_id`` again gives the same case."""
    if not cases.offered(body.service):
        raise Http404
    case_id = cases.file(
        request.actor, body.service, body.answers, body.values, body.pledges, body.command_id
    )
    return Status(201, cases.made(case_id))


@router.get("/cases", response=shapes.Cases, summary=_("我的办件"))
def list_own(
    request: HttpRequest,
    q: str = Query("", max_length=60, description=str(_("办件编号的开头，或名称的一部分"))),
    cursor: str = Query("", max_length=200),
    limit: int = Query(20, ge=1, le=100),
):
    """The caller's own cases, newest first."""
    try:
        before = paging.place(cursor, paging.moment, paging.identity)
    except paging.BadCursor as bad:
        raise cases.Incomplete([paging.bad_cursor(cursor)]) from bad
    found = cases.page_of_own(request.actor, q.strip(), before, limit + 1)
    page = found[:limit]
    more = paging.cursor(page[-1].submitted_at, page[-1].id) if len(found) > limit else None
    return {"items": [reads.case(one) for one in page], "next": more}


@router.get("/cases/{uuid:case_id}", response=shapes.CaseInFull, summary=_("一个办件"))
def get(request: HttpRequest, response: HttpResponse, case_id: UUID):
    """A case with its open steps; its ``ETag`` follows from its last event."""
    found = seen(request, case_id)
    tag = f'"{found.seq}-{bytes(found.head).hex()[:16]}"' if found.kind != "bundle" else None
    if tag and request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers={"ETag": tag})
    if tag:
        response["ETag"] = tag
    return reads.case_in_full(request.actor, found)


@router.get("/cases/{uuid:case_id}/history", response=shapes.History, summary=_("办理过程"))
def history(request: HttpRequest, case_id: UUID):
    """What happened, in order."""
    return {"items": cases.history(seen(request, case_id))}
