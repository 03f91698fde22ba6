"""A drawn plan for everybody: what binds the office at once, what it was bound to when the visits are over.

Seed and lot would tell an enterprise beforehand that and when it is visited: with the seed it could work out its own
place and days. So their digests are public from the draw, they themselves after the last day; nobody can exchange
them in between. The codes in scope go by class, and an enterprise's class is no public judgement of it: they stay
with the officials who may see classes, bound by the digests that everybody saw.
"""

from __future__ import annotations

from hashlib import sha256

from django.core.cache import cache
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from yiwang.domains.enterprise.models import SamplingPlan
from yiwang.kernel.access.session import as_system
from yiwang.kernel.orgs.models import Region

from . import queries, rules

MOST = 200  # plans on the list


@require_GET
def public_plans(request):
    """Plans that were drawn, the latest first."""
    with as_system(request.actor):
        drawn = SamplingPlan.objects.select_related("org").filter(state=SamplingPlan.State.DRAWN)
        plans = [
            (p, sum(s.subjects for s in p.strata.all()), sum(s.wanted for s in p.strata.all()))
            for p in drawn.prefetch_related("strata").order_by("-number")[:MOST]
        ]
    return render(request, "enterprise/public_samplings.html", {"plans": plans})


@require_GET
def public_plan(request, sampling_id):
    """One plan: scope, shares, digests; after the period what they are digests of."""
    with as_system(request.actor):
        plan = _drawn(sampling_id)
        strata = list(plan.strata.order_by("place"))
        lot = cache.get_or_set(f"sampling-lot:{plan.id}", lambda: queries.public_lot(plan)[0], None)
    known = {c: n for top, label, below in queries.industries() for c, n in [(top, label), *below]}
    regions = dict(Region.objects.filter(code__in=plan.regions).values_list("code", "name"))
    context = {
        "plan": plan, "over": _over(plan), "seed_digest": sha256(plan.seed.encode()).hexdigest(),
        "lot_digest": lot,  # a drawn lot never changes, and may have a hundred thousand lines
        "regions": [regions.get(r, r) for r in plan.regions],
        "industries": [known.get(i, i) for i in plan.industries],
        "strata": [(s, rules.short(s.percent), rules.sealed(plan.seed, s.digest) if s.digest else "") for s in strata],
        "subjects": sum(s.subjects for s in strata), "wanted": sum(s.wanted for s in strata),
    }  # fmt: skip
    return render(request, "enterprise/public_sampling.html", context)


@require_GET
def public_lot(request, sampling_id):
    """The lot; 404 until the period is over."""
    with as_system(request.actor):
        plan = _drawn(sampling_id)
        _digest, text = queries.public_lot(plan)
    if text is None:
        raise Http404
    return _file(f"sampling-{plan.number}-lot.txt", text)


def _drawn(sampling_id) -> SamplingPlan:
    plan = queries.plan_of(sampling_id)
    if plan is None or plan.state != SamplingPlan.State.DRAWN:
        raise Http404
    return plan


def _over(plan: SamplingPlan) -> bool:
    return timezone.localdate() > plan.last


def _file(name: str, text: str) -> HttpResponse:
    answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
