"""The public figures, as a page and as a file to check them with."""

import csv

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from yiwang.domains.services import numbers as figures
from yiwang.engines.cases import api as cases
from yiwang.engines.cases import disclosure


@require_GET
def numbers(request):
    """Promised and actual days, channels, supplements, ratings, burden, what is filed together."""
    found = figures.statistics(request.actor)
    return render(
        request,
        "services/numbers.html",
        {
            "figures": found,
            "items": figures.items(found),
            "waterfalls": figures.waterfalls(found),
            "levels": cases.RATING,
            "rated": sum(row["n"] for row in found.ratings),
            "comments": cases.public_comments(request.actor),
        },
    )


@require_GET
def numbers_csv(request):
    """The table of items as CSV, with the moment it was computed."""
    found = figures.statistics(request.actor)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="numbers.csv"'
    answer.write("\ufeff")  # spreadsheets then read it as UTF-8
    writer = csv.writer(answer)
    writer.writerow(
        [str(label) for _key, label in figures.COLUMNS] + [timezone.localtime(found.at).isoformat()]
    )
    for line in figures.items(found):
        writer.writerow([getattr(line, key) for key, _label in figures.COLUMNS])
    return answer


@require_GET
def decisions(request):
    """Decisions that anybody may read, office by office, with the steps that led to them."""
    office = request.GET.get("office", "")
    start = int(request.GET["from"]) if request.GET.get("from", "").isdigit() else 0
    found, total = disclosure.decisions(request.actor, office, start)
    return render(
        request,
        "services/decisions.html",
        {
            "found": found,
            "total": total,
            "office": office,
            "offices": disclosure.offices(request.actor),
            "later": start + disclosure.PAGE if start + disclosure.PAGE < total else None,
            "rules": disclosure.rules(),
        },
    )
