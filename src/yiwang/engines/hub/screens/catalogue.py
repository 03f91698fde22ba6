"""The catalogue for every official: what there is, how good it is, where it comes from, who builds on it."""

from django.http import Http404, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET

from yiwang.engines.hub import datasets
from yiwang.engines.hub.contracts import Dataset
from yiwang.engines.hub.queries import lines_of
from yiwang.engines.hub.sharing import lineage, queries
from yiwang.engines.hub.sharing.actions import rules
from yiwang.engines.hub.sharing.contracts import Class
from yiwang.kernel.access.guards import staff_only
from yiwang.kernel.packs import api as packs

from .words import limits_in_words

KINDS = {
    "risk_points": gettext_noop("信用风险分类的指标"),
    "judge_fields": gettext_noop("政策匹配的字段"),
    "register": gettext_noop("登记库"),
    "enterprise_file": gettext_noop("一企一档的表"),
    "publicity": gettext_noop("公示规则"),
    "matter": gettext_noop("内部事项"),
    "name_parts": gettext_noop("关联的依据"),
}
"""What a pack of a kind is to a reader of lineage; other kinds by their own name."""


@require_GET
@staff_only
def catalogue(request):
    """Search by words, department and sharing class; interfaces beside datasets."""
    told = {k: request.GET.get(k, "").strip()[:80].replace("\0", "") for k in ("q", "department", "sharing")}
    return render(
        request,
        "hub/catalogue.html",
        {
            "asked": told,
            "entries": queries.entries(told["q"], told["department"], told["sharing"]),
            "interfaces": queries.interfaces(told["q"])
            if not (told["department"] or told["sharing"])
            else [],
            "departments": sorted({d.department for d in datasets.every()}),
            "classes": [c.value for c in Class],
            "to_answer": queries.requests_to_answer(request.actor).count(),
        },
    )


def found(id: str) -> Dataset:
    """A dataset of the catalogue. Raises Http404."""
    dataset = datasets.find(id)
    if dataset is None:
        raise Http404
    return dataset


@require_GET
@staff_only
def entry(request, dataset):
    """One dataset: fields, figures, lineage; its first records, masked, when asked for (that leaves a trace)."""
    one = found(dataset)
    asked = "preview" in request.GET
    return render(
        request,
        "hub/entry.html",
        {
            "dataset": one,
            "pack": packs.current().get("dataset", one.id),
            "line": lines_of([one])[0],
            "history": queries.history(one),
            "rows": queries.preview(request.actor, one) if asked else [],
            "asked": asked,
            "limits": limits_in_words(one),
            "closed": one.sharing == Class.CLOSED,
            "purpose": rules().purpose,
        },
    )


@require_GET
@staff_only
def origin(request, dataset):
    """Lineage: files → checks → dataset → indicators → what comes of them, each step with its quality."""
    one = found(dataset)
    uses = lineage.uses(one.id, packs.current())
    return render(
        request,
        "hub/lineage.html",
        {
            "dataset": one,
            "line": lines_of([one])[0],
            "sources": queries.sources(request.actor, one),
            "uses": [(use, _kind(use.pack.kind)) for use in uses],
            "grants": queries.in_force_of(one),
        },
    )


def _kind(kind: str) -> str:
    return _(KINDS.get(kind, kind))


@require_GET
@staff_only
def indicator(request, kind, pack, id):
    """The lineage of one indicator: which datasets it reads, how good each is, and where each came from."""
    told = lineage.indicator(packs.current(), kind, pack, id)
    if told is None:
        raise Http404
    use, ids = told
    lines = lines_of([d for d in map(datasets.find, ids) if d is not None])
    scores = [one.quality.score for one in lines if one.quality]
    return render(
        request,
        "hub/indicator.html",
        {
            "use": use,
            "kind": _kind(kind),
            "steps": [(one, queries.sources(request.actor, one.dataset, 3)) for one in lines],
            # A figure is as good as the weakest of what it is made from.
            "score": min(scores) if len(scores) == len(lines) and lines else None,
        },
    )


@require_GET
@staff_only
def jsonld(request):
    """The catalogue as DCAT-AP."""
    root = request.build_absolute_uri(f"{reverse('data_catalogue')}/")
    return JsonResponse(
        queries.exported(root, request.build_absolute_uri("/api/v1/")),
        content_type="application/ld+json",
        json_dumps_params={"ensure_ascii": False},
    )
