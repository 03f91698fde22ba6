"""Whatever stands in a model: loading raises NotDmn at most, evaluation and checking raise nothing."""

from hypothesis import given as given_that
from hypothesis import settings
from hypothesis import strategies as st

from yiwang.engines.judge.dmn import NotDmn, dump, loads, problems
from yiwang.engines.judge.dmn.command import to_json
from yiwang.engines.judge.dmn.tests.build import (
    component,
    context,
    decision,
    given,
    item,
    knowledge_model,
    literal,
    service,
    table,
    xml,
)

texts = st.sampled_from(
    [
        *(
            "x",
            "y",
            "x + y",
            "f(x)",
            "s(x)",
            "1",
            '"a"',
            "null",
            "[1, 2]",
            "{a: x}",
            "x.a",
            "[1..5]",
            "-",
            "> 1",
        ),
        *(
            '@"2026-11-24"',
            "x[1]",
            "for i in x return i",
            "(",
            "not(x)",
            "? > 1",
            "d 2",
            "d 2.a b",
            "today()",
        ),
        *(
            "function(x) x",
            "f",
            "x instance of t",
            "count(x) > 1",
            "1 / 0",
            "f(f)",
            '"文"',
            "date(x)",
            "partial",
        ),
    ]
)
types = st.sampled_from(
    [None, "number", "string", "boolean", "date", "t", "u", "v", "Any", "none", "list", "date and time"]
)
logics = st.recursive(
    texts.map(literal),
    lambda inner: (
        st.builds(lambda a, b: context(("a b", a), ("x", b)), inner, inner)
        | st.builds(lambda a, b: context(("a", a), ("", b)), inner, inner)
        | st.builds(lambda a, b: f"<list>{a}{b}</list>", inner, inner)
        | st.builds(lambda a, b: f"<filter><in>{a}</in><match>{b}</match></filter>", inner, inner)
        | st.builds(
            lambda a, b: f'<for iteratorVariable="i"><in>{a}</in><return>{b}</return></for>', inner, inner
        )
        | st.builds(
            lambda a, b: f'<some iteratorVariable="i"><in>{a}</in><satisfies>{b}</satisfies></some>',
            inner,
            inner,
        )
        | st.builds(
            lambda a, b: f"<conditional><if>{a}</if><then>{b}</then><else>{a}</else></conditional>",
            inner,
            inner,
        )
        | st.builds(
            lambda a, b: f'<invocation>{a}<binding><parameter name="n"/>{b}</binding></invocation>',
            inner,
            inner,
        )
        | st.builds(
            lambda a: f'<functionDefinition><formalParameter name="n"/>{a}</functionDefinition>', inner
        )
    ),
    max_leaves=5,
) | st.builds(
    lambda policy, a, b, c, d, t, v: table(policy, [(a, t, v)], [("o", t, v, c)], [(b, c), (d, a), ("-", d)]),
    st.sampled_from(["UNIQUE", "ANY", "FIRST", "PRIORITY", "COLLECT", "RULE ORDER", "OUTPUT ORDER"]),
    *[texts] * 4,
    types,
    texts | st.none(),
)
values = st.sampled_from(
    [None, 0, 1.5, "a", True, [1, "a"], {"a": 1}, {"a": {"a": None}}, "2026-11-24", object()]
)


def whole(one, two, three, type_one, type_two, allowed):
    return xml(
        item("t", "number", allowed),
        item("u", components=component("a", "t") + component("a b", "v")),
        item("v", "u", collection=True),
        given("x", type_one),
        given("y", type_two),
        decision("d 1", one, type_one, inputs=["x", "y"], decisions=["d 2"], knowledge=["f", "s"]),
        decision("d 2", two, type_two, inputs=["x"], knowledge=["f"]),
        knowledge_model("f", three, type_one, knowledge=["f"], n=type_two),
        service("s", ["d 2"], inputs=["x"]),
    )


@settings(max_examples=400, deadline=None)
@given_that(logics, logics, logics, types, types, texts | st.none(), values, values)
def test_no_model_raises(one, two, three, type_one, type_two, allowed, x, y):
    model = loads(whole(one, two, three, type_one, type_two, allowed))
    found = model.explain_all({"x": x, "y": y})
    assert set(found) == {"d 1", "d 2"}
    to_json({name: outcome.value for name, outcome in found.items()})
    assert all(isinstance(reason, str) for outcome in found.values() for reason in outcome.reasons)
    model.invoke("f", {"n": x})
    model.invoke("s", {"x": y})
    problems(model)
    again = loads(dump(model))
    assert again.definitions == model.definitions


GOOD = whole(
    literal("x + 1"), literal("f(x)"), table("FIRST", ["n"], [""], [("1", "2")]), "number", "t", "[1..5]"
)


@settings(max_examples=300, deadline=None)
@given_that(
    st.integers(0, len(GOOD) - 1),
    st.integers(0, 40),
    st.sampled_from([b"", b"<", b">", b'"', b"&", b"x", b"<list>"]),
)
def test_damaged_files_are_refused_or_read(at, length, instead):
    try:
        model = loads(GOOD[:at] + instead + GOOD[at + length :])
    except NotDmn:
        return
    model.evaluate({"x": 1})
    problems(model)
