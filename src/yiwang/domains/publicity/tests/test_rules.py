"""How long decisions are public, by the terms of the pack."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.domains.publicity.rules import effective, standing, term_of, terms_of
from yiwang.kernel.packs.loader import read

LIBRARY, _PROBLEMS = read(Path(__file__).resolve().parents[5] / "packs")
TERMS = terms_of(LIBRARY.get("publicity", "penalties").data)
BLANK = {"kind": "02", "procedure": "2", "fine": None, "confiscated": None}
DECIDED = date(2026, 5, 1)
DAYS = st.dates(date(2015, 1, 1), date(2040, 1, 1))


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"kind": "01"}, "轻微"), ({"procedure": "1", "fine": 0.1}, "轻微"), ({"fine": 0.5}, "一般"),
        ({"kind": "06"}, "一般"), ({"fine": 12}, "严重"), ({"kind": "04"}, "严重"), ({"confiscated": 10}, "严重"),
    ],
)  # fmt: skip
def test_the_kind_of_a_penalty(record, name):
    assert term_of(TERMS, BLANK | record).name == name


@pytest.mark.parametrize(
    ("name", "named", "repaired", "until"),
    [
        ("一般", None, None, DECIDED + timedelta(365)),  # no day named: the longest term
        ("一般", date(2039, 1, 1), None, DECIDED + timedelta(365)),  # a source cannot make it longer
        ("一般", date(2026, 9, 1), None, date(2026, 9, 1)),
        (
            "严重",
            None,
            date(2026, 6, 1),
            DECIDED + timedelta(364),
        ),  # repaired too early: waits for the shortest
        ("一般", None, date(2026, 10, 1), date(2026, 9, 30)),
        ("一般", date(2026, 7, 1), date(2026, 5, 20), date(2026, 7, 1)),
    ],
)
def test_until_when(name, named, repaired, until):
    term = next(t for t in TERMS if t.name == name)
    assert standing(term, DECIDED, named, repaired).until == until


@given(st.sampled_from([t for t in TERMS if not t.why_not]), DAYS, st.none() | DAYS, st.none() | DAYS)
def test_never_longer_than_the_law_allows_and_never_repaired_before_the_shortest(
    term, decided, named, repaired
):
    found = standing(term, decided, named, repaired)
    assert found.until <= decided + timedelta(term.longest)
    assert named is None or found.until <= named
    if found.repaired:
        assert (
            found.until + timedelta(1)
            == effective(term, decided, repaired)
            >= decided + timedelta(term.shortest)
        )
    plain = standing(term, decided, named, None)
    assert found.until <= plain.until and not plain.repaired
