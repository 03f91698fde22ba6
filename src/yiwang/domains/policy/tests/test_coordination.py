"""E34 on the province's own library: what an edit of one policy makes of its neighbours."""

import copy
import csv
from datetime import date
from pathlib import Path

import pytest

from yiwang.domains.policy.coordination import CONFLICT, GAP, OVERLAP, TWICE, relations
from yiwang.engines.judge.library import frame
from yiwang.kernel.packs.loader import read

ROOT = Path(__file__).resolve().parents[5] / "packs"
DAY = date(2026, 11, 25)


@pytest.fixture(scope="module")
def library():
    return read(ROOT)[0]


@pytest.fixture(scope="module")
def found(library):
    with (ROOT / "shandong/regions/divisions.csv").open(encoding="utf-8-sig") as lines:
        regions = {row["code"]: row["name"] for row in csv.DictReader(lines)}
    declared = frame(library, regions)

    def of(id_, change=lambda d: None, others=()):
        data = copy.deepcopy(dict(library.get("policy", id_).data))
        change(data)
        there = [library.get("policy", o).data for o in others] or [p.data for p in library.all("policy")]
        return {(r.kind, r.other) for r in relations(data, there, declared, DAY)}

    return of


def test_money_twice_is_told_until_an_exclusion_settles_it(found):
    assert (OVERLAP, "jn.rd_grow") in found("kj.rd_subsidy")  # one group: settled
    assert (TWICE, "jn.rd_grow") in found("kj.rd_subsidy", lambda d: d.pop("group"))


def test_conditions_that_nobody_meets_together(found):
    assert (CONFLICT, "gx.equip") in found("yt.equip", lambda d: d["conditions"][1].update(test="< 500"))
    assert (CONFLICT, "gx.equip") not in found("yt.equip")


def test_a_gap_in_time_before_the_successor(library, found):
    def later(data):
        data["id"] = "kj.rd_next"
        data["effective"] = {"from": "2027-03-01", "to": "2027-12-31"}

    assert (GAP, "kj.rd_subsidy") in found("kj.rd_subsidy", later)


def test_another_city_is_no_neighbour(found):
    assert not {other for _kind, other in found("qd.ecommerce")} & {"jn.export_grow"}
