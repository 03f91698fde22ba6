"""Conditions over several fields: the same as FEEL where all is known, scalar = bits, and analysed like policies."""

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.engines.judge.analysis import analyse
from yiwang.engines.judge.conditions import condition_table, joined
from yiwang.engines.judge.rules import Field, Fields, Judge, NotARule, Status
from yiwang.engines.judge.rules.cuts import Kit
from yiwang.engines.judge.vector import encode, kernels, matching
from yiwang.engines.judge.vector.plan import compile_plan
from yiwang.kernel.feel import parse

TODAY = date(2026, 11, 25)


def age(born, day):
    if born is None or day is None:
        return None
    return Decimal(day.year - born.year - ((day.month, day.day) < (born.month, born.day)))


KIT = Kit({"age": age}, frozenset({"age"}))
FIELDS = (
    Field("a.sex", "性别", "string", values=("男", "女")),
    Field("a.born", "出生日期", "date"),
    Field("a.kids", "子女数", "number"),
    Field("b.region", "户籍", "code"),
    Field("good", "守信", "boolean"),
)
COLUMNS = {
    "a.sex": pa.string(),
    "a.born": pa.date32(),
    "a.kids": pa.decimal128(18, 0),
    "b.region": pa.string(),
    "good": pa.bool_(),
}
BY_NAME = Fields({f.name: f for f in FIELDS})
ANSWER = {Status.ENTITLED: True, Status.MISSING: None, Status.NEAR: False, Status.NOT: False}
ORDER = st.sampled_from(["<", "<=", ">", ">=", "=", "!="])
ATOMS = (
    st.builds('a.sex {} "{}"'.format, st.sampled_from(["=", "!="]), st.sampled_from("男女"))
    | st.builds("age(a.born, today) {} {}".format, ORDER, st.integers(0, 70))
    | st.builds("a.kids {} {}".format, ORDER, st.integers(-1, 3))
    | st.builds('starts with(b.region, "{}")'.format, st.sampled_from(["37", "3701", "11"]))
    | st.builds('list contains(["{}", "x"], b.region)'.format, st.sampled_from(["370102", "11"]))
    | st.just("good")
    | st.just("a.kids in [1..2]")
)
TEXTS = st.recursive(
    ATOMS,
    lambda inner: (
        st.builds("({} and {})".format, inner, inner)
        | st.builds("({} or {})".format, inner, inner)
        | st.builds("not({})".format, inner)
        | st.builds("(if {} then {} else {})".format, inner, inner, inner)
        | st.builds("(age(a.born, today) >= (if {} then 22 else 20))".format, inner)
    ),
    max_leaves=5,
)
VALUES = {
    "a.sex": st.sampled_from(["男", "女"]),
    "a.born": st.dates(date(1950, 1, 1), date(2026, 12, 31))
    | st.sampled_from([date(2008, 11, 25), date(2008, 11, 26), date(2008, 2, 29), date(1, 1, 1)]),
    "a.kids": st.integers(-2, 4).map(Decimal),
    "b.region": st.sampled_from(["37", "370102", "3702", "11", "110101", "99"]),
    "good": st.booleans(),
}
FULL = st.fixed_dictionaries(VALUES)
HOLES = st.fixed_dictionaries({name: st.none() | value for name, value in VALUES.items()})


def table(text):
    try:
        return condition_table("c", "条件", text, FIELDS, TODAY, KIT)
    except NotARule:  # more than 64 alternatives
        return None


def judged(policy, row):
    return ANSWER[Judge([policy], BY_NAME, TODAY).explain(row)[0].status]


def by_feel(text, row):
    context = {"a": {}, "b": {}, "today": TODAY}
    for name, value in row.items():
        role, dot, element = name.partition(".")
        (context[role] if dot else context)[element if dot else role] = value
    return parse(text).evaluate(context, KIT.functions)


@settings(max_examples=300, deadline=None)
@given(TEXTS, FULL)
def test_where_everything_is_known_it_is_what_feel_says(text, row):
    policy = table(text)
    if policy is not None:
        assert judged(policy, row) is by_feel(text, row)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.lists(HOLES, min_size=1, max_size=8))
def test_bits_give_the_same_as_one_by_one_on_true_and_on_not_false(text, rows):
    policy = table(text)
    if policy is None:
        return
    plan = compile_plan([policy], BY_NAME)
    assert not len(plan.unsettled), policy.scalar_only()
    data = pa.table({n: pa.array([r[n] for r in rows], kind) for n, kind in COLUMNS.items()})
    wanted = [judged(policy, row) for row in rows]
    for name in ["numpy", *(["numba"] if kernels.fast() else [])]:
        codes = encode.table_codes(plan.columns, data, name == "numba")
        for possible in (False, True):
            at, _ = kernels.backend(name).pairs(plan, codes, possible)
            assert set(at.tolist()) == {
                i for i, a in enumerate(wanted) if a is True or (possible and a is None)
            }
    assert matching.counts(plan, data, BY_NAME, TODAY).policies == {"c": wanted.count(True)}


@settings(max_examples=150, deadline=None)
@given(TEXTS, HOLES, FULL)
def test_what_is_decided_with_gaps_stays_so_when_they_are_filled(text, holes, full):
    policy = table(text)
    if policy is None:
        return
    before = judged(policy, holes)
    filled = {n: full[n] if v is None else v for n, v in holes.items()}
    if before is not None:
        assert judged(policy, filled) is before


def test_missing_is_unknown_and_a_number_tells_its_distance():
    policy = table('good and (a.sex = "女" or age(a.born, today) >= 18)')
    assert judged(policy, {"good": True}) is None
    assert judged(policy, {"good": False}) is False
    assert judged(policy, {"good": True, "a.sex": "女"}) is True
    verdict = Judge([table("age(a.born, today) >= 18")], BY_NAME, TODAY).explain(
        {"a.born": date(2010, 1, 2)}
    )[0]
    assert verdict.findings[0].suggestion == "出生日期 ≤ 2008-11-25，现有 2010-01-02，超出 403 天"


def test_a_comparison_of_two_fields_stays_row_by_row_and_says_so():
    fields = (Field("x.a", "甲", "string"), Field("x.b", "乙", "string"))
    policy = condition_table("c", "相同", "x.a = x.b", fields, TODAY)
    assert "它还读取「x.b」" in policy.scalar_only()[0]
    judge = Judge([policy], Fields({f.name: f for f in fields}), TODAY)
    answers = [
        ANSWER[judge.explain(r)[0].status] for r in ({"x.a": "1", "x.b": "1"}, {"x.a": "1", "x.b": "2"})
    ]
    assert answers == [True, False]
    assert judge.explain({"x.a": "1"})[0].status is Status.MISSING


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a.nobody = 1", "没有登记的「a.nobody」"),
        ("1 > 2", "永远不成立"),
        (" and ".join(f"(good or a.kids = {n})" for n in range(8)), "种情形"),
    ],
)
def test_what_is_no_condition_is_refused_with_a_remedy(text, told):
    with pytest.raises(NotARule, match=told):
        condition_table("c", "条件", text, FIELDS, TODAY, KIT)


def test_a_value_not_allowed_and_a_contradiction_are_found():
    assert [f.kind for f in analyse(table('a.sex = "难"'))] == ["never"]
    one = joined("c", "全部", (table("a.kids < 1"), table("good or a.kids > 1")))
    assert [(f.kind, f.rules) for f in analyse(one)] == [("never", ("c.1 c.2",))]
