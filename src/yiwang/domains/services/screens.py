"""The resident's pages: find, be told, apply, follow, receive, rate."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.engines.cases import actions, applying, queries
from yiwang.engines.cases.contracts import RATING_LEVELS, Phase
from yiwang.engines.cases.models import Case, Draft
from yiwang.engines.cases.ratings import rate as give_rating
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.accounts.models import Person
from yiwang.kernel.documents.api import verify as verify_document
from yiwang.kernel.files.api import take
from yiwang.kernel.files.rules import NotTaken
from yiwang.kernel.ids import derived_id
from yiwang.kernel.notify.models import Message

from . import forms as pages
from .guide import guide

QUESTIONS = "questions"
HELD = "held_form"  # what was typed when the session had ended, kept until the same person is back


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


@require_POST
def begin(request, ref):
    """Start, or go on with, an application."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next={reverse('service', args=[ref])}")
    if guide(ref, {}) is None:
        raise Http404
    answers = {k: v == "true" for k, v in request.POST.items() if v in ("true", "false")}
    draft = applying.open_draft(request.actor, ref, answers)
    return redirect("apply", draft.id, _first_page(request, draft))


def _first_page(request, draft: Draft) -> str:
    filled = applying.fill(draft, Person.objects.get(id=draft.subject_id))
    draft.save()
    if any(s.asked for s in filled.plan.situations):
        return QUESTIONS
    for page in filled.plan.pages:
        if page.id not in draft.done:
            return page.id
    return "check"


def _questions(request, draft, filled):
    """The few situations that no register could answer; they decide what is asked afterwards."""
    open_ones = [s for s in filled.plan.situations if s.asked]
    if request.method == "POST":
        given = {
            s.id: request.POST[s.id] == "true"
            for s in open_ones
            if request.POST.get(s.id) in ("true", "false")
        }
        applying.answer_situations(request.actor, draft.id, given)
        draft.refresh_from_db()
        open_ones = [s for s in open_ones if s.id not in given]
        if not open_ones:
            return redirect("apply", draft.id, _first_page(request, draft))
    errors = [{"anchor": s.id, "message": s.ask} for s in open_ones] if request.method == "POST" else []
    draft.save()
    return render(
        request,
        "services/questions.html",
        {"draft": draft, "plan": filled.plan, "situations": open_ones, "errors": errors},
        status=422 if errors else 200,
    )


def _draft(request, draft_id: UUID) -> Draft:
    draft = applying.find_draft(request.actor, draft_id)
    if draft is None:
        raise Http404
    return draft


@require_http_methods(["GET", "POST"])
def apply(request, draft_id, page):
    """One page of the form."""
    if request.actor.person_id is None:
        return _hold(request)
    draft = _draft(request, draft_id)
    if draft.submitted_at:
        return redirect("case", draft.id)
    filled = applying.fill(draft, Person.objects.get(id=draft.subject_id))
    titles = [p.id for p in filled.plan.pages]
    if page == QUESTIONS:
        return _questions(request, draft, filled)
    if page not in titles:
        raise Http404
    if request.method == "POST":
        return _save(request, draft, filled, page, titles)
    draft.save()
    errors: dict[str, str] = {}
    if request.session.get(HELD, {}).get("path") == request.path:
        values, errors = pages.read(filled, page, request.session.pop(HELD)["values"])
        filled = pages.with_values(filled, values)
        messages.info(request, _("登录过期时您填的内容还在下面，请核对后保存。上传的文件需要重新选择。"))
    elif page in draft.done:
        errors = pages.missing(filled, page)
    return _show(request, draft, filled, page, errors)


def _hold(request):
    """The session ended in mid-form: keep what was typed, sign in, and put it back."""
    if request.method == "POST":
        typed = {k: v for k, v in request.POST.items() if k != "csrfmiddlewaretoken"}
        request.session[HELD] = {"path": request.path, "values": typed}
    return redirect(f"{reverse('account_login')}?next={request.path}")


def _save(request, draft, filled, page, titles):
    values, errors = pages.read(filled, page, request.POST)
    uploads = {}
    wanted = {w.name: w for w in pages.widgets(filled, draft, page, {}) if w.kind == "upload"}
    for key, upload in request.FILES.items():
        if key not in wanted:
            continue
        try:
            stored = take(request.actor, draft.subject_id, upload.name, upload, draft.id)
            uploads[key] = str(stored.id)
        except NotTaken as error:
            errors[key] = str(error)
    try:
        revision = int(request.POST.get("revision") or draft.revision)
        saved = applying.save_page(request.actor, draft.id, page, values, uploads, revision)
    except applying.SavedElsewhere as elsewhere:
        errors["page"] = str(elsewhere)
        return _show(request, draft, pages.with_values(filled, values), page, errors, status=409)
    filled = applying.fill(saved, Person.objects.get(id=saved.subject_id))
    saved.save()
    errors = {**pages.missing(filled, page), **errors}
    if errors:
        return _show(request, saved, filled, page, errors, status=422)
    if request.POST.get("to") == "check" or "check" in request.GET:
        return redirect("check", saved.id)
    after = titles.index(page) + 1
    return redirect("apply", saved.id, titles[after]) if after < len(titles) else redirect("check", saved.id)


