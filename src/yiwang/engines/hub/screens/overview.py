"""All datasets with what came against what should have come; one dataset; one record as of a day."""

from datetime import date, datetime, time, timedelta

from django.core.paginator import Paginator
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from yiwang.engines.hub import actions, datasets, history, queries
from yiwang.engines.hub.masks import shown
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.packs import api as packs

from .guard import data_staff, seen

PER_PAGE = 20
PURPOSE = "数据管理"


@require_GET
@data_staff
def overview(request):
    """Datasets and departments."""
    lines = queries.overview(request.actor)
    return render(
        request,
        "hub/overview.html",
        {
            "lines": lines,
            "own": not actions.is_steward(request.actor),
            "departments": queries.by_department(lines),
            "late": sum(one.overdue for one in lines),
            "reports": queries.functions_of(request.actor),
            "now": timezone.now(),
        },
    )


@require_GET
@data_staff
def dataset(request, dataset):
    """One dataset: figures, deliveries, quality over time, fields."""
    found = seen(request, dataset)
    page = Paginator(queries.deliveries(found), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "hub/dataset.html",
        {
            "dataset": found,
            "pack": packs.current().get("dataset", found.id),
            "line": queries.line(found, request.actor),
            "offices": queries.offices(request.actor, found),
            "page": page,
            "qualities": queries.qualities(found),
            "reports": actions.office_of(request.actor, found) is not None,
            "keys": [found.field(k) for k in found.key],
        },
    )


@require_GET
@data_staff
def record(request, dataset):
    """A record by its key: as it stood on a day, by what was known on a day; and every version of it."""
    found = seen(request, dataset)
    key = {k: request.GET.get(k, "").strip()[:200].replace("\0", "") for k in found.key}
    context = {
        "dataset": found,
        "keys": [(found.field(k), key[k]) for k in found.key],
        "asked": any(key.values()),
    }
    today = timezone.localdate()
    known, valid = _day(request.GET.get("known"), today), _day(request.GET.get("valid"), today)
    if context["asked"]:
        try:
            context |= _answer(found, key, known, valid)
        except Refused as refused:
            context["error"] = str(refused)
    context |= {"known": known.isoformat(), "valid": valid.isoformat()}
    return render(request, "hub/record.html", context, status=422 if "error" in context else 200)


def _day(text: str | None, otherwise: date) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return otherwise


def _answer(found: datasets.Dataset, key: dict[str, str], known: date, valid: date) -> dict:
    """Known on a day means: by the end of that day."""
    every = queries.versions(found, key, PURPOSE)
    end = timezone.make_aware(datetime.combine(known, time.min) + timedelta(days=1))
    told = history.pick(every, end, valid)
    seqs = {v[n] for v in every for n in ("_delivery", "_seen")} | {v["_until"] for v in every if v["_until"]}
    sources = queries.sources(seqs)
    return {
        "found": told,
        "ended": told is not None and history.ended(told, valid),
        "fields": [(f.name, shown(f, told.get(f.id))) for f in found.fields] if told else [],
        "versions": [_version(found, v, sources) for v in every],
        "purpose": PURPOSE,
    }


def _version(found, v: dict, sources: dict) -> dict:
    return {
        "valid_from": history.day(v["_valid_from"]),
        "as_of": history.moment(v["_as_of"]),
        "sys_from": history.moment(v["_sys_from"]),
        "sys_to": history.moment(v["_sys_to"]) if v["_sys_to"] else None,
        "withdrawn": v["_withdrawn"],
        "late": v["_until"] == v["_delivery"],
        "row": v["_row"],
        "brought": sources.get(v["_delivery"]),
        "said": sources.get(v["_seen"]) if v["_seen"] != v["_delivery"] else None,
        "told": _("撤回") if v["_withdrawn"] else "；".join(
            f"{f.name}：{shown(f, v[f.id])}" for f in found.fields if v.get(f.id) not in (None, "")
        )[:400],
    }  # fmt: skip
