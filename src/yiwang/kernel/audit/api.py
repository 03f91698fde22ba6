"""Leave an audit event in the transaction of the write it tells of."""

from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from yiwang.kernel.access.contracts import Actor
from yiwang.kernel.ids import new_id

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


def record_on(
    con: psycopg.Connection,
    label: str,
    name: str,
    verb: str,
    object_type: str,
    object_id: object,
    trace_id: UUID | None = None,
    **detail,
) -> None:
    """The same on a connection of psycopg's own, in its transaction; ``label`` and ``name`` of whoever did it."""
    con.execute(
        "insert into audit_auditevent (id, at, actor, actor_name, verb, object_type, object_id, detail, trace_id) "
        "values (%s, now(), %s, %s, %s, %s, %s, %s, %s)",
        [new_id(), label, name, verb, object_type, str(object_id), Jsonb(detail), trace_id],
    )
