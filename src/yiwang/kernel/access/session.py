"""Tells PostgreSQL who is acting. The settings end with the transaction, so none leaks to the next request."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection, transaction
from psycopg.pq import TransactionStatus

from .contracts import SYSTEM, Actor

ACTING_FOR = "acting_for"
"""Key of the web session that holds the id of the subject somebody has chosen to act for."""

_SET = (
    "select set_config('app.person', %s, true), set_config('app.subject', %s, true), set_config('app.orgs', %s, true), "
    "set_config('app.posts', %s, true), set_config('app.system', %s, true), set_config('app.actor', %s, true)"
)


def announce(actor: Actor) -> None:
    """Set the actor for the rest of the current transaction.

    ``app.posts``: the offices he works for, which the ledger names as those that read; ``app.orgs``: with those that
    he oversees, whose rows he sees.

    Raises:
        TransactionManagementError: no transaction is open.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _SET,
            [
                str(actor.person_id or ""),
                str(actor.subject_id or ""),
                _array((*actor.posts, *actor.oversees)),
                _array(actor.posts),
                "on" if actor.system else "",
                actor.label,
            ],
        )


def _array(ids: Iterable[UUID]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"


@contextmanager
def acting(actor: Actor) -> Iterator[Actor]:
    """A transaction in which ``actor`` acts. Use for commands and workers; requests have the middleware."""
    with transaction.atomic():
        announce(actor)
        yield actor


@contextmanager
def as_system(back_to: Actor) -> Iterator[Actor]:
    """Within the open transaction, let the system do what the person may not, then give the floor back.

    Keep what runs inside to single kernel calls (allocate a number, append to a ledger).
    """
    announce(SYSTEM)
    try:
        yield SYSTEM
    finally:  # a refusal too; after an error of the database the transaction is lost anyway
        if connection.connection.info.transaction_status == TransactionStatus.INTRANS:
            announce(back_to)
