"""What one department asks of another's dataset. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from yiwang.engines.hub.contracts import Dataset, Field, Type


class Test(StrEnum):
    """How a condition on rows compares a field with a value."""

    IS = "is"
    STARTS = "starts"
    FROM = "from"
    TO = "to"

    __test__ = False  # not one of pytest's


class Class(StrEnum):
    """Sharing classes of government data (政务数据共享条例): free, on approval, not at all."""

    FREE = "无条件共享"
    ON_APPROVAL = "有条件共享"
    CLOSED = "不予共享"


@dataclass(frozen=True, slots=True)
class Condition:
    """Rows are limited to those where ``field`` passes ``test`` with ``value``."""

    field: str
    test: Test
    value: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What the pack of kind ``sharing_rules`` says.

    answer_within: working days. longest: days that a grant lasts at most. most_daily: records a day at most.
    remind_before: days before its end on which the user is told.
    purpose: of those declared in packs, the one that sharing is for; previews are noted under it.
    """

    answer_within: int
    longest: int
    most_daily: int
    remind_before: int
    purpose: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as it was entered.

    plain: those of ``fields`` that are wanted without a mask.
    daily: records a day.
    """

    fields: tuple[str, ...]
    purpose: str
    basis: str
    reasons: str
    until: date | None
    daily: int | None
    plain: frozenset[str] = frozenset()
    rows: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field of the form, with the remedy; ``field`` is the control's name."""

    field: str
    text: str


def tests_of(f: Field) -> tuple[Test, ...]:
    """The tests that make sense for a field: prefixes of codes and texts, bounds of numbers and days."""
    if f.type in (Type.INT, Type.DECIMAL, Type.DATE, Type.DATETIME):
        return (Test.IS, Test.FROM, Test.TO)
    return (Test.IS, Test.STARTS)


TODAY = "today"
"""As the value of a contract's limit: the day on which records are read."""


def limits_of(dataset: Dataset) -> list[dict[str, Any]]:
    """The contract's limits as ``hub_granted`` and ``hub_preview`` read them, which know what ``today`` means."""
    return [asdict(limit) for limit in dataset.limits]
