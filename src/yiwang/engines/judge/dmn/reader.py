"""From XML to the nouns of `contracts`. Nothing is refused here: what is wrong becomes a Problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from yiwang.engines.judge.dmn import contracts as c
from yiwang.engines.judge.dmn.boxed_reader import BoxedReader
from yiwang.engines.judge.dmn.xml import child, children, is_dmn, read, tag, true
from yiwang.kernel.feel.lexer import plain_name

_REQUIREMENTS = ("informationRequirement", "knowledgeRequirement")
_TARGETS = ("requiredDecision", "requiredInput", "requiredKnowledge")


def definitions(xml: bytes) -> c.Definitions:
    """The model in a file.

    Raises:
        NotDmn: the file is no decision model at all.
    """
    return of_root(read(xml))


def of_root(root: Any) -> c.Definitions:
    """The model under a root element `definitions`."""
    reader = _Reader(root)
    elements = []
    for element in children(root):
        read_one = _ELEMENTS.get(tag(element))
        if read_one:
            elements.append(read_one(reader, element))
    return c.Definitions(
        name=plain_name(root.get("name") or ""),
        id=root.get("id") or "",
        namespace=root.get("namespace") or "",
        language=root.get("expressionLanguage"),
        types=tuple(reader.item_definition(item) for item in children(root, "itemDefinition")),
        elements=tuple(elements),
        imports=tuple(reader.import_(one) for one in children(root, "import")),
        problems=tuple(reader.problems),
    )


class _Reader(BoxedReader):
    """Reads the elements of one file."""

    def __init__(self, root: Any) -> None:
        super().__init__()
        self.root = root
        self._count = 0

    def import_(self, element: Any) -> c.Import:
        type_ = element.get("importType") or ""
        name = plain_name(element.get("name") or "")
        if not is_dmn(type_):
            self.problem(element, f"导入的类型「{type_}」不支持", "只能导入 DMN 模型，请删去或改写成 FEEL")
        return c.Import(name, element.get("namespace") or "", element.get("locationURI"), type_)

    def item_definition(self, element: Any) -> c.ItemDefinition:
        function = child(element, "functionItem")
        parameters = None
        if function is not None:
            parameters = tuple(self.typed(one) for one in children(function, "parameters"))
        return c.ItemDefinition(
            name=plain_name(element.get("name") or ""),
            id=element.get("id") or "",
            type_ref=self.type_ref(element),
            allowed=self.tests(child(element, "allowedValues")),
            constraint=self.tests(child(element, "typeConstraint")),
            is_collection=true(element, "isCollection"),
            components=tuple(self.item_definition(one) for one in children(element, "itemComponent")),
            parameters=parameters,
            result=function.get("outputTypeRef") if function is not None else None,
        )

    def _named(self, element: Any) -> tuple[str, str, str | None, str]:
        """Id, name, type and variable of an element; one without an id gets one, so that it can be told apart."""
        self._count += 1
        identity = element.get("id") or f"{tag(element)}.{self._count}"
        variable = child(element, "variable")
        name = element.get("name") or (variable.get("name") if variable is not None else "") or identity
        if variable is None:
            return identity, plain_name(name), None, plain_name(name)
        return identity, plain_name(name), self.type_ref(variable), plain_name(variable.get("name") or name)

    def input_data(self, element: Any) -> c.Element:
        return c.InputData(*self._named(element))

    def decision(self, element: Any) -> c.Element:
        return c.Decision(
            *self._named(element),
            logic=self.only_expression(element),
            requires=_references(element, _REQUIREMENTS, _TARGETS),
            authorities=_references(
                element, ("authorityRequirement",), ("requiredAuthority", "requiredDecision", "requiredInput")
            ),
        )

    def knowledge(self, element: Any) -> c.Element:
        logic = child(element, "encapsulatedLogic")
        return c.Knowledge(
            *self._named(element),
            logic=self.function_definition(logic) if logic is not None else None,
            requires=_references(element, ("knowledgeRequirement",), _TARGETS),
        )

    def service(self, element: Any) -> c.Element:
        def hrefs(name: str) -> tuple[str, ...]:
            return tuple(one.get("href") or "" for one in children(element, name))

        return c.Service(
            *self._named(element),
            outputs=hrefs("outputDecision"),
            encapsulated=hrefs("encapsulatedDecision"),
            input_decisions=hrefs("inputDecision"),
            input_data=hrefs("inputData"),
        )


def _references(element: Any, requirements: tuple[str, ...], targets: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        target.get("href") or ""
        for requirement in children(element, *requirements)
        for target in children(requirement, *targets)
    )


_ELEMENTS: dict[str, Callable[[_Reader, Any], c.Element]] = {
    "inputData": _Reader.input_data,
    "decision": _Reader.decision,
    "businessKnowledgeModel": _Reader.knowledge,
    "decisionService": _Reader.service,
}
