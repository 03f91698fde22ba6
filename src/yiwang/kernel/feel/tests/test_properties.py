"""Laws that hold for every input, tried on random ones."""

import decimal
import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.kernel.feel import (
    FarDate,
    FarMoment,
    FarSpan,
    FeelSyntaxError,
    FineTime,
    Months,
    Range,
    parse,
    parse_unary,
)

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
    | st.builds(FarDate, st.integers(10_000, 999_999_999), st.just(2), st.just(28))
    | st.builds(FarMoment, st.integers(4_000_000, 10**11), st.integers(0, 10**13), st.timezones())
    | st.builds(FineTime, st.integers(1, 10**13).filter(lambda n: n % 1000))
    | st.builds(FarSpan, st.integers().filter(lambda n: n % 1000))
    | st.builds(Range, st.booleans(), st.integers(), st.integers(), st.booleans())
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
        "range(a)",
        "years and months duration(a, b)",
        "date and time(a, b, c, a, b, c)",
        "a instance of context<a: range<number>>",
        "a.time offset",
        "a - b + c",
        "a + b * c",
        "day of year(a)",
        "(function(x: list<date>) x)(a)",
        "context merge([a, b])",
        "union(a, b)",
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


far = st.builds(
    lambda year, month, day: f"{'-' if year < 0 else ''}{abs(year):04}-{month:02}-{day:02}",
    st.integers(-999_999_999, 999_999_999),
    st.integers(1, 12),
    st.integers(1, 28),
)
spans = st.integers(-(10**12), 10**12).map(lambda n: n * 7)


@QUICK
@given(far, spans)
def test_days_added_and_taken_away(text, days):
    moved = both(f'@"{text}" + d * @"P1D"', d=days)
    if moved is not None:
        assert both('string(m - d * @"P1D")', m=moved, d=days) == text
        assert both(f'm - @"{text}"', m=moved) == both('d * @"P1D"', d=days)
        assert both("m.weekday", m=moved) == both(f'@"{text}".weekday')  # whole weeks


@QUICK
@given(
    st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)),
    st.sampled_from(["Europe/Paris", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"]),
    st.integers(-(10**7), 10**7),
)
def test_elapsed_time_in_a_zone(moment, zone, seconds):
    start = moment.replace(microsecond=0, tzinfo=ZoneInfo(zone))
    moved = both('m + s * @"PT1S"', m=start, s=seconds)
    assert moved.astimezone(UTC) == start.astimezone(UTC) + timedelta(seconds=seconds)
    assert moved.tzinfo is start.tzinfo


@QUICK
@given(st.text("ab|(", max_size=6), st.text("ab", max_size=6))
def test_patterns_of_plain_letters_are_pythons(pattern, text):
    try:
        wanted = re.search(pattern, text) is not None
    except re.error:
        wanted = None
    found = both("matches(t, p)", t=text, p=pattern)
    assert found is wanted
