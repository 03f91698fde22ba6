"""The manager's page: load by office and by person, what is overdue or due tomorrow, whom to press."""

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_GET

from yiwang.engines.cases import oversight
from yiwang.kernel.access.guards import staff_only
from yiwang.kernel.orgs.queries import MANAGER


@require_GET
@staff_only
def manage(request):
    """Own offices and those below."""
    if not any(MANAGER in roles for roles in request.actor.posts.values()):
        raise Http404
    return render(
        request,
        "cases/manage.html",
        {
            "offices": oversight.by_office(request.actor),
            "people": oversight.by_person(request.actor),
            "urgent": oversight.urgent(request.actor),
        },
    )
