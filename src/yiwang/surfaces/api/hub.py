"""Data of other departments: pushing a dataset, trying a push without storing it, reading a record as of a day."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, JsonResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router

from yiwang.engines.hub import api as hub
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.packs.contracts import UnknownPack

from . import access, shapes

router = Router(tags=["hub"])
SHOWN = 200  # messages in an answer
ROOT = "/api/v1/"


def _dataset(request: HttpRequest, id: str) -> hub.Dataset:
    found = hub.find(id)
    if found is None or not hub.may_see(request.actor, found):
        raise Http404
    return found


@router.get("/hub/datasets", response=shapes.Datasets, auth=access.read, summary=_("您能看到的数据集"))
def every(request: HttpRequest):
    """Datasets with what came against what should have come."""
    return {
        "items": [
            {
                "id": one.dataset.id,
                "name": one.dataset.name,
                "department": one.dataset.department,
                "version": one.dataset.version,
                "rows": one.rows,
                "expected": one.dataset.expected_rows,
                "as_of": one.as_of,
                "due": one.due,
                "overdue": one.overdue,
                "score": one.quality.score if one.quality else None,
            }
            for one in hub.overview(request.actor)
        ]
    }


@router.get("/hub/datasets/{dataset}/openapi.json", auth=access.read, summary=_("由合同生成的推送接口说明"))
def described(request: HttpRequest, dataset: str):
    """OpenAPI 3.1 of pushing this dataset; its record is the contract as JSON Schema."""
    contract = hub.bound_for(request.actor, _dataset(request, dataset))
    return JsonResponse(hub.openapi(contract, ROOT), json_dumps_params={"ensure_ascii": False})


def _checked(request: HttpRequest, dataset: hub.Dataset, batch: shapes.Push) -> dict[str, Any]:
    as_of = timezone.localtime(_moment(batch.as_of)).date()
    good, bad, messages = hub.check(hub.bound_for(request.actor, dataset, batch.office), batch.records, as_of)
    told = [
        {
            "record": m.row,
            "field": m.field,
            "value": m.value,
            "what": m.what,
            "remedy": m.remedy,
            "proposal": m.proposal,
        }
        for m in messages[:SHOWN]
    ]
    return {"good": good, "refused": bad, "messages": told}


def _moment(given: datetime | None) -> datetime:
    if given is None:
        return timezone.now()
    return given if timezone.is_aware(given) else timezone.make_aware(given)


@router.post(
    "/hub/datasets/{dataset}/sandbox",
    response=shapes.Checked,
    auth=access.handle,
    summary=_("试推：校验，不入库"),
)
def sandbox(request: HttpRequest, dataset: str, body: shapes.Push):
    """Judged exactly as a push is; nothing is stored."""
    return _checked(request, _dataset(request, dataset), body)


@router.post(
    "/hub/datasets/{dataset}/records",
    response={202: shapes.Pushed},
    auth=access.handle,
    summary=_("推送一批记录；同一批次号只收一次"),
)
def push(request: HttpRequest, dataset: str, body: shapes.Push):
    """Good records will be loaded within seconds; refused ones are told here and now."""
    found = _dataset(request, dataset)
    told = _checked(request, found, body)
    mode = hub.Mode(body.mode) if body.mode else hub.Mode.CHANGE
    office = hub.office_of(request.actor, found, body.office)
    delivery, new = hub.push(
        request.actor, found, body.records, body.batch, _moment(body.as_of), mode, office
    )
    return 202, {**told, "delivery": delivery.uid, "new": new}


@router.get(
    "/hub/deliveries/{delivery_id}",
    response=shapes.DeliveryState,
    auth=access.read,
    summary=_("一批数据的结果"),
)
def delivery(request: HttpRequest, delivery_id: UUID):
    """State, counts and messages of a delivery of the caller's office. Stewards see no personal cell of others."""
    found = hub.delivery(request.actor, delivery_id)
    if found is None:
        raise Http404
    try:
        messages = hub.messages(request.actor, found)
    except UnknownPack as unknown:
        raise Http404 from unknown
    return {
        "id": found.uid,
        "number": found.seq,
        "dataset": found.dataset,
        "state": found.state,
        "error": found.error,
        "as_of": found.as_of,
        "loaded_at": found.loaded_at,
        "counts": found.counts,
        "messages": messages,
    }


