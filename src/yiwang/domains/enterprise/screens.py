"""一企一档 for officials and for the enterprise itself; corrections; the fairness page."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_POST

from yiwang.engines.hub import api as hub
from yiwang.engines.hub.masks import shown
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.access.guards import officials
from yiwang.kernel.orgs.models import Region
from yiwang.kernel.packs import api as packs

from . import actions, fairness, link_actions, names, queries, tables
from .models import Link, Run
from .risk import waterfall
from .risk.rules import next_changes

STATES = {
    "counts": gettext_noop("计分"),
    "expired": gettext_noop("已到期，不计分"),
    "later": gettext_noop("还没到起算日"),
    "repaired": gettext_noop("已信用修复，不计分"),
    "disputed": gettext_noop("有异议，冻结不计分"),
    "same": gettext_noop("同一件事已计过"),
}


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
    return render(request, "enterprise/file.html", _shown(request, found) | {"purpose": purpose})


@require_GET
def own(request):
    """The file of the enterprise that somebody acts for, with what it can do."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next=/enterprise")
    enterprise = actions.enterprise_of(request.actor)
    if enterprise is None:
        return render(request, "enterprise/whose.html")
    found = queries.file_of(request.actor, enterprise.uscc, actions.OWN)
    return render(
        request,
        "enterprise/own.html",
        _shown(request, found) | {"enterprise": enterprise, "purpose": actions.OWN},
    )


@require_POST
def correct(request):
    """The enterprise asks for the correction of a line."""
    try:
        made = actions.ask(
            request.actor,
            request.POST.get("dataset", "")[:45],
            request.POST.get("key", "")[:400],
            request.POST.get("words", ""),
        )
        told = {"org": made.org.name if made.org else _("来源部门"), "day": made.due_on}
        messages.success(request, _("已提出。%(org)s应在 %(day)s 前核实答复；核实期间这一行不计分。") % told)
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("own_enterprise")


@require_GET
def corrections(request):
    """What the official's offices have to answer."""
    if request.actor.person_id is None:
        return redirect("/accounts/login/?next=/desk/corrections")
    if not request.actor.is_staff:
        raise Http404
    return render(
        request, "enterprise/corrections.html", {"corrections": actions.open_corrections(request.actor)}
    )


@require_POST
def answer_correction(request, correction_id):
    """Answer one."""
    if not request.actor.is_staff or correction_id not in {
        c.id for c in actions.open_corrections(request.actor)
    }:
        raise Http404
    try:
        faulty = request.POST.get("faulty") == "true"
        actions.answer(request.actor, correction_id, faulty, request.POST.get("answer", ""))
        messages.success(request, _("已答复，企业会收到消息。"))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("corrections")


@require_GET
@credit_staff
def links(request):
    """One link after the other, side by side; those accepted can be undone here."""
    state = request.GET.get("state", Link.State.REVIEW)
    if state not in Link.State.values:
        raise Http404
    every = link_actions.waiting(state)
    at = request.GET.get("at", "")
    place = next((n for n, one in enumerate(every) if str(one.id) == at), 0)
    link = every[place] if every else None
    context = {
        "link": link, "left": len(every), "state": state, "states": Link.State.choices, "place": place + 1,
        "rows": link_actions.side_by_side(link) if link else [],
        "evidence": [_(e) for e in link.evidence] if link else [],
        "next": every[place + 1] if place + 1 < len(every) else None, "before": every[place - 1] if place else None,
    }  # fmt: skip
    return render(request, "enterprise/links.html", context)


@require_POST
@credit_staff
def decide_link(request, link_id):
    """Accept, reject or undo one."""
    try:
        link_actions.decide(request.actor, link_id, request.POST.get("verdict", ""))
        messages.success(request, _("已处理，企业档案和分类随之更新。"))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("links")


@require_GET
@credit_staff
def fair(request):
    """Shares of the bad classes by industry, size, age and county, of the latest run."""
    run, table = Run.objects.exclude(ended=None).order_by("-began").first(), tables.current()
    labels = {"industry": _("行业门类"), "size": _("规模"), "age": _("成立年数"), "county": _("县区")}
    regions = dict(Region.objects.filter(level__in=("county", "city")).values_list("code", "name"))
    told = []
    for id, rows in (run.counts.get("fairness", {}) if run else {}).items():
        told.append((id, labels.get(id, id), [_share(id, r, regions) for r in rows]))
    bad = fairness.bad_classes(table) if table else []
    hide = table.fairness.hide_under if table and table.fairness else 0
    return render(
        request,
        "enterprise/fairness.html",
        {"run": run, "dimensions": told, "bad": "、".join(bad), "hide": hide},
    )


def _share(id: str, row: dict, regions: dict[str, str]) -> dict:
    value = row["value"] or ""
    named = {
        "county": regions.get(value, value),
        "size": _("%(n)s 万元起") % {"n": value},
        "age": _("%(n)s 年起") % {"n": value},
    }.get(id, value)
    share = None if row["bad"] is None else row["bad"] / row["rated"]
    return {**row, "label": named if value else _("没有登记"), "share": share}


def _shown(request, found: queries.File) -> dict:
    """What both file pages show."""
    table, grade = found.table, found.grade
    stored = found.standing.get("grade")
    lists = {p.id: {c["code"]: c["name"] for c in p.data["codes"]} for p in packs.current().all("codelist")}
    brought = {f.delivery.seq for f in found.facts if f.delivery}
    seen = (
        set(hub.Delivery.objects.filter(seq__in=brought).values_list("seq", flat=True))
        if request.actor.is_staff
        else set()
    )
    facts = [_fact(f, lists, seen) for f in found.facts]
    context = {"file": found, "facts": facts, "stored": stored, "changes": found.standing.get("changes", [])}
    if table is None or grade is None:
        return context
    now = table.of_class(grade.id)
    counted = [p for p in grade.points if p.counts]
    bars = waterfall.bars(table, grade)
    return context | {
        "grade": grade,
        "class": now,
        "in_force": table.of_class(stored["in_force"]) if stored and stored["in_force"] else None,
        "from_day": stored["from_day"] if stored else None,
        "total": grade.total / 100,
        "bars": bars,
        "lines": waterfall.lines(table, grade),
        "height": len(bars) * waterfall.ROW,
        "points": [
            {
                "point": p, "slot": table.slots[p.indicator.slot], "state": _(STATES[p.state]),
                "weighted": p.indicator.points * table.slots[p.indicator.slot].weight / 100,
                "key": p.key.replace(queries.SEPARATOR, " "), "dataset": table.datasets[p.indicator.dataset].name,
            }
            for p in grade.points
        ],
        "remedies": list(dict.fromkeys((p.indicator.name, p.indicator.remedy) for p in counted)),
        "coming": [(day, id, total / 100) for day, id, total in next_changes(grade, table, found.on)] if grade.id else [],
        "table": table,
    }  # fmt: skip


def _fact(f: queries.Fact, lists: dict, seen: set[int]) -> dict:
    told = []
    for x in f.dataset.fields:
        value = f.values.get(x.id)
        if value not in (None, "") and x.id != f.dataset.subject_field:
            text = lists.get(x.codelist, {}).get(str(value)) or shown(x, value)
            told.append((x.name, text))
    return {
        "fact": f,
        "fields": told,
        "link": "、".join(_(e) for e in f.values["_link"].evidence) if "_link" in f.values else "",
        "counted": [p for p in f.points if p.counts],
        "states": [(p.indicator.name, _(STATES[p.state])) for p in f.points],
        "linked": f.delivery is not None and f.delivery.seq in seen,
    }
