"""会审 for the offices that are asked: what is open, and one case with its papers and the question."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from yiwang.engines.cases import forms, reviews
from yiwang.engines.cases.case_form import item_plan
from yiwang.engines.cases.worklist import tone
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.access.guards import staff_only
from yiwang.kernel.access.session import as_system
from yiwang.kernel.audit.api import record
from yiwang.kernel.files import api as files
from yiwang.kernel.ids import derived_id
from yiwang.kernel.orgs.queries import region_names


@require_GET
@staff_only
def to_review(request):
    """What the official's offices are asked, the most urgent first."""
    now = timezone.now()
    rows = [
        (r, reviews.case_of(request.actor, r), *tone(r.due_at, "open", now))
        for r in reviews.to_answer(request.actor)
    ]
    return render(request, "cases/reviews.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@staff_only
def review(request, review_id: UUID):
    """The question, the case's content and papers, and the form for the opinion."""
    found = reviews.find(request.actor, review_id)
    if found is None or found.org_id not in request.actor.posts or not reviews.open_now(found):
        raise Http404
    problem = ""
    if request.method == "POST":
        try:
            reviews.answer(
                request.actor,
                review_id,
                request.POST.get("opinion", ""),
                request.POST.get("text", ""),
                derived_id("review", review_id),
            )
            messages.success(request, _("意见已送达。"))
            return redirect("desk_reviews")
        except Refused as refused:
            problem = str(refused)
    case = reviews.case_of(request.actor, found)
    plan = item_plan(case)
    names = region_names().get
    record(request.actor, "case.reviewed", "case", case.id, case.trace_id, number=case.number)
    return render(
        request,
        "cases/review.html",
        {
            "review": found,
            "case": case,
            "problem": problem,
            "typed": request.POST,
            "data": [
                (f.label, forms.show(plan, f.path, case.data[f.path], names))
                for f in plan.fields
                if case.data.get(f.path) not in (None, "")
            ],
            "materials": case.extra.get("materials", []),
            "opinions": [("agree", _("同意")), ("conditional", _("有条件同意")), ("against", _("不同意"))],
        },
        status=422 if problem else 200,
    )


@require_GET
@staff_only
def review_file(request, review_id: UUID, file_id: UUID):
    """A material of the case, while the question is open; every look is recorded."""
    found = reviews.find(request.actor, review_id)
    if found is None or found.org_id not in request.actor.posts or not reviews.open_now(found):
        raise Http404
    case = reviews.case_of(request.actor, found)
    if str(file_id) not in {m.get("file") for m in case.extra.get("materials", [])}:
        raise Http404
    record(request.actor, "material.viewed", "file", file_id, case.trace_id, case=case.number)
    with as_system(request.actor):
        return files.shown(file_id)
