"""The requirement graph, types, services, imports and what may go wrong."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal as D

import pytest

from yiwang.engines.judge.dmn import NotDmn, UnknownName, load, loads, problems
from yiwang.engines.judge.dmn.tests.build import (
    component,
    decision,
    given,
    item,
    knowledge_model,
    model,
    service,
    table,
    xml,
)
from yiwang.kernel.feel import Months


def test_all_decisions_and_one():
    m = model(
        given("月 收入", "number"),
        decision("年 收入", "月 收入 * 12", "number", inputs=["月 收入"]),
        decision("等级", 'if 年 收入 > 100 then "高" else "低"', decisions=["年 收入"]),
    )
    assert m.evaluate({"月 收入": 10}) == {"年 收入": D(120), "等级": "高"}
    assert m.evaluate({"月 收入": 5}, "等级") == "低"
    assert m.evaluate({"月  收入": 5}, "d.等级") == "低"
    with pytest.raises(UnknownName, match="年 收入"):
        m.evaluate({}, "没有的")


def test_missing_input_is_null_with_a_reason():
    m = model(given("x", "number"), decision("r", "x + 1", inputs=["x"]), decision("s", "1"))
    assert m.evaluate({}) == {"r": None, "s": D(1)}
    assert any("没有给出输入「x」" in reason for reason in m.explain({}, "r").reasons)


def test_an_error_stays_in_its_decision():
    m = model(
        decision("bad", "1 +"), decision("after", "bad = null", decisions=["bad"]), decision("good", "1")
    )
    assert m.evaluate({}) == {"bad": None, "after": True, "good": D(1)}


def test_rings_end():
    m = model(decision("a", "b", decisions=["b"]), decision("b", "a", decisions=["a"]), decision("c", "1"))
    assert m.evaluate({}) == {"a": None, "b": None, "c": D(1)}
    assert any("互相依赖" in reason for reason in m.explain({}, "a").reasons)


def test_only_what_is_required_is_in_scope():
    assert model(given("x"), decision("r", "x")).evaluate({"x": 1}, "r") is None


def test_requirement_that_leads_nowhere():
    m = model(decision("r", "1", decisions=["gone"]))
    assert m.evaluate({}, "r") == 1


def test_value_given_for_a_decision():
    m = model(decision("a", "1"), decision("b", "a + 1", decisions=["a"]))
    assert m.evaluate({"a": 5}, "b") == 6
    assert m.evaluate({"b": 5}, "b") == 2


@pytest.mark.parametrize(
    ("type_ref", "given_value", "wanted"),
    [
        ("number", 1, D(1)),
        ("number", 1.5, D("1.5")),
        ("number", "1", None),
        ("string", 1, None),
        ("boolean", True, True),
        ("boolean", 1, None),
        ("number", True, None),
        ("date", "2026-11-24", date(2026, 11, 24)),
        ("date", date(2026, 11, 24), date(2026, 11, 24)),
        ("date", "tomorrow", None),
        ("date", datetime(2026, 11, 24), None),
        ("time", "10:00:00Z", time(10, tzinfo=UTC)),
        ("date and time", "2026-11-24T10:00:00", datetime(2026, 11, 24, 10)),
        ("date and time", date(2026, 11, 24), datetime(2026, 11, 24, tzinfo=UTC)),
        ("days and time duration", "P1DT2H", timedelta(days=1, hours=2)),
        ("dayTimeDuration", "P1D", timedelta(days=1)),
        ("feel:yearMonthDuration", "P1Y", Months(12)),
        ("years and months duration", timedelta(1), None),
        ("number", [7], D(7)),
        ("number", [7, 8], None),
        ("Any", "2026-11-24", "2026-11-24"),
        (None, {"a": [1]}, {"a": [D(1)]}),
        ("number", None, None),
    ],
)
def test_inputs_are_read_by_their_type(type_ref, given_value, wanted):
    m = model(given("x", type_ref), decision("r", "x", inputs=["x"]))
    outcome = m.explain({"x": given_value}, "r")
    assert outcome.value == wanted
    assert type(outcome.value) is type(wanted)
    assert outcome.reasons or wanted is not None


PERSON = item(
    "tPerson",
    components=component("full name", "string") + component("born", "date") + component("grade", "tGrade"),
)
GRADE = item("tGrade", "string", '"A", "B"')


def test_structures():
    m = model(
        GRADE,
        PERSON,
        given("p", "tPerson"),
        decision("r", "p.full name", inputs=["p"]),
        decision("y", "p.born.year", inputs=["p"]),
    )
    person = {"full name": "李", "born": "2000-01-02", "grade": "A"}
    assert m.evaluate({"p": person}) == {"r": "李", "y": D(2000)}
    assert m.evaluate({"p": {**person, "grade": "C"}}, "r") is None
    assert m.evaluate({"p": {"full name": "李"}}, "r") == "李"
    assert m.evaluate({"p": "李"}, "r") is None


def test_list_of_structures_and_filter_on_a_component():
    m = model(
        GRADE,
        PERSON,
        item("tPeople", "tPerson", collection=True),
        given("all", "tPeople"),
        decision("r", 'all[full name = "b"].grade', inputs=["all"]),
        decision("one", "all[1].full name", inputs=["all"]),
    )
    people = [{"full name": "a", "grade": "A"}, {"full name": "b", "grade": "B"}]
    assert m.evaluate({"all": people}) == {"r": ["B"], "one": "a"}
    assert m.evaluate({"all": people[0]}, "one") == "a"


def test_results_must_conform():
    types = [
        GRADE,
        PERSON,
        item("tGrades", "tGrade", collection=True),
        item("tFew", "number", collection=True, constraint="count(?) < 3"),
    ]
    m = model(
        *types,
        decision("grade", '"C"', "tGrade"),
        decision("grades", '["A", "C"]', "tGrades"),
        decision("fine", '["A", "B"]', "tGrades"),
        decision("short", '{full name: "x"}', "tPerson"),
        decision("few", "[1, 2]", "tFew"),
        decision("many", "[1, 2, 3]", "tFew"),
        decision("unknown", "1", "tNothing"),
    )
    assert m.evaluate({}) == {
        "grade": None,
        "grades": None,
        "fine": ["A", "B"],
        "short": None,
        "few": [D(1), D(2)],
        "many": None,
        "unknown": D(1),
    }
    assert any("tGrade" in reason for reason in m.explain({}, "grade").reasons)


def test_types_within_types_end():
    chain = [
        item(f"t{i}", components=component("a", f"t{i + 1}") + component("b", f"t{i + 1}"))
        for i in range(500)
    ]
    m = model(*chain, item("t500", "number"), given("x", "t0"), decision("r", "x.a.b", inputs=["x"]))
    assert m.evaluate({"x": {"a": {"b": None}}}, "r") is None
    value = 1
    for _ in range(59):
        value = {"a": value, "b": value}
    assert m.evaluate({"x": value}, "r") is None
    assert any("超过" in problem.what for problem in problems(m))


def test_members_that_only_the_values_know():
    m = model(
        decision("a", '{people: [{last name: "b", n: 1}, {last name: "c", n: 2}]}'),
        decision("r", '[a.people[last name = "c"].n, a.people.last name]', decisions=["a"]),
    )
    assert m.evaluate({}, "r") == [[D(2)], ["b", "c"]]


def test_functions_as_values():
    m = model(
        '<itemDefinition name="tF"><functionItem outputTypeRef="number"><parameters name="x" typeRef="number"/>'
        "</functionItem></itemDefinition>",
        knowledge_model("apply", "f(x)", f="tF", x="number"),
        knowledge_model("double", "x * 2", "number", x="number"),
        knowledge_model("adder", "function(b) a + b", a="number"),
        decision(
            "r",
            "[apply(double, 4), apply(function(x: string) 1, 4), adder(1)(2)]",
            knowledge=["apply", "double", "adder"],
        ),
        decision("f", "function(a, b) a - b"),
        decision("s", "f(b: 1, a: 3)", decisions=["f"]),
    )
    assert m.evaluate({}, "r") == [D(8), None, D(3)]
    assert m.evaluate({}, "s") == 2


NAMES = (
    *(
        "a/b",
        "Höhe",
        "🐎",
        "Loan's x",
        "first-name",
        "1st payment",
        "x*y",
        "date of birth",
        "a.b",
        "Größe (cm)",
    ),
    *("in progress", "not done", "if any", "sum", "count of x", "收入（元）", "today"),
)


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    m = model(given(name, "number"), decision("r", f"{name} + 1", inputs=[name]))
    assert m.evaluate({name: 1}, "r") == 2


def test_instance_of_a_models_own_type():
    m = model(GRADE, decision("r", '["A" instance of tGrade, "C" instance of tGrade, 1 instance of tGrade]'))
    assert m.evaluate({}, "r") == [True, False, False]


def test_types_that_contain_themselves():
    tree = item("tTree", components=component("leaf", "number") + component("more", "tTree", collection=True))
    m = model(tree, given("t", "tTree"), decision("r", "t.more.leaf", inputs=["t"]))
    assert m.evaluate({"t": {"leaf": 1, "more": [{"leaf": 2, "more": []}]}}, "r") == [D(2)]


def test_knowledge_models():
    m = model(
        knowledge_model("factorial", "if n < 2 then 1 else n * factorial(n - 1)", n="number"),
        knowledge_model("twice", "factorial(n) * 2", knowledge=["factorial"], n="number"),
        knowledge_model(
            "graded", table("UNIQUE", ["n"], [""], [("< 5", '"low"'), (">= 5", '"high"')]), n="number"
        ),
        knowledge_model("endless", "endless(n + 1)", n="number"),
        knowledge_model("wrong", '"text"', "number", n="number"),
        decision("r", "twice(4) + twice(n: 3)", knowledge=["twice"]),
        decision("e", "endless(1)", knowledge=["endless"]),
        decision("w", 'twice("x")', knowledge=["twice"]),
        decision("passed on", "(for x in [1, 2] return f(x))", knowledge=[]),
    )
    assert m.evaluate({}, "r") == 60
    assert m.evaluate({}, "e") is None
    assert m.evaluate({}, "w") is None
    assert m.invoke("factorial", {"n": 20}) == 2432902008176640000
    assert m.invoke("graded", {"n": 7}) == "high"
    assert m.invoke("graded", {}) is None
    assert m.invoke("wrong", {"n": 1}) is None
    assert m.evaluate({"n": 5}, "factorial") == 120


def test_services():
    m = model(
        given("x", "number"),
        decision("base", "x + 1", inputs=["x"]),
        decision("out", "base * 10", decisions=["base"]),
        decision("more", "base * 100", decisions=["base"]),
        service("Whole", ["out"], ["base"], inputs=["x"]),
        service("Given", ["out"], input_decisions=["base"]),
        service("Two", ["out", "more"], ["base"], inputs=["x"]),
        decision("calls", "Whole(1) + Whole(x: 2)", knowledge=["Whole"]),
        decision("both", "Two(1).more", knowledge=["Two"]),
    )
    assert m.invoke("Whole", {"x": 4}) == 50
    assert m.invoke("Given", {"base": 7}) == 70
    assert m.invoke("Two", {"x": 0}) == {"out": D(10), "more": D(100)}
    assert m.evaluate({"x": 99}, "calls") == 50
    assert m.evaluate({}, "both") == 200
    assert m.invoke("Whole", {"x": "text"}) is None
    assert m.evaluate({"x": 4}, "Whole") == 50


IMPORT = (
    '<import name="基础" namespace="urn:base" locationURI="base.dmn"'
    ' importType="https://www.omg.org/spec/DMN/20230324/MODEL/"/>'
)
BASE = xml(
    item("tAge", "number", "[0..150]"),
    given("age", "tAge"),
    decision("is adult", "age >= 18", inputs=["age"]),
    knowledge_model("double it", "n * 2", n="number"),
    namespace="urn:base",
)
ABOVE = xml(
    given("y", "基础.tAge"),
    decision(
        "r",
        "[基础.is adult, 基础.age, 基础.double it(y)]",
        inputs=["urn:base#age", "y"],
        decisions=["urn:base#is adult"],
        knowledge=["urn:base#double it"],
    ),
    imports=IMPORT,
)


def test_imports(tmp_path):
    (tmp_path / "base.dmn").write_bytes(BASE)
    (tmp_path / "above.dmn").write_bytes(ABOVE)
    m = load(tmp_path / "above.dmn")
    wanted = [True, D(20), D(14)]
    assert m.evaluate({"基础.age": 20, "y": 7}, "r") == wanted
    assert m.evaluate({"基础": {"age": 20}, "y": 7}, "r") == wanted
    assert m.evaluate({"age": 20, "y": 7}, "r") == wanted
    assert m.evaluate({"age": 20}, "基础.is adult") is True
    assert m.evaluate({"age": 20}, "is adult") is True
    assert m.invoke("double it", {"n": 4}) == 8
    assert m.evaluate({"age": 20, "y": 200}, "r") == [True, D(20), None]
    assert m.evaluate({"age": 20}) == {"r": [True, D(20), None]}
    (tmp_path / "base.dmn").rename(tmp_path / "elsewhere.dmn")
    assert load(tmp_path / "above.dmn").evaluate({"age": 20, "y": 7}, "r") == wanted


def test_imports_by_a_resolver_and_missing_ones():
    m = loads(ABOVE, lambda namespace, _location: BASE if namespace == "urn:base" else None)
    assert m.evaluate({"age": 20, "y": 7}, "r") == [True, D(20), D(14)]
    assert loads(ABOVE).evaluate({"age": 20}, "r") == [None, None, None]


def test_imports_never_leave_the_folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "base.dmn").write_bytes(BASE)
    (tmp_path / "in" / "above.dmn").write_bytes(ABOVE.replace(b'"base.dmn"', b'"../base.dmn"'))
    assert load(tmp_path / "in" / "above.dmn").evaluate({"age": 20}, "r") == [None, None, None]


@pytest.mark.parametrize(
    "version",
    [
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/",
    ],
)
def test_versions(version):
    assert model(decision("r", "1"), version=version).evaluate({}, "r") == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"<a/>", "definitions"),
        (b"no xml", "XML"),
        (
            b'<!DOCTYPE a [<!ENTITY e "x">]><definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/"/>',
            "DOCTYPE",
        ),
        (b" " * 20_000_001, "20 MB"),
        (b"", "XML"),
    ],
)
def test_refused_files(text, words):
    with pytest.raises(NotDmn, match=words):
        loads(text)


def test_clock():
    m = model(decision("r", "[today(), now()]"))
    now = datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert m.evaluate({}, "r", now) == [date(2026, 11, 24), now]
    assert m.evaluate({}, "r") is not None
