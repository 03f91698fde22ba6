"""What an expression costs: evaluating and parsing FEEL, and one decision by a table of many rules.

CPU time of this process, the best of several rounds. Bars: ≤ 15 µs on average for the small expressions that
flows, forms and tables are made of; ≤ 150 µs to parse one; ≤ 10 ms for a table of 1,000 rules.
"""

import sys
import time
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from machine import machine, sizes

from yiwang.engines.judge.dmn import loads
from yiwang.kernel.feel import parse, parse_unary

TEXTS = (
    "mother.age >= 18 and abroad = false",
    "x + 1 * 2",
    "items[price > 5].name",
    'if x > 4 then "a" else "b"',
    "sum(for i in list return i * 2)",
    'substring("foobar", 3)',
    'day + duration("P20D")',
    "some i in list satisfies i > 2",
    "x in [1..5]",
    "{a: 1, b: a + x}.b",
)
CONTEXT = {
    "mother": {"age": 30, "idno": "37"},
    "abroad": False,
    "x": 5,
    "items": [{"name": "a", "price": 3}, {"name": "b", "price": 7}],
    "day": date(2026, 11, 23),
    "list": [1, 2, 3],
}
MODEL = """<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="bench" namespace="urn:bench">
<inputData id="x" name="x"><variable name="x" typeRef="number"/></inputData>
<decision id="d" name="d"><informationRequirement><requiredInput href="#x"/></informationRequirement>
<decisionTable hitPolicy="UNIQUE"><input><inputExpression><text>x</text></inputExpression></input>
<input><inputExpression><text>modulo(x, 7)</text></inputExpression></input><output/>{rules}</decisionTable></decision>
</definitions>"""
RULE = (
    "<rule><inputEntry><text>[{0}..{1})</text></inputEntry><inputEntry><text>&gt;= 0</text></inputEntry>"
    '<outputEntry><text>"r{0}"</text></outputEntry></rule>'
)


def _micros(action, times: int) -> float:
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        for _ in range(times):
            action()
        best = min(best, time.process_time() - start)
    return round(best / times * 1e6, 2)


def run(options: list[str]) -> dict:
    """Measure and compare with the bars."""
    chosen = sizes(options, times=2000, rules=1000)
    figures: dict = {}
    for text in TEXTS:
        expression = parse(text)
        figures[text] = _micros(lambda expression=expression: expression.evaluate(CONTEXT), chosen["times"])
    tests = parse_unary("< 5, [8..10)")
    figures["< 5, [8..10) of 9"] = _micros(lambda: tests.evaluate(9), chosen["times"])
    mean = round(sum(figures.values()) / len(figures), 2)
    parsing = _micros(lambda: parse(TEXTS[0]), max(chosen["times"] // 10, 1))
    rules = "".join(RULE.format(10 * n, 10 * n + 10) for n in range(chosen["rules"]))
    model = loads(MODEL.replace("{rules}", rules).encode())
    table = _micros(lambda: model.evaluate({"x": 10 * chosen["rules"] - 5}, "d"), 5) / 1000
    return {
        "bench": "feel",
        "machine": machine(),
        "sizes": chosen,
        "figures": {"microseconds": figures, "parse_microseconds": parsing, "table_ms": round(table, 2)},
        "bars": {
            "evaluate_us": {"figure": mean, "bar": 15, "holds": mean <= 15},
            "parse_us": {"figure": parsing, "bar": 150, "holds": parsing <= 150},
            "table_ms": {"figure": round(table, 2), "bar": 10, "holds": table <= 10},
        },
    }
