"""Bad packs: every one is told with its file, its line and how to mend it, and stops no other file."""

from __future__ import annotations

from pathlib import Path

import pytest

from yiwang.kernel.packs.check import check
from yiwang.kernel.packs.loader import read

ROOT = next(p for p in Path(__file__).resolve().parents if (p / "packs" / "base").is_dir()) / "packs"
HEAD = (
    "kind: codelist\nid: sizes\nname: 规模\nversion: 1\neffective: {from: 2026-01-01}\nsource: 示例：试验\n"
)
GOOD = HEAD + 'codes:\n- {code: "1", name: 大}\n'


def problems(tmp_path: Path, **files: str) -> list[str]:
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    found = check(tmp_path)
    assert all(p.file and p.line and p.what and p.remedy for p in found)
    return [str(p) for p in found]


@pytest.mark.parametrize(
    ("text", "line", "what", "remedy"),
    [
        (GOOD + "name: 又一个\n", 9, "键「name」重复（第 3 行已有）", "合为一处"),
        (GOOD.replace("source:", "on: 1\nsource:"), 6, "「on」没加引号", "加引号"),
        (GOOD.replace('"1"', "07"), 8, "「07」没加引号", "加引号"),
        (GOOD.replace('"1"', "12:30"), 8, "「12:30」没加引号", "加引号"),
        (GOOD.replace("示例：试验", "no"), 6, "「no」没加引号", "true 或 false"),
        (GOOD.replace('"1"', "1"), 8, "应为文字，现为 1", "改成文字"),
        (GOOD.replace("version: 1", 'version: "一"'), 4, "应为整数", "改成整数"),
        (GOOD.replace("codes:", "code:"), 7, "不认识的键「code」", "是不是「codes」？"),
        (GOOD.replace("source: 示例：试验\n", ""), 1, "缺少「source」", "补上 source"),
        (GOOD.replace("kind: codelist", "kind: codelst"), 1, "没有「codelst」这种包", "写成其中之一"),
        (GOOD.replace("- {code", "- &a {code"), 8, "锚点", "去掉锚点"),
        (GOOD.replace("大}", "大"), 9, "不是合法的 YAML", "括号是否成对"),
        (GOOD + '- {code: "1", name: 小}\n', 9, "代码 1 重复", "只写一次"),
        ("", 1, "文件是空的", "删掉文件"),
    ],
)
def test_a_bad_file_is_told_with_line_and_remedy(
    tmp_path: Path, text: str, line: int, what: str, remedy: str
) -> None:
    found = problems(tmp_path, bad=text, good=GOOD.replace("id: sizes", "id: other"))
    assert all(f.startswith("bad.yaml:") for f in found)
    (mine,) = [f for f in found if what in f]
    assert mine.startswith(f"bad.yaml:{line}: ")
    assert remedy in mine
    assert read(tmp_path)[0].find("codelist", "other")


def test_two_files_with_one_id_are_told(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, a=GOOD, b=GOOD)
    assert "b.yaml:2: id「sizes」与 a.yaml 重复" in found


def test_not_utf8_and_the_wrong_extension_are_told(tmp_path: Path) -> None:
    (tmp_path / "gbk.yaml").write_bytes(GOOD.encode("gbk"))
    (tmp_path / "x.yml").write_text(GOOD, encoding="utf-8")
    assert [p.what for p in check(tmp_path)] == ["文件不是 UTF-8 编码", "扩展名是 .yml，不会被读取"]


def test_notices_declare_what_they_use(tmp_path: Path) -> None:
    text = (ROOT / "base/notices/cases.yaml").read_text(encoding="utf-8")
    found = problems(tmp_path, n=text.replace("{reasons}", "{applicant}").replace("{case_no} 。", ""))
    assert any("不利决定文书 decision_deny 没有说明理由" in f for f in found)
    assert any("用了没有声明的占位 {applicant}" in f for f in found)


def test_organisations_and_registers_name_known_functions(tmp_path: Path) -> None:
    text = (ROOT / "shandong/organisations.yaml").read_text(encoding="utf-8")
    register = (ROOT / "base/registers/marriage.yaml").read_text(encoding="utf-8")
    found = problems(tmp_path, o=text.replace("to: 行政审批", "to: 审批"), r=register.replace("民政", "民证"))
    assert any("没有「审批」这个职能" in f for f in found)
    assert any("r.yaml" in f and "没有「民证」这个职能" in f for f in found)


WORDS = """kind: synonyms
id: words
name: 说法
version: 1
effective: {from: 2026-01-01}
source: 示例：试验
groups:
- [身份证, 居民身份证]
- [护照, 身份证]
deeds:
- [补办, 丢了]
ignore: [我, 丢了]
"""


def test_a_word_means_one_thing(tmp_path: Path) -> None:
    one, two = problems(tmp_path, words=WORDS)
    assert one.startswith("words.yaml:9: “身份证”已经在“身份证”那一组")
    assert two.startswith("words.yaml:12: “丢了”既要略去，又在“补办”那一组")


def test_a_bundle_names_a_stage_that_the_life_map_has(tmp_path: Path) -> None:
    life = (ROOT / "base/life/person.yaml").read_text(encoding="utf-8")
    bundle = (ROOT / "shandong/bundles/sd.newborn.yaml").read_text(encoding="utf-8")
    found = problems(
        tmp_path, life=life.replace("id: school", "id: birth"), b=bundle.replace("life: 出生", "life: 初生")
    )
    assert any("life.yaml:10: 阶段标识 birth 重复" in f for f in found)
    assert any("个人没有“初生”这个阶段" in f and "出生" in f for f in found)


def test_a_column_name_belongs_to_one_element(tmp_path: Path) -> None:
    text = (ROOT / "base/catalogue/elements.yaml").read_text(encoding="utf-8")
    text = text.replace("also: [层级]", "also: [部门]").replace(", remedy: 写上事项的规范名称", "")
    found = problems(tmp_path, elements=text.replace("key: code,", "key: kode,"))
    assert any("列名“部门”已经是“实施主体”的叫法" in f for f in found)
    assert any("要素“事项名称”必须有，却没写缺了怎么补" in f for f in found)
    assert any("没有要素 code" in f for f in found)


def test_a_table_of_regions_is_counted(tmp_path: Path) -> None:
    text = (ROOT / "shandong/regions/regions.yaml").read_text(encoding="utf-8")
    (missing,) = problems(tmp_path, regions=text)
    assert "没有区划表 divisions.csv" in missing
    table = (ROOT / "shandong/regions/divisions.csv").read_text(encoding="utf-8")
    (tmp_path / "divisions.csv").write_text(table.rsplit("\n", 2)[0] + "\n", encoding="utf-8")
    assert "区划表有 2020 行" in problems(tmp_path, regions=text)[0]
