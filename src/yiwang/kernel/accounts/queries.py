"""Reads of accounts."""

from django.utils import timezone

from yiwang.kernel.access.contracts import VISITOR, Actor
from yiwang.kernel.orgs.queries import posts_of

from .models import User


def actor_of(user) -> Actor:
    """The actor behind a request's user: person, and the posts held today."""
    if not user.is_authenticated:
        return VISITOR
    person = user.person
    return Actor(
        name=person.name,
        user_id=user.id,
        person_id=person.id,
        posts=posts_of(person.id, timezone.localdate()),
    )


def demo_users():
    """The accounts of the demo sign-in list, in the order of the story they tell."""
    return User.objects.exclude(demo_role="").select_related("person").order_by("demo_order", "username")
