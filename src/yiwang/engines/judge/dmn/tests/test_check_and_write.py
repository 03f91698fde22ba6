"""Naming problems, writing DMN 1.5, and the command line."""

import json
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal as D

import pytest

from yiwang.engines.judge.dmn import dump, loads, problems
from yiwang.engines.judge.dmn.command import read_inputs, to_json
from yiwang.engines.judge.dmn.tests.build import (
    context,
    decision,
    given,
    item,
    knowledge_model,
    literal,
    model,
    service,
    table,
    xml,
)
from yiwang.kernel.feel import Months, Range

GOOD = [
    given("x", "number"),
    decision("r", "x + f(x)", "number", inputs=["x"], knowledge=["f"]),
    knowledge_model("f", "n", n="number"),
    service("s", ["r"], inputs=["x"]),
]


def test_a_good_model_has_no_problems():
    assert problems(model(*GOOD)) == []


@pytest.mark.parametrize(
    ("elements", "name", "words"),
    [
        ([decision("r", "1 +")], "r", "第 4 个字符"),
        ([decision("r", context(("a", "b c")))], "r", "b c"),
        ([decision("r", "1", "tNone")], "r", "tNone"),
        ([item("t", "tNone")], "t", "tNone"),
        ([item("t", "number", "1 +")], "t", "允许值"),
        ([decision("r", "1", decisions=["gone"])], "r", "gone"),
        ([decision("a", "1", decisions=["b"]), decision("b", "1", decisions=["a"])], "a", "依赖它自己"),
        ([decision("r", "1"), decision("r", "2")], "r", "叫「r」"),
        ([decision("r", table("WRONG", ["x"], [""], []))], "r", "命中策略"),
        ([decision("r", table("UNIQUE", ["1"], [""], [("-",)]))], "r", "格数"),
        ([knowledge_model("f", "1", kind="Java")], "f", "Java"),
        ([service("s", ["gone"])], "s", "gone"),
        (['<decision id="d" name="r"/>'], "r", "没有写逻辑"),
        (
            [
                decision(
                    "r", '<literalExpression expressionLanguage="urn:js"><text>1</text></literalExpression>'
                )
            ],
            "r",
            "js",
        ),
        (['<import name="i" namespace="urn:n" importType="http://www.dmg.org/PMML-4_2"/>'], "i", "PMML"),
        (
            [
                '<import name="i" namespace="urn:n" importType="https://www.omg.org/spec/DMN/20230324/MODEL/"/>'
            ],
            "i",
            "找不到",
        ),
    ],
)
def test_problems_name_the_element(elements, name, words):
    found = problems(model(*elements))
    assert any(p.element == name and words in p.what and p.remedy for p in found), found


DIAGRAM = (
    '<dmndi:DMNDI xmlns:dmndi="https://www.omg.org/spec/DMN/20191111/DMNDI/"><dmndi:DMNDiagram id="g">'
    '<dmndi:DMNShape dmnElementRef="d.r"/></dmndi:DMNDiagram></dmndi:DMNDI>'
)
EXTENSION = (
    '<extensionElements><yw:clause xmlns:yw="urn:yiwang:dmn:1" article="9">《办法》第九条<yw:x/></yw:clause>'
    "</extensionElements>"
)
RICH = [
    item("t", "number", "[0..5]", collection=True),
    given("x", "number"),
    f'<decision id="d.r" name="r" yw:hard="true" xmlns:yw="urn:yiwang:dmn:1">{EXTENSION}<question>多少？</question>'
    f"{table('COLLECT', [('1', 'number', '[0..9]')], [('n', 'number', '1, 2', '2')], [('-', '1')], 'SUM')}</decision>",
    "<!-- 注 -->",
    decision("c", context(("a b", "1 < 2 and 3 > 2"), ("", '"a & b"'))),
    '<textAnnotation id="a"><text>说明</text></textAnnotation>',
    DIAGRAM,
]


