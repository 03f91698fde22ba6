"""The search page."""

from django.shortcuts import render
from django.views.decorators.http import require_GET

from yiwang.domains.services.catalogue import queries as catalogue

from .contracts import Found
from .queries import find, online

LONGEST = 60
DEPARTMENTS = 8


@require_GET
def search(request):
    """Find a service in plain words; without words, everything that can be done online."""
    words = request.GET.get("q", "").strip()[:LONGEST]
    found = find(words) if words else Found()
    return render(
        request,
        "services/search.html",
        {
            "words": words,
            "found": found,
            "departments": catalogue.departments()[:DEPARTMENTS] if words and not found.hits else [],
            "all": [] if words else online(),
        },
    )
