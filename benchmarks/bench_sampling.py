"""A sampling plan over all enterprises: scope frozen, lot drawn, and drawn again by the recipe in plain Python.

Registrations lie in the hub's table and classes in theirs, in the proportions of the demo. One official plans all
industries of his division for a year: ``freeze`` is the plan with its frozen scope, ``draw`` the lot with its days
and an entry in the ledger for each enterprise drawn, both in one transaction each, as the pages do them.

Bars: freeze and draw together ≤ 60 s with 5,000,000 enterprises; the recount agrees with every row.
"""

import os
import sys
import time
from datetime import date
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from installation import database
from machine import Others, machine, sizes

SECONDS = 60
PURPOSE = "事中事后监管"


def run(options: list[str]) -> dict:
    """Measure and compare with the bars."""
    chosen = sizes(options, enterprises=5_000_000)
    with database() as folder:
        return _measure(folder, chosen)


def _measure(folder: Path, chosen: dict[str, int]) -> dict:
    marks = [time.monotonic()]
    _fill(chosen["enterprises"])
    actor, wish = _official()
    from yiwang.domains.enterprise.sampling import actions
    from yiwang.kernel.access.session import acting

    others = Others(folder)
    marks.append(time.monotonic())
    with acting(actor):
        plan = actions.plan(actor, wish)
    marks.append(time.monotonic())
    with acting(actor):
        drawn = actions.draw(actor, plan.id)
    marks.append(time.monotonic())
    used = others.used(os.getpid())
    agree = _recount(plan)
    marks.append(time.monotonic())
    fill, freeze, draw, recount = (round(b - a, 1) for a, b in pairwise(marks))
    return {
        "bench": "sampling",
        "machine": machine(),
        "sizes": chosen,
        "figures": {
            "fill_s": fill, "freeze_s": freeze, "draw_s": draw, "recount_s": recount, "drawn": drawn, **used,
        },
        "bars": {
            "plan_and_draw_s": {
                "bar": SECONDS, "figure": round(freeze + draw, 1), "holds": freeze + draw <= SECONDS,
            },
            "recount_agrees": {"bar": True, "figure": agree, "holds": agree},
        },
    }  # fmt: skip


def _fill(n: int) -> None:
    """Enterprises in class A, B, C, D and unrated: 70, 17, 6, 2 and 5 in a hundred."""
    from yiwang.engines.hub import api as hub
    from yiwang.engines.hub import tables

    dataset = hub.current("ent_registration")
    with hub.owner_connection() as con:
        code = "'91379901' || lpad(i::text, 9, '0') || 'X'"
        tables.create(con, dataset.id, dataset, 1)
        con.execute(
            "insert into hub.ent_registration (_valid_from, uscc, name, kind, status, industry, address, region, "
            f"opened_on, approved_on) select date '2020-01-01', {code}, '示例' || i || '号公司', '1100', '1', "
            "(array['H62','C14','F52'])[i % 3 + 1], '示例路1号', '370102', date '2010-01-01', date '2020-01-01' "
            f"from generate_series(0, {n - 1}) i"
        )
        tables.index(con, dataset.id, dataset)
        con.execute(
            'insert into enterprise_grade (uscc, grade, total, sums, "on", in_force) select '
            f"{code}, g, 0, '{{}}', date '2026-11-25', g from (select i, case when i % 100 < 70 then 'A' "
            "when i % 100 < 87 then 'B' when i % 100 < 93 then 'C' when i % 100 < 95 then 'D' else '' end as g "
            f"from generate_series(0, {n - 1}) i) x"
        )
        con.execute(
            "insert into enterprise_name (uscc, name, plain, core, region) "
            "select uscc, name, name, name, region from hub.ent_registration"
        )
        con.execute("analyze hub.ent_registration; analyze enterprise_grade; analyze enterprise_name")


def _official():
    """An official of one county with the post, and what he plans."""
    from yiwang.domains.enterprise.sampling.actions import Wish
    from yiwang.kernel.access.contracts import SYSTEM, Actor
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.accounts.models import Person
    from yiwang.kernel.orgs.models import Organisation, Post

    with acting(SYSTEM):
        org = Organisation.objects.filter(region_id="370102", functions__contains=["市场监管"]).first()
        person = Person.objects.create(name="测", idno="379901199003070126")
        Post.objects.create(
            person=person, org=org, title="信用监管", roles=["credit"], since=date(2020, 1, 1)
        )
    actor = Actor(name="测", user_id=org.id, person_id=person.id, posts={org.id: frozenset({"credit"})})
    year = date.today().year + 1
    return actor, Wish("全部行业", PURPOSE, org.id, date(year, 1, 1), date(year, 12, 31))


def _recount(plan) -> bool:
    """Whether the recipe of ``sampling.rules`` gives the same enterprises, places and days."""
    from yiwang.domains.enterprise.sampling import rules
    from yiwang.engines.hub import api as hub
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.calendar.api import working_calendar

    with acting(SYSTEM):  # row-level security shows nobody's plans to nobody
        strata = list(plan.strata.all())
    assert sum(s.wanted for s in strata) > 0
    days = rules.working_days(plan.first, plan.last, working_calendar().is_working)
    with hub.owner_connection() as con:
        for stratum in strata:
            frame = con.execute(
                "select codes from enterprise_samplingframe where plan_id = %s and grade = %s",
                [plan.id, stratum.grade],
            ).fetchone()
            codes = frame[0].split("\n") if frame else []
            mine = rules.draw(plan.seed, codes, stratum.wanted, stratum.visits, days)
            theirs = con.execute(
                "select uscc, place, days from enterprise_sampled where plan_id = %s and grade = %s order by place",
                [plan.id, stratum.grade],
            ).fetchall()
            if [(d.uscc, d.place, list(d.days)) for d in mine] != theirs:
                return False
    return True
