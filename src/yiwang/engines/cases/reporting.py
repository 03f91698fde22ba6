"""Cases and ratings as rows for reporting upwards: what happened, and nothing that says to whom."""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone, translation

from yiwang.kernel.packs import api as packs

from .contracts import Phase, Status
from .models import Case, Rating
from .ratings import concerned, published
from .words import RATING, RESULT, STATUS

Row = dict[str, str]
_WAYS = {"online": "网上", "window": "窗口", "api": "接口"}


def case_rows(since: datetime) -> Iterator[Row]:
    """Every item's case filed since a moment, the oldest first. Run it as the system."""
    library = packs.current()
    found = Case.objects.filter(kind="service_item", submitted_at__gte=since).select_related("org", "parent")
    with translation.override("zh-hans"):
        for case in found.order_by("submitted_at", "id").iterator(chunk_size=2000):
            pack = library.find("service_item", case.ref)
            if pack is None:  # the item is gone since: as it was when the case was filed
                pack = packs.library(case.release).find("service_item", case.ref)
            data = pack.data if pack else {}
            yield {
                "number": case.number,
                "bundle": case.parent.number if case.parent else "",
                "base_code": data.get("codes", {}).get("base", ""),
                "item": case.name,
                "item_type": data.get("type", ""),
                "form": data.get("form_of_case", ""),
                "applicant_type": "法人" if data.get("subject") else "自然人",
                "channel": f"{_WAYS.get(case.channel, '')}申请",
                "department": case.org.name if case.org else "",
                "region": case.org.region_id if case.org else "",
                "filed_at": _moment(case.submitted_at),
                "accepted_at": _moment(case.accepted_at),
                "running": "是" if case.accepted_at and case.phase != Phase.SUSPENDED else "",
                "promised_at": _moment(case.due_at) if case.accepted_at else "",
                "decided_at": _moment(case.decided_at),
                "closed_at": _moment(case.closed_at),
                "state": str(STATUS[Status(case.status)]),
                "result": str(RESULT[case.result]) if case.result else "",
                "supplemented": "是" if "supplement" in case.extra else "否",
                "visits": str(case.extra["burden"]["visits"]) if "burden" in case.extra else "",
            }


def rating_rows(since: datetime) -> Iterator[Row]:
    """Every rating given since a moment, with what became of a bad one. Run it as the system."""
    bad = packs.current().get("rating_rules", "rating").data["bad"]
    found = Rating.objects.filter(created__gte=since).select_related("case__org")
    with translation.override("zh-hans"):
        for rating in found.prefetch_related("case__rectifications").order_by("created").iterator(500):
            case = rating.case
            mending = [r for r in case.rectifications.all() if r.kind == "rating"]
            last = max(mending, key=lambda r: r.round) if mending else None
            org = case.org or next(iter(child.org for child in case.children.all() if child.org), None)
            yield {
                "number": case.number,
                "item": case.name,
                "department": org.name if org else "",
                "region": org.region_id if org else "",
                "channel": _WAYS.get(case.channel, ""),
                "level": str(RATING[rating.level]),
                "rated_at": _moment(rating.created),
                "comment": published(rating.comment, *concerned(case)) if rating.comment else "",
                "bad": "是" if rating.level in bad else "否",
                "mended_at": _moment(last.answered_at) if last else "",
                "solved": "" if last is None or last.solved is None else "是" if last.solved else "否",
            }


def _moment(at: datetime | None) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S") if at else ""
