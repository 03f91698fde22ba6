"""Boxed expressions (DMN 1.5 §10.2)."""

from decimal import Decimal as D

import pytest

from yiwang.engines.judge.dmn.tests.build import (
    context,
    decision,
    given,
    item,
    knowledge_model,
    literal,
    model,
    parameters,
)


def value(logic, type_ref=None, inputs=None, elements=(), **requires):
    inputs = inputs or {}
    names = list(inputs)
    declared = [given(name) for name in names]
    return model(*declared, *elements, decision("r", logic, type_ref, inputs=names, **requires)).evaluate(
        inputs, "r"
    )


def test_context_entries_see_the_ones_before():
    assert value(context(("a", "1"), ("b c", "a + 1"), ("d", "b c * 2"))) == {
        "a": D(1),
        "b c": D(2),
        "d": D(4),
    }
    assert value(context(("a", "1"), ("", "a + 5"))) == 6
    assert value(context(("x", "x + 1"), ("", "x")), inputs={"x": 1}) == 2


def test_entry_of_another_type_is_null():
    assert value(context(("a", '"t"', "number"))) == {"a": None}
    assert value(context(("a", "[5]", "number"))) == {"a": D(5)}


def test_function_in_a_context():
    function = f"<functionDefinition>{parameters(n='number')}{literal('n + base')}</functionDefinition>"
    assert value(context(("base", "10"), ("f", function), ("", "f(1)"))) == 11
    assert value(context(("base", "10"), ("f", function, "number"), ("", "f(n: 2)"))) == 12


def test_list_and_relation():
    assert value(f"<list>{literal('1')}{literal('1 + 1')}</list>") == [D(1), D(2)]
    columns = '<column name="name"/><column name="years old" typeRef="number"/>'
    rows = "".join(f"<row>{literal(a)}{literal(b)}</row>" for a, b in [('"a"', "1"), ('"b"', '"x"')])
    relation = f"<relation>{columns}{rows}</relation>"
    assert value(relation) == [{"name": "a", "years old": D(1)}, {"name": "b", "years old": None}]


def invocation(called, *bindings):
    rows = "".join(f'<binding><parameter name="{name}"/>{literal(text)}</binding>' for name, text in bindings)
    return f"<invocation>{literal(called)}{rows}</invocation>"


def test_invocation():
    add = knowledge_model("add up", "if b = null then a else a + b", a="number", b="number")
    requires = {"elements": [add], "knowledge": ["add up"]}
    assert value(invocation("add up", ("b", "2"), ("a", "1")), **requires) == 3
    assert value(invocation("add up", ("a", "1")), **requires) == 1
    assert value(invocation("add up", ("c", "1")), **requires) is None
    assert value(invocation("nothing", ("c", "1"))) is None


def test_invocation_of_a_built_in():
    assert value(invocation("string length", ("string", '"abc"'))) == 3
    assert value(invocation("substring", ("string", '"abc"'), ("start position", "2"))) == "bc"


def test_conditional():
    def choose(condition):
        parts = [("if", condition), ("then", "1"), ("else", "2")]
        return f"<conditional>{''.join(f'<{tag}>{literal(one)}</{tag}>' for tag, one in parts)}</conditional>"

    assert value(choose("1 < 2")) == 1
    assert value(choose("1 > 2")) == 2
    assert value(choose("null")) == 2


def loop(kind, source, body, part):
    return f'<{kind} iteratorVariable="the x"><in>{literal(source)}</in><{part}>{literal(body)}</{part}></{kind}>'


def test_iterators():
    assert value(loop("for", "[1, 2]", "the x * 2", "return")) == [D(2), D(4)]
    assert value(loop("for", "[1..3]", "the x", "return")) == [D(1), D(2), D(3)]
    assert value(loop("for", "[1, 2, 3]", "count(partial)", "return")) == [D(0), D(1), D(2)]
    assert value(loop("some", "[1, 2]", "the x > 1", "satisfies")) is True
    assert value(loop("every", "[1, 2]", "the x > 1", "satisfies")) is False
    assert value(loop("every", "null", "the x > 1", "satisfies")) is None


def test_filter():
    def keep(source, match):
        return f"<filter><in>{literal(source)}</in><match>{literal(match)}</match></filter>"

    assert value(keep("[1, 2, 3]", "item > 1")) == [D(2), D(3)]
    assert value(keep("[5, 6]", "2")) == 6


def test_filter_with_a_component_of_several_words():
    source = context(("amount due", "7"))
    logic = (
        f"<filter><in><list>{source}{source}</list></in><match>{literal('amount due > 5')}</match></filter>"
    )
    assert value(logic) == [{"amount due": D(7)}, {"amount due": D(7)}]


@pytest.mark.parametrize("kind", ["Java", "PMML", "J"])
def test_external_functions_are_null(kind):
    outside = knowledge_model("f", '{class: "x"}', kind=kind, a="number")
    outcome = model(outside, decision("r", "f(1)", knowledge=["f"])).explain({}, "r")
    assert outcome.value is None
    assert any("FEEL" in reason for reason in outcome.reasons)


def test_other_expression_language():
    logic = '<literalExpression expressionLanguage="http://www.w3.org/1999/XPath"><text>1</text></literalExpression>'
    outcome = model(decision("r", logic)).explain({}, "r")
    assert outcome.value is None
    assert "XPath" in outcome.reasons[0]
    feel = "https://www.omg.org/spec/DMN/20230324/FEEL/"
    assert value(f'<literalExpression expressionLanguage="{feel}"><text>1</text></literalExpression>') == 1


def test_decision_without_logic():
    assert model('<decision id="d" name="r"/>').evaluate({}, "r") is None


def test_types_of_expressions():
    assert value(literal("[1]", "number")) == 1
    assert value("1", "tNumbers", elements=[item("tNumbers", "number", collection=True)]) == [D(1)]
    assert value('"a"', "number") is None
    assert value('date("2020-01-02")', "date and time").isoformat() == "2020-01-02T00:00:00+00:00"
