"""Acceptance conditions of every item in the packs: judged one by one, by bits, and by FEEL, with the same outcome."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.engines.cases import forms
from yiwang.engines.cases.forms import expressions, lint_conditions
from yiwang.engines.cases.forms.conditions import conditions, row, tables
from yiwang.engines.cases.forms.functions import FUNCTIONS
from yiwang.engines.judge.rules import Fields, Judge, Status
from yiwang.engines.judge.vector import matching
from yiwang.engines.judge.vector.plan import compile_plan
from yiwang.kernel import feel
from yiwang.kernel.packs.loader import read

LIBRARY = read(Path(__file__).parents[6] / "packs")[0]
DAY = date(2026, 11, 25)
FOUND = [
    (forms.plan(LIBRARY, pack.id), one)
    for pack in LIBRARY.all("service_item")
    for one in tables(forms.plan(LIBRARY, pack.id), pack.id, DAY)
    if one.table
]
ARROW = {
    "string": pa.string(),
    "number": pa.decimal128(18, 0),
    "date": pa.date32(),
    "boolean": pa.bool_(),
    "code": pa.string(),
}
ANSWER = {Status.ENTITLED: True, Status.MISSING: None, Status.NEAR: False, Status.NOT: False}


def values_of(field):
    """Values of a field on and beside what its conditions compare with."""
    if field.type == "number":
        return st.integers(-1, 40).map(Decimal)
    if field.type == "date":
        years = st.integers(15, 30).map(lambda n: date(DAY.year - n, 11, 25))
        near = st.integers(-2, 400).map(lambda n: DAY + timedelta(days=n))
        return (years | near).flatmap(lambda d: st.sampled_from([d, d - timedelta(days=1)]))
    if field.type == "boolean":
        return st.booleans()
    texts = ["37", "370102", "110101", "男", "女", "在保", "停保", *field.values]
    return st.sampled_from(texts)


def by_feel(one, known):
    names = {"today": DAY}
    for path, value in known.items():
        role, _dot, element = path.partition(".")
        names.setdefault(role, {})[element] = value
    return feel.parse(one.data["test"]).evaluate(names, FUNCTIONS)


def test_there_are_conditions_of_both_kinds_and_all_but_comparisons_of_two_fields_go_by_bits():
    assert len(FOUND) > 30
    alone = [one.id for _plan, one in FOUND if one.table.scalar_only()]
    assert alone == ["there"]  # 仍在签发地居住: two regions compared


@pytest.mark.parametrize("place", range(len(FOUND)), ids=[f"{p.ref}-{one.id}" for p, one in FOUND])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_one_by_one_by_bits_and_by_feel(place, data):
    _plan, one = FOUND[place]
    fields = Fields({f.name: f for f in one.fields})
    judge = Judge([one.table], fields, DAY)
    drawn = st.fixed_dictionaries({f.name: st.none() | values_of(f) for f in one.fields})
    rows = data.draw(st.lists(drawn, min_size=1, max_size=6))
    answers = [ANSWER[judge.explain(r)[0].status] for r in rows]
    for given_row, answer in zip(rows, answers, strict=True):
        if "test" in one.data and None not in given_row.values():
            assert answer is by_feel(one, given_row)
        if all(v is None for v in given_row.values()):
            assert answer is None  # nothing known: never met, never failed
    table = pa.table({f.name: pa.array([r[f.name] for r in rows], ARROW[f.type]) for f in one.fields})
    plan = compile_plan([one.table], fields)
    assert matching.counts(plan, table, fields, DAY).policies == {one.id: answers.count(True)}


def judged(ref, data, records=None, down=()):
    plan = forms.plan(LIBRARY, ref)

    def look(register, key):
        if register in down:
            raise forms.RegisterUnavailable(register)
        return (records or {}).get(register, {}).get(key)

    return {c.id: c for c in conditions(plan, ref, data, look)}


def test_what_is_missing_is_named_and_not_held_against_anybody():
    found = judged("yb.remote_care", {"today": DAY.isoformat()})
    assert found["elsewhere"].value is None  # a place that is not known is not "elsewhere"
    assert found["elsewhere"].missing == ("就医地",)
    assert found["insured"].missing
    assert "还缺：就医地" in found["elsewhere"].detail


def test_a_number_that_is_short_says_by_how_much():
    room = judged("sp.food_licence", {"ent.food_scope": "冷食类食品制售", "ent.food_area": 10})["room"]
    assert room.value is False
    assert "≥ 20，现有 10，差 10" in room.detail
    other = judged("sp.food_licence", {"ent.food_scope": "散装食品销售", "ent.food_area": 10})["room"]
    assert other.value is True


def test_age_is_told_as_a_day_and_sex_decides_which():
    on = {"today": "2026-11-25", "applicant.sex": "女"}
    assert judged("mz.marriage_booking", on | {"applicant.birth_date": "2006-11-25"})["of_age"].value is True
    young = judged("mz.marriage_booking", on | {"applicant.birth_date": "2006-11-26"})["of_age"]
    assert (young.value, "超出 1 天" in young.detail) == (False, True)
    men = on | {"applicant.sex": "男", "applicant.birth_date": "2006-11-25"}
    assert judged("mz.marriage_booking", men)["of_age"].value is False


def test_a_register_that_is_down_leaves_it_to_a_person():
    data = {"holder.idno": "379901199003070126"}
    assert judged("mz.disabled_living", data, down=("disability",))["certified"].value is None
    assert (
        judged("mz.disabled_living", data, {"disability": {data["holder.idno"]: {}}})["certified"].value
        is True
    )
    assert judged("mz.disabled_living", data)["alive"].value is True


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ('holder.low_income = "在保" and holder.low_income = "停保"', "永远不会命中"),
        ('holder.low_income = "没这个值"', "永远不会命中"),
        ('starts with(holder.hukou_region, "11")', "互相矛盾"),
    ],
)
def test_packs_check_names_conditions_that_nobody_can_meet(test, told):
    pack = LIBRARY.get("service_item", "mz.disabled_living")
    changed = [dict(c, test=test) if c["id"] == "low_income" else c for c in pack.data["conditions"]]
    from dataclasses import replace

    wrong = replace(pack, data={**pack.data, "conditions": changed})
    found = list(lint_conditions.errors(LIBRARY.with_packs([wrong]), wrong))
    assert len(found) == 1 and told in found[0].what, found
    assert "low_income" in found[0].what
    assert list(lint_conditions.errors(LIBRARY, pack)) == []


def test_what_is_judged_one_by_one_is_said():
    pack = LIBRARY.get("service_item", "ga.permit_endorse")
    assert [f.kind for _one, f in lint_conditions.hints(LIBRARY, pack)] == ["left-out"]


def test_unreadable_values_count_as_missing():
    plan = forms.plan(LIBRARY, "mz.marriage_booking")
    one = next(t for t in tables(plan, "mz.marriage_booking", DAY) if t.id == "of_age")
    assert row(plan, {"applicant.birth_date": "前年", "applicant.sex": ""}, one.fields) == {}
    assert expressions.reads(one.data["test"]) >= {"applicant.sex"}
