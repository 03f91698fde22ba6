"""Each lint rule, by spoiling one thing in the real packs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from yiwang.engines.cases.forms.lint import lint
from yiwang.kernel.packs.check import check

from .world import PACKS

HUKOU, CERT = "shandong/services/ga.hukou.birth.yaml", "shandong/services/ws.birth_cert.yaml"
NEWBORN, CHILD = "shandong/bundles/sd.newborn.yaml", "base/elements/child.yaml"
SPOILT = [
    (
        "L1",
        HUKOU,
        "child.hukou_with,",
        "child.hukou_wth,",
        "没有「新生儿」的数据元 hukou_wth",
        "是不是 hukou_with？",
    ),
    (
        "L1",
        HUKOU,
        "materials: [birth_cert@child",
        "materials: [brth_cert@child",
        "没有材料 brth_cert",
        "birth_cert",
    ),
    ("L1", HUKOU, 'service.delivery = "邮寄', 'service.delivery == "邮寄', "读不懂", "一个等号"),
    ("L1", HUKOU, "required: married}", "required: maried}", "没有情形或函数 maried", "married"),
    ("L1", HUKOU, "today) < 1'", "todday) < 1'", "没有情形或函数 todday", "用"),
    (
        "L1",
        CHILD,
        "key: mother.idno, field: xb",
        None,
        "没有登记库 birth_facility 的字段 xingbie",
        "可用",
    ),
    ("L1", CHILD, "codelist: gbt3304", "codelist: gbt3305", "没有代码表 gbt3305", "gbt3304"),
    ("L1", CERT, "flow: std.instant", "flow: std.instnt", "没有流程 std.instnt", "std.instant"),
    (
        "L2",
        NEWBORN,
        "bind: {wife: mother, husband: father}",
        "bind: {wife: mother}",
        "角色 husband 没有绑定",
        "bind",
    ),
    ("L2", NEWBORN, "bind: {wife: mother,", "bind: {wife: child, wfe: mother,", "没有角色 wfe", "wife"),
    ("L3", NEWBORN, 'mother.relation: "52"', "mother.relation: 母亲", "不在可选范围内", "代码"),
    ("L4", NEWBORN, "lookup: {register: marriage, key: mother.idno, field: posfz}", None, "查询键", "known"),
    ("L5", CERT, "allocate: {method: serial, prefix: Z, digits: 9}", None, "没有来源", "allocate"),
    (
        "L6",
        NEWBORN,
        "constants:",
        "after: [{item: ws.birth_cert, after: rs.sscard, why: 试验}]\nconstants:",
        "循环",
        "",
    ),
    ("L6", CHILD, "derive: date_of(birth_time)", "derive: date_of(birth_date)", "推导成环", "derive"),
    (
        "L8",
        HUKOU,
        "promised: {value: 1,",
        "promised: {value: 9,",
        "承诺 9 工作日长于法定 3 工作日",
        "不超过 3",
    ),
    (
        "L8",
        HUKOU,
        "promised: {value: 1, unit: 工作日",
        "promised: {value: 1, unit: 小时",
        "不能比较",
        "同一单位",
    ),
    (
        "L9",
        HUKOU,
        "legal: {value: 3, unit: 工作日, source: 示例：可由本级修改}",
        None,
        "时限没有依据",
        "source",
    ),
    (
        "L10",
        CHILD,
        "photo: {name: 电子照片, type: image, level: 敏感个人信息",
        None,
        "没有标数据级别",
        "level",
    ),
    ("L10", NEWBORN, "[population, marriage,", "[population,", "没有列入征得同意", "consent"),
    ("L11", HUKOU, "summary: 给孩子上户口", "summary: 交 3 份材料就给孩子上户口", "文案写“3 份材料”", "应为"),
    ("L12", NEWBORN, "asked_fields_max: 10", "asked_fields_max: 5", "须填字段 9，门槛 5", "不得发布"),
    (
        "",
        NEWBORN,
        "asked: [child.ethnic, ",
        "asked: [",
        "测试「库都通时只填这些」不通过：要填的字段多了 child.ethnic",
        "期望",
    ),
]
SHORTER = {
    "key: mother.idno, field: xb": "key: mother.idno, field: xingbie",
    "lookup: {register: marriage, key: mother.idno, field: posfz}": (
        "lookup: {register: marriage, key: child.idno, field: posfz}"
    ),
    "allocate: {method: serial, prefix: Z, digits: 9}": "",
    "legal: {value: 3, unit: 工作日, source: 示例：可由本级修改}": "legal: {value: 3, unit: 工作日}",
    "photo: {name: 电子照片, type: image, level: 敏感个人信息": "photo: {name: 电子照片, type: image",
}


def test_the_whole_tree_is_clean() -> None:
    assert [str(p) for p in check(PACKS, [lint])] == []


@pytest.mark.parametrize(
    ("rule", "file", "old", "new", "what", "remedy"),
    SPOILT,
    ids=[f"{s[0] or 'test'}-{n}" for n, s in enumerate(SPOILT)],
)
def test_each_rule_finds_what_was_spoilt(
    tmp_path: Path, rule: str, file: str, old: str, new: str | None, what: str, remedy: str
) -> None:
    root = tmp_path / "packs"
    shutil.copytree(PACKS, root)
    text = (root / file).read_text(encoding="utf-8")
    assert old in text
    spoilt = text.replace(old, SHORTER[old] if new is None else new, 1).replace(", }", "}")
    (root / file).write_text(spoilt, encoding="utf-8")
    found = check(root, [lint])
    mine = [p for p in found if p.rule == rule and what in p.what and remedy in p.remedy]
    assert mine, [str(p) for p in found]
    assert all(p.file == file for p in mine)
    assert mine[0].line > 1
