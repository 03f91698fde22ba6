"""What must be public follows from what the sources say now: worked out anew for each decision that is touched.

A decision is public unless its source has withdrawn it, it is slight, its term is over, a repair has ended it, or its
source found it to be wrong. That is read from the records each time, so the order in which decisions, repairs and
corrections arrive makes no difference.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from yiwang.engines.hub import api as hub
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.audit.api import record
from yiwang.kernel.calendar.api import due_from
from yiwang.kernel.calendar.rules import Limit, Unit
from yiwang.kernel.events.api import emit, on
from yiwang.kernel.packs import api as packs
from yiwang.kernel.packs.contracts import Pack

from . import records, rules, telling
from .models import Notice
from .records import AT_ONCE, Records, Row

WRITTEN = [
    "uscc", "name", "said", "decided_on", "until", "end_why", "disputed", "version", "down_at", "down_why",
    "delivery", "trace_id", "pushed_at", "rev",
]  # fmt: skip


@on("hub.loaded")
def loaded(body: dict[str, Any], trace_id: UUID | None) -> None:
    """A delivery of decisions or of repairs is looked at in events of its own, some decisions at a time.

    Records are read on a connection of the owner's. In this transaction it would wait for a collector that waits
    for it to let go of tables that other handlers of the delivery have read.
    """
    for pack in packs.current().all("publicity"):
        if body["dataset"] in (pack.data["dataset"], pack.data.get("repairs", {}).get("dataset")):
            emit("publicity.look", {**_about(pack, body), "after": 0}, trace_id)


@on("enterprise.correction")
def disputed(body: dict[str, Any], trace_id: UUID | None) -> None:
    """An enterprise says that a record is wrong, or its source answered: what is public says so at once."""
    with hub.owner_connection() as con:
        about = records.number_of_dispute(con, body["correction"])
    for pack in packs.current().all("publicity"):
        if about is not None and about[0] == pack.data["dataset"]:
            emit("publicity.look", {"pack": pack.id, "numbers": [about[1]]}, trace_id)


def _about(pack: Pack, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"pack": pack.id, "dataset": body["dataset"], "seq": body["seq"]}


@on("publicity.look")
def look(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Publish or take down the next decisions that are touched, and come back for the rest of a delivery."""
    pack = packs.current().find("publicity", body["pack"])
    if pack is None:
        return
    if "numbers" in body:
        with hub.owner_connection() as con, con.transaction():
            con.execute("set local lock_timeout = '10s'")
            found = records.read(con, pack, body["numbers"])
        settle(pack, found, None, trace_id)
        return
    dataset = hub.find(body["dataset"])
    if dataset is None:
        return
    with hub.owner_connection() as con, con.transaction():
        con.execute("set local lock_timeout = '10s'")
        touched = records.touched(con, pack, dataset, body["seq"], body["after"])
        found = records.read(con, pack, [number for _row, number in touched])
    settle(pack, found, body["seq"], trace_id)
    if len(touched) == AT_ONCE:
        emit("publicity.look", {**_about(pack, body), "after": touched[-1][0]}, trace_id)


