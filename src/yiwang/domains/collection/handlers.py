"""A dataset that did not come is a case of the office that reports it; what a matter found goes back as data."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.cases import api as cases
from yiwang.engines.hub import api as hub
from yiwang.kernel import feel
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.audit.api import record
from yiwang.kernel.events.api import on
from yiwang.kernel.orgs.models import Organisation
from yiwang.kernel.orgs.queries import office_with
from yiwang.kernel.packs import api as packs

OVERDUE = "hub.overdue"
UNREPORTED = "hub.unreported"
PULL_FAILED = "hub.pull_failed"


@on(OVERDUE)
def overdue(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Open a matter in every office that reports the dataset (in one, if it alone is late), once for a due day."""
    for org in hub.offices_of(body["department"]):
        if body.get("org") in (None, str(org.id)):
            _open(OVERDUE, org, _about(body), (body["dataset"], body["due"], org.id), "/upload")


@on(UNREPORTED)
def unreported(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Nobody has the post: a matter of those who look after data in general, once for a due day."""
    org = office_with(hub.STEWARD, "")
    if org is not None:
        _open(UNREPORTED, org, _about(body), (body["dataset"], body["due"]))


def _about(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": body["dataset"],
        "dataset": body["name"],
        "department": body["department"],
        "due": _day(body["due"]),
        "latest": _day(body["latest"]) if body["latest"] else _("还没有收到过"),
    }


def _open(event: str, org: Organisation, data: dict[str, Any], key: tuple, page: str = "") -> None:
    for pack in cases.matters_for(event):
        cases.open_matter(
            pack.id, key, org, data, about=data["dataset"], link=f"/desk/hub/{data['id']}{page}"
        )


def _day(moment: str) -> str:
    return f"{timezone.localtime(datetime.fromisoformat(moment)):%Y-%m-%d}"


@on("hub.loaded")
def arrived(body: dict[str, Any], trace_id: UUID | None) -> None:
    """What was late has come: nobody needs to say so. Of a territory, only whose data came is no longer late.

    Data of an old period, or what a matter wrote back, is not what was asked for.
    """
    reason = _("数据已经收到（批次 %(seq)s），系统办结。") % {"seq": body["seq"]}
    dataset = hub.find(body["dataset"])
    in_time = dataset is None or not hub.is_overdue(dataset)
    if dataset is not None and dataset.territory:
        orgs = {org.id for org in hub.in_time_by(dataset, hub.Delivery.objects.get(seq=body["seq"]))}
        cases.seen_done(OVERDUE, reason, orgs=orgs, id=body["dataset"])
    elif in_time:
        cases.seen_done(OVERDUE, reason, id=body["dataset"])
    if in_time:
        cases.seen_done(UNREPORTED, reason, id=body["dataset"])


def _said_done(case: cases.Case) -> None:
    """An office says that it has delivered, or that there is nothing: the first is looked at, the second counts."""
    dataset = hub.find(case.data["id"])
    if dataset is None or case.org is None or not hub.is_late(dataset, case.org):
        return
    (pack,) = (p for p in cases.matters_for(OVERDUE) if p.id == case.ref)
    if cases.outcome_of(case)["outcome"] != pack.data.get("done"):
        hub.nothing_new(SYSTEM, dataset, case.closed_at, case.org if dataset.territory else None)
        return
    latest = _("%(case)s 说已报送，平台没有收到") % {"case": case.number}
    _open(OVERDUE, case.org, {**case.data, "latest": latest}, (case.data["id"], case.number), "/upload")


@on("cases.closed")
def write_back(body: dict[str, Any], trace_id: UUID | None) -> None:
    """What a matter found becomes a record of the dataset that its pack names (``result``)."""
    case = cases.find(SYSTEM, UUID(body["case"]))
    if case is None or case.kind != cases.MATTER:
        return
    if case.ref in {pack.id for pack in cases.matters_for(OVERDUE)}:
        _said_done(case)
    said = packs.library(case.release).get(cases.MATTER, case.ref).data.get("result")
    ended = cases.outcome_of(case)
    if not said or ended["outcome"] in said.get("unless", ()):
        return
    known = {
        **case.data,
        **ended,
        "case_no": case.number,
        "today": timezone.localdate(case.closed_at).isoformat(),
        "organisation": case.org.name if case.org else "",
    }
    row = {field: feel.parse(text).evaluate(known) for field, text in said["row"].items()}
    dataset = hub.current(said["dataset"])
    delivery, new = hub.push(SYSTEM, dataset, [row], case.number, case.closed_at)
    if new:
        about = {"dataset": dataset.id, "case": case.number}
        record(SYSTEM, "matter.written-back", "delivery", delivery.uid, trace_id, **about)


@on(PULL_FAILED)
def not_pulled(body: dict[str, Any], trace_id: UUID | None) -> None:
    """A matter of those who look after data in general, one at a time for a dataset."""
    org, now = office_with(hub.STEWARD, ""), timezone.now()
    for pack in cases.matters_for(PULL_FAILED) if org else ():
        if not cases.has_open_matter(pack.id, id=body["dataset"]):
            data = {
                "id": body["dataset"],
                "dataset": body["name"],
                "setting": body["setting"],
                "since": f"{timezone.localtime(now):%Y-%m-%d %H:%M}",
                "why": body["why"],
            }
            link = f"/desk/hub/{body['dataset']}"
            key = (body["dataset"], now.isoformat())
            cases.open_matter(pack.id, key, org, data, about=body["name"], link=link)


@on("hub.pulled")
def pulled(body: dict[str, Any], trace_id: UUID | None) -> None:
    """The source answers again."""
    cases.seen_done(PULL_FAILED, _("又取到了，系统办结。"), id=body["dataset"])
