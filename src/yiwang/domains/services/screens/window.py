"""The counter's pages: open or take over an application, scan, hand in, print one number."""

import segno
from django.conf import settings
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.domains.services.search.queries import online
from yiwang.engines.cases import api as cases
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.files import store
from yiwang.kernel.ids import derived_id

from .apply import first_page
from .own import pdf


def qr(address: str) -> SafeString:
    """A QR code of an address as inline SVG: no style attribute, which the CSP forbids."""
    return SafeString(
        segno.make(address, error="m").svg_inline(scale=4, border=2, svgclass="qr", lineclass=None)
    )


def _absolute(path: str) -> str:
    return settings.ENV.base_url + path


@require_http_methods(["GET", "POST"])
def window(request, code=""):
    """The window's home: two ways in, and what was taken in. A scanned handover code comes in the address."""
    if not cases.windows_of(request.actor):
        raise Http404
    problem = ""
    if request.method == "POST":
        try:
            if "code" in request.POST:
                draft = cases.take_over(request.actor, request.POST["code"])
            else:
                post = request.POST
                draft = cases.open_at_window(
                    request.actor, post.get("name", ""), post.get("idno", ""), post.get("ref", "")
                )
            return redirect("apply", draft.id, first_page(request, draft))
        except Refused as refused:
            problem = str(refused)
    return render(
        request,
        "services/window.html",
        {
            "problem": problem,
            "typed": request.POST or {"code": code},
            "services": online(),
            "taken": cases.taken_in(request.actor),
        },
        status=422 if problem else 200,
    )


@require_http_methods(["GET", "POST"])
def window_receipt(request, draft_id):
    """What the window prints: the number, the offices, the way to follow it; later the result to hand out."""
    problem = ""
    try:
        cases.receipt(request.actor, draft_id)
        if request.method == "POST":
            command = derived_id("hand-out", draft_id)
            try:
                cases.hand_out(request.actor, draft_id, request.POST.get("tracking", ""), command)
            except Refused as refused:
                problem = str(refused)
        draft, case, family = cases.receipt(request.actor, draft_id)
        documents = cases.results(request.actor, draft_id)
    except Refused as refused:
        raise Http404 from refused
    address = _absolute(f"/cases/{case.id}")
    return render(
        request,
        "services/window_receipt.html",
        {
            "draft": draft,
            "case": case,
            "family": family,
            "documents": documents,
            "delivery": case.data.get("service.delivery", ""),
            "by_post": cases.by_post(case),
            "problem": problem,
            "qr": qr(address),
            "address": address,
        },
        status=422 if problem else 200,
    )


@require_GET
def window_result(request, draft_id, document_id):
    """A result of what the window took in, to print."""
    try:
        found = cases.result(request.actor, draft_id, document_id)
    except Refused as refused:
        raise Http404 from refused
    return pdf(store.get(found.sha256), f"{found.title}-{found.number}")


@require_POST
def handover(request, draft_id):
    """Show the code with which a window goes on with this draft."""
    try:
        draft = cases.offer(request.actor, draft_id)
    except Refused as refused:
        raise Http404 from refused
    return render(
        request,
        "services/handover.html",
        {
            "draft": draft,
            "qr": qr(_absolute(f"/window/{draft.handover_code}")),
            "title": _("到窗口接着办"),
        },
    )
