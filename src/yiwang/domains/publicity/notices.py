"""What must be public follows from what the sources say now: worked out anew for each decision that a delivery touches.

A decision is public unless its source has withdrawn it, the pack lets it be, or it is repaired. That is read from the
records each time, so the order in which decisions, repairs and corrections arrive makes no difference.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg import sql
from psycopg.rows import dict_row

from yiwang.engines.hub import api as hub
from yiwang.kernel import feel
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.accounts.models import Enterprise
from yiwang.kernel.audit.api import record
from yiwang.kernel.calendar.api import due_from
from yiwang.kernel.calendar.rules import Limit, Unit
from yiwang.kernel.events.api import emit, on
from yiwang.kernel.ids import derived_id
from yiwang.kernel.notify.api import tell
from yiwang.kernel.packs import api as packs
from yiwang.kernel.packs.contracts import Pack

from .models import Notice

AT_ONCE = 1000  # decisions in one transaction
CHANGED = [
    "uscc",
    "name",
    "said",
    "decided_on",
    "until",
    "down_at",
    "down_why",
    "delivery",
    "trace_id",
    "pushed_at",
]
Row = dict[str, Any]


@on("hub.loaded")
def loaded(body: dict[str, Any], trace_id: UUID | None) -> None:
    """A delivery of decisions or of repairs is looked at in events of its own, some decisions at a time.

    Records are read on a connection of the owner's. In this transaction it would wait for a collector that waits
    for it to let go of tables that other handlers of the delivery have read.
    """
    for pack in packs.current().all("publicity"):
        if body["dataset"] in (pack.data["dataset"], pack.data.get("repairs", {}).get("dataset")):
            emit("publicity.look", {**_about(pack, body), "after": 0}, trace_id)


def _about(pack: Pack, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"pack": pack.id, "dataset": body["dataset"], "seq": body["seq"]}


@on("publicity.look")
def look(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Publish or take down the next decisions that a delivery touches, and come back for the rest."""
    pack, dataset = packs.current().find("publicity", body["pack"]), hub.find(body["dataset"])
    if pack is None or dataset is None:
        return
    with hub.owner_connection() as con, con.transaction():
        con.execute("set local lock_timeout = '10s'")
        touched = _touched(con, pack, dataset, body["seq"], body["after"])
        rows, repaired = _decisions(con, pack, [number for _row, number in touched])
    settle(pack, rows, repaired, body["seq"], trace_id)
    if len(touched) == AT_ONCE:
        emit("publicity.look", {**_about(pack, body), "after": touched[-1][0]}, trace_id)


def _touched(
    con: psycopg.Connection, pack: Pack, dataset: hub.Dataset, seq: int, after: int
) -> list[tuple[int, str]]:
    """(line, number of the decision) of a delivery's records, from a line on."""
    number, which = pack.data["number"], sql.SQL("true")
    if dataset.id != pack.data["dataset"]:
        rule = pack.data["repairs"]
        number = rule["number"]
        which = sql.SQL("{} = {}").format(sql.Identifier(rule["of"]), pack.data["dataset"])
    text = sql.SQL(
        "select _row, {}::text from {} where _delivery = %s and _row > %s and {} order by _row limit %s"
    )
    query = text.format(sql.Identifier(number), hub.table(dataset.id), which)
    return con.execute(query, [seq, after, AT_ONCE]).fetchall()


def _decisions(con: psycopg.Connection, pack: Pack, numbers: list[str]) -> tuple[list[Row], set[str]]:
    """The decisions of these numbers as they stand, and the numbers of those that are repaired."""
    said, repaired = pack.data, set[str]()
    if not hub.exists(con, said["dataset"]):
        return [], repaired
    text = sql.SQL("select * from {} where {} = any(%s)")
    query = text.format(hub.table(said["dataset"]), sql.Identifier(said["number"]))
    rows = con.cursor(row_factory=dict_row).execute(query, [numbers]).fetchall()
    rule = said.get("repairs")
    if rule and hub.exists(con, rule["dataset"]):
        text = sql.SQL("select {n}::text from {} where {of} = %s and {n} = any(%s) and not _withdrawn")
        n, of = sql.Identifier(rule["number"]), sql.Identifier(rule["of"])
        query = text.format(hub.table(rule["dataset"]), n=n, of=of)
        repaired = {number for (number,) in con.execute(query, [said["dataset"], numbers]).fetchall()}
    return rows, repaired


