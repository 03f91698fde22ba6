"""困难残疾人生活补贴: granted once, paid every month exactly once, reviewed every year, stopped with a reason."""

import json
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, ProgrammingError
from django.utils import timezone
from officials import finish
from product import ROOT, until
from test_items import case_of
from test_pages import everywhere

from yiwang.engines.cases import periodic
from yiwang.engines.cases.models import Case, Grant, Payment
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.registers import api as registers


def paid(case_id):
    with acting(SYSTEM):
        return list(
            Payment.objects.filter(grant_id=case_id).order_by("period").values_list("period", flat=True)
        )


def first_of(period):
    return date.fromisoformat(f"{period}-01")


@pytest.fixture
def yiwang(product):
    def run(*arguments):
        command = [sys.executable, "-m", "yiwang", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=product.env, check=False)

    return run


def test_paid_every_month_once_reviewed_every_year_and_stopped_for_a_reason(visit, yiwang):
    elder = visit("elder")
    elder.goto("/services/mz.disabled_living")
    assert everywhere(elder) == []
    elder.click("text=开始办理")
    for _page in range(4):
        elder.wait_for_load_state()
        if elder.url.endswith("/check"):
            break
        elder.click("text=保存并继续")
    elder.click("text=确认并提交")
    case_id = case_of(elder)
    finish(case_id)
    until(lambda: elder.goto(f"/cases/{case_id}") and "起按月发放" in elder.inner_text("main"), 20)
    first = periodic.next_period(periodic.period_of(timezone.localdate()))
    assert paid(case_id) == []

    done = json.loads(yiwang("periodic", "run", "--on", f"{first}-05").stdout)
    assert done["paid"] == 1
    again = json.loads(yiwang("periodic", "run", "--on", f"{first}-06").stdout)
    assert again["paid"] == 0
    assert paid(case_id) == [first]
    with acting(SYSTEM):
        one = Payment.objects.get(grant_id=case_id)
    twice = {"grant_id": case_id, "subject_id": one.subject_id, "period": first, "paid_on": one.paid_on}
    with pytest.raises(IntegrityError), acting(SYSTEM):  # the database itself refuses a second one
        Payment.objects.create(amount=1, **twice)
    with pytest.raises(ProgrammingError), acting(SYSTEM):
        Payment.objects.filter(grant_id=case_id).update(amount=1)
    elder.goto(f"/cases/{case_id}")
    assert f"{first}\t180.00" in elder.inner_text("#pay")  # 二级: the pack's amount
    assert everywhere(elder) == []

    second, third = periodic.next_period(first), periodic.next_period(periodic.next_period(first))
    assert yiwang("register", "deaths", "down").returncode == 0
    assert periodic.run(first_of(third)).postponed == 1  # not known today: not paid, not stopped
    assert paid(case_id) == [first]
    assert yiwang("register", "deaths", "up").returncode == 0
    assert periodic.run(first_of(third)).paid == 2  # what was missed follows
    assert paid(case_id) == [first, second, third]

    with acting(SYSTEM):
        review = Grant.objects.get(case_id=case_id).review_on
    assert review == periodic.a_year_after(timezone.localdate())
    opened = periodic.run(review)
    assert opened.reviews == 1
    assert periodic.run(review).reviews == 0
    elder.goto("/messages")
    assert "年度复核：困难残疾人生活补贴" in elder.inner_text("main")
    late = periodic.run(review + timedelta(days=31))
    assert late.paused == 1
    had = paid(case_id)
    assert periodic.run(review + timedelta(days=62)).paid == 0
    elder.goto(f"/cases/{case_id}")
    assert "已暂停" in elder.inner_text("#pay")
    assert everywhere(elder) == []
    elder.click("text=没有变化，确认")
    assert "已确认" in elder.inner_text("main")
    assert periodic.run(review + timedelta(days=62)).paid >= 1
    assert len(paid(case_id)) > len(had)
    assert len(paid(case_id)) == len(set(paid(case_id)))

    with acting(SYSTEM):
        case = Case.objects.get(id=case_id)
        registers.write_back("deaths", case.data["holder.idno"], {"swrq": review.isoformat()})
    had = paid(case_id)
    stopped = periodic.run(review + timedelta(days=120))
    assert (stopped.stopped, stopped.paid) == (1, 0)
    assert periodic.run(review + timedelta(days=150)).paid == 0
    assert paid(case_id) == had
    elder.goto(f"/cases/{case_id}")
    assert "已停发：不再符合“没有死亡登记”" in elder.inner_text("#pay")
    elder.goto("/messages")
    assert "不再发放：困难残疾人生活补贴" in elder.inner_text("main")
    with acting(SYSTEM):
        assert Payment.objects.filter(grant_id=case_id).first().amount == Decimal("180.00")


def test_nobody_sees_or_confirms_somebody_elses_benefit(become):
    mother = become("mother")
    with acting(SYSTEM):
        grant = Grant.objects.first()
    with acting(mother):
        assert not Grant.objects.filter(case_id=grant.case_id).exists()
        assert Payment.objects.count() == 0
        with pytest.raises(periodic.Refused, match="没有找到"):
            periodic.confirm(mother, grant.case_id)


def test_a_wrong_day_is_named(yiwang):
    refused = yiwang("periodic", "run", "--on", "2026-13-01")
    assert refused.returncode == 2
    assert "2026-13-01" in refused.stderr


@pytest.mark.parametrize(
    ("day", "after"),
    [("2024-02-29", "2025-03-01"), ("2025-02-28", "2026-02-28"), ("2026-12-31", "2027-12-31")],
)
def test_a_year_on(day, after):
    assert periodic.a_year_after(date.fromisoformat(day)) == date.fromisoformat(after)


def test_months_follow_each_other():
    assert periodic.next_period("2026-12") == "2027-01"
    assert periodic.next_period("2027-01") == "2027-02"
