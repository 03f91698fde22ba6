"""However a register stores a column, the bins are those of its values: widths, scales, slices, chunks, missing ones."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.engines.judge.rules import load_fields, load_policy
from yiwang.engines.judge.rules.values import read
from yiwang.engines.judge.vector import encode, kernels
from yiwang.engines.judge.vector.plan import compile_plan

FIELDS = load_fields(
    {"x": {"type": "number", "scale": 2, "digits": 12}, "t": {"type": "code"}, "b": {"type": "boolean"}}
)
WHOLE = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32()]
EXACT = [
    pa.decimal128(12, 2),
    pa.decimal128(9, 1),
    pa.decimal64(12, 2),
    pa.decimal32(7, 2),
    pa.decimal128(5, 0),
]
CONSTANTS = [
    "-5",
    "0",
    "1",
    "2.5",
    "-0.005",
    "99",
    "127",
    "128",
    "255",
    "256",
    "40000",
    "-40000",
    "5000000000",
    "0.1",
]


def column(tests, name):
    rules = [{"id": str(i), "when": {name: test}} for i, test in enumerate(tests)]
    return compile_plan([load_policy({"id": "p", "name": "p", "rules": rules}, FIELDS)], FIELDS)


def bins(plan, array, fast):
    out = np.empty(len(array), np.uint16)
    encode.encode(plan.columns[0], array, out, fast)
    return out


def arranged(array, cut, chunked):
    """The same values after an offset, in one or several chunks."""
    padded = pa.concat_arrays([array[:1], array]) if len(array) else array
    array = padded[1:] if len(padded) else padded
    if chunked:
        return pa.chunked_array([array[:cut], array[cut:]], array.type)
    return array


FAST = [False, *([True] if kernels.fast() else [])]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(CONSTANTS), min_size=1, max_size=6),
    st.sampled_from(WHOLE + EXACT),
    st.lists(st.none() | st.integers(0, 127) | st.sampled_from([1, 2, 99, 100]), max_size=40),
    st.integers(0, 40),
    st.booleans(),
)
def test_numbers(constants, kind, numbers, cut, chunked):
    signed = not pa.types.is_unsigned_integer(kind)
    numbers = [n if n is None else (-n if signed and n % 3 == 0 else n) for n in numbers]
    if pa.types.is_decimal(kind):
        numbers = [None if n is None else Decimal(n).scaleb(-kind.scale) for n in numbers]
    plan = column([f"< {c}" for c in constants] + constants, "x")
    array = arranged(pa.array(numbers, kind), cut, chunked)
    edges = [Decimal(key) / 100 for key in plan.columns[0].cuts]
    wanted = [0 if n is None else 1 + sum(edge <= read(FIELDS["x"], n) for edge in edges) for n in numbers]
    for fast in FAST:
        assert bins(plan, array, fast).tolist() == wanted


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.none() | st.sampled_from(["37", "3701", "370102", "C", "", "é"]), max_size=40),
    st.sampled_from([pa.string(), pa.large_string(), "dictionary"]),
    st.integers(0, 40),
    st.booleans(),
)
def test_codes(texts, kind, cut, chunked):
    plan = column(['starts with(?, "3701")', '"C"', '< "38"'], "t")
    plain = arranged(pa.array(texts, pa.string() if kind == "dictionary" else kind), cut, chunked)
    array = plain.dictionary_encode() if kind == "dictionary" else plain
    edges = plan.columns[0].cuts
    assert bins(plan, array, False).tolist() == [
        0 if t is None else 1 + sum(e <= t for e in edges) for t in texts
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | st.booleans(), max_size=40), st.integers(0, 40), st.booleans())
def test_booleans(answers, cut, chunked):
    array = arranged(pa.array(answers, pa.bool_()), cut, chunked)
    assert bins(column(["true"], "b"), array, False).tolist() == [0 if a is None else 1 + a for a in answers]


@pytest.mark.parametrize(
    "kind", [pa.float64(), pa.decimal128(12, 3), pa.string(), pa.decimal128(20, 2), pa.uint64()]
)
def test_what_does_not_hold_the_values_exactly_is_refused(kind):
    with pytest.raises(encode.WrongColumn, match="请在归集时转换"):
        bins(column(["> 1"], "x"), pa.array([None], kind), False)