def settle(pack: Pack, rows: list[Row], repaired: Collection[str], seq: int, trace_id: UUID | None) -> None:
    """Make the notices of these decisions say what the records say; only what differs is written, and told.

    Args:
        repaired: numbers of the decisions that a repair ends. seq: of the delivery that gave the occasion.
    """
    dataset, now = hub.current(pack.data["dataset"]), timezone.now()
    by_number = {str(r[pack.data["number"]]): r for r in rows if r.get(dataset.subject_field)}
    held = {n.number: n for n in Notice.objects.filter(pack=pack.id, number__in=list(by_number))}
    limit = Limit(pack.data["within"]["value"], Unit(pack.data["within"]["unit"]))
    new, changed = [], []
    for number, row in by_number.items():
        why, notice = _why_not(pack, row, number in repaired), held.get(number)
        if notice is None:
            if not why:
                decided = row[pack.data["decided"]]
                notice = Notice(
                    pack=pack.id, number=number, published_at=now, due_at=due_from(limit, _moment(decided))
                )
                new.append(_written(notice, pack, dataset, row, seq, trace_id))
        elif why and notice.down_at is None:
            notice.down_at, notice.down_why = now, why[:200]
            notice.delivery, notice.trace_id, notice.pushed_at = seq, trace_id, None
            changed.append(notice)
        elif not why:
            before = (notice.down_at, notice.said, notice.until)
            if before != (None, _said(pack, dataset, row), _until(pack, row)):
                changed.append(_written(notice, pack, dataset, row, seq, trace_id))
    Notice.objects.bulk_create(new)
    Notice.objects.bulk_update(changed, CHANGED)
    down = [n.number for n in changed if n.down_at is not None]
    for verb, numbers in (
        ("publicity.published", [n.number for n in (*new, *changed) if n.down_at is None]),
        ("publicity.taken-down", down),
    ):
        if numbers:
            record(SYSTEM, verb, "publicity", pack.id, trace_id, numbers=numbers)
    _tell(pack, new)


def _why_not(pack: Pack, row: Row, repaired: bool) -> str:
    """Why a decision is not public; empty when it is."""
    said = pack.data
    if row["_withdrawn"]:
        return str(said["withdrawn"])
    if "unless" in said and feel.parse(said["unless"]).evaluate(row) is True:
        return str(said["why_not"])
    return str(said["repairs"]["why"]) if repaired else ""


def _said(pack: Pack, dataset: hub.Dataset, row: Row) -> list[list[str]]:
    fields = [f for f in pack.data["fields"] if row.get(f) is not None]
    return [[dataset.field(f).name, hub.said(dataset, f, row[f])] for f in fields]


def _written(
    notice: Notice, pack: Pack, dataset: hub.Dataset, row: Row, seq: int, trace_id: UUID | None
) -> Notice:
    """The notice with what the record says, in force."""
    said = pack.data
    notice.uscc, notice.name = row[dataset.subject_field], str(row[said["name_of"]])[:200]
    notice.said = _said(pack, dataset, row)
    notice.decided_on, notice.until = row[said["decided"]], _until(pack, row)
    notice.down_at, notice.down_why = None, ""
    notice.delivery, notice.trace_id, notice.pushed_at = seq, trace_id, None
    return notice


def _until(pack: Pack, row: Row) -> date | None:
    return row.get(pack.data["until"]) if "until" in pack.data else None


def _moment(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


def _tell(pack: Pack, notices: list[Notice]) -> None:
    """The enterprises that somebody acts for here hear of it, and what they can do."""
    own = dict(Enterprise.objects.filter(uscc__in=[n.uscc for n in notices]).values_list("uscc", "id"))
    for notice in notices:
        if notice.uscc not in own:
            continue
        until = _("，到 %(day)s 为止") % {"day": notice.until} if notice.until else ""
        text = _(
            "%(number)s 已依法公示%(until)s。认为有误的，可以在企业档案里申请更正；"
            "改正以后可以申请信用修复，修复的当天停止公示。"
        ) % {"number": notice.number, "until": until}
        tell(derived_id("publicity", notice.id), own[notice.uscc], pack.name, text, "/enterprise")
