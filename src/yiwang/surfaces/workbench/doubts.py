"""Doubts of people about uses of their data, for the office that used it."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.access.guards import staff_only
from yiwang.kernel.ledger import actions, queries
from yiwang.kernel.ledger.purposes import source_names


@require_GET
@staff_only
def doubts(request):
    """What the official's offices have to answer, and what they have answered."""
    names = source_names()
    found = queries.doubts_to_answer(request.actor)
    rows = [{"doubt": d, "source": names.get(d.use.source, d.use.source)} for d in found]
    return render(request, "workbench/doubts.html", {"rows": rows})


@require_POST
@staff_only
def answer_doubt(request, doubt_id):
    """Say why the data was used, or that it should not have been."""
    if doubt_id not in {d.id for d in queries.doubts_to_answer(request.actor)}:
        raise Http404
    try:
        justified = request.POST.get("justified") == "true"
        actions.answer(request.actor, doubt_id, justified, request.POST.get("answer", ""))
        messages.success(request, _("已答复。"))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("doubts")
