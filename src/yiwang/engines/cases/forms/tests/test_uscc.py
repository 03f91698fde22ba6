"""GB 32100 and GB 11714 against published codes, and the allocation of new ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.engines.cases.forms import allocations, plan, render
from yiwang.engines.cases.forms.uscc import make_uscc, subject_check_digit, uscc_check_digit, uscc_trouble
from yiwang.engines.cases.forms.validate import validate

from .world import LIBRARY

PUBLISHED = [
    "91350100M000100Y43",
    "914403001922038216",
    "9144030071526726XG",
    "91330100799655058B",
    "91110000802100433B",
    "91370200163562681G",
    "91110108551385082Q",
    "91370100MA3C00A07W",
    "91370200MA3D00B041",
    "11370000MB2800C080",
]


@pytest.mark.parametrize("code", PUBLISHED)
def test_published_codes_pass(code):
    assert uscc_trouble(code) == ""
    assert subject_check_digit(code[8:16]) == code[16]


def test_worked_example_of_the_standard():
    assert uscc_check_digit("91350100M000100Y4") == "3"
    assert subject_check_digit("M000100Y") == "4"


@given(st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"), st.sampled_from(PUBLISHED))
def test_any_single_wrong_character_is_noticed(at, wrong, code):
    """31 is prime and no weight is a multiple of it."""
    if code[at] != wrong:
        assert uscc_trouble(code[:at] + wrong + code[at + 1 :])


@given(st.integers(1, 31**6 - 2), st.sampled_from(["370102", "371502", "379901"]))
def test_every_allocated_code_is_valid_and_its_own(serial, region):
    code = make_uscc("9", "1", region, "MA", serial)
    assert uscc_trouble(code) == ""
    assert code[2:8] == region
    assert subject_check_digit(code[8:16]) == code[16]
    assert make_uscc("9", "1", region, "MA", serial + 1)[8:16] != code[8:16]


def test_a_range_that_is_used_up_says_so():
    with pytest.raises(ValueError, match="MAYWAA"):
        make_uscc("9", "1", "370102", "MAYWAA", 31**2)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("91370100MA3C00A07", "18 位"),
        ("91370100MA3C00A0IW", "“I”"),
        ("91370100MA3C00A07X", "末位应为 W"),
    ],
)
def test_a_mistyped_code_is_refused_with_the_remedy(typed, said):
    form = plan(LIBRARY, "ent.seal", {}, False)
    _value, error = validate(form, "ent.uscc", typed)
    assert said in error.message
    assert typed in error.message


def test_small_letters_and_spaces_are_tidied():
    form = plan(LIBRARY, "ent.seal", {}, False)
    assert validate(form, "ent.uscc", " 91370100ma3c00a07w ") == ("91370100MA3C00A07W", None)


def test_establishing_allocates_the_code_of_the_premises_region_and_the_day():
    form = plan(LIBRARY, "ent.establish", {"finance_self": True})
    data = {"ent.region": "370102001", "today": "2026-11-24"}
    code, day = allocations(form, "ent.establish", data)
    assert code.scope.startswith("gb32100:")
    made = render(code, 7)
    assert made.startswith("91370102")
    assert uscc_trouble(made) == ""
    assert render(code, 8)[8:16] != made[8:16]
    assert (day.scope, render(day, 0)) == ("", "2026-11-24")
