"""Commands on a case. One function, one transaction: the change, its hash-chained event, its outbox rows.

Every command carries an id made by whoever gives it (a form's nonce, an offline phone, a timer). The same
id again changes nothing and reports the same success: a double click or a retry is applied once.
A command that cannot be applied raises ``Refused`` with a sentence for the person; nothing is written.
"""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.rules import require_role, require_subject

from . import store
from .clock import due, due_from, stretches
from .contracts import Phase, Result, Status
from .flow import EMPTY, Cancel, CommandRefused, Complete, FireTimer, Graph, Node, Start, Step, advance
from .items import Item, graph, item
from .store import Change, ClockChange, Locked
from .timing import timer_due

_VERDICTS = {"grant": Result.GRANTED, "deny": Result.DENIED, "refuse": Result.REFUSED}
_ORDER = list(Status)


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
            raise Refused(_("没有找到这件办件，或您无权查看。")) from gone
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
        return AlreadyChanged(
            _closed_because(held) or _("这一环节刚刚已由他人办理，请刷新页面查看最新进度。")
        )
    return Refused(str(refused))


def _closed_because(held: Locked) -> str:
    if held.result == Result.WITHDRAWN:
        return _("申请人已撤回这件申请，您的意见没有生效，无需再办理。")
    if held.closed_at is not None:
        return _("这件办件已经办结，您的操作没有生效。")
    return ""


def _require_open(held: Locked) -> None:
    """Only a case that is being worked on.

    Raises:
        AlreadyChanged: closed, withdrawn, suspended or waiting for the applicant.
    """
    because = _closed_because(held)
    if because:
        raise AlreadyChanged(because)
    if held.phase == Phase.SUPPLEMENT:
        raise AlreadyChanged(_("这件办件正在等申请人补正，补正后才能继续办理。"))
    if held.phase == Phase.SUSPENDED:
        raise AlreadyChanged(_("这件办件已暂停计时，请先恢复再办理。"))


# ---- the flow moves -------------------------------------------------------------------------------


def _item(held: Locked) -> Item:
    return item(held.release, held.kind, held.ref)


def move(held: Locked, now: datetime, step: Step, change: Change) -> Change:
    """Complete ``change`` with what follows from a step: tokens, timers, milestones, clock, service work."""
    flow = graph(held.flow_id)
    spec = _item(held)
    change.step = step
    reached = _milestone(flow, step, str(change.patch.get("status", held.status)))
    if reached != held.status:
        change.patch["status"] = Status(reached)
    starts = (spec.instant and not held.clock) or (
        reached in (Status.ACCEPTED, Status.REVIEWED) and held.accepted_at is None
    )
    if starts and held.kind == "service_item" and not step.done:
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
        close(held, now, change)
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
    spec = _item(held)
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
    verdict = result or {**held.extra, **change.patch.get("extra", {})}.get("verdict") or Result.GRANTED
    change.patch |= {"status": Status.CLOSED, "phase": Phase.CLOSED, "result": verdict, "closed_at": now}
    if change.clock is None and held.clock and held.clock[-1]["end"] is None:
        change.clock = ClockChange(now, None)
    change.outbox.append(("cases.closed", {"case": str(held.id), "result": str(verdict)}))


def _happened(held: Locked, change: Change, what: str, **more: Any) -> None:
    """Let the applicant hear of it: a message, and a signed notice where the pack has one."""
    change.outbox.append(
        ("cases.happened", {"case": str(held.id), "seq": held.seq + 1, "what": what, **more})
    )


def start(actor: Actor, case_id: UUID, command_id: UUID, data: dict[str, Any] | None = None) -> Locked:
    """Set a waiting or just received case going."""

    def decide(held: Locked, now: datetime) -> Change:
        return begin(held, now, data)

    return execute(actor, case_id, command_id, decide)


