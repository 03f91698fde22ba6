"""Doubts of people about uses of their data, for the office that used it, and for the data authority."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from yiwang.engines.cases import api as cases
from yiwang.engines.hub import api as hub
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.access.guards import staff_only
from yiwang.kernel.ledger import actions, queries
from yiwang.kernel.ledger.models import Doubt
from yiwang.kernel.ledger.purposes import field_names, source_names


@require_GET
@staff_only
def doubts(request):
    """What the official's offices have to answer, and what they have answered."""
    return _page(request)


def _page(request, refused: str = "", at=None, typed: str = ""):
    """The list; after a refusal, with the reason at the doubt and what was typed."""
    mine, elsewhere = queries.doubts_to_answer(request.actor), queries.doubts_elsewhere(request.actor)
    rows = _rows(request.actor, [*mine, *elsewhere])
    for row in rows:
        if row["doubt"].id == at:
            row |= {"refused": refused, "typed": typed}
    return render(
        request,
        "workbench/doubts.html",
        {
            "parts": [("", rows[: len(mine)]), (_("其他单位还没有答复的"), rows[len(mine) :])],
            "empty": not rows,
            "now": timezone.now(),
        },
        status=422 if refused else 200,
    )


def _rows(actor, found: list[Doubt]) -> list[dict]:
    sources = source_names()
    people, readers, offices = queries.names_behind(actor, found)
    numbers = cases.numbers_of(actor, {d.use.case_id for d in found if d.use.case_id})
    before = queries.answered_before(found)
    grants = hub.grants_behind({d.use_id for d in found})
    return [
        {
            "doubt": d,
            "source": sources.get(d.use.source, d.use.source),
            "fields": field_names(d.use.source, d.use.fields),
            "who": people.get(d.subject_id, ""),
            "reader": readers.get(d.use.actor) or _("系统自动"),
            "office": offices.get(d.org_id, ""),
            "case": numbers.get(d.use.case_id),
            "before": before.get((d.use_id, d.subject_id)) if d.round > 1 else None,
            "grant": grants.get(d.use_id),
        }
        for d in found
    ]


@require_POST
@staff_only
def answer_doubt(request, doubt_id):
    """Say why the data was used, or that it should not have been."""
    seen = [*queries.doubts_to_answer(request.actor), *queries.doubts_elsewhere(request.actor)]
    if doubt_id not in {d.id for d in seen}:
        raise Http404
    typed = request.POST.get("answer", "").replace("\0", "")
    try:
        actions.answer(request.actor, doubt_id, request.POST.get("justified") == "true", typed)
    except Refused as refused:
        return _page(request, str(refused), doubt_id, typed)
    messages.success(request, _("已答复。"))
    return redirect("doubts")
