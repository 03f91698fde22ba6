"""Public pages of the catalogue: the guide of an item, the list behind every number, departments, coverage."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from yiwang.kernel.orgs.models import Organisation
from yiwang.kernel.packs import api as packs

from . import queries
from .rules import missing

PER_PAGE = 30
APART = ("place", "hours", "consult", "note", "base_code", "level", "region")  # shown in a place of their own


@require_GET
def item(request, code):
    """The guide of an item that may not be done online yet: what is known, what is missing."""
    found = queries.find(code)
    if found is None:
        raise Http404
    library = packs.current()
    standard = queries.standard_of(library)
    return render(
        request,
        "services/catalogue_item.html",
        {
            "item": found,
            "online": queries.claims(library).get(found.base_code),
            "known": [
                (e.name, found.elements[e.key])
                for e in standard.elements
                if e.key in found.elements and e.key not in APART
            ],
            "missing": missing(found.elements, standard),
        },
    )


@require_GET
def rows(request):
    """The list of items, filtered by level, state and department; a page at a time."""
    # PostgreSQL takes no NUL in a text
    wanted = {k: request.GET.get(k, "")[:200].replace("\0", "") for k in ("level", "state", "department")}
    library = packs.current()
    page = Paginator(queries.selected(library, **wanted), PER_PAGE).get_page(request.GET.get("page"))
    taken = queries.claims(library)
    return render(
        request,
        "services/catalogue.html",
        {
            "page": page,
            "rows": [(row, row.base_code in taken) for row in page.object_list],
            "title": _title(**wanted),
            "query": urlencode({k: v for k, v in wanted.items() if v}),
            "online": _online(library, wanted["department"]),
            **wanted,
        },
    )


def _title(level: str, state: str, department: str) -> str:
    states = {
        queries.CLAIMED: _("已认领"),
        queries.UNCLAIMED: _("还没认领"),
        queries.COMPLETE: _("要素完整"),
        queries.INCOMPLETE: _("要素不全"),
    }
    told = [part for part in (department, level, states.get(state, "")) if part]
    return " · ".join(told) or _("全部事项")


def _online(library, department: str):
    """What can be done online at a department, by the functions of the office of that name."""
    if not department:
        return []
    office = Organisation.objects.filter(name=department).first()
    functions = office.functions if office else [department]
    bundles = [p for p in library.all("bundle") if p.data["lead"] in functions]
    return bundles + [p for p in library.all("service_item") if p.data["authority"]["function"] in functions]


@require_GET
def departments(request):
    """Every department with what it does."""
    library = packs.current()
    by_function: dict[str, list] = {}
    for pack in library.all("service_item"):
        by_function.setdefault(pack.data["authority"]["function"], []).append(pack)
    return render(
        request,
        "services/departments.html",
        {"departments": queries.departments(), "online": sorted(by_function.items())},
    )


@require_GET
def coverage(request):
    """How much of the catalogue can be done online, by level; every number opens its rows."""
    lines = queries.coverage(packs.current())
    return render(
        request,
        "services/coverage.html",
        {"lines": lines, "total": lines[-1], "latest": queries.latest()},
    )
