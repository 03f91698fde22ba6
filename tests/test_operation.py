"""What an operator does: refuse unsafe starts, see what is wrong, import a holiday notice."""

import json
import os
import subprocess
import sys
from datetime import date

import psycopg
import pytest
from django.db.models import Q
from product import PRODUCT, ROOT, until

from yiwang.engines.cases.models import Case
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.audit.models import AuditEvent
from yiwang.kernel.calendar.models import CalendarDay

NOTICE = """kind: calendar_notice
id: cn_2027
name: 2027 年放假安排（测试用，非官方）
version: 1
effective: {from: 2027-01-01, to: 2027-12-31}
year: 2027
document: 测试通知
source: 示例：测试用
basis:
- {law: 全国年节及纪念日放假办法, article: 第二条, text: 全体公民放假的节日。}
holidays:
- {name: 元旦, from: 2027-01-01, to: 2027-01-03}
workdays: [2027-01-09]
"""


def yiwang(*arguments, **env):
    command = [sys.executable, "-m", "yiwang", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env={**PRODUCT.env, **env}, check=False
    )


def test_former_regions_and_functional_zones_lead_to_an_office():
    """An ID number keeps its old code; a functional zone is no division, but people work there."""
    from yiwang.kernel.orgs.models import Region
    from yiwang.kernel.orgs.queries import current_region, responsible

    assert current_region("371202").name == "莱芜区"
    assert responsible("公安", "371202").name == "济南市莱芜区公安局"
    zone = Region.objects.filter(official=False, valid_to=None).first()
    assert responsible("公安", zone.code) is not None
    bureau = responsible("卫生健康", "371502")
    assert "行政审批服务局" in bureau.name  # a mapping in the pack, not code
    assert responsible("公安", "371502").name == "聊城市东昌府区公安局"


def test_local_account_signs_in_with_its_password_only(visit):
    from yiwang.kernel.accounts.models import User

    with acting(SYSTEM):
        elder = User.objects.select_related("person").get(username="elder")
        User.objects.create_user("sunds", "a-long-Passphrase-7", person=elder.person)
    page = visit()
    for password, words in (("wrong-Passphrase-1", "登录没有成功"), ("a-long-Passphrase-7", "孙德胜 退出")):
        page.goto("/accounts/login/?next=/cases")
        page.fill("#id_login", "sunds")
        page.fill("#id_password", password)
        with page.expect_navigation():
            page.click("form[action='/accounts/login/'] button")
        assert words in page.inner_text("body")
    assert page.url.endswith("/cases")


def test_production_refuses_to_start_without_a_secret():
    env = {k: v for k, v in PRODUCT.env.items() if k != "YIWANG_DEMO"}
    run = subprocess.run(
        [sys.executable, "-m", "yiwang", "up"], capture_output=True, text=True, cwd=ROOT, env=env, check=False
    )
    assert run.returncode != 0
    assert "YIWANG_SECRET_KEY" in run.stderr


def test_doctor_finds_the_installation_well():
    run = yiwang("doctor", "--json")
    findings = {f["what"]: f for f in json.loads(run.stdout)}
    assert findings["应用角色"]["found"] == "yiwang_app"
    assert findings["行级安全"]["ok"]
    assert findings["中文字体"]["ok"]
    assert "推定" in findings["工作日历"]["found"]


def test_a_holiday_notice_moves_the_deadlines_that_crossed_provisional_days(tmp_path):
    from test_cases_engine import finish, new_case

    case_id = new_case("std.promise", "rs.sscard")
    finish(case_id, "accept", "accept")
    with acting(SYSTEM):
        case = Case.objects.get(id=case_id)
        # As if accepted at the end of December: the clock then crosses into the year without a notice.
        case.clock.filter(n=0).update(start="2026-12-30T10:00:00+08:00")
        Case.objects.filter(id=case_id).update(due_provisional=True)
    file = tmp_path / "notice.yaml"
    file.write_text(NOTICE)
    run = yiwang("calendar", "import", file)
    assert run.returncode == 0, run.stderr

    def moved():
        with acting(SYSTEM):
            case = Case.objects.get(id=case_id)
            return case if case.events.filter(type="deadline-recalculated").exists() else None

    case = until(moved, 30)
    # 5 working days after 30 Dec 2026: 31 Dec, 4, 5, 6, 7 Jan (1–3 Jan off).
    assert case.due_at.astimezone().date() == date(2027, 1, 7)
    assert not case.due_provisional
    with acting(SYSTEM):
        assert CalendarDay.objects.get(date=date(2027, 1, 9)).working