def settle(pack: Pack, found: Records, seq: int | None, trace_id: UUID | None) -> None:
    """Make the notices of these decisions say what the records say; only what differs is written, and told.

    What is not public today and was not before gets no notice. seq: of the delivery that gave the occasion.
    """
    dataset, now, today = hub.current(pack.data["dataset"]), timezone.now(), timezone.localdate()
    terms = rules.terms_of(pack.data)
    held = {n.number: n for n in Notice.objects.filter(pack=pack.id, number__in=list(found.rows))}
    new, changed, pending = [], [], []
    for number, row in found.rows.items():
        notice, term = held.get(number), rules.term_of(terms, row)
        end = None if term.why_not else _standing(pack, term, row, found.repaired.get(number))
        why = _why_not(pack, term, row, end, number in found.faulty, today)
        if notice is None:
            if not why:
                notice = _fresh(pack, number, row, found.began, now)
                new.append(_written(notice, pack, dataset, row, end, number in found.disputed))
        elif why:
            if notice.down_at is None:
                take_down(notice, why, now)
                changed.append(notice)
        else:
            before = _state(notice)
            _written(notice, pack, dataset, row, end, number in found.disputed)
            if before != _state(notice):
                notice.down_at, notice.down_why, notice.pushed_at = None, "", None
                notice.rev += 1
                changed.append(notice)
                if end is not None and end.repaired and before[3] != notice.end_why:
                    pending.append(notice)
    for notice in (*new, *changed):
        notice.delivery = seq or found.rows[notice.number]["_delivery"]
        notice.trace_id = trace_id
    Notice.objects.bulk_create(new)
    Notice.objects.bulk_update(changed, WRITTEN)
    up = [n for n in (*new, *changed) if n.down_at is None]
    down = [n for n in changed if n.down_at is not None]
    note("publicity.published", pack.id, up, trace_id)
    note("publicity.taken-down", pack.id, down, trace_id)
    first = {n: _first_day(terms, found.rows[n.number], n) for n in new}
    telling.published(pack.name, first)
    telling.repaired_early(pack.name, pending)
    telling.taken_down(pack.name, down)


def take_down(notice: Notice, why: str, now: datetime) -> None:
    """No longer public from now on; other platforms are told again."""
    notice.down_at, notice.down_why, notice.pushed_at = now, why[:200], None
    notice.rev += 1


def note(verb: str, pack: str, notices: list[Notice], trace_id: UUID | None = None) -> None:
    """One audit event for all of them."""
    if notices:
        record(SYSTEM, verb, "publicity", pack, trace_id, numbers=[n.number for n in notices])


def _standing(pack: Pack, term: rules.Term, row: Row, repaired: date | None) -> rules.Standing:
    named = row.get(pack.data["until"]) if "until" in pack.data else None
    return rules.standing(term, row[pack.data["decided"]], named, repaired)


def _why_not(
    pack: Pack, term: rules.Term, row: Row, end: rules.Standing | None, faulty: bool, today: date
) -> str:
    """Why a decision is not public today; empty when it is."""
    said = pack.data
    if row["_withdrawn"]:
        return str(said["withdrawn"])
    if end is None:
        return term.why_not
    if end.until < today:
        return str(said["repairs"]["why"] if end.repaired else said["over"])
    return str(said["dispute"]["faulty"]) if faulty else ""


def _first_day(terms: tuple[rules.Term, ...], row: Row, notice: Notice) -> date:
    """The day from which a repair takes effect."""
    return rules.effective(rules.term_of(terms, row), notice.decided_on, notice.decided_on)


def _fresh(pack: Pack, number: str, row: Row, began: datetime | None, now: datetime) -> Notice:
    limit = Limit(pack.data["within"]["value"], Unit(pack.data["within"]["unit"]))
    due = due_from(limit, _moment(row[pack.data["decided"]]))
    backlog = began is not None and due < began
    return Notice(pack=pack.id, number=number, published_at=now, due_at=due, backlog=backlog)


def _state(notice: Notice) -> tuple[Any, ...]:
    return (notice.down_at, notice.said, notice.until, notice.end_why, notice.disputed)


def _said(pack: Pack, dataset: hub.Dataset, row: Row) -> list[list[str]]:
    fields = [f for f in pack.data["fields"] if row.get(f) is not None]
    return [[dataset.field(f).name, hub.said(dataset, f, row[f])] for f in fields]


def _written(
    notice: Notice, pack: Pack, dataset: hub.Dataset, row: Row, end: rules.Standing | None, disputed: bool
) -> Notice:
    """The notice with what the record says, in force."""
    said = pack.data
    assert end is not None  # noqa: S101 (what has no term is not public)
    notice.uscc, notice.name = row[dataset.subject_field], str(row[said["name_of"]])[:200]
    notice.said, notice.decided_on = _said(pack, dataset, row), row[said["decided"]]
    notice.until, notice.version = end.until, pack.version
    notice.end_why = str(said["repairs"]["why"] if end.repaired else said["over"])[:200]
    notice.disputed = disputed
    notice.down_at, notice.down_why = None, ""
    return notice


def _moment(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))
