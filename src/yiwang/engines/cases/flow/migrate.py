"""Move a case from one version of a flow to another: an explicit node map, refused where it does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from yiwang.engines.cases.flow.graph import TASKS, Graph, Node
from yiwang.engines.cases.flow.state import Scope, State, TimerArmed, Token


class MigrationRefused(ValueError):
    """A case cannot stand in the new flow; the message says where and what to add to the map."""


def moved(old: Graph, new: Graph, state: State, nodes: Mapping[str, str]) -> State:
    """The same state in the new flow.

    Args:
        nodes: old id → new id, for nodes and sequence flows; one that is not named keeps its id.

    Raises:
        MigrationRefused: a token's node does not exist in the new flow, or waits for something else there.
    """
    scopes = {number: _scope(new, scope, state, nodes) for number, scope in state.scopes.items()}
    tokens = {}
    for token in state.tokens.values():
        before = old.processes[state.scopes[token.scope].process].nodes[token.node]
        process = new.processes[scopes[token.scope].process]
        target = nodes.get(token.node, token.node)
        after = process.nodes.get(target)
        if after is None:
            where = before.name or before.id
            raise MigrationRefused(
                f"新流程没有节点「{target}」（停在「{where}」），请在映射里写明 {token.node}: 新节点"
            )
        if _waits(before) != _waits(after):
            raise MigrationRefused(
                f"节点「{before.name or before.id}」与「{after.name or after.id}」不是同一种环节，不能对应"
            )
        via = nodes.get(token.via, token.via) if token.via else None
        if token.kind == "join" and via not in after.incoming:
            raise MigrationRefused(
                f"汇合「{after.name or after.id}」在新流程里没有连线「{via}」，请在映射里写明"
            )
        tokens[token.id] = replace(token, node=after.id, via=via)
    return State(tokens, scopes, state.counter, state.done)


def armed(new: Graph, state: State) -> list[TimerArmed]:
    """The timers that the tokens of a moved state wait with."""
    found = []
    for token in state.tokens.values():
        process = new.processes[state.scopes[token.scope].process]
        node = process.nodes[token.node]
        listeners = [process.nodes[event] for event in node.boundary]
        if token.kind == "event":
            listeners += [process.nodes[process.flows[flow].target] for flow in node.outgoing]
        elif token.kind == "timer":
            listeners.append(node)
        found += [_timer(token, one) for one in listeners if one.timer]
    return found


def _timer(token: Token, node: Node) -> TimerArmed:
    assert node.timer is not None  # noqa: S101 (the caller chose nodes with timers)
    return TimerArmed(token.id, node.id, node.timer.kind, node.timer.expression, node.interrupting)


def _waits(node: Node) -> tuple[str, str | None]:
    """What a token at the node waits for."""
    return TASKS.get(node.type, node.type), node.event


def _scope(new: Graph, scope: Scope, state: State, nodes: Mapping[str, str]) -> Scope:
    if scope.parent is None:
        return replace(scope, process=new.main)
    inside = state.tokens[scope.parent]
    target = nodes.get(inside.node, inside.node)
    for process in new.processes.values():
        node = process.nodes.get(target)
        if node is not None and node.called in new.processes:
            return replace(scope, process=str(node.called))
    raise MigrationRefused(f"新流程没有子流程「{target}」，请在映射里写明 {inside.node}: 新子流程")
