"""Data of other departments: pushing a dataset, trying a push without storing it, reading a record as of a day."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router

from yiwang.engines.hub import api as hub
from yiwang.kernel.access.contracts import Refused

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
    return JsonResponse(
        hub.openapi(_dataset(request, dataset), ROOT), json_dumps_params={"ensure_ascii": False}
    )


def _checked(dataset: hub.Dataset, batch: shapes.Push) -> dict[str, Any]:
    as_of = timezone.localtime(_moment(batch.as_of)).date()
    good, bad, messages = hub.check(dataset, batch.records, as_of)
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
    return _checked(_dataset(request, dataset), body)


@router.post(
    "/hub/datasets/{dataset}/records",
    response={202: shapes.Pushed},
    auth=access.handle,
    summary=_("推送一批记录；同一批次号只收一次"),
)
def push(request: HttpRequest, dataset: str, body: shapes.Push):
    """Good records will be loaded within seconds; refused ones are told here and now."""
    found = _dataset(request, dataset)
    told = _checked(found, body)
    mode = hub.Mode(body.mode) if body.mode else hub.Mode.CHANGE
    delivery, new = hub.push(request.actor, found, body.records, body.batch, _moment(body.as_of), mode)
    return 202, {**told, "delivery": delivery.uid, "new": new}


@router.get(
    "/hub/deliveries/{delivery_id}",
    response=shapes.DeliveryState,
    auth=access.read,
    summary=_("一批数据的结果"),
)
def delivery(request: HttpRequest, delivery_id: UUID):
    """State, counts and messages of a delivery of the caller's office."""
    found = hub.delivery(request.actor, delivery_id)
    if found is None:
        raise Http404
    return {
        "id": found.uid,
        "number": found.seq,
        "dataset": found.dataset,
        "state": found.state,
        "error": found.error,
        "as_of": found.as_of,
        "loaded_at": found.loaded_at,
        "counts": found.counts,
        "messages": found.messages,
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
