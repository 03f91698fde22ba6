"""Applying: the few questions, one page after the other, everything at a glance, handed in once."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.domains.services import forms as pages
from yiwang.domains.services import rows
from yiwang.domains.services.guide import guide
from yiwang.engines.cases import api as cases
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.files.api import take
from yiwang.kernel.files.rules import NotTaken

from .own import pdf
from .session import HELD, hold

QUESTIONS = "questions"


@require_POST
def begin(request, ref):
    """Start, or go on with, an application."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next={reverse('service', args=[ref])}")
    if guide(ref, {}) is None:
        raise Http404
    answers = {k: v == "true" for k, v in request.POST.items() if v in ("true", "false")}
    try:
        draft = cases.open_draft(request.actor, ref, answers)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("service", ref)
    return redirect("apply", draft.id, first_page(request, draft))


def first_page(request, draft: cases.Draft) -> str:
    """Where to go on with a draft: open questions, the first page not saved yet, or the check."""
    filled = cases.fill(request.actor, draft)
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
        cases.answer_situations(request.actor, draft.id, given)
        draft.refresh_from_db()
        open_ones = [s for s in open_ones if s.id not in given]
        if not open_ones:
            return redirect("apply", draft.id, first_page(request, draft))
    errors = [{"anchor": s.id, "message": s.ask} for s in open_ones] if request.method == "POST" else []
    draft.save()
    return render(
        request,
        "services/questions.html",
        {"draft": draft, "plan": filled.plan, "situations": open_ones, "errors": errors},
        status=422 if errors else 200,
    )


def _draft(request, draft_id: UUID) -> cases.Draft:
    draft = cases.find_draft(request.actor, draft_id)
    if draft is None:
        raise Http404
    return draft


@require_http_methods(["GET", "POST"])
def apply(request, draft_id, page):
    """One page of the form."""
    if request.actor.person_id is None:
        return hold(request)
    draft = _draft(request, draft_id)
    if draft.submitted_at:
        return redirect("window_receipt" if draft.org_id in request.actor.posts else "case", draft.id)
    if cases.pending(request.actor, draft):
        return redirect("waiting", draft.id)
    filled = cases.fill(request.actor, draft)
    if request.method == "POST":  # the rows as the page had them, which another tab may have changed since
        drawn = rows.posted(filled.plan, request.POST)
        if drawn and drawn != {role: cases.counts(filled.plan)[role] for role in drawn}:
            draft.answers = {**draft.answers, **drawn}
            filled = cases.fill(request.actor, draft)
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


def _save(request, draft, filled, page, titles):
    values, errors = pages.read(filled, page, request.POST)
    uploads = {}
    wanted = {w.name: w for w in pages.widgets(filled, draft, page, {}) if w.kind == "upload"}
    for key, upload in request.FILES.items():
        if key not in wanted:
            continue
        try:
            stored = take(request.actor, draft.subject_id, upload.name, upload, draft.id, draft.org_id)
            uploads[key] = str(stored.id)
        except NotTaken as error:
            errors[key] = str(error)
    try:
        revision = int(request.POST.get("revision") or draft.revision)
        drawn = rows.posted(filled.plan, request.POST)
        saved = cases.save_page(request.actor, draft.id, page, values, uploads, revision, drawn)
    except cases.SavedElsewhere as elsewhere:
        errors["page"] = str(elsewhere)
        now = cases.find_draft(request.actor, draft.id)
        draft.revision = now.revision if now else draft.revision  # saving once more is the answer
        return _show(request, draft, pages.with_values(filled, values), page, errors, status=409)
    filled = cases.fill(request.actor, saved)
    saved.save()
    if request.POST.get(rows.BUTTON):
        return _press(request, saved, filled, page)
    errors = {**pages.missing(filled, page), **errors}
    if errors:
        return _show(request, saved, filled, page, errors, status=422)
    if request.POST.get("to") == "check" or "check" in request.GET:
        return redirect("check", saved.id)
    after = titles.index(page) + 1
    return redirect("apply", saved.id, titles[after]) if after < len(titles) else redirect("check", saved.id)


def _press(request, draft, filled, page):
    """A button of a repeating group: what was typed is saved by now, right or wrong."""
    try:
        button = request.POST[rows.BUTTON]
        changed, place = rows.press(request.actor, draft, filled.plan, button)
    except Refused as refused:
        return _show(request, draft, filled, page, {"page": str(refused)}, status=409)
    plan = cases.fill(request.actor, changed).plan
    changed.save()
    there = reverse("apply", args=[changed.id, rows.page_of(plan, button.split(":")[1], page)])
    return redirect(f"{there}{'?check=1' if 'check' in request.GET else ''}#{place}")


