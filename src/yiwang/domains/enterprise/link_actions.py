"""The desk where links are decided: side by side, with what speaks for them; accept, reject, undo."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.hub import api as hub
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.audit.api import record
from yiwang.kernel.events.api import emit
from yiwang.kernel.ids import new_id

from . import linkage, tables
from .models import Link
from .queries import CREDIT


@dataclass(frozen=True)
class Turn:
    """One link of a state in its turn, the likeliest first. ``place`` counts from 1."""

    link: Link
    place: int
    count: int
    before: Link | None
    next: Link | None


def turn(state: str = Link.State.REVIEW, at: str = "") -> Turn | None:
    """The link with the id ``at`` among those of a state, else the first; None when there are none."""
    those = Link.objects.filter(state=state).order_by("-score", "id")
    link = those.filter(id=at).first() if _is_id(at) else None
    link = link or those.first()
    if link is None:
        return None
    earlier = those.filter(Q(score__gt=link.score) | Q(score=link.score, id__lt=link.id))
    later = those.filter(Q(score__lt=link.score) | Q(score=link.score, id__gt=link.id))
    return Turn(link, earlier.count() + 1, those.count(), earlier.reverse().first(), later.first())


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def side_by_side(link: Link) -> list[tuple[str, str, str]]:
    """(field, in the record, in the register), for what both have; both reads leave entries in the ledger."""
    table, dataset = tables.current(), hub.find(link.dataset)
    if table is None or dataset is None:
        return []
    (one, *_r) = hub.versions(dataset, linkage.key_parts(dataset, link.key), linkage.PURPOSE) or [{}]
    (other, *_r) = hub.of_subject(table.subjects, link.uscc, linkage.PURPOSE) or [{}]
    both = [id for id in ("name", "region", "address", "phone") if id in dataset.by_id]
    told = [
        (
            dataset.field(id).name,
            hub.said(dataset, id, one.get(id)),
            hub.said(table.subjects, id, other.get(id)),
        )
        for id in both
    ]
    # What the record is about, for whoever decides: it has no counterpart in the register.
    rest = (f for f in dataset.fields if f.id not in (*both, dataset.subject_field) and one.get(f.id))
    return told + [(f.name, hub.said(dataset, f.id, one[f.id]), "") for f in rest]


def decide(actor: Actor, link_id: UUID, verdict: str) -> Link:
    """Accept, reject or undo; the file and the class of the enterprise follow at once.

    Args:
        verdict: accept, reject or undo.

    Raises:
        Refused: no such post, no such link, or not to be decided that way now.
    """
    if not (actor.system or any(CREDIT in roles for roles in actor.posts.values())):
        raise Refused(_("核对关联要有信用监管岗，请由有这个岗位的人办理。"))
    link = Link.objects.select_for_update().filter(id=link_id).first()
    if link is None:
        raise Refused(_("没有找到这条关联，请刷新页面。"))
    now = timezone.now()
    match verdict, link.state:
        case ("accept", Link.State.REVIEW | Link.State.REJECTED | Link.State.UNDONE):
            taken = Link.objects.filter(dataset=link.dataset, key=link.key, state=Link.State.ACCEPTED)
            if taken.exists():
                raise Refused(_("这条记录已经关联到另一家企业，请先撤销那一条。"))
            if link.state == Link.State.UNDONE:  # what was undone held until then: that past stays
                link.id, link.at, link._state.adding = new_id(), now, True
            link.state, link.accepted_at, link.undone_at = Link.State.ACCEPTED, now, None
        case ("reject", Link.State.REVIEW):
            link.state = Link.State.REJECTED
        case ("undo", Link.State.ACCEPTED):
            link.state, link.undone_at = Link.State.UNDONE, now
        case _:
            raise Refused(
                _("这条关联现在是“%(state)s”，不能这样处理，请刷新页面。")
                % {"state": link.get_state_display()}
            )
    link.by = actor.label
    link.save()
    record(actor, "enterprise.link-decided", "link", link.id, verdict=verdict)
    emit("enterprise.linked", {"uscc": link.uscc})
    return link
