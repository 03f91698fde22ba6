"""A policy as a pack writes it: refused with the remedy, or judged with an explanation."""

from datetime import date
from decimal import Decimal

import pytest

from yiwang.engines.judge.rules import Codes, Judge, NotARule, Status, load_fields, load_policy

REGIONS = Codes("regions", {"37": "山东省", "3701": "济南市", "370102": "历下区", "3702": "青岛市"})
FIELDS = load_fields(
    {
        "region": {"label": "注册地", "type": "code", "codes": "regions", "source": "市场监管库"},
        "patents": {"label": "专利", "type": "number", "unit": "件", "source": "知识产权库"},
        "revenue": {"label": "营业收入", "type": "number", "scale": 2, "digits": 14, "unit": "万元"},
        "rd": {"label": "研发费用", "type": "number", "scale": 2, "digits": 14, "unit": "万元"},
        "founded": {"label": "成立日期", "type": "date"},
        "dishonest": {"label": "严重失信", "type": "boolean"},
        "ratio": {"label": "研发强度", "type": "number", "scale": 4, "derive": "rd / revenue"},
        "age": {"label": "成立天数", "type": "number", "derive": "(today - founded).days"},
    },
    {"regions": REGIONS},
)
TODAY = date(2026, 11, 25)


def policy(*rules, **more):
    rules = [{"id": f"r{i}", "when": when} for i, when in enumerate(rules, 1)]
    return load_policy({"id": "p", "name": "培育", "rules": rules, **more}, FIELDS, TODAY)


def verdict(row, *rules, **more):
    return Judge([policy(*rules, **more)], FIELDS, TODAY).explain(row)[0]


GROW = {
    "region": {"test": 'starts with(?, "3701")', "hard": True, "clause": "第二条"},
    "patents": {"test": ">= 3", "clause": "第三条"},
    "ratio": ">= 0.03",
    "dishonest": "false",
}
GOOD = {
    "region": "370102",
    "patents": 3,
    "rd": Decimal("30"),
    "revenue": Decimal("1000"),
    "dishonest": False,
}


def test_entitled_with_value_source_and_clause():
    found = verdict(GOOD, GROW)
    assert (found.status, found.word) == (Status.ENTITLED, "符合")
    assert found.findings[1].as_dict == {
        "field": "patents",
        "label": "专利",
        "test": ">= 3",
        "value": "3 件",
        "source": "知识产权库",
        "answer": True,
        "clause": "第三条",
        "hard": False,
        "suggestion": "",
    }


def test_one_short_says_how_much():
    found = verdict({**GOOD, "patents": 2}, GROW)
    assert found.word == "差1项"
    assert found.findings[1].suggestion == "专利 ≥ 3 件，现有 2 件，差 1 件"
    found = verdict({**GOOD, "rd": Decimal("12.34")}, GROW)
    assert found.findings[2].suggestion == "研发强度 ≥ 0.03，现有 0.0123，差 0.0177"


def test_missing_is_asked_for_by_what_can_be_supplied():
    found = verdict({**GOOD, "rd": None}, GROW)
    assert (found.word, found.findings[2].suggestion) == ("缺资料", "请补充研发费用")


def test_a_missing_value_never_counts_as_good_standing():
    assert verdict({}, {"dishonest": "not(true)"}).status is Status.MISSING
    assert verdict({}, {"dishonest": "null, false"}).status is Status.ENTITLED
    assert verdict({}, {"dishonest": "-"}).status is Status.ENTITLED


def test_what_nobody_can_change_is_not_suggested():
    found = verdict({**GOOD, "region": "370202", "patents": 1}, GROW)
    assert found.word == "不符合"
    assert not any(finding.suggestion for finding in found.findings)


def test_one_of_several_rules_is_enough_and_the_nearest_is_told():
    assert verdict(GOOD, {"patents": ">= 50"}, {"patents": "> 2"}).rule.id == "r2"
    found = verdict(GOOD, {"patents": ">= 50", "dishonest": "true"}, {"patents": ">= 9"})
    assert (found.rule.id, found.short) == ("r2", 1)
    found = verdict(GOOD, {"patents": ">= 1"}, {"patents": ">= 2"}, hit_policy="UNIQUE")
    assert "r1、r2" in found.fault


def test_age_counts_from_the_day_of_judgement():
    assert verdict({"founded": date(2025, 11, 25)}, {"age": ">= 365"}).status is Status.ENTITLED
    found = verdict({"founded": date(2026, 11, 24)}, {"founded": '<= today - duration("P1Y")'})
    assert found.findings[0].suggestion == "成立日期 ≤ 2025-11-25，现有 2026-11-24，超出 364 天"


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"patents": ">= "}, "第 4 个字符处"),
        ({"patent": ">= 3"}, "是不是「patents」"),
        ({"region": '"370199"'}, "代码「370199」不在代码表「regions」中"),
        ({"region": "370102x"}, "第"),
        ({"dishonest": "yes"}, "没有登记的「yes」"),
        ({"patents": [1]}, "不是条件"),
    ],
)
def test_what_is_wrong_is_told_with_place_and_remedy(rules, said):
    with pytest.raises(NotARule) as caught:
        policy(rules)
    assert said in str(caught.value)
    assert "政策「培育」规则「r1」" in str(caught.value)
    assert "；" in str(caught.value)


def test_a_period_that_ends_before_it_begins_is_refused():
    with pytest.raises(NotARule, match="期限在开始之前就结束了"):
        policy({"patents": "> 1"}, effective={"from": "2026-02-01", "to": "2026-01-01"})


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"a": {"derive": "b + 1"}, "b": {"derive": "a + 1"}}, "a、b 互相引用成环"),
        ({"a": {"derive": "zz + 1"}}, "没有登记的「zz」"),
        ({"a": {"derive": "1 +"}}, "第 4 个字符处"),
        ({"a": {"type": "number"}, "b": {"derive": "sqrt(a)"}}, "不能用函数「sqrt」"),
        ({"a": {"type": "number"}, "b": {"derive": "a * a * a"}}, "请为字段声明较小的 digits"),
        ({"a": {"type": "text"}}, "类型「text」不能用"),
        ({"a b": {"type": "number"}}, "名称不能用"),
    ],
)
def test_fields_are_refused_with_the_remedy(raw, said):
    with pytest.raises(NotARule) as caught:
        load_fields(raw)
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["> registered", "? * 2 > 5", 'contains(?, "a")', "> now().year"])
def test_what_cannot_be_taken_in_bulk_says_why(text):
    fields = load_fields({"x": {"type": "number"}, "registered": {"type": "number"}})
    one = load_policy({"id": "p", "name": "n", "rules": [{"id": "r", "when": {"x": text}}]}, fields)
    assert one.scalar_only()[0].startswith("规则「r」的「x」逐户判断：")


def test_a_value_that_does_not_fit_its_field_counts_as_missing():
    assert verdict({**GOOD, "patents": "three"}, GROW).status is Status.MISSING
    assert verdict({**GOOD, "patents": Decimal("2.5")}, GROW).status is Status.MISSING
