"""Policies as packs: the province's library is right, and what an author gets wrong is told with file and line."""

import copy
import csv
from datetime import date
from pathlib import Path

import pytest

from yiwang.engines.judge import library as policies
from yiwang.kernel.packs.contracts import Library, Pack
from yiwang.kernel.packs.loader import read

ROOT = Path(__file__).resolve().parents[5] / "packs"


@pytest.fixture(scope="module")
def tree():
    return read(ROOT)[0]


@pytest.fixture(scope="module")
def regions():
    with (ROOT / "shandong/regions/divisions.csv").open(encoding="utf-8-sig") as lines:
        return {row["code"]: row["name"] for row in csv.DictReader(lines)}


def changed(tree: Library, id_: str, change) -> Library:
    pack = tree.get("policy", id_)
    data = copy.deepcopy(dict(pack.data))
    change(data)
    return tree.with_packs([Pack("policy", id_, 2, pack.name, data, pack.file, pack.lines)])


def test_the_library_has_forty_policies_and_no_fault(tree, regions):
    assert len(tree.all("policy")) >= 40
    assert {p.data["level"] for p in tree.all("policy")} == {"省级", "市级", "县级"}
    assert {p.data["mode"] for p in tree.all("policy")} == {"免申即享", "告知承诺", "快速兑付", "常规申报"}
    assert list(policies.lint(tree, regions)) == []


@pytest.mark.parametrize(
    ("change", "line_of", "words"),
    [
        (lambda d: d["effective"].update({"to": "2025-01-01"}), ("effective", "to"), "还没开始就结束了"),
        (lambda d: d["conditions"][0].update(field="研发费"), ("conditions", 0), "没有登记这个字段；是不是「研发费用」"),
        (lambda d: d["conditions"][0].update(test=">= 1o0"), ("conditions", 0), ">= 1o0"),
        (lambda d: d["issuer"].update(region="370999"), ("issuer", "region"), "370999 不存在"),
        (lambda d: d["issuer"].update(function="魔法"), ("issuer", "function"), "魔法"),
        (lambda d: d.update(exclusive=[{"with": "no.such", "why": "x"}]), (), "no.such 不存在"),
        (lambda d: d["benefit"].update(amount="研发费用 *"), ("benefit", "amount"), "研发费用 *"),
        (lambda d: d["tests"][0].update(amount=1), ("tests", 0), "应得 1 元"),
        (lambda d: d["tests"][0].update(status="不符合"), ("tests", 0), "判为符合"),
        (lambda d: d["conditions"].append(d["conditions"][0]), (), "写了两个条件"),
        (lambda d: d["conditions"].append({"field": "行业", "test": '"Z99"', "text": "x", "clause": "x"}), (), "Z99"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_stands(tree, regions, change, line_of, words):
    found = list(policies.lint(changed(tree, "kj.rd_subsidy", change), regions))
    assert len(found) >= 1
    told = " ".join(f"{p.what}；{p.remedy}" for p in found)
    assert words in told
    pack = tree.get("policy", "kj.rd_subsidy")
    assert found[0].file == pack.file
    if line_of:
        assert found[0].line == pack.line(*line_of)


def test_a_policy_is_in_force_on_its_first_and_last_day(tree):
    packs = [tree.get("policy", "kj.rd_subsidy")]
    assert policies.in_force(packs, date(2026, 1, 1)) == packs == policies.in_force(packs, date(2026, 12, 31))
    assert policies.in_force(packs, date(2027, 1, 1)) == [] == policies.in_force(packs, date(2025, 12, 31))
