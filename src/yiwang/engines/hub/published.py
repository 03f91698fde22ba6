"""The last statements of the publishing transaction: what is held, how good it was, and that a delivery is loaded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
from django.utils import timezone
from psycopg.types.json import Jsonb

from yiwang.kernel.audit.api import record_on
from yiwang.kernel.events.api import emit_on

from . import publishing, referring
from .contracts import Dataset
from .models import Delivery, State
from .standing import hold


def note(con: psycopg.Connection, delivery: Delivery, dataset: Dataset, outcome: Any) -> None:
    """Write what a delivery led to: holding, quality, audit, event, and last that it is loaded.

    Args:
        con: of the owner, in the publishing transaction. outcome: of loading.
    """
    if outcome.first:
        held_rows, by_region = outcome.counts["new"], outcome.by_region
    else:
        held_rows, by_region = publishing.held(con, dataset)
    hold(con, dataset)
    # What a matter wrote back is nobody's delivery.
    reported = delivery.org_id is not None or delivery.channel != "api"
    con.execute(
        "update hub_holding set rows = %s, by_region = %s, latest_as_of = greatest(latest_as_of, %s) where dataset = %s",
        [
            held_rows,
            Jsonb(by_region) if by_region else None,
            delivery.as_of if reported else None,
            dataset.id,
        ],
    )
    con.execute(  # a delivery that was begun under an older contract takes nothing back
        "update hub_holding set name = %s, department = %s, contract_version = %s, key = %s, subject_field = %s "
        "where dataset = %s and contract_version <= %s",
        [
            dataset.name, dataset.department, dataset.version, Jsonb(list(dataset.key)), dataset.subject_field,
            dataset.id, dataset.version,
        ],
    )  # fmt: skip
    if outcome.counts["rows"]:
        _quality(con, delivery, dataset, outcome, held_rows)
    if reported:
        told = outcome.counts["good"] + outcome.counts["bad"]
        con.execute(
            "insert into hub_reported (dataset, org_id, latest_as_of, correct) values (%s, %s, %s, %s) "
            "on conflict (dataset, org_id) do update set "
            "latest_as_of = greatest(hub_reported.latest_as_of, excluded.latest_as_of), "
            "correct = coalesce(excluded.correct, hub_reported.correct)",
            [dataset.id, delivery.org_id, delivery.as_of, outcome.counts["good"] / told if told else None],
        )
    messages, tally = referring.missing(con, dataset, delivery.seq)
    if messages:
        con.execute(
            "update hub_delivery set messages = messages || %s, tally = tally || %s where seq = %s",
            [Jsonb(messages), Jsonb(tally), delivery.seq],
        )
    record_on(
        con, delivery.actor, delivery.actor_name, "hub.loaded", "delivery", delivery.uid, delivery.uid,
        dataset=dataset.id, **outcome.counts,
    )  # fmt: skip
    told = {
        "delivery": str(delivery.uid),
        "seq": delivery.seq,
        "dataset": dataset.id,
        "counts": outcome.counts,
        "touched": publishing.touched(con),
    }
    emit_on(con, "hub.loaded", told, delivery.uid)
    con.execute(
        "update hub_delivery set state = %s, counts = %s, error = '', loaded_at = clock_timestamp() where seq = %s",
        [State.LOADED, Jsonb(outcome.counts), delivery.seq],
    )


def _quality(con: psycopg.Connection, delivery: Delivery, dataset: Dataset, outcome: Any, rows: int) -> None:
    before = con.execute(
        "select max(as_of) from hub_delivery where dataset = %s and state = 'loaded' and seq <> %s "
        "and (%s or org_id is not distinct from %s)",
        [dataset.id, delivery.seq, not dataset.territory, delivery.org_id],
    ).fetchone()
    limit = timedelta(days=dataset.cycle_days + dataset.grace_days)
    timely = float(not before or before[0] is None or timezone.now() - before[0] <= limit)
    told = outcome.counts["good"] + outcome.counts["bad"]
    shares = (
        outcome.counts["good"] / told if told else 1.0,
        outcome.filled,
        timely,
        min(1.0, rows / dataset.expected_rows),
    )
    con.execute(
        "insert into hub_quality (dataset, delivery_id, at, correct, complete, timely, covered, score) "
        "values (%s, %s, now(), %s, %s, %s, %s, %s)",
        [dataset.id, delivery.seq, *shares, sum(shares) / len(shares)],
    )
