"""The province's copy: changes lie over the file they were made for, and over no other."""

import csv
import shutil
from pathlib import Path

import pytest

from yiwang.domains.policy import province
from yiwang.engines.judge.library import frame
from yiwang.kernel.packs.loader import read

ROOT = Path(__file__).resolve().parents[5] / "packs"


@pytest.fixture
def declared(tmp_path, monkeypatch):
    monkeypatch.setattr(province, "folder", lambda: tmp_path)
    with (ROOT / "shandong/regions/divisions.csv").open(encoding="utf-8-sig") as lines:
        regions = {row["code"]: row["name"] for row in csv.DictReader(lines)}
    made = frame(read(ROOT)[0], regions)
    province._write_base(province.table(made, [(f"{n:03d}", {}) for n in range(50)]))
    return made


def codes(declared):
    hidden = set(province._changes(province.schema(declared))[1])
    every = province.keys(range(50 + (10 if province._lies_over() else 0)))
    return sorted(key for n, key in enumerate(every) if n not in hidden)


def test_a_change_replaces_its_row_and_adds_what_was_not_there(declared):
    province.replace(declared, {"003": {}, "007": None, **{f"x{n}": {} for n in range(9)}})
    assert codes(declared) == sorted({f"{n:03d}" for n in range(50)} - {"007"} | {f"x{n}" for n in range(9)})


def test_killed_between_the_two_files_becoming_one_and_the_second_going(declared, tmp_path, monkeypatch):
    """The second file is still there: its row numbers are of a file that has gone, so nobody may go by them."""
    province.replace(declared, {f"{n:03d}": None for n in range(5)})
    kept = tmp_path / "kept"
    shutil.copy(province.changes(), kept)
    monkeypatch.setattr(province, "MOST", 0)
    province.replace(declared, {"005": None})
    shutil.move(kept, province.changes())  # as if it had never been deleted
    left = [f"{n:03d}" for n in range(6, 50)]
    assert province.keys(range(44)) == left and not province._lies_over()
    monkeypatch.setattr(province, "MOST", 20_000)
    province.replace(declared, {"006": None})  # the next change begins a file of its own
    assert province._changes(province.schema(declared))[1] == {0}
