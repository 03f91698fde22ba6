"""Flow migration: tell which open cases can move to a new version of their flow, and move them.

A case keeps the flow it began with; nobody has to migrate. Where the law changed under open cases, an
operator gives a map, looks at the dry run, and moves them; each move is an event of its case.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Count

from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.ids import derived_id

from .actions.moving import execute, spec_of
from .flow import EMPTY, Graph, MigrationRefused, State, Step, armed, compile_bpmn, moved
from .items import graph
from .models import Case, Flow
from .store import Change, Locked
from .timing import timer_due


@dataclass
class Report:
    """What a migration did, or in a dry run would do."""

    source: str
    target: str
    applied: bool
    movable: list[str] = field(default_factory=list)  # numbers of cases
    refused: dict[str, list[str]] = field(default_factory=dict)  # reason → numbers


def store(xml: bytes, key: str) -> str:
    """Compile a flow and keep it by its hash.

    Raises:
        FlowRejected: with every problem named.
    """
    sha256 = hashlib.sha256(xml).hexdigest()
    compiled = compile_bpmn(xml).to_json()
    Flow.objects.get_or_create(sha256=sha256, defaults={"key": key, "xml": xml.decode(), "graph": compiled})
    return sha256


def migrate(source: str, target: str, nodes: Mapping[str, str], reason: str, *, apply: bool) -> Report:
    """Move the open cases of flow ``source`` to flow ``target``; without ``apply`` only say what would happen.

    Args:
        source, target: hashes of stored flows. nodes: old id → new id; ids not named stay.
        reason: why, kept in each case's event.

    One case that does not fit stays where it is, and stops no other.
    """
    report = Report(source, target, apply)
    with acting(SYSTEM):
        rows = list(
            Case.objects.filter(flow_id=source, closed_at=None).order_by("number").values_list("id", "number")
        )
    for case_id, number in rows:
        try:
            with acting(SYSTEM):
                if apply:
                    _move(case_id, target, nodes, reason)
                else:
                    moved(graph(source), graph(target), _state(case_id), nodes)
            report.movable.append(number)
        except (MigrationRefused, Refused) as why:
            report.refused.setdefault(str(why), []).append(number)
    return report


def _state(case_id: UUID) -> State:
    case = Case.objects.prefetch_related("tokens").get(id=case_id)
    return State.from_json(
        {
            "tokens": [t.body for t in case.tokens.all()],
            "scopes": case.scopes,
            "counter": case.counter,
            "done": case.closed_at is not None,
        }
    )


def _move(case_id: UUID, target: str, nodes: Mapping[str, str], reason: str) -> None:
    def decide(held: Locked, now: datetime) -> Change:
        new: Graph = graph(target)
        state = held.state if held.seq and held.state.scopes else EMPTY
        after = moved(graph(held.flow_id), new, state, nodes)
        timers = armed(new, after)
        step = Step(after, [], [], list(after.tokens.values()), timers, [], [], after.done)
        change = Change(
            "migrated",
            {"from": held.flow_id, "to": target, "nodes": dict(nodes), "reason": reason},
            step=step,
            patch={"flow_id": target},
            rearm=True,
        )
        for token in after.tokens.values():
            node = new.processes[after.scopes[token.scope].process].nodes[token.node]
            change.token_columns[token.id] = {"name": node.name, "role": node.ext.get("role", "")}
        spec = spec_of(held)
        change.timers = [(timer, timer_due(timer, spec, now)) for timer in timers]
        return change

    execute(SYSTEM, case_id, derived_id("migrate", case_id, target), decide)


def versions(key: str) -> list[tuple[str, int]]:
    """The stored versions of a flow that have open cases: hash and how many."""
    with acting(SYSTEM):
        rows = Case.objects.filter(flow__key=key, closed_at=None).order_by().values_list("flow_id")
        return list(rows.annotate(n=Count("id")).order_by("-n"))
