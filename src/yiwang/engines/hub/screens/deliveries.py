"""One delivery: what became of it, what is wrong and how to mend it, the refused rows as a workbook, its raw file."""

from django.http import FileResponse, Http404
from django.shortcuts import render
from django.views.decorators.http import require_GET

from yiwang.engines.hub import datasets, queries
from yiwang.engines.hub.messages import KEPT
from yiwang.engines.hub.models import WAITING, State
from yiwang.kernel.access.guards import staff_only
from yiwang.kernel.audit.api import record
from yiwang.kernel.files import store
from yiwang.kernel.packs.contracts import UnknownPack

from .guard import data_staff


def _own(request, delivery_id):
    """A delivery of the actor's own office: nobody else reads what it sent outside the register's ways."""
    found = queries.delivery(request.actor, delivery_id)
    if found is None or not queries.own(request.actor, found):
        raise Http404
    return found


@require_GET
@staff_only
def delivery(request, delivery_id):
    """The page; it reloads itself while the collector works. Other officials see where data came from, no cell."""
    inside = queries.delivery(request.actor, delivery_id)
    found = inside or queries.provenance(request.actor, delivery_id)
    if found is None:
        raise Http404
    try:
        dataset = datasets.of_release(found.release, found.dataset)
    except UnknownPack as unknown:
        raise Http404 from unknown
    return render(
        request,
        "hub/delivery.html",
        {
            "d": found,
            "dataset": dataset,
            "working": found.state in WAITING,
            "unfinished": found.state == State.RECEIVING,
            "quality": getattr(found, "quality", None),
            "inside": inside is not None,
            "own": queries.own(request.actor, found),
            "told": queries.messages(request.actor, found) if inside else [],
            "most": len(found.messages) >= KEPT,
        },
    )


@require_GET
@data_staff
def bad_rows(request, delivery_id):
    """The workbook of the refused rows, with a column that says how to mend each."""
    found = _own(request, delivery_id)
    if not found.workbook:
        raise Http404
    record(request.actor, "hub.workbook", "delivery", found.uid, dataset=found.dataset)
    name = f"{found.dataset}-{found.seq}-要改的行.xlsx"
    return FileResponse(store.path_of(found.workbook).open("rb"), as_attachment=True, filename=name)


@require_GET
@data_staff
def raw(request, delivery_id):
    """The file as it came, byte for byte."""
    found = _own(request, delivery_id)
    if not found.sha256:
        raise Http404
    record(request.actor, "hub.raw", "delivery", found.uid, dataset=found.dataset)
    return FileResponse(store.path_of(found.sha256).open("rb"), as_attachment=True, filename=found.name)
