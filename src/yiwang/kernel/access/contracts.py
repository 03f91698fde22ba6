"""Who is acting."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

# The PostgreSQL role that pages and workers run as: owns no table, passes no row-level policy.
APPLICATION_ROLE = "yiwang_app"


class Refused(Exception):
    """The actor may not do this, or not now. ``str(error)`` is a Chinese sentence for the person."""


@dataclass(frozen=True)
class Subject:
    """Whom somebody acts for by a mandate in force: a person who authorised him, or an enterprise.

    kind: "person" or "enterprise".
    roles: what the mandate lets him do, such as admin, handler, viewer.
    scope: ids of services it is limited to; None for all.
    """

    id: UUID
    kind: str
    name: str
    roles: frozenset[str] = frozenset()
    scope: frozenset[str] | None = None


@dataclass(frozen=True)
class Actor:
    """Somebody, or the system itself, at the moment of acting.

    person_id: the natural person, None for the system and for visitors.
    posts: organisation id → roles held there today.
    acting_for: whose matters these are, when not his own; then he holds no post.
    interests: of an official, the subjects he may act for: their matters are his own, and not his to decide.
    oversees: offices below one that the actor manages: he may read and press, not decide.
    """

    name: str = "访客"
    user_id: UUID | None = None
    person_id: UUID | None = None
    posts: Mapping[UUID, frozenset[str]] = field(default_factory=dict)
    system: bool = False
    acting_for: Subject | None = None
    interests: frozenset[UUID] = frozenset()
    oversees: frozenset[UUID] = frozenset()

    @property
    def subject_id(self) -> UUID | None:
        """Whose matters the actor sees and files: his own, or those of the one he acts for."""
        return self.acting_for.id if self.acting_for else self.person_id

    @property
    def in_everything(self) -> bool:
        """Whether the actor stands for the subject in all things: himself, or by a mandate not limited to services."""
        return self.acting_for is None or self.acting_for.scope is None

    def may_file(self, ref: str) -> bool:
        """Whether the actor may apply for service ``ref``: always for himself, else as his mandate says."""
        if self.acting_for is None:
            return self.person_id is not None
        scope = self.acting_for.scope
        return "viewer" not in self.acting_for.roles and (scope is None or ref in scope)

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