def _steps(plan, done, now):
    ids = [p.id for p in plan.pages]
    steps = [
        {"title": p.title, "state": "now" if p.id == now else "done" if p.id in done else "todo"}
        for p in plan.pages
    ]
    steps.append({"title": _("核对提交"), "state": "now" if now == "check" else "todo"})
    n = ids.index(now) + 1 if now in ids else len(steps)
    return {"steps": steps, "n": n, "total": len(steps)}


def _show(request, draft, filled, page, errors, status=200):
    current = next(p for p in filled.plan.pages if p.id == page)
    ids = [p.id for p in filled.plan.pages]
    widgets = pages.widgets(filled, draft, page, errors)
    listed = [{"anchor": w.id, "message": w.error} for w in widgets if w.error]
    listed += [{"anchor": "", "message": errors["page"]}] if "page" in errors else []
    return render(
        request,
        "services/apply.html",
        {
            "draft": draft,
            "plan": filled.plan,
            "page": current,
            "widgets": widgets,
            "known": pages.known(filled, page),
            "errors": listed,
            "previous": ids[ids.index(page) - 1] if ids.index(page) else None,
            "has_upload": any(w.kind == "upload" for w in widgets),
            "to_check": "check" in request.GET,
            **_steps(filled.plan, draft.done, page),
        },
        status=status,
    )


@require_GET
def check(request, draft_id):
    """Everything at a glance before it is handed in."""
    if request.actor.person_id is None:
        return _hold(request)
    draft = _draft(request, draft_id)
    if draft.submitted_at:
        return redirect("case", draft.id)
    return _check(request, draft)


def _check(request, draft, status=200):
    filled = applying.fill(draft, Person.objects.get(id=draft.subject_id))
    draft.save()
    page_of = {path: p for p in filled.plan.pages for path in p.fields}
    last = filled.plan.pages[-1]
    errors = [
        {
            "message": e.message,
            "href": reverse("apply", args=[draft.id, page_of.get(e.path, last).id])
            + f"?check=1#{pages.anchor(e.path)}",
        }
        for e in filled.errors
    ]
    return render(
        request,
        "services/check.html",
        {
            "draft": draft,
            "plan": filled.plan,
            "sections": pages.summary(filled, draft),
            "problems": errors,
            "previous": last.id,
            "consent": filled.plan.library.get(filled.plan.kind, filled.plan.ref).data.get("consent", []),
            **_steps(filled.plan, draft.done, "check"),
        },
        status=status,
    )


@require_POST
def submit(request, draft_id):
    """Hand it in, once."""
    if request.actor.person_id is None:
        return _hold(request)
    try:
        case_id = applying.submit(request.actor, draft_id)
    except applying.Incomplete:
        return _check(request, _draft(request, draft_id), status=422)
    return redirect(reverse("case", args=[case_id]) + "?new=1")


@require_GET
def cases(request):
    """The person's drafts and cases."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next=/cases")
    drafts = Draft.objects.filter(subject_id=request.actor.person_id, submitted_at=None).order_by("-saved")
    names = {d.id: guide(d.ref, {}) for d in drafts}
    return render(
        request,
        "services/cases.html",
        {
            "drafts": [(d, names[d.id].pack.name) for d in drafts if names[d.id]],
            "cases": queries.own(request.actor),
        },
    )


def _own_case(request, case_id) -> Case:
    found = queries.find(request.actor, case_id)
    if found is None or found.subject_id != request.actor.person_id:
        raise Http404
    return found


@require_GET
def case(request, case_id):
    """A case: who holds what, due when; what is asked of the person; results."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next={request.path}")
    found = _own_case(request, case_id)
    family = queries.family(found)
    documents = queries.documents_of(found)
    return render(
        request,
        "services/case.html",
        {
            "case": found,
            "family": [(c, [d for d in documents if d.case_id == c.id], _names(found, c)) for c in family],
            "own_documents": [d for d in documents if d.case_id == found.id and found.kind == "bundle"],
            "to_supplement": [c for c in family if c.phase == Phase.SUPPLEMENT],
            "history": queries.history(found) if found.kind != "bundle" else [],
            "new": "new" in request.GET,
            "rating": getattr(found, "rating", None),
            "levels": RATING_LEVELS,
            "done": sum(1 for c in family if c.closed_at),
        },
    )


