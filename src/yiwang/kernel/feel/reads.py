"""Which names and paths a text reads, found without evaluating it."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping

from yiwang.kernel.feel import nodes as n


class Reads:
    """Collects paths such as `mother.idno`. `known` are the declared names, `functions` the built-in ones.

    Inside a filter a bare name may be a member of the items or a name outside: a declared name is taken as
    the outside one, any other as a member of the filtered list.
    """

    def __init__(self, known: Collection[str], functions: Collection[str]) -> None:
        self.known = frozenset(name.partition(".")[0] for name in known)
        self.functions = functions
        self.paths: set[str] = set()

    def visit(self, node: n.Node, bound: Mapping[str, str | None], inside: str | None = None) -> None:
        """Walk `node`; `bound` maps local names to the path they stand for, `inside` is the filtered list."""
        if isinstance(node, (n.Name, n.Path, n.Filter)):
            path = self._path(node, bound, inside)
            if path:
                self.paths.add(path)
        elif isinstance(node, (n.For, n.Quantified)):
            local = dict(bound)
            for iterator in node.iterators:
                local[iterator.variable] = self._path(iterator.source, local, inside)
                if iterator.end is not None:
                    self.visit(iterator.end, local, inside)
            if isinstance(node, n.For):
                local["partial"] = None
            self.visit(node.body if isinstance(node, n.For) else node.test, local, inside)
        elif isinstance(node, n.ContextOf):
            local = dict(bound)
            for key, entry in node.entries:
                self.visit(entry, local, inside)
                local[key] = None
        elif isinstance(node, n.Lambda):
            self.visit(node.body, {**bound, **dict.fromkeys(node.parameters)}, inside)
        elif isinstance(node, n.Call):
            if not isinstance(node.function, n.Name):
                self.visit(node.function, bound, inside)
            for argument in node.arguments:
                self.visit(argument, bound, inside)
        else:
            for child in _children(node):
                self.visit(child, bound, inside)

    def _path(self, node: n.Node, bound: Mapping[str, str | None], inside: str | None) -> str | None:
        """The path that `node` is, or None after visiting it as an ordinary expression."""
        if isinstance(node, n.Name):
            return self._name(node.name, bound, inside)
        if isinstance(node, n.Path):
            base = self._path(node.base, bound, inside)
            return f"{base}.{node.name}" if base else None
        if isinstance(node, n.Filter):
            base = self._path(node.base, bound, inside)
            if base:
                self.paths.add(base)
            self.visit(node.condition, {**bound, "item": base}, base)
            return base
        self.visit(node, bound, inside)
        return None

    def _name(self, name: str, bound: Mapping[str, str | None], inside: str | None) -> str | None:
        if name in bound:
            return bound[name]
        if name == "?":
            return None
        if inside is not None and name not in self.known:
            return f"{inside}.{name}"
        if name in self.functions and name not in self.known:
            return None
        return name


def _children(node: n.Node) -> Iterator[n.Node]:
    for field in dataclasses.fields(node):  # type: ignore[arg-type]
        value = getattr(node, field.name)
        if isinstance(value, n.Node):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, n.Node))
