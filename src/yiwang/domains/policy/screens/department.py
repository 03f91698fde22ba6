"""A department's policies: the list, the editor as a grid with its effect, publication, lists, objections."""

from django.contrib import messages
from django.db.models import Sum
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.domains.policy import actions, authoring, payments, province, queries
from yiwang.domains.policy.contracts import PUBLISHER, WRITER
from yiwang.domains.policy.models import Grant, Objection, PolicyDraft, Round
from yiwang.engines.judge.library import in_force
from yiwang.kernel.access.contracts import Refused

LISTED = 50  # lines of a list on a page
STATUSES = ("符合", "缺资料", "差一项", "不符合")  # of embedded examples, as the pack's schema has them
BLANK = 2  # empty rows in the grid for new conditions


def _roles(request) -> set[str]:
    held = {role for roles in request.actor.posts.values() for role in roles} & {WRITER, PUBLISHER}
    if not held:
        raise Http404
    return held


@require_GET
def policies(request):
    """The offices' policies, drafts, lists and objections."""
    roles = _roles(request)
    mine = {o.id for o in authoring.offices(request.actor)}
    packs = authoring.own(request.actor)
    today = {p.id for p in in_force(packs, timezone.localdate())}
    return render(
        request,
        "policy/policies.html",
        {
            "packs": [(p, p.id in today) for p in packs],
            "may_write": WRITER in roles,
            "may_publish": PUBLISHER in roles,
            "drafts": PolicyDraft.objects.filter(org_id__in=mine)[:50],
            "rounds": Round.objects.filter(org_id__in=mine)[:50],
            "objections": Objection.objects.filter(org_id__in=mine)[:50],
        },
    )


@require_POST
def begin(request, ref):
    """A draft of a policy."""
    _roles(request)
    try:
        draft = authoring.begin(
            request.actor,
            ref,
            request.POST.get("new-id", "").strip(),
            request.POST.get("new-name", "").strip(),
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("desk_policies")
    return redirect("policy_draft", draft.id)


@require_http_methods(["GET", "POST"])
def draft(request, policy_draft_id):
    """The grid, what is wrong, and what it does to the whole province."""
    _roles(request)
    found = authoring.draft_of(request.actor, policy_draft_id)
    if found is None:
        raise Http404
    if request.method == "POST":
        try:
            authoring.save(request.actor, found, request.POST.dict())
        except Refused as refused:
            messages.error(request, str(refused))
        return redirect("policy_draft", found.id)
    wrong = authoring.problems(found.data)
    reach, trouble = None, ""
    if not wrong:
        try:
            reach = authoring.reach(found.data)
        except (authoring.NotARule, province.NoProvince) as error:
            trouble = str(error)
    declared = queries.frame()
    return render(
        request,
        "policy/draft.html",
        {
            "draft": found,
            "d": found.data,
            "rows": _rows(found.data),
            "fields": [(n, f.label, f.unit) for n, f in declared.fields.by_name.items()],
            "modes": actions.MODES,
            "statuses": STATUSES,
            "rules": [("", _("都要满足")), *((r["id"], r["text"]) for r in found.data.get("rules", ()))],
            "wrong": wrong,
            "trouble": trouble,
            "reach": reach,
            "editable": found.author == request.actor.label
            and found.state in (PolicyDraft.DRAFT, PolicyDraft.REJECTED),
            "may_decide": found.state == PolicyDraft.HANDED_IN
            and found.author != request.actor.label
            and request.actor.has_role(found.org_id, PUBLISHER),
        },
    )


def _rows(data) -> list[dict]:
    """Conditions as rows of the grid, and a few empty ones."""
    found = [{**c, "rule": ""} for c in data["conditions"]]
    for rule in data.get("rules", ()):
        found += [{**c, "rule": rule["id"]} for c in rule["conditions"]]
    return found + [{"field": "", "test": "", "text": "", "clause": "", "rule": ""}] * BLANK


@require_POST
def decide(request, policy_draft_id):
    """Hand in, publish or reject."""
    _roles(request)
    found = authoring.draft_of(request.actor, policy_draft_id)
    if found is None:
        raise Http404
    verb = request.POST.get("verb")
    try:
        if verb == "hand-in":
            authoring.hand_in(request.actor, found)
            messages.success(request, _("已提交，等另一位同事审核发布。"))
        else:
            authoring.decide(request.actor, found, verb == "publish", request.POST.get("note", ""))
            messages.success(request, _("已发布，即刻生效。") if verb == "publish" else _("已退回作者。"))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("policy_draft", found.id)


@require_POST
def make_list(request, ref):
    """Who is entitled now, made public."""
    _roles(request)
    try:
        made = payments.make_list(request.actor, ref)
    except (Refused, province.NoProvince) as refused:
        messages.error(request, str(refused))
        return redirect("desk_policies")
    return redirect("policy_round", made.id)


@require_GET
def round_of(request, round_id):
    """A list with its sums, by state."""
    _roles(request)
    mine = {o.id for o in authoring.offices(request.actor)}
    found = Round.objects.filter(id=round_id, org_id__in=mine).first()
    if found is None:
        raise Http404
    grants = found.grants.select_related("payment")
    q = request.GET.get("q", "").strip()[:60].replace("\0", "")
    start = int(request.GET["from"]) if request.GET.get("from", "").isdigit() else 0
    rows = list((grants.filter(name__contains=q) if q else grants)[start : start + LISTED + 1])
    return render(
        request,
        "policy/round.html",
        {
            "round": found,
            "grants": rows[:LISTED],
            "later": start + LISTED if len(rows) > LISTED else None,
            "q": q,
            "count": grants.count(),
            "total": grants.aggregate(s=Sum("amount"))["s"],
            "paid": grants.filter(state=Grant.PAID).aggregate(s=Sum("amount"))["s"] or 0,
        },
    )


@require_POST
def answer(request, objection_id):
    """The office's answer to an objection."""
    _roles(request)
    mine = {o.id for o in authoring.offices(request.actor)}
    if not Objection.objects.filter(id=objection_id, org_id__in=mine).exists():
        raise Http404
    try:
        actions.answer(request.actor, objection_id, request.POST.get("answer", ""))
        messages.success(request, _("已答复，企业会收到消息。"))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("desk_policies")
