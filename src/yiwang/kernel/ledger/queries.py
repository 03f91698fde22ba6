"""What somebody may see of the ledger: uses of his own data."""

from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from yiwang.kernel.access.contracts import Actor

from .models import Doubt, Entry


def uses_of(actor: Actor, limit: int = 200) -> list[Entry]:
    """Entries about the actor's subject with their uses, the latest first; those of investigations only once due."""
    return list(_own(actor).order_by("-id")[:limit])


def entry_of(actor: Actor, entry_id: UUID) -> Entry | None:
    """One entry about the actor's subject, or None."""
    return _own(actor).filter(id=entry_id).first()


def of_use(actor: Actor, use_id: UUID) -> Entry | None:
    """What a use took of the actor's subject, or None."""
    return _own(actor).filter(use_id=use_id).first()


def _own(actor: Actor) -> QuerySet[Entry]:
    """Entries about the subject that PostgreSQL knows to be acting."""
    if actor.subject_id is None:
        return Entry.objects.none()
    with connection.cursor() as cursor:
        cursor.execute("select ledger_own_subject()")
        (subject,) = cursor.fetchone()
    if subject is None:
        return Entry.objects.none()
    return Entry.objects.filter(subject=subject, use__digest__isnull=False).select_related("use")


def doubts_to_answer(actor: Actor) -> list[Doubt]:
    """Doubts that the actor's offices have to answer, the most urgent first."""
    mine = Doubt.objects.filter(org_id__in=list(actor.posts)).select_related("use")
    return list(mine.order_by("answered_at", "due_at")[:200])


def doubts_of(actor: Actor) -> dict[UUID, Doubt]:
    """The actor's own doubts, by use."""
    return {d.use_id: d for d in Doubt.objects.filter(subject_id=actor.subject_id)}
