"""What the system does: start what waited, finish service tasks, fire timers, recompute deadlines."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from yiwang.engines.cases.contracts import Phase, Result
from yiwang.engines.cases.flow import Complete, FireTimer, advance
from yiwang.engines.cases.items import graph
from yiwang.engines.cases.store import Change, Locked
from yiwang.kernel.access.contracts import Actor

from .moving import AlreadyChanged, apply_due, begin, close, execute, happened, move, node_of


def start(actor: Actor, case_id: UUID, command_id: UUID, data: dict[str, Any] | None = None) -> Locked:
    """Set a waiting or just received case going."""

    def decide(held: Locked, now: datetime) -> Change:
        return begin(held, now, data)

    return execute(actor, case_id, command_id, decide)


def finish_service(
    actor: Actor, case_id: UUID, token_id: int, command_id: UUID, data: dict[str, Any] | None = None
) -> Locked:
    """A service task has done its work; its results join the case's data."""

    def decide(held: Locked, now: datetime) -> Change:
        node = node_of(held, token_id)
        change = Change(
            "serviced", {"token": token_id, "node": node.id, "node_name": node.name}, data=data or {}
        )
        step = advance(
            graph(held.flow_id), held.state, Complete(token_id, None), {**held.data, **(data or {})}
        )
        return move(held, now, step, change)

    return execute(actor, case_id, command_id, decide)


def fire_timer(actor: Actor, case_id: UUID, token_id: int, node_id: str, command_id: UUID) -> Locked:
    """A timer is due. Raises Refused when its token has gone, which is no harm."""

    def decide(held: Locked, now: datetime) -> Change:
        step = advance(graph(held.flow_id), held.state, FireTimer(token_id, node_id), held.data)
        name = graph(held.flow_id).node(node_id).name
        return move(held, now, step, Change("timer", {"token": token_id, "node": node_id, "node_name": name}))

    return execute(actor, case_id, command_id, decide, skip_locked=True)


def mark_overdue(actor: Actor, case_id: UUID, command_id: UUID) -> Locked:
    """The limit has passed and the case is open: said once, to those who can do something about it."""

    def decide(held: Locked, now: datetime) -> Change:
        if held.closed_at is not None or held.due_at is None or held.due_at > now:
            raise AlreadyChanged(_("没有超期。"))
        change = Change("overdue", patch={"extra": {**held.extra, "overdue": now.isoformat()}})
        change.outbox.append(("cases.overdue", {"case": str(held.id), "seq": held.seq + 1}))
        return change

    return execute(actor, case_id, command_id, decide, skip_locked=True)


def stop_waiting(actor: Actor, case_id: UUID, because: str, command_id: UUID) -> Locked:
    """A sibling whose result this case needs ended without it: it will not begin."""

    def decide(held: Locked, now: datetime) -> Change:
        if held.phase != Phase.WAITING:
            raise AlreadyChanged(_("这件办件已经开始办理。"))
        change = Change("stopped", {"because": because})
        close(held, now, change, Result.STOPPED)
        happened(held, change, "stopped", reason=because)
        return change

    return execute(actor, case_id, command_id, decide)


def recompute_due(actor: Actor, case_id: UUID, because: str, command_id: UUID) -> Locked:
    """The calendar changed under a running clock: the deadline follows, and the event says why."""

    def decide(held: Locked, now: datetime) -> Change:
        change = Change("deadline-recalculated", {"because": because, "was": held.due_at})
        apply_due(held, change)
        change.token_due = change.patch["due_at"]
        return change

    return execute(actor, case_id, command_id, decide)
