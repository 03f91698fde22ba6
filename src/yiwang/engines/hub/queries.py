"""Reads: datasets with what came against what should have come, deliveries, records as of a day."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import SYSTEM, Actor, Refused
from yiwang.kernel.access.session import as_system
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.purposes import purpose_of
from yiwang.kernel.orgs.models import Organisation

from . import datasets, history
from .actions import REPORTER, is_steward
from .contracts import Dataset, Type
from .masks import PERSONAL
from .messages import LINE
from .models import Delivery, Holding, Quality
from .standing import Standing, due_of, standings
from .territory import covers


@dataclass(frozen=True)
class Line:
    """A dataset as the overview shows it. ``rate``: held against expected, 1 for all. ``due``: when the next is due.

    ``over``: how many records more than were expected: the contract's number wants looking at.
    ``offices``: of a dataset with a territory, what concerns the reader; ``due`` is then the first of theirs.
    """

    dataset: Dataset
    rows: int
    rate: float
    as_of: datetime | None
    due: datetime
    overdue: bool
    quality: Quality | None
    over: int = 0
    offices: tuple[Standing, ...] = ()

    @property
    def late(self) -> int:
        """How many of the offices are late."""
        return sum(one.overdue for one in self.offices)


def functions_of(actor: Actor) -> frozenset[str]:
    """Departments for which the actor reports data."""
    held = [org for org, roles in actor.posts.items() if REPORTER in roles]
    found = Organisation.objects.filter(id__in=held).values_list("functions", flat=True)
    return frozenset(f for functions in found for f in functions)


def may_see(actor: Actor, dataset: Dataset) -> bool:
    """A steward sees every dataset, a reporter those of his department."""
    return is_steward(actor) or dataset.department in functions_of(actor)


def visible(actor: Actor) -> list[Dataset]:
    """The datasets that the actor may see."""
    if is_steward(actor):
        return datasets.every()
    functions = functions_of(actor)
    return [d for d in datasets.every() if d.department in functions]


def overview(actor: Actor) -> list[Line]:
    """Every visible dataset with its figures; to a reporter, late is what he is late with."""
    return lines_of(visible(actor), actor)


def lines_of(wanted: list[Dataset], actor: Actor = SYSTEM) -> list[Line]:
    """Datasets with their figures, for a reader."""
    held = {h.dataset: h for h in Holding.objects.all()}
    latest = {q.dataset: q for q in Quality.objects.order_by("dataset", "-at").distinct("dataset")}
    return [_line(d, held.get(d.id), latest.get(d.id), actor) for d in wanted]


def line(dataset: Dataset, actor: Actor = SYSTEM) -> Line:
    """One dataset with its figures, for a reader."""
    latest = Quality.objects.filter(dataset=dataset.id).order_by("-at").first()
    return _line(dataset, Holding.objects.filter(dataset=dataset.id).first(), latest, actor)


def _line(dataset: Dataset, held: Holding | None, quality: Quality | None, actor: Actor) -> Line:
    rows = held.rows if held else 0
    offices = [one for one in standings(dataset, held) if is_steward(actor) or one.org.id in actor.posts]
    first = min(offices, key=lambda one: one.due, default=None)
    as_of = held.latest_as_of if held else None
    due = first.due if first else due_of(dataset, as_of)
    over = max(0, rows - dataset.expected_rows)
    rate = min(1.0, rows / dataset.expected_rows)
    return Line(dataset, rows, rate, as_of, due, due < timezone.now(), quality, over, tuple(offices))


def offices(actor: Actor, dataset: Dataset) -> list[Standing]:
    """How each office stands that the actor may see: to stewards all, to a reporter his own and those below it."""
    every = standings(dataset)
    if is_steward(actor):
        return every
    mine = [one.org for one in every if one.org.id in actor.posts]
    return [one for one in every if any(covers(org, one.org) for org in mine)]


def by_department(lines: list[Line]) -> list[dict[str, Any]]:
    """What came against what should have come, by source department; a dataset counts for at most all of it."""
    found: dict[str, dict[str, Any]] = {}
    for one in lines:
        row = found.setdefault(
            one.dataset.department,
            {"name": one.dataset.department, "datasets": 0, "came": 0, "wanted": 0, "overdue": 0},
        )
        row["datasets"] += 1
        row["came"] += min(one.rows, one.dataset.expected_rows)
        row["wanted"] += one.dataset.expected_rows
        row["overdue"] += one.overdue
    for row in found.values():
        row["rate"] = row["came"] / row["wanted"]
    return sorted(found.values(), key=lambda r: r["rate"])


def deliveries(dataset: Dataset):
    """Deliveries of a dataset that row-level security lets the actor see, the latest first."""
    return Delivery.objects.filter(dataset=dataset.id).select_related("org").order_by("-seq")


def delivery(actor: Actor, uid: UUID) -> Delivery | None:
    """One delivery, or None when there is none or it is not the actor's to see."""
    found = Delivery.objects.filter(uid=uid).select_related("org").first()
    if found is None or actor.system or is_steward(actor):
        return found
    mine = found.org_id in actor.posts and REPORTER in actor.posts[found.org_id]
    return found if mine else None


