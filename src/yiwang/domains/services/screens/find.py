"""A service: everything about it at once (一次告知)."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from yiwang.domains.services.guide import guide
from yiwang.engines.cases import api as cases
from yiwang.kernel.access.contracts import Refused


@require_POST
def can_i(request, ref):
    """“我能办吗”: the conditions on what the registers hold of the person signed in. Asked for, because they are read."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next={reverse('service', args=[ref])}")
    answers = {k: v == "true" for k, v in request.POST.items() if v in ("true", "false")}
    found = guide(ref, answers)
    if found is None:
        raise Http404
    try:
        checked = cases.self_check(request.actor, ref, answers)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("service", ref)
    shown = {"guide": found, "data": found.pack.data, "answers": answers, "asked": True, "checked": checked}
    return render(request, "services/guide.html", shown)


@require_GET
def service(request, ref):
    """The guide page of a bundle or item."""
    answers = {k: v == "true" for k, v in request.GET.items() if v in ("true", "false")}
    found = guide(ref, answers)
    if found is None:
        raise Http404
    return render(
        request, "services/guide.html", {"guide": found, "data": found.pack.data, "answers": answers}
    )
