"""One enterprise against many policies, with a full explanation. Pure; about 10 microseconds a policy and test."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from yiwang.engines.judge.rules import derived, derived_sql, values
from yiwang.engines.judge.rules.cells import Cell
from yiwang.engines.judge.rules.contracts import Condition, Field, Fields, Policy, Rule


class Status(StrEnum):
    """How an enterprise stands to a policy."""

    ENTITLED = "entitled"
    MISSING = "missing"
    NEAR = "near"
    NOT = "not"


WORDS = {Status.ENTITLED: "符合", Status.MISSING: "缺资料", Status.NEAR: "差{}项", Status.NOT: "不符合"}


@dataclass(slots=True)
class Finding:
    """What became of one condition."""

    condition: Condition
    value: Any
    answer: bool | None
    suggestion: str = ""
    """What would meet the condition, in Chinese; empty when it is met, or hard."""

    @property
    def as_dict(self) -> dict[str, Any]:
        """For JSON: field, label, test, value as shown, source, answer, clause, hard, suggestion."""
        condition = self.condition
        return {
            "field": condition.field.name,
            "label": condition.title,
            "test": condition.cell.text,
            "value": values.shown(condition.field, self.value),
            "source": condition.field.source,
            "answer": self.answer,
            "clause": condition.clause,
            "hard": condition.hard,
            "suggestion": self.suggestion,
        }


@dataclass(slots=True)
class Verdict:
    """An enterprise and a policy. `findings` are those of `rule`, the one met, or the one nearest to being met."""

    policy: Policy
    status: Status
    rule: Rule
    findings: list[Finding]
    short: int = 0
    """How many soft conditions fail; 0 unless the status is NEAR."""
    met: tuple[str, ...] = ()
    """Ids of all rules met; with UNIQUE more than one is a fault of the table, see `fault`."""

    @property
    def word(self) -> str:
        return WORDS[self.status].format(self.short)

    @property
    def fault(self) -> str:
        """What is wrong with the table for this enterprise; empty when nothing is."""
        if self.policy.hit_policy == "UNIQUE" and len(self.met) > 1:
            return f"「{self.policy.name}」只应命中一条规则，却命中 {'、'.join(self.met)}；请让这些规则的条件互不重叠"
        return ""


class Judge:
    """Policies made ready; each distinct cell is asked once per enterprise.

    Args:
        policies: the rule tables.
        fields: what they read.
        as_of: the day of judgement, for derived features that read `today`.
    """

    def __init__(self, policies: Iterable[Policy], fields: Fields, as_of: date | None = None) -> None:
        self.policies = tuple(policies)
        self.fields = fields
        self.as_of = as_of
        cells: dict[tuple[Any, ...], int] = {}
        self.cells: list[tuple[Field, Cell]] = []
        self._places: list[list[list[int]]] = []
        for policy in self.policies:
            rules = []
            for rule in policy.rules:
                places = []
                for condition in rule.conditions:
                    place = cells.setdefault(condition.cell.key, len(self.cells))
                    if place == len(self.cells):
                        self.cells.append((condition.field, condition.cell))
                    places.append(place)
                rules.append(places)
            self._places.append(rules)

    def answers(self, row: Mapping[str, Any]) -> list[bool | None]:
        """The answer of each distinct cell for a filled row."""
        keys: dict[str, Any] = {}
        found: list[bool | None] = []
        for field, cell in self.cells:
            value = row[field.name]
            segments = cell.segments
            if segments is None:
                found.append(cell.answer(value, row))
            elif value is None:
                found.append(segments.null)
            else:
                if field.name not in keys:
                    keys[field.name] = values.key_of(field, value)
                found.append(segments.answers[bisect_right(segments.cuts, keys[field.name])])
        return found

    def explain(self, given: Mapping[str, Any]) -> list[Verdict]:
        """A verdict for every policy, in their order. Values that cannot be used count as missing."""
        row, _ = derived.filled(self.fields, given, self.as_of)
        answers = self.answers(row)
        suggestions: dict[tuple[int, str], str] = {}
        found = []
        for policy, rules in zip(self.policies, self._places, strict=True):
            verdict = _best(policy, rules, answers)
            place, status, short, met = verdict
            rule = policy.rules[place]
            findings = []
            for condition, cell in zip(rule.conditions, rules[place], strict=True):
                answer = answers[cell]
                value = row[condition.field.name]
                suggestion = ""
                if answer is not True and not (answer is False and (condition.hard or status is Status.NOT)):
                    key = (cell, condition.label)
                    if key not in suggestions:
                        suggestions[key] = self.suggestion(condition, value, answer, row)
                    suggestion = suggestions[key]
                findings.append(Finding(condition, value, answer, suggestion))
            found.append(Verdict(policy, status, rule, findings, short, met))
        return found

    def suggestion(
        self, condition: Condition, value: Any, answer: bool | None, row: Mapping[str, Any]
    ) -> str:
        """How a soft condition could be met; for a missing value, what to supply."""
        field = condition.field
        if value is None:
            return "请补充" + "、".join(self._missing(field, row))
        if answer is None:
            return f"请核对{field.label}，现为{values.shown(field, value)}"
        if field.type in ("number", "date"):
            text = distance(condition, value)
            if text:
                return text
        return f"{condition.title}须满足 {condition.cell.text}，现为{values.shown(field, value)}"

    def _missing(self, field: Field, row: Mapping[str, Any]) -> list[str]:
        """Labels of what is missing for a field: itself, or what it is derived from."""
        if not field.derive:
            return [field.label]
        below = [self.fields[name] for name in sorted(derived_sql.reads(field)) if row.get(name) is None]
        found = [label for one in below for label in self._missing(one, row)]
        return found or [field.label]


def distance(condition: Condition, value: Any) -> str:
    """How far a number or date is from the nearest value that is met: 「专利 ≥ 3，现有 2，差 1」."""
    field = condition.field
    key = values.key_of(field, value)
    assert isinstance(key, int)  # noqa: S101 (numbers and dates)
    edges = [int(edge) for edge in condition.cell.edges(key)]
    if not edges:
        return ""
    edge = min(edges, key=lambda one: abs(one - key))
    sign = "≥" if edge > key else "≤"
    target = values.shown(field, values.value_of(field, edge))
    if field.type == "date":
        gap = f"{abs(edge - key)} 天"
    else:
        gap = values.shown(field, values.value_of(field, abs(edge - key)))
    return f"{condition.title} {sign} {target}，现有 {values.shown(field, value)}，{'差' if edge > key else '超出'} {gap}"


def _best(
    policy: Policy, rules: list[list[int]], answers: list[bool | None]
) -> tuple[int, Status, int, tuple[str, ...]]:
    """The rule that tells most: met, else lacking data, else with fewest soft conditions failing, else the first."""
    best: tuple[int, int, int, Status, int] | None = None
    met = []
    for place, cells in enumerate(rules):
        failed = unknown = 0
        hard = False
        for condition, cell in zip(policy.rules[place].conditions, cells, strict=True):
            answer = answers[cell]
            if answer is False:
                failed += 1
                hard = hard or condition.hard
            elif answer is None:
                unknown += 1
        if not failed and not unknown:
            met.append(policy.rules[place].id)
            rank = (0, 0, place, Status.ENTITLED, 0)
        elif hard:
            rank = (3, failed, place, Status.NOT, 0)
        elif failed:
            rank = (2, failed, place, Status.NEAR, failed)
        else:
            rank = (1, unknown, place, Status.MISSING, 0)
        if best is None or rank[:3] < best[:3]:
            best = rank
    assert best is not None  # noqa: S101 (a policy has a rule)
    return best[2], best[3], best[4], tuple(met)
