"""Random tables and rows for the gates: every type, nulls, negatives, values on and beside every constant."""

from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa
from hypothesis import strategies as st

from yiwang.engines.judge.rules import load_fields, load_policy

FIELDS = load_fields(
    {
        "money": {"type": "number", "scale": 2, "digits": 12},
        "cost": {"type": "number", "scale": 2, "digits": 12},
        "people": {"type": "number", "digits": 6},
        "name": {"type": "string"},
        "region": {"type": "code"},
        "good": {"type": "boolean"},
        "since": {"type": "date"},
        "ratio": {"type": "number", "scale": 4, "derive": "cost / money"},
    }
)
STORED = {
    "money": pa.decimal128(14, 2),
    "cost": pa.decimal128(12, 2),
    "people": pa.int32(),
    "name": pa.string(),
    "region": pa.dictionary(pa.int32(), pa.string()),
    "good": pa.bool_(),
    "since": pa.date32(),
}
TODAY = date(2026, 11, 25)
CENTS = [-100050, -500, -1, 0, 1, 100, 333, 100000, 99999, 10**11]
NUMBERS = st.sampled_from([Decimal(c) / 100 for c in CENTS] + [Decimal("0.005"), Decimal("3.333")])
TEXTS = st.sampled_from(["", "甲", "甲公司", "乙", "a", "a\0", "é'", '"'])
CODES = st.sampled_from(["37", "3701", "370102", "370103", "3702", "370202", "C", "C35", "C3562", "99"])
DAYS = st.sampled_from(
    [date(1, 1, 1), date(1969, 12, 31), date(1970, 1, 1), date(2025, 11, 25), date(9999, 12, 31)]
)


def number_text(value):
    return f"{value:f}"


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\0", "\\u0000") + '"'


def day_text(day):
    return f'@"{day:%Y-%m-%d}"' if day.year >= 1000 else f'@"{day.year:04}-{day:%m-%d}"'


def _tests(constants, ordered=True):
    operator = st.sampled_from(["<", "<=", ">", ">=", "=", "!="] if ordered else ["=", "!="])
    plain = st.builds("{} {}".format, operator, constants) | constants
    ranges = st.builds(
        lambda a, b, left, right: f"{left}{min(a, b)}..{max(a, b)}{right}",
        constants,
        constants,
        st.sampled_from("[("),
        st.sampled_from("])"),
    )
    asking = st.builds(
        lambda a, b, o, w, j: f"? {o} {a} {j} {w}(? = {b})",
        constants,
        constants,
        operator,
        st.sampled_from(["", "not"]),
        st.sampled_from(["and", "or"]),
    )
    one = plain | asking | st.just("null") | st.builds("? in ({}, {})".format, plain, plain)
    one = one | ranges if ordered else one
    several = st.lists(one, min_size=1, max_size=3).map(", ".join)
    return several | several.map("not({})".format) | st.just("-")


# ranges need their ends in order; texts compare otherwise than numbers, so each type sorts its own
NUMBER_TESTS = _tests(NUMBERS.map(number_text)) | st.just("<= -(-1000 / 3 ** 2) * 2")
TEXT_TESTS = _tests(TEXTS.map(quoted))
CODE_TESTS = _tests(CODES.map(quoted)) | st.one_of(
    CODES.map(lambda p: f'starts with(?, "{p}")'),
    CODES.map(lambda p: f'not(starts with(?, "{p}"))'),
    st.builds(lambda a, b: f'starts with(?, "{a}") and not(? = "{b}")', CODES, CODES),
)
DAY_TESTS = _tests(DAYS.map(day_text)) | st.sampled_from(
    ['> today - duration("P1Y")', "<= today", "[today..today]"]
)
BOOL_TESTS = st.sampled_from(
    ["true", "false", "not(true)", "?", "not(?)", "null", "not(null)", "-", "true, null"]
)
CELLS = {
    "money": NUMBER_TESTS,
    "people": NUMBER_TESTS,
    "ratio": NUMBER_TESTS,
    "name": TEXT_TESTS,
    "region": CODE_TESTS,
    "good": BOOL_TESTS,
    "since": DAY_TESTS,
}
BESIDE = [Decimal(c + d) / 100 for c in CENTS for d in (-1, 0, 1)]
VALUES = {
    "money": st.none() | st.sampled_from(BESIDE),
    "cost": st.none() | st.sampled_from(BESIDE),
    "people": st.none() | st.integers(-1005, -995) | st.integers(-6, 6) | st.integers(995, 1005),
    "name": st.none() | TEXTS | st.text(max_size=2),
    "region": st.none() | CODES | st.sampled_from(["370102001", "3", "D"]),
    "good": st.none() | st.booleans(),
    "since": st.none() | DAYS | st.sampled_from([TODAY + timedelta(d) for d in (-366, -365, -1, 0, 1)]),
}
cells = st.fixed_dictionaries({}, optional=CELLS)
conditions = st.builds(
    lambda when, hard: {name: {"test": text, "hard": hard} for name, text in when.items()},
    cells,
    st.booleans(),
)
tables = st.lists(st.lists(conditions, min_size=1, max_size=3), min_size=1, max_size=4)
rows = st.lists(st.fixed_dictionaries(VALUES), max_size=12)


def policies(table):
    return [
        load_policy(
            {
                "id": f"p{i}",
                "name": f"政策{i}",
                "rules": [{"id": f"r{j}", "when": when} for j, when in enumerate(rules)],
            },
            FIELDS,
            TODAY,
        )
        for i, rules in enumerate(table)
    ]


def arrow(found):
    columns = {
        name: pa.array(
            [row[name] for row in found], STORED[name].value_type if name == "region" else STORED[name]
        )
        for name in STORED
    }
    columns["region"] = columns["region"].dictionary_encode()
    return pa.table(columns)
