"""What somebody may see of the ledger: uses of his own data, and doubts that his office has to answer."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, Count, F, Max, QuerySet, Value, When
from django.db.models.functions import TruncDate

from yiwang.kernel.access.contracts import SYSTEM, Actor
from yiwang.kernel.access.session import as_system
from yiwang.kernel.accounts.models import Enterprise, Person, User
from yiwang.kernel.orgs.models import Organisation
from yiwang.kernel.orgs.queries import STEWARD

from .models import Doubt, Entry

OWN, BY_SYSTEM, OTHERS = "own", "system", "others"
KINDS = (OWN, BY_SYSTEM, OTHERS)
"""Whose uses: the actor's own looks and applications, the system's runs, other people's and offices'."""


def uses_of(actor: Actor, limit: int = 200) -> list[Entry]:
    """Entries about the actor's subject with their uses, the latest first; those of investigations only once due."""
    return list(_own(actor).order_by("-id")[:limit])


def lines_of(actor: Actor, of: str = "", on: date | None = None) -> QuerySet[Entry, dict[str, Any]]:
    """Uses as lines {kind, day, single, n, latest}, the latest first.

    Without ``of`` and ``on``, own looks and the system's runs are one line a day each and ``single`` is None: they
    are many, and hide what others did. ``single`` is the id of the line's only entry.

    Args:
        of: one of ``KINDS``; every entry is then a line. on: only that day's, local time.
    """
    kind = Case(
        When(use__actor=actor.label, then=Value(OWN)),
        When(use__actor=SYSTEM.label, then=Value(BY_SYSTEM)),
        default=Value(OTHERS),
    )
    found = _own(actor).annotate(kind=kind, day=TruncDate("use__at"))
    if of:
        found = found.filter(kind=of)
    if on:
        found = found.filter(day=on)
    single = F("id") if of or on else Case(When(kind=OTHERS, then=F("id")), default=None)
    lines = found.annotate(single=single).values("kind", "day", "single")
    return lines.annotate(n=Count("id"), latest=Max("use__at")).order_by("-latest", "kind", "single")


def entries_of(actor: Actor, ids: Iterable[UUID]) -> list[Entry]:
    """Those of some entries that are about the actor's subject."""
    return list(_own(actor).filter(id__in=list(ids)))


def entry_of(actor: Actor, entry_id: UUID) -> Entry | None:
    """One entry about the actor's subject, or None."""
    return _own(actor).filter(id=entry_id).first()


def of_use(actor: Actor, use_id: UUID) -> Entry | None:
    """What a use took of the actor's subject, or None."""
    return _own(actor).filter(use_id=use_id).first()


def _own(actor: Actor) -> QuerySet[Entry]:
    """Entries about the subject that PostgreSQL knows to be acting; none by a mandate for some services only."""
    if actor.subject_id is None or not actor.in_everything:
        return Entry.objects.none()
    with connection.cursor() as cursor:
        cursor.execute("select ledger_own_subject()")
        (subject,) = cursor.fetchone()
    if subject is None:
        return Entry.objects.none()
    return Entry.objects.filter(subject=subject, use__digest__isnull=False).select_related("use")


def is_steward(actor: Actor) -> bool:
    """Whether the actor looks after data in general: he may answer where an office does not."""
    return any(STEWARD in roles for roles in actor.posts.values())


def doubts_to_answer(actor: Actor) -> list[Doubt]:
    """Doubts that the actor's offices have to answer, the most urgent first."""
    mine = Doubt.objects.filter(org_id__in=list(actor.posts)).select_related("use")
    return list(mine.order_by(F("answered_at").desc(nulls_first=True), "due_at")[:200])


def doubts_elsewhere(actor: Actor) -> list[Doubt]:
    """For a steward, what other offices have not answered; he may, if nobody there can."""
    if not is_steward(actor):
        return []
    others = Doubt.objects.exclude(org_id__in=list(actor.posts)).filter(answered_at=None)
    return list(others.select_related("use").order_by("due_at")[:200])


def answered_before(doubts: Iterable[Doubt]) -> dict[tuple[UUID, UUID], Doubt]:
    """The first doubts behind second ones, by use and subject."""
    again = [d.use_id for d in doubts if d.round > 1]
    return {(d.use_id, d.subject_id): d for d in Doubt.objects.filter(use_id__in=again, round=1)}


def is_asked(actor: Actor) -> bool:
    """Whether an office of the actor's has, or had, a doubt to answer."""
    return bool(actor.posts) and Doubt.objects.filter(org_id__in=list(actor.posts)).exists()


def doubts_of(actor: Actor) -> dict[UUID, list[Doubt]]:
    """The actor's own doubts, by use, each use's in their order."""
    found: dict[UUID, list[Doubt]] = {}
    for one in Doubt.objects.filter(subject_id=actor.subject_id).order_by("round"):
        found.setdefault(one.use_id, []).append(one)
    return found


def names_behind(
    actor: Actor, doubts: Iterable[Doubt]
) -> tuple[dict[UUID, str], dict[str, str], dict[UUID, str]]:
    """Who doubts (by subject), who read (by the actor's label), and which office is asked, of doubts he may see."""
    found = list(doubts)
    subjects = {d.subject_id for d in found}
    users = {d.use.actor.removeprefix("user:") for d in found if d.use.actor.startswith("user:")}
    with as_system(actor):
        names = dict(Person.objects.filter(id__in=subjects).values_list("id", "name"))
        names |= dict(Enterprise.objects.filter(id__in=subjects).values_list("id", "name"))
        readers = User.objects.filter(id__in=users).values_list("id", "person__name")
        offices = dict(
            Organisation.objects.filter(id__in={d.org_id for d in found}).values_list("id", "name")
        )
        return names, {f"user:{id}": name for id, name in readers}, offices


def region_of(subject_id: UUID | None) -> str:
    """Code of the division in which a person's or an enterprise's number was given; empty when there is none."""
    idno = Person.objects.filter(id=subject_id).values_list("idno", flat=True).first()
    if idno:
        return str(idno[:6])
    uscc = Enterprise.objects.filter(id=subject_id).values_list("uscc", flat=True).first()
    return str(uscc[2:8]) if uscc else ""
