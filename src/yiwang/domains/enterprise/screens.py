"""一企一档 for officials and for the enterprise itself; corrections; the fairness page."""

from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from yiwang.engines.hub import api as hub
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.access.guards import officials, staff_only
from yiwang.kernel.orgs.models import Region

from . import actions, fairness, link_actions, names, queries, replay, tables
from .models import Link, Run
from .showing import shown_file

credit_staff = officials(queries.CREDIT)
"""Officials with the post that looks at files."""


@require_GET
@credit_staff
def find(request):
    """Search by name or code, for a purpose that is chosen first."""
    text, purpose = request.GET.get("q", "").strip()[:120].replace("\0", ""), request.GET.get("purpose", "")
    context = {"q": text, "purpose": purpose, "purposes": tables.allowed_purposes()}
    if text:
        if purpose not in context["purposes"]:
            context["error"] = _("请先选用途：查看企业档案要说明为什么，并记入账本。")
        else:
            regions = dict(Region.objects.filter(level="county").values_list("code", "name"))
            context["found"] = [(c, n, regions.get(r, r)) for c, n, r in names.search(text, purpose)]
    return render(request, "enterprise/find.html", context, status=422 if "error" in context else 200)


@require_GET
@credit_staff
def file(request, uscc):
    """One enterprise's file."""
    purpose = request.GET.get("purpose", "")
    if purpose not in tables.allowed_purposes():
        return redirect(f"{reverse('enterprises')}?q={uscc}")
    found = queries.file_of(request.actor, uscc, purpose)
    if found.registration is None and not found.facts:
        raise Http404
    context = shown_file(request.actor, found, purpose) | _past(request, uscc, purpose)
    return render(request, "enterprise/file.html", context | {"purpose": purpose})


@require_GET
def own(request):
    """The file of the enterprise that somebody acts for, with what it can do."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next=/enterprise")
    enterprise = actions.enterprise_of(request.actor)
    if enterprise is None:
        return render(request, "enterprise/whose.html")
    return _own_page(request, enterprise)


def _own_page(request, enterprise, refused: tuple[str, str, str, str] | None = None):
    """The page; after a refusal (dataset, key, words, why) with what was typed, at its line."""
    found = queries.file_of(request.actor, enterprise.uscc, actions.OWN)
    told = shown_file(request.actor, found, actions.OWN)
    for f in told["facts"]:
        f["may_ask"] = not actions.asked_before(f["fact"])
        if refused and (f["fact"].dataset.id, f["fact"].key) == refused[:2]:
            f |= {"words": refused[2], "refused": refused[3], "may_ask": True}
    own = actions.corrections_of(request.actor, enterprise)
    context = {"enterprise": enterprise, "purpose": actions.OWN, "asked": own}
    return render(
        request,
        "enterprise/own.html",
        told | _past(request, enterprise.uscc, actions.OWN) | context,
        status=422 if refused else 200,
    )


def _past(request, uscc: str, purpose: str) -> dict:
    """The class on a past day, if one was asked for."""
    text = request.GET.get("on", "")[:10]
    if not text:
        return {}
    try:
        day = date.fromisoformat(text)
        told = replay.replay(request.actor, uscc, purpose, day)
    except (ValueError, Refused) as wrong:
        words = str(wrong) if isinstance(wrong, Refused) else _("“%(t)s”不是日期，请选一天。") % {"t": text}
        return {"asked_on": text, "past_error": words}
    return {"asked_on": text, "past": replay.shown(told)}


@require_POST
def correct(request):
    """The enterprise asks for the correction of a line."""
    dataset, key = request.POST.get("dataset", "")[:45], request.POST.get("key", "")[:400]
    words, enterprise = request.POST.get("words", "")[:1000], actions.enterprise_of(request.actor)
    try:
        made = actions.ask(request.actor, dataset, key, words)
        told = {"org": made.org.name if made.org else _("来源部门"), "day": made.due_on}
        messages.success(request, _("已提出。%(org)s应在 %(day)s 前核实答复；核实期间这一行不计分。") % told)
    except Refused as refused:
        if enterprise is not None:
            messages.error(request, str(refused))
            return _own_page(request, enterprise, (dataset, key, words, str(refused)))
        messages.error(request, str(refused))
    return redirect("own_enterprise")


@require_GET
def corrections(request):
    """What the official's offices have to answer."""
    if request.actor.person_id is None:
        return redirect("/accounts/login/?next=/desk/corrections")
    if not request.actor.is_staff:
        raise Http404
    return _corrections(request)


