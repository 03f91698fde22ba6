"""The rating desk: bad ratings to look into, mend and call back about."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from yiwang.engines.cases import ratings as rules
from yiwang.engines.cases.words import RATING
from yiwang.engines.cases.worklist import tone
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.access.guards import staff_only
from yiwang.kernel.orgs.queries import MANAGER


def _show(request, problem: str = "", typed=None, status: int = 200):
    if not any(MANAGER in roles for roles in request.actor.posts.values()):
        raise Http404
    now = timezone.now()
    rows = [
        {
            "done": r,
            "case": r.case,
            "level": RATING[r.level] if r.level else _("投诉"),
            "clock": tone(r.due_at, "open", now),
            "mine": request.actor.has_role(r.org_id, MANAGER),
        }
        for r in rules.desk(request.actor)
    ]
    context = {
        "open": [r for r in rows if r["done"].answered_at is None],
        "answered": [r for r in rows if r["done"].answered_at is not None][:50],
        "problem": problem,
        "typed": typed or {},
    }
    return render(request, "cases/ratings.html", context, status=status)


@require_GET
@staff_only
def ratings(request):
    """Rectifications of the offices that the official manages."""
    return _show(request)


@require_POST
@staff_only
def rectify(request, rectification_id: UUID):
    """Answer one."""
    if rules.find(request.actor, rectification_id) is None:
        raise Http404
    try:
        rules.answer(
            request.actor,
            rectification_id,
            request.POST.get("answer", ""),
            request.POST.get("called_back", ""),
        )
    except Refused as refused:
        return _show(request, str(refused), request.POST, 422)
    messages.success(request, _("已答复，评价人会看到，并确认是否解决。"))
    return redirect("desk_ratings")
