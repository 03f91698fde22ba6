"""One application through every channel: begun at home, continued at a window, followed on a phone."""

import re

import pytest
from test_pages import everywhere

from yiwang.engines.cases.models import Case, Draft
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Person
from yiwang.kernel.audit.models import AuditEvent
from yiwang.kernel.ledger.models import Use


def stranger(n=0, county="370702"):
    """Somebody of the demo world without a sign-in of his own, who lives in ``county``."""
    from django.db import connection

    with acting(SYSTEM):
        people = Person.objects.filter(users=None).order_by("idno")
        for person in people[200 + 40 * n :]:
            with connection.cursor() as cursor:
                cursor.execute(
                    "select register_read(gen_random_uuid(), 'medical_insurance', 'person', %s, '测试', '', null, null)",
                    [person.idno],
                )
                (found,) = cursor.fetchone()
            if found and f'"cbqh": "{county}"' in str(found):
                return person
    raise AssertionError("nobody there")


def at_counter(page, person, ref):
    page.goto("/window")
    page.fill("#name", person.name)
    page.fill("#idno", person.idno)
    page.select_option("#ref", ref)
    with page.expect_navigation():
        page.click("button:text-is('开始办理')")


def fill_proof(page, start="2024-01", end="2024-06"):
    page.goto(page.url.rsplit("/", 1)[0] + "/service")
    page.fill('[name="service.proof_from"]', start)
    page.fill('[name="service.proof_to"]', end)
    page.click("text=保存并继续")
    page.wait_for_url("**/check*")


@pytest.mark.plan("P4")
def test_begun_online_continued_at_the_window_followed_on_a_phone(visit):
    """The resident fills half, the window goes on where she stopped, her phone follows: one number."""
    home = visit("elder", viewport={"width": 360, "height": 780})
    home.goto("/services/yb.insured_proof")
    home.click("text=开始办理")
    home.wait_for_url("**/apply/**")
    home.goto(home.url.rsplit("/", 1)[0] + "/service")
    home.fill('[name="service.proof_from"]', "2018-03")
    home.click("text=保存并继续")  # the other field is still empty
    with home.expect_navigation():
        home.click("text=到窗口接着办")
    assert everywhere(home) == []
    assert home.evaluate("document.documentElement.scrollWidth") <= 360
    code = home.inner_text(".slip__number")
    window = visit("window")
    window.goto("/window")
    assert everywhere(window) == []
    window.fill("#code", "ZZZZZZZZ")
    window.click("text=接着办 >> nth=-1")
    assert "ZZZZZZZZ" in window.inner_text("main")
    window.fill("#code", code)
    with window.expect_navigation():
        window.click("button:text-is('接着办')")
    window.goto(window.url.rsplit("/", 1)[0] + "/service")
    assert "窗口代收：孙德胜" in window.inner_text("main")
    assert window.input_value('[name="service.proof_from"]') == "2018-03"
    window.fill('[name="service.proof_to"]', "2018-09")
    window.click("text=保存并继续")
    window.wait_for_url("**/check*")
    assert everywhere(window) == []
    window.click("text=确认并提交")
    window.wait_for_url("**/window/receipts/**")
    assert everywhere(window) == []
    number = window.inner_text(".slip__number")
    home.goto("/cases")
    with home.expect_navigation():
        home.click(f"li:has-text('{number}') a")
    assert number in home.inner_text("main")
    with acting(SYSTEM):
        case = Case.objects.get(number=number)
        assert case.channel == "window"
        assert Draft.objects.get(id=case.id).handover_code is None  # used once
        assert case.events.order_by("seq").first().actor_name != "孙德胜"  # the trace names the official


@pytest.mark.plan("P6", "P7")
def test_a_window_in_one_city_takes_in_for_another_and_the_case_finds_its_office(visit):
    """Received in Qingdao, decided in Weifang: routed by the packs, every look left on record."""
    person = stranger()
    window = visit("window_qd")
    at_counter(window, person, "yb.insured_proof")
    fill_proof(window)
    window.click("text=确认并提交")
    window.wait_for_url("**/window/receipts/**")
    text = window.inner_text("main")
    assert "潍坊市潍城区医疗保障局" in text
    number = window.inner_text(".slip__number")
    with acting(SYSTEM):
        case = Case.objects.select_related("org").get(number=number)
        assert case.org.region_id == "370702"
        assert case.subject_id == person.id
        assert AuditEvent.objects.filter(verb="draft.opened-at-window", trace_id=case.id).count() == 1
        uses = list(Use.objects.filter(case_id=case.id))
        assert uses and all(use.actor.startswith("user:") and use.orgs for use in uses)
    foreign = visit("window")
    foreign.goto(f"/window/receipts/{case.id}")
    assert "没有找到" in foreign.inner_text("main")  # another window has no business with it


