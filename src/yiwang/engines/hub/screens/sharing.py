"""Asking for a dataset, answering, using and ending a grant."""

import csv
from datetime import date, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from yiwang.engines.hub import datasets
from yiwang.engines.hub.contracts import Dataset
from yiwang.engines.hub.masks import PERSONAL
from yiwang.engines.hub.models import SharingGrant, SharingRequest
from yiwang.engines.hub.sharing import actions, queries
from yiwang.engines.hub.sharing.contracts import Ask, Condition, Test
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.access.guards import staff_only
from yiwang.kernel.orgs.models import Organisation

from .catalogue import found
from .words import TESTS, in_words, limits_in_words

CONDITIONS = 3  # rows of conditions on the form


@require_http_methods(["GET", "POST"])
@staff_only
def ask(request, dataset):
    """The form of a request. What was entered stays when something is wrong."""
    one = found(dataset)
    offices = Organisation.objects.filter(id__in=list(request.actor.posts)).order_by("name")
    told, faults = _before(request, one), []
    if request.method == "POST":
        told = request.POST
        office = next((o for o in offices if str(o.id) == told.get("org")), None)
        try:
            if office is None:
                raise Refused(_("请选择以哪个单位的名义申请。"))
            made = actions.ask(request.actor, one, office.id, _wish(told), _uuid(told.get("renews")))
            return redirect("share_request", share_request_id=made.id)
        except actions.Faulty as faulty:
            faults = [{"anchor": f.field, "message": f.text} for f in faulty.faults]
        except Refused as refused:
            faults = [{"anchor": "org", "message": str(refused)}]
    return render(
        request,
        "hub/ask.html",
        {
            "dataset": one, "limits": limits_in_words(one), "offices": offices, "told": told, "errors": faults,
            "fields": _fields(one, told), "conditions": _conditions(one, told), "tests": TESTS.items(),
            "rules": actions.rules(), "last": timezone.localdate() + timedelta(days=actions.rules().longest),
            "today": timezone.localdate(),
        },
        status=422 if faults else 200,
    )  # fmt: skip


def _before(request, dataset: Dataset):
    """What a renewal begins with: the request before."""
    grant = queries.grant_of(renews) if (renews := _uuid(request.GET.get("renews"))) else None
    if grant is None or grant.dataset != dataset.id or grant.org_id not in request.actor.posts:
        return QueryDict(urlencode({"purpose": actions.rules().purpose}))
    before = grant.request
    one = {
        "org": str(before.org_id), "purpose": before.purpose, "basis": before.basis, "reasons": before.reasons,
        "daily": str(before.daily), "renews": str(grant.id),
    }  # fmt: skip
    for n, row in enumerate(before.rows, 1):
        one |= {f"field{n}": row["field"], f"test{n}": row["test"], f"value{n}": row["value"]}
    return QueryDict(urlencode(one | {"fields": before.fields, "plain": before.plain}, doseq=True))


