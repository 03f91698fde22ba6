"""A compiled flow: immutable, and the same again after a trip through PostgreSQL's jsonb.

Everything with an order is a list in the JSON, because jsonb reorders the keys of objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from yiwang.kernel.feel import Expression, parse

# Kinds of flow nodes, by the BPMN element's name.
TASKS: Mapping[str, str] = {
    "task": "user",
    "userTask": "user",
    "manualTask": "user",
    "receiveTask": "message",
    "serviceTask": "service",
    "sendTask": "service",
    "businessRuleTask": "service",
}
"""Each task and the kind of the token that waits at it."""
ACTIVITIES = frozenset((*TASKS, "subProcess", "callActivity"))
GATEWAYS = frozenset(("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way a person may finish a user task: a button on the screen.

    `document` is the document it issues; `reason` is "required", "optional" or "none".
    """

    code: str
    name: str
    document: str | None = None
    reason: str = "none"


@dataclass(frozen=True, slots=True)
class Timer:
    """kind is "timeDuration", "timeDate" or "timeCycle"; the caller reads `expression`."""

    kind: str
    expression: str


@dataclass(frozen=True, slots=True)
class Multi:
    """Multi-instance characteristics; texts are FEEL. `item` names the item in conditions."""

    sequential: bool
    collection: str | None
    cardinality: str | None
    item: str
    completion: str | None


@dataclass(frozen=True, slots=True)
class SequenceFlow:
    id: str
    source: str
    target: str
    condition: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A flow node. `type` is the BPMN element's name; `event` is "timer", "message", "error", "terminate"."""

    id: str
    type: str
    name: str
    incoming: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()
    default: str | None = None
    event: str | None = None
    timer: Timer | None = None
    ref: str | None = None
    """The message's name or the error's code."""
    attached: str | None = None
    interrupting: bool = True
    boundary: tuple[str, ...] = ()
    called: str | None = None
    """The process that a sub-process or call activity runs."""
    multi: Multi | None = None
    ext: Mapping[str, str] = field(default_factory=dict)
    """The `yw:` attributes, without prefix."""
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True)
class Process:
    """A process, or the inside of a sub-process (its id is then "outer/sub")."""

    id: str
    name: str
    nodes: Mapping[str, Node]
    flows: Mapping[str, SequenceFlow]
    starts: tuple[str, ...]

    @cached_property
    def reach(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """For each inclusive join and incoming flow: the nodes that lead to it without visiting the join."""
        return {
            node.id: {flow: self._leading_to(flow, node.id) for flow in node.incoming}
            for node in self.nodes.values()
            if node.type == "inclusiveGateway" and len(node.incoming) > 1
        }

    def _leading_to(self, flow: str, join: str) -> frozenset[str]:
        seen: set[str] = set()
        stack = [self.flows[flow].source]
        while stack:
            node = self.nodes[stack.pop()]
            if node.id in seen or node.id == join:
                continue
            seen.add(node.id)
            stack.extend(self.flows[incoming].source for incoming in node.incoming)
            if node.attached:
                stack.append(node.attached)
        return frozenset(seen)


@dataclass(frozen=True)
class Graph:
    """All processes of one file. `main` is the one that a case runs."""

    main: str
    processes: Mapping[str, Process]

    @cached_property
    def conditions(self) -> Mapping[str, Expression]:
        """Every FEEL text of the graph, parsed once per graph."""
        return {text: parse(text) for text in self._texts()}

    def _texts(self) -> set[str]:
        texts = {flow.condition for process in self.processes.values() for flow in process.flows.values()}
        for process in self.processes.values():
            for node in process.nodes.values():
                if node.multi:
                    texts |= {node.multi.collection, node.multi.cardinality, node.multi.completion}
        return {text for text in texts if text is not None}

    @cached_property
    def _nodes(self) -> Mapping[str, Node]:
        return {node.id: node for process in self.processes.values() for node in process.nodes.values()}

    def node(self, node_id: str) -> Node:
        """The node of that id in any process; ids are unique in a BPMN file. Raises KeyError."""
        return self._nodes[node_id]

    @cached_property
    def has_inclusive_joins(self) -> bool:
        return any(process.reach for process in self.processes.values())

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` gives an equal graph."""
        processes = [
            {
                "id": process.id,
                "name": process.name,
                "starts": list(process.starts),
                "nodes": [_plain(node) for node in process.nodes.values()],
                "flows": [_plain(flow) for flow in process.flows.values()],
            }
            for process in self.processes.values()
        ]
        return {"main": self.main, "processes": processes}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Graph:
        """The graph that `to_json` wrote."""
        processes = {}
        for row in data["processes"]:
            nodes = {node["id"]: _node(node) for node in row["nodes"]}
            flows = {flow["id"]: SequenceFlow(**flow) for flow in row["flows"]}
            processes[row["id"]] = Process(row["id"], row["name"], nodes, flows, tuple(row["starts"]))
        return cls(data["main"], processes)


def _plain(value: Any) -> dict[str, Any]:
    """A dataclass as JSON, without the fields that have their default value."""
    row: dict[str, Any] = {}
    for one in fields(value):
        item = getattr(value, one.name)
        if item in (one.default, (), {}):
            continue
        if one.name in ("timer", "multi"):
            item = _all(item)
        elif one.name == "outcomes":
            item = [_all(outcome) for outcome in item]
        elif isinstance(item, tuple):
            item = list(item)
        elif isinstance(item, Mapping):
            item = dict(item)
        row[one.name] = item
    return row


def _all(value: Any) -> dict[str, Any]:
    return {one.name: getattr(value, one.name) for one in fields(value)}


def _node(row: Mapping[str, Any]) -> Node:
    values = dict(row)
    for name in ("incoming", "outgoing", "boundary"):
        if name in values:
            values[name] = tuple(values[name])
    if "timer" in values:
        values["timer"] = Timer(**values["timer"])
    if "multi" in values:
        values["multi"] = Multi(**values["multi"])
    if "outcomes" in values:
        values["outcomes"] = tuple(Outcome(**outcome) for outcome in values["outcomes"])
    return Node(**values)
