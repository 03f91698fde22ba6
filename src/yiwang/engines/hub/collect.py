"""The collector: loads deliveries one after the other, beside the worker of cases and at a lower priority.

A process of its own, because a load takes minutes of two cores and a case must not wait for it. It connects as
the owner of the tables. What it works on is held by a session lock of PostgreSQL, which ends with the process:
a killed collector leaves no lease to wait out, and the next one begins that delivery again from its file.
"""

from __future__ import annotations

import logging
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import close_old_connections, connection
from django.utils import timezone
from psycopg.types.json import Jsonb

from yiwang.kernel.events.api import AWAY, run_slow
from yiwang.kernel.files import store
from yiwang.kernel.packs import api as packs

from . import datasets, lake, published, tables, territory
from .actions import CHANNEL, inbox
from .contracts import Dataset, Mode, NotReadable
from .models import WAITING, Delivery, State
from .sharing import limits

log = logging.getLogger(__name__)
POLL_SECONDS = 2.0
ROUND_SECONDS = 60.0  # between two looks at what is due, when nothing comes
SOON_SECONDS = 3.0  # after deliveries: what they lead to is wanted now
REST = 4  # but a round that took long is followed by a rest so many times as long
MOST_ATTEMPTS = 3
ABANDONED = timedelta(days=7)  # of an upload without its end
_LOCK = "yiwang hub"


def connect() -> psycopg.Connection:
    """A connection as the owner of the tables, each statement its own transaction unless told otherwise."""
    return psycopg.connect(settings.OWNER_URL, autocommit=True)


def lake_root() -> Path:
    """Where the Delta tables of all datasets lie."""
    return Path(settings.ENV.var / "lake")


@contextmanager
def held(con: psycopg.Connection, dataset: str) -> Iterator[bool]:
    """Hold a dataset as long as this connection lives; False when another collector has it."""
    key = [_LOCK, dataset]
    got = con.execute("select pg_try_advisory_lock(hashtext(%s), hashtext(%s))", key).fetchone() == (True,)
    try:
        yield got
    finally:
        if got and not con.broken:
            con.execute("select pg_advisory_unlock(hashtext(%s), hashtext(%s))", key)


def waiting(con: psycopg.Connection) -> list[Delivery]:
    """Deliveries that are due, in the order in which they came; read as the owner."""
    found = con.execute(
        "select seq from hub_delivery where state = any(%s) and not_before <= now() order by seq limit 20",
        [[str(s) for s in WAITING]],
    ).fetchall()
    return list(Delivery.objects.using("owner").filter(seq__in=[s for (s,) in found]).order_by("seq"))


def work_once() -> bool:
    """Load what waits; returns whether anything did."""
    busy = False
    with connect() as con:
        limits.keep(con, packs.current_release())
        for delivery in waiting(con):
            with held(con, delivery.dataset) as mine:
                if mine:
                    delivery.refresh_from_db(using="owner")
                    if delivery.state in WAITING:
                        load(con, delivery)
                        busy = True
        _catch_up(con)
    return busy


def _catch_up(con: psycopg.Connection) -> None:
    """Join to the lake what a killed collector published and did not join."""
    behind = con.execute(
        "select seq, dataset from hub_delivery where state = 'loaded' and lake_version is null order by seq"
    ).fetchall()
    for seq, dataset in behind:
        with held(con, dataset) as mine:
            if mine:
                try:
                    _joined(con, seq, lake.join(lake_root(), dataset, seq))
                except Exception:
                    log.exception("the lake of delivery %s", seq)


def _joined(con: psycopg.Connection, seq: int, version: int) -> None:
    con.execute("update hub_delivery set lake_version = %s where seq = %s", [version, seq])


