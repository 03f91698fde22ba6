"""Who looked at whose register data."""

from yiwang.kernel.access.contracts import Actor

from .models import Lookup


def looks_at(actor: Actor, limit: int = 200) -> list[Lookup]:
    """Every look at the records of the actor's subject, the latest first."""
    return list(Lookup.objects.filter(subject_id=actor.subject_id).order_by("-at")[:limit])
