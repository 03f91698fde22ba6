"""权力运行公开: decisions that anybody may read, with every step that led to them and nobody's personal data.

Which types of items are public, for how long and how applicants are named is a pack (``disclosure_rules``).
The steps say when, by which post and with what outcome; the names of officials and the reasons, which may
speak of persons, stay with the applicant and the office.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.utils import timezone

from yiwang.kernel.access.contracts import Actor
from yiwang.kernel.access.session import as_system
from yiwang.kernel.packs import api as packs
from yiwang.kernel.packs.contracts import Pack

from .contracts import Result
from .items import graph
from .models import Case

PAGE = 50


@dataclass(frozen=True)
class Step:
    """One step: when, by which post, what came of it."""

    at: datetime
    name: str
    post: str
    outcome: str


@dataclass(frozen=True)
class Decision:
    """One public decision."""

    case: Case
    applicant: str
    steps: list[Step]


def rules() -> Pack:
    """The rules in force."""
    return packs.current().get("disclosure_rules", "decisions")


def offices(actor: Actor) -> list[str]:
    """Offices with a public decision, by name."""
    with as_system(actor):
        return list(_public().values_list("org__name", flat=True).distinct().order_by("org__name"))


def decisions(actor: Actor, office: str = "", start: int = 0) -> tuple[list[Decision], int]:
    """A page of public decisions, the latest first, and how many there are.

    Args:
        office: only of the office of that name.
    """
    with as_system(actor):
        found = _public().filter(org__name=office) if office else _public()
        page = found.select_related("org").order_by("-decided_at")[start : start + PAGE]
        return [Decision(case, _named(case), _steps(case)) for case in page], found.count()


def _public():
    rule = rules().data
    items = [p.id for p in packs.current().all("service_item") if p.data["type"] in rule["types"]]
    since = timezone.now() - timedelta(days=rule["days"])
    return Case.objects.filter(
        kind="service_item", ref__in=items, result__in=[Result.GRANTED, Result.DENIED], decided_at__gte=since
    )


def _named(case: Case) -> str:
    if rules().data["names"] == "都不公开":
        return ""
    pack = packs.library(case.release).find("service_item", case.ref)
    enterprise = bool(pack and pack.data.get("subject"))
    return case.subject_name if enterprise else f"{case.subject_name[:1]}＊＊"


def _steps(case: Case) -> list[Step]:
    steps = []
    flow = graph(case.flow_id)
    posts = {k: v for pack in packs.current().all("organisations") for k, v in pack.data["posts"].items()}
    for event in case.events.filter(type__in=("submitted", "completed")).order_by("seq"):
        body: dict[str, Any] = orjson.loads(event.body)
        node = body.get("node", "")
        role = flow.node(node).ext.get("role", "") if node else ""
        post = posts.get(role, {}).get("name", "")
        steps.append(Step(event.at, body.get("node_name", ""), post, body.get("outcome_name", "")))
    return steps
