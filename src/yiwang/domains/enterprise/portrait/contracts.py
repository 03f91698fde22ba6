"""The nouns of an enterprise's file. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from yiwang.engines.hub.contracts import Dataset

KINDS = ("differs", "newer", "empty", "absent", "unknown")
"""What can be wrong between two sources of one fact: they differ; they differ and the other one is newer than the
authority; the authority says nothing; the source lacks the enterprise; the authority does not know it."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A table of the file: a dataset and the fields shown."""

    dataset: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the file with tables of its own."""

    id: str
    name: str
    tables: tuple[Columns, ...]


@dataclass(frozen=True, slots=True)
class Relations:
    """Where relations are: the fields of both sides, and what each side is called, by kind."""

    dataset: str
    of: str
    of_name: str
    to: str
    to_name: str
    kind: str
    share: str
    since: str
    ends: str
    words: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset that states a fact. values: codes in common words. complete: of which enterprises it must have all."""

    dataset: Dataset
    field: str
    values: Mapping[str, str]
    complete: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something several datasets state. compare: exact, plain or mapped. others: not the authority."""

    id: str
    name: str
    compare: str
    authority: Source
    others: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class FilePlan:
    """A pack of kind ``enterprise_file``."""

    sections: tuple[Section, ...]
    relations: Relations
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What one source says: its record's key, the value as it is and as it is compared (None: nothing), since when."""

    key: str
    value: str | None
    plain: str | None
    since: date | None
