"""The dictionary of data elements: one definition of each, with inheritance between entities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yiwang.engines.cases.forms import expressions
from yiwang.engines.cases.forms.contracts import RegisterLookup
from yiwang.kernel.packs.contracts import Library, Pack

SERVICE = "service"  # the role (and entity) of choices that belong to the application, never declared


@dataclass(frozen=True, slots=True)
class Element:
    """One data element as an entity has it (own or inherited)."""

    entity: str  # where it is defined
    id: str
    name: str
    type: str
    level: str
    definition: Mapping[str, Any]
    pack: Pack

    @property
    def full_id(self) -> str:
        """``entity.element``"""
        return f"{self.entity}.{self.id}"


class Dictionary:
    """Looks up elements by entity; built once per library."""

    def __init__(self, library: Library) -> None:
        self._packs = {p.id: p for p in library.all("elements")}
        self._tables: dict[str, dict[str, Element]] = {}

    def entities(self) -> tuple[str, ...]:
        """Every entity."""
        return tuple(self._packs)

    def label(self, entity: str) -> str:
        """The Chinese name of an entity."""
        return str(self._packs[entity].data["label"]) if entity in self._packs else entity

    def ancestors(self, entity: str) -> tuple[str, ...]:
        """The entity and what it extends, nearest first; a cycle stops."""
        chain: list[str] = []
        current: str | None = entity
        while current is not None and current in self._packs and current not in chain:
            chain.append(current)
            current = self._packs[current].data.get("extends")
        return tuple(chain)

    def compatible(self, one: str, other: str) -> bool:
        """Whether one entity is, or extends, the other."""
        return one in self.ancestors(other) or other in self.ancestors(one)

    def elements(self, entity: str) -> Mapping[str, Element]:
        """All elements of an entity, the inherited ones first, in the order they are written."""
        if entity not in self._tables:
            table: dict[str, Element] = {}
            for owner in reversed(self.ancestors(entity)):
                pack = self._packs[owner]
                for id_, definition in pack.data["elements"].items():
                    table[id_] = Element(
                        owner,
                        id_,
                        definition["name"],
                        definition["type"],
                        definition.get("level", "公开"),
                        definition,
                        pack,
                    )
            self._tables[entity] = table
        return self._tables[entity]

    def find(self, element: str, *entities: str | None) -> Element | None:
        """The element in the first of the entities that has it."""
        for entity in entities:
            if entity and element in self.elements(entity):
                return self.elements(entity)[element]
        return None

    def derive(self, element: Element, role: str) -> str | None:
        """The derivation of an element in a role, with full paths, or None."""
        text = element.definition.get("derive")
        return expressions.qualify(text, role, self._own(element)) if text else None

    def lookups(self, element: Element, role: str) -> tuple[RegisterLookup, ...]:
        """The registers that hold an element of a role, most authoritative first."""
        return tuple(
            RegisterLookup(source["register"], absolute(source["key"], role), source["field"])
            for source in element.definition.get("sources", ())
            if "register" in source
        )

    def session(self, element: Element) -> str | None:
        """The part of the login that gives the element for the person who logs in, or None."""
        for source in element.definition.get("sources", ()):
            if "session" in source:
                return str(source["session"])
        return None

    def _own(self, element: Element) -> frozenset[str]:
        names: set[str] = set()
        for entity in self._packs:
            if element.entity in self.ancestors(entity):
                names |= self.elements(entity).keys()
        return frozenset(names)


def absolute(path: str, role: str) -> str:
    """A path that may leave out its role, with the role."""
    return path if "." in path else f"{role}.{path}"


def options(library: Library, definition: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The (value, label) pairs an element allows; empty when it has no list.

    Raises:
        UnknownPack: the code list does not exist.
    """
    if "codes" in definition:
        return tuple((c, c) for c in definition["codes"])
    if "codelist" in definition:
        codes = library.get("codelist", definition["codelist"]).data["codes"]
        return tuple((c["code"], c["name"]) for c in codes)
    return ()