def _steps(plan, done, now):
    ids = [p.id for p in plan.pages]
    steps = [
        {"title": p.title, "state": "now" if p.id == now else "done" if p.id in done else "todo"}
        for p in plan.pages
    ]
    steps.append({"title": _("核对提交"), "state": "now" if now == "check" else "todo"})
    n = ids.index(now) + 1 if now in ids else len(steps)
    return {"steps": steps, "n": n, "total": len(steps)}


def _help(request, draft, filled):
    """At a window, the page says for whom it is."""
    return {"at_window": draft.org_id in request.actor.posts, "for_whom": filled.subject_name}


def _show(request, draft, filled, page, errors, status=200):
    current = next(p for p in filled.plan.pages if p.id == page)
    ids = [p.id for p in filled.plan.pages]
    widgets = pages.widgets(filled, draft, page, errors)
    shown = [*widgets, *pages.defaults(filled, draft, page, errors)]
    listed = [{"anchor": w.id, "message": w.error} for w in shown if w.error]
    listed += [{"anchor": "", "message": errors["page"]}] if "page" in errors else []
    return render(
        request,
        "services/apply.html",
        {
            "draft": draft,
            "plan": filled.plan,
            "page": current,
            "widgets": widgets,
            "blocks": rows.blocks(filled, page, widgets),
            "counts": cases.counts(filled.plan).items(),
            "known": pages.known(filled, page),
            "defaults": pages.defaults(filled, draft, page, errors),
            "errors": listed,
            "previous": ids[ids.index(page) - 1] if ids.index(page) else None,
            "has_upload": any(w.kind == "upload" for w in widgets),
            "to_check": "check" in request.GET,
            **_help(request, draft, filled),
            **_steps(filled.plan, draft.done, page),
        },
        status=status,
    )


@require_GET
def paper(request, draft_id, key):
    """A paper that the system wrote from the form, to be signed and uploaded."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next={request.path}")
    try:
        name, content = cases.paper(request.actor, _draft(request, draft_id), key)
    except Refused as refused:
        raise Http404 from refused
    return pdf(content, name)


@require_GET
def check(request, draft_id):
    """Everything at a glance before it is handed in."""
    if request.actor.person_id is None:
        return hold(request)
    draft = _draft(request, draft_id)
    if draft.submitted_at:
        return redirect("window_receipt" if draft.org_id in request.actor.posts else "case", draft.id)
    if cases.pending(request.actor, draft):
        return redirect("waiting", draft.id)
    return _check(request, draft)


def _check(request, draft, found=None, status=200, problem=""):
    filled = cases.fill(request.actor, draft)
    checked = cases.conditions_of(filled, draft)
    draft.save()
    pledges = cases.pledges(filled)
    signing = {m.key for m in pledges}
    page_of = {path: p for p in filled.plan.pages for path in p.fields}
    last = filled.plan.pages[-1]
    errors = [
        {
            "message": e.message,
            "href": f"#{pages.anchor(e.path)}"
            if e.path in signing
            else reverse("apply", args=[draft.id, page_of.get(e.path, last).id])
            + f"?check=1#{pages.anchor(e.path)}",
        }
        for e in (filled.errors if found is None else found)
    ]
    return render(
        request,
        "services/check.html",
        {
            "draft": draft,
            "plan": filled.plan,
            "sections": pages.summary(filled, draft),
            "problems": errors,
            "problem": problem,
            "checked": checked,
            "incomplete": bool(filled.errors),
            "pledges": [(m, pages.anchor(m.key)) for m in pledges],
            "signed": request.POST.getlist("pledge"),
            "owed": cases.owed(filled, draft),
            "previous": last.id,
            "consent": filled.plan.library.get(filled.plan.kind, filled.plan.ref).data.get("consent", []),
            **_help(request, draft, filled),
            **_steps(filled.plan, draft.done, "check"),
        },
        status=status,
    )


@require_POST
def submit(request, draft_id):
    """Hand it in, once."""
    if request.actor.person_id is None:
        return hold(request)
    draft = _draft(request, draft_id)
    try:
        case_id = cases.submit(request.actor, draft_id, request.POST.getlist("pledge"))
    except cases.Incomplete as incomplete:
        return _check(request, _draft(request, draft_id), incomplete.errors, status=422)
    except Refused as refused:
        return _check(request, _draft(request, draft_id), status=409, problem=str(refused))
    if cases.pending(request.actor, draft):
        return redirect("waiting", draft.id)
    if draft.org_id in request.actor.posts:
        return redirect("window_receipt", case_id)
    return redirect(reverse("case", args=[case_id]) + "?new=1")
