"""What `packs check` says of publicity packs."""

import copy
from pathlib import Path

import pytest

from yiwang.domains.publicity.lint import lint
from yiwang.kernel.packs.contracts import Pack
from yiwang.kernel.packs.loader import read

LIBRARY, _PROBLEMS = read(Path(__file__).resolve().parents[5] / "packs")
PACK = LIBRARY.get("publicity", "penalties")


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda d: d.update(dataset="nowhere"), "没有数据集「nowhere」"),
        (lambda d: d.update(dataset="tax_status"), "没有字段"),
        (lambda d: d["fields"].append("penalty"), "没有字段「penalty」"),
        (lambda d: d.update(number="no"), "没有字段「no」"),
        (lambda d: d["terms"][0].update(when='kind == "01"'), "="),
        (lambda d: d["terms"][0].update(when='colour = "01"'), "没有字段「colour」"),
        (lambda d: d.update(number="name"), "不是数据集的主键"),
        (
            lambda d: d["terms"][2].update(longest_days=400),
            "公示 longest_days 是 400 天，积分表 max_days 是 365 天",
        ),
        (lambda d: d["terms"][0].update(shortest_days=2000), "长于最长"),
        (lambda d: d["terms"].pop(), "别的情形没有期限"),
        (lambda d: d["terms"][1].pop("when"), "后面的用不上"),
        (lambda d: d["repairs"].update(day="day"), "没有字段「day」"),
    ],
)
def test_the_check_of_packs_says_what_is_wrong(edit, says):
    assert list(lint(LIBRARY)) == []
    assert any(says in what for what in changed(edit))


def test_a_field_that_is_not_public_may_not_be_published():
    dataset = LIBRARY.get("dataset", "ent_registration")
    personal = next(f for f, spec in dataset.data["fields"].items() if spec["level"] != "公开")
    found = changed(lambda d: d.update(dataset="ent_registration", fields=[personal]))
    assert any(f"「{personal}」" in what and "不能公示" in what for what in found)


def changed(edit):
    data = copy.deepcopy(PACK.data)
    edit(data)
    made = Pack(PACK.kind, PACK.id, 2, PACK.name, data, PACK.file, PACK.lines)
    return [p.what for p in lint(LIBRARY.with_packs([made]))]
