"""Sixty everyday questions find the right thing first, on the packs and the demo catalogue alone."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import yaml

from yiwang.domains.services.search.contracts import Entry
from yiwang.domains.services.search.entries import from_catalogue, from_packs, vocabulary
from yiwang.domains.services.search.index import Index
from yiwang.kernel.packs.loader import read

ROOT = next(p for p in Path(__file__).resolve().parents if (p / "packs" / "base").is_dir()) / "packs"
LIBRARY, PROBLEMS = read(ROOT)
TOLD: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "questions.yaml").read_text(encoding="utf-8")
)


def entries() -> list[Entry]:
    online = {p.data.get("codes", {}).get("base") for p in LIBRARY.all("service_item")}
    with (ROOT / "shandong/catalogue/demo.csv").open(encoding="utf-8") as lines:
        rows = [r for r in csv.DictReader(lines) if r["实施编码"][-12:] not in online]
    guides = [(r["实施编码"], r["事项名称"], r["实施主体"], r["事项类型"]) for r in rows]
    return [*from_packs(LIBRARY), *from_catalogue(guides)]


INDEX = Index(entries(), vocabulary(LIBRARY))


def first(question: str) -> str:
    hits = INDEX.find(question).hits
    return hits[0].entry.title if hits else ""


def test_there_are_sixty_questions_and_good_packs_to_ask() -> None:
    assert len(TOLD["questions"]) >= 60
    assert PROBLEMS == []


@pytest.mark.parametrize("case", TOLD["questions"], ids=lambda c: c["ask"])
def test_the_first_result_is_right(case: dict[str, str]) -> None:
    assert first(case["ask"]) == case["first"]


@pytest.mark.skipif(
    LIBRARY.find("bundle", "sd.enterprise_open") is None, reason="no bundle sd.enterprise_open"
)
@pytest.mark.parametrize("case", TOLD["enterprise"], ids=lambda c: c["ask"])
def test_the_first_result_is_right_for_founders(case: dict[str, str]) -> None:
    hits = INDEX.find(case["ask"]).hits
    assert hits and hits[0].entry.ref == case["first"]
