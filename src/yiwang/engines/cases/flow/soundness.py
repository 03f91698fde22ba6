"""Can every case come to its end? A bounded search of all states before a flow is published.

Conditions are taken as free choices, each multi-instance as two instances, each non-interrupting event as
happening at most once per activation. When the bound is hit the answer is "undecided", never a guess.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from yiwang.engines.cases.flow.graph import ACTIVITIES, Graph, Node, Process
from yiwang.engines.cases.flow.machine import WAITING, Run
from yiwang.engines.cases.flow.shrink import shrink
from yiwang.engines.cases.flow.state import EMPTY, CommandRefused, State, Token

MOST_STATES = 20_000
MOST_OPTIONS = 256
TOO_MANY = 3  # tokens in one place: it will go on growing

Fired = frozenset[tuple[int, str]]
"""Non-interrupting events that have already happened to a token."""


@dataclass(frozen=True, slots=True)
class Finding:
    """kind: "deadlock", "mismatched-join", "unbounded", "repeated", "cannot-finish", "livelock",
    "unreachable", "dead-end", "no-condition", "no-timer", "no-collection", "undecided".
    node: its id, or empty."""

    kind: str
    node: str
    message: str


def check(graph: Graph, limit: int = MOST_STATES) -> list[Finding]:
    """Everything that may keep a case from its end; an empty list means sound.

    Args:
        graph: the compiled flow.
        limit: how many states to look at.
    """
    findings = list(_structure(graph))
    search = _Search(shrink(graph), limit)
    search.run()
    known = {finding.node for finding in findings if finding.kind == "unreachable"}
    findings.extend(finding for finding in search.findings() if finding.node not in known or not finding.node)
    return findings


# What the drawing alone shows


def _structure(graph: Graph) -> Iterator[Finding]:
    for process in graph.processes.values():
        reached = _reached(process)
        for node in process.nodes.values():
            if node.id not in reached:
                yield Finding("unreachable", node.id, f"「{node.name}」走不到：没有从开始通向它的连线")
            if not node.outgoing and node.type != "endEvent":
                yield Finding("dead-end", node.id, f"「{node.name}」之后没有连线，请接到下一步或结束事件")
            yield from _gaps(node, process)


def _gaps(node: Node, process: Process) -> Iterator[Finding]:
    if node.type == "exclusiveGateway" and len(node.outgoing) > 1:
        free = [
            flow for flow in node.outgoing if process.flows[flow].condition is None and flow != node.default
        ]
        if free:
            message = (
                f"「{node.name}」的连线 {'、'.join(free)} 没有条件，会挡住后面的连线，请写条件或设为默认"
            )
            yield Finding("no-condition", node.id, message)
    if node.timer is not None and not node.timer.expression:
        yield Finding("no-timer", node.id, f"「{node.name}」没有写时间，请填写期限，例如 P20D")
    if node.multi and node.multi.collection is None and node.multi.cardinality is None:
        yield Finding("no-collection", node.id, f"「{node.name}」是多实例，却没有写逐个办理的清单或个数")


def _reached(process: Process) -> set[str]:
    seen: set[str] = set()
    stack = list(process.starts)
    while stack:
        node = process.nodes[stack.pop()]
        if node.id not in seen:
            seen.add(node.id)
            stack.extend(process.flows[flow].target for flow in node.outgoing)
            stack.extend(node.boundary)
    return seen


# What running it shows


class _Explorer(Run):
    """The machine, except that a choice stops at a token of kind "choice" instead of reading conditions."""

    def leave(self, node: Node, scope: int) -> None:
        if len(node.outgoing) > 1 and len(options(node, self.process(scope))) > 1:
            self.put(node, scope, "choice")
            return
        super().leave(node, scope)

    def choose(self, node: Node, scope: int) -> Iterable[str]:
        return options(node, self.process(scope))[0]

    def items(self, node: Node, scope: int) -> list[Any]:
        return [0, 1]

    def _complete_early(self, condition: str | None, owner: Token, total: int) -> bool:
        return False

    def decide(self, token: Token, flows: Iterable[str]) -> None:
        self.drop(token)
        self.go(flows, token.scope)

    def begin_at(self, node: Node) -> None:
        self._begin([node])


def options(node: Node, process: Process) -> list[tuple[str, ...]]:
    """The sets of outgoing flows that `node` may choose."""
    flows = node.outgoing
    if node.type in ("parallelGateway", "startEvent", "eventBasedGateway"):
        return [flows]
    if node.type == "exclusiveGateway":
        return [(flow,) for flow in flows]
    free = tuple(flow for flow in flows if process.flows[flow].condition is None and flow != node.default)
    maybe = [flow for flow in flows if process.flows[flow].condition is not None and flow != node.default]
    if len(maybe) > 8:
        raise _TooManyOptions
    chosen = [(*free, *some) for size in range(len(maybe) + 1) for some in combinations(maybe, size)]
    if chosen[0] == ():
        chosen[0] = () if node.default is None else (node.default,)
    return [one for one in chosen if one] or [flows]


class _TooManyOptions(Exception):
    pass


class _Search:
    def __init__(self, graph: Graph, limit: int) -> None:
        self.graph = graph
        self.limit = limit
        self.complete = True
        self.number: dict[str, int] = {}
        self.before: list[list[int]] = []
        self.finals: set[int] = set()
        self.dead: list[tuple[int, State]] = []
        self.sample: list[State] = []
        self.entered: set[str] = set()
        self.found: dict[tuple[str, str], Finding] = {}
        self.queue: deque[tuple[int, State, Fired]] = deque()
        self.repeatable = not any(
            not node.interrupting for process in graph.processes.values() for node in process.nodes.values()
        )

    def run(self) -> None:
        try:
            self._explore()
        except _TooManyOptions:
            self.complete = False

    def _explore(self) -> None:
        process = self.graph.processes[self.graph.main]
        starts = [process.nodes[name] for name in process.starts]
        events = [node for node in starts if node.type == "startEvent"]
        for group in [[node] for node in events] or [starts]:
            run = _Explorer(self.graph, EMPTY, {})
            run._begin(group)
            self._reach(run, None, frozenset())
        while self.queue:
            if len(self.number) > self.limit:
                self.complete = False
                return
            self._expand(*self.queue.popleft())

    def _expand(self, number: int, state: State, fired: Fired) -> None:
        moved = False
        for token in state.tokens.values():
            for run, now in self._moves(state, token, fired):
                moved = True
                self._reach(run, number, now)
        if not moved:
            self.dead.append((number, state))

    def _moves(self, state: State, token: Token, fired: Fired) -> Iterator[tuple[_Explorer, Fired]]:
        process = self.graph.processes[state.scopes[token.scope].process]
        node = process.nodes[token.node]

        def fresh() -> _Explorer:
            return _Explorer(self.graph, state, {})

        if token.kind == "choice":
            for flows in options(node, process):
                run = fresh()
                run.decide(token, flows)
                yield run, fired
            return
        if token.kind in WAITING and token.kind != "event":
            run = fresh()
            run.finish(token)
            yield run, fired
        for event in fresh()._listeners(token):
            if event.id == node.id or event.event == "error" or (token.id, event.id) in fired:
                continue
            run = fresh()
            run.trigger(token, event)
            yield run, fired if event.interrupting else fired | {(token.id, event.id)}
        if token.kind in WAITING and node.type in ACTIVITIES:
            for code in self._codes(state, token):
                run = fresh()
                if run.throw(token, code):
                    yield run, fired

    def _codes(self, state: State, token: Token) -> list[str | None]:
        """Error codes that something around `token` catches."""
        codes: dict[str | None, None] = {}
        current: Token | None = token
        while current is not None:
            nodes = self.graph.processes[state.scopes[current.scope].process].nodes
            for event in nodes[current.node].boundary:
                if nodes[event].event == "error":
                    codes.setdefault(nodes[event].ref)
            parent = current.owner if current.owner is not None else state.scopes[current.scope].parent
            current = None if parent is None else state.tokens[parent]
        return list(codes)

    def _reach(self, run: _Explorer, origin: int | None, fired: Fired) -> None:
        try:
            run.settle()
        except CommandRefused:
            last = run.trace[-1].node
            self._find("livelock", last, "在没有人办理的环节之间循环不止")
            return
        self.entered.update(entry.node for entry in run.trace)
        state = run.step().state
        fired = frozenset(pair for pair in fired if pair[0] in state.tokens)
        key = _key(state, fired)
        number = self.number.get(key)
        if number is None:
            number = self.number[key] = len(self.number)
            self.before.append([])
            self.sample.append(state)
            if state.done:
                self.finals.add(number)
            elif not self._crowded(state):
                self.queue.append((number, state, fired))
        if origin is not None:
            self.before[number].append(origin)

    def _crowded(self, state: State) -> bool:
        """Whether a place holds more tokens than it should; such a state is not followed further."""
        count: dict[tuple[int, str, str | None], int] = {}
        for token in state.tokens.values():
            if token.owner is None:
                place = (token.scope, token.node, token.via)
                count[place] = count.get(place, 0) + 1
        for (scope, node, via), tokens in count.items():
            if tokens > 1 and via is not None:
                self._find("mismatched-join", node, f"会在连线 {via} 上积下几份，汇合与前面的分支不配对")
                return True
            if tokens >= TOO_MANY:
                self._find("unbounded", node, "会同时有越来越多份，前面的分支没有汇合")
                return True
            if tokens > 1 and self.repeatable:
                process = self.graph.processes[state.scopes[scope].process]
                if process.nodes[node].type not in ("exclusiveGateway",):
                    self._find("repeated", node, "会被同时办两遍，前面的并行分支没有用并行网关汇合")
        return False

    def _find(self, kind: str, node: str, text: str) -> None:
        name = next((p.nodes[node].name for p in self.graph.processes.values() if node in p.nodes), node)
        self.found.setdefault((kind, node), Finding(kind, node, f"「{name}」{text}"))

    def findings(self) -> list[Finding]:
        """What the search found."""
        for _, state in self.dead:
            for token in state.tokens.values():
                if token.kind == "join":
                    self._find("deadlock", token.node, f"会永远等不齐：{self._missing(state, token)}")
        certain = self.complete and not any(
            kind in ("mismatched-join", "unbounded") for kind, _ in self.found
        )
        if certain and not self.dead:
            self._unfinished()
            if not self.found:
                self._never_entered()
        result = list(self.found.values())
        if not self.complete:
            message = f"状态超过 {self.limit} 个，没有查完；请把流程拆成子流程或几个流程"
            result.append(Finding("undecided", "", message))
        return result

    def _missing(self, state: State, token: Token) -> str:
        process = self.graph.processes[state.scopes[token.scope].process]
        here = {
            one.via for one in state.tokens.values() if one.node == token.node and one.scope == token.scope
        }
        flows = [flow for flow in process.nodes[token.node].incoming if flow not in here]
        return f"连线 {'、'.join(flows)} 可能没有人走到，请改用与分支相配的网关"

    def _unfinished(self) -> None:
        """States from which no end can be reached."""
        reached = set(self.finals)
        stack = list(self.finals)
        while stack:
            for origin in self.before[stack.pop()]:
                if origin not in reached:
                    reached.add(origin)
                    stack.append(origin)
        for number, state in enumerate(self.sample):
            if number not in reached:
                for token in state.tokens.values():
                    self._find("cannot-finish", token.node, "之后走不到结束")
                return

    def _never_entered(self) -> None:
        for process in _used(self.graph):
            for node in process.nodes.values():
                if node.id not in self.entered and node.type != "boundaryEvent" and _arrives(node, process):
                    self._find("unreachable", node.id, "走不到")


def _used(graph: Graph) -> list[Process]:
    """The main process and what it calls; other processes of the file (other pools) never run."""
    used = [graph.main]
    for name in used:
        called = [node.called for node in graph.processes[name].nodes.values() if node.called]
        used.extend(one for one in dict.fromkeys(called) if one not in used)
    return [graph.processes[name] for name in used]


def _arrives(node: Node, process: Process) -> bool:
    """Whether tokens enter the node at all: an event after an event gateway is entered by the gateway."""
    sources = [process.nodes[process.flows[flow].source].type for flow in node.incoming]
    return "eventBasedGateway" not in sources


def _key(state: State, fired: Fired) -> str:
    """The same text for states that differ only in numbers."""
    inside: dict[int, int] = {
        scope.parent: scope.id for scope in state.scopes.values() if scope.parent is not None
    }

    def token_key(token: Token) -> str:
        events = sorted(event for number, event in fired if number == token.id)
        inner = scope_key(inside[token.id]) if token.id in inside else ""
        if token.kind == "multi":
            inner = ",".join(sorted(token_key(one) for one in state.tokens.values() if one.owner == token.id))
        return f"{token.node}/{token.kind}/{token.via or ''}/{token.done}/{events or ''}({inner})"

    def scope_key(scope: int) -> str:
        tokens = (one for one in state.tokens.values() if one.scope == scope and one.owner is None)
        return ",".join(sorted(token_key(token) for token in tokens))

    return "done" if state.done else scope_key(0)
