"""What `packs check` says of matters: their flow, its outcomes, the dataset that they write back to."""

import shutil
from pathlib import Path

import pytest

from yiwang.engines.cases.lint import _matters

PACKS = Path(__file__).resolve().parents[6] / "packs"


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("flow: enterprise.check", "flow: nowhere", "没有流程「nowhere」"),
        ("unless: [not_needed]", "unless: [never]", "没有结果「never」"),
        ("done: not_needed", "done: seen", "没有结果「seen」"),
        ("dataset: inspections", "dataset: nowhere", "没有数据集「nowhere」"),
        ("    authority: organisation\n", "", "必填的字段：authority"),
        ("    kind: '\"2\"'", "    sort: '\"2\"'", "没有字段「sort」"),
    ],
)
def test_the_check_of_packs_says_what_is_wrong(tmp_path, was, now, says):
    shutil.copytree(PACKS / "base", tmp_path / "base")
    assert list(_matters(tmp_path)) == []
    file = tmp_path / "base/matters/enterprise.check.yaml"
    text = file.read_text()
    assert was in text
    file.write_text(text.replace(was, now))
    assert any(says in p.what for p in _matters(tmp_path))