def own(actor: Actor, delivery: Delivery) -> bool:
    """Whether the actor's office delivered it: only to that are its raw file and its refused cells its own."""
    return actor.system or REPORTER in actor.posts.get(delivery.org_id, ())


def messages(actor: Actor, delivery: Delivery) -> list[dict[str, Any]]:
    """What is wrong with it; to others than the office that sent the cells, without what is personal in them.

    Raises:
        UnknownPack: nobody knows any more which cells are.
    """
    if own(actor, delivery):
        return list(delivery.messages)
    dataset = datasets.of_release(delivery.release, delivery.dataset)
    hidden = {LINE} | {f.name for f in dataset.fields if f.level in PERSONAL}
    return [
        {**m, "value": "＊", "proposal": "", "remedy": ""} if m["field"] in hidden and m["value"] else m
        for m in delivery.messages
    ]


def provenance(actor: Actor, uid: UUID) -> Delivery | None:
    """A loaded delivery for any official: where a fact comes from is no secret, what was refused is."""
    with as_system(actor):
        return Delivery.objects.filter(uid=uid, state="loaded").select_related("org").first()


def qualities(dataset: Dataset, limit: int = 30) -> list[Quality]:
    """The quality of a dataset after each delivery, the latest first."""
    return list(Quality.objects.filter(dataset=dataset.id).order_by("-at")[:limit])


def require_purpose(dataset: Dataset, purpose: str) -> None:
    """Raises Refused when the contract does not list the purpose."""
    if purpose not in dataset.purposes:
        told = {"name": dataset.name, "purpose": purpose, "known": "、".join(dataset.purposes)}
        raise Refused(_("“%(name)s”不向用途“%(purpose)s”提供；允许的用途：%(known)s") % told)


def versions(
    dataset: Dataset, key: Mapping[str, str], purpose: str, case_id: UUID | None = None
) -> list[dict[str, Any]]:
    """Every version of one record, the latest first; leaves entries in the ledger, in this transaction.

    Raises:
        Refused: a purpose that the contract does not list, or a key that is not whole.
    """
    require_purpose(dataset, purpose)
    lacking = [dataset.field(k).name for k in dataset.key if not key.get(k)]
    if lacking:
        raise Refused(_("请填%(names)s，才能找到一条记录。") % {"names": "、".join(lacking)})
    with connection.cursor() as cursor:
        cursor.execute(
            "select v from hub_versions(%s, %s, %s, %s::jsonb, %s, %s, %s, %s) v",
            [
                *(new_id(), dataset.id, kind_of(dataset), json.dumps({k: key[k] for k in dataset.key})),
                *_why(purpose, case_id),
            ],
        )
        found = [_loaded(v) for (v,) in cursor.fetchall()]
    return sorted(found, key=lambda v: (history.moment(v["_as_of"]), v["_delivery"]), reverse=True)


def of_subject(
    dataset: Dataset, code: str, purpose: str, case_id: UUID | None = None
) -> list[dict[str, Any]]:
    """The current records about one subject; leaves a trace. Raises what ``versions`` raises."""
    require_purpose(dataset, purpose)
    with connection.cursor() as cursor:
        cursor.execute(
            "select v from hub_of_subject(%s, %s, %s, %s, %s, %s, %s, %s) v",
            [new_id(), dataset.id, kind_of(dataset), code, *_why(purpose, case_id)],
        )
        return [_loaded(v) for (v,) in cursor.fetchall()]


def kind_of(dataset: Dataset) -> str:
    """Whose records these are, as the ledger names subjects."""
    types = {Type.USCC: "enterprise", Type.IDNO: "person"}
    return types.get(dataset.field(dataset.subject_field).type, "other") if dataset.subject_field else "other"


def _why(purpose: str, case_id: UUID | None) -> tuple[str, str, UUID | None, date | None]:
    """What the ledger is told of a read."""
    why = purpose_of(purpose)
    return why.name, why.basis, case_id, why.visible_from()


def _loaded(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return found


def as_of(
    dataset: Dataset,
    key: Mapping[str, str],
    known_at: datetime | None = None,
    valid_at: date | None = None,
    purpose: str = "数据管理",
    case_id: UUID | None = None,
) -> dict[str, Any] | None:
    """A record as it stood on ``valid_at``, by what was known here at ``known_at``; both now by default.

    Returns:
        fields by id, and the moments ``_as_of``, ``_sys_from``, ``_sys_to``, ``_valid_from``, ``_valid_to``, with
        ``_withdrawn`` and ``_ended``; None when nothing was known.

    Raises:
        Refused: see ``versions``.
    """
    known_at, valid_at = known_at or timezone.now(), valid_at or timezone.localdate()
    found = history.pick(versions(dataset, key, purpose, case_id), known_at, valid_at)
    return None if found is None else {**found, "_ended": history.ended(found, valid_at)}


def sources(seqs: set[int]) -> dict[int, Delivery]:
    """Deliveries by number, for the lineage of a record; only those the actor may see."""
    return {d.seq: d for d in Delivery.objects.filter(seq__in=seqs).select_related("org")}
