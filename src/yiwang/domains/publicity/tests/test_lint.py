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
        (lambda d: d.update(unless='kind == "01"'), "="),
        (lambda d: d.update(unless='colour = "01"'), "没有字段「colour」"),
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