def _uuid(text):
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _wish(told) -> Ask:
    rows = []
    for n in range(1, CONDITIONS + 1):
        field, test, value = (
            told.get(f"{k}{n}", "")[:200].replace("\0", "") for k in ("field", "test", "value")
        )
        if field:
            rows.append(Condition(field, Test(test) if test in list(Test) else Test.IS, value))
    return Ask(
        fields=tuple(told.getlist("fields"))[:200],
        plain=frozenset(told.getlist("plain")),
        purpose=told.get("purpose", "")[:60],
        basis=told.get("basis", "")[:200].replace("\0", ""),
        reasons=told.get("reasons", "")[:2000].replace("\0", ""),
        until=_day(told.get("until", "")),
        daily=int(d) if (d := told.get("daily", "").strip()).isdecimal() and len(d) < 10 else None,
        rows=tuple(rows),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _fields(dataset: Dataset, told):
    wanted, plain = set(told.getlist("fields")), set(told.getlist("plain"))
    return [
        {
            "it": f,
            "key": f.id in dataset.key,
            "on": f.id in wanted,
            "personal": f.level in PERSONAL,
            "plain": f.id in plain,
        }
        for f in dataset.fields
    ]


def _conditions(dataset: Dataset, told):
    return [
        {
            "n": n,
            "field": told.get(f"field{n}", ""),
            "test": told.get(f"test{n}", ""),
            "value": told.get(f"value{n}", ""),
        }
        for n in range(1, CONDITIONS + 1)
    ]


@require_GET
@staff_only
def mine(request):
    """What the actor's offices asked for, may use, have to answer and have given."""
    actor = request.actor
    return render(
        request,
        "hub/sharing.html",
        {
            "to_answer": [(r, _named(r.dataset)) for r in queries.requests_to_answer(actor)[:100]],
            "asked": [(r, _named(r.dataset)) for r in queries.requests_of(actor)[:100]],
            "grants": [(g, _named(g.dataset), _stands(g)) for g in queries.grants_of(actor)[:100]],
            "given": [(g, _named(g.dataset), _stands(g)) for g in queries.grants_given(actor)[:100]],
            "now": timezone.now(),
        },
    )


def _stands(grant: SharingGrant) -> dict[str, str]:
    """How a grant stands today: the words and the tone of its tag."""
    if grant.revoked_at:
        return {"says": _("已收回"), "tone": "warn"}
    if actions.begins_later(grant):
        return {"says": _("将于 %(day)s 生效") % {"day": f"{grant.since:%Y-%m-%d}"}, "tone": ""}
    if actions.in_force(grant):
        return {"says": _("有效"), "tone": "ok"}
    return {"says": _("已到期"), "tone": ""}


def _named(dataset: str) -> str:
    one = datasets.find(dataset)
    return one.name if one else dataset


def _seen_request(request, id) -> SharingRequest:
    """One request that is the actor's to see: his office's, the source's, or a steward's. Raises Http404."""
    one = queries.request_of(id)
    if one is None or not queries.concerns(request.actor, one):
        raise Http404
    return one


def _seen_grant(request, id) -> SharingGrant:
    one = queries.grant_of(id)
    if one is None or not queries.concerns(request.actor, one):
        raise Http404
    return one


@require_http_methods(["GET", "POST"])
@staff_only
def share_request(request, share_request_id):
    """One request; the source answers it here, the office that asked withdraws it."""
    one = _seen_request(request, share_request_id)
    refusal = ""
    if request.method == "POST":
        try:
            if request.POST.get("do") == "withdraw":
                actions.withdraw(request.actor, one.id)
                messages.success(request, _("已撤回。"))
            else:
                agreed = request.POST.get("do") == "agree"
                plain = frozenset(request.POST.getlist("plain"))
                actions.answer(request.actor, one.id, agreed, request.POST.get("answer", "")[:2000], plain)
                messages.success(request, _("已答复，对方会收到消息。"))
            return redirect("share_request", share_request_id=one.id)
        except Refused as refused:
            refusal = str(refused)
    dataset = datasets.find(one.dataset)
    fields = [f for f in dataset.fields if f.id in one.fields] if dataset else []
    return render(
        request,
        "hub/request.html",
        {
            "asked": one, "dataset": dataset, "name": _named(one.dataset), "rows": in_words(one, dataset),
            "fields": [(f, f.level in PERSONAL and f.id not in dataset.key, f.id in one.plain) for f in fields],
            "may_answer": one.state == "asked" and actions.may_answer(request.actor, one),
            "may_withdraw": one.state == "asked" and one.org_id in request.actor.posts,
            "grant": SharingGrant.objects.filter(request=one).first(), "now": timezone.now(),
            "errors": [{"anchor": "answer", "message": refusal}] if refusal else [],
            "typed": request.POST.get("answer", ""), "ticked": request.POST.getlist("plain"),
        },
        status=422 if refusal else 200,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@staff_only
def share_grant(request, share_grant_id):
    """One grant: what it covers, how to use it, how much it was used; revocation."""
    one = _seen_grant(request, share_grant_id)
    refusal = ""
    if request.method == "POST":
        try:
            ended = actions.revoke(request.actor, one.id, request.POST.get("why", "")[:2000])
            told = {"days": "、".join(f"{g.since:%Y-%m-%d} — {g.until:%Y-%m-%d}" for g in ended[1:])}
            more = _("续期的授权（%(days)s）也已一并结束。") % told if ended[1:] else ""
            messages.success(request, _("授权已结束，从现在起取不到数据。") + more)
            return redirect("share_grant", share_grant_id=one.id)
        except Refused as refused:
            refusal = str(refused)
    dataset = datasets.find(one.dataset)
    names = {f.id: f.name for f in dataset.fields} if dataset else {}
    return render(
        request,
        "hub/grant.html",
        {
            "grant": one, "name": _named(one.dataset), "rows": in_words(one, dataset),
            "fields": [(names.get(f["id"], f["id"]), f) for f in one.fields], "in_force": actions.in_force(one),
            "stands": _stands(one), "renewals": actions.renewals_of(request.actor, one),
            "days": queries.use_by_day(one), "today": queries.used_today([one]).get(one.id, 0),
            "mine": one.org_id in request.actor.posts,
            "may_revoke": one.revoked_at is None and actions.may_revoke(request.actor, one),
            "address": request.build_absolute_uri(f"/api/v1/hub/grants/{one.id}/records"),
            "errors": [{"anchor": "why", "message": refusal}] if refusal else [],
            "typed": request.POST.get("why", ""),
        },
        status=422 if refusal else 200,
    )  # fmt: skip


@require_GET
@staff_only
def report(request, share_grant_id):
    """The usage report as a table: day, reads, records, callers."""
    one = _seen_grant(request, share_grant_id)
    answer = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="use-{one.id}.csv"'
    writer = csv.writer(answer)
    writer.writerow([_("日期"), _("取用次数"), _("记录条数"), _("其中告知不再提供"), _("账号数")])
    for day in queries.use_by_day(one, 3650):
        writer.writerow([day["day"], day["reads"], day["taken"], day["left"], day["callers"]])
    return answer
