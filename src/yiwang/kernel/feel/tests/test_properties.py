"""Laws that hold for every input, tried on random ones."""

import decimal
from datetime import date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.kernel.feel import FeelSyntaxError, Months, parse, parse_unary

QUICK = settings(max_examples=150, deadline=None)
truth = st.sampled_from([True, False, None])
numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=8)
    | st.dates()
    | st.times()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.timedeltas()
    | st.builds(Months, st.integers())
    | st.builds(object)
    | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("abc") | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)
FRAGMENTS = [
    *(
        "a",
        "b",
        "c",
        "?",
        "item",
        "partial",
        "null",
        "true",
        "1",
        "2.5",
        "0",
        '"x"',
        '@"2026-11-23"',
        '@"P1M"',
    ),
    *(
        "+",
        "-",
        "*",
        "/",
        "**",
        "=",
        "<",
        ">=",
        "!=",
        "..",
        ".",
        ",",
        ":",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "and",
        "or",
    ),
    *(
        "if",
        "then",
        "else",
        "for",
        "in",
        "return",
        "some",
        "satisfies",
        "between",
        "instance",
        "of",
        "number",
    ),
    *(
        "function",
        "not",
        "count",
        "sort",
        "date and time",
        "substring",
        "string join",
        "years and months duration",
    ),
    *("@", '"', "\\", "//", "/*", "全角，", "年龄"),
]
texts = st.text(max_size=30) | st.lists(st.sampled_from(FRAGMENTS), max_size=14).map(" ".join)
SEEDS = [
    *(
        "a + b",
        "a - b",
        "a * b",
        "a / b",
        "a ** b",
        "a < b",
        "a = b",
        "-a",
        "a[b]",
        "a[item > b]",
        "a.b",
        "a.year",
    ),
    *(
        "a in b",
        "a in [b..c]",
        "a between b and c",
        "for x in a return x + b",
        "every x in a satisfies x = b",
    ),
    *(
        "if a then b else c",
        "sort(a)",
        "min(a, b)",
        "sum(a)",
        "string(a)",
        "date(a)",
        "time(a)",
        "duration(a)",
    ),
    *(
        "date(a, b, c)",
        "time(a, b, c)",
        "date and time(a, b)",
        "substring(a, b, c)",
        "a[1].b",
        "flatten([a, [b]])",
    ),
    *("distinct values([a, b, c])", "index of(a, b)", "get entries(a)", "context put(a, b, c)", "context(a)"),
    *(
        "matches(a, b)",
        "replace(a, b, c)",
        "split(a, b)",
        "string join(a, b)",
        "number(a, b, c)",
        "decimal(a, b)",
    ),
    *(
        "modulo(a, b)",
        "sqrt(a)",
        "exp(a)",
        "log(a)",
        "round up(a, b)",
        "stddev(a)",
        "mode(a)",
        "median(a, b)",
    ),
    *(
        "before(a, b)",
        "overlaps(a, b)",
        "includes(a, b)",
        "coincides([a..b], c)",
        "is(a, b)",
        "day of week(a)",
    ),
    *(
        "years and months duration(a, b)",
        "a instance of list<number>",
        "for i in a..b return i",
        "a(b)",
        "a.b.c[a]",
    ),
    *(
        "insert before(a, b, c)",
        "sublist(a, b, c)",
        "remove(a, b)",
        "list replace(a, b, c)",
        "week of year(a)",
    ),
]
parsed_seeds = [parse(text) for text in SEEDS]


def both(text, **context):
    return parse(text).evaluate(context)


@QUICK
@given(truth, truth)
def test_and_or_commute_and_de_morgan_holds(p, q):
    assert both("p and q", p=p, q=q) is both("q and p", p=p, q=q)
    assert both("p or q", p=p, q=q) is both("q or p", p=p, q=q)
    assert both("not(p and q)", p=p, q=q) is both("not(p) or not(q)", p=p, q=q)
    assert both("not(p or q)", p=p, q=q) is both("not(p) and not(q)", p=p, q=q)


@QUICK
@given(truth, truth, truth)
def test_kleene_lattice(p, q, r):
    context = {"p": p, "q": q, "r": r}
    for left, right in [
        ("p and (q and r)", "(p and q) and r"),
        ("p or (q or r)", "(p or q) or r"),
        ("p and (q or r)", "(p and q) or (p and r)"),
        ("p or (p and q)", "p"),
    ]:
        assert both(left, **context) is both(right, **context)


@QUICK
@given(numbers, numbers)
def test_arithmetic_is_python_decimal(a, b):
    context = decimal.Context(prec=34, rounding=decimal.ROUND_HALF_EVEN)
    assert both("a + b", a=a, b=b) == context.add(a, b)
    assert both("a - b", a=a, b=b) == context.subtract(a, b)
    assert both("a * b", a=a, b=b) == context.multiply(a, b)
    assert both("a / b", a=a, b=b) == (context.divide(a, b) if b else None)
    assert both("a < b", a=a, b=b) is (a < b)


@QUICK
@given(st.integers(-(10**30), 10**30), st.integers(1, 10**15))
def test_modulo_is_python_modulo(a, b):
    assert both("modulo(a, b)", a=a, b=b) == a % b
    assert both("modulo(a, b)", a=a, b=-b) == a % -b


@QUICK
@given(
    st.dates()
    | st.times()
    | st.datetimes()
    | st.timedeltas()
    | st.builds(Months, st.integers(-(10**6), 10**6))
)
def test_temporal_values_read_back(value):
    function = {
        date: "date",
        time: "time",
        datetime: "date and time",
        timedelta: "duration",
        Months: "duration",
    }
    assert both(f"{function[type(value)]}(string(v))", v=value) == value


@settings(max_examples=1200, deadline=None)
@given(texts, st.lists(st.text(max_size=5), max_size=2))
def test_parse_raises_nothing_but_syntax_errors(text, names):
    for read in (parse, parse_unary):
        result, error = attempt(read, text, names)
        if error:
            assert 0 <= error.position <= len(text)
            assert error.message
        else:
            result.evaluate({"a": 1}) if read is parse else result.evaluate(1)
            assert isinstance(result.paths, frozenset)


def attempt(read, text, names):
    try:
        return read(text, names), None
    except FeelSyntaxError as error:
        return None, error


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(parsed_seeds), values, values, values)
def test_evaluate_never_raises(expression, a, b, c):
    expression.explain({"a": a, "b": b, "c": c})


@QUICK
@given(st.sampled_from(["< 5", "a", "[a..b]", "not(a, < b)", "? = a", "a.b"]), values, values, values)
def test_unary_is_three_valued(text, value, a, b):
    assert parse_unary(text).evaluate(value, {"a": a, "b": b}) in (True, False, None)