@router.get("/hub/datasets/{dataset}/record", auth=access.read, summary=_("一条记录在某天的情况，按某天所知"))
def record(
    request: HttpRequest,
    dataset: str,
    key: str = Query(max_length=400),
    purpose: str = Query(max_length=60),
    known_at: datetime | None = None,
    valid_at: date | None = None,
):
    """The key's values, with commas in the order of the contract's key. The look leaves a trace."""
    found = _dataset(request, dataset)
    parts = key.split(",")
    if len(parts) != len(found.key):
        told = "、".join(found.field(k).name for k in found.key)
        raise Refused(
            _("key 应写 %(n)s 个值（%(names)s），用逗号分开。") % {"n": len(found.key), "names": told}
        )
    values = dict(zip(found.key, (p.strip() for p in parts), strict=True))
    known = _moment(known_at) if known_at else timezone.now() + timedelta(seconds=1)
    told = hub.as_of(found, values, known, valid_at, purpose)
    if told is None:
        raise Http404
    moments = {
        k: told[k]
        for k in ("_valid_from", "_valid_to", "_as_of", "_sys_from", "_sys_to", "_delivery", "_row")
    }
    return JsonResponse(
        {
            "record": {f.id: told.get(f.id) for f in found.fields},
            "withdrawn": told["_withdrawn"],
            "ended": told["_ended"],
            **{name.lstrip("_"): value for name, value in moments.items()},
        },
        json_dumps_params={"ensure_ascii": False},
    )


@router.get("/hub/grants", response=shapes.Grants, auth=access.read, summary=_("您的单位可以用的数据集"))
def grants(request: HttpRequest):
    """Grants of the caller's offices: fields, quota and what was used today."""
    held = list(hub.grants_of(request.actor)[:200])
    used = hub.used_today(held)
    return {
        "items": [
            {
                "id": one.id,
                "dataset": one.dataset,
                "purpose": one.purpose,
                "fields": one.fields,
                "rows": one.rows,
                "daily": one.daily,
                "used_today": used.get(one.id, 0),
                "since": one.since,
                "until": one.until,
                "in_force": hub.in_force(one),
            }
            for one in held
        ]
    }


@router.get(
    "/hub/grants/{share_grant_id}/records",
    response={
        200: shapes.Granted,
        403: shapes.Error,
        422: shapes.Error,
        429: shapes.Error,
        503: shapes.Error,
    },
    auth=access.read,
    summary=_("按授权取记录；每个主体记入账本"),
)
def granted(
    request: HttpRequest,
    share_grant_id: UUID,
    subject: str = Query("", max_length=40, description=str(_("只取一个主体的记录"))),
    after: str = Query("", max_length=4000, description=str(_("翻页：上一页给出的 next"))),
    since: str = Query(
        "",
        max_length=4000,
        description=str(_("只取变化：上一次取完时给出的 next_since，原样交回；也可写一个批次的编号")),
    ),
    most: int = Query(100, ge=1, le=1000),
):
    """Fields, rows and masks as the grant says; ``_disputed``: a correction is asked for; ``_repaired``: the day from
    which a repair of credit takes effect, or null.

    With ``since`` only what is different: records that came, changed, or are marked otherwise, and as key and
    ``_withdrawn: true`` alone those that this grant gave out since then and no longer does, because they were
    withdrawn, changed so that it does not cover them, or passed what the source gives out (a day, say).

    403 when it has ended, 429 when today's quota is used up, 503 for a moment after packs were loaded."""
    try:
        page = hub.granted(request.actor, share_grant_id, subject, after, since, most)
    except hub.NoGrant:
        raise Http404 from None
    except hub.Over as over:
        return (429 if over.code == "quota" else 403), {
            "error": over.code,
            "message": str(over),
            "fields": {},
        }
    except hub.Unsettled as unsettled:
        return 503, {"error": unsettled.code, "message": str(unsettled), "fields": {}}
    except hub.BadPlace as bad:
        return 422, {"error": "invalid", "message": str(bad), "fields": {bad.field: str(bad)}}
    return 200, {"records": page.records, "next": page.next, "next_since": page.next_since}


@router.get(
    "/hub/grants/{share_grant_id}/download",
    auth=access.read,
    summary=_("一次取完：逐行 JSON，最后一行写明是否完整，没有取完的写明从哪里接着取"),
)
def download(request: HttpRequest, share_grant_id: UUID, after: str = Query("", max_length=4000)):
    """Lines of JSON. The grant is looked at anew every few thousand records, so one that ends stops the stream.

    The last line of a whole download has ``next_since``: pages with it as ``since`` give what is different later."""
    if not hub.has_grant(request.actor, share_grant_id):
        raise Http404
    lines = hub.stream(request.actor, share_grant_id, after)
    return StreamingHttpResponse(lines, content_type="application/x-ndjson")


@router.get("/hub/catalogue.jsonld", auth=access.read, summary=_("数据目录（DCAT-AP 3，JSON-LD）"))
def catalogue(request: HttpRequest):
    """Every dataset of the catalogue, for other catalogues to harvest."""
    if not request.actor.is_staff:
        raise Http404
    return JsonResponse(
        hub.catalogue_of(request.build_absolute_uri("/desk/data/"), request.build_absolute_uri(ROOT)),
        content_type="application/ld+json",
        json_dumps_params={"ensure_ascii": False},
    )