def begin(held: Locked, now: datetime, data: dict[str, Any] | None = None) -> Change:
    """The change that starts a case's flow."""
    if held.seq and held.phase != Phase.WAITING:
        raise AlreadyChanged(_("这件办件已经开始办理。"))
    change = Change("started", data=data or {}, patch={"phase": Phase.OPEN, "status": Status.RECEIVED})
    step = advance(graph(held.flow_id), EMPTY, Start(), {**held.data, **(data or {})})
    return move(held, now, step, change)


# ---- officials -------------------------------------------------------------------------------------


def complete(
    actor: Actor, case_id: UUID, token_id: int, outcome: str | None, reason: str, command_id: UUID
) -> Locked:
    """An official finishes a step with an outcome that the flow offers.

    Raises:
        Refused: no such post, a reason is missing, or the step is gone.
    """

    def decide(held: Locked, now: datetime) -> Change:
        _require_open(held)
        node = _node_of(held, token_id)
        require_role(actor, _Row(held), node.ext.get("role", ""))
        chosen = next((o for o in node.outcomes if o.code == outcome), None)
        if chosen and chosen.reason == "required" and not reason.strip():
            raise Refused(
                _("请写明理由：“%(outcome)s”的理由会写进文书，送达申请人。") % {"outcome": chosen.name}
            )
        change = Change(
            "completed",
            {
                "token": token_id,
                "node": node.id,
                "node_name": node.name,
                "outcome": outcome,
                "reason": reason,
            },
        )
        if chosen:
            change.args["outcome_name"] = chosen.name
        verdict = _VERDICTS.get(outcome or "")
        if verdict:
            change.patch["extra"] = {
                **held.extra,
                "verdict": verdict,
                "reason": reason,
                "decided_by": actor.name,
            }
            if held.clock and held.clock[-1]["end"] is None:
                change.clock = ClockChange(now, None)
            if outcome != "refuse":
                change.patch["decided_at"] = now
        step = advance(graph(held.flow_id), held.state, Complete(token_id, outcome), held.data)
        move(held, now, step, change)
        if chosen and chosen.document:
            _happened(held, change, chosen.document, reason=reason)
        return change

    return execute(actor, case_id, command_id, decide)


class _Row:
    """A locked row as the access rules want it."""

    def __init__(self, held: Locked) -> None:
        self.subject_id: UUID | None = held.subject_id
        self.org_id: UUID | None = held.org_id


def _node_of(held: Locked, token_id: int) -> Node:
    token = held.state.tokens.get(token_id)
    if token is None:
        raise CommandRefused("token-gone", "")
    return graph(held.flow_id).node(token.node)


def request_supplement(
    actor: Actor, case_id: UUID, token_id: int, keys: Iterable[str], note: str, command_id: UUID
) -> Locked:
    """Ask the applicant once, for things on the list he was told at the start (行政许可法第三十二条第四项).

    Args:
        keys: keys of the told list: paths of fields and ``material@holder``.

    Raises:
        Refused: asked before, nothing chosen, or something the applicant was never told.
    """
    wanted = list(dict.fromkeys(keys))

    def decide(held: Locked, now: datetime) -> Change:
        _require_open(held)
        node = _node_of(held, token_id)
        require_role(actor, _Row(held), node.ext.get("role", ""))
        if held.extra.get("supplement"):
            raise Refused(_("已经告知过一次补正。依法只能一次告知，请作出受理或不予受理决定。"))
        if held.accepted_at is not None and not _item(held).instant:
            raise Refused(_("已经受理，不能再要求补正；需要核实的请用“暂停计时”并写明依据。"))
        told = {line["key"]: line["label"] for line in held.extra.get("told", [])}
        if not wanted:
            raise Refused(_("请勾选需要补正的内容。"))
        for key in wanted:
            if key not in told:
                raise Refused(
                    _("“%(key)s”不在给申请人的一次告知单上，不能要求补正。请只从告知单中选择。")
                    % {"key": key}
                )
        supplement = {
            "items": [{"key": k, "label": told[k]} for k in wanted],
            "note": note,
            "at": now.isoformat(),
        }
        change = Change(
            "supplement-requested",
            {"keys": wanted, "note": note},
            patch={"phase": Phase.SUPPLEMENT, "extra": {**held.extra, "supplement": supplement}},
        )
        if held.clock and held.clock[-1]["end"] is None:
            change.clock = ClockChange(now, False, _("等待申请人补正"))
        _happened(held, change, "supplement")
        return change

    return execute(actor, case_id, command_id, decide)


