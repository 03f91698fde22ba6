"""The library for everyone, and an enterprise's own page: 你能享受什么."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.domains.policy import actions, find, payments, queries, rejudging
from yiwang.domains.policy.models import Grant, Objection, Round, Standing, Statement, Subscription
from yiwang.engines.judge.api import Status
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.access.session import as_system

LISTED = 50  # lines of a list on a page


@require_GET
def library(request):
    """Every policy in force, searched with the words that people use."""
    filters = queries.rules_of()["filters"]
    query = request.GET.get("q", "")[:60]
    chosen = [f["id"] for f in filters if f["id"] in request.GET.getlist("f")]
    packs = queries.listed()
    by_id = {p.id: p for p in packs}
    found = [by_id[d["id"]] for d in find.search((p.data for p in packs), query, chosen, filters)]
    return render(
        request,
        "policy/library.html",
        {
            "found": found,
            "query": query,
            "filters": [(f, f["id"] in chosen) for f in filters],
            "meant": [f["name"] for f in filters if f["id"] in find.understood(query, filters)],
        },
    )


def _pack(ref: str):
    found = next((p for p in queries.listed() if p.id == ref), None)
    if found is None:
        raise Http404
    return found


@require_GET
def guide(request, ref):
    """One policy: what it gives, whom, by which clause; for an enterprise, how it stands."""
    pack = _pack(ref)
    enterprise = queries.enterprise_of(request.actor)
    mine = None
    if enterprise:
        mine = next(c for c in queries.space(enterprise).cases if c.pack.id == ref)
    prepared = queries.prepared()
    excluded = [(prepared.packs[k], why) for k, why in prepared.excluded.get(ref, {}).items()]
    return render(
        request,
        "policy/guide.html",
        {
            "pack": pack,
            "d": pack.data,
            "mine": mine,
            "enterprise": enterprise,
            "excluded": excluded,
            "office": actions.office(pack),
            "may_apply": pack.data["benefit"]["paid"] and pack.data["mode"] in actions.ITEMS,
            "objections": Objection.objects.filter(policy=ref, subject_id=enterprise.id)
            if enterprise
            else [],
        },
    )


@require_GET
def mine(request):
    """你能享受什么: entitled, one short, data missing, not entitled; the best combination."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next={reverse('policies_mine')}")
    enterprise = queries.enterprise_of(request.actor)
    if enterprise is None:
        return render(request, "policy/no_enterprise.html")
    space = queries.space(enterprise)
    if not Standing.objects.filter(subject_id=enterprise.id).exists():
        with as_system(request.actor):
            rejudging.again(enterprise)
    near = [c for c in space.of(Status.NEAR) if c.short == 1]
    names = {c.pack.id: c.pack for c in space.cases}
    return render(
        request,
        "policy/mine.html",
        {
            "enterprise": enterprise,
            "entitled": space.of(Status.ENTITLED),
            "near": near,
            "missing": space.of(Status.MISSING),
            "others": [c for c in space.of(Status.NEAR) if c.short > 1] + space.of(Status.NOT),
            "best": space.best,
            "chosen": [c for c in space.of(Status.ENTITLED) if c.pack.id in space.best.chosen],
            "left": [
                (names[k], names.get(by), queries.prepared().excluded.get(k, {}).get(by, ""))
                for k, by in space.best.left.items()
            ],
            "subscribed": Subscription.objects.filter(subject_id=enterprise.id).exists(),
            "grants": Grant.objects.filter(subject_id=enterprise.id).select_related("round", "payment"),
        },
    )


