"""Small flows written on a few lines, and a player for them."""

from collections import Counter
from pathlib import Path

from yiwang.engines.cases.flow import (
    EMPTY,
    Complete,
    FireTimer,
    Message,
    Start,
    ThrowError,
    advance,
    compile_bpmn,
    replay,
)

FLOWS = Path(__file__).parents[6] / "packs" / "base" / "flows"
KINDS = {
    "start": "startEvent",
    "end": "endEvent",
    "user": "userTask",
    "xor": "exclusiveGateway",
    "and": "parallelGateway",
    "or": "inclusiveGateway",
    "event": "eventBasedGateway",
    "catch": "intermediateCatchEvent",
    "throw": "intermediateThrowEvent",
    "boundary": "boundaryEvent",
}
TIMER = "<timerEventDefinition><timeDuration>P5D</timeDuration></timerEventDefinition>"


def node(kind, name, inside="", /, **attributes):
    tag = KINDS.get(kind, kind)
    text = "".join(f' {key.replace("yw_", "yw:")}="{value}"' for key, value in attributes.items())
    return f'<{tag} id="{name}"{text}>{inside}</{tag}>'


def flows(*arrows):
    """`"a b"`, `"a b: condition"` or `"a b !"` for the default flow; ids are f_a_b."""
    result = []
    for arrow in arrows:
        ends, _, condition = arrow.partition(": ")
        source, target = ends.removesuffix(" !").split()
        inside = f"<conditionExpression><![CDATA[{condition}]]></conditionExpression>" if condition else ""
        head = f'<sequenceFlow id="f_{source}_{target}" sourceRef="{source}" targetRef="{target}"'
        result.append(f"{head}>{inside}</sequenceFlow>")
    return "".join(result)


def wrap(*parts, before=""):
    body = "".join(parts)
    return (
        '<?xml version="1.0"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        f'xmlns:yw="urn:yiwang:bpmn:1" targetNamespace="t">{before}'
        f'<process id="p">{body}</process></definitions>'
    ).encode()


def build(*parts, before=""):
    return compile_bpmn(wrap(*parts, before=before))


class Player:
    """Plays a graph by node names and checks that the state is the replay of its commands."""

    def __init__(self, graph, data=None):
        self.graph = graph
        self.data = data or {}
        self.history = []
        self.state = EMPTY
        self.do(Start())

    def do(self, command):
        self.step = advance(self.graph, self.state, command, self.data)
        self.history.append((command, dict(self.data)))
        self.state = self.step.state
        assert self.state == replay(self.graph, self.history)
        return self

    def token(self, name, index=0):
        kinds = ("join", "scope", "multi")
        found = [t for t in self.state.tokens.values() if t.node == name and t.kind not in kinds]
        return (found or [t for t in self.state.tokens.values() if t.node == name])[index].id

    def complete(self, *names, outcome=None):
        for name in names:
            self.do(Complete(self.token(name), outcome))
        return self

    def fire(self, name, event):
        return self.do(FireTimer(self.token(name), event))

    def message(self, name):
        return self.do(Message(name))

    def error(self, name, code):
        return self.do(ThrowError(self.token(name), code))

    @property
    def at(self):
        """Names of the nodes with waiting tokens, sorted."""
        waiting = [t.node for t in self.state.tokens.values() if t.kind not in ("join", "scope", "multi")]
        return sorted(Counter(waiting).elements())

    @property
    def done(self):
        return self.state.done
