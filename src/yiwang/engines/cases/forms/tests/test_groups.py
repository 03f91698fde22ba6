"""Repeating groups: several founders in one form, their rules across rows, and the algebra of rows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.engines.cases import forms
from yiwang.engines.cases.forms.contracts import Group, Origin, PlanError
from yiwang.engines.cases.forms.groups import bounds, counted, row_roles, without_row
from yiwang.engines.cases.forms.lint import lint
from yiwang.kernel.packs.contracts import Library, Pack

from .world import FATHER, LIBRARY, MOTHER, lookup

BUNDLE, ITEM = "sd.enterprise_open", "ent.establish"
ALONE = {"finance_self": True}
SIGNED_IN = {"legal.name": "李一一", "legal.idno": MOTHER, "legal.phone": "13800000000"}
THIRD = "379901198001010022"


def several(count: int, **more: Any) -> forms.FormPlan:
    return forms.plan(LIBRARY, BUNDLE, {"finance_self": True, "founder": count, **more})


def filled(plan: forms.FormPlan, **typed: Any) -> dict[str, Any]:
    data = SIGNED_IN | {"ent.capital": 100} | {k.replace("__", "."): v for k, v in typed.items()}
    return forms.fill(plan, data, lookup())[0]


def said(plan: forms.FormPlan, data: dict[str, Any]) -> dict[str, str]:
    return {e.path: e.message for e in forms.check(plan, data, {m.key: "x" for m in plan.uploads})}


# ---- what an applicant notices


def test_one_founder_is_asked_nothing_about_founders() -> None:
    plan = forms.plan(LIBRARY, BUNDLE, ALONE)
    assert plan.groups == ()
    assert not [f.path for f in plan.fields if f.path.startswith("founder") or f.path == "legal.share"]
    assert "founders" not in [p.id for p in plan.pages]
    assert [(p.id, p.opens) for p in plan.pages if p.opens] == [("company", ("founder",))]  # the button
    assert [g.label for g in plan.closed] == ["股东"]
    assert plan.field("legal.share_amount").origin is Origin.DERIVED


def test_the_applicant_is_the_first_founder_and_is_not_asked_his_name_again() -> None:
    plan = several(3)
    page = next(p for p in plan.pages if p.id == "founders")
    assert plan.group("founder").rows == ("legal", "founder_2", "founder_3")
    assert [p for p in page.fields if p.endswith(".share")] == [
        "legal.share",
        "founder_2.share",
        "founder_3.share",
    ]
    assert plan.field("legal.name").origin is Origin.PREFILLED
    assert plan.field("founder_2.name").label == "股东2的姓名"
    assert plan.field("ent.kind").default == "有限责任公司（自然人投资或控股）"


def test_a_wrong_cell_is_refused_with_its_row_field_value_and_remedy() -> None:
    plan = several(2)
    value, error = forms.validate(plan, "founder_2.share", "三成")
    assert (value, error.message) == (
        "三成",
        "股东2的持股比例（%） “三成” 应为数字，小数最多四位，例如 33.33",
    )
    assert forms.validate(plan, "founder_2.share", "33.50") == ("33.5", None)
    assert "股东3" in several(3).field("founder_3.idno").label


def test_shares_that_do_not_make_a_hundred_are_refused_with_what_they_make() -> None:
    plan = several(3)
    thirds = {"legal__share": "33.33", "founder_2__share": "33.33", "founder_3__share": "33.33"}
    wrong = said(plan, filled(plan, **thirds))
    assert wrong["legal.share"] == "各位股东的持股比例合计应为 100%，现为 99.99。请改其中几位的持股比例"
    assert "legal.share" not in said(plan, filled(plan, **thirds | {"legal__share": "33.34"}))


def test_contributions_make_the_capital_and_nobody_is_named_twice() -> None:
    plan = several(2)
    wrong = said(plan, filled(plan, legal__amount=60, founder_2__amount=30, founder_2__idno=MOTHER))
    assert "现为 90" in wrong["legal.amount"]
    assert "每位股东只填一次" in wrong["legal.idno"]
    right = said(plan, filled(plan, legal__amount=70, founder_2__amount=30, founder_2__idno=FATHER))
    assert not {"legal.amount", "legal.idno"} & right.keys()


def test_a_rule_waits_for_what_is_missing_and_that_is_asked_for_itself() -> None:
    plan = several(2)
    wrong = said(plan, filled(plan, legal__share="60"))
    assert "legal.share" not in wrong
    assert wrong["founder_2.share"].startswith("请填写股东2的持股比例")


def test_what_is_typed_of_others_shows_nothing_from_registers() -> None:
    """Typing somebody's number must not bring up that person's name."""
    plan = several(2)
    data = filled(plan, founder_2__idno=FATHER)
    assert data.get("founder_2.name") is None


def test_the_register_names_the_only_founder_or_all_of_them() -> None:
    alone = forms.plan(LIBRARY, BUNDLE, ALONE)
    own = forms.project(alone, ITEM, filled(alone)) | {"ent.uscc": "91370102MB00000193"}
    assert dict(_written(alone, own))["gd"] == "李一一"
    plan = several(3)
    data = filled(plan, founder_2__name="王二二", founder_3__name="赵三三", legal__share="50")
    own = forms.project(plan, ITEM, data | {"founder_2.share": "30", "founder_3.share": "20"})
    fields = dict(_written(plan, own | {"ent.uscc": "91370102MB00000193"}))
    assert (fields["gd"], fields["gdbl"]) == ("李一一、王二二、赵三三", "50、30、20")


def _written(plan: forms.FormPlan, own: dict[str, Any]) -> dict[str, Any]:
    return next(f for register, _, f in forms.write_backs(plan, ITEM, own) if register == "enterprises")


@pytest.mark.parametrize("told", [None, 0, 1, True, "3"])
def test_fewer_than_two_founders_are_one(told) -> None:
    plan = forms.plan(LIBRARY, BUNDLE, ALONE | {"founder": told, "several": True})
    assert plan.groups == ()
    assert plan.answers["several"] is False


def test_an_item_alone_has_a_page_for_its_group() -> None:
    plan = forms.plan(LIBRARY, ITEM, ALONE | {"founder": 2})
    page = next(p for p in plan.pages if p.id == "founder")
    assert page.fields[-4:] == tuple(f"founder_2.{c}" for c in ("name", "idno", "amount", "share"))
    assert [p.opens for p in forms.plan(LIBRARY, ITEM, ALONE).pages if p.opens] == [("founder",)]


@pytest.mark.parametrize("count", [2, 3, 7])
def test_the_item_gets_every_row_back_in_its_own_form(count: int) -> None:
    plan = several(count)
    rows = {
        f"founder_{n}": {"name": f"股东{n}", "idno": FATHER, "amount": n, "share": "10"}
        for n in range(2, count + 1)
    }
    data = filled(
        plan, **{f"{r}__{k}": v for r, row in rows.items() for k, v in row.items()}, legal__amount=1
    )
    own = forms.project(plan, ITEM, data)
    for row, cells in rows.items():
        assert {k.split(".")[1]: v for k, v in own.items() if k.startswith(f"{row}.")} == cells
    assert own["legal.amount"] == 1
    alone = forms.plan(LIBRARY, ITEM, {"founder": count})  # as the office that handles the item reads it
    assert {p for p in own if p.startswith("founder_")} <= {f.path for f in alone.fields}
    told = {t.key for t in forms.catalogue_of_told(plan) if ITEM in t.items}
    assert {f"founder_{count}.share", "legal.amount"} <= told


def test_a_certificate_and_a_register_name_all_of_them() -> None:
    item = LIBRARY.get("service_item", ITEM)
    outputs = dict(item.data["outputs"])
    outputs["licence"] = {**outputs["licence"], "fields": ["ent.name", "founder.name"]}
    pack = Pack(
        item.kind, item.id, item.version, item.name, {**item.data, "outputs": outputs}, item.file, item.lines
    )
    plan = forms.plan(LIBRARY.with_packs([pack]), BUNDLE, {"founder": 2})
    data = filled(plan, founder_2__name="王二二")
    found = forms.licence(plan, ITEM, forms.project(plan, ITEM, data))
    assert ("股东的姓名", "李一一、王二二") in found.rows


# ---- the algebra


def group(low: int, high: int, first: str | None = None, columns: tuple[str, ...] = ("name",)) -> Group:
    return Group("founder", "股东", "founder", low, high, first, columns, ())


BOUNDS = st.tuples(st.integers(1, 20), st.integers(1, 20)).map(sorted)


@given(BOUNDS, BOUNDS, BOUNDS, st.integers(-5, 60))
def test_the_strictest_bounds_win_whatever_the_order(a, b, c, asked) -> None:
    def merged(*pairs: list[int]) -> tuple[int, int] | None:
        try:
            found = group(*pairs[0])
            for pair in pairs[1:]:
                found = bounds(found, group(*pair))
        except PlanError:
            return None
        return found.min, found.max

    together = merged(a, b, c)
    assert together == merged(c, a, b) == merged(b, c, a) == merged(c, b, a, a)
    if together is not None:
        low, high = together
        assert low <= counted(group(low, high), {"founder": asked}) <= high
        assert counted(group(low, high), {}) == low


CELL = st.text(st.characters(codec="utf-8", categories=("L",)), max_size=4)


@given(st.lists(st.dictionaries(st.sampled_from(["name", "share"]), CELL), min_size=2, max_size=8), st.data())
def test_taking_a_row_out_of_a_list_and_out_of_the_form_is_the_same(rows, data) -> None:
    names = row_roles("founder", "legal", len(rows))
    full = Group("founder", "股东", "founder", 1, 50, "legal", ("name", "share"), names)
    flat = {f"{n}.{k}": v for n, row in zip(names, rows, strict=True) for k, v in row.items()}
    others = {"ent.name": "某某", "founder": 3, "id_card@legal": "f1"}
    cards = {f"id_card@{n}": n for n in names[1:]}
    gone = data.draw(st.integers(2, len(rows)))
    left = without_row(full, gone, flat | others | cards)
    want = [row for n, row in enumerate(rows, start=1) if n != gone]
    fewer = row_roles("founder", "legal", len(want))
    assert {k: v for k, v in left.items() if k.split(".")[0] in fewer} == {
        f"{n}.{k}": v for n, row in zip(fewer, want, strict=True) for k, v in row.items()
    }
    assert {k: left[k] for k in others} == others
    assert [v for k, v in left.items() if k.startswith("id_card@founder")] == [
        n for n in names[1:] if n != names[gone - 1]
    ]


@given(st.lists(CELL, min_size=1, max_size=6))
def test_a_row_added_at_the_end_and_taken_out_again_changes_nothing(names) -> None:
    rows = row_roles("founder", None, len(names))
    before = {f"{r}.name": v for r, v in zip(rows, names, strict=True)}
    more = row_roles("founder", None, len(names) + 1)
    full = Group("founder", "股东", "founder", 1, 50, None, ("name",), more)
    assert without_row(full, len(more), before | {f"{more[-1]}.name": "新"}) == before


def test_the_first_row_that_is_somebody_else_cannot_be_taken_out() -> None:
    full = Group("founder", "股东", "founder", 2, 50, "legal", ("name",), row_roles("founder", "legal", 3))
    for number in (0, 1, 4):
        with pytest.raises(ValueError, match=str(number)):
            without_row(full, number, {})


@given(st.integers(2, 12), st.lists(st.integers(0, 10000), min_size=12, max_size=12))
def test_the_rule_on_shares_is_the_sum_that_anybody_would_add_up(count, hundredths) -> None:
    plan = several(count)
    shares = {row: str(n / 100) for row, n in zip(plan.group("founder").rows, hundredths, strict=False)}
    data = SIGNED_IN | {f"{row}.share": text for row, text in shares.items()}
    broken = [e for e in forms.check(plan, data, {}) if "合计应为 100%" in e.message]
    assert bool(broken) == (sum(hundredths[:count]) != 10000)


# ---- packs


def with_item(**changes: Any) -> Library:
    item = LIBRARY.get("service_item", ITEM)
    data = {**item.data, **changes}
    return LIBRARY.with_packs([Pack(item.kind, item.id, item.version, item.name, data, "x.yaml", item.lines)])


def test_items_that_cannot_agree_on_how_many_are_a_fault_of_the_pack() -> None:
    roles = dict(LIBRARY.get("service_item", ITEM).data["roles"])
    roles["founder"] = {**roles["founder"], "many": {**roles["founder"]["many"], "min": 60, "max": 80}}
    with pytest.raises(PlanError, match="股东的人数没有交集：至少 60 又至多 50"):
        forms.plan(with_item(roles=roles), BUNDLE, {"founder": 2})


@pytest.mark.parametrize(
    ("many", "words"),
    [
        ({"min": 3, "max": 2, "source": "示例"}, "最少 3 位，最多 2 位"),
        ({"min": 1, "max": 2, "source": "示例", "first": "nobody"}, "没有角色 nobody"),
        ({"min": 1, "max": 2, "source": "示例", "first": "ent"}, "不是同类"),
        ({"min": 1, "max": 2, "source": "示例", "when": "seveal"}, "没有情形或函数 seveal"),
        ({"min": 2, "max": 3, "source": "示例", "when": "finance_self", "opens": "several"}, "只能写一个"),
        ({"min": 2, "max": 3, "source": "示例", "opens": "finance_self"}, "已是一个情形"),
    ],
)
def test_a_group_that_cannot_be_is_named_with_the_remedy(many, words) -> None:
    roles = dict(LIBRARY.get("service_item", ITEM).data["roles"])
    roles["founder"] = {**roles["founder"], "many": many}
    problems = [str(p) for p in lint(with_item(roles=roles))]
    assert any(words in p and "怎么改" in p for p in problems), problems


def test_rules_and_defaults_read_only_what_there_is() -> None:
    rule = {"id": "x", "text": "应", "test": "sum(founder.shares) = 100", "at": "founder.share", "else": "改"}
    assert any("shares" in str(p) and "x.yaml" in str(p) for p in lint(with_item(rules=[rule])))
