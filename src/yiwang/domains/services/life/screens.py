"""The map of life events, and one stage of it."""

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_GET

from yiwang.domains.services.search.queries import find
from yiwang.kernel.packs import api as packs

from .queries import stages

HITS = 3  # per everyday wording of a stage,
NEAR = 0.75  # and only those about as good as the first


@require_GET
def life_map(request):
    """All stages, people and enterprises."""
    return render(request, "services/life.html", {"stages": stages(packs.current())})


@require_GET
def stage(request, stage_id):
    """One stage: its bundles, and what else is usually done then."""
    every = stages(packs.current())
    found = next((s for s in every if s.data["id"] == stage_id), None)
    if found is None:
        raise Http404
    mine = {b.id for b in found.bundles}
    hits = {}
    for words in found.data["find"]:
        answers = find(words, HITS).hits
        for hit in answers:
            good = hit.score >= NEAR * answers[0].score
            if good and hit.entry.ref not in mine and not hit.is_bundle:
                hits.setdefault(hit.entry.ref, hit)
    return render(
        request,
        "services/life_stage.html",
        {
            "stage": found,
            "hits": list(hits.values()),
            "others": [s for s in every if s.subject == found.subject],
        },
    )