def test_a_bad_notice_is_refused_with_line_and_remedy(tmp_path):
    file = tmp_path / "notice.yaml"
    file.write_text(NOTICE.replace("year: 2027", "yaer: 2027"))
    run = yiwang("calendar", "import", file)
    assert run.returncode != 0
    assert "notice.yaml:" in run.stderr
    assert "year" in run.stderr


def test_benchmarks_and_plan_are_listed():
    run = yiwang("bench", "nothing")
    assert run.returncode == 2
    assert "flow" in run.stderr
    rows = json.loads(yiwang("plan", "--json").stdout)
    assert len(rows) == 174
    assert os.environ["YIWANG_VAR"] == str(PRODUCT.var)


def test_a_real_server_is_used_by_its_url_and_never_as_its_owner():
    """One URL of an owner is enough: the application logs in as its own role, with a password made for it."""
    from yiwang.config import embedded
    from yiwang.config.environment import derived_secret, login_as

    url = embedded.url(PRODUCT.var / "postgres", embedded.OWNER, "elsewhere")
    for arguments in (("migrate",), ("packs", "load")):
        run = yiwang(*arguments, DATABASE_URL=url)
        assert run.returncode == 0, run.stderr
    findings = {f["what"]: f for f in json.loads(yiwang("doctor", "--json", DATABASE_URL=url).stdout)}
    assert findings["应用角色"] == {
        "what": "应用角色",
        "ok": True,
        "found": "yiwang_app",
        "remedy": findings["应用角色"]["remedy"],
    }
    assert findings["行级安全"]["ok"]
    # Not a role that was merely put on: giving it back would make nobody the owner.
    secret = (PRODUCT.var / "keys/secret_key").read_text()
    as_app = login_as(url, "yiwang_app", derived_secret(secret, "database role"))
    with psycopg.connect(as_app) as session:
        session.execute("reset role")
        assert session.execute("select current_user, session_user").fetchone() == ("yiwang_app", "yiwang_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("drop table cases_event")


def test_an_operator_gives_an_account_with_a_post_and_each_sign_in_leaves_a_trace(visit):
    def give(password, *more):
        command = [
            sys.executable,
            "-m",
            "yiwang",
            "account",
            "add",
            "lixiao",
            "--idno",
            "379901198801010017",
            *more,
        ]
        return subprocess.run(
            command, input=password, capture_output=True, text=True, cwd=ROOT, env=PRODUCT.env, check=False
        )

    office = ("--office", "济南市历下区公安局", "--roles", "acceptor,reviewer", "--title", "户籍受理岗")
    assert "姓名" in give("a-long-Passphrase-7").stderr
    assert give("short", "--name", "李晓", *office).returncode == 1  # weak: nothing is made
    near = give("a-long-Passphrase-7", "--name", "李晓", "--office", "历下区公安", "--roles", "acceptor")
    assert "济南市历下区公安局" in near.stderr  # says which office may be meant, and makes nothing
    made = give("a-long-Passphrase-7", "--name", "李晓", *office)
    assert made.returncode == 0, made.stderr
    page = visit()
    for password in ("wrong-Passphrase-1", "a-long-Passphrase-7"):
        page.goto("/accounts/login/?next=/desk")
        page.fill("#id_login", "lixiao")
        page.fill("#id_password", password)
        with page.expect_navigation():
            page.click("form[action='/accounts/login/'] button")
    assert "待办" in page.inner_text("h1")
    with page.expect_navigation():
        page.click("text=退出")
    with acting(SYSTEM):
        verbs = list(
            AuditEvent.objects.filter(
                Q(actor_name="李晓") | Q(object_id="lixiao"), verb__startswith="account.sign"
            )
            .order_by("at")
            .values_list("verb", flat=True)
        )
    assert verbs == ["account.sign-in-failed", "account.signed-in", "account.signed-out"]
