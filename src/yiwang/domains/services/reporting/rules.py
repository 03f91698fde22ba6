"""Whether a row may be reported: what it lacks, what cannot be true. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """One cell that keeps a row from being reported."""

    number: str  # of the case
    element: str
    value: str
    what: str
    remedy: str

    def __str__(self) -> str:
        value = f"“{self.value}”" if self.value else ""
        return f"办件 {self.number}「{self.element}」{value}{self.what}。怎么改：{self.remedy}"


def faults_of(row: Mapping[str, str], elements: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    """What is wrong with one row.

    Args:
        row: element key → text; an empty text is as good as none.
        elements: of a ``report_elements`` pack. Moments are ``YYYY-MM-DD HH:MM:SS``, so text compares as time.
    """
    names = {e["key"]: e["name"] for e in elements}
    for element in elements:
        value = row.get(element["key"], "")
        if not value:
            other = element.get("required_if", "")
            if element.get("required") or row.get(other):
                what = f"是空的，而“{names[other]}”有值" if not element.get("required") else "是空的"
                yield _fault(row, element, what)
            continue
        if "pattern" in element and not re.fullmatch(element["pattern"], value):
            yield _fault(row, element, f"不合 {element['pattern']}")
        if "codes" in element and value not in element["codes"]:
            yield _fault(row, element, f"不在允许的值里（{'、'.join(element['codes'])}）")
        earlier = row.get(element.get("not_before", ""), "")
        if earlier and value < earlier:
            yield _fault(row, element, f"早于“{names[element['not_before']]}”{earlier}")


def _fault(row: Mapping[str, str], element: Mapping[str, Any], what: str) -> Fault:
    key = element["key"]
    return Fault(
        row.get("number", "?"), element["name"], row.get(key, ""), what, element.get("remedy", "请核对")
    )
