"""What `yiwang packs check` says of the extension attributes of a flow."""

import shutil

import pytest

from yiwang.engines.cases.lint import check_packs

from .world import PACKS


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('yw:visitors="inspector"', "", "从哪种岗位里选"),
        ('yw:visitors="inspector"', 'yw:visitors="guest"', "岗位 guest 不存在"),
        ('yw:role="decider"', 'yw:role="chief"', "岗位 chief 不存在"),
    ],
)
def test_a_wrong_attribute_is_named(tmp_path, was, now, said):
    shutil.copytree(PACKS, tmp_path / "packs")
    flow = tmp_path / "packs/base/flows/std.visit.bpmn"
    flow.write_text(flow.read_text().replace(was, now))
    assert any(said in str(p) and "std.visit" in p.file for p in check_packs(tmp_path / "packs"))


def test_a_group_of_one_step_says_nothing_about_persons(tmp_path):
    shutil.copytree(PACKS, tmp_path / "packs")
    flow = tmp_path / "packs/base/flows/std.visit.bpmn"
    flow.write_text(flow.read_text().replace('yw:distinct="visit"', "", 1))
    assert any("只有这一个环节" in str(p) for p in check_packs(tmp_path / "packs"))
