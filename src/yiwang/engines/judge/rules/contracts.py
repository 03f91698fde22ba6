"""The nouns of rule tables: fields, conditions, rules, policies. Frozen; may be shared by threads. No Django."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from yiwang.engines.judge.rules.cells import Cell

TYPES = ("number", "string", "boolean", "date", "code")
HIT_POLICIES = ("ANY", "FIRST", "UNIQUE", "COLLECT")


class NotARule(ValueError):
    """What was given is no rule table. `problems` lists everything that is wrong, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a rule table: where, what, and how to mend it, in Chinese."""

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}：{self.what}；{self.remedy}"


@dataclass(frozen=True)
class Codes:
    """A code system. Codes are texts; what begins with a code lies below it (370102 below 3701)."""

    id: str
    names: Mapping[str, str]
    """Label of every code in force."""

    @cached_property
    def ordered(self) -> tuple[str, ...]:
        return tuple(sorted(self.names))

    def covers(self, prefix: str) -> bool:
        """Whether a code in force is `prefix` or begins with it."""
        place = bisect_left(self.ordered, prefix)
        return place < len(self.ordered) and self.ordered[place].startswith(prefix)


@dataclass(frozen=True)
class Field:
    """A column of the register that rules read.

    `scale` and `digits` are those of DECIMAL(digits, scale); a value with more decimals is refused, not rounded.
    """

    name: str
    label: str
    type: str
    scale: int = 0
    digits: int = 18
    unit: str = ""
    source: str = ""
    codes: Codes | None = None
    values: tuple[Any, ...] = ()
    """The allowed ones; empty when all of the type are."""
    derive: str = ""
    """FEEL of a derived feature; it is computed exactly and rounded once, half to even, to `scale`."""


@dataclass(frozen=True)
class Fields:
    """The declared fields by name. `order` holds the derived ones, each after what it reads."""

    by_name: Mapping[str, Field]
    order: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Field:
        return self.by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self.by_name


@dataclass(frozen=True, slots=True)
class Condition:
    """One cell of a rule: a FEEL unary test on one field."""

    field: Field
    cell: Cell
    clause: str = ""
    """The article of the document that asks it."""
    hard: bool = False
    """What nobody changes to be entitled: region, industry, age. Never suggested."""
    label: str = ""

    @property
    def title(self) -> str:
        return self.label or self.field.label


@dataclass(frozen=True, slots=True)
class Rule:
    """All conditions together. Outputs are opaque to this engine."""

    id: str
    conditions: tuple[Condition, ...]
    outputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """A rule table. Whoever meets one rule is entitled; the hit policy says which rule's outputs count."""

    id: str
    name: str
    rules: tuple[Rule, ...]
    hit_policy: str = "ANY"
    effective_from: date | None = None
    effective_to: date | None = None
    exclusions: tuple[Any, ...] = ()
    benefit: Any = None

    def scalar_only(self) -> list[str]:
        """Which conditions the vector evaluator cannot take, each a sentence with the reason; to show on save."""
        return [
            f"规则「{rule.id}」的「{condition.title}」逐户判断：{condition.cell.scalar_reason}"
            for rule in self.rules
            for condition in rule.conditions
            if condition.cell.scalar_reason
        ]


Row = Mapping[str, Any]
"""One enterprise: field name to value (None, bool, int, Decimal, str, date); a name not in it is missing."""

Number = Decimal | int
