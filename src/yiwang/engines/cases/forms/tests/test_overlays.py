"""A county may be faster and ask for less, never the other way round."""

from __future__ import annotations

from typing import Any

import pytest

from yiwang.engines.cases import forms
from yiwang.engines.cases.forms import overlays
from yiwang.kernel.packs.contracts import Library, Pack

from .world import LIBRARY, SIGNED_IN, TYPED, lookup

ITEM = "ga.hukou.birth"


def with_overlay(**data: Any) -> Library:
    whole = {"for": ITEM, "region": "370102", **data}
    return LIBRARY.with_packs([Pack("overlay", "test.one", 1, "测试", whole, "x.yaml", {})])


def said(library: Library) -> list[str]:
    return [str(problem) for problem in overlays.lint(library) if problem.file == "x.yaml"]


def limit(value: int, unit: str = "工作日") -> dict[str, Any]:
    return {"value": value, "unit": unit, "source": "示例"}


@pytest.mark.parametrize(
    ("loosened", "words"),
    [
        ({"promised": limit(2)}, "比全省的 1 工作日长"),
        ({"promised": limit(1, "自然日")}, "无法比较"),
        ({"visits": {"offline": 2}}, "比全省的 1 次多"),
        ({"without": ["passport@child"]}, "本来就不要"),
        ({"for": "ga.nothing"}, "没有事项"),
    ],
)
def test_what_loosens_is_refused_with_the_figure_and_the_remedy(loosened, words):
    (problem,) = said(with_overlay(**loosened))
    assert words in problem
    assert "怎么改" in problem


def test_what_tightens_is_taken_and_applies_in_its_region_only():
    library = with_overlay(promised=limit(0), without=["marriage_cert@mother"])
    assert said(library) == []
    assert forms.overlay_for(library, ITEM, "370102").id == "test.one"
    assert forms.overlay_for(library, ITEM, "370103") is None
    data = forms.overlaid(library.get("service_item", ITEM).data, library.get("overlay", "test.one").data)
    assert data["time"]["promised"]["value"] == 0
    assert data["time"]["legal"] == library.get("service_item", ITEM).data["time"]["legal"]


def test_a_county_overlay_goes_before_its_citys():
    city = Pack("overlay", "test.city", 1, "市", {"for": ITEM, "region": "370100"}, "x.yaml", {})
    library = with_overlay().with_packs([city])
    assert forms.overlay_for(library, ITEM, "370102").id == "test.one"
    assert forms.overlay_for(library, ITEM, "370103").id == "test.city"
    assert forms.overlay_for(library, ITEM, "370202") is None


@pytest.mark.parametrize(("region", "asked"), [("370102", False), ("370103", True)])
def test_a_material_that_a_county_does_without_is_not_wanted_there(region, asked):
    library = with_overlay(without=["marriage_cert@mother"])
    plan = forms.plan(library, ITEM, {"married": True})
    filled, _provenance = forms.fill(plan, SIGNED_IN | TYPED, lookup())
    left = {m.key for m in forms.eased(plan, filled | {"child.hukou_region": region})}
    assert ("marriage_cert@mother" in left) is asked
    assert "birth_cert@child" in left
