"""Where others must want it too: each of them answers, the applicant waits."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from yiwang.engines.cases import api as cases
from yiwang.kernel.access.contracts import Refused


@require_http_methods(["GET", "POST"])
def consent(request, consent_id):
    """Somebody who is asked: what it is, who asks, yes or no."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next={request.path}")
    found = cases.of_second(request.actor, consent_id)
    if found is None:
        raise Http404
    problem = ""
    if request.method == "POST":
        try:
            yes = request.POST.get("agree") == "yes"
            made = cases.agree(request.actor, found.id, yes)
            done = _("已同意，申请已经提交。") if made else _("已同意，等其他人也同意后提交。")
            messages.success(request, done if yes else _("已告知对方您不同意。"))
            return redirect("consent", found.id)
        except Refused as refused:
            problem = str(refused)
    return render(
        request,
        "services/consent.html",
        {
            "consent": found,
            "content": cases.content_of(request.actor, found) if found.answered_at is None else [],
            "again": cases.of_supplement(request.actor, found),
            "problem": problem,
        },
        status=409 if problem else 200,
    )


@require_http_methods(["GET", "POST"])
def waiting(request, draft_id):
    """The applicant, until everybody has answered; he may take it back."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next={request.path}")
    draft = cases.find_draft(request.actor, draft_id)
    if draft is None:
        raise Http404
    if request.method == "POST":
        cases.cancel(request.actor, draft)
        messages.success(request, _("已撤回，可以修改后重新提交。"))
    open_one = cases.pending(request.actor, draft)
    if open_one is None:
        return redirect("case" if draft.submitted_at else "check", draft.id)
    asked = cases.round_of(request.actor, draft)
    return render(request, "services/waiting.html", {"draft": draft, "consent": open_one, "asked": asked})
