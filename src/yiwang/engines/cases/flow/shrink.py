"""A smaller flow with the same faults: series and parallel reduction, as for Petri nets (Murata 1989, §V).

Twenty departments in parallel have more than a million states, and none of them tells more than two tasks
do. Three rules, each of which keeps deadlocks, repeated tokens and endless loops: a task after a task is one
task; two like branches between the same gateways are one branch; a gateway with one way in and one way out is
nothing.
"""

from __future__ import annotations

from dataclasses import replace

from yiwang.engines.cases.flow.graph import TASKS, Graph, Node, Process, SequenceFlow

_LIKE = frozenset(("exclusiveGateway", "parallelGateway"))


def shrink(graph: Graph) -> Graph:
    """The reduced graph; node ids that remain mean the same."""
    return Graph(graph.main, {name: _Shrinker(process).run() for name, process in graph.processes.items()})


class _Shrinker:
    def __init__(self, process: Process) -> None:
        self.process = process
        self.nodes: dict[str, Node] = dict(process.nodes)
        self.flows: dict[str, SequenceFlow] = dict(process.flows)

    def run(self) -> Process:
        while any(
            rule(node)
            for node in list(self.nodes.values())
            if node.id in self.nodes
            for rule in (self._series, self._branches, self._passage)
        ):
            pass
        process = self.process
        return Process(process.id, process.name, self.nodes, self.flows, process.starts)

    def _simple(self, node: Node) -> bool:
        """A task that one flow enters and one flow leaves, and that nothing interrupts."""
        return (
            node.type in TASKS
            and len(node.incoming) == 1
            and len(node.outgoing) == 1
            and not node.boundary
            and node.multi is None
            and self.nodes[self.flows[node.incoming[0]].source].type != "eventBasedGateway"
        )

    def _target(self, node: Node) -> Node:
        return self.nodes[self.flows[node.outgoing[0]].target]

    def _series(self, node: Node) -> bool:
        node = self.nodes.get(node.id, node)
        if node.id not in self.nodes or not self._simple(node):
            return False
        after = self._target(node)
        if after.id == node.id or not self._simple(after):
            return False
        self._bypass(after)
        return True

    def _passage(self, node: Node) -> bool:
        node = self.nodes.get(node.id, node)
        if node.id not in self.nodes or node.type not in _LIKE:
            return False
        if len(node.incoming) != 1 or len(node.outgoing) != 1 or self._target(node).id == node.id:
            return False
        self._bypass(node)
        return True

    def _bypass(self, node: Node) -> None:
        """Take out a node with one way in and one way out."""
        old, new = self.flows.pop(node.incoming[0]), self.flows[node.outgoing[0]]
        before = self.nodes[old.source]
        del self.nodes[node.id]
        self.flows[new.id] = replace(new, source=before.id, condition=old.condition)
        outgoing = tuple(new.id if flow == old.id else flow for flow in before.outgoing)
        default = new.id if before.default == old.id else before.default
        self.nodes[before.id] = replace(before, outgoing=outgoing, default=default)

    def _branches(self, node: Node) -> bool:
        node = self.nodes.get(node.id, node)
        if node.id not in self.nodes or node.type not in _LIKE:
            return False
        kept: set[str] = set()
        for flow in node.outgoing:
            task = self.nodes[self.flows[flow].target]
            if not self._simple(task):
                continue
            join = self._target(task)
            if join.type != node.type or join.id == node.id:
                continue
            if join.id in kept:
                self._cut(node, flow, task, join)
                return True
            kept.add(join.id)
        return False

    def _cut(self, split: Node, flow: str, task: Node, join: Node) -> None:
        """Take out the branch split → task → join."""
        last = task.outgoing[0]
        del self.nodes[task.id], self.flows[flow], self.flows[last]
        default = None if split.default == flow else split.default
        outgoing = tuple(one for one in split.outgoing if one != flow)
        self.nodes[split.id] = replace(split, outgoing=outgoing, default=default)
        incoming = tuple(one for one in join.incoming if one != last)
        self.nodes[join.id] = replace(join, incoming=incoming)
