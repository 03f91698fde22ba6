"""The nouns of collection: a dataset's contract, its fields and checks, and what is wrong with a cell.

No Django, no I/O, no clock. A ``Dataset`` is what a pack of kind ``dataset`` says, with code lists resolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

SPARE = 256 << 20  # bytes of a disk that stay free whatever comes


class Type(StrEnum):
    """What the text of a cell must be."""

    STRING = "string"
    INT = "int"
    DECIMAL = "decimal"
    DATE = "date"
    DATETIME = "datetime"
    CODE = "code"
    USCC = "uscc"
    IDNO = "idno"
    REGION = "region"


class Mode(StrEnum):
    """What a delivery holds: only changes, or everything (what it lacks is withdrawn)."""

    CHANGE = "change"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a dataset.

    minimum, maximum: as the pack writes them, numbers or ISO dates, as text.
    codes: the values allowed, for the types code and region; empty for none. labels: what each code is called;
    names: (name, code), other names too, for proposals. listed: the name of the code list.
    scale: digits after the point of a decimal.
    """

    id: str
    name: str
    type: Type
    required: bool = False
    level: str = "公开"
    also: tuple[str, ...] = ()
    element: str = ""
    minimum: str = ""
    maximum: str = ""
    max_length: int = 0
    scale: int = 2
    pattern: str = ""
    codelist: str = ""
    codes: frozenset[str] = frozenset()
    names: tuple[tuple[str, str], ...] = ()
    example: str = ""
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)
    listed: str = ""

    @property
    def titles(self) -> tuple[str, ...]:
        """Everything a column of this field may be called in a file."""
        return (self.name, self.id, *self.also)


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition over several fields, in FEEL. A row fails it when it is false, not when it is null.

    A cell that is no value of its type is told as such, and the rules that read it say nothing.
    """

    id: str
    holds: str
    field: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Limit:
    """What a contract gives out at all: records whose ``field`` passes ``test`` with ``value``, whatever the grant.

    test: is, starts, from (not before, not less) or to (not after, not more). value: ``today`` is the day of the
    read. or_missing: records without a value are given out as well.
    """

    field: str
    test: str
    value: str
    or_missing: bool = False


@dataclass(frozen=True, slots=True)
class Refers:
    """That a row is about a record of another dataset: ``of`` names the dataset, ``number`` the record's key.

    what, remedy: said of a row whose record is not there; the row is taken all the same.
    """

    of: str
    number: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Territory:
    """Where the records lie that one office delivers: ``codes`` of divisions, today's and former ones.

    name: what the division is called, for messages.
    """

    name: str
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Whole:
    """A full delivery that is loaded: its number, and the divisions of which it has every record, None for all."""

    seq: int
    codes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Pull:
    """Where the platform fetches deliveries itself. The connection is in the setting, never here."""

    source: str
    setting: str
    hours: int
    path: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """The contract of a dataset.

    cycle_days, grace_days: calendar days. expected_rows: records that should be there.
    withdraw_at_most: share of the records that a full delivery may withdraw; more, and nothing is loaded.
    territory: the field that says where a record lies, when an office delivers only records of its own region;
    within: the region of the office whose delivery is judged, None for no limit. A pack says the first, whoever
    judges a delivery adds the second.
    """

    id: str
    name: str
    version: int
    department: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    valid_from: str
    subject_entity: str
    subject_field: str
    unique: tuple[tuple[str, ...], ...] = ()
    valid_to: str = ""
    withdrawal_field: str = ""
    withdrawal_values: frozenset[str] = frozenset()
    rules: tuple[Rule, ...] = ()
    refers: Refers | None = None
    territory: str = ""
    within: Territory | None = None
    cycle_days: int = 1
    grace_days: int = 0
    expected_rows: int = 1
    mode: Mode = Mode.CHANGE
    withdraw_at_most: float = 1.0
    pull: Pull | None = None
    sharing: str = ""
    limits: tuple[Limit, ...] = ()
    purposes: tuple[str, ...] = ()
    summary: str = ""
    resource: str = ""  # 统计数据, 行业数据, 政务数据 or 社会数据
    effective_from: date = date(2000, 1, 1)
    by_id: Mapping[str, Field] = field(default_factory=dict, compare=False)

    def field(self, id: str) -> Field:
        """The field of that id. Raises KeyError."""
        return self.by_id[id]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that can be wrong with a row.

    bit: its place in the bit mask of a row's failures, from 0.
    kind: "required", "type", "codes", "territory", "min", "max", "length", "pattern", "rule" or "duplicate".
    """

    bit: int
    kind: str
    field: str
    what: str
    remedy: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What is wrong with one cell, told so that the source can mend it.

    row: number of the record in the file, the header being row 1. field: the Chinese name.
    proposal: the value it probably should be; never put in place of what was sent.
    """

    row: int
    field: str
    value: str
    what: str
    remedy: str
    proposal: str = ""

    def __str__(self) -> str:
        value = f"“{self.value}”" if self.value else ""
        return f"第 {self.row} 行“{self.field}”{value}{self.what}。{self.remedy}"


@dataclass(frozen=True, slots=True)
class Moment:
    """The day up to which a delivery's data is true, as rules see it under the name ``as_of``."""

    as_of: date


class NotReadable(ValueError):
    """A file as a whole cannot be read; ``str(error)`` says why and what to do, in Chinese."""


class NotTranslatable(ValueError):
    """A FEEL condition that has no SQL; ``str(error)`` says which part and what to write, in Chinese."""
