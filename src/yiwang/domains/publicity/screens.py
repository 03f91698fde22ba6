"""公示 for everyone and for systems; for offices, whether it was on time."""

from uuid import UUID

from django.db.models import Count, Q
from django.http import HttpResponseBadRequest, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from yiwang.kernel.access.guards import staff_only
from yiwang.kernel.access.session import as_system
from yiwang.kernel.packs import api as packs

from .models import Notice, late, public
from .pushing import as_told, feed

PAGE = 20


def _names() -> dict[str, str]:
    return {p.id: p.name for p in packs.current().all("publicity")}


@require_GET
def notices(request):
    """What is public now, the latest first, by name, code or number."""
    text = request.GET.get("q", "").strip()[:100].replace("\0", "")
    start = int(request.GET["from"]) if request.GET.get("from", "").isdigit() else 0
    found = Notice.objects.filter(public()).order_by("-published_at", "id")
    if text:
        found = found.filter(Q(uscc=text.upper()) | Q(name__contains=text) | Q(number=text))
    rows = list(found[start : start + PAGE + 1])
    names = _names()
    marks = {p.id: p.data["dispute"]["mark"] for p in packs.current().all("publicity")}
    return render(
        request,
        "publicity/notices.html",
        {
            "q": text,
            "shown": [(n, names.get(n.pack, n.pack), marks.get(n.pack, "")) for n in rows[:PAGE]],
            "later": start + PAGE if len(rows) > PAGE else None,
            "packs": packs.current().all("publicity"),
        },
    )


@require_GET
def notice_feed(request):
    """The same as JSON, 200 at a time: ``?after=`` the last id."""
    after = request.GET.get("after", "")
    try:
        rows = feed(str(UUID(after)) if after else "")
    except ValueError:
        return HttpResponseBadRequest(
            _("after 不是编号：写上一次最后一条的 id。"), content_type="text/plain; charset=utf-8"
        )
    return JsonResponse({"notices": [as_told(n) for n in rows]}, json_dumps_params={"ensure_ascii": False})


@require_GET
@staff_only
def desk(request):
    """How many were published, on time or late, taken down, not told to other platforms yet."""
    with as_system(request.actor):
        rows = list(
            Notice.objects.values("pack")
            .annotate(
                n=Count("id"),
                late=Count("id", filter=late()),
                backlog=Count("id", filter=Q(backlog=True)),
                down=Count("id", filter=Q(down_at__isnull=False)),
                waiting=Count("id", filter=Q(pushed_at=None)),
            )
            .order_by("pack")
        )
        behind = list(Notice.objects.filter(late()).order_by("-published_at")[:20])
        down = list(Notice.objects.exclude(down_at=None).order_by("-down_at")[:20])
    names = _names()
    shown = [(names.get(r["pack"], r["pack"]), r) for r in rows]
    return render(request, "publicity/desk.html", {"rows": shown, "late": behind, "down": down})
