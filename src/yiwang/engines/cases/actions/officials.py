"""What officials do: finish a step, ask once for a supplement, stop and restart the clock, extend."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from yiwang.engines.cases.contracts import Phase, Result
from yiwang.engines.cases.flow import Complete, advance
from yiwang.engines.cases.items import graph
from yiwang.engines.cases.store import Change, ClockChange, Locked
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.rules import require_role

from .moving import (
    AlreadyChanged,
    Row,
    apply_due,
    closed_because,
    execute,
    happened,
    move,
    node_of,
    require_open,
    spec_of,
)
from .steps import read_visit, require_another, require_opinions

_VERDICTS = {"grant": Result.GRANTED, "deny": Result.DENIED, "refuse": Result.REFUSED}


def complete(
    actor: Actor,
    case_id: UUID,
    token_id: int,
    outcome: str | None,
    reason: str,
    command_id: UUID,
    details: Mapping[str, Any] | None = None,
) -> Locked:
    """An official finishes a step with an outcome that the flow offers.

    Args:
        details: what the step's form asks besides, such as a visit's time, place and persons.

    Raises:
        Refused: no such post, a reason or a detail is missing, another person has to do it, or the step is gone.
    """

    def decide(held: Locked, now: datetime) -> Change:
        require_open(held)
        node = node_of(held, token_id)
        require_role(actor, Row(held), node.ext.get("role", ""))
        given = next((t for t in held.tokens if t["id"] == token_id), None)
        if given and given["assignee_id"] not in (None, actor.person_id) and not actor.system:
            raise Refused(
                _("这一步已交给%(name)s办理，请先由负责人改派。") % {"name": given["assignee_name"]}
            )
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
        extra = require_another(actor, held, node)
        if node.ext.get("form") == "visit":
            visit = read_visit(details or {}, now, int(node.ext.get("persons", "1")))
            extra = {**extra, "visit": visit}
            change.args["visit"] = visit
        if extra is not held.extra:
            change.patch["extra"] = extra
        verdict = _VERDICTS.get(outcome or "")
        if verdict:
            require_opinions(held)
            change.patch["extra"] = {
                **extra,
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
            happened(held, change, chosen.document, reason=reason)
        return change

    return execute(actor, case_id, command_id, decide)


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
        require_open(held)
        node = node_of(held, token_id)
        require_role(actor, Row(held), node.ext.get("role", ""))
        if held.extra.get("supplement"):
            raise Refused(_("已经告知过一次补正。依法只能一次告知，请作出受理或不予受理决定。"))
        if held.accepted_at is not None and not spec_of(held).instant:
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
        happened(held, change, "supplement")
        return change

    return execute(actor, case_id, command_id, decide)


def suspend(actor: Actor, case_id: UUID, ground_id: str, note: str, command_id: UUID) -> Locked:
    """Stop the clock on a ground that the pack lists (行政许可法第四十五条), told to the applicant in writing.

    Raises:
        Refused: the ground is not in the pack, or the clock does not run.
    """

    def decide(held: Locked, now: datetime) -> Change:
        require_open(held)
        _require_any_role(actor, held)
        ground = next((g for g in spec_of(held).data.get("special", []) if g["id"] == ground_id), None)
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
        happened(held, change, "suspension", ground=ground["name"], note=note)
        return change

    return execute(actor, case_id, command_id, decide)


def _cite(basis: Any) -> str:
    entries = basis if isinstance(basis, list) else [basis]
    return "；".join(f"《{b.get('law', '')}》{b.get('article', '')}" for b in entries)


def resume(actor: Actor, case_id: UUID, note: str, command_id: UUID) -> Locked:
    """Let the clock run again."""

    def decide(held: Locked, now: datetime) -> Change:
        if held.phase != Phase.SUSPENDED:
            raise AlreadyChanged(closed_because(held) or _("这件办件没有暂停。"))
        _require_any_role(actor, held)
        change = Change("resumed", {"note": note}, patch={"phase": Phase.OPEN}, clock=ClockChange(now, True))
        apply_due(held, change)
        change.token_due = change.patch["due_at"]
        happened(held, change, "resumed")
        return change

    return execute(actor, case_id, command_id, decide)


def _require_any_role(actor: Actor, held: Locked) -> None:
    """Any of the roles for which the case has work now, or had: an official of the office that handles it."""
    roles = actor.posts.get(held.org_id, frozenset()) if held.org_id else frozenset()
    require_role(actor, Row(held), next(iter(sorted(roles)), ""))


def request_extension(actor: Actor, case_id: UUID, reason: str, command_id: UUID) -> Locked:
    """Ask the head of the office for more time (行政许可法第四十二条); it counts only once approved."""

    def decide(held: Locked, now: datetime) -> Change:
        require_open(held)
        _require_any_role(actor, held)
        limit = spec_of(held).extension
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
        require_open(held)
        require_role(actor, Row(held), "decider")
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
        happened(held, change, "extension", reason=extension["reason"])
        return change

    return execute(actor, case_id, command_id, decide)
