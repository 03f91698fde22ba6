"""A dataset that did not come, a grant that is about to end: each told once, as an event of the outbox."""

from datetime import datetime

from django.utils import timezone
from psycopg import Connection

from yiwang.kernel.events.api import emit_on
from yiwang.kernel.orgs.models import Organisation

from . import datasets
from .collect import connect
from .contracts import Dataset
from .models import Holding, Reported
from .sharing.actions import rules
from .standing import due_of, hold, offices_of, standings

# {dataset, name, department, due, latest}, and org where each office is judged by itself.
OVERDUE = "hub.overdue"
UNREPORTED = "hub.unreported"  # nobody has the post


def remind() -> int:
    """Emit what is late, once for a due moment each; returns how many events.

    ``hub.overdue`` for a dataset, or for each office of one with a territory; ``hub.unreported`` for a dataset that
    is late and that nobody has the post to report; ``hub.share_ending`` for a grant.
    """
    with connect() as con:
        return _of_grants(con) + sum(_of(con, dataset) for dataset in datasets.every())


def _of(con: Connection, dataset: Dataset) -> int:
    held = Holding.objects.filter(dataset=dataset.id).first()
    latest = held.latest_as_of if held else None
    if not offices_of(dataset.department):
        told = Reported.objects.filter(dataset=dataset.id, org=None).values_list("reminded_for", flat=True)
        return _tell(con, UNREPORTED, dataset, latest, told.first())
    if not dataset.territory:
        reminded = held.reminded_for if held else None
        return _tell(con, OVERDUE, dataset, latest, reminded)
    return sum(
        _tell(con, OVERDUE, dataset, one.as_of, one.reminded_for, one.org) for one in standings(dataset, held)
    )


def _tell(
    con: Connection,
    topic: str,
    dataset: Dataset,
    latest: datetime | None,
    reminded_for: datetime | None,
    org: Organisation | None = None,
) -> int:
    """One event when the due moment is over and was not told of; noted in the same transaction."""
    due = due_of(dataset, latest)
    if due > timezone.now() or reminded_for == due:
        return 0
    body = {
        "dataset": dataset.id, "name": dataset.name, "department": dataset.department,
        "due": due.isoformat(), "latest": latest.isoformat() if latest else None,
    }  # fmt: skip
    with con.transaction():
        if topic == OVERDUE and org is None:
            _told(con, dataset, due)
        else:
            _told_office(con, dataset, due, org)
        emit_on(con, topic, {**body, "org": str(org.id)} if org else body)
    return 1


def _told(con: Connection, dataset: Dataset, due: datetime) -> None:
    hold(con, dataset)
    con.execute("update hub_holding set reminded_for = %s where dataset = %s", [due, dataset.id])


def _told_office(con: Connection, dataset: Dataset, due: datetime, org: Organisation | None) -> None:
    con.execute(
        "insert into hub_reported (dataset, org_id, reminded_for) values (%s, %s, %s) "
        "on conflict (dataset, org_id) do update set reminded_for = excluded.reminded_for",
        [dataset.id, org.id if org else None, due],
    )


def _of_grants(con: Connection) -> int:
    """Grants that end within the days that the pack says, not renewed and not told of.

    One that was given today for a few days is told of tomorrow: who got it knows its end.
    """
    with con.transaction():
        ending = con.execute(
            "update hub_sharinggrant g set reminded = true where not reminded and revoked_at is null "
            "and since < %(today)s and until >= %(today)s and until - %(days)s <= %(today)s and not exists ("
            "  select 1 from hub_sharingrequest r where r.renews_id = g.id and r.state in ('asked', 'granted')) "
            "returning id",
            {"today": timezone.localdate(), "days": rules().remind_before},
        ).fetchall()
        for (id,) in ending:
            emit_on(con, "hub.share_ending", {"grant": str(id)})
    return len(ending)
