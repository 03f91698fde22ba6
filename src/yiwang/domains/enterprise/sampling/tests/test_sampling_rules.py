"""Numbers, lots and days of a plan: algebra by property, and the recipe by hand."""

import subprocess
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.domains.enterprise.sampling.rules import days_of, digest, draw, lot, visits, wanted, working_days

YEAR = (date(2027, 1, 1), date(2027, 12, 31))
CODES = st.lists(st.text("0123456789ABCDEFGH", min_size=18, max_size=18), unique=True, max_size=60)
SEEDS = st.text("0123456789abcdef", min_size=32, max_size=32)
PERCENTS = st.decimals(0, 100, places=2)


def weekdays(day):
    return day.weekday() < 5


@given(st.integers(0, 6_000_000), PERCENTS)
def test_rounded_up_no_share_is_short_and_none_is_one_too_many(n, percent):
    got = wanted(n, percent, "up")
    assert (0 <= got <= n and got * 100 >= n * percent > (got - 1) * 100) or got == 0 == n * percent
    assert wanted(n, percent, "down") <= wanted(n, percent, "nearest") <= got


@pytest.mark.parametrize(
    ("n", "percent", "rule", "count"),
    [
        (101, "1", "up", 2), (100, "1", "up", 1), (150, "1", "nearest", 2),
        (149, "1", "nearest", 1), (199, "1", "down", 1), (0, "30", "up", 0),
    ],
)  # fmt: skip
def test_numbers_by_hand(n, percent, rule, count):
    assert wanted(n, Decimal(percent), rule) == count


def test_four_times_a_year_is_four_in_a_year_two_in_half_and_once_in_a_week():
    first, last = YEAR
    assert visits(4, 365, first, last) == 4
    assert visits(4, 365, date(2028, 1, 1), date(2028, 12, 31)) == 4  # a leap year is no fifth visit
    assert visits(4, 365, first, date(2027, 6, 30)) == 2
    assert visits(4, 365, first, first + timedelta(days=6)) == 1
    assert visits(0, 365, first, last) == 0


@given(SEEDS, CODES, st.integers(0, 60), st.randoms())
def test_the_same_seed_gives_the_same_list_however_the_codes_come(seed, codes, count, random):
    days = working_days(*YEAR, weekdays)
    one = draw(seed, codes, count, 2, days)
    random.shuffle(codes)
    assert draw(seed, codes, count, 2, days) == one
    assert len(one) == min(count, len(codes)) and {d.uscc for d in one} <= set(codes)
    assert digest(codes) == digest(reversed(codes))


@given(SEEDS, CODES.filter(bool), st.integers(0, 59))
def test_whoever_is_not_drawn_can_go_without_changing_the_list(seed, codes, count):
    days = working_days(*YEAR, weekdays)
    drawn = draw(seed, codes, count, 1, days)
    left = [d.uscc for d in drawn]
    assert draw(seed, left, count, 1, days) == drawn


@given(SEEDS, st.integers(1, 12), st.integers(1, 800))
def test_every_visit_has_its_own_part_of_the_period_and_a_working_day(seed, count, length):
    first = date(2027, 1, 1)
    last = first + timedelta(days=length - 1)
    days = working_days(first, last, weekdays)
    count = min(count, length)
    got = days_of(seed, "91379901YY00000019", count, days)
    assert len(got) == count and list(got) == sorted(got)
    assert all(first <= day <= last for day in got)
    if length >= 7:
        assert all(weekdays(day) for day in got)


def test_the_number_of_a_lot_is_what_sha256sum_prints():
    seed, code = "00ff", "91379901YY00000019"
    printed = subprocess.run(["sha256sum"], input=f"{seed}:{code}".encode(), capture_output=True, check=True)
    assert printed.stdout.decode().split()[0] == lot(seed, code)
