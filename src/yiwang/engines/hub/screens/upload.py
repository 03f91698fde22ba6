"""Uploading: a plain form for any browser; with JavaScript the same form in pieces that survive a broken line."""

from datetime import date, datetime, time

from django.http import Http404, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from yiwang.engines.hub import actions, describing, queries, territory
from yiwang.engines.hub.contracts import Mode
from yiwang.engines.hub.models import State
from yiwang.kernel.access.contracts import Refused

from .guard import data_staff, seen

PIECE = 8 << 20  # bytes of one piece


@require_http_methods(["GET", "POST"])
@data_staff
def upload(request, dataset):
    """The form, and the file that comes with it."""
    found = seen(request, dataset)
    error = ""
    if request.method == "POST":
        try:
            if "nothing" in request.POST:
                as_of = _told(request.POST)[0]
                made = actions.nothing_new(request.actor, found, as_of, _office(request, found))
                return redirect("hub_delivery", delivery_id=made.uid)
            file = request.FILES.get("file")
            if file is None:
                raise Refused(_("没有选择文件。"))
            as_of, mode = _told(request.POST)
            made = actions.receive(
                request.actor, found, file.name, file, file.size, as_of, mode, office=_office(request, found)
            )
            return redirect("hub_delivery", delivery_id=made.uid)
        except Refused as refused:
            error = str(refused)
    return render(
        request,
        "hub/upload.html",
        {
            "dataset": found,
            "offices": [
                (one, describing.whose(territory.bound(found, one)))
                for one in actions.own_offices(request.actor, found)
            ],
            "chosen": request.POST.get("office", ""),
            "error": error,
            "today": timezone.localdate().isoformat(),
            "most": actions.MOST_BYTES >> 20,
            "piece": PIECE,
            "columns": [(f, _hint(f)) for f in found.fields],
        },
        status=422 if error else 200,
    )


def _office(request, dataset):
    """The office that the form names; the only one where none is asked for."""
    return actions.office_of(request.actor, dataset, request.POST.get("office", ""))


def _hint(f) -> str:
    """What a column must hold, in a few words."""
    told = [_("必填")] if f.required else []
    told += [_("代码表 %(id)s") % {"id": f.codelist}] if f.codelist else []
    told += [_("例如 %(x)s") % {"x": f.example}] if f.example else []
    return "，".join(told)


def _told(data) -> tuple[datetime, Mode | None]:
    """The moment and mode of the form: a past day counts to its end, today to now."""
    text = data.get("as_of", "")
    try:
        day = date.fromisoformat(text) if text else timezone.localdate()
    except ValueError:
        raise Refused(_("数据截止日“%(x)s”不对，写成 2026-12-01 的样子。") % {"x": text[:20]}) from None
    if day > timezone.localdate():
        raise Refused(_("数据截止日 %(x)s 在将来，请核对后重填。") % {"x": day})
    now = timezone.now()
    as_of = (
        now if day == timezone.localdate() else timezone.make_aware(datetime.combine(day, time(23, 59, 59)))
    )
    mode = data.get("mode", "")
    return as_of, Mode(mode) if mode in ("change", "full") else None


@require_POST
@data_staff
def begin(request, dataset):
    """Open an upload in pieces: where to send them, and how large they may be."""
    found = seen(request, dataset)
    try:
        as_of, mode = _told(request.POST)
        size = request.POST.get("size", "")
        size = int(size) if size.isascii() and size.isdigit() else 0
        name, office = request.POST.get("name", "")[:200], _office(request, found)
        made = actions.begin(request.actor, found, name, size, as_of, mode, office=office)
    except Refused as refused:
        return JsonResponse({"error": str(refused)}, status=422)
    return JsonResponse(
        {"address": reverse("hub_piece", args=[made.uid]), "offset": 0, "piece": PIECE}, status=201
    )


@require_http_methods(["GET", "POST"])
@data_staff
def piece(request, delivery_id):
    """GET: how far the upload is. POST ?offset=N with raw bytes: the next piece."""
    found = queries.delivery(request.actor, delivery_id)
    if found is None:
        raise Http404
    page = reverse("hub_delivery", args=[found.uid])
    if found.state != State.RECEIVING:
        return JsonResponse({"offset": found.size, "size": found.size, "done": page})
    if request.method == "GET":
        path = actions.inbox(found.uid)
        return JsonResponse({"offset": path.stat().st_size if path.exists() else 0, "size": found.size})
    if found.actor != request.actor.label:
        raise Http404
    offset = request.GET.get("offset", "")
    try:
        length = int(request.headers.get("Content-Length") or 0)
        if length > PIECE:
            raise Refused(_("一段最多 %(n)s 字节。") % {"n": PIECE})
        at = actions.append(
            request.actor, found, int(offset) if offset.isascii() and offset.isdigit() else -1, request
        )
    except actions.OutOfStep as step:
        return JsonResponse({"error": str(step), "offset": step.offset}, status=409)
    except actions.DiskFull as full:
        return JsonResponse({"error": str(full)}, status=507)
    except Refused as refused:
        return JsonResponse({"error": str(refused)}, status=422)
    told = {"offset": at, "size": found.size}
    return JsonResponse(told | ({"done": page} if at == found.size else {}))