def suspend(actor: Actor, case_id: UUID, ground_id: str, note: str, command_id: UUID) -> Locked:
    """Stop the clock on a ground that the pack lists (行政许可法第四十五条), told to the applicant in writing.

    Raises:
        Refused: the ground is not in the pack, or the clock does not run.
    """

    def decide(held: Locked, now: datetime) -> Change:
        _require_open(held)
        _require_any_role(actor, held)
        ground = next((g for g in _item(held).data.get("special", []) if g["id"] == ground_id), None)
        if ground is None:
            raise Refused(_("这个事项没有“%(ground)s”这一暂停情形，请从列表中选择。") % {"ground": ground_id})
        if not held.clock or not held.clock[-1]["running"] or held.clock[-1]["end"] is not None:
            raise Refused(_("时限没有在计时，不需要暂停。"))
        basis = ground.get("basis") or ""
        change = Change(
            "suspended",
            {"ground": ground_id, "name": ground["name"], "note": note},
            patch={"phase": Phase.SUSPENDED},
            clock=ClockChange(now, False, ground["name"], basis if isinstance(basis, str) else _cite(basis)),
        )
        change.patch |= {"due_at": None, "legal_due_at": None}
        _happened(held, change, "suspension", ground=ground["name"], note=note)
        return change

    return execute(actor, case_id, command_id, decide)


def _cite(basis: Any) -> str:
    entries = basis if isinstance(basis, list) else [basis]
    return "；".join(f"《{b.get('law', '')}》{b.get('article', '')}" for b in entries)


def resume(actor: Actor, case_id: UUID, note: str, command_id: UUID) -> Locked:
    """Let the clock run again."""

    def decide(held: Locked, now: datetime) -> Change:
        if held.phase != Phase.SUSPENDED:
            raise AlreadyChanged(_closed_because(held) or _("这件办件没有暂停。"))
        _require_any_role(actor, held)
        change = Change("resumed", {"note": note}, patch={"phase": Phase.OPEN}, clock=ClockChange(now, True))
        apply_due(held, change)
        change.token_due = change.patch["due_at"]
        _happened(held, change, "resumed")
        return change

    return execute(actor, case_id, command_id, decide)


def _require_any_role(actor: Actor, held: Locked) -> None:
    """Any of the roles for which the case has work now, or had: an official of the office that handles it."""
    roles = actor.posts.get(held.org_id, frozenset()) if held.org_id else frozenset()
    require_role(actor, _Row(held), next(iter(sorted(roles)), ""))


def request_extension(actor: Actor, case_id: UUID, reason: str, command_id: UUID) -> Locked:
    """Ask the head of the office for more time (行政许可法第四十二条); it counts only once approved."""

    def decide(held: Locked, now: datetime) -> Change:
        _require_open(held)
        _require_any_role(actor, held)
        limit = _item(held).extension
        if limit is None:
            raise Refused(_("这个事项的时限依法不能延长。"))
        if held.extra.get("extension"):
            raise Refused(_("已经申请过延长，只能延长一次。"))
        if not reason.strip():
            raise Refused(_("请写明延长的理由：批准后会告知申请人。"))
        extension = {
            "value": limit.value,
            "unit": str(limit.unit),
            "reason": reason,
            "by": actor.label,
            "by_name": actor.name,
        }
        return Change(
            "extension-requested",
            {"reason": reason, "value": limit.value},
            patch={"extra": {**held.extra, "extension": extension}},
        )

    return execute(actor, case_id, command_id, decide)


