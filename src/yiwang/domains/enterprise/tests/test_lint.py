from dataclasses import replace
from pathlib import Path

import pytest

from yiwang.domains.enterprise.lint import lint
from yiwang.kernel.packs.loader import read

LIBRARY = read(Path(__file__).resolve().parents[5] / "packs")[0]


def told(opened_by, **changes):
    """What is said when the matter of an event has become another."""
    was = next(p for p in LIBRARY.all("matter") if p.data["event"] == opened_by)
    return [p.what for p in lint(LIBRARY.with_packs([replace(was, data={**was.data, **changes})]))]


def test_the_packs_as_they_are_have_nothing_wrong():
    assert list(lint(LIBRARY)) == []


def test_lines_that_are_shown_want_a_matter_that_answers_what_is_asked_of_them():
    (what,) = told("enterprise.correction", event="hub.overdue")
    assert "没有由 enterprise.correction 开出" in what


@pytest.mark.parametrize(("event", "refused"), [("hub.overdue", True), ("enterprise.notice", False)])
def test_only_the_run_over_all_has_a_most(event, refused):
    assert bool(told(event, most={"value": 5, "source": "示例"})) == refused