def load(con: psycopg.Connection, delivery: Delivery) -> None:
    """Bring one delivery to its end: loaded, refused, or put off."""
    from .loading import DiskFull

    seq = delivery.seq
    if delivery.attempts >= MOST_ATTEMPTS:
        _refuse(
            con,
            delivery,
            f"装载中断了 {delivery.attempts} 次，没有装载任何一行。请联系数据管理员查看日志后重报",
        )
        return
    con.execute(
        "update hub_delivery set state = %s, attempts = attempts + 1, error = '' where seq = %s",
        [State.LOADING, seq],
    )
    folder = settings.ENV.var / "hub" / "work" / str(seq)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        file = _stored(con, delivery)
        if file is not None:
            _load(con, delivery, file, folder)
    except NotReadable as error:
        _refuse(con, delivery, str(error))
    except DiskFull as error:
        _put_off(con, delivery, str(error), timedelta(minutes=5))
    except psycopg.OperationalError:
        raise
    except Exception as error:
        log.exception("delivery %s", seq)
        _put_off(
            con,
            delivery,
            f"装载时出错（{type(error).__name__}），没有装载任何一行，稍后自动重试",
            timedelta(seconds=30),
            False,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with connect() as other:
            state = other.execute("select state from hub_delivery where seq = %s", [seq]).fetchone()
            if state != (State.LOADED,):
                tables.drop(other, f"{delivery.dataset}__{seq}")
                lake.discard(lake_root(), delivery.dataset, seq)


def _stored(con: psycopg.Connection, delivery: Delivery) -> Path | None:
    """The file in the store; None when it says again what is in force, and the delivery is refused.

    The same bytes for another day, as everything instead of changes, under another version of the contract, or from
    another office where each delivers its own region, say something else and are loaded.
    """
    if not delivery.sha256:  # noted before the file moves, so that one killed in between finds it again
        delivery.sha256 = store.hash_of(Path(delivery.path))
        con.execute("update hub_delivery set sha256 = %s where seq = %s", [delivery.sha256, delivery.seq])
    if delivery.path and Path(delivery.path).exists():
        store.put_file(Path(delivery.path), delivery.sha256)
    territorial = bool(datasets.of_release(delivery.release, delivery.dataset).territory)
    known = con.execute(
        "select loaded_at, actor_name, name, seq from hub_delivery "
        "where dataset = %s and sha256 = %s and state = 'loaded' and mode = %s and contract_version = %s "
        "and (as_of at time zone 'Asia/Shanghai')::date = %s and (%s or org_id is not distinct from %s) "
        "order by seq desc limit 1",
        [
            delivery.dataset, delivery.sha256, delivery.mode, delivery.contract_version,
            timezone.localtime(delivery.as_of).date(), not territorial, delivery.org_id,
        ],
    ).fetchone()  # fmt: skip
    newer = known and con.execute(
        "select exists (select 1 from hub_delivery where dataset = %s and state = 'loaded' and seq > %s)",
        [delivery.dataset, known[3]],
    ).fetchone() == (True,)
    if known and not newer:
        at = timezone.localtime(known[0])
        _refuse(
            con,
            delivery,
            f"这个文件已经在 {at:%Y-%m-%d %H:%M} 由{known[1]}报过并装载（{known[2]}，第 {known[3]} 批），内容一字不差，"
            "没有再装。要报新的数据，请重新导出",
        )
        return None
    return store.path_of(delivery.sha256)


def _load(con: psycopg.Connection, delivery: Delivery, file: Path, folder: Path) -> None:
    from .loading import Load

    dataset = territory.bound(datasets.of_release(delivery.release, delivery.dataset), delivery.org)
    job = Load(
        dataset,
        delivery.seq,
        timezone.localtime(delivery.as_of),
        Mode(delivery.mode),
        file,
        folder,
        lake_root(),
        connect,
        territory.wholes_after(dataset, delivery),
    )

    def publish(within: psycopg.Connection, outcome: Any) -> None:
        published.note(within, delivery, dataset, outcome)

    job.validated = lambda outcome: _validated(con, delivery, dataset, outcome, job, folder)
    outcome = job.run(publish)
    try:
        with job.stage("lake"):
            version = lake.join(lake_root(), dataset.id, delivery.seq)
        _joined(con, delivery.seq, version)
    except Exception:  # it is published: the lake is caught up in the next round
        log.exception("the lake of delivery %s", delivery.seq)
    con.execute("update hub_delivery set seconds = %s where seq = %s", [Jsonb(outcome.seconds), delivery.seq])


def _validated(
    con: psycopg.Connection, delivery: Delivery, dataset: Dataset, outcome: Any, job: Any, folder: Path
) -> None:
    """Note what was found, and keep the workbook of the refused rows."""
    from . import workbook

    kept = ""
    if outcome.counts["bad"]:
        rows = chain(job.broken_for_workbook(), job.bad_for_workbook(workbook.MOST))
        out = folder / "bad.xlsx"
        workbook.write(out, dataset, rows, max(0, job.bad - workbook.MOST))
        kept = store.put_file(out)
    con.execute(
        "update hub_delivery set state = %s, counts = %s, messages = %s, tally = %s, workbook = %s where seq = %s",
        [
            State.VALIDATED,
            Jsonb(outcome.counts),
            Jsonb([asdict(m) for m in outcome.messages]),
            Jsonb(outcome.tally),
            kept,
            delivery.seq,
        ],
    )


def _refuse(con: psycopg.Connection, delivery: Delivery, why: str) -> None:
    con.execute(
        "update hub_delivery set state = %s, error = %s where seq = %s", [State.REFUSED, why, delivery.seq]
    )


def _put_off(
    con: psycopg.Connection, delivery: Delivery, why: str, pause: timedelta, forgive: bool = True
) -> None:
    """Try again later; a full disk does not count as an attempt."""
    con.execute(
        "update hub_delivery set state = %s, error = %s, not_before = now() + %s, attempts = attempts - %s "
        "where seq = %s and state <> 'loaded'",
        [State.RECEIVED, why, pause, int(forgive), delivery.seq],
    )


def sweep() -> int:
    """Give up uploads that nobody went on with for a week, and their files; returns how many."""
    with connect() as con:
        old = con.execute(
            "update hub_delivery set state = 'refused', error = %s "
            "where state = 'receiving' and received_at < now() - %s returning uid",
            ["上传没有传完，已过期，文件已删除。请重新上传", ABANDONED],
        ).fetchall()
    for (uid,) in old:
        inbox(uid).unlink(missing_ok=True)
    return len(old)


def run_forever() -> None:
    """Collect until told to stop. A database that goes away is waited for."""
    from . import pulling, reminding

    stopping = False
    look_again = rest_until = 0.0

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not stopping:
        try:
            with connect() as bell:
                bell.execute(f"listen {CHANNEL}")
                while not stopping:
                    if (began := time.monotonic()) >= look_again:
                        pulling.pull_due()
                        reminding.remind()
                        sweep()
                        run_slow()
                        now = time.monotonic()
                        rest_until = now + (now - began) * REST
                        look_again = max(now + ROUND_SECONDS, rest_until)
                    if work_once():
                        look_again = min(look_again, max(time.monotonic() + SOON_SECONDS, rest_until))
                    else:
                        for _ in bell.notifies(timeout=POLL_SECONDS, stop_after=1):
                            pass
        except AWAY as gone:
            log.warning("database not available, waiting: %s", gone)
            close_old_connections()
            time.sleep(1)
    connection.close()
