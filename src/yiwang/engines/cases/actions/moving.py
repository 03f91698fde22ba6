"""What every command shares: lock the case, decide, write; and what follows when its flow moves."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.cases import store
from yiwang.engines.cases.clock import due, stretches
from yiwang.engines.cases.contracts import Phase, Result, Status
from yiwang.engines.cases.flow import EMPTY, CommandRefused, Graph, Node, Start, Step, advance
from yiwang.engines.cases.items import Item, graph, item
from yiwang.engines.cases.store import Change, ClockChange, Locked
from yiwang.engines.cases.timing import timer_due
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.calendar.api import due_from

_ORDER = list(Status)


class NotThere(Refused):
    """There is no such case, or the actor may not see it: the same answer to both."""


class AlreadyChanged(Refused):
    """Somebody else was faster: the case is no longer where the page showed it."""


def execute(
    actor: Actor,
    case_id: UUID,
    command_id: UUID,
    decide: Callable[[Locked, datetime], Change],
    *,
    skip_locked: bool = False,
) -> Locked:
    """Lock the case, let ``decide`` say what changes, write it.

    Raises:
        Refused: by ``decide``, or because the case cannot be seen.
    """
    # Nothing is written before decide has agreed, so inside a request's transaction no savepoint is needed.
    with nullcontext() if connection.in_atomic_block else transaction.atomic():
        try:
            held = store.lock(case_id, command_id, skip_locked=skip_locked)
        except store.Gone as gone:
            raise NotThere(_("没有找到这件办件，或您无权查看。")) from gone
        if held.already:
            return held
        now = timezone.now()
        try:
            change = decide(held, now)
        except CommandRefused as refused:
            raise _explain(held, refused) from refused
        store.write(held, actor, command_id, now, change)
        return held


def _explain(held: Locked, refused: CommandRefused) -> Refused:
    if refused.code == "token-gone":
        return AlreadyChanged(closed_because(held) or _("这一环节刚刚已由他人办理，请刷新页面查看最新进度。"))
    return Refused(str(refused))


def closed_because(held: Locked) -> str:
    if held.result == Result.WITHDRAWN:
        return _("申请人已撤回这件申请，您的意见没有生效，无需再办理。")
    if held.closed_at is not None:
        return _("这件办件已经办结，您的操作没有生效。")
    return ""


def require_open(held: Locked) -> None:
    """Only a case that is being worked on.

    Raises:
        AlreadyChanged: closed, withdrawn, suspended or waiting for the applicant.
    """
    because = closed_because(held)
    if because:
        raise AlreadyChanged(because)
    if held.phase == Phase.SUPPLEMENT:
        raise AlreadyChanged(_("这件办件正在等申请人补正，补正后才能继续办理。"))
    if held.phase == Phase.SUSPENDED:
        raise AlreadyChanged(_("这件办件已暂停计时，请先恢复再办理。"))


# ---- the flow moves -------------------------------------------------------------------------------


def spec_of(held: Locked) -> Item:
    return item(held.release, held.kind, held.ref, held.extra.get("overlay", ""))


def move(held: Locked, now: datetime, step: Step, change: Change) -> Change:
    """Complete ``change`` with what follows from a step: tokens, timers, milestones, clock, service work."""
    flow = graph(held.flow_id)
    spec = spec_of(held)
    change.step = step
    reached = _milestone(flow, step, str(change.patch.get("status", held.status)))
    if reached != held.status:
        change.patch["status"] = Status(reached)
    starts = (spec.instant and not held.clock) or (
        reached in (Status.ACCEPTED, Status.REVIEWED) and held.accepted_at is None
    )
    if starts and held.kind != "bundle" and not step.done:
        change.clock = ClockChange(now, True)
        change.patch["accepted_at"] = now
        apply_due(held, change)
    for token in step.created:
        node = flow.node(token.node)
        change.token_columns[token.id] = {
            "name": node.name,
            "role": node.ext.get("role", ""),
            "due_at": _token_due(held, change, spec, now, node),
        }
        if token.kind == "service":
            change.outbox.append(
                (
                    "cases.service",
                    {"case": str(held.id), "token": token.id, "action": node.ext.get("action", "")},
                )
            )
    for timer in step.timers:
        change.timers.append((timer, timer_due(timer, spec, now)))
    if step.done:
        # An error end that nothing catches is no verdict: the case must not look granted.
        failed = any(entry.kind == "uncaught" for entry in step.trace)
        close(held, now, change, Result.FAILED if failed else "")
    return change


def _milestone(flow: Graph, step: Step, status: str) -> str:
    for entry in step.trace:
        milestone = flow.node(entry.node).ext.get("milestone") if entry.kind == "enter" else None
        if milestone and _ORDER.index(Status(milestone)) > _ORDER.index(Status(status)):
            status = milestone
    return status


def _token_due(held: Locked, change: Change, spec: Item, now: datetime, node: Node) -> datetime | None:
    if held.kind == "bundle":
        return None
    if node.ext.get("form") == "accept" and spec.correction:
        return due_from(spec.correction, now)
    due_at: datetime | None = change.patch.get("due_at", held.due_at)
    return due_at


def apply_due(held: Locked, change: Change) -> None:
    """Recompute the due dates that follow from the clock as ``change`` leaves it, into its patch."""
    spec = spec_of(held)
    extra = {**held.extra, **change.patch.get("extra", {})}
    extension = extra.get("extension") or {}
    more = extension["value"] if extension.get("approved_by") else 0
    projected = due(spec.promised, spec.legal, more, stretches(held.clock, change.clock))
    change.patch |= {
        "due_at": projected.promised,
        "legal_due_at": projected.legal,
        "due_provisional": projected.provisional,
    }


def close(held: Locked, now: datetime, change: Change, result: str = "") -> None:
    """End the case: its result, its clock, and the news of it."""
    usual = Result.DONE if held.kind == "matter" else Result.GRANTED
    verdict = result or {**held.extra, **change.patch.get("extra", {})}.get("verdict") or usual
    change.patch |= {"status": Status.CLOSED, "phase": Phase.CLOSED, "result": verdict, "closed_at": now}
    if change.clock is None and held.clock and held.clock[-1]["end"] is None:
        change.clock = ClockChange(now, None)
    change.outbox.append(("cases.closed", {"case": str(held.id), "result": str(verdict)}))


def happened(held: Locked, change: Change, what: str, **more: Any) -> None:
    """Let the applicant hear of it: a message, and a signed notice where the pack has one."""
    change.outbox.append(
        ("cases.happened", {"case": str(held.id), "seq": held.seq + 1, "what": what, **more})
    )


def begin(held: Locked, now: datetime, data: dict[str, Any] | None = None) -> Change:
    """The change that starts a case's flow."""
    if held.seq and held.phase != Phase.WAITING:
        raise AlreadyChanged(_("这件办件已经开始办理。"))
    change = Change("started", data=data or {}, patch={"phase": Phase.OPEN, "status": Status.RECEIVED})
    step = advance(graph(held.flow_id), EMPTY, Start(), {**held.data, **(data or {})})
    if spec_of(held).data.get("decision", {}).get("auto"):
        change.outbox.append(("cases.self-decision", {"case": str(held.id)}))
    return move(held, now, step, change)


class Row:
    """A locked row as the access rules want it."""

    def __init__(self, held: Locked) -> None:
        self.subject_id: UUID | None = held.subject_id
        self.org_id: UUID | None = held.org_id


def node_of(held: Locked, token_id: int) -> Node:
    token = held.state.tokens.get(token_id)
    if token is None:
        raise CommandRefused("token-gone", "")
    return graph(held.flow_id).node(token.node)
