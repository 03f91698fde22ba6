"""内部事项: what nobody applies for and an office must do by a day. A pack (``matter``) says how and by when.

Opened by the system when something is judged to need somebody, closed by whoever does it, or by the system
when it sees that it is done.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import date, datetime
from uuid import UUID

import orjson
from django.utils import timezone

from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.calendar.rules import Running
from yiwang.kernel.ids import derived_id
from yiwang.kernel.orgs.models import Organisation
from yiwang.kernel.packs import api as packs
from yiwang.kernel.packs.contracts import Pack

from . import actions, store
from .clock import due
from .contracts import Phase, Status
from .items import item, publish
from .models import Case
from .numbering import number

MATTER = "matter"


def matters_for(event: str) -> list[Pack]:
    """The packs of matters that an event opens."""
    return [p for p in packs.current().all(MATTER) if p.data["event"] == event]


def due_day(event: str, now: datetime) -> date:
    """The day by which what an event opens is to be done: the term of its pack, from ``now`` on.

    Raises:
        LookupError: no pack is for the event (``packs check`` says so first, where one is needed).
    """
    for pack in matters_for(event):
        spec = item(packs.current_release(), MATTER, pack.id)
        until = due(spec.promised, spec.legal, 0, [Running(timezone.localtime(now), None)]).promised
        if until is not None:
            return timezone.localtime(until).date()
    raise LookupError(event)


def open_matter(
    ref: str,
    key: tuple,
    org: Organisation,
    data: Mapping[str, str],
    *,
    about: str = "",
    link: str = "",
    trace_id: UUID | None = None,
) -> UUID:
    """Open a matter of an office, once for a key. Within a transaction of the system.

    Args:
        ref: id of the pack. key: what makes it one of its kind, such as (dataset, day).
        data: field of the pack → what it says.
        about: name of the enterprise or place that it concerns; it is the office's matter all the same.
        link: the page where it is done. trace_id: of what led to it; without, its own.

    Returns:
        the id of its case.
    """
    case_id = derived_id(MATTER, ref, *key)
    if Case.objects.filter(id=case_id).exists():
        return case_id
    now, release = timezone.now(), packs.current_release()
    spec = item(release, MATTER, ref)
    held = store.insert(
        {
            "id": case_id,
            "number": number(org, now),
            "kind": MATTER,
            "ref": ref,
            "name": spec.data["name"],
            "release": release,
            "flow_id": publish(release, spec.flow_file),
            "parent_id": None,
            "subject_id": org.id,
            "subject_name": (about or org.name)[:50],
            "org_id": org.id,
            "channel": "system",
            "after": [],
            "status": Status.RECEIVED,
            "phase": Phase.WAITING,
            "data": dict(data),
            "extra": {"link": link} if link else {},
            "trace_id": trace_id or case_id,
            "submitted_at": now,
        }
    )
    change = actions.begin(held, now)
    change.type = "opened"
    store.write(held, SYSTEM, derived_id("open", case_id), now, change)
    return case_id


def has_open_matter(ref: str, **data: str) -> bool:
    """Whether a matter of that kind, saying these things, waits for somebody already."""
    those = {f"data__{field}": value for field, value in data.items()}
    return Case.objects.filter(kind=MATTER, ref=ref, closed_at=None, **those).exists()


def waiting_about(event: str, field: str) -> set[str]:
    """What the open matters of an event say in a field: whom or what somebody is looking into already.

    Within a transaction of the system.
    """
    refs = [p.id for p in matters_for(event)]
    those = Case.objects.filter(kind=MATTER, ref__in=refs, closed_at=None)
    return set(those.values_list(f"data__{field}", flat=True))


def seen_done(
    event: str, reason: str, *, outcome: str = "", orgs: Collection[UUID] | None = None, **data: str
) -> None:
    """The system sees that what matters were opened for is done, and closes those whose pack lets it (``done``).

    Within a transaction of the system. One that somebody closes at this moment stays as he closes it.

    Args:
        outcome: in place of the pack's ``done``: how it was done elsewhere.
        orgs: only matters of these offices. data: what the matters say.
    """
    outcomes = {p.id: outcome or p.data["done"] for p in matters_for(event) if "done" in p.data}
    those = {f"data__{field}": value for field, value in data.items()}
    found = Case.objects.filter(kind=MATTER, ref__in=outcomes, closed_at=None, **those)
    for case in found if orgs is None else found.filter(org__in=orgs):
        token = case.tokens.filter(kind="user").first()
        if token is not None:
            with suppress(Refused):
                command = derived_id("done", case.id, token.id)
                actions.complete(SYSTEM, case.id, token.id, outcomes[case.ref], reason, command)


def outcome_of(case: Case) -> dict[str, str]:
    """How a closed matter ended: outcome, reason, what a pack's ``result`` may read besides the matter's data.

    ``by``: the name of who closed it, "" for the system.
    """
    last = case.events.filter(type="completed").order_by("-seq").first()
    body = orjson.loads(last.body) if last else {}
    by = last.actor_name if last and last.actor != SYSTEM.label else ""
    return {"outcome": body.get("outcome") or "", "reason": body.get("reason") or "", "by": by}
