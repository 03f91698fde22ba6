"""The file's plan, facts compared, relations drawn: pure parts."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.domains.enterprise.portrait.contracts import Said
from yiwang.domains.enterprise.portrait.facts import difference, form, said
from yiwang.domains.enterprise.portrait.graph import BOX, HIGH, LETTERS, MOST, WIDTH, draw, wrapped
from yiwang.domains.enterprise.portrait.lint import lint
from yiwang.domains.enterprise.portrait.loading import plan_of
from yiwang.kernel.packs.contracts import Pack
from yiwang.kernel.packs.loader import read

LIBRARY, _PROBLEMS = read(Path(__file__).resolve().parents[6] / "packs")
PACK = LIBRARY.get("enterprise_file", "enterprise")
PLAN = plan_of(PACK, LIBRARY)
FACTS = {f.id: f for f in PLAN.facts}
NAMES = st.text("济南示例（）() ａＡa1１", max_size=40)


def test_width_case_blanks_and_brackets_make_no_difference():
    fact = FACTS["name"]
    one, two = "济南ＡＢ餐饮（示例） 有限公司", "济南ab餐饮(示例)有限公司"
    assert form(fact, fact.authority, one) == form(fact, fact.authority, two)
    assert form(fact, fact.authority, "济南ＡＢ") != form(fact, fact.authority, "济南ac")


def test_codes_of_two_departments_are_compared_in_common_words():
    fact = FACTS["status"]
    tax = next(s for s in fact.others if s.dataset.id == "tax_status")
    running = Said("k", "1", form(fact, fact.authority, "1"), date(2026, 1, 1))
    closed = Said("k", "05", form(fact, tax, "05"), date(2026, 2, 1))
    odd = Said("k", "03", form(fact, tax, "03"), date(2026, 2, 1))
    assert difference(fact, tax, running, closed) == "newer"
    assert difference(fact, tax, running, Said("k", "05", "已停止", date(2025, 2, 1))) == "differs"
    assert difference(fact, tax, running, odd) == ""  # 非正常 says nothing on whether it exists
    assert difference(fact, tax, running, None) == "absent"
    assert difference(fact, tax, None, closed) == "unknown"


def test_the_latest_record_of_a_source_counts():
    fact = FACTS["name"]
    reports = next(s for s in fact.others if s.dataset.id == "annual_reports")
    rows = [
        {"uscc": "E", "year": y, "name": f"第{y}", "reported_on": date(y + 1, 5, 1)} for y in (2024, 2022)
    ]
    assert said(fact, reports, rows).value == "第2024"
    assert said(fact, reports, []) is None


@given(st.sampled_from(list(FACTS)), NAMES | st.none(), NAMES | st.none())
def test_whoever_says_the_same_is_in_no_conflict(id, one, two):
    fact = FACTS[id]
    a, b = (Said("k", v, form(fact, fact.authority, v), date(2026, 1, 1)) for v in (one, two))
    assert difference(fact, fact.others[0], a, a) == ""
    if difference(fact, fact.others[0], a, b):
        assert a.plain != b.plain


@given(*[st.lists(st.tuples(NAMES, NAMES), max_size=12)] * 2)
def test_every_box_lies_in_the_drawing_and_none_on_another(left, right):
    found = draw("本企业", left, right)
    assert all(0 <= b.x <= WIDTH - BOX and 0 <= b.y <= found.height - HIGH for b in found.boxes)
    places = [(b.x, b.y) for b in found.boxes]
    assert len(set(places)) == len(places) == len(found.lines) + 1
    for one in found.boxes:
        assert sum(b.x == one.x and abs(b.y - one.y) < HIGH for b in found.boxes) == 1
    assert found.left_out == max(0, len(left) - MOST) + max(0, len(right) - MOST)


@given(NAMES)
def test_names_fit_into_their_boxes(name):
    assert all(len(line) <= LETTERS for line in wrapped(name)) and len(wrapped(name)) <= 2


def changed(edit):
    import copy

    data = copy.deepcopy(PACK.data)
    edit(data)
    made = Pack(PACK.kind, PACK.id, 2, PACK.name, data, PACK.file, PACK.lines)
    return [p.what for p in lint(LIBRARY.with_packs([made]))]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda d: d["relations"].update(dataset="nowhere"), "不存在"),
        (lambda d: d["relations"].update(share="nothing"), "没有字段"),
        (lambda d: d["facts"][0]["sources"][0].update(field="legal_name"), "个人信息"),
        (lambda d: d["facts"][0].update(authority="penalties"), "恰好一次"),
        (lambda d: d["facts"][1]["sources"][0].pop("values"), "没有 values"),
    ],
)
def test_the_check_of_packs_says_what_is_wrong(edit, says):
    assert list(lint(LIBRARY)) == []
    assert any(says in what for what in changed(edit))
