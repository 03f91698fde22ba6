"""Everything that all departments ask for, answered in one place."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from yiwang.domains.services import forms as pages
from yiwang.engines.cases import api as cases
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.files.api import take
from yiwang.kernel.files.rules import NotTaken
from yiwang.kernel.ids import derived_id

from .own import own_case
from .session import hold


@require_http_methods(["GET", "POST"])
def supplement(request, case_id):
    """Everything that all departments ask for, in one place."""
    if request.actor.person_id is None:
        return hold(request)
    found = own_case(request, case_id)
    waiting = [c for c in cases.family(found) if c.phase == cases.Phase.SUPPLEMENT]
    if not waiting:
        return redirect("case", found.id)
    asked, errors = _asked(waiting), {}
    if request.method == "POST":
        errors = _answer(request, found, waiting, asked)
        if not errors:
            if any(cases.held_of(c) for c in cases.family(found)):
                return redirect("waiting", found.id)
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
        plan, held = cases.plan_of(child), cases.held_of(child)
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
                    value="" if upload else str(cases.value_in_bundle(child, key, held.get("values")) or ""),
                    required=key not in held.get("files", {}),
                    hint=_("上次交的还在，要换才再传。") if key in held.get("files", {}) else "",
                    why="",
                    options=options,
                ),
            )
    return widgets


def _answer(request, found, waiting, asked):
    """Hand in for every department at once; returns what is wrong, by the name of the control."""
    errors, files = {}, {}
    for key, widget in asked.items():
        upload = request.FILES.get(key)
        if widget.kind == "upload" and upload is not None:
            try:
                files[key] = str(take(request.actor, found.subject_id, upload.name, upload, found.id).id)
            except NotTaken as error:
                errors[key] = str(error)
    answers = []
    for child in waiting:
        keys = {e["key"] for e in child.extra["supplement"]["items"]}
        mine = cases.held_of(child).get("files", {}) | {k: v for k, v in files.items() if k in keys}
        entered = {k: request.POST.get(k, "") for k in keys if "@" not in k}
        values, wrong = cases.check_supplement(child, entered, mine)
        errors = {one.path: one.message for one in wrong} | errors
        answers.append((child, values, mine))
    if errors:
        return errors
    nonce = request.POST.get("nonce", "")
    for child, values, mine in answers:
        try:
            cases.answer_supplement(request.actor, child, values, mine, derived_id("answer", nonce, child.id))
        except Refused as refused:
            errors["page"] = str(refused)
    return errors
