"""What came against what should have come: of a dataset, and of each office where the contract names a territory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from psycopg import Connection
from psycopg.types.json import Jsonb

from yiwang.kernel.orgs.models import Organisation, Post

from .actions import REPORTER
from .contracts import Dataset
from .models import Delivery, Holding, Reported
from .territory import covers, place_of, territory_of


@dataclass(frozen=True)
class Standing:
    """One office and a dataset with a territory.

    as_of: of the latest delivery that may hold the office's records: its own, one of an office around it, or one of
    the system. rows: records held in its territory. correct: good rows of its own last delivery that had any.
    reminded_for: the due moment that it was told of.
    """

    org: Organisation
    as_of: datetime | None
    due: datetime
    overdue: bool
    rows: int
    correct: float | None
    reminded_for: datetime | None


def hold(con: Connection, dataset: Dataset) -> None:
    """See that a dataset has its line among the holdings, as the owner; one that is there stays as it is."""
    con.execute(
        "insert into hub_holding (dataset, name, department, contract_version, key, subject_field, rows) "
        "values (%s, %s, %s, %s, %s, %s, 0) on conflict (dataset) do nothing",
        [
            dataset.id, dataset.name, dataset.department, dataset.version, Jsonb(list(dataset.key)),
            dataset.subject_field,
        ],
    )  # fmt: skip


def due_of(dataset: Dataset, latest: datetime | None) -> datetime:
    """When the next delivery is due: a cycle and its grace after the latest, or after the contract's first day."""
    start = latest or timezone.make_aware(datetime.combine(dataset.effective_from, datetime.min.time()))
    return start + timedelta(days=dataset.cycle_days + dataset.grace_days)


def offices_of(department: str) -> list[Organisation]:
    """The offices that have a reporting post for a department, those of larger divisions first."""
    posts = Post.objects.filter(until=None, roles__contains=[REPORTER])
    found = Organisation.objects.filter(functions__contains=[department], id__in=posts.values("org"))
    return list(found.select_related("region").order_by("region_id", "name"))


def standings(dataset: Dataset, held: Holding | None = None) -> list[Standing]:
    """Each office that reports a dataset, by what counts for it; none for a dataset without a territory.

    Args:
        held: the dataset's holding, if it is known already.
    """
    if not dataset.territory:
        return []
    held = held or Holding.objects.filter(dataset=dataset.id).first()
    by_region = (held.by_region if held else None) or {}
    came = list(Reported.objects.filter(dataset=dataset.id).select_related("org"))
    own = {row.org_id: row for row in came}
    around = [(row.latest_as_of, territory_of(row.org)) for row in came if row.latest_as_of]
    found = []
    for org in offices_of(dataset.department):
        place, mine = place_of(org), own.get(org.id)
        as_of = max((at for at, where in around if where is None or place in where.codes), default=None)
        due, territory = due_of(dataset, as_of), territory_of(org)
        found.append(
            Standing(
                org=org,
                as_of=as_of,
                due=due,
                overdue=due < timezone.now(),
                rows=sum(n for code, n in by_region.items() if territory is None or code in territory.codes),
                correct=mine.correct if mine else None,
                reminded_for=mine.reminded_for if mine else None,
            )
        )
    return found


def is_overdue(dataset: Dataset) -> bool:
    """Whether what came of a dataset from anybody is too old."""
    held = Holding.objects.filter(dataset=dataset.id).first()
    return due_of(dataset, held.latest_as_of if held else None) < timezone.now()


def is_late(dataset: Dataset, org: Organisation) -> bool:
    """Whether a dataset is overdue from an office: its own lateness where there is a territory, else the dataset's."""
    if dataset.territory:
        return any(one.overdue for one in standings(dataset) if one.org.id == org.id)
    return is_overdue(dataset)


def in_time_by(dataset: Dataset, delivery: Delivery) -> list[Organisation]:
    """The offices for which a delivery speaks and which are not late any more."""
    return [one.org for one in standings(dataset) if covers(delivery.org, one.org) and not one.overdue]
