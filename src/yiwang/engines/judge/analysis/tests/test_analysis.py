"""Findings are those that trying every combination of bins gives."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.engines.judge.analysis import analyse, analyse_model, overlaps
from yiwang.engines.judge.dmn import loads
from yiwang.engines.judge.dmn.tests import build
from yiwang.engines.judge.rules import Codes, derived, load_fields, load_policy

CODES = Codes("c", {"C": "制造业", "C35": "专用设备", "I": "信息"})
FIELDS = load_fields(
    {
        "n": {"label": "人数", "type": "number"},
        "s": {"label": "规模", "type": "string", "values": ["小型", "中型", "大型"]},
        "b": {"label": "失信", "type": "boolean"},
        "c": {"label": "行业", "type": "code", "codes": "c"},
    },
    {"c": CODES},
)
SPACE = {
    "n": [None, -1, 0, 1, 2, 3, 4, 5, 6],
    "s": [None, "小型", "中型", "大型"],
    "b": [None, True, False],
    "c": [None, "C", "C35", "I"],
}
TESTS = {
    "n": st.sampled_from(["> 1", "<= 1", "[2..4]", "3", "null", "-", "< 3, > 4", "not(3)"]),
    "s": st.sampled_from(['"小型"', '"小型", "中型"', 'not("大型")', "-"]),
    "b": st.sampled_from(["true", "false", "-"]),
    "c": st.sampled_from(['starts with(?, "C")', '"I"', 'not("C35")']),
}
rules = st.lists(
    st.tuples(st.fixed_dictionaries({}, optional=TESTS), st.sampled_from("xy")), min_size=1, max_size=5
)


def policy(found, hit_policy="FIRST"):
    raw = [{"id": str(i), "when": when, "then": {"o": out}} for i, (when, out) in enumerate(found)]
    return load_policy({"id": "p", "name": "表", "hit_policy": hit_policy, "rules": raw}, FIELDS)


def truths(one):
    """For every combination of values: the row, and which rules are true."""
    for combination in itertools.product(*SPACE.values()):
        row, _ = derived.filled(FIELDS, dict(zip(SPACE, combination, strict=True)))
        yield (
            row,
            [all(c.cell.answer(row[c.field.name]) is True for c in rule.conditions) for rule in one.rules],
        )


@settings(max_examples=100, deadline=None)
@given(rules, st.sampled_from(["FIRST", "UNIQUE", "ANY"]))
def test_findings_are_what_brute_force_finds(found, hit_policy):
    one = policy(found, hit_policy)
    got = analyse(one, complete=True)
    kinds = {}
    for finding in got:
        kinds.setdefault(finding.kind, set()).add(finding.rules)
    table = list(truths(one))
    many = range(len(one.rules))
    alive = [k for k in many if any(true[k] for _, true in table)]
    assert kinds.get("never", set()) == {(str(k),) for k in many if k not in alive}
    asked = {c.field.name for rule in one.rules for c in rule.conditions}
    gaps = [row for row, true in table if not any(true) and all(row[name] is not None for name in asked)]
    assert ("gap" in kinds) == bool(gaps)
    both = {
        (str(a), str(b))
        for _, true in table
        for a, b in itertools.combinations(many, 2)
        if true[a] and true[b]
    }
    if hit_policy == "UNIQUE":
        assert kinds.get("overlap", set()) == both
    if hit_policy == "ANY":
        differ = {(a, b) for a, b in both if one.rules[int(a)].outputs != one.rules[int(b)].outputs}
        assert kinds.get("conflict", set()) == differ
    if hit_policy == "FIRST":
        first = {true.index(True) for _, true in table if any(true)}
        never_first = {str(k) for k in alive if k not in first}
        told = {r[0] for r in kinds.get("unreachable", set())} | {
            r[0] for r in kinds.get("subsumed", set()) if int(r[0]) > int(r[1])
        }
        assert told == never_first
    for finding in got:
        if finding.witness:
            row, _ = derived.filled(FIELDS, finding.witness)
            true = [all(c.cell.answer(row[c.field.name]) is True for c in r.conditions) for r in one.rules]
            assert not any(true) if finding.kind == "gap" else all(true[int(k)] for k in finding.rules)


def test_subsumed_exactly_when_one_lies_within_the_other():
    one = policy([({"n": "> 1"}, "x"), ({"n": "3", "b": "true"}, "x")], "ANY")
    finding = next(f for f in analyse(one) if f.kind == "subsumed")
    assert finding.rules == ("1", "0")
    assert finding.suggestion == "规则「1」是多余的，可以删去"


def test_union_shadowed_rule_names_what_shadows_it():
    one = policy([({"n": "> 1"}, "x"), ({"n": "<= 1, null"}, "y"), ({"b": "true"}, "x")])
    finding = next(f for f in analyse(one) if f.kind == "unreachable")
    assert finding.text == "规则「2」永远轮不到：它的情形已被前面的规则（0, 1）合起来占完"


def test_values_outside_the_allowed_ones_and_rules_without_a_hit():
    got = analyse(policy([({"s": '"微型"'}, "x")]), hits={"0": 0})
    assert {f.kind for f in got} == {"value", "never", "no-hit"}
    assert "允许的取值：小型、中型、大型" in next(f for f in got if f.kind == "value").suggestion


def test_what_was_not_decided_is_said():
    one = policy([({"n": "> 1"}, "x"), ({"b": "true"}, "y"), ({"s": '"小型"'}, "y")])
    got = analyse(one, complete=True, limit=3)
    assert [f.kind for f in got if f.kind == "undecided"] == ["undecided", "undecided"]
    assert "在 3 个节点内没有判定有没有遗漏的情形" in got[-1].text


def test_policies_that_one_enterprise_can_meet_both():
    a, b, c = (policy([(when, "x")]) for when in ({"n": "> 3"}, {"n": "<= 5"}, {"n": "< 2"}))
    named = [type(p)(**{**p.__dict__, "id": i, "name": i}) for i, p in zip("abc", (a, b, c), strict=True)]
    assert [f.rules for f in overlaps(named)] == [("a", "b"), ("b", "c")]
    assert [f.rules for f in overlaps(named, of="c")] == [("b", "c")]


@pytest.mark.parametrize("typed", ["number", None])
def test_a_dmn_table_says_its_gap(typed):
    model = loads(
        build.xml(
            build.given("x", typed),
            build.decision(
                "d", build.table("UNIQUE", [("x", typed, None)], [("o", None, None, None)], [("< 1", "1"), ("> 1", "2")]),
                None, inputs=["x"],
            ),
        )
    )  # fmt: skip
    [gap] = analyse_model(model.definitions)["d"]
    assert (gap.kind, gap.text) == ("gap", "有的情形没有规则：例如 x=1")