@require_GET
def publicity(request):
    """公示: the lists that are open now, for everyone; names, codes half hidden, amounts; page by page, or by name."""
    q = request.GET.get("q", "").strip()[:60].replace("\0", "")
    wanted, start = request.GET.get("round", ""), request.GET.get("from", "")
    with as_system(request.actor):
        rounds = Round.objects.filter(closed_at=None, public_until__gte=timezone.localdate())[:20]
        lists = []
        for r in rounds:
            at = int(start) if str(r.id) == wanted and start.isdigit() else 0
            found = r.grants.filter(name__contains=q) if q else r.grants.all()
            rows = [
                (g.name, f"{g.uscc[:2]}{'*' * 12}{g.uscc[-4:]}", g.amount)
                for g in found[at : at + LISTED + 1]
            ]
            later = at + LISTED if len(rows) > LISTED else None
            lists.append((r, rows[:LISTED], r.grants.count(), later))
    return render(request, "policy/publicity.html", {"shown": lists, "q": q})


@require_http_methods(["GET", "POST"])
def data(request, ref):
    """Ask for just what this policy lacks; the answer is the enterprise's own statement."""
    pack = _pack(ref)
    enterprise = queries.enterprise_of(request.actor)
    if enterprise is None:
        raise Http404
    space = queries.space(enterprise)
    case = next(c for c in space.cases if c.pack.id == ref)
    said = {s.field: s.value for s in Statement.objects.filter(subject_id=enterprise.id)}
    below = {n for line in case.pack.data["conditions"] for n in queries.stored(line["field"])}
    below |= {
        n
        for r in case.pack.data.get("rules", ())
        for c in r["conditions"]
        for n in queries.stored(c["field"])
    }
    names = [*case.missing, *sorted((below & space.stated) - set(case.missing))]
    wrong = {}
    if request.method == "POST":
        given = {n: request.POST.get(n, "") for n in names if request.POST.get(n, "").strip()}
        wrong = actions.state(request.actor, given)
        said |= given
        if not wrong:
            messages.success(request, _("已保存，下面是重新判断的结果。"))
            return redirect("policy", ref)
    declared = queries.frame().fields
    fields = [
        {
            "id": f"f-{n}",
            "name": name,
            "kind": "choice" if declared[name].type == "boolean" else "text",
            "label": declared[name].label + (f"（{declared[name].unit}）" if declared[name].unit else ""),
            "options": [("true", _("是")), ("false", _("否"))],
            "value": said.get(name, ""),
            "required": True,
            "error": wrong.get(name, ""),
            "hint": _("登记库里没有这一项，按实际情况填，来源记为“企业填报”。"),
        }
        for n, name in enumerate(names)
    ]
    errors = [{"anchor": f["id"], "message": f["error"]} for f in fields if f["error"]]
    context = {"pack": pack, "fields": fields, "errors": errors, "enterprise": enterprise}
    return render(request, "policy/data.html", context, status=422 if errors else 200)


@require_POST
def subscribe(request):
    """Changes by text message and e-mail: yes or no."""
    actions.subscribe(request.actor, request.POST.get("yes") == "1")
    messages.success(request, _("已保存。"))
    return redirect("policies_mine")


@require_POST
def apply(request, ref):
    """To the form, filled in as far as is known."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next={reverse('policy', args=[ref])}")
    try:
        draft = actions.apply(request.actor, ref)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("policy", ref)
    return redirect("apply", draft, "check")


@require_POST
def object_to(request, ref):
    """An objection to the issuing office."""
    _pack(ref)
    try:
        actions.object_to(request.actor, ref, request.POST.get("words", ""))
        messages.success(request, _("已送到主管部门，答复会发到消息里。"))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("policy", ref)


@require_POST
def answer_wish(request, grant_id):
    """Whether the enterprise wants the money, and where to."""
    enterprise = queries.enterprise_of(request.actor)
    if enterprise is None or not Grant.objects.filter(id=grant_id, subject_id=enterprise.id).exists():
        raise Http404
    try:
        yes = request.POST.get("wish") == "yes"
        payments.answer(request.actor, grant_id, yes, request.POST.get("account", ""))
        messages.success(request, _("已收到，款项拨付后会有回执。") if yes else _("已记录您放弃这一笔。"))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("policies_mine")
