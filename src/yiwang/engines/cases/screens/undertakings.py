"""Pledges to check and materials still owed, for the offices that took them."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from yiwang.engines.cases import undertakings as rules
from yiwang.engines.cases.worklist import tone
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.access.guards import staff_only
from yiwang.kernel.ids import derived_id


@require_GET
@staff_only
def undertakings(request):
    """What is open, the most urgent first."""
    now = timezone.now()
    rows = [(u, *tone(u.due_at, "open", now)) for u in rules.desk(request.actor)]
    return render(request, "cases/undertakings.html", {"rows": rows})


@require_POST
@staff_only
def check_undertaking(request, undertaking_id: UUID):
    """Say what checking a pledge found."""
    found = rules.find(request.actor, undertaking_id)
    if found is None or found.org_id not in request.actor.posts:
        raise Http404
    kept = request.POST.get("kept") == "true"
    try:
        note = request.POST.get("note", "")
        rules.check(request.actor, undertaking_id, kept, note, derived_id("check", undertaking_id))
        messages.success(request, _("已记下核查结果。"))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("desk_undertakings")
