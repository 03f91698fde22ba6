"""The nouns of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from yiwang.kernel.packs.contracts import Library

#: elements with a column of their own; the others are kept together
IDENTITY = ("name", "code", "type", "department")


class Need(StrEnum):
    """What lacking an element means: the row is refused, cannot be published, or nothing."""

    ROW = "收录"
    PUBLISH = "发布"
    OPTIONAL = "可选"


@dataclass(frozen=True, slots=True)
class Element:
    """One element of the national 实施清单; also a column of a catalogue file."""

    key: str
    name: str
    also: tuple[str, ...] = ()
    need: Need = Need.OPTIONAL
    merged: bool = False
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Standard:
    """What a catalogue is held to: its elements in order, and the allowed types by code."""

    elements: tuple[Element, ...]
    types: Mapping[str, str]

    def get(self, key: str) -> Element:
        return next(e for e in self.elements if e.key == key)

    def needed(self, need: Need) -> tuple[Element, ...]:
        return tuple(e for e in self.elements if e.need is need)


def standard_of(library: Library) -> Standard:
    """The standard that the packs declare."""
    return Standard(
        elements=tuple(
            Element(
                key=e["key"],
                name=e["name"],
                also=tuple(e.get("also", ())),
                need=Need(e["need"]),
                merged=e.get("merged", False),
                remedy=e.get("remedy", ""),
            )
            for pack in library.all("catalogue_elements")
            for e in pack.data["elements"]
        ),
        types={c["code"]: c["name"] for c in library.get("codelist", "item_types").data["codes"]},
    )


class Grade(StrEnum):
    """How much a finding matters."""

    REFUSED = "不收"
    MISSING = "还缺"
    NOTICE = "留意"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about one cell. ``row`` counts as a spreadsheet does, the header included; 0 is the file."""

    row: int
    column: str
    value: str
    what: str
    remedy: str
    grade: Grade

    def __str__(self) -> str:
        value = f"“{self.value}”" if self.value else ""
        remedy = f"。怎么改：{self.remedy}" if self.remedy else ""
        return f"第 {self.row} 行「{self.column}」{value}{self.what}{remedy}"


@dataclass(frozen=True, slots=True)
class Cells:
    """A row as it stands in the file, by element, after filling down merged cells."""

    row: int
    values: Mapping[str, str]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A row good enough for a guide page."""

    row: int
    code: str
    base_code: str
    name: str
    type: str
    department: str
    region: str
    elements: Mapping[str, str] = field(default_factory=dict)


class NotACatalogue(Exception):
    """The file as a whole cannot be read; ``str(error)`` says why and what to do, in Chinese."""
