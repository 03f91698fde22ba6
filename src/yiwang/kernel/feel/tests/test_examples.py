"""Tables of examples, from the text of DMN 1.5 §10.3 and from what packs write."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal as D

import pytest

from yiwang.kernel.feel import FeelSyntaxError, Months, evaluate, parse, parse_unary

BASE = {
    "x": 5,
    "空": None,
    "年龄": 20,
    "父亲 年龄": 40,
    "收入（元）": 1000,
    "mother": {"age": 30, "idno": "37", "国籍 代码": "CN"},
    "items": [{"name": "a", "price": 3}, {"name": "b", "price": 7}],
    "list": [1, 2, 3],
    "day": date(2026, 11, 23),
    "f": 0.5,
}

VALUES = [
    # numbers
    ("1 + 2 * 3", D(7)),
    ("(1 + 2) * 3", D(9)),
    ("10 - 4 - 3", D(3)),
    ("2 ** 3 ** 2", D(64)),
    ("-2 ** 2", D(4)),
    ("--5", D(5)),
    ("-(2 + 3)", D(-5)),
    ("1 / 3", D("0.3333333333333333333333333333333333")),
    ("0.1 + 0.2 = 0.3", True),
    (".5 + 1e2", D("100.5")),
    ("1 / 0", None),
    ("1.0 = 1", True),
    ("f * 2", D("1.0")),
    # strings
    ('"a" + "b"', "ab"),
    (r'"a\"b\n\u4e2d\U01F600\uD83D\uDE00"', 'a"b\n中😀😀'),
    (r'"\d"', "\\d"),
    ('"a" + 1', None),
    # comparison
    ("1 < 2", True),
    ('"a" < "b"', True),
    ('1 = "1"', None),
    ("null = null", True),
    ("1 = null", False),
    ("1 != null", True),
    ("null < 1", None),
    ("true < false", None),
    ("[1, 2] = [1, 2]", True),
    ("[1, 2] = [2, 1]", False),
    ("{a: 1, b: 2} = {b: 2, a: 1}", True),
    # three-valued logic
    ("true and null", None),
    ("false and null", False),
    ("true or null", True),
    ("false or null", None),
    ("true and 1", None),
    ("not(true)", False),
    ("not(null)", None),
    ("true or false and false", True),
    # between, in
    ("x between 1 and 5", True),
    ("x between 6 and 9 or x = 5", True),
    ("空 between 1 and 5", None),
    ("x in [1..5]", True),
    ("x in [1..5)", False),
    ("x in ]1..5]", True),
    ("x in (1..5)", False),
    ("x in (< 3, 5)", True),
    ("x in < 3", False),
    ("x in (1, 2, [4..6])", True),
    ("x in [1, 5]", True),
    ("x in list", False),
    ("x in (> 4)", True),
    ("x in (? > 4)", True),
    ('mother.idno in ("37", "38") and x = 5', True),
    # if, for, quantified
    ('if x > 4 then "多" else "少"', "多"),
    ("if null then 1 else 2", D(2)),
    ("for i in [1, 2, 3] return i * 2", [D(2), D(4), D(6)]),
    ("for i in 3..1 return i", [D(3), D(2), D(1)]),
    ("for a in [1, 2], b in [10, 20] return a + b", [D(11), D(21), D(12), D(22)]),
    ("for i in 0..4 return if i = 0 then 1 else i * partial[-1]", [D(1), D(1), D(2), D(6), D(24)]),
    ("for order item in items return order item.price", [D(3), D(7)]),
    ('for d in @"2026-01-01"..@"2026-01-02" return d.day', [D(1), D(2)]),
    ("some i in list satisfies i > 2", True),
    ("every i in list satisfies i > 2", False),
    ("every i in [] satisfies i > 2", True),
    ("some i in [1, null] satisfies i > 2", None),
    # lists, filters, paths
    ("list[1]", D(1)),
    ("list[-1]", D(3)),
    ("list[4]", None),
    ("list[item > 1]", [D(2), D(3)]),
    ("items[price > 5].name", ["b"]),
    ('items[item.name = "a"][1].price', D(3)),
    ("items.price", [D(3), D(7)]),
    ("items[x - 4].name", "a"),
    ("x[1]", D(5)),
    ("mother.age", D(30)),
    ("mother.国籍 代码", "CN"),
    ("mother.nothing", None),
    ("{a: 1, b: a + 1}.b", D(2)),
    ('{"a b": 1}', {"a b": D(1)}),
    ("{a b: 2}.a b", D(2)),
    # names
    ("年龄 >= 18", True),
    ("父亲 年龄 - 年龄", D(20)),
    ("父亲  年龄", D(40)),
    ("收入（元）/10", D(100)),
    ("年龄 // 注\n + /* 注 */ 1", D(21)),
    # functions
    ('substring("foobar", 3)', "obar"),
    ('substring("foobar", 3, 3)', "oba"),
    ('substring("foobar", -2, 1)', "a"),
    ('substring(string: "foobar", start position: 3)', "obar"),
    ('substring("foobar", 0)', None),
    ('string length("中文😀")', D(3)),
    ('upper case("aBc4") + lower case("aBc4")', "ABC4abc4"),
    ('substring before("foobar", "bar")', "foo"),
    ('substring before("foobar", "xyz")', ""),
    ('substring after("foobar", "ob")', "ar"),
    ('substring after("foobar", "")', "foobar"),
    ('contains("foobar", "of")', False),
    ('starts with("foobar", "fo") and ends with("foobar", "r")', True),
    ('matches("foobar", "^fo*bar")', True),
    (r'matches("370102", "^\d{6}$")', True),
    ('replace("abracadabra", "bra", "*")', "a*cada*"),
    ('replace("abcd", "(ab)(cd)", "[1=$1][2=$2]")', "[1=ab][2=cd]"),
    ('split("John Doe", "\\s")', ["John", "Doe"]),
    ('split("a;b;;c", ";")', ["a", "b", "", "c"]),
    ('string join(["a", "b", "c"], "_and_")', "a_and_b_and_c"),
    ("string(1.1)", "1.1"),
    ('string([1, "a", null])', '[1, "a", null]'),
    ('string(@"PT36H")', "P1DT12H"),
    ("string(null)", None),
    ('number("1,000.5", ",", ".")', D("1000.5")),
    ('number("a")', None),
    ("list contains(list, 2)", True),
    ("count(list) + min(list) + max(1, 2)", D(6)),
    ("sum([1, 2, 3]) = sum(1, 2, 3)", True),
    ("sum([])", None),
    ("mean(1, 2)", D("1.5")),
    ("median(6, 1, 2, 3)", D("2.5")),
    ("stddev(2, 4, 7, 5)", D("2.081665999466132735282297706979931")),
    ("mode(6, 3, 9, 6, 6)", [D(6)]),
    ("all([true, null]) = null", True),
    ("any([true, null])", True),
    ("sublist([4, 5, 6], 1, 2)", [D(4), D(5)]),
    ("append([1], 2, 3)", [D(1), D(2), D(3)]),
    ("concatenate([1, 2], [3])", [D(1), D(2), D(3)]),
    ("insert before([1, 3], 1, 2)", [D(2), D(1), D(3)]),
    ("remove([1, 2, 3], 2)", [D(1), D(3)]),
    ("list replace([2, 4, 7, 8], 3, 6)", [D(2), D(4), D(6), D(8)]),
    ("list replace([2, 7], function(item, newItem) item < newItem, 5)", [D(5), D(7)]),
    ("reverse(list)", [D(3), D(2), D(1)]),
    ("index of([1, 2, 3, 2], 2)", [D(2), D(4)]),
    ("union([1, 2], [2, 3])", [D(1), D(2), D(3)]),
    ("distinct values([1, 2, 3, 2, 1])", [D(1), D(2), D(3)]),
    ("flatten([[1, 2], [[3]], 4])", [D(1), D(2), D(3), D(4)]),
    ("sort([3, 1, 2])", [D(1), D(2), D(3)]),
    ("sort([3, 1, 2], function(a, b) a > b)", [D(3), D(2), D(1)]),
    ("decimal(1/3, 2)", D("0.33")),
    ("decimal(2.5, 0)", D(2)),
    ("floor(-1.56)", D(-2)),
    ("ceiling(1.56, 1)", D("1.6")),
    ("round up(-5.5)", D(-6)),
    ("round half up(5.5, 0)", D(6)),
    ("round half down(5.5, 0)", D(5)),
    ("round down(1234, -2) = 1200", True),
    ("abs(-10)", D(10)),
    ("modulo(-12, 5)", D(3)),
    ("modulo(12, -5)", D(-3)),
    ("modulo(10.1, 4.5)", D("1.1")),
    ("sqrt(16)", D(4)),
    ("odd(5) and even(2) and not(odd(2.5))", True),
    ("log(0)", None),
    # dates and times
    ('date("2026-11-23")', date(2026, 11, 23)),
    ('date("2026-02-30")', None),
    ("date(2026, 11, 23) = day", True),
    ('@"2026-11-23" = day', True),
    ('date(date and time("2012-12-25T11:00:00Z"))', date(2012, 12, 25)),
    ('time("23:59:00Z")', time(23, 59, tzinfo=UTC)),
    ('time("09:30:00.5").second', D("9.5") - 9),
    ('time(23, 59, 0, duration("PT0H"))', time(23, 59, tzinfo=UTC)),
    ('date and time("2012-12-24T23:59:00")', datetime(2012, 12, 24, 23, 59)),
    ('date and time(date("2012-12-24"), time("23:59:00"))', datetime(2012, 12, 24, 23, 59)),
    ('@"2026-11-23T08:00:00+08:00" = @"2026-11-23T00:00:00Z"', True),
    ('is(@"2026-11-23T08:00:00+08:00", @"2026-11-23T00:00:00Z")', False),
    ('is(date("2012-12-25"), time("23:00:50"))', False),
    ('@"2026-11-23T08:00:00+08:00".time offset', timedelta(hours=8)),
    ('duration("P20D")', timedelta(20)),
    ('duration("P1Y2M")', Months(14)),
    ('-@"P1M"', Months(-1)),
    ('years and months duration(date("2011-12-22"), date("2013-08-24"))', Months(20)),
    ('day + @"P20D"', date(2026, 12, 13)),
    ('@"2024-01-31" + @"P1M"', date(2024, 2, 29)),
    ('day - @"2026-11-20"', timedelta(3)),
    ('(day - @"2026-11-20").days', D(3)),
    ('@"P1Y" / @"P1M"', D(12)),
    ('@"P2D" * 1.5', timedelta(3)),
    ('@"23:00:00" + @"PT2H"', time(1, 0)),
    ("[day.year, day.month, day.day, day.weekday]", [D(2026), D(11), D(23), D(1)]),
    ('[@"P1Y2M".years, @"P1Y2M".months, @"-P1DT2H".days, @"-P1DT2H".hours]', [D(1), D(2), D(-1), D(-2)]),
    ("day of week(day)", "Monday"),
    ('day of year(@"2019-09-17")', D(260)),
    ('week of year(@"2005-01-01")', D(53)),
    ("month of year(day)", "November"),
    ("today()", None),
    ("x.year", None),
    # instance of
    ("x instance of number", True),
    ("day instance of date", True),
    ('@"P1D" instance of days and time duration', True),
    ('@"2026-11-23T00:00:00" instance of date and time', True),
    ("list instance of list<number>", True),
    ("list instance of list<string>", False),
    ("mother instance of context<age: number>", True),
    ("null instance of Any", False),
    # ranges, contexts, functions
    ("[1..5].start", D(1)),
    ("[1..5).end included", False),
    ("before(1, 10) and after(10, [1..5])", True),
    ("meets([1..5], [5..10]) and met by([5..10], [1..5])", True),
    ("overlaps([1..5], [5..8]) and not(overlaps([1..5), [5..8]))", True),
    ("overlaps before([1..5], [3..8]) and overlaps after([3..8], [1..5])", True),
    ("includes([1..10], 5) and during(5, [1..10])", True),
    ("starts(1, [1..5]) and started by([1..5], 1)", True),
    ("finishes(5, [1..5]) and finished by([1..5], 5)", True),
    ("coincides([1..5], [1..5]) and not(coincides([1..5], [1..5)))", True),
    ('get value({a: 1}, "a")', D(1)),
    ("get entries({a: 1})", [{"key": "a", "value": D(1)}]),
    ('context put({a: 1}, "b", 2)', {"a": D(1), "b": D(2)}),
    ("context merge([{a: 1}, {b: 2}])", {"a": D(1), "b": D(2)}),
    ("{f: function(n) if n < 2 then 1 else n * f(n - 1), r: f(5)}.r", D(120)),
    ("(function(a: number, b) a - b)(b: 1, a: 3)", D(2)),
    ("nosuch(1)", None),
    ("(function(a) a)(1, 2)", None),
    ("abs(1, 2)", None),
    ('(function() external {java: {class: "a", method signature: "b()"}})()', None),
    ('abs("a")', None),
]


@pytest.mark.parametrize(("text", "wanted"), VALUES, ids=[text for text, _ in VALUES])
def test_value(text, wanted):
    names = {*BASE, "mother.国籍 代码"}
    value, reasons = parse(text, names).explain(BASE)
    assert value == wanted
    assert type(value) is type(wanted)
    if wanted is None and "null" not in text:
        assert reasons


TESTS = [
    ("-", 1, True),
    ("", None, True),
    ("5", 5, True),
    ("< 5", 4, True),
    ("< 5, [8..10)", 9, True),
    ("< 5, [8..10)", 10, False),
    ("(1..2], 7", 1, False),
    ('"a", "b"', "b", True),
    ('not("a", "b")', "c", True),
    ("not(< 5)", 4, False),
    ("not(? > 5)", 6, False),
    ("? > 3 and ? < 5", 4, True),
    ('starts with(?, "37")', "3701", True),
    ("list", 2, True),
    ("> x", 6, True),
    ("x > 4", 1, True),
    ("true", False, False),
    ("null", None, True),
    ("< 5", None, None),
    ("< 5", "a", None),
    ("!= 5", 4, True),
    ('@"2026-11-23"', date(2026, 11, 23), True),
]


@pytest.mark.parametrize(("text", "value", "wanted"), TESTS)
def test_unary(text, value, wanted):
    assert parse_unary(text, BASE).evaluate(value, BASE) is wanted


ERRORS = [
    ("", 0, "结束"),
    ("1 +", 3, "应为一个值"),
    ('"a', 0, "双引号"),
    ("'a'", 0, "双引号"),
    ("年龄＞18", 2, "全角"),
    ("父亲 年龄", 3, "请先声明"),
    ("1 2", 2, "多出"),
    ("(1", 2, "「)」"),
    ("if a then b", 11, "else"),
    ("{a: 1, a: 2}", 7, "两次"),
    ("f(a: 1, 2)", 8, "都写名称"),
    ("a = ${b}", 4, "不认识"),
    ("1e99999", 0, "超出范围"),
    ("(" * 200 + "1" + ")" * 200, None, "嵌套"),
    ("1" + "+1" * 1000, None, "超过"),
]


@pytest.mark.parametrize(("text", "position", "words"), ERRORS)
def test_syntax_error_says_where(text, position, words):
    with pytest.raises(FeelSyntaxError) as caught:
        parse(text)
    assert words in caught.value.message
    assert position is None or caught.value.position == position


PATHS = [
    ("mother.idno", {"mother.idno"}),
    ("abroad = true and mother.age > age", {"abroad", "mother.age", "age"}),
    ("count(items)", {"items"}),
    ("today > now and today() = date(now())", {"today", "now"}),
    ("items[price > x].name", {"items", "items.price", "x", "items.name"}),
    ("for i in items return i.price + y", {"items.price", "y"}),
    ("some i in items satisfies i.ok", {"items.ok"}),
    ("{a: b, c: a + d}", {"b", "d"}),
    ("function(a) a + b", {"b"}),
    ("a in (b, < c)", {"a", "b", "c"}),
    ("if a then 1 else b.c.d", {"a", "b.c.d"}),
]


@pytest.mark.parametrize(("text", "wanted"), PATHS)
def test_paths(text, wanted):
    assert parse(text, ["x"]).paths == wanted


def test_unary_paths_leave_out_the_input():
    assert parse_unary("? > a.b, < c").paths == {"a.b", "c"}


def test_own_functions():
    functions = {"today": lambda: date(2026, 11, 23), "工作日": lambda n: n + 2, "坏": lambda: 1 // 0}
    assert parse("today().year").evaluate({}, functions) == 2026
    assert parse("工作日(3)").evaluate({}, functions) == 5
    assert parse("坏()").explain({}, functions)[0] is None


def test_explain_says_why():
    assert parse("a + 1").explain({}) == (None, ["没有「a」的值", "「+」的一边是空值"])
    assert parse("1 / 0").explain({})[1] == ["除数是 0"]
    assert "应为数字" in parse('abs("a")').explain({})[1][0]


def test_evaluate_is_cached_and_pure():
    context = {"a": [1, {"b": 2}]}
    assert evaluate("a", context) == [D(1), {"b": D(2)}]
    assert context == {"a": [1, {"b": 2}]}


def test_endless_recursion_and_loops_end():
    assert parse("{f: function(n) f(n + 1), r: f(1)}.r").evaluate({}) is None
    assert parse("for i in 1..1000000000 return 1").evaluate({}) is None
    grow = 'for i in 1..90 return if i = 1 then "x" else partial[-1] + partial[-1]'
    assert parse(grow).evaluate({})[-1] is None
