"""The token machine: `advance(graph, state, command, data) → Step`. Pure: no I/O, no clock, no chance.

Execution semantics of BPMN 2.0.2 §13. A command moves one token; then everything that needs nobody moves
on until only waiting tokens are left. Arrivals are worked off in order; inclusive joins and the ends of
scopes are decided only when no arrival is left, because they look at the whole marking.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from yiwang.engines.cases.flow.graph import TASKS, Graph, Node, Process
from yiwang.engines.cases.flow.state import (
    EMPTY,
    Command,
    CommandRefused,
    Complete,
    Entry,
    FireTimer,
    Message,
    Scope,
    Start,
    State,
    Step,
    ThrowError,
    TimerArmed,
    Token,
)

MOST_MOVES = 10_000  # arrivals in one command: a loop without a waiting node must end
MOST_INSTANCES = 5_000
WAITING = frozenset(("user", "service", "message", "timer", "event", "case"))
COMPLETABLE = frozenset(("user", "service", "message", "timer", "case"))


def advance(graph: Graph, state: State, command: Command, data: Mapping[str, Any]) -> Step:
    """Apply a command.

    Args:
        graph: the compiled flow.
        state: where the case stands (`EMPTY` before Start); not changed.
        command: what happens.
        data: what conditions read; not changed. `outcome` is added from a Complete command.

    Raises:
        CommandRefused: the command does not fit; see its codes.
    """
    run = Run(graph, state, data)
    run.apply(command)
    return run.step()


def replay(graph: Graph, commands: Iterable[tuple[Command, Mapping[str, Any]]]) -> State:
    """The state after all commands, each with the data of its time. Raises CommandRefused."""
    state = EMPTY
    for command, data in commands:
        state = advance(graph, state, command, data).state
    return state


class Run:
    """One command's work on copies of the state's tables; the tokens themselves are never changed."""

    def __init__(self, graph: Graph, state: State, data: Mapping[str, Any]) -> None:
        self.graph = graph
        self.before = state
        self.data = data
        self.tokens = dict(state.tokens)
        self.scopes = dict(state.scopes)
        self.counter = state.counter
        self.done = state.done
        self.arrivals: deque[tuple[int, str, str | None]] = deque()
        self.moves = 0
        self.outcome: str | None = None
        self.envs: dict[int, Mapping[str, Any]] = {}
        self.timers: list[TimerArmed] = []
        self.gone: list[Token] = []
        self.trace: list[Entry] = []
        self.touched: set[int] = set()

    def step(self) -> Step:
        old, new = self.before.tokens, self.tokens
        created = [token for number, token in new.items() if number not in old]
        changed = [token for number, token in new.items() if number in old and old[number] is not token]
        removed = [token.id for token in self.gone if token.id in old]
        return Step(
            state=State(new, self.scopes, self.counter, self.done),
            created=created,
            removed=removed,
            changed=changed,
            timers=[timer for timer in self.timers if timer.token in new],
            disarmed=[token.id for token in self.gone if token.id in old and self._may_have_timers(token)],
            trace=self.trace,
            done=self.done,
        )

    def _may_have_timers(self, token: Token) -> bool:
        if token.kind in ("timer", "event"):
            return True
        process = self._process_was(token.scope)
        return any(process.nodes[event].timer for event in process.nodes[token.node].boundary)

    def _process_was(self, scope: int) -> Process:
        found = self.scopes.get(scope) or self.before.scopes[scope]
        return self.graph.processes[found.process]

    # Small helpers

    def process(self, scope: int) -> Process:
        return self.graph.processes[self.scopes[scope].process]

    def node_of(self, token: Token) -> Node:
        return self.process(token.scope).nodes[token.node]

    def number(self) -> int:
        self.counter += 1
        return self.counter

    def put(self, node: Node, scope: int, kind: str, **more: Any) -> Token:
        token = Token(self.number(), node.id, scope, kind, **more)
        self.tokens[token.id] = token
        return token

    def drop(self, token: Token) -> None:
        del self.tokens[token.id]
        self.gone.append(token)
        self.touched.add(token.scope)

    def note(self, kind: str, node: str, scope: int) -> None:
        self.trace.append(Entry(kind, node, scope))

    def env(self, scope: int) -> Mapping[str, Any]:
        """What conditions in `scope` see: the data, the items of the instances around it, the outcome."""
        found = self.envs.get(scope)
        if found is None:
            parent = self.scopes[scope].parent
            if parent is None:
                found = {**self.data, "outcome": self.outcome}
            else:
                token = self.tokens[parent]
                found = self.env(token.scope)
                multi = self.node_of(token).multi
                if token.owner is not None and multi is not None:
                    found = {**found, "item": token.item, multi.item: token.item, "loopCounter": token.index}
            self.envs[scope] = found
        return found

    def holds(self, condition: str, scope: int) -> bool:
        return self.graph.conditions[condition].evaluate(self.env(scope)) is True

    # Commands

    def apply(self, command: Command) -> None:
        if isinstance(command, Start):
            self._start(command)
        elif not self.before.scopes and isinstance(command, Message):
            self._start_by_message(command)
        elif self.done:
            raise CommandRefused("already-done", "办件已经办结，不能再操作")
        elif not self.before.scopes:
            raise CommandRefused("not-started", "办件还没有开始，请先启动")
        elif isinstance(command, Complete):
            self._complete(command)
        elif isinstance(command, Message):
            self._message(command)
        elif isinstance(command, FireTimer):
            self._fire(command)
        elif isinstance(command, ThrowError):
            token = self._token(command.token)
            if not self.throw(token, command.code):
                name = self.node_of(token).name
                message = f"「{name}」没有接住错误「{command.code}」的边界事件，请由人工处理"
                raise CommandRefused("no-handler", message)
        else:
            self.note("cancel", "", 0)
            self._end_all()
        self.settle()

    def _start(self, command: Start) -> None:
        if self.before.scopes:
            raise CommandRefused("already-started", "办件已经开始，不能再次启动")
        process = self.graph.processes[self.graph.main]
        starts = [process.nodes[node] for node in process.starts]
        if command.node is not None:
            chosen = [node for node in starts if node.id == command.node]
        else:
            events = [node for node in starts if node.type == "startEvent"]
            plain = [node for node in starts if node.event is None]
            chosen = plain or (events if len(events) == 1 else [])
            if len([node for node in plain if node.type == "startEvent"]) > 1:
                chosen = []
        if not chosen:
            names = "、".join(node.id for node in starts)
            raise CommandRefused("which-start", f"流程有几个开始事件，请指明从哪一个开始：{names}")
        self._begin(chosen)

    def _start_by_message(self, command: Message) -> None:
        process = self.graph.processes[self.graph.main]
        for name in process.starts:
            node = process.nodes[name]
            if node.event == "message" and node.ref == command.name:
                return self._begin([node])
        raise CommandRefused("no-receiver", f"没有以消息「{command.name}」开始的流程")

    def _begin(self, nodes: list[Node]) -> None:
        self.scopes[0] = Scope(0, self.graph.main)
        for node in nodes:
            self.note("start", node.id, 0)
            self.arrivals.append((0, node.id, None))

    def _token(self, number: int) -> Token:
        token = self.tokens.get(number)
        if token is None:
            raise CommandRefused("token-gone", "这一步已经由别人办完或已撤销，请刷新后再看")
        return token

    def _complete(self, command: Complete) -> None:
        token = self._token(command.token)
        if token.kind == "multi":
            token = self._instance(token, command.item)
        elif command.item is not None and command.item != token.item:
            raise CommandRefused("unknown-item", f"这一步办理的不是「{command.item}」")
        node = self.node_of(token)
        if token.kind not in COMPLETABLE:
            raise CommandRefused("not-waiting", f"「{node.name}」不是由人办理的步骤，不能直接办结")
        if node.outcomes:
            choices = "、".join(f"{outcome.code}（{outcome.name}）" for outcome in node.outcomes)
            if command.outcome is None:
                raise CommandRefused("outcome-missing", f"「{node.name}」要选择办理结果：{choices}")
            if all(outcome.code != command.outcome for outcome in node.outcomes):
                message = f"「{node.name}」没有办理结果「{command.outcome}」，可选：{choices}"
                raise CommandRefused("unknown-outcome", message)
        self.outcome = command.outcome
        self.finish(token)

    def _instance(self, token: Token, item: Any) -> Token:
        for other in self.tokens.values():
            if other.owner == token.id and other.item == item and other.kind in COMPLETABLE:
                return other
        raise CommandRefused("unknown-item", f"「{self.node_of(token).name}」里没有等待办理的「{item}」")

    def finish(self, token: Token) -> None:
        """A waiting token's work is done."""
        node = self.node_of(token)
        self.note("leave", node.id, token.scope)
        if token.owner is not None:
            self.instance_done(token)
        else:
            self.kill(token)
            self.leave(node, token.scope)

    def _message(self, command: Message) -> None:
        candidates = self.tokens.values() if command.token is None else [self._token(command.token)]
        for token in sorted(candidates, key=lambda one: one.id):
            for node in self._listeners(token):
                if node.ref == command.name and (node.event == "message" or node.type == "receiveTask"):
                    self.note("message", node.id, token.scope)
                    return self.trigger(token, node)
        raise CommandRefused("no-receiver", f"现在没有步骤在等消息「{command.name}」")

    def _fire(self, command: FireTimer) -> None:
        token = self._token(command.token)
        for node in self._listeners(token):
            if node.id == command.node and node.timer:
                self.note("timer", node.id, token.scope)
                return self.trigger(token, node)
        raise CommandRefused("no-timer", f"「{self.node_of(token).name}」上没有定时器「{command.node}」")

    def _listeners(self, token: Token) -> Iterator[Node]:
        """The nodes that a message or timer may trigger while `token` stands where it is."""
        process = self.process(token.scope)
        node = process.nodes[token.node]
        if token.kind == "event":
            for flow in node.outgoing:
                yield process.nodes[process.flows[flow].target]
            return
        if token.kind in ("message", "timer"):
            yield node
        if token.kind != "join" and token.owner is None:
            for event in node.boundary:
                yield process.nodes[event]

    def trigger(self, token: Token, node: Node) -> None:
        """The event `node` happens to `token`."""
        if node.type == "boundaryEvent":
            if node.interrupting:
                self.kill(token)
            self.leave(node, token.scope)
        elif token.kind == "event":
            self.kill(token)
            self.leave(node, token.scope)
        else:
            self.finish(token)

    def throw(self, token: Token, code: str | None) -> bool:
        """An error at `token`: caught by the nearest boundary event around it, if any (§10.5.6)."""
        current: Token | None = token
        while current is not None:
            process = self.process(current.scope)
            # On an instance of a multi-instance activity, the events belong to the activity as a whole.
            if current.owner is None:
                events = [process.nodes[event] for event in process.nodes[current.node].boundary]
                catching = [event for event in events if event.event == "error" and event.ref in (code, None)]
                for event in sorted(catching, key=lambda one: one.ref is None):
                    self.note("error", event.id, current.scope)
                    self.kill(current)
                    self.leave(event, current.scope)
                    return True
            parent = current.owner if current.owner is not None else self.scopes[current.scope].parent
            current = None if parent is None else self.tokens[parent]
        return False

    # Moving

    def settle(self) -> None:
        """Move on until nothing moves without help."""
        while True:
            while self.arrivals:
                self.moves += 1
                if self.moves > MOST_MOVES:
                    message = "流程在没有人办理的环节之间循环不止，请检查网关的条件"
                    raise CommandRefused("endless-loop", message)
                scope, node, via = self.arrivals.popleft()
                if scope in self.scopes:
                    self.arrive(self.process(scope).nodes[node], scope, via)
            if self.graph.has_inclusive_joins and self._inclusive_joins():
                continue
            if not self._end_scopes():
                return

    def go(self, flows: Iterable[str], scope: int) -> None:
        table = self.process(scope).flows
        for flow in flows:
            self.arrivals.append((scope, table[flow].target, flow))

    def arrive(self, node: Node, scope: int, via: str | None) -> None:
        """A token reaches `node` by the sequence flow `via`."""
        kind = node.type
        self.note("enter", node.id, scope)
        if kind in TASKS or kind in ("subProcess", "callActivity"):
            if node.multi is not None:
                self.multiply(node, scope)
            else:
                self.arm(node, self.enter(node, scope))
        elif kind in ("parallelGateway", "inclusiveGateway") and len(node.incoming) > 1:
            self.put(node, scope, "join", via=via)
            if kind == "parallelGateway":
                self._parallel_join(node, scope)
        elif kind == "intermediateCatchEvent":
            token = self.put(node, scope, "timer" if node.timer else "message")
            self._arm_one(token, node)
        elif kind == "eventBasedGateway":
            token = self.put(node, scope, "event")
            for event in self._listeners(token):
                self._arm_one(token, event)
        elif kind == "endEvent":
            self._end(node, scope)
        else:
            if kind == "intermediateThrowEvent" and node.event == "message":
                self.note("throw", node.id, scope)
            self.leave(node, scope)

    def enter(self, node: Node, scope: int, **instance: Any) -> Token:
        """A token at an activity, or at one instance of it."""
        if node.type in TASKS:
            return self.put(node, scope, TASKS[node.type], **instance)
        if node.called is None:
            return self.put(node, scope, "case", **instance)
        token = self.put(node, scope, "scope", **instance)
        inner = self.number()
        self.scopes[inner] = Scope(inner, node.called, token.id)
        self.touched.add(inner)
        process = self.graph.processes[node.called]
        plain = [start for start in process.starts if process.nodes[start].event is None]
        for start in plain or process.starts[:1]:
            self.arrivals.append((inner, start, None))
        return token

    def arm(self, node: Node, token: Token) -> None:
        if node.boundary:
            nodes = self.process(token.scope).nodes
            for event in node.boundary:
                self._arm_one(token, nodes[event])

    def _arm_one(self, token: Token, event: Node) -> None:
        if event.timer:
            timer = event.timer
            self.timers.append(
                TimerArmed(token.id, event.id, timer.kind, timer.expression, event.interrupting)
            )

    def leave(self, node: Node, scope: int) -> None:
        """Go on from `node` by the flows that its kind and the conditions choose."""
        self.touched.add(scope)
        if node.outgoing:
            self.go(self.choose(node, scope), scope)

    def choose(self, node: Node, scope: int) -> Iterable[str]:
        """The outgoing flows to take (§13.4)."""
        outgoing = node.outgoing
        if node.type in ("parallelGateway", "startEvent", "eventBasedGateway"):
            return outgoing
        flows = self.process(scope).flows
        exclusive = node.type == "exclusiveGateway"
        if len(outgoing) == 1 and (node.type in ("exclusiveGateway", "inclusiveGateway")):
            if flows[outgoing[0]].condition is None or node.default is not None:
                return outgoing
        taken = []
        for flow in outgoing:
            condition = flows[flow].condition
            if flow != node.default and (condition is None or self.holds(condition, scope)):
                taken.append(flow)
                if exclusive:
                    break
        if taken:
            return taken
        if node.default is not None:
            return (node.default,)
        conditions = "；".join(flows[flow].condition or "" for flow in outgoing)
        message = f"「{node.name}」之后没有一条连线的条件成立（{conditions}），请检查数据或给流程加上默认连线"
        raise CommandRefused("no-flow", message)

    # Joins

    def _parallel_join(self, node: Node, scope: int) -> None:
        """Exactly one token from each incoming flow, the oldest (§13.4.2)."""
        oldest: dict[str | None, Token] = {}
        for token in self.tokens.values():
            if token.node == node.id and token.scope == scope and token.kind == "join":
                oldest.setdefault(token.via, token)
        if len(oldest) == len(node.incoming):
            for token in oldest.values():
                self.drop(token)
            self.leave(node, scope)

    def _inclusive_joins(self) -> bool:
        """Fire one inclusive join that need not wait any longer (§13.4.3); whether there was one."""
        waiting: dict[tuple[int, str], dict[str, Token]] = {}
        for token in self.tokens.values():
            if token.kind == "join" and token.via is not None:
                waiting.setdefault((token.scope, token.node), {}).setdefault(token.via, token)
        for (scope, name), here in waiting.items():
            process = self.process(scope)
            node = process.nodes[name]
            if node.type == "inclusiveGateway" and not self._must_wait(process, scope, name, here):
                for token in here.values():
                    self.drop(token)
                self.leave(node, scope)
                return True
        return False

    def _must_wait(self, process: Process, scope: int, join: str, here: Mapping[str, Token]) -> bool:
        """Whether a token elsewhere can still reach an empty incoming flow, and no occupied one."""
        reach = process.reach[join]
        empty = [reach[flow] for flow in reach if flow not in here]
        occupied = [reach[flow] for flow in here]
        for token in self.tokens.values():
            if token.scope != scope or token.node == join or token.owner is not None:
                continue
            place = token.node
            if any(place in nodes for nodes in empty) and not any(place in nodes for nodes in occupied):
                return True
        return False

    # Ends and scopes

    def _end(self, node: Node, scope: int) -> None:
        self.touched.add(scope)
        if node.event == "terminate":
            self.note("terminate", node.id, scope)
            self._empty(scope)
        elif node.event == "error":
            self._error_end(node, scope)
        else:
            self.note("throw" if node.event == "message" else "end", node.id, scope)

    def _error_end(self, node: Node, scope: int) -> None:
        self.note("throw", node.id, scope)
        parent = self.scopes[scope].parent
        if parent is None or not self.throw(self.tokens[parent], node.ref):
            # Nobody catches it: the standard leaves this open; stopping everything hides nothing.
            self.note("uncaught", node.id, scope)
            self._end_all()

    def _empty(self, scope: int) -> None:
        for token in [one for one in self.tokens.values() if one.scope == scope]:
            if token.id in self.tokens:
                self.kill(token)
        self.arrivals = deque(arrival for arrival in self.arrivals if arrival[0] != scope)
        self.touched.add(scope)

    def _end_all(self) -> None:
        for token in list(self.tokens.values()):
            if token.id in self.tokens:
                self.kill(token)
        self.arrivals.clear()
        self.scopes = {number: scope for number, scope in self.scopes.items() if scope.parent is None}
        self.touched.add(0)

    def kill(self, token: Token) -> None:
        """Remove a token with everything inside it: sub-process scopes and instances."""
        self.drop(token)
        if token.kind == "multi":
            for other in [one for one in self.tokens.values() if one.owner == token.id]:
                self.kill(other)
        elif token.kind == "scope":
            for scope in [one for one in self.scopes.values() if one.parent == token.id]:
                self._empty(scope.id)
                self.scopes.pop(scope.id, None)

    def _end_scopes(self) -> bool:
        """End one scope that has no token left; whether there was one."""
        occupied = {token.scope for token in self.tokens.values()} if self.touched else set()
        while self.touched:
            number = max(self.touched)  # the innermost first
            self.touched.discard(number)
            scope = self.scopes.get(number)
            if scope is None or number in occupied:
                continue
            if scope.parent is None:
                self.done = True
                return False
            token = self.tokens[scope.parent]
            del self.scopes[number]
            self.finish(token)
            return True
        return False

    # Multi-instance

    def multiply(self, node: Node, scope: int) -> None:
        """One "multi" token for the activity as a whole, and the instances (§13.3.7)."""
        items = self.items(node, scope)
        if not items:
            self.leave(node, scope)
            return
        token = self.put(node, scope, "multi", items=tuple(items))
        self.arm(node, token)
        multi = node.multi
        count = 1 if multi is not None and multi.sequential else len(items)
        for index in range(count):
            self.enter(node, scope, owner=token.id, index=index, item=items[index])

    def items(self, node: Node, scope: int) -> list[Any]:
        """The items of a multi-instance activity, as plain JSON values."""
        multi = node.multi
        if multi is not None and multi.collection is not None:
            value = self.graph.conditions[multi.collection].evaluate(self.env(scope))
            if isinstance(value, list) and len(value) <= MOST_INSTANCES:
                return [plain(item) for item in value]
            source = multi.collection
        else:
            source = multi.cardinality if multi is not None and multi.cardinality is not None else "null"
            value = self.graph.conditions[source].evaluate(self.env(scope)) if source != "null" else None
            if isinstance(value, Decimal) and 0 <= value <= MOST_INSTANCES and value == int(value):
                return list(range(int(value)))
        message = (
            f"「{node.name}」要逐个办理的清单「{source}」不是列表（最多 {MOST_INSTANCES} 项），请检查数据"
        )
        raise CommandRefused("bad-collection", message)

    def instance_done(self, instance: Token) -> None:
        """One instance is finished: start the next one, or leave when all are done."""
        assert instance.owner is not None  # noqa: S101 (callers have looked)
        owner = self.tokens[instance.owner]
        node = self.node_of(owner)
        self.kill(instance)
        done = owner.done + 1
        owner = replace(owner, done=done)
        self.tokens[owner.id] = owner
        multi, items = node.multi, owner.items or ()
        if done >= len(items) or (multi and self._complete_early(multi.completion, owner, len(items))):
            self.kill(owner)
            self.note("leave", node.id, owner.scope)
            self.leave(node, owner.scope)
        elif multi and multi.sequential:
            self.enter(node, owner.scope, owner=owner.id, index=done, item=items[done])

    def _complete_early(self, condition: str | None, owner: Token, total: int) -> bool:
        if condition is None:
            return False
        counts = {
            "numberOfInstances": total,
            "numberOfCompletedInstances": owner.done,
            "numberOfActiveInstances": sum(one.owner == owner.id for one in self.tokens.values()),
        }
        return self.graph.conditions[condition].evaluate({**self.env(owner.scope), **counts}) is True


def plain(value: Any) -> Any:
    """A FEEL value as JSON keeps it: an instance's item must be the same after storage."""
    if isinstance(value, Decimal):
        if value == value.to_integral_value():
            return int(value)
        short = float(value)
        return short if Decimal(repr(short)) == value else str(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, str)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
