"""Items, cases and ratings leave with the national elements, and every row passes."""

import csv
import io
import json
import subprocess
import sys

import pytest
from product import ROOT

from yiwang.engines.cases.models import Case, Rating
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Person


def yiwang(product, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "yiwang", *arguments],
        env=product.env, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.plan("P2")
def test_every_item_case_and_rating_passes_the_national_elements(product):
    items = yiwang(product, "packs", "export-catalogue", "--csv")
    cases = yiwang(product, "report", "cases")
    ratings = yiwang(product, "report", "ratings", "--json")
    assert (items.returncode, ratings.returncode) == (0, 0), ratings.stderr
    # Cases numbered t-… were written by test_cases_engine into the tables, past the product: they are refused.
    faults = [line for line in cases.stderr.splitlines() if line.startswith("办件 ")]
    assert [line for line in faults if not line.startswith("办件 t-")] == []
    assert "（100.0%）" in ratings.stderr
    rows = list(csv.DictReader(io.StringIO(cases.stdout)))
    with acting(SYSTEM):
        known = set(Case.objects.filter(kind="service_item").values_list("number", flat=True))
        names = set(Person.objects.filter(users__isnull=False).values_list("name", flat=True))
        rated = Rating.objects.count()
    mine = {number for number in known if not number.startswith("t-")}
    assert {row["办件编号"] for row in rows} == mine and len(rows) > 50  # every case of the product passes
    assert {"受理", "办结"} <= {row["办件状态"] for row in rows}
    assert len(ratings.stdout.splitlines()) == rated > 0
    told = json.loads(ratings.stdout.splitlines()[0])
    assert told["满意度"] and told["行政区划代码"].isdigit()
    assert not any(name in cases.stdout for name in names)  # nobody's name goes with it


def test_without_a_database_the_command_says_what_to_do(tmp_path, product):
    gone = {**product.env, "YIWANG_VAR": str(tmp_path)}
    answer = subprocess.run(
        [sys.executable, "-m", "yiwang", "report", "cases"],
        env=gone, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 1 and "yiwang up" in answer.stderr and "Traceback" not in answer.stderr
