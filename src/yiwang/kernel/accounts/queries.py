"""Reads of accounts."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import VISITOR, Actor, Refused, Subject
from yiwang.kernel.access.session import as_system
from yiwang.kernel.orgs.queries import MANAGER, below, posts_of

from .models import Mandate, User


def actor_of(user, acting_for: str = "") -> Actor:
    """The actor behind a request's user: person, and the posts held today or the mandate in use.

    Args:
        acting_for: id of the subject he has chosen to act for; empty for himself.

    Raises:
        MandateEnded: he chose a subject whose mandate is no longer in force.
    """
    if not user.is_authenticated:
        return VISITOR
    person = user.person
    today = timezone.localdate()
    if not acting_for:
        posts = posts_of(person.id, today)
        if not posts:
            return Actor(person.name, user.id, person.id)
        mandates = in_force(today).filter(agent_id=person.id).values_list("subject_id", flat=True)
        return Actor(
            person.name,
            user.id,
            person.id,
            posts,
            interests=frozenset(mandates),
            oversees=overseen(posts),
        )
    mandate = in_force(today).filter(agent_id=person.id, subject_id=acting_for).first()
    if mandate is None:
        raise MandateEnded(
            _(
                "您代办所依据的授权已经到期或被收回，刚才的操作没有生效。之前保存的内容还在委托人的“我的办件”里；"
                "您现在是以本人身份操作。"
            )
        )
    subject = Subject(
        mandate.subject_id,
        mandate.subject_kind,
        mandate.subject_name,
        frozenset(mandate.roles),
        None if mandate.scope is None else frozenset(mandate.scope),
    )
    return Actor(f"{person.name}（代{subject.name}）", user.id, person.id, acting_for=subject)


def overseen(posts: Mapping[UUID, frozenset[str]]) -> frozenset[UUID]:
    """The offices below those that somebody manages."""
    managed = [org for org, roles in posts.items() if MANAGER in roles]
    return below(managed) if managed else frozenset()


class MandateEnded(Refused):
    """The mandate somebody acts by has ended or was taken back."""


def in_force(today: date):
    """Mandates that count on a day."""
    return Mandate.objects.filter(Q(until=None) | Q(until__gte=today), since__lte=today, revoked_at=None)


def held(actor: Actor) -> list[Mandate]:
    """Mandates by which the actor may act for others today."""
    return list(in_force(timezone.localdate()).filter(agent_id=actor.person_id).order_by("subject_name"))


def given(actor: Actor) -> list[Mandate]:
    """Mandates that the actor's subject has given, ended ones too, the newest first."""
    return list(Mandate.objects.filter(subject_id=actor.subject_id))


def offices_of(actor: Actor, labels: set[str]) -> dict[str, str]:
    """The office behind each official's label, such as ``user:<id>``; residents have none."""
    ids = {label.removeprefix("user:") for label in labels if label.startswith("user:")}
    with as_system(actor):
        users = User.objects.filter(id__in=ids).values_list("id", "person__posts__org__name")
        return {f"user:{user_id}": office for user_id, office in users if office}


def demo_users():
    """The accounts of the demo sign-in list, in the order of the story they tell."""
    return User.objects.exclude(demo_role="").select_related("person").order_by("demo_order", "username")