def _names(parent, child):
    names = {c.ref: c.name for c in queries.family(parent)} if child.after else {}
    return [names.get(ref, ref) for ref in child.after]


@require_http_methods(["GET", "POST"])
def supplement(request, case_id):
    """Everything that all departments ask for, in one place."""
    if request.actor.person_id is None:
        return _hold(request)
    found = _own_case(request, case_id)
    waiting = [c for c in queries.family(found) if c.phase == Phase.SUPPLEMENT]
    if not waiting:
        return redirect("case", found.id)
    asked, errors = _asked(waiting), {}
    if request.method == "POST":
        errors = _answer(request, found, waiting, asked)
        if not errors:
            messages.success(request, _("已补正，各部门继续办理。"))
            return redirect("case", found.id)
        for widget in asked.values():
            widget.error = errors.get(widget.name, "")
            widget.value = (
                request.POST.get(widget.name, widget.value) if widget.kind != "upload" else widget.value
            )
    return render(
        request,
        "services/supplement.html",
        {
            "case": found,
            "waiting": waiting,
            "widgets": list(asked.values()),
            "errors": [{"anchor": w.id, "message": w.error} for w in asked.values() if w.error]
            + ([{"anchor": "", "message": errors["page"]}] if errors.get("page") else []),
            "nonce": request.POST.get("nonce")
            or str(derived_id("supplement", *(f"{c.id}{c.seq}" for c in waiting))),
        },
        status=422 if errors else 200,
    )


def _asked(waiting):
    """One widget for each thing, however many departments ask for it."""
    widgets = {}
    for child in waiting:
        plan = applying.plan_of(child)
        for entry in child.extra["supplement"]["items"]:
            key = entry["key"]
            upload = "@" in key
            field = None if upload else plan.field(key)
            options = () if upload else field.options
            widgets.setdefault(
                key,
                pages.Widget(
                    id=pages.anchor(key),
                    name=key,
                    label=entry["label"],
                    kind="upload"
                    if upload
                    else ("choice" if len(options) <= pages.FEW else "select")
                    if options
                    else "text",
                    value="" if upload else str(applying.value_in_bundle(child, key) or ""),
                    required=True,
                    hint="",
                    why="",
                    options=options,
                ),
            )
    return widgets


def _answer(request, found, waiting, asked):
    errors, values, files = {}, {}, {}
    plan = applying.plan_of(waiting[0])
    for key, widget in asked.items():
        if widget.kind == "upload":
            upload = request.FILES.get(key)
            if upload is None:
                errors[key] = _("请上传%(name)s") % {"name": widget.label}
                continue
            try:
                files[key] = str(take(request.actor, found.subject_id, upload.name, upload, found.id).id)
            except NotTaken as error:
                errors[key] = str(error)
            continue
        value, error = applying.clean_value(plan, key, request.POST.get(key, ""))
        if error or value in (None, ""):
            errors[key] = error or _("请填写%(name)s") % {"name": widget.label}
        values[key] = value
    if errors:
        return errors
    nonce = request.POST.get("nonce", "")
    for child in waiting:
        keys = {e["key"] for e in child.extra["supplement"]["items"]}
        mine = applying.in_item(child, {k: v for k, v in values.items() if k in keys})
        try:
            actions.answer_supplement(
                request.actor,
                child.id,
                mine,
                {k: v for k, v in files.items() if k in keys},
                derived_id("answer", nonce, child.id),
            )
        except Refused as refused:
            errors["page"] = str(refused)
    return errors


@require_http_methods(["GET", "POST"])
def withdraw(request, case_id):
    """Take an application back."""
    if request.actor.person_id is None:
        return _hold(request)
    found = _own_case(request, case_id)
    problem = ""
    if request.method == "POST":
        try:
            actions.withdraw(
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
    found = _own_case(request, case_id)
    try:
        give_rating(request.actor, found, request.POST.get("level", ""), request.POST.get("comment", ""))
        messages.success(request, _("谢谢您的评价。"))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect(reverse("case", args=[found.id]) + "#rate")


@require_GET
def inbox(request):
    """The person's messages; opening the page reads them."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next=/messages")
    return render(
        request,
        "services/messages.html",
        {"inbox": Message.objects.filter(subject_id=request.actor.person_id)[:100]},
    )


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
    from urllib.parse import quote

    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}.pdf"},
    )


@require_GET
def document(request, document_id):
    """Download a signed document: its subject, or the office that issued it."""
    from yiwang.kernel.access.rules import visible
    from yiwang.kernel.documents.models import IssuedDocument
    from yiwang.kernel.files import store

    found = IssuedDocument.objects.filter(visible(request.actor), id=document_id).first()
    if found is None:
        raise Http404
    return pdf(store.get(found.sha256), f"{found.title}-{found.number}")
