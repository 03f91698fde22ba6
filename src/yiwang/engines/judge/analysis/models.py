"""Decision tables of DMN models, analysed like any other rule table. Pure."""

from __future__ import annotations

from yiwang.engines.judge.analysis.tables import LIMIT, Finding, analyse
from yiwang.engines.judge.dmn import contracts as c
from yiwang.engines.judge.rules.cells import Cell
from yiwang.engines.judge.rules.contracts import Condition, Field, Policy, Rule
from yiwang.kernel.feel import FeelSyntaxError, UnaryTests, parse_unary
from yiwang.kernel.feel import nodes as n

_HIT = {"U": "UNIQUE", "A": "ANY", "F": "FIRST"}
_SCALE = 6  # DMN numbers have no scale; two constants nearer than this count as neighbours


def analyse_model(definitions: c.Definitions, limit: int = LIMIT) -> dict[str, list[Finding]]:
    """Findings per decision whose logic is a decision table."""
    return {
        decision.name: analyse_table(decision.logic, limit)
        for decision in definitions.elements
        if isinstance(decision, c.Decision) and isinstance(decision.logic, c.Table)
    }


def analyse_table(table: c.Table, limit: int = LIMIT) -> list[Finding]:
    """Findings on a decision table; without default outputs it should be complete.

    An input is a column by itself, whatever its expression: that two inputs depend on each other is not known.
    Rules are named by their number, counted from 1.
    """
    fields = [_field(place, table) for place in range(len(table.inputs))]
    rules = []
    for number, rule in enumerate(table.rules, 1):
        conditions = []
        for field, tests in zip(fields, rule.inputs, strict=False):
            parsed = _parsed(tests.text)
            if parsed is not None and parsed.tests is not None:
                conditions.append(Condition(field, Cell(field, parsed, {})))
        outputs = {str(i): one.text.strip() for i, one in enumerate(rule.outputs)}
        rules.append(Rule(str(number), tuple(conditions), outputs))
    policy = Policy("table", "", tuple(rules), _HIT.get(table.hit_policy, "COLLECT"))
    complete = not any(output.default and output.default.text for output in table.outputs)
    return analyse(policy, complete and table.hit_policy in "UAFP", None, limit)


def _parsed(text: str) -> UnaryTests | None:
    try:
        return parse_unary(text)
    except FeelSyntaxError:  # told by `yiwang dmn check`
        return None


def _field(place: int, table: c.Table) -> Field:
    column = table.inputs[place]
    name = f"in{place}"
    label = column.label or column.expression.text
    declared = column.expression.type_ref or ""
    cells = [_parsed(rule.inputs[place].text) for rule in table.rules if place < len(rule.inputs)]
    kind = declared if declared in ("number", "string", "boolean", "date") else _kind(name, label, cells)
    allowed = _parsed(column.values.text) if column.values else None
    known = tuple(
        test.expression.value
        for test in (allowed.tests if allowed and allowed.tests else ())
        if isinstance(test, n.ValueTest) and isinstance(test.expression, n.Literal)
    )
    whole = bool(allowed and allowed.tests and len(known) == len(allowed.tests))
    return Field(
        name,
        label,
        kind,
        _SCALE if kind == "number" else 0,
        values=known if whole and kind == "string" else (),
    )


def _kind(name: str, label: str, cells: list[UnaryTests | None]) -> str:
    """The type whose constants the cells hold."""
    for kind in ("number", "string", "date"):
        field = Field(name, label, kind, _SCALE if kind == "number" else 0)
        for cell in cells:
            if cell is not None and cell.tests is not None:
                segments = Cell(field, cell, {}).segments
                if segments is not None and segments.cuts:
                    return kind
    return "boolean"
