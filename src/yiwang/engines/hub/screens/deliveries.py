"""One delivery: what became of it, what is wrong and how to mend it, the refused rows as a workbook, its raw file."""

from django.http import FileResponse, Http404
from django.shortcuts import render
from django.views.decorators.http import require_GET

from yiwang.engines.hub import datasets, queries
from yiwang.engines.hub.models import WAITING, State
from yiwang.kernel.audit.api import record
from yiwang.kernel.files import store
from yiwang.kernel.packs.contracts import UnknownPack

from .guard import data_staff


def _found(request, delivery_id):
    found = queries.delivery(request.actor, delivery_id)
    if found is None:
        raise Http404
    return found


@require_GET
@data_staff
def delivery(request, delivery_id):
    """The page; it reloads itself while the collector works."""
    found = _found(request, delivery_id)
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
            "more": max(0, found.counts.get("bad", 0) - len(found.messages)),
        },
    )


@require_GET
@data_staff
def bad_rows(request, delivery_id):
    """The workbook of the refused rows, with a column that says how to mend each."""
    found = _found(request, delivery_id)
    if not found.workbook:
        raise Http404
    record(request.actor, "hub.workbook", "delivery", found.uid, dataset=found.dataset)
    name = f"{found.dataset}-{found.seq}-要改的行.xlsx"
    return FileResponse(store.path_of(found.workbook).open("rb"), as_attachment=True, filename=name)


@require_GET
@data_staff
def raw(request, delivery_id):
    """The file as it came, byte for byte."""
    found = _found(request, delivery_id)
    if not found.sha256:
        raise Http404
    record(request.actor, "hub.raw", "delivery", found.uid, dataset=found.dataset)
    return FileResponse(store.path_of(found.sha256).open("rb"), as_attachment=True, filename=found.name)