def test_a_window_is_told_what_is_wrong_with_a_number_or_a_name(visit):
    person = stranger(1)
    window = visit("window")
    wrong = person.idno[:-1] + ("1" if person.idno[-1] == "0" else "0")
    at_counter(window, Person(name=person.name, idno=wrong), "yb.insured_proof")
    assert "不对，请对照身份证" in window.inner_text("main")
    assert window.input_value("#name") == person.name  # nothing typed is lost
    at_counter(window, Person(name="错名字", idno=person.idno), "yb.insured_proof")
    assert "登记的姓名不是" in window.inner_text("main")
    clerk = visit("official10")
    clerk.goto("/window")
    assert "没有找到" in clerk.inner_text("main")


@pytest.mark.plan("P12")
def test_online_and_at_the_window_everything_is_the_same(visit):
    """The same pack gives form, materials, conditions and limits: the difference between channels is zero."""
    person = stranger(2)
    window, resident = visit("window"), visit("official18")
    at_counter(window, person, "yb.insured_proof")
    resident.goto("/services/yb.insured_proof")
    resident.click("text=开始办理")
    resident.wait_for_url("**/apply/**")
    asked = {}
    for page in (window, resident):
        fill_proof(page, "2022-01", "2022-02")
        base = page.url.rsplit("/", 1)[0]
        page.goto(f"{base}/service")
        asked[page] = [
            re.sub(r"\s+", " ", label) for label in page.locator("form label, form legend").all_inner_texts()
        ]
        page.goto(f"{base}/check")
        with page.expect_navigation():
            page.click("text=确认并提交")
    assert asked[window] == asked[resident]
    with acting(SYSTEM):
        counter = Case.objects.filter(subject_id=person.id, channel="window").get()
        online = Case.objects.filter(channel="online", ref=counter.ref).order_by("-submitted_at").first()
        for key in ("told", "materials", "conditions"):
            strip = [{k: v for k, v in line.items() if k != "file"} for line in counter.extra[key]]
            assert strip == [{k: v for k, v in line.items() if k != "file"} for line in online.extra[key]], (
                key
            )
        assert counter.flow_id == online.flow_id
        limits = [c.legal_due_at.date() - c.submitted_at.date() for c in (counter, online)]
        assert limits[0] == limits[1]


def authorise(page, name, idno, until, only=()):
    page.goto("/mandates")
    page.fill("#m-name", name)
    page.fill("#m-idno", idno)
    page.fill("#m-until", until)
    if only:
        page.check('[name="what"][value="some"]')
        page.click("text=选择事项")
        for ref in only:
            page.check(f'[name="scope"][value="{ref}"]')
    with page.expect_navigation():
        page.click("button:text-is('授权')")


def test_a_relative_acts_within_his_mandate_and_not_a_moment_longer(visit):
    """Given, visible to both, limited to one service, taken back in mid-form: the agent is told, nothing is lost."""
    with acting(SYSTEM):
        father = Person.objects.get(users__username="father")
    elder, agent = visit("elder"), visit("father")
    authorise(elder, father.name, "379901190001010012", "2027-01-31")
    assert "没有姓名" in elder.inner_text("main")
    assert elder.input_value("#m-name") == father.name
    authorise(elder, father.name, father.idno, "2020-01-31")
    assert "已经过去" in elder.inner_text("main")
    authorise(elder, father.name, father.idno, "2027-01-31", only=["yb.insured_proof"])
    assert "已授权" in elder.inner_text("main")
    assert everywhere(elder) == []
    agent.goto("/mandates")
    with agent.expect_navigation():
        agent.click("button:has-text('切换到'):has-text('孙德胜')")
    assert "您正在代 孙德胜 办理" in agent.inner_text("body")
    assert everywhere(agent) == []
    agent.goto("/services/yb.remote_care")
    agent.click("text=开始办理")
    assert "授权不包括" in agent.inner_text("main")
    agent.goto("/services/yb.insured_proof")
    agent.click("text=开始办理")
    agent.wait_for_url("**/apply/**")
    agent.goto(agent.url.rsplit("/", 1)[0] + "/service")
    agent.fill('[name="service.proof_from"]', "2011-01")
    agent.click("text=保存并继续")
    draft = agent.url.split("/apply/")[1].split("/")[0]
    elder.goto("/mandates")
    with elder.expect_navigation():
        elder.click("button:has-text('收回')")
    agent.fill('[name="service.proof_to"]', "2011-02")
    agent.click("text=保存并继续")
    assert "已经到期或被收回" in agent.inner_text("main")
    agent.goto(f"/apply/{draft}/service")
    assert "没有找到" in agent.inner_text("main")  # himself again: not his
    elder.goto(f"/apply/{draft}/service")
    assert elder.input_value('[name="service.proof_from"]') == "2011-01"
    with acting(SYSTEM):
        saved = AuditEvent.objects.filter(verb="draft.saved", trace_id=draft).first()
        assert saved.actor_name == f"{father.name}（代孙德胜）"
