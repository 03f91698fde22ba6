"""The official's pages: the inbox by legal due date, and one case with everything needed to decide."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from yiwang.engines.cases import actions, forms, queries, reviews, worklist
from yiwang.engines.cases.case_form import item_plan
from yiwang.engines.cases.contracts import Phase
from yiwang.engines.cases.items import Item, graph, item
from yiwang.engines.cases.matters import MATTER
from yiwang.engines.cases.models import Case
from yiwang.engines.cases.words import OPINION
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.access.guards import staff_only
from yiwang.kernel.access.session import as_system
from yiwang.kernel.audit.api import record
from yiwang.kernel.files import api as files
from yiwang.kernel.ids import derived_id, new_id
from yiwang.kernel.orgs.queries import MANAGER, colleagues, region_names

PAGE = 50


FILTERS = ("due", "ref", "step", "q", "mine")


@require_GET
@staff_only
def inbox(request):
    """Open work of the official's posts, the most urgent first, filtered; several at once."""
    wanted = {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
    start = int(request.GET["from"]) if request.GET.get("from", "").isdigit() else 0
    total = worklist.filtered(request.actor, wanted).count()
    work = worklist.inbox(request.actor, wanted, PAGE, start)
    return render(
        request,
        "cases/inbox.html",
        {
            "work": work,
            "total": total,
            "later": start + PAGE if start + PAGE < total else None,
            "wanted": wanted,
            "query": urlencode(wanted),
            "when": worklist.WHEN,
            "choices": worklist.choices(request.actor),
            "saved": worklist.saved(request.actor),
            "outcomes": dict(o for w in work for o in w.outcomes),
            "nonce": str(new_id()),
        },
    )


@require_POST
@staff_only
def bulk(request):
    """The same step on many cases. Each stands for itself: one that cannot be done stops no other."""
    outcome, reason = request.POST.get("outcome", ""), request.POST.get("reason", "").strip()
    chosen = request.POST.getlist("work")[:200]
    done, refused = 0, []
    for key in chosen:
        case_id, _colon, token = key.partition(":")
        try:
            command = derived_id("bulk", request.POST.get("nonce", ""), key)
            actions.complete(request.actor, UUID(case_id), int(token), outcome, reason, command)
            done += 1
        except (Refused, ValueError) as why:
            refused.append(f"{_number(case_id) or key}：{why}")
    if not chosen:
        messages.error(request, _("请先勾选要办的件。"))
    if done:
        messages.success(request, _("已办理 %(n)s 件。") % {"n": done})
    for line in refused:
        messages.error(request, line)
    return redirect(f"{reverse('desk')}?{request.POST.get('query', '')}")


def _number(case_id: str) -> str | None:
    """The number of a case the official may see, for a message."""
    try:
        return Case.objects.filter(id=UUID(case_id)).values_list("number", flat=True).first()
    except ValueError:
        return None


@require_POST
@staff_only
def save_filter(request):
    """Keep the inbox's filter under a name, or drop one."""
    if request.POST.get("forget"):
        worklist.forget(request.actor, request.POST["forget"])
    elif request.POST.get("name", "").strip():
        worklist.save(request.actor, request.POST["name"], request.POST.get("query", ""))
    return redirect(f"{reverse('desk')}?{request.POST.get('query', '')}")


def _staff_case(request, case_id) -> Case:
    found = queries.find(request.actor, case_id)
    mine = request.actor.posts.keys() | request.actor.oversees
    if found is None or found.org_id not in mine:
        raise Http404
    return found


@require_GET
def case(request, case_id):
    """A case at the desk: materials beside the decision, history, flow."""
    return _show(request, _staff_case(request, case_id))


def _show(request, found: Case, problem: str = "", typed=None, status: int = 200):
    spec = item(found.release, found.kind, found.ref, found.extra.get("overlay", ""))
    flow = graph(found.flow_id)
    tokens = list(found.tokens.filter(kind="user"))
    steps = [
        {
            "token": t,
            "node": flow.node(t.node),
            "mine": request.actor.has_role(found.org_id, t.role)
            and t.assignee_id in (None, request.actor.person_id),
            "colleagues": _colleagues(request, found, t.role),
            "visitors": _visitors(request, found, flow.node(t.node)),
        }
        for t in tokens
    ]
    colour, left = worklist.tone(found.due_at, found.phase, timezone.now())
    extension = found.extra.get("extension")
    accepting = any(s["mine"] and s["node"].ext.get("form") in ("accept", "handle") for s in steps)
    data, place = _said(found, spec)
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
            "place": place,
            "matter": spec.data if found.kind == MATTER else None,
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
            "manages": request.actor.has_role(found.org_id, MANAGER)
            or found.org_id in request.actor.oversees,
            "handles": found.org_id in request.actor.posts,
            "reviews": reviews.of_case(found),
            "opinion": OPINION,
            "escalations": found.extra.get("escalations", []),
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


def _said(found: Case, spec: Item) -> tuple[list[tuple[str, str]], str]:
    """What a case says, as (label, value), and the first address in it."""
    if found.kind == MATTER:
        labels = spec.data["fields"]
        return [(f["name"], found.data[k]) for k, f in labels.items() if found.data.get(k)], ""
    plan, names = item_plan(found), region_names().get
    data = [
        (f.label, forms.show(plan, f.path, found.data[f.path], names))
        for f in plan.fields
        if found.data.get(f.path) not in (None, "")
    ]
    addresses = [found.data.get(f.path) for f in plan.fields if f.type == "address"]
    return data, next((a for a in addresses if a), "")


def _colleagues(request, found: Case, role: str) -> list[tuple[UUID, str]]:
    """Whom a manager may give a step to."""
    if not request.actor.has_role(found.org_id, MANAGER):
        return []
    with as_system(request.actor):
        return [(p.person_id, p.person.name) for p in colleagues(found.org_id, role)]


def _visitors(request, found: Case, node) -> list[str]:
    """Who may go to see for themselves (``yw:visitors`` names the role); empty for other steps."""
    role = node.ext.get("visitors")
    if not role:
        return []
    with as_system(request.actor):
        return [p.person.name for p in colleagues(found.org_id, role)]


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
            actor, found.id, token, post.get("outcome") or None, reason, command, _details(post)
        ),
        "supplement": lambda: actions.request_supplement(
            actor, found.id, token, post.getlist("keys"), reason, command
        ),
        "suspend": lambda: actions.suspend(actor, found.id, post.get("ground", ""), reason, command),
        "resume": lambda: actions.resume(actor, found.id, reason, command),
        "extend": lambda: actions.request_extension(actor, found.id, reason, command),
        "approve": lambda: actions.approve_extension(actor, found.id, command),
        "claim": lambda: actions.assign(actor, found.id, token, actor.person_id, command),
        "assign": lambda: actions.assign(actor, found.id, token, UUID(post.get("person", "")), command),
        "transfer": lambda: actions.transfer(actor, found.id, post.get("office", ""), reason, command),
        "review": lambda: reviews.ask(
            actor,
            found.id,
            post.get("offices", "").splitlines(),
            reason,
            _number_of(post.get("days")),
            command,
        ),
        "drop-review": lambda: reviews.drop(actor, UUID(post.get("review", "")), reason, command),
        "escalate": lambda: actions.escalate(actor, found.id, reason, command),
    }
    if post.get("verb") not in verbs:
        return _show(request, found, _("没有这种操作，请刷新页面。"), post, 400)
    try:
        verbs[post["verb"]]()
    except Refused as refused:
        found.refresh_from_db()
        return _show(request, found, str(refused), post, 409)
    except ValueError:
        return _show(request, found, _("请从列表中选择一位工作人员。"), post, 422)
    messages.success(request, _("已办理。"))
    if post["verb"] == "transfer":  # it is no longer the office's own
        return redirect("desk")
    return redirect("desk_case", found.id)


def _number_of(text) -> int:
    return int(text) if str(text).isdigit() else 0


def _details(post) -> dict:
    """What the form of a step asks besides an outcome and a reason."""
    return {"at": post.get("at", ""), "place": post.get("place", ""), "who": post.getlist("who")}


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
    record(request.actor, "material.viewed", "file", file_id, found.trace_id, case=found.number)
    with as_system(request.actor):
        return files.shown(file_id)
