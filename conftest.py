"""Keeps what the run proved: var/test-results.json, which `yiwang plan` reads."""

import json
from pathlib import Path

RESULTS = Path(__file__).parent / "var" / "test-results.json"
_plan: dict[str, list[dict[str, str]]] = {}


def pytest_collection_modifyitems(items):
    # The pure tests first: they fail fastest.
    items.sort(key=lambda item: item.path.parts[-2] == "tests" and "src" not in item.path.parts)
    for item in items:  # travels with the report, also from one process to another
        item.user_properties += [
            ("plan", number) for mark in item.iter_markers("plan") for number in mark.args
        ]


def pytest_runtest_logreport(report):
    if report.when == "call" or (report.when == "setup" and not report.passed):
        outcome = "passed" if report.passed else "failed"
        for name, number in report.user_properties:
            if name == "plan":
                _plan.setdefault(number, []).append({"test": report.nodeid, "outcome": outcome})


def pytest_sessionfinish(session, exitstatus):
    if _plan and not hasattr(session.config, "workerinput"):  # of several processes, the one that hears all
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps({"exit": int(exitstatus), "plan": _plan}, ensure_ascii=False, indent=1))
