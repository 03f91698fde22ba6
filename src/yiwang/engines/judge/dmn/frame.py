"""Evaluating the graph: each decision once, what it requires first; services in a frame of their own (§10.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yiwang.engines.judge.dmn import contracts as c
from yiwang.engines.judge.dmn.graph import Node
from yiwang.kernel.feel import Function
from yiwang.kernel.feel.evaluation import Run
from yiwang.kernel.feel.types import ANY
from yiwang.kernel.feel.values import deep

MOST_STEPS = 5_000_000  # of all decisions of one evaluation together; each has its own limit as well


class Frame:
    """Values of the elements in one evaluation, or in one call of a decision service.

    Args:
        run: counts steps and collects reasons.
        given: values of input data, and of decisions that need not be computed.
        reasons: why elements are null, by element; shared by all frames.
        inner: whether this is the frame of a service, whose limits are its caller's.
    """

    def __init__(
        self, run: Run, given: Mapping[Node, Any], reasons: dict[Node, list[str]], inner: bool = False
    ) -> None:
        self.run = run
        self.values: dict[Node, Any] = dict(given)
        self.reasons = reasons
        self.inner = inner
        self._spent = 0

    def value(self, node: Node) -> Any:
        """The value of an element: computed once, what it requires before it."""
        waiting = [node]
        entered: set[Node] = set()
        while waiting:
            top = waiting[-1]
            if top in self.values:
                waiting.pop()
                continue
            missing = [sight.node for sight in top.sights if sight.node not in self.values]
            if not missing or not isinstance(top.element, c.Decision):
                self.values[top] = self._compute(top)
            elif top in entered:  # its requirements came back without a value: they wait for it
                self._ring(top, [one for one in missing if one in entered])
            else:
                entered.add(top)
                waiting.extend(one for one in missing if one not in entered)
                if waiting[-1] is top:
                    self._ring(top, missing)
        return self.values[node]

    def _ring(self, node: Node, missing: list[Node]) -> None:
        names = "、".join(dict.fromkeys(one.element.name for one in [node, *missing]))
        self.values[node] = None
        self.reasons.setdefault(node, []).append(f"决策互相依赖：{names}")

    def _compute(self, node: Node) -> Any:
        element = node.element
        if isinstance(element, c.Decision):
            return self._decide(node)
        if isinstance(element, c.Knowledge):
            return self._knowledge(node)
        if isinstance(element, c.Service):
            return self._service(node)
        self.reasons.setdefault(node, []).append(f"没有给出输入「{element.name}」")
        return None

    def _decide(self, node: Node) -> Any:
        run = self.run
        scope = node.scope(self.values)
        if self.inner:
            return node.code(run, scope)
        reasons, steps = run.reasons, run.steps
        run.reasons, run.steps = [], 0
        try:
            if self._spent > MOST_STEPS:
                value = run.null("整个模型的计算步数太多，后面的决策不再计算")
            else:
                value = run.whole(node.code, scope)
            self.reasons.setdefault(node, []).extend(run.reasons)
        finally:
            self._spent += run.steps
            run.reasons, run.steps = reasons, steps
        return value

    def _knowledge(self, node: Node) -> Function:
        """The function of a knowledge model. What it sees is looked up when it is called: it may see itself."""
        logic = node.element.logic if isinstance(node.element, c.Knowledge) else None
        parameters = tuple(one.name for one in logic.parameters) if logic else ()
        types = tuple(node.place.type(one.type_ref, "") or ANY for one in logic.parameters) if logic else ()
        made: list[Function] = []

        def call(*values: Any) -> Any:
            if not made:
                seen = {sight.node: self.value(sight.node) for sight in node.sights}
                made.append(node.code(self.run, node.scope(seen)))
            return made[0].call(*values)

        type_ = node.type
        return Function(
            parameters, call, types, type_.result if type_ and type_.base == "function" else type_
        )

    def _service(self, node: Node) -> Function:
        element = node.element
        assert isinstance(element, c.Service)  # noqa: S101 (for the type checker)
        parameters = node.nodes(element.input_data) + node.nodes(element.input_decisions)
        outputs = node.nodes(element.outputs)
        type_ = node.type
        result = type_.result if type_ is not None and type_.base == "function" else type_

        def call(*values: Any) -> Any:
            if len(values) != len(parameters):
                return self.run.null(
                    f"「{element.name}」应有 {len(parameters)} 个参数，却有 {len(values)} 个"
                )
            given = {
                one: self.run.coerced(f"参数「{one.element.name}」", value, one.type)
                for one, value in zip(parameters, values, strict=True)
            }
            frame = Frame(self.run, given, self.reasons, True)
            found = {output.element.name: frame.value(output) for output in outputs}
            value = next(iter(found.values())) if len(found) == 1 else found
            return self.run.coerced(f"「{element.name}」的结果", value, result)

        names = tuple(one.element.name for one in parameters)
        return Function(names, call, tuple(one.type or ANY for one in parameters), result)


def plain(run: Run, value: Any) -> Any:
    """A result with everything in it converted."""
    return run.guarded(lambda: deep(value)) if type(value) in (list, dict) else value
