"""The requirement graph: which element sees which, and the code of each (DMN 1.5 §6, §10.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from yiwang.engines.judge.dmn import contracts as c
from yiwang.engines.judge.dmn.boxed import coerced, compiled, function_definition
from yiwang.engines.judge.dmn.item_types import ItemTypes
from yiwang.engines.judge.dmn.place import Members, Place
from yiwang.kernel.feel.compiler import Code
from yiwang.kernel.feel.evaluation import Scope
from yiwang.kernel.feel.lexer import plain_name
from yiwang.kernel.feel.types import Type


@dataclass(frozen=True, slots=True)
class Sight:
    """What a text sees: an element under its name, perhaps below the name of an import."""

    prefix: str
    name: str
    node: Node


class File:
    """One model file with what it imports."""

    def __init__(self, definitions: c.Definitions, root: Any, imports: Sequence[tuple[str, File]]) -> None:
        self.definitions = definitions
        self.root = root
        self.imports = imports
        """By the name of the import; an empty name imports into the model's own names."""
        self.types: ItemTypes = ItemTypes(definitions, [(name, file.types) for name, file in imports])
        self.nodes = [Node(self, element) for element in definitions.elements]
        self.by_id = {node.element.id: node for node in reversed(self.nodes)}
        self.by_name = {node.element.name: node for node in reversed(self.nodes)}
        self.problems: list[c.Problem] = [*definitions.problems]

    @cached_property
    def members(self) -> frozenset[str]:
        """Names of components, entries, columns and outputs: what may follow a dot."""
        own = (
            plain_name(found.get("name") or "") for found in self.root.iter() if isinstance(found.tag, str)
        )
        names = {name for name in own if name}
        return frozenset(names.union(*(file.members for _, file in self.imports)))

    @cached_property
    def known(self) -> Members:
        """The members, ready for parsers."""
        return Members(self.members)

    def find(self, reference: str) -> Node | None:
        """The element that a reference `#id` or `namespace#id` means."""
        namespace, _, identity = reference.rpartition("#")
        if namespace in ("", self.definitions.namespace):
            found = self.by_id.get(identity)
            if found is not None or namespace:
                return found
        for file in self.all():
            if file.definitions.namespace == namespace and identity in file.by_id:
                return file.by_id[identity]
        return None

    def all(self) -> Iterator[File]:
        """This file and all that it imports, each once."""
        seen: list[File] = [self]
        for file in seen:
            yield file
            seen.extend(one for _, one in file.imports if one not in seen)

    def prefix_of(self, file: File) -> str | None:
        """The name under which this file imports `file`."""
        if file is self:
            return ""
        return next((name for name, one in self.imports if one is file), None)


class Node:
    """An element with its code."""

    def __init__(self, file: File, element: c.Element) -> None:
        self.file = file
        self.element = element

    def __repr__(self) -> str:
        return f"Node({self.element.name!r})"

    def report(self, identity: str, what: str, remedy: str) -> None:
        """Note a problem at this element."""
        problem = c.Problem(self.element.name, identity or self.element.id, what, remedy)
        if problem not in self.file.problems:
            self.file.problems.append(problem)

    @cached_property
    def type(self) -> Type | None:
        """The declared type; None: anything."""
        return self.place.type(self.element.type_ref, self.element.id)

    def nodes(self, references: tuple[str, ...]) -> list[Node]:
        """The elements that references mean; those that mean none are reported."""
        found = []
        for reference in references:
            node = self.file.find(reference)
            if node is None:
                self.report("", f"引用「{reference}」找不到", "请改正引用，或导入它所在的模型")
            elif node not in found:
                found.append(node)
        return found

    @cached_property
    def sights(self) -> list[Sight]:
        """What the element's logic sees, itself among them if it is a function."""
        element = self.element
        required = element.requires if isinstance(element, (c.Decision, c.Knowledge)) else ()
        nodes = self.nodes(required)
        if isinstance(element, c.Knowledge) and self not in nodes:
            nodes.append(self)  # recursion
        sights: list[Sight] = []
        for node in nodes:
            prefix = self.file.prefix_of(node.file)
            if prefix is None:
                self.report("", f"「{node.element.name}」所在的模型没有导入", "请用 import 导入它")
            else:
                names = {node.element.name: None, node.element.variable: None}  # the same, in a proper model
                sights.extend(Sight(prefix, name, node) for name in names if name)
        return sights

    @cached_property
    def place(self) -> Place:
        """The names in scope of the element's logic."""
        names: set[str] = set()
        for sight in self.sights:
            names.add(sight.prefix or sight.name)
        definitions = self.file.definitions
        return Place(frozenset(names), self.file.known, self.file.types, definitions.language, self.report)

    @cached_property
    def code(self) -> Code:
        """A decision's value, or a knowledge model's function, in the scope of what it sees."""
        element = self.element
        if isinstance(element, c.Knowledge):
            type_ = self.type
            result = type_.result if type_ is not None and type_.base == "function" else type_
            logic = element.logic or c.FunctionDefinition()
            if element.logic is None:
                self.report("", "业务知识模型没有写逻辑", "请补上函数")
            return function_definition(logic, self.place, result)
        assert isinstance(element, c.Decision)  # noqa: S101 (the other kinds have no code)
        what = f"决策「{element.name}」的结果"
        if element.logic is None:
            self.report("", "决策没有写逻辑", "请补上表达式或决策表")
        return coerced(compiled(element.logic, self.place, what), self.type, what)

    def scope(self, values: Mapping[Node, Any]) -> Scope:
        """The scope of the element's logic, when what it sees has these values."""
        names: dict[str, Any] = {}
        for sight in self.sights:
            if sight.prefix:
                names.setdefault(sight.prefix, {})[sight.name] = values[sight.node]
            else:
                names[sight.name] = values[sight.node]
        return Scope(names)
