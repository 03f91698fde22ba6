"""Leave an audit event in the transaction of the write it tells of."""

from uuid import UUID

from yiwang.kernel.access.contracts import Actor

from .models import AuditEvent


def record(
    actor: Actor, verb: str, object_type: str, object_id: object, trace_id: UUID | None = None, **detail
) -> None:
    """Write one audit event.

    Args:
        verb: what was done, as ``room.verb``: ``draft.saved``, ``file.stored``.
        detail: JSON-able facts; never the content of sensitive fields.
    """
    AuditEvent.objects.create(
        actor=actor.label,
        actor_name=actor.name,
        verb=verb,
        object_type=object_type,
        object_id=str(object_id),
        detail=detail,
        trace_id=trace_id,
    )
