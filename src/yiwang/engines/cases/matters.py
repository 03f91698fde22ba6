"""内部事项: what nobody applies for and an office must do by a day. A pack (``matter``) says how and by when.

Opened by the system when something is judged to need somebody, closed by whoever does it, or by the system
when it sees that it is done.
"""

from collections.abc import Mapping
from uuid import UUID

import orjson
from django.utils import timezone

from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.ids import derived_id
from yiwang.kernel.orgs.models import Organisation
from yiwang.kernel.packs import api as packs

from . import actions, store
from .contracts import Phase, Status
from .items import item, publish
from .models import Case
from .numbering import number

MATTER = "matter"


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


def finish(case_id: UUID, outcome: str, reason: str) -> bool:
    """The system sees that a matter is done and closes it; returns whether it was open."""
    with acting(SYSTEM):
        case = Case.objects.filter(id=case_id, closed_at=None).first()
        token = case.tokens.filter(kind="user").first() if case else None
        if token is None:
            return False
        try:
            actions.complete(
                SYSTEM, case_id, token.id, outcome, reason, derived_id("done", case_id, token.id)
            )
        except Refused:  # somebody was faster, or it stands still
            return False
    return True


def outcome_of(case: Case) -> dict[str, str]:
    """How a closed matter ended: outcome, reason, what a pack's ``result`` may read besides the matter's data."""
    last = case.events.filter(type="completed").order_by("-seq").first()
    body = orjson.loads(last.body) if last else {}
    return {"outcome": body.get("outcome") or "", "reason": body.get("reason") or ""}


def open_of(ref: str, **data: str) -> list[UUID]:
    """Open matters of a kind whose data say this."""
    found = Case.objects.filter(
        kind=MATTER, ref=ref, closed_at=None, **{f"data__{k}": v for k, v in data.items()}
    )
    return list(found.values_list("id", flat=True))
