"""The search page."""

from django.shortcuts import render
from django.views.decorators.http import require_GET

from yiwang.domains.services import guide
from yiwang.domains.services.catalogue import queries as catalogue
from yiwang.kernel.packs import api as packs

from .answers import Answer, answers
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
            "answers": _answers(words, found),
            "departments": catalogue.departments()[:DEPARTMENTS] if words and not found.hits else [],
            "all": [] if words else online(),
        },
    )


def _answers(words: str, found: Found) -> list[Answer]:
    """What the guide of the best hit replies to a question."""
    if not found.hits or found.hits[0].is_guide:
        return []
    facts = guide.facts(found.hits[0].entry.ref)
    asks: dict[str, list[str]] = {}
    for pack in packs.current().all("synonyms"):
        for about, signs in pack.data.get("asks", {}).items():
            asks.setdefault(about, []).extend(signs)
    return answers(words, facts, asks) if facts else []
