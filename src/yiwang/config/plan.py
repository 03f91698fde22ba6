"""`yiwang plan`: which capabilities of the plan the last test run proved. Never filled in by hand."""

import json
import re
from typing import Any

from .environment import ROOT

RESULTS = ROOT / "var" / "test-results.json"  # written by conftest.py at the end of a run
CAPABILITIES = ROOT / "docs" / "reference" / "capabilities.txt"


def numbers() -> list[str]:
    """Every numbered capability: G1–G11, E1–E38, R1–R49, S1–S41, P1–P35."""
    text = CAPABILITIES.read_text()
    found = []
    for letter, first, last in re.findall(r"^([A-Z])(\d+)-(\d+)", text, re.M):
        found += [f"{letter}{n}" for n in range(int(first), int(last) + 1)]
    return found


def report() -> list[dict[str, Any]]:
    """Each capability with the tests marked with it, and whether all of those passed in the last run."""
    outcomes: dict[str, list[dict[str, str]]] = (
        json.loads(RESULTS.read_text())["plan"] if RESULTS.exists() else {}
    )
    rows = []
    for number in numbers():
        tests = outcomes.get(number, [])
        rows.append(
            {
                "id": number,
                "proved": bool(tests) and all(t["outcome"] == "passed" for t in tests),
                "tests": [t["test"] for t in tests],
                "outcomes": tests,
            }
        )
    return rows
