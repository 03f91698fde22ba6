"""The official's pages: the inbox by legal due date, and one case with everything needed to decide."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.access.session import as_system
from yiwang.kernel.audit.api import record
from yiwang.kernel.files import store
from yiwang.kernel.files.models import StoredFile
from yiwang.kernel.ids import new_id
from yiwang.kernel.orgs.queries import region_names
from yiwang.kernel.packs import api as packs

from . import actions, forms, queries
from .contracts import Phase
from .items import graph, item
from .models import Case

PAGE = 50


@require_GET
def inbox(request):
    """Open work of the official's posts, the most urgent first."""
    if not request.actor.is_staff:
        return redirect("/accounts/login/?next=/desk")
    start = max(0, int(request.GET.get("from", "0") or 0)) if request.GET.get("from", "0").isdigit() else 0
    total = queries.inbox_size(request.actor)
    return render(
        request,
        "cases/inbox.html",
        {
            "work": queries.inbox(request.actor, PAGE, start),
            "total": total,
            "later": start + PAGE if start + PAGE < total else None,
            "now": timezone.now(),
        },
    )


def _staff_case(request, case_id) -> Case:
    found = queries.find(request.actor, case_id)
    if found is None or found.org_id not in request.actor.posts:
        raise Http404
    return found


@require_GET
def case(request, case_id):
    """A case at the desk: materials beside the decision, history, flow."""
    return _show(request, _staff_case(request, case_id))


def _show(request, found: Case, problem: str = "", typed=None, status: int = 200):
    spec = item(found.release, found.kind, found.ref)
    flow = graph(found.flow_id)
    plan = forms.plan(packs.library(found.release), found.ref)
    tokens = list(found.tokens.filter(kind="user"))
    steps = [
        {"token": t, "node": flow.node(t.node), "mine": request.actor.has_role(found.org_id, t.role)}
        for t in tokens
    ]
    colour, left = queries.tone(found.due_at, found.phase, timezone.now())
    extension = found.extra.get("extension")
    accepting = any(s["mine"] and s["node"].ext.get("form") in ("accept", "handle") for s in steps)
    names = region_names().get
    data = [
        (f.label, forms.show(plan, f.path, found.data[f.path], names))
        for f in plan.fields
        if found.data.get(f.path) not in (None, "")
    ]
    return render(
        request,
        "cases/case.html",
        {
            "case": found,
            "tone": colour,
            "left": left,
            "steps": steps,
            "open": found.phase == Phase.OPEN,
            "suspended": found.phase == Phase.SUSPENDED,
            "data": data,
            "materials": found.extra.get("materials", []),
            "conditions": found.extra.get("conditions", []),
            "told": found.extra.get("told", []) if accepting and not found.extra.get("supplement") else [],
            "grounds": spec.data.get("special", [])
            if found.accepted_at and found.phase == Phase.OPEN
            else [],
            "may_extend": bool(spec.extension)
            and not extension
            and found.accepted_at
            and found.phase == Phase.OPEN,
            "extension": extension,
            "may_approve": bool(extension)
            and not extension.get("approved_by")
            and request.actor.has_role(found.org_id, "decider"),
            "history": queries.history(found),
            "past": " ".join(queries.past_nodes(found)),
            "now_at": " ".join(t.node for t in found.tokens.all()),
            "documents": queries.documents_of(found),
            "basis": spec.data.get("basis", []),
            "problem": problem,
            "typed": typed or {},
            "command": str(new_id()),
        },
        status=status,
    )


@require_POST
def act(request, case_id):
    """Any command an official gives to a case, from the desk's forms."""
    found = _staff_case(request, case_id)
    post = request.POST
    try:
        command = UUID(post.get("command", ""))
    except ValueError:
        return _show(request, found, _("页面不完整，请刷新后重试。"), post, 400)
    token = int(post["token"]) if post.get("token", "").isdigit() else 0
    reason = post.get("reason", "").strip()
    actor = request.actor
    verbs = {
        "complete": lambda: actions.complete(
            actor, found.id, token, post.get("outcome") or None, reason, command
        ),
        "supplement": lambda: actions.request_supplement(
            actor, found.id, token, post.getlist("keys"), reason, command
        ),
        "suspend": lambda: actions.suspend(actor, found.id, post.get("ground", ""), reason, command),
        "resume": lambda: actions.resume(actor, found.id, reason, command),
        "extend": lambda: actions.request_extension(actor, found.id, reason, command),
        "approve": lambda: actions.approve_extension(actor, found.id, command),
    }
    if post.get("verb") not in verbs:
        return _show(request, found, _("没有这种操作，请刷新页面。"), post, 400)
    try:
        verbs[post["verb"]]()
    except Refused as refused:
        found.refresh_from_db()
        return _show(request, found, str(refused), post, 409)
    messages.success(request, _("已办理。"))
    return redirect("desk_case", found.id)


@require_GET
def flow(request, case_id):
    """The case's flow as BPMN, for the diagram."""
    return HttpResponse(_staff_case(request, case_id).flow.xml, content_type="application/xml")


@require_GET
def file(request, case_id, file_id):
    """A material of a case, to the office that handles the case; every look is recorded."""
    found = _staff_case(request, case_id)
    if str(file_id) not in {m.get("file") for m in found.extra.get("materials", [])}:
        raise Http404
    with as_system(request.actor):
        stored = StoredFile.objects.get(id=file_id)
    record(request.actor, "material.viewed", "file", stored.id, found.trace_id, case=found.number)
    return HttpResponse(
        store.get(stored.sha256),
        content_type=stored.media_type,
        headers={
            "Content-Disposition": "inline",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
        },
    )
