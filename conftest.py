"""Keeps what the run proved: var/test-results.json, which `yiwang plan` reads."""

import json
from pathlib import Path

RESULTS = Path(__file__).parent / "var" / "test-results.json"
_plan: dict[str, list[dict[str, str]]] = {}


def pytest_collection_modifyitems(items):
    # The pure tests first: they fail fastest.
    items.sort(key=lambda item: item.path.parts[-2] == "tests" and "src" not in item.path.parts)


def pytest_runtest_makereport(item, call):
    if call.when == "call" or (call.when == "setup" and call.excinfo):
        outcome = "failed" if call.excinfo else "passed"
        for mark in item.iter_markers("plan"):
            for number in mark.args:
                _plan.setdefault(number, []).append({"test": item.nodeid, "outcome": outcome})


def pytest_sessionfinish(session, exitstatus):
    if _plan:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps({"exit": int(exitstatus), "plan": _plan}, ensure_ascii=False, indent=1))
