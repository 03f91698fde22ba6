"""What the rest of the platform holds: a loaded model that can be evaluated, explained and invoked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from yiwang.engines.judge.dmn import contracts as c
from yiwang.engines.judge.dmn.frame import Frame, plain
from yiwang.engines.judge.dmn.graph import File, Node
from yiwang.engines.judge.dmn.inputs import of_python
from yiwang.kernel.feel import Function
from yiwang.kernel.feel.calls import apply
from yiwang.kernel.feel.evaluation import Run
from yiwang.kernel.feel.lexer import plain_name
from yiwang.kernel.feel.types import Type


@dataclass(frozen=True, slots=True)
class Outcome:
    """A value, and why it or what it rests on is null: sentences in Chinese."""

    value: Any
    reasons: tuple[str, ...]


class Model:
    """A decision model with its imports. Immutable; may be shared by threads."""

    def __init__(self, file: File) -> None:
        self.file = file
        """The graph behind it, for the modules of this room."""

    @property
    def name(self) -> str:
        return self.file.definitions.name

    @property
    def definitions(self) -> c.Definitions:
        """The model's own file as nouns."""
        return self.file.definitions

    @property
    def root(self) -> Any:
        """The XML that the model was read from; not to be changed."""
        return self.file.root

    @property
    def decisions(self) -> tuple[str, ...]:
        """Names of the decisions of this model, those of imports not among them."""
        return tuple(node.element.name for node in self._nodes(c.Decision))

    @property
    def inputs(self) -> dict[str, Type | None]:
        """The input data of this model and of its imports (as `import.name`), with their types."""
        return {
            name: node.type
            for prefix, file in _prefixed(self.file)
            for node in file.nodes
            if isinstance(node.element, c.InputData)
            for name in (f"{prefix}.{node.element.name}" if prefix else node.element.name,)
        }

    def parameters(self, name: str) -> dict[str, Type | None]:
        """The parameters of a knowledge model or service with their types; of a decision, all input data.

        Raises:
            UnknownName: there is no such element.
        """
        node = self._find(name, c.Decision, c.Service, c.Knowledge)
        if isinstance(node.element, c.Decision):
            return self.inputs
        function: Function = Frame(Run(), {}, {}).value(node)
        names = function.parameters or ()
        return dict(zip(names, function.types or (None,) * len(names), strict=True))

    def _nodes(self, kind: type[c.Element]) -> list[Node]:
        return [node for node in self.file.nodes if isinstance(node.element, kind)]

    def _find(self, name: str, *kinds: type[c.Element]) -> Node:
        """The element of this name or id; an import's as `import.name`, or by its name if no other has it.

        Raises:
            UnknownName: there is none.
        """
        plain_one = plain_name(name)
        for prefix, file in _prefixed(self.file):
            for node in file.nodes:
                full = f"{prefix}.{node.element.name}" if prefix else node.element.name
                if isinstance(node.element, kinds) and plain_one in (full, node.element.id):
                    return node
        imported = [
            node
            for _, file in _prefixed(self.file)
            for node in file.nodes
            if isinstance(node.element, kinds) and node.element.name == plain_one
        ]
        if len(imported) == 1:
            return imported[0]
        known = "、".join(node.element.name for kind in kinds for node in self._nodes(kind))
        raise c.UnknownName(f"模型里没有「{name}」；有：{known or '没有这一类元素'}")

    def evaluate(
        self, inputs: Mapping[str, Any], decision: str | None = None, now: datetime | None = None
    ) -> Any:
        """The value of a decision, or of all decisions by name.

        Args:
            inputs: values of the input data by name (or id). One that is missing is null. Of imported models:
                `{"import.name": …}` or `{"import": {"name": …}}`. A value for a decision stands in for it.
                Text is read as date, time or duration where the model says that type.
            decision: name or id; also that of a knowledge model or decision service, which is then invoked.
            now: what today() and now() tell; the present moment if not given.

        Raises:
            UnknownName: there is no such decision.
        """
        if decision is None:
            return {name: one.value for name, one in self.explain_all(inputs, now).items()}
        return self.explain(inputs, decision, now).value

    def explain(self, inputs: Mapping[str, Any], decision: str, now: datetime | None = None) -> Outcome:
        """As `evaluate`, with the reasons of nulls. Raises UnknownName."""
        node = self._find(decision, c.Decision, c.Service, c.Knowledge)
        if not isinstance(node.element, c.Decision):
            return self.explain_invoke(decision, inputs, now)
        frame = self._frame(inputs, now, {node})
        return self._outcome(frame, node)

    def explain_all(self, inputs: Mapping[str, Any], now: datetime | None = None) -> dict[str, Outcome]:
        """The outcome of every decision of this model, by name."""
        frame = self._frame(inputs, now, set())
        outcomes: dict[str, Outcome] = {}
        for node in self._nodes(c.Decision):
            outcomes.setdefault(node.element.name, self._outcome(frame, node))
        return outcomes

    def invoke(self, name: str, inputs: Mapping[str, Any], now: datetime | None = None) -> Any:
        """What a business knowledge model or decision service gives, called by parameter names.

        Raises:
            UnknownName: there is no such element.
        """
        return self.explain_invoke(name, inputs, now).value

    def explain_invoke(self, name: str, inputs: Mapping[str, Any], now: datetime | None = None) -> Outcome:
        """As `invoke`, with the reasons of nulls. Raises UnknownName."""
        node = self._find(name, c.Knowledge, c.Service, c.Decision)
        if isinstance(node.element, c.Decision):
            return self.explain(inputs, name, now)
        frame = self._frame({}, now, set())
        run = frame.run

        def call() -> Any:
            function: Function = frame.value(node)
            parameters = function.parameters or ()
            given = {_parameter(key, parameters): value for key, value in inputs.items()}
            for unknown in sorted(given.keys() - set(parameters)):
                run.null(f"「{name}」没有参数「{unknown}」，不用它")
            types = function.types or (None,) * len(parameters)
            values = [
                of_python(run, parameter, given.get(parameter), type_)
                for parameter, type_ in zip(parameters, types, strict=True)
            ]
            return apply(run, name, function, values)

        value = plain(run, run.guarded(call))
        return Outcome(value, (*run.reasons, *_reasons_of(frame)))

    def _frame(self, inputs: Mapping[str, Any], now: datetime | None, computed: set[Node]) -> Frame:
        """A frame with the inputs given; `computed` are decisions that no input may stand in for."""
        run = Run(now=now or datetime.now(UTC).astimezone())
        given: dict[Node, Any] = {}
        reasons: dict[Node, list[str]] = {}
        named = {plain_name(str(key)): value for key, value in inputs.items()}
        for prefix, file in _prefixed(self.file):
            for node in file.nodes:
                element = node.element
                if not isinstance(element, (c.InputData, c.Decision)) or node in computed or node in given:
                    continue
                found, value = _given(named, prefix, element)
                if found:
                    run.reasons = reasons.setdefault(node, [])
                    given[node] = of_python(run, element.name, value, node.type)
        run.reasons = []
        return Frame(run, given, reasons)

    def _outcome(self, frame: Frame, node: Node) -> Outcome:
        value = frame.run.guarded(lambda: frame.value(node))
        own = (*frame.reasons.get(node, ()), *frame.run.reasons)
        around = _reasons_of(frame, node) if value is None or own else ()
        return Outcome(value, (*own, *around))


