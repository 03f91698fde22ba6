"""Small cells of the figures on fairness, and what would give them away."""

from hypothesis import given
from hypothesis import strategies as st

from yiwang.domains.enterprise.risk.suppression import suppressed

LEAST = 3


def row(value, rated, bad):
    return {"value": value, "rated": rated, "bad": bad, "drivers": [["x", 1.0]]}


def test_one_small_cell_takes_another_with_it():
    rows = [row("A", 50, 2), row("B", 40, 20), row("C", 60, 7), row("D", 30, 0)]
    told = {r["value"]: r for r in suppressed(rows, LEAST)}
    assert told["A"]["bad"] is None and told["C"]["bad"] is None and told["C"]["drivers"] == []
    assert told["B"]["bad"] == 20 and told["D"]["bad"] == 0


def test_two_small_cells_of_one_each_could_be_told_from_their_sum():
    told = suppressed([row("A", 50, 1), row("B", 40, 1), row("C", 60, 9), row("D", 70, 12)], LEAST)
    assert [r["value"] for r in told if r["bad"] is None] == ["A", "B", "C"]


def test_values_that_are_left_out_are_hidden_too():
    told = suppressed([row("A", 2, 1), row("B", 40, 8), row("C", 60, 9)], LEAST)
    assert [(r["value"], r["bad"]) for r in told] == [("B", None), ("C", 9)]


def test_nothing_is_hidden_where_nothing_is_small():
    rows = [row("A", 50, 5), row("B", 40, 0)]
    assert suppressed(rows, LEAST) == rows


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)), max_size=12))
def test_what_is_hidden_is_never_one_small_cell(cells):
    rows = [row(str(n), rated, min(rated, bad)) for n, (rated, bad) in enumerate(cells)]
    told = suppressed(rows, LEAST)
    hidden = {r["value"] for r in told if r["bad"] is None} | {
        r["value"] for r in rows if r["rated"] < LEAST and r["bad"]
    }
    assert not any(0 < (r["bad"] or 0) < LEAST for r in told)
    missing = sum(r["bad"] for r in rows) - sum(r["bad"] or 0 for r in told)
    if hidden and any(
        r["bad"] is not None for r in told
    ):  # the total is known; something is left to hide behind
        assert missing >= 2 * LEAST