def approve_extension(actor: Actor, case_id: UUID, command_id: UUID) -> Locked:
    """The head of the office grants the extension that somebody else asked for."""

    def decide(held: Locked, now: datetime) -> Change:
        _require_open(held)
        require_role(actor, _Row(held), "decider")
        extension = held.extra.get("extension")
        if not extension or extension.get("approved_by"):
            raise AlreadyChanged(_("没有待批准的延长申请。"))
        if extension["by"] == actor.label:
            raise Refused(_("延长须经负责人批准，不能由申请延长的人自己批准。"))
        granted = {**extension, "approved_by": actor.label, "approved_by_name": actor.name}
        change = Change(
            "extended",
            {"value": extension["value"], "unit": extension["unit"], "reason": extension["reason"]},
            patch={"extra": {**held.extra, "extension": granted}},
        )
        apply_due(held, change)
        change.token_due = change.patch["due_at"]
        _happened(held, change, "extension", reason=extension["reason"])
        return change

    return execute(actor, case_id, command_id, decide)


# ---- the applicant ---------------------------------------------------------------------------------


def answer_supplement(
    actor: Actor, case_id: UUID, values: dict[str, Any], files: dict[str, str], command_id: UUID
) -> Locked:
    """The applicant hands in what was asked for; the office's days begin anew.

    Args:
        values: path → checked value. files: material key → id of a stored file.
    """

    def decide(held: Locked, now: datetime) -> Change:
        require_subject(actor, _Row(held))
        if held.phase != Phase.SUPPLEMENT:
            raise AlreadyChanged(_closed_because(held) or _("这件办件没有待补正的内容。"))
        spec = _item(held)
        supplement = {**held.extra["supplement"], "answered": now.isoformat()}
        materials = [
            {**m, "file": files[m["key"]]} if m["key"] in files else m
            for m in held.extra.get("materials", [])
        ]
        change = Change(
            "supplement-answered",
            {"keys": [*values, *files]},
            data=values,
            patch={
                "phase": Phase.OPEN,
                "extra": {**held.extra, "supplement": supplement, "materials": materials},
            },
        )
        if held.clock and not held.clock[-1]["running"]:
            change.clock = ClockChange(now, True)
            apply_due(held, change)
            change.token_due = change.patch["due_at"]
        elif spec.correction:
            change.token_due = due_from(spec.correction, now)
        return change

    return execute(actor, case_id, command_id, decide)


def withdraw(actor: Actor, case_id: UUID, reason: str, command_id: UUID) -> Locked:
    """The applicant takes the application back, in any state before the decision."""

    def decide(held: Locked, now: datetime) -> Change:
        require_subject(actor, _Row(held))
        if held.closed_at is not None:
            raise AlreadyChanged(_closed_because(held))
        if held.decided_at is not None:
            raise Refused(_("已经作出决定，不能撤回。如不同意决定，可以申请行政复议或提起行政诉讼。"))
        change = Change("withdrawn", {"reason": reason})
        if held.phase != Phase.WAITING:  # a waiting case has no flow to end yet
            change.step = advance(graph(held.flow_id), held.state, Cancel(), held.data)
        close(held, now, change, Result.WITHDRAWN)
        if held.parent_id is None:
            _happened(held, change, "withdrawn")
        return change

    return execute(actor, case_id, command_id, decide)


# ---- the system ------------------------------------------------------------------------------------


def finish_service(
    actor: Actor, case_id: UUID, token_id: int, command_id: UUID, data: dict[str, Any] | None = None
) -> Locked:
    """A service task has done its work; its results join the case's data."""

    def decide(held: Locked, now: datetime) -> Change:
        node = _node_of(held, token_id)
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


def stop_waiting(actor: Actor, case_id: UUID, because: str, command_id: UUID) -> Locked:
    """A sibling whose result this case needs ended without it: it will not begin."""

    def decide(held: Locked, now: datetime) -> Change:
        if held.phase != Phase.WAITING:
            raise AlreadyChanged(_("这件办件已经开始办理。"))
        change = Change("stopped", {"because": because})
        close(held, now, change, Result.STOPPED)
        _happened(held, change, "stopped", reason=because)
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
