"""Events between rooms: emit in the transaction of the fact; handlers run later, each in its own."""

import logging
import traceback
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting

from .models import OutboxEvent

log = logging.getLogger(__name__)
Handler = Callable[[dict, UUID | None], None]
_handlers: dict[str, list[Handler]] = defaultdict(list)
CHANNEL = "yiwang_outbox"
AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
"""What is raised while the database is away or has just gone, by Django and by psycopg's own connections."""
MAX_BACKOFF = timedelta(minutes=10)


def on(topic: str) -> Callable[[Handler], Handler]:
    """Register a handler: ``handler(body, trace_id)``, as the system, in a transaction of its own.

    It may run again after a crash before its commit, never after it: make outside effects idempotent.
    """

    def register(handler: Handler) -> Handler:
        _handlers[topic].append(handler)
        return handler

    return register


_slow: list[Callable[[], None]] = []


def slowly(job: Callable[[], None]) -> Callable[[], None]:
    """Register a job that may take minutes: the collector's process calls it each round, in no transaction.

    It asks itself whether anything is due, and must bear being killed and called again.
    """
    _slow.append(job)
    return job


def run_slow() -> None:
    """Call the slow jobs; one that fails is logged and does not keep the others."""
    for job in _slow:
        try:
            job()
        except Exception:
            log.exception("slow job %s", job.__name__)


def emit(topic: str, body: dict, trace_id: UUID | None = None, not_before: datetime | None = None) -> None:
    """Put an event into the outbox, in the current transaction; ``not_before``: to be delivered later."""
    OutboxEvent.objects.create(
        topic=topic, body=body, trace_id=trace_id, not_before=not_before or timezone.now()
    )
    transaction.on_commit(_wake)


def emit_on(con: psycopg.Connection, topic: str, body: dict, trace_id: UUID | None = None) -> None:
    """The same on a connection of psycopg's own, in its transaction; the worker finds it when it looks."""
    con.execute(
        "insert into events_outboxevent (topic, body, trace_id, created, not_before, attempts, error)"
        " values (%s, %s, %s, now(), now(), 0, '')",
        [topic, Jsonb(body), trace_id],
    )


def _wake() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"notify {CHANNEL}")


def dispatch_one() -> bool:
    """Deliver the oldest due event to its handlers; its row goes in the transaction of their writes.

    Returns:
        False when nothing was due. A failing handler is tried again later, with growing pauses.
    """
    with acting(SYSTEM):
        event = (
            OutboxEvent.objects.select_for_update(skip_locked=True)
            .filter(not_before__lte=timezone.now())
            .order_by("id")
            .first()
        )
        if event is None:
            return False
        try:
            with transaction.atomic():
                for handler in _handlers[event.topic]:
                    handler(event.body, event.trace_id)
        except Exception:  # one bad event must not stop the others; it is kept, counted and shown by doctor
            event.attempts += 1
            event.error = traceback.format_exc()[-4000:]
            event.not_before = timezone.now() + min(MAX_BACKOFF, timedelta(seconds=2**event.attempts))
            event.save()
            log.warning("event %s (%s) failed, attempt %s", event.id, event.topic, event.attempts)
        else:
            event.delete()
    return True
