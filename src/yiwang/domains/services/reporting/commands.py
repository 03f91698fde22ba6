"""`yiwang report cases|ratings`: rows with the national elements, as CSV or JSON, each checked."""

import csv
import json
import sys
from datetime import date, datetime, time

from django.utils import timezone

from yiwang.engines.cases import api as cases
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.audit.api import record
from yiwang.kernel.packs import api as packs

from .rules import faults_of

ROWS = {"cases": cases.case_rows, "ratings": cases.rating_rows}


def run_report(what: str, since: date, as_json: bool) -> int:
    """Write the rows that pass to standard output and the faults of the others to standard error.

    Returns:
        0 when every row passed, 1 otherwise.
    """
    elements = packs.current().get("report_elements", what).data["elements"]
    start = timezone.make_aware(datetime.combine(since, time.min))
    good = bad = 0
    out = None if as_json else csv.writer(sys.stdout, lineterminator="\n")
    if out:
        out.writerow([e["name"] for e in elements])
    with acting(SYSTEM):
        for row in ROWS[what](start):
            faults = list(faults_of(row, elements))
            for fault in faults:
                print(fault, file=sys.stderr)
            if faults:
                bad += 1
                continue
            good += 1
            if out:
                out.writerow([row.get(e["key"], "") for e in elements])
            else:
                named = {e["name"]: row[e["key"]] for e in elements if row.get(e["key"])}
                print(json.dumps(named, ensure_ascii=False))
        record(SYSTEM, "report.made", "report", what, since=since.isoformat(), good=good, bad=bad)
    share = good / (good + bad) if good + bad else 1.0
    print(f"{good + bad} 条，{good} 条通过校验（{share:.1%}）", file=sys.stderr)
    return 1 if bad else 0
