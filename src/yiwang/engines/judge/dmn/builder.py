"""DMN 1.5 XML of decision tables that did not come from XML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree

from yiwang.engines.judge.dmn import contracts as c
from yiwang.engines.judge.dmn.xml import NAMESPACE
from yiwang.kernel.feel import FeelSyntaxError, parse, parse_unary

_POLICIES = {
    "U": "UNIQUE",
    "F": "FIRST",
    "P": "PRIORITY",
    "A": "ANY",
    "C": "COLLECT",
    "R": "RULE ORDER",
    "O": "OUTPUT ORDER",
}
_AGGREGATIONS = {"+": "SUM", "#": "COUNT", "<": "MIN", ">": "MAX"}


def build(name: str, namespace: str, inputs: Sequence[c.InputData], decisions: Sequence[c.Decision]) -> bytes:
    """A model of input data and decisions with decision tables.

    What a decision requires follows from the names that its table reads.
    """
    root = etree.Element(f"{{{NAMESPACE}}}definitions", nsmap={None: NAMESPACE})
    root.attrib.update({"name": name, "id": "definitions", "namespace": namespace})
    for data in inputs:
        _variable(_add(root, "inputData", id=data.id, name=data.name), data)
    known: dict[str, c.Element] = {one.name: one for one in (*inputs, *decisions)}
    for decision in decisions:
        element = _add(root, "decision", id=decision.id, name=decision.name)
        _variable(element, decision)
        table = decision.logic
        assert isinstance(table, c.Table)  # noqa: S101 (what this module is for)
        for required in _required(table, known):
            if required is not decision:
                kind = "requiredInput" if isinstance(required, c.InputData) else "requiredDecision"
                _add(_add(element, "informationRequirement"), kind, href=f"#{required.id}")
        _table(element, table)
    etree.indent(root)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _required(table: c.Table, known: dict[str, c.Element]) -> list[c.Element]:
    """The elements whose names the table's texts read, in the model's order."""
    read: set[str] = set()
    texts = [one.expression.text for one in table.inputs]
    texts += [cell.text for rule in table.rules for cell in rule.outputs]
    for text in texts:
        try:
            read |= {path.partition(".")[0] for path in parse(text, known).paths}
        except FeelSyntaxError:
            continue  # `yiwang dmn check` names it
    for cell in (cell for rule in table.rules for cell in rule.inputs):
        try:
            read |= {path.partition(".")[0] for path in parse_unary(cell.text, known).paths}
        except FeelSyntaxError:
            continue
    return [element for name, element in known.items() if name in read]


def _add(parent: Any, tag: str, /, **attributes: str | None) -> Any:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}")
    for key, value in attributes.items():
        if value:
            element.set(key, value)
    return element


def _text(parent: Any, tag: str, text: str, /, **attributes: str | None) -> None:
    _add(_add(parent, tag, **attributes), "text").text = text


def _variable(parent: Any, element: c.Element) -> None:
    _add(parent, "variable", name=element.name, typeRef=element.type_ref)


def _table(parent: Any, table: c.Table) -> None:
    aggregation = _AGGREGATIONS.get(table.aggregation or "")
    element = _add(parent, "decisionTable", hitPolicy=_POLICIES[table.hit_policy], aggregation=aggregation)
    for one in table.inputs:
        column = _add(element, "input")
        _text(column, "inputExpression", one.expression.text, typeRef=one.expression.type_ref)
        if one.values:
            _text(column, "inputValues", one.values.text)
    for output in table.outputs:
        column = _add(element, "output", name=output.name, typeRef=output.type_ref)
        if output.values:
            _text(column, "outputValues", output.values.text)
        if output.default:
            _text(column, "defaultOutputEntry", output.default.text)
    for annotation in table.annotations:
        _add(element, "annotation", name=annotation)
    for rule in table.rules:
        row = _add(element, "rule", id=rule.id)
        for cell in rule.inputs:
            _text(row, "inputEntry", cell.text)
        for entry in rule.outputs:
            _text(row, "outputEntry", entry.text)
        for note in rule.annotations:
            _text(row, "annotationEntry", note)
