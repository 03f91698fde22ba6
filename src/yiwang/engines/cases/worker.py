"""The worker's loop: due timers and the outbox, woken by NOTIFY, polling behind it."""

import logging
import signal
import time

from django.db import close_old_connections, connection
from django.utils import timezone

from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.events.api import AWAY, CHANNEL, dispatch_one
from yiwang.kernel.ids import derived_id
from yiwang.kernel.ledger import heads
from yiwang.kernel.ledger.actions import tell_late
from yiwang.kernel.ledger.sequencing import append_pending
from yiwang.kernel.notify.api import deliver_due

from . import actions, consents, periodic
from .models import Case, Timer
from .undertakings import remind

log = logging.getLogger(__name__)
POLL_SECONDS = 1.0
OVERDUE_SECONDS = 60.0
FIRST_HEAD_SECONDS = 60.0


def fire_due(limit: int = 100) -> int:
    """Fire timers that are due; returns how many fired.

    A timer's command id is made from its row, so two workers, or a crash, fire it once. The case is
    locked first; a case held by somebody else is left for the next round.
    """
    fired = 0
    due = list(Timer.objects.filter(due_at__lte=timezone.now()).order_by("due_at")[:limit])
    for timer in due:
        try:
            with acting(SYSTEM):
                actions.fire_timer(
                    SYSTEM, timer.case_id, timer.token, timer.node, derived_id("timer", timer.pk)
                )
                Timer.objects.filter(pk=timer.pk).delete()
            fired += 1
        except actions.AlreadyChanged:
            Timer.objects.filter(pk=timer.pk).delete()  # its token has gone
        except Refused:
            continue  # the case is held just now
    return fired


def flag_overdue(limit: int = 100) -> int:
    """Report cases that ran over their limit, each once; returns how many."""
    with acting(SYSTEM):
        late = Case.objects.filter(closed_at=None, due_at__lt=timezone.now()).exclude(kind="bundle")
        fresh = list(late.exclude(extra__has_key="overdue").values_list("id", "due_at")[:limit])
    flagged = 0
    for case_id, due_at in fresh:
        try:
            with acting(SYSTEM):
                actions.mark_overdue(SYSTEM, case_id, derived_id("overdue", case_id, due_at))
            flagged += 1
        except Refused:
            continue  # held or finished just now
    return flagged


def work_once() -> bool:
    """Do what is due; returns whether anything was."""
    busy = fire_due() > 0
    while dispatch_one():
        busy = True
    busy = append_pending() > 0 or busy
    return deliver_due() > 0 or busy


def _publish_head() -> None:
    """An hour's head of the ledger; without a key there is none, and `yiwang doctor` says so."""
    try:
        heads.publish()
    except heads.NoKey as missing:
        log.warning("%s", missing)


def run_forever() -> None:
    """Work until told to stop. A database that goes away is waited for."""
    stopping = False
    look_again = 0.0
    next_head = time.monotonic() + FIRST_HEAD_SECONDS

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not stopping:
        try:
            connection.ensure_connection()
            with connection.cursor() as cursor:
                cursor.execute(f"listen {CHANNEL}")
            while not stopping:
                if time.monotonic() >= look_again:
                    flag_overdue()
                    remind()
                    periodic.run(limit=500)
                    consents.lapse()
                    tell_late()
                    look_again = time.monotonic() + OVERDUE_SECONDS
                if time.monotonic() >= next_head:
                    _publish_head()
                    next_head = time.monotonic() + heads.EVERY_SECONDS
                if not work_once():
                    for _ in connection.connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                        pass
        except AWAY as gone:
            log.warning("database not available, waiting: %s", gone)
            close_old_connections()
            connection.close()
            time.sleep(1)
    connection.close()
