"""What a manager sees: load and delay by office and person, own offices and those below."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from yiwang.kernel.access.contracts import Actor
from yiwang.kernel.orgs.models import Organisation
from yiwang.kernel.orgs.queries import MANAGER

from .models import Case, Token
from .worklist import tone


@dataclass(frozen=True)
class OfficeLoad:
    """One office: open cases, those due within a day, those over their limit."""

    office: Organisation
    open: int
    amber: int
    overdue: int
    own: bool


def _managed(actor: Actor) -> list[UUID]:
    return [org for org, roles in actor.posts.items() if MANAGER in roles]


def _open(actor: Actor) -> QuerySet[Case]:
    offices = [*_managed(actor), *actor.oversees]
    return Case.objects.filter(org_id__in=offices, closed_at=None).exclude(kind="bundle")


def by_office(actor: Actor) -> list[OfficeLoad]:
    """Load by office, the latest first."""
    now = timezone.now()
    soon = now + timedelta(days=1)
    counted = (
        _open(actor)
        .order_by()
        .values("org_id")
        .annotate(
            open=Count("id"),
            amber=Count("id", filter=Q(due_at__gte=now, due_at__lt=soon)),
            overdue=Count("id", filter=Q(due_at__lt=now)),
        )
    )
    rows = {row["org_id"]: row for row in counted}
    found = []
    for office in Organisation.objects.filter(id__in=[*_managed(actor), *actor.oversees]).order_by("name"):
        row = rows.get(office.id, {"open": 0, "amber": 0, "overdue": 0})
        own = office.id in actor.posts
        found.append(OfficeLoad(office, row["open"], row["amber"], row["overdue"], own))
    return sorted(found, key=lambda o: (-o.overdue, -o.amber, -o.open))


def by_person(actor: Actor) -> list[dict]:
    """Work by the official it was given to, in the actor's own offices; the most loaded first."""
    return list(
        Token.objects.filter(org_id__in=_managed(actor), kind="user")
        .order_by()
        .values("assignee_name")
        .annotate(open=Count("case_id"), overdue=Count("case_id", filter=Q(due_at__lt=timezone.now())))
        .order_by("-open")
    )


def urgent(actor: Actor, limit: int = 50) -> list[tuple[Case, str, str]]:
    """Cases over their limit or due within a day, the latest first, with the colour and words of the clock."""
    now = timezone.now()
    late = _open(actor).filter(due_at__lt=now + timedelta(days=1)).select_related("org").order_by("due_at")
    return [(case, *tone(case.due_at, case.phase, now)) for case in late[:limit]]
