"""The nouns of risk classes. Pure: no Django, no clock.

Points are whole numbers. A total is in hundredths of a point, because evaluations are weighted in percent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from yiwang.engines.hub.contracts import Dataset

SEPARATOR = "\x1f"
"""Between the parts of a record's key, or of an event's number, written as one text."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """A condition on one record that adds points.

    points: with the weight of its seriousness already in. slot: which sum it goes into (``Table.slots``).
    days: how long a record counts from ``since``, None for as long as the source says so.
    min_days: a repair takes effect no sooner than so many days after ``since``.
    space, event: records of one space with the same event fields are one event and count once.
    """

    id: str
    name: str
    slot: int
    dataset: str
    when: str
    points: int
    seriousness: str
    since: str
    days: int | None
    min_days: int
    ends: str
    space: str
    event: tuple[str, ...]
    industries: tuple[str, ...]
    basis: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Slot:
    """One group within one evaluation: its points are added up to ``cap`` and weighted in percent."""

    evaluation: str
    evaluation_name: str
    group: str
    group_name: str
    cap: int
    weight: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One of the evaluations that are put together, in percent. delivered: others make it, its results come here."""

    id: str
    name: str
    weight: int
    delivered: bool


@dataclass(frozen=True, slots=True)
class Class:
    """A class and what follows from it. ``least``: from this total on, in points. ``percent``: sampled a period."""

    id: str
    name: str
    least: int
    percent: float
    times: int
    within_days: int
    says: str
    notice_days: int


@dataclass(frozen=True, slots=True)
class Repairs:
    """Where decisions of credit repair are found: the dataset and its fields."""

    dataset: str
    of: str
    event: str
    day: str


@dataclass(frozen=True, slots=True)
class Fairness:
    """How enterprises are grouped when the shares of bad classes are compared; bands by their lower ends."""

    hide_under: int
    size: str
    sizes: tuple[float, ...]
    years: tuple[int, ...]
    region: str


@dataclass(frozen=True)
class Table:
    """A points table with the contracts of the datasets it reads, and of its subjects."""

    id: str
    name: str
    version: int
    subjects: Dataset
    who: str
    opened: str
    industry: str
    new_days: int
    evaluations: tuple[Evaluation, ...]
    slots: tuple[Slot, ...]
    indicators: tuple[Indicator, ...]
    classes: tuple[Class, ...]
    repairs: Repairs | None
    datasets: Mapping[str, Dataset] = field(compare=False, default_factory=dict)
    unrated_percent: float = 0.0
    unrated_says: str = ""
    unrated_times: int = 1
    unrated_within: int = 365
    rounding: str = "up"
    rounding_says: str = ""
    fairness: Fairness | None = None

    def class_of(self, total: int) -> str:
        """The class of a total in hundredths of a point."""
        return [c.id for c in self.classes if total >= c.least * 100][-1]

    def of_class(self, id: str) -> Class | None:
        """The class of that id; None for an enterprise that is not rated."""
        return next((c for c in self.classes if c.id == id), None)

    def noticed(self, id: str) -> bool:
        """Whether a class is one of those that an enterprise hears of before."""
        found = self.of_class(id)
        return found is not None and found.notice_days > 0


@dataclass(frozen=True, slots=True)
class Record:
    """A record about the enterprise: its dataset and its typed values by field."""

    dataset: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Point:
    """What one record does under one indicator on the day.

    until: the first day on which it no longer counts; None: as long as the source says so.
    state: counts, expired, later (not yet), repaired, disputed (frozen) or same (the event counts already).
    """

    indicator: Indicator
    key: str
    event: str
    since: date
    until: date | None
    state: str

    @property
    def counts(self) -> bool:
        return self.state == "counts"


@dataclass(frozen=True, slots=True)
class Grade:
    """The class of one enterprise on one day, with every reason.

    id: the class, "" for one that is not rated. total: hundredths of a point. sums: points by slot, uncapped.
    """

    id: str
    total: int
    sums: tuple[int, ...]
    points: tuple[Point, ...]
