"""A service: everything about it at once (一次告知)."""

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_GET

from yiwang.domains.services.guide import guide


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
