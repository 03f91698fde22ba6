"""Authorisation. Lists ask ``visible``, single objects ask ``require``; nothing else decides."""

from typing import Protocol
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from .contracts import Actor, Refused


class Protected(Protocol):
    """What a protected row carries."""

    subject_id: UUID | None
    org_id: UUID | None


def visible(actor: Actor, prefix: str = "") -> Q:
    """The predicate that every list of protected rows is filtered by.

    Args:
        actor: who looks.
        prefix: lookup path from the listed model to the protected one, such as ``"case__"``.
    """
    if actor.system:
        return Q()
    mine = Q(**{f"{prefix}subject_id": actor.subject_id}) if actor.subject_id else Q(pk__in=[])
    if actor.posts:
        mine |= Q(**{f"{prefix}org_id__in": [*actor.posts, *actor.oversees]})
    return mine


def is_subject(actor: Actor, thing: Protected) -> bool:
    """Whether the thing is the actor's own, or of the one he acts for."""
    return actor.subject_id is not None and thing.subject_id == actor.subject_id


def require_subject(actor: Actor, thing: Protected) -> None:
    """Only the person concerned.

    Raises:
        Refused: somebody else's.
    """
    if not (actor.system or is_subject(actor, thing)):
        raise Refused(_("这不是您的办件，不能进行此操作。"))


def require_role(actor: Actor, thing: Protected, role: str) -> None:
    """Only an official who holds ``role`` in the organisation that handles the thing.

    Nobody decides on his own matter: the person concerned is refused even in office
    (行政许可法、行政处罚法的回避原则).

    Raises:
        Refused: no such post, or the matter is the official's own.
    """
    if actor.system:
        return
    if thing.org_id is None or not actor.has_role(thing.org_id, role):
        raise Refused(_("您没有办理这一环节的岗位，请由对应岗位的工作人员办理。"))
    if is_subject(actor, thing) or thing.subject_id in actor.interests:
        raise Refused(_("这是您本人或您所代表的单位的申请，应当回避，请由同岗位的其他工作人员办理。"))
