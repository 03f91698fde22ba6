"""Sampling plans on screen: the list, a new one, one with its arithmetic and its lot, exports."""

import csv
from datetime import date

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.domains.enterprise.models import SamplingPlan
from yiwang.domains.enterprise.queries import CREDIT
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.access.guards import officials
from yiwang.kernel.audit.api import record
from yiwang.kernel.orgs.models import Organisation, Region

from . import actions, queries, rules

credit_staff = officials(CREDIT)
PAGE = 100


@require_GET
@credit_staff
def sampling(request):
    """All plans."""
    plans = [
        (p, sum(s.subjects for s in p.strata.all()), sum(s.wanted for s in p.strata.all()))
        for p in queries.plans()
    ]
    return render(request, "enterprise/sampling.html", {"plans": plans})


@require_http_methods(["GET", "POST"])
@credit_staff
def new_sampling(request):
    """Make a plan."""
    offices = list(
        Organisation.objects.select_related("region").filter(
            id__in=[org for org, roles in request.actor.posts.items() if CREDIT in roles]
        )
    )
    year = timezone.localdate().year + 1
    told = request.POST or {
        "first": f"{year}-01-01", "last": f"{year}-12-31", "org": str(offices[0].id), "name": "",
    }  # fmt: skip
    errors, office = [], next((o for o in offices if str(o.id) == told.get("org")), offices[0])
    if request.method == "POST":
        wish = _wish(request, office)
        errors = [{"message": what, "anchor": field} for field, what in actions.faults(wish)]
        try:
            if not errors:
                return redirect("sampling_plan", actions.plan(request.actor, wish).id)
        except Refused as refused:
            errors = [{"message": str(refused)}]
    chosen = request.POST.getlist("industry") if request.method == "POST" else []
    context = {
        "told": told, "offices": offices, "office": office, "errors": errors, "industries": queries.industries(),
        "chosen": chosen, "regions": queries.regions_of(office) if len(offices) == 1 else _all(offices),
        "chosen_regions": request.POST.getlist("region") if request.method == "POST" else [],
        "purposes": actions.purposes_offered(), "opened": {i[:1] for i in chosen},
    }  # fmt: skip
    return render(request, "enterprise/sampling_new.html", context, status=422 if errors else 200)


def _all(offices) -> dict[str, str]:
    return {code: name for o in offices for code, name in queries.regions_of(o).items()}


def _wish(request, office: Organisation) -> actions.Wish:
    data = request.POST
    return actions.Wish(
        name=data.get("name", ""),
        purpose=data.get("purpose", "")[:60],
        org=office.id,
        first=_day(data.get("first", "")),
        last=_day(data.get("last", "")),
        regions=tuple(r[:9] for r in data.getlist("region")),
        industries=tuple(i[:3] for i in data.getlist("industry")),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@require_GET
@credit_staff
def sampling_plan(request, sampling_id):
    """One plan: who is in scope, how many of each class and why, the lot."""
    one = _plan(sampling_id)
    strata = list(one.strata.order_by("place"))
    wanted = sum(s.wanted for s in strata)
    page = Paginator(range(wanted), PAGE).get_page(request.GET.get("page"))
    reads = queries.may_read(one)
    shown = reads and one.state == SamplingPlan.State.DRAWN
    lot = queries.drawn(one, (page.number - 1) * PAGE, PAGE) if shown else []
    regions = dict(
        Region.objects.filter(code__in=[*one.regions, *{d.region for d in lot}]).values_list("code", "name")
    )
    industries = {
        code: name for top, label, below in queries.industries() for code, name in [(top, label), *below]
    }
    context = {
        "plan": one, "page": page, "lot": lot, "reads": reads, "regions": [regions.get(r, r) for r in one.regions],
        "industries": [industries.get(i, i) for i in one.industries], "names": regions,
        "strata": [(s, rules.short(s.percent), rules.short(rules.exact(s.subjects, s.percent))) for s in strata],
        "subjects": sum(s.subjects for s in strata), "wanted": wanted,
        "visits": sum(s.wanted * s.visits for s in strata), "length": (one.last - one.first).days + 1,
        "mine": CREDIT in request.actor.posts.get(one.org_id, ()),
        "example": lot[0].uscc if lot else "",
    }  # fmt: skip
    return render(request, "enterprise/sampling_plan.html", context)


@require_POST
@credit_staff
def decide_sampling(request, sampling_id):
    """Draw, or drop."""
    _plan(sampling_id)
    try:
        if request.POST.get("verdict") == "draw":
            count = actions.draw(request.actor, sampling_id)
            messages.success(
                request, _("已抽取 %(n)s 家。名单不能再改，可以导出，也可以照办法重算核对。") % {"n": count}
            )
        else:
            actions.drop(request.actor, sampling_id, request.POST.get("why", ""))
            messages.success(request, _("已作废，计划和理由留在列表里。"))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("sampling_plan", sampling_id)


@require_GET
@credit_staff
def sampling_list(request, sampling_id):
    """The lot as CSV, a visit a row."""
    one = _plan(sampling_id)
    if one.state != SamplingPlan.State.DRAWN or not queries.may_read(one):
        raise Http404
    answer = _file(f"sampling-{one.number}.csv")
    writer = csv.writer(answer)
    heads = (
        _("类别"),
        _("名次"),
        _("统一社会信用代码"),
        _("企业名称"),
        _("区划"),
        _("第几次"),
        _("检查日期"),
    )
    writer.writerow(heads)
    regions = dict(Region.objects.values_list("code", "name"))
    lot = queries.drawn(one)
    for d in lot:
        for n, day in enumerate(d.days, 1):
            writer.writerow([d.grade, d.place, d.uscc, d.name, regions.get(d.region, d.region), n, day])
    record(
        request.actor, "enterprise.sampling-exported", "sampling", one.id, number=one.number, drawn=len(lot)
    )
    return answer


@require_GET
@credit_staff
def sampling_frame(request, sampling_id):
    """The codes in scope of one class, a code a line, as they were frozen: what a recount begins with."""
    one = _plan(sampling_id)
    grade = request.GET.get("grade", "")[:1]
    answer = _file(f"sampling-{one.number}-{grade or 'unrated'}.txt", "text/plain")
    answer.write("\n".join(actions.frame(request.actor, one.id, grade)))
    return answer


def _file(name: str, kind: str = "text/csv") -> HttpResponse:
    answer = HttpResponse("\ufeff" if kind == "text/csv" else "", content_type=f"{kind}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _plan(sampling_id) -> SamplingPlan:
    one = queries.plan_of(sampling_id)
    if one is None:
        raise Http404
    return one