def _parameter(key: str, parameters: Collection[str]) -> str:
    """A parameter's name; one that comes from an imported model may be given as `import.name`."""
    name = plain_name(str(key))
    if name in parameters:
        return name
    return next((one for one in parameters if name.endswith("." + one)), name)


def _prefixed(file: File) -> Iterator[tuple[str, File]]:
    """A file and its imports, each with the path of import names that leads to it."""
    seen: list[tuple[str, File]] = [("", file)]
    for prefix, one in seen:
        yield prefix, one
        for name, other in one.imports:
            path = f"{prefix}.{name}" if prefix and name else prefix or name
            if all(other is not known for _, known in seen):
                seen.append((path, other))


def _given(named: Mapping[str, Any], prefix: str, element: c.Element) -> tuple[bool, Any]:
    """Whether the inputs hold a value for an element, and the value."""
    if prefix and f"{prefix}.{element.name}" in named:
        return True, named[f"{prefix}.{element.name}"]
    inside: Any = named
    for step in prefix.split(".") if prefix else ():
        inside = inside.get(step) if isinstance(inside, Mapping) else None
    if isinstance(inside, Mapping) and element.name in inside:
        return True, inside[element.name]
    for key in (element.id, element.name):
        if key in named and (prefix == "" or not isinstance(element, c.Decision)):
            return True, named[key]
    return False, None


def _reasons_of(frame: Frame, target: Node | None = None) -> tuple[str, ...]:
    """The reasons of all the elements that `target` rests on (all elements without one), with their names."""
    wanted = set(frame.reasons) if target is None else _below(target)
    return tuple(
        f"{node.element.name}：{reason}"
        for node, reasons in frame.reasons.items()
        if node in wanted and node is not target
        for reason in reasons
    )


def _below(node: Node) -> set[Node]:
    """An element and all that it rests on."""
    found = {node}
    waiting = [node]
    while waiting:
        new = {sight.node for sight in waiting.pop().sights} - found
        found |= new
        waiting.extend(new)
    return found
