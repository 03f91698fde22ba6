"""From XML to boxed expressions and decision tables (DMN 1.5 §8.3, §10.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from yiwang.engines.judge.dmn import contracts as c
from yiwang.engines.judge.dmn.xml import child, children, tag, text
from yiwang.kernel.feel.lexer import plain_name

_POLICIES = {
    "UNIQUE": "U",
    "FIRST": "F",
    "PRIORITY": "P",
    "ANY": "A",
    "COLLECT": "C",
    "RULE ORDER": "R",
    "OUTPUT ORDER": "O",
}
_AGGREGATIONS = {"SUM": "+", "COUNT": "#", "MIN": "<", "MAX": ">"}
_DEEPEST = 60


class BoxedReader:
    """Reads expressions; problems are collected with the nearest named element."""

    def __init__(self) -> None:
        self.problems: list[c.Problem] = []
        self._depth = 0

    def problem(self, element: Any, what: str, remedy: str) -> None:
        """Note what is wrong at `element`."""
        named = element
        while named is not None and not named.get("name"):
            named = named.getparent()
        name = named.get("name") if named is not None else ""
        identity = next((e.get("id") for e in (element, named) if e is not None and e.get("id")), "")
        self.problems.append(c.Problem(name, identity, what, remedy))

    def type_ref(self, element: Any) -> str | None:
        """The type reference: an attribute since 1.2, an attribute or element before."""
        found = element.get("typeRef") or text(element, "typeRef")
        return plain_name(found) if found else None

    def typed(self, element: Any) -> c.Typed:
        return c.Typed(plain_name(element.get("name") or ""), self.type_ref(element))

    def tests(self, element: Any) -> c.Tests | None:
        if element is None:
            return None
        return c.Tests(text(element), element.get("expressionLanguage"), element.get("id") or "")

    def only_expression(self, element: Any) -> c.Expression | None:
        """The expression that is a child of `element`, if any."""
        for one in children(element):
            if tag(one) in _READERS:
                return self.expression(one)
        return None

    def expression(self, element: Any) -> c.Expression:
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                self.problem(element, f"表达式嵌套超过 {_DEEPEST} 层", "请拆成几个决策")
                return c.Unsupported(what="嵌套太深")
            return _READERS[tag(element)](self, element)
        finally:
            self._depth -= 1

    def _base(self, element: Any) -> dict[str, Any]:
        return {"id": element.get("id") or "", "type_ref": self.type_ref(element)}

    def literal(self, element: Any) -> c.Literal:
        imported = child(element, "importedValues") is not None
        if imported:
            self.problem(element, "importedValues 不支持", "请把内容写进表达式")
        return c.Literal(text(element), element.get("expressionLanguage"), imported, **self._base(element))

    def context(self, element: Any) -> c.Expression:
        entries = []
        for entry in children(element, "contextEntry"):
            variable = child(entry, "variable")
            entries.append(
                c.Entry(self.typed(variable) if variable is not None else None, self.only_expression(entry))
            )
        return c.Context(tuple(entries), **self._base(element))

    def list_of(self, element: Any) -> c.Expression:
        items = tuple(self.expression(one) for one in children(element) if tag(one) in _READERS)
        return c.ListOf(items, **self._base(element))

    def relation(self, element: Any) -> c.Expression:
        columns = tuple(self.typed(column) for column in children(element, "column"))
        rows = []
        for row in children(element, "row"):
            cells = tuple(self.expression(one) for one in children(row) if tag(one) in _READERS)
            if len(cells) != len(columns):
                self.problem(row, f"这一行有 {len(cells)} 格，表有 {len(columns)} 列", "请补齐或删去")
            rows.append(cells)
        return c.Relation(columns, tuple(rows), **self._base(element))

    def invocation(self, element: Any) -> c.Expression:
        bindings = []
        for binding in children(element, "binding"):
            parameter = child(binding, "parameter")
            typed = self.typed(parameter) if parameter is not None else c.Typed("")
            bindings.append((typed, self.only_expression(binding)))
        return c.Invocation(self.only_expression(element), tuple(bindings), **self._base(element))

    def function_definition(self, element: Any) -> c.FunctionDefinition:
        kind = {"J": "Java", "P": "PMML", "F": "FEEL"}.get(element.get("kind") or "F", element.get("kind"))
        if kind != "FEEL":
            self.problem(element, f"{kind} 函数不执行，调用的结果是空值", "请用 FEEL 写出")
        parameters = tuple(self.typed(one) for one in children(element, "formalParameter"))
        return c.FunctionDefinition(
            kind or "FEEL", parameters, self.only_expression(element), **self._base(element)
        )

    def conditional(self, element: Any) -> c.Expression:
        parts = [self._part(element, name) for name in ("if", "then", "else")]
        return c.Conditional(*parts, **self._base(element))

    def _part(self, element: Any, name: str) -> c.Expression | None:
        found = child(element, name)
        return self.only_expression(found) if found is not None else None

    def iteration(self, element: Any) -> c.Expression:
        kind = tag(element)
        source = child(element, "in")
        return c.Iteration(
            kind,
            plain_name(element.get("iteratorVariable") or ""),
            self._part(element, "in"),
            self.type_ref(source) if source is not None else None,
            self._part(element, "return" if kind == "for" else "satisfies"),
            **self._base(element),
        )

    def filter(self, element: Any) -> c.Expression:
        return c.Filter(self._part(element, "in"), self._part(element, "match"), **self._base(element))

    # Decision tables

    def table(self, element: Any) -> c.Expression:
        named = element.get("hitPolicy") or "UNIQUE"
        policy = _POLICIES.get(named)
        aggregation = element.get("aggregation")
        if policy is None or (aggregation and aggregation not in _AGGREGATIONS):
            what = f"没有命中策略「{named} {aggregation or ''}」".strip()
            self.problem(
                element, what, "可用 UNIQUE、ANY、PRIORITY、FIRST、COLLECT、RULE ORDER、OUTPUT ORDER"
            )
            return c.Unsupported(what, **self._base(element))
        inputs = tuple(self._input(one) for one in children(element, "input"))
        outputs = tuple(self._output(one) for one in children(element, "output"))
        rules = []
        for row in children(element, "rule"):
            rule = c.Rule(
                row.get("id") or "",
                tuple(
                    c.Tests(text(e), e.get("expressionLanguage"), e.get("id") or "")
                    for e in children(row, "inputEntry")
                ),
                tuple(self.literal(e) for e in children(row, "outputEntry")),
                tuple(text(e) for e in children(row, "annotationEntry")),
            )
            if len(rule.inputs) != len(inputs) or len(rule.outputs) != len(outputs):
                self.problem(row, "这条规则的格数与表头不同", "请补齐或删去")
            rules.append(rule)
        return c.Table(
            policy,
            _AGGREGATIONS.get(aggregation or "") if policy == "C" else None,
            inputs,
            outputs,
            tuple(rules),
            tuple(one.get("name") or "" for one in children(element, "annotation")),
            **self._base(element),
        )

    def _input(self, element: Any) -> c.Input:
        expression = child(element, "inputExpression")
        if expression is None:
            self.problem(element, "输入列没有表达式", "请写明这一列取什么值")
        literal = self.literal(expression) if expression is not None else c.Literal()
        return c.Input(literal, self.tests(child(element, "inputValues")), element.get("label") or "")

    def _output(self, element: Any) -> c.Output:
        default = child(element, "defaultOutputEntry")
        return c.Output(
            plain_name(element.get("name") or ""),
            self.type_ref(element),
            self.tests(child(element, "outputValues")),
            self.literal(default) if default is not None else None,
            element.get("label") or "",
        )


_READERS: dict[str, Callable[[BoxedReader, Any], c.Expression]] = {
    "literalExpression": BoxedReader.literal,
    "context": BoxedReader.context,
    "list": BoxedReader.list_of,
    "relation": BoxedReader.relation,
    "invocation": BoxedReader.invocation,
    "functionDefinition": BoxedReader.function_definition,
    "conditional": BoxedReader.conditional,
    "for": BoxedReader.iteration,
    "some": BoxedReader.iteration,
    "every": BoxedReader.iteration,
    "filter": BoxedReader.filter,
    "decisionTable": BoxedReader.table,
}
