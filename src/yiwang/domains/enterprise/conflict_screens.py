"""What departments say differently of one enterprise: listed by kind, decided, undone."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_POST

from yiwang.engines.cases import api as cases
from yiwang.engines.hub import api as hub
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.access.guards import officials

from . import conflicts as verbs
from . import tables
from .models import Conflict, ConflictRun
from .portrait.contracts import KINDS
from .queries import ASKED, CREDIT
from .risk.rules import as_day

KIND_NAMES = {
    "differs": gettext_noop("两边不一样"),
    "newer": gettext_noop("两边不一样，另一来源更新"),
    "empty": gettext_noop("权威来源是空的"),
    "absent": gettext_noop("应有而没有"),
    "unknown": gettext_noop("登记里没有这家企业"),
}
PAGE = 20
credit_staff = officials(CREDIT)


@require_GET
@credit_staff
def conflicts(request):
    """Counts by fact and kind; those of one kind to decide."""
    plan, state = tables.plan(), request.GET.get("state", Conflict.State.OPEN)
    kind, fact = request.GET.get("kind", ""), request.GET.get("fact", "")
    if state not in Conflict.State.values or (kind and kind not in KINDS):
        raise Http404
    counts = {
        (r["fact"], r["kind"]): r["n"]
        for r in Conflict.objects.filter(state=state).values("fact", "kind").annotate(n=Count("id"))
    }
    facts = [(f.id, f.name) for f in plan.facts] if plan else []
    chosen = Conflict.objects.filter(state=state)
    chosen = chosen.filter(kind=kind) if kind else chosen
    chosen = chosen.filter(fact=fact) if fact else chosen
    page = Paginator(chosen.order_by("-found_at", "id").values_list("id", flat=True), PAGE).get_page(
        request.GET.get("page")
    )
    names = dict(facts)
    rows = [_row(r, names) for r in verbs.read(list(page))] if page.object_list else []
    context = {
        "state": state, "states": Conflict.State.choices, "kind": kind, "fact": fact, "page": page, "rows": rows,
        "kinds": [(k, _(KIND_NAMES[k])) for k in KINDS],
        "counts": [
            (id, name, [(k, counts.get((id, k), 0)) for k in KINDS], sum(counts.get((id, k), 0) for k in KINDS))
            for id, name in facts
        ],
        "query": f"state={state}&kind={kind}&fact={fact}", "by": cases.due_day(ASKED, timezone.now()),
        "purpose": verbs.OWN, "run": ConflictRun.objects.exclude(ended=None).order_by("-began").first(),
    }  # fmt: skip
    return render(request, "enterprise/conflicts.html", context)


def _row(r: dict, names: dict[str, str]) -> dict:
    plan, told = tables.plan(), dict(r)
    fact = next((f for f in plan.facts if f.id == r["fact"]), None) if plan else None
    told["fact_name"], told["kind_name"] = names.get(r["fact"], r["fact"]), _(KIND_NAMES[r["kind"]])
    told["sides"] = []
    for dataset, value, since in (
        (r["other_dataset"], r["other_value"], r["other_since"]), (r["dataset"], r["value"], r["since"]),
    ):  # fmt: skip
        found = hub.find(dataset)
        sources = (fact.authority, *fact.others) if fact else ()
        field = next((s.field for s in sources if s.dataset.id == dataset), "")
        text = hub.said(found, field, value) if found and field else value
        told["sides"].append(
            {
                "dataset": found, "id": dataset, "value": text, "since": as_day(since),
                "authority": dataset == r["other_dataset"], "right": dataset == r["verdict"],
            }
        )  # fmt: skip
    source = hub.find(r["dataset"])
    told["title"] = " ".join((told["fact_name"], r["uscc"], source.name if source else r["dataset"]))
    return told


@require_POST
@credit_staff
def decide_conflict(request, conflict_id):
    """One source is right; or the verdict is taken back."""
    back = f"{reverse('conflicts')}?state={request.POST.get('back', 'open')}"
    try:
        if request.POST.get("verdict") == "undo":
            verbs.undo(request.actor, conflict_id)
            messages.success(request, _("已撤回裁决，更正要求一并撤回。"))
        else:
            made = verbs.decide(
                request.actor, conflict_id, request.POST.get("right", "")[:45], request.POST.get("why", "")
            )
            told = {"org": made.org.name if made.org else _("来源部门"), "day": made.due_on}
            messages.success(
                request, _("已裁决。%(org)s应在 %(day)s 前更正；企业档案里显示裁决的结果。") % told
            )
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect(back if request.POST.get("back") in Conflict.State.values else "conflicts")
