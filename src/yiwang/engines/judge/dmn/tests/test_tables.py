"""Decision tables: hit policies, allowed values, defaults, priorities (DMN 1.5 §8)."""

from decimal import Decimal as D

import pytest

from yiwang.engines.judge.dmn.tests.build import decision, given, item, model, table

RULES = [(">= 1", '"a"'), (">= 2", '"b"'), (">= 3", '"c"'), (">= 9", '"a"')]


def run(policy, x, rules=RULES, outputs=("",), aggregation=None, inputs=("x",), types=()):
    logic = table(policy, inputs, outputs, rules, aggregation)
    return model(*types, given("x"), decision("r", logic, inputs=["x"])).explain({"x": x}, "r")


@pytest.mark.parametrize(
    ("policy", "x", "wanted"),
    [
        ("UNIQUE", 1, "a"),
        ("UNIQUE", 2, None),
        ("UNIQUE", 0, None),
        ("FIRST", 3, "a"),
        ("ANY", 1, "a"),
        ("ANY", 2, None),
        ("COLLECT", 3, ["a", "b", "c"]),
        ("RULE ORDER", 2, ["a", "b"]),
        ("COLLECT", 0, []),
        ("RULE ORDER", 0, []),
        ("OUTPUT ORDER", 0, []),
    ],
)
def test_hit_policy(policy, x, wanted):
    outcome = run(policy, x)
    assert outcome.value == wanted
    assert outcome.reasons or wanted not in (None, [])


def test_any_with_equal_results():
    assert run("ANY", 5, [("> 1", "1"), ("> 2", "1.0")]).value == 1


@pytest.mark.parametrize(
    ("aggregation", "x", "wanted"),
    [
        ("SUM", 3, D(7)),
        ("MIN", 3, D(1)),
        ("MAX", 3, D(5)),
        ("COUNT", 3, D(2)),
        ("COUNT", 0, D(0)),
        ("SUM", 0, None),
        ("MAX", 0, None),
    ],
)
def test_aggregation(aggregation, x, wanted):
    rules = [(">= 1", "1"), (">= 2", "5"), (">= 3", "1")]
    assert run("COLLECT", x, rules, aggregation=aggregation).value == wanted


def test_sum_of_text_is_null_with_a_reason():
    outcome = run("COLLECT", 3, aggregation="SUM")
    assert outcome.value is None
    assert any("不能汇总" in reason for reason in outcome.reasons)


def test_priority_follows_the_output_values():
    outputs = [("", "string", '"c", "b", "a"')]
    assert run("PRIORITY", 3, outputs=outputs).value == "c"
    assert run("OUTPUT ORDER", 3, outputs=outputs).value == ["c", "b", "a"]


def test_priority_from_the_type():
    types = [item("tGrade", "string", '"b", "a", "c"')]
    assert run("PRIORITY", 3, outputs=[("", "tGrade")], types=types).value == "b"


def test_priority_over_two_columns():
    outputs = [("p", "string", '"hi", "lo"'), ("q", "number", "3, 2, 1")]
    rules = [("-", '"lo"', "3"), ("-", '"hi"', "1"), ("-", '"hi"', "2")]
    assert run("PRIORITY", 0, rules, outputs).value == {"p": "hi", "q": D(2)}
    wanted = [{"p": "hi", "q": D(2)}, {"p": "hi", "q": D(1)}, {"p": "lo", "q": D(3)}]
    assert run("OUTPUT ORDER", 0, rules, outputs).value == wanted


def test_default_output():
    assert run("UNIQUE", 0, outputs=[("", "string", None, '"none"')]).value == "none"
    assert run("COLLECT", 0, outputs=[("", "string", None, '"none"')]).value == ["none"]
    outputs = [("a", None, None, "1"), ("b", None, None, "2")]
    assert run("FIRST", 0, [("> 0", "5", "6")], outputs).value == {"a": D(1), "b": D(2)}


def test_values_outside_the_allowed_are_null():
    assert run("UNIQUE", 7, [("-", "1")], inputs=[("x", "number", "[0..5]")]).value is None
    assert run("UNIQUE", 5, [("-", "1")], inputs=[("x", "number", "[0..5]")]).value == 1
    assert run("UNIQUE", 7, [("-", '"z"')], outputs=[("", "string", '"a"')]).value is None
    assert "[0..5]" in run("UNIQUE", 7, [("-", "1")], inputs=[("x", None, "[0..5]")]).reasons[0]


def test_input_of_another_type_is_null():
    assert run("UNIQUE", "a", [("null", '"null"'), ("-", '"any"')], inputs=[("x", "number")]).value is None
    assert run("FIRST", "a", [("null", '"null"'), ("-", '"any"')], inputs=[("x", "number")]).value == "null"


def test_cells_may_ask_about_the_input():
    rules = [("? > 1 and ? < 5", '"mid"'), ("not(2, 3)", '"out"')]
    assert run("FIRST", 3, rules).value == "mid"
    assert run("FIRST", 7, rules).value == "out"


def test_malformed_cell_spoils_the_table_and_says_which():
    outcome = run("UNIQUE", 1, [("1 +", "1")])
    assert outcome.value is None
    assert "第 1 条规则" in outcome.reasons[0]


def test_table_without_inputs():
    assert run("UNIQUE", 1, [("1",)], inputs=()).value == 1
