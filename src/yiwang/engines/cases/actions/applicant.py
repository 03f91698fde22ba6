"""What the applicant does to a case: answer a supplement, take the application back."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from yiwang.engines.cases.contracts import Phase, Result
from yiwang.engines.cases.flow import Cancel, advance
from yiwang.engines.cases.items import graph
from yiwang.engines.cases.store import Change, ClockChange, Locked
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.rules import require_subject
from yiwang.kernel.calendar.api import due_from

from .moving import AlreadyChanged, Row, apply_due, close, closed_because, execute, happened, spec_of


def answer_supplement(
    actor: Actor, case_id: UUID, values: dict[str, Any], files: dict[str, str], command_id: UUID
) -> Locked:
    """The applicant hands in what was asked for; the office's days begin anew.

    Args:
        values: path → checked value. files: material key → id of a stored file.
    """

    def decide(held: Locked, now: datetime) -> Change:
        require_subject(actor, Row(held))
        if held.phase != Phase.SUPPLEMENT:
            raise AlreadyChanged(closed_because(held) or _("这件办件没有待补正的内容。"))
        spec = spec_of(held)
        supplement = {**held.extra["supplement"], "answered": now.isoformat()}
        supplement.pop("held", None)
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


def hold_supplement(
    actor: Actor, case_id: UUID, values: dict[str, Any], files: dict[str, str], command_id: UUID
) -> Locked:
    """Keep what the applicant hands in until the others have agreed to it; the case still waits for him."""

    def decide(held: Locked, now: datetime) -> Change:
        require_subject(actor, Row(held))
        if held.phase != Phase.SUPPLEMENT:
            raise AlreadyChanged(closed_because(held) or _("这件办件没有待补正的内容。"))
        supplement = {**held.extra["supplement"], "held": {"values": values, "files": files}}
        patch = {"extra": {**held.extra, "supplement": supplement}}
        return Change("supplement-held", {"keys": [*values, *files]}, patch=patch)

    return execute(actor, case_id, command_id, decide)


def withdraw(actor: Actor, case_id: UUID, reason: str, command_id: UUID) -> Locked:
    """The applicant takes the application back, in any state before the decision."""

    def decide(held: Locked, now: datetime) -> Change:
        require_subject(actor, Row(held))
        if held.closed_at is not None:
            raise AlreadyChanged(closed_because(held))
        if held.decided_at is not None:
            raise Refused(_("已经作出决定，不能撤回。如不同意决定，可以申请行政复议或提起行政诉讼。"))
        change = Change("withdrawn", {"reason": reason})
        if held.phase != Phase.WAITING:  # a waiting case has no flow to end yet
            change.step = advance(graph(held.flow_id), held.state, Cancel(), held.data)
        close(held, now, change, Result.WITHDRAWN)
        if held.parent_id is None:
            happened(held, change, "withdrawn")
        return change

    return execute(actor, case_id, command_id, decide)
