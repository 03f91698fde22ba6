"""Who is acting."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

# The PostgreSQL role that pages and workers run as: owns no table, passes no row-level policy.
APPLICATION_ROLE = "yiwang_app"


class Refused(Exception):
    """The actor may not do this, or not now. ``str(error)`` is a Chinese sentence for the person."""


@dataclass(frozen=True)
class Actor:
    """Somebody, or the system itself, at the moment of acting.

    person_id: the natural person, None for the system and for visitors.
    posts: organisation id → roles held there today.
    """

    name: str = "访客"
    user_id: UUID | None = None
    person_id: UUID | None = None
    posts: Mapping[UUID, frozenset[str]] = field(default_factory=dict)
    system: bool = False

    @property
    def label(self) -> str:
        """How the actor is written into events: system, user:<id> or visitor."""
        return "system" if self.system else f"user:{self.user_id}" if self.user_id else "visitor"

    @property
    def is_staff(self) -> bool:
        return bool(self.posts)

    def has_role(self, org_id: UUID, role: str) -> bool:
        """Whether the actor holds ``role`` in organisation ``org_id`` today."""
        return role in self.posts.get(org_id, ())


SYSTEM = Actor(name="系统", system=True)
VISITOR = Actor()