def test_writing_loses_nothing():
    old = "https://www.omg.org/spec/DMN/20191111/MODEL/"
    first = loads(xml(*RICH, version=old))
    written = dump(first)
    second = loads(written)
    assert second.definitions == first.definitions
    assert dump(second) == written
    assert second.evaluate({}) == first.evaluate({}) == {"r": D(1), "c": "a & b"}
    text = written.decode()
    for kept in (
        "《办法》第九条",
        'article="9"',
        'hard="true"',
        "<!-- 注 -->",
        "多少？",
        'dmnElementRef="d.r"',
        "说明",
    ):
        assert kept in text
    assert "20191111" not in text


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (D("1.10"), "1.10"),
        (D("12345678901234567890.1234567890123"), "12345678901234567890.1234567890123"),
        (D("1E+3"), "1000"),
        (date(2026, 11, 24), '"2026-11-24"'),
        (timedelta(hours=26), '"P1DT2H"'),
        (Months(14), '"P1Y2M"'),
        (Range(True, D(1), D(2), False), '"[1..2)"'),
        ({"a": [None, True, "文"]}, '{"a": [null, true, "文"]}'),
    ],
)
def test_json_is_exact(value, wanted):
    assert to_json(value) == wanted


def test_json_inputs_are_read_by_type():
    m = model(
        given("x", "number"),
        given("b", "boolean"),
        given("s", "string"),
        item("l", "number", collection=True),
        given("y", "l"),
    )
    read = read_inputs('{"x": "1.50", "b": "true", "s": "1", "y": ["2", 3.10]}', m)
    assert read == {"x": D("1.50"), "b": True, "s": "1", "y": [D(2), D("3.10")]}
    assert str(read["y"][1]) == "3.10"
    with pytest.raises(ValueError, match="JSON"):
        read_inputs("[", m)
    with pytest.raises(ValueError, match="对象"):
        read_inputs("[]", m)


def yiwang(*arguments, stdin=""):
    """The command, in a process of its own."""
    command = [sys.executable, "-c", "from yiwang.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


def run(tmp_path, inputs, *arguments, elements=GOOD):
    file = tmp_path / "m.dmn"
    file.write_bytes(xml(*elements))
    return yiwang("dmn", "run", file, "--input", "-", *arguments, stdin=inputs)


def test_cli_run(tmp_path):
    code, out, _ = run(tmp_path, '{"x": "1.25"}', "--json")
    assert (code, json.loads(out)["values"]) == (0, {"r": 2.5})
    code, out, _ = run(tmp_path, '{"n": 7}', "--decision", "f", "--json")
    assert json.loads(out)["values"] == {"f": 7}
    code, out, _ = run(tmp_path, "{}", "--json")
    found = json.loads(out)
    assert found["values"] == {"r": None}
    assert any("没有给出输入" in reason for reason in found["reasons"]["r"])
    code, out, _ = run(tmp_path, '{"x": 1}')
    assert out == "r：2\n"


def test_cli_refusals(tmp_path):
    code, _, err = run(tmp_path, "{}", "--decision", "nothing")
    assert code == 2 and "nothing" in err
    code, _, err = run(tmp_path, "no")
    assert code == 2 and "JSON" in err
    code, _, err = yiwang("dmn", "check", tmp_path / "gone.dmn")
    assert code == 2 and "gone.dmn" in err


def test_cli_check(tmp_path):
    file = tmp_path / "m.dmn"
    file.write_bytes(xml(*GOOD))
    assert yiwang("dmn", "check", file)[:2] == (0, "可用：1 个决策\n")
    file.write_bytes(xml(decision("r", literal("1 +"))))
    code, out, _ = yiwang("dmn", "check", file, "--json")
    problem = json.loads(out)["problems"][0]
    assert code == 1
    assert (problem["element"], problem["id"]) == ("r", "d.r")
    file.write_bytes(b"<broken")
    code, out, _ = yiwang("dmn", "check", file, "--json")
    assert code == 1 and "XML" in json.loads(out)["problems"][0]["what"]


def test_cli_convert(tmp_path):
    logic = table("FIRST", ["x"], [""], [("1", "2")])
    (tmp_path / "a.dmn").write_bytes(xml(given("x"), decision("r", logic, inputs=["x"])))
    for source, target in (("a.dmn", "b.xlsx"), ("b.xlsx", "c.dmn"), ("c.dmn", "d.dmn")):
        assert yiwang("dmn", "convert", tmp_path / source, tmp_path / target)[0] == 0
    assert loads((tmp_path / "d.dmn").read_bytes()).evaluate({"x": 1}) == {"r": D(2)}
    code, _, err = yiwang("dmn", "convert", tmp_path / "a.dmn", tmp_path / "a.pdf")
    assert code == 2 and ".pdf" in err
