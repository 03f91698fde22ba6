"""What a person has: cases, messages, certificates; follow, take back, rate, verify."""

import re
from urllib.parse import quote

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.domains.services.guide import guide
from yiwang.engines.cases import api as cases
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.documents.api import readable
from yiwang.kernel.documents.api import verify as verify_document
from yiwang.kernel.documents.models import IssuedDocument
from yiwang.kernel.files import store
from yiwang.kernel.files.api import take
from yiwang.kernel.files.rules import ACCEPT_ATTRIBUTE, NotTaken
from yiwang.kernel.ids import derived_id
from yiwang.kernel.notify.api import choose, reach_of
from yiwang.kernel.notify.models import Message

from .session import hold


@require_GET
def list_cases(request):
    """The person's drafts and cases."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next=/cases")
    drafts = cases.open_drafts(request.actor)
    names = {d.id: guide(d.ref, {}) for d in drafts}
    return render(
        request,
        "services/cases.html",
        {
            "drafts": [(d, names[d.id].pack.name) for d in drafts if names[d.id]],
            "cases": cases.own(request.actor),
        },
    )


def own_case(request, case_id) -> cases.Case:
    found = cases.find(request.actor, case_id)
    if found is None or found.subject_id != request.actor.subject_id:
        raise Http404
    return found


@require_GET
def case(request, case_id):
    """A case: who holds what, due when; what is asked of the person; results."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next={request.path}")
    found = own_case(request, case_id)
    family = cases.family(found)
    documents = cases.documents_of(found, family)
    names = {c.ref: c.name for c in family}
    mending = cases.rectifications(found)
    held = [c for c in family if cases.held_of(c)]
    agreeing = held and cases.asked(request.actor, found.id)
    return render(
        request,
        "services/case.html",
        {
            "case": found,
            "family": [
                (c, [d for d in documents if d.case_id == c.id], _after(c, names), cases.visit(c))
                for c in family
            ],
            "own_documents": [d for d in documents if d.case_id == found.id and found.kind == "bundle"],
            "agreeing": agreeing,
            "to_supplement": [
                c for c in family if c.phase == cases.Phase.SUPPLEMENT and not (agreeing and c in held)
            ],
            "history": cases.history(found) if found.kind != "bundle" else [],
            "new": "new" in request.GET,
            "rating": getattr(found, "rating", None),
            "rectifications": [r for r in mending if r.kind == "rating"],
            "complaints": [r for r in mending if r.kind == "complaint"],
            "undertakings": cases.of_case(found),
            "grant": cases.grant_of(found),
            "accept": ACCEPT_ATTRIBUTE,
            "levels": cases.RATING,
            "done": sum(1 for c in family if c.closed_at),
        },
    )


def _after(child, names):
    return [names.get(ref, ref) for ref in child.after]


@require_http_methods(["GET", "POST"])
def withdraw(request, case_id):
    """Take an application back."""
    if request.actor.person_id is None:
        return hold(request)
    found = own_case(request, case_id)
    problem = ""
    if request.method == "POST":
        try:
            cases.withdraw(
                request.actor,
                found.id,
                request.POST.get("reason", "")[:300],
                derived_id("withdraw", found.id),
            )
            messages.success(request, _("已撤回。需要时可以随时重新申请。"))
            return redirect("case", found.id)
        except Refused as refused:
            problem = str(refused)
    return render(
        request, "services/withdraw.html", {"case": found, "problem": problem}, status=409 if problem else 200
    )


@require_POST
def rate(request, case_id):
    """好差评: five levels, one per case."""
    found = own_case(request, case_id)
    try:
        cases.rate(request.actor, found, request.POST.get("level", ""), request.POST.get("comment", ""))
        messages.success(request, _("谢谢您的评价。"))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect(reverse("case", args=[found.id]) + "#rate")


@require_POST
def complain(request, case_id):
    """投诉: about how the case is handled."""
    found = own_case(request, case_id)
    try:
        cases.complain(request.actor, found, request.POST.get("words", ""))
        messages.success(request, _("已收到投诉，由没有经办这件事的负责人核实，会在这里答复您。"))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("case", found.id)


@require_POST
def hand_in(request, undertaking_id):
    """Hand in a material that was owed (容缺受理)."""
    made = cases.find_undertaking(request.actor, undertaking_id)
    if made is None or made.subject_id != request.actor.subject_id:
        raise Http404
    upload = request.FILES.get("file")
    try:
        if upload is None:
            raise NotTaken(_("请选择要上传的文件。"))
        stored = take(request.actor, made.subject_id, upload.name, upload, made.case_id)
        cases.hand_in(request.actor, made.id, stored.id, derived_id("hand-in", made.id))
        messages.success(request, _("已补交%(name)s。") % {"name": made.name})
    except (NotTaken, Refused) as why:
        messages.error(request, str(why))
    return redirect("case", made.case.parent_id or made.case_id)


@require_POST
def confirm(request, case_id):
    """The yearly review of a benefit: nothing has changed."""
    found = own_case(request, case_id)
    try:
        cases.confirm(request.actor, found.id)
        messages.success(request, _("已确认，继续发放。"))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect(reverse("case", args=[found.id]) + "#pay")


@require_POST
def settle(request, rectification_id):
    """Solved or not solved: the person who rated says so."""
    try:
        done = cases.settle(request.actor, rectification_id, request.POST.get("solved") == "true")
    except Refused as refused:
        raise Http404 from refused
    messages.success(request, _("谢谢，已记下。") if done.solved else _("已记下，会再次整改并答复您。"))
    return redirect(reverse("case", args=[done.case_id]) + "#rate")


def _reach(request) -> str:
    """Save how to reach the person; returns what is wrong, or nothing."""
    phone, email = request.POST.get("phone", "").strip(), request.POST.get("email", "").strip()
    if phone and not re.fullmatch(r"1[3-9][0-9]{9}", phone):
        return _("手机号“%(phone)s”不是 11 位手机号，请核对后重填。") % {"phone": phone}
    if email:
        try:
            validate_email(email)
        except ValidationError:
            return _("邮箱“%(email)s”不对，请写成 name@example.cn 的样子。") % {"email": email}
    choose(request.actor, phone, email, bool(request.POST.get("sms")))
    return ""


@require_http_methods(["GET", "POST"])
def inbox(request):
    """The person's messages, and how he wants to be reached besides."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next=/messages")
    problem = ""
    if request.method == "POST":
        problem = _reach(request)
        if not problem:
            messages.success(request, _("已保存联系方式。"))
            return redirect("messages")
    return render(
        request,
        "services/messages.html",
        {
            "inbox": Message.objects.filter(subject_id=request.actor.subject_id).prefetch_related(
                "deliveries"
            )[:100],
            "reach": reach_of(request.actor.subject_id),
            "typed": request.POST,
            "problem": problem,
        },
        status=422 if problem else 200,
    )


@require_GET
def document(request, document_id):
    """Download a signed document: its subject, or the office that issued it."""
    found = IssuedDocument.objects.filter(readable(request.actor), id=document_id).first()
    if found is None:
        raise Http404
    return pdf(store.get(found.sha256), f"{found.title}-{found.number}")


@require_GET
def verify(request, code=""):
    """The public page behind the QR code."""
    code = (request.GET.get("code") or code).strip()
    found = verify_document(code) if code else None
    return render(
        request,
        "services/verify.html",
        {"code": code, "found": found},
        status=200 if found or not code else 404,
    )


def pdf(content: bytes, name: str) -> HttpResponse:
    """A PDF to download."""
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}.pdf"},
    )