def _corrections(request, refused: tuple[UUID, str, str] | None = None):
    """The list, with the record in dispute that was asked for; after a refusal (id, words, why) with what was typed."""
    at = refused[0] if refused else _id(request.GET.get("at", ""))  # one at a time: each look leaves an entry
    listed = actions.open_corrections(request.actor)
    if at is not None and at not in {c.id for c in listed}:  # a link of a message or a matter, however old
        listed = [one for one in (actions.correction_for(request.actor, at),) if one] + listed
    rows = [
        {
            "c": c,
            "record": actions.record_of(c) if c.id == at else [],
            "words": refused[1] if refused and refused[0] == c.id else "",
            "why": refused[2] if refused and refused[0] == c.id else "",
        }
        for c in listed
    ]
    context = {"corrections": rows, "today": timezone.localdate()}
    return render(request, "enterprise/corrections.html", context, status=422 if refused else 200)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@require_POST
def answer_correction(request, correction_id):
    """Answer one."""
    if not request.actor.is_staff or actions.correction_for(request.actor, correction_id) is None:
        raise Http404
    words = request.POST.get("answer", "")[:1000]
    try:
        made = actions.answer(request.actor, correction_id, request.POST.get("faulty") == "true", words)
        messages.success(
            request, _("已答复，企业会收到消息。") if made.freezes else _("已答复，裁决的人会看到您的理由。")
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return _corrections(request, (correction_id, words, str(refused)))
    return redirect("corrections")


@require_GET
@credit_staff
def links(request):
    """One link after the other, side by side; those accepted can be undone here."""
    state = request.GET.get("state", Link.State.REVIEW)
    if state not in Link.State.values:
        raise Http404
    turn = link_actions.turn(state, request.GET.get("at", ""))
    context = {"turn": turn, "state": state, "states": Link.State.choices}
    if turn is not None:
        context |= {
            "link": turn.link, "dataset": hub.find(turn.link.dataset),
            "rows": link_actions.side_by_side(turn.link), "evidence": [_(e) for e in turn.link.evidence],
        }  # fmt: skip
    return render(request, "enterprise/links.html", context)


@require_POST
@credit_staff
def decide_link(request, link_id):
    """Accept, reject or undo one."""
    state, at = request.POST.get("state", ""), request.POST.get("at", "")
    try:
        link_actions.decide(request.actor, link_id, request.POST.get("verdict", ""))
        messages.success(request, _("已处理，企业档案和分类随之更新。"))
    except Refused as refused:
        messages.error(request, str(refused))
    where = urlencode({"state": state, "at": at}) if state in Link.State.values else ""
    return redirect(f"{reverse('links')}?{where}" if where else "links")


@require_GET
@staff_only
def fair(request):
    """Shares of the bad classes by industry, size, age and county, for every official."""
    run, table = Run.objects.exclude(ended=None).order_by("-began").first(), tables.current()
    ready = run is not None and table is not None and table.fairness is not None
    context = {
        "run": run,
        "at": parse_datetime(run.counts.get("fair", {}).get("at", "")) if ready else None,
        "dimensions": fairness.shown(run.counts.get("fairness", {}), table) if ready else [],
        "bad": "、".join(fairness.bad_classes(table)) if table else "",
        "hide": table.fairness.hide_under if ready else 0,
    }
    return render(request, "enterprise/fairness.html", context)
