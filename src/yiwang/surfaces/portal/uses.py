"""谁用过我的数据: every use with its explanation and its proof, a doubt in one click; and the ledger's public heads."""

import re
from datetime import date

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from yiwang.engines.cases import api as cases
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.accounts.queries import offices_of
from yiwang.kernel.ledger import actions, heads, proofs, queries, sequencing
from yiwang.kernel.ledger.models import Head
from yiwang.kernel.ledger.purposes import field_names, purposes, source_names
from yiwang.kernel.orgs.models import Organisation

_TEXT = "text/plain; charset=utf-8"


PER_PAGE = 30  # lines


@require_GET
def uses(request):
    """Uses of the actor's data, by whom, for what; own looks and the system's runs folded, a line a day."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next=/uses")
    of = request.GET.get("of", "")
    of = of if of in queries.KINDS else ""
    on = _day(request.GET.get("on", ""))
    page = Paginator(queries.lines_of(request.actor, of, on), PER_PAGE).get_page(request.GET.get("page"))
    entries = queries.entries_of(request.actor, [line["single"] for line in page if line["single"]])
    rows = {row["entry"].id: row for row in _rows(request, entries)}
    told = {k: v for k, v in (("of", of), ("on", on.isoformat() if on else "")) if v}
    return render(
        request,
        "portal/uses.html",
        {
            "lines": [(line, rows.get(line["single"])) for line in page],
            "page": page,
            "of": of,
            "on": on,
            "query": urlencode(told),
        },
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@require_GET
def use(request, entry_id):
    """One use: explained, with what proves that it stands in the ledger."""
    return _use(request, entry_id)


def _use(request, entry_id, error: str = "", words: str = ""):
    """The page of one use; with an error, what was typed stays."""
    entry = queries.entry_of(request.actor, entry_id)
    if entry is None:
        raise Http404
    (row,) = _rows(request, [entry])
    last = row["doubts"][-1] if row["doubts"] else None
    return render(
        request,
        "portal/use.html",
        {
            "row": row,
            "fields": field_names(entry.use.source, entry.use.fields),
            "proof": proofs.inclusion(entry.id),
            "may_ask": last is None or (last.answered_at and last.round < actions.ROUNDS),
            "errors": [{"anchor": "words", "message": error}] if error else [],
            "words": words,
        },
        status=422 if error else 200,
    )


@require_GET
def use_proof(request, entry_id):
    """The proof as a file, to be checked without us."""
    entry = queries.entry_of(request.actor, entry_id)
    proof = proofs.inclusion(entry.id) if entry else None
    if proof is None:
        raise Http404
    answer = JsonResponse(proofs.evidence(entry, proof) | {"key": heads.verifier_key()})
    answer["Content-Disposition"] = f'attachment; filename="use-{entry.id}.json"'
    return answer


@require_POST
def doubt(request, entry_id):
    """The person doubts a use, or is not content with the answer; who is asked has to answer."""
    entry = queries.entry_of(request.actor, entry_id)
    if entry is None:
        raise Http404
    words = request.POST.get("words", "").replace("\0", "")
    try:
        actions.doubt(request.actor, entry.use_id, words)
    except Refused as refused:
        return _use(request, entry_id, str(refused), words)
    messages.success(request, _("已提出。会在期限内答复您，答复会发到您的消息里。"))
    return redirect("use", entry.id)


def _rows(request, entries) -> list[dict]:
    sources = source_names()
    why = purposes()
    orgs = dict(
        Organisation.objects.filter(id__in={o for e in entries for o in e.use.orgs}).values_list("id", "name")
    )
    offices = offices_of(request.actor, {e.use.actor for e in entries})
    numbers = cases.numbers_of(request.actor, {e.use.case_id for e in entries if e.use.case_id})
    doubts = queries.doubts_of(request.actor)
    return [
        {
            "entry": e,
            "use": e.use,
            "source": sources.get(e.use.source, e.use.source),
            "by": _by(request, e.use, orgs, offices),
            "says": why[e.use.purpose].says if e.use.purpose in why else "",
            "case": numbers.get(e.use.case_id),
            "doubts": doubts.get(e.use_id, []),
            "doubt": doubts[e.use_id][-1] if e.use_id in doubts else None,
        }
        for e in entries
    ]


def _by(request, made, orgs: dict, offices: dict[str, str]) -> str:
    if made.actor == request.actor.label:
        return _("您本人办理时")
    if made.actor == "system":
        return _("系统自动核验")
    named = [orgs[o] for o in made.orgs if o in orgs]
    return "、".join(named) or offices.get(made.actor) or _("您授权的代办人")


@require_GET
def ledger(request):
    """What the ledger is, its key and its heads, for anybody."""
    return render(
        request,
        "portal/ledger.html",
        {
            "heads": Head.objects.order_by("-size")[:24],
            "size": sequencing.size(),
            "key": heads.verifier_key(),
        },
    )


@require_GET
def checkpoint(request):
    """The latest signed head, for witnesses."""
    head = heads.latest()
    if head is None:
        raise Http404
    return HttpResponse(head.note, content_type=_TEXT)


@require_GET
def ledger_key(request):
    """The public key in one line."""
    return HttpResponse(heads.verifier_key() + "\n", content_type=_TEXT)


@require_GET
def consistency(request):
    """``?old=&new=``: what shows that the newer tree only added to the older one, hashes in hexadecimal."""
    old, new = request.GET.get("old", ""), request.GET.get("new", "")
    if not (re.fullmatch(r"[0-9]{1,15}", old) and re.fullmatch(r"[0-9]{1,15}", new)):
        return JsonResponse({"error": _("old 和 new 要写树的大小，例如 ?old=10&new=20。")}, status=422)
    if not 1 <= int(old) <= int(new) <= sequencing.size():
        return JsonResponse({"error": _("要满足 1 ≤ old ≤ new ≤ 现在的大小。")}, status=422)
    path = [h.hex() for h in proofs.consistency(int(old), int(new))]
    return JsonResponse({"old": int(old), "new": int(new), "path": path})


@require_GET
def tile(request, level: int, number: int):
    """Raw hashes of one tile, for witnesses who keep the tree."""
    found = sequencing.tile(level, number)
    if found is None:
        raise Http404
    return HttpResponse(found, content_type="application/octet-stream")
