"""Posts: who holds which roles in which office."""

from datetime import date
from uuid import UUID

from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.audit.api import record

from .models import Organisation, Post


def appoint(
    actor: Actor,
    person_id: UUID,
    office: str,
    title: str,
    roles: list[str],
    since: date,
    until: date | None = None,
) -> Post:
    """Give a person a post in an office.

    Args:
        office: full name of the organisation.
        roles: as flows name them, such as acceptor, reviewer, decider.

    Raises:
        Refused: no such office, or no role given.
    """
    org = Organisation.objects.filter(name=office).first()
    if org is None:
        near = Organisation.objects.filter(name__contains=office).values_list("name", flat=True)[:3]
        hint = _("；您是不是要找：%(names)s") % {"names": "、".join(near)} if near else ""
        raise Refused(_("没有名为“%(name)s”的机构") % {"name": office} + hint)
    if not roles:
        raise Refused(_("请给出至少一个角色，例如 acceptor,reviewer。"))
    post = Post.objects.create(
        person_id=person_id, org=org, title=title or roles[0], roles=roles, since=since, until=until
    )
    record(actor, "post.given", "post", post.id, org=str(org.id), person=str(person_id), roles=roles)
    return post
