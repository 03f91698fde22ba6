"""Records of a delivery become notices; withdrawn and repaired ones are taken down, the same minute."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

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

AT_ONCE = 1000


@on("hub.loaded")
def loaded(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Whether a delivery concerns what is published: looked at in an event of its own.

    Records are read on a connection of the owner's. It would wait for a collector that waits for this transaction
    to let go of tables that other handlers of the delivery have read in it.
    """
    for pack in packs.current().all("publicity"):
        if body["dataset"] in (pack.data["dataset"], pack.data.get("repairs", {}).get("dataset")):
            emit("publicity.look", {"dataset": body["dataset"], "seq": body["seq"]}, trace_id)
            return


@on("publicity.look")
def look(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Publish what a delivery brought, take down what it withdrew or repaired."""
    dataset = hub.find(body["dataset"])
    if dataset is None:
        return
    for pack in packs.current().all("publicity"):
        if pack.data["dataset"] == dataset.id:
            for rows in _rows(dataset, body["seq"]):
                _publish(pack, dataset, rows, body["seq"], trace_id)
        if pack.data.get("repairs", {}).get("dataset") == dataset.id:
            for rows in _rows(dataset, body["seq"]):
                _repair(pack, rows, body["seq"], trace_id)


def _rows(dataset: hub.Dataset, seq: int) -> Iterator[list[dict[str, Any]]]:
    """What a delivery brought, some records at a time. Levels of published fields are checked by the pack's lint."""
    with (
        hub.owner_connection() as con,
        con.transaction(),
        con.cursor("publicity", row_factory=dict_row) as cursor,
    ):
        con.execute("set local lock_timeout = '10s'")
        cursor.execute(sql.SQL("select * from {} where _delivery = %s").format(hub.table(dataset.id)), [seq])
        while rows := cursor.fetchmany(AT_ONCE):
            yield rows


def _publish(
    pack: Pack, dataset: hub.Dataset, rows: list[dict[str, Any]], seq: int, trace_id: UUID | None
) -> None:
    said, now = pack.data, timezone.now()
    unless = feel.parse(said["unless"]) if "unless" in said else None
    gone, wanted = {}, []
    for row in rows:
        number = str(row[said["number"]])
        if row["_withdrawn"]:
            gone[number] = said["withdrawn"]
        elif unless is not None and unless.evaluate(row) is True:
            gone[number] = said.get("why_not", "")  # a decision may have been changed to a slight one
        elif row.get(dataset.subject_field):
            wanted.append(row)
    _take_down(pack, gone, seq, trace_id)
    limit = Limit(said["within"]["value"], Unit(said["within"]["unit"]))
    held = {
        n.number: n
        for n in Notice.objects.filter(pack=pack.id, number__in=[str(r[said["number"]]) for r in wanted])
    }
    for row in wanted:
        number, decided = str(row[said["number"]]), row[said["decided"]]
        text = [
            [dataset.field(f).name, _shown(dataset, f, row[f])]
            for f in said["fields"]
            if row.get(f) is not None
        ]
        new = held.get(number)
        if new is not None and new.said == text and new.down_at is None:
            continue  # the same again
        facts = {
            "uscc": row[dataset.subject_field], "name": str(row[said["name_of"]])[:200], "said": text,
            "decided_on": decided, "until": row.get(said.get("until", "")), "delivery": seq, "trace_id": trace_id,
            "down_at": None, "down_why": "", "pushed_at": None,
        }  # fmt: skip
        made, first = Notice.objects.update_or_create(
            pack=pack.id,
            number=number,
            defaults=facts,
            create_defaults={**facts, "published_at": now, "due_at": due_from(limit, _moment(decided))},
        )
        record(SYSTEM, "publicity.published", "notice", made.id, trace_id, pack=pack.id, first=first)
        if first:
            _tell(made, pack)


def _moment(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


def _shown(dataset: hub.Dataset, field: str, value: Any) -> str:
    """A value as people read it: a code by its name."""
    of = dataset.field(field).codelist
    codes = packs.current().get("codelist", of).data["codes"] if of else ()
    return next((c["name"] for c in codes if c["code"] == str(value)), str(value))


def _repair(pack: Pack, rows: list[dict[str, Any]], seq: int, trace_id: UUID | None) -> None:
    rule = pack.data["repairs"]
    mine = [r for r in rows if r[rule["of"]] == pack.data["dataset"] and not r["_withdrawn"]]
    _take_down(pack, {str(r[rule["number"]]): rule["why"] for r in mine}, seq, trace_id)


def _take_down(pack: Pack, gone: dict[str, str], seq: int, trace_id: UUID | None) -> None:
    now = timezone.now()
    for notice in Notice.objects.filter(pack=pack.id, number__in=list(gone), down_at=None):
        notice.down_at, notice.down_why, notice.delivery = now, gone[notice.number][:200], seq
        notice.pushed_at, notice.trace_id = None, trace_id
        notice.save()
        record(SYSTEM, "publicity.taken-down", "notice", notice.id, trace_id, pack=pack.id)


def _tell(notice: Notice, pack: Pack) -> None:
    """The enterprise hears of it, and what it can do."""
    own = Enterprise.objects.filter(uscc=notice.uscc).first()
    if own is None:
        return
    until = _("，到 %(day)s 为止") % {"day": notice.until} if notice.until else ""
    text = _(
        "%(number)s 已依法公示%(until)s。认为有误的，可以在企业档案里申请更正；"
        "改正以后可以申请信用修复，修复的当天停止公示。"
    ) % {"number": notice.number, "until": until}
    tell(derived_id("publicity", notice.id), own.id, pack.name, text, "/enterprise")
