"""开公司: one form, seven departments, a code; then the enterprise acts, through a colleague with a mandate."""

import json
import subprocess
import sys

import pytest
from officials import finish, open_steps, staff
from product import ROOT, until
from test_pages import everywhere

from yiwang.engines.cases import actions, queries
from yiwang.engines.cases.forms.uscc import uscc_trouble
from yiwang.engines.cases.models import Case
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Enterprise, Mandate, Person
from yiwang.kernel.ids import new_id

NAME = "济南晨星软件有限公司"
PARTS = ("待办", "办件", "证照", "政策", "提醒", "授权")
BARS = {"fields": 12, "uploads": 3, "visits": 1}


def burden():
    command = [sys.executable, "-m", "yiwang", "packs", "burden", "sd.enterprise_open", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    return run.returncode, json.loads(run.stdout)


@pytest.mark.plan("P29")
def test_burden_of_opening_an_enterprise_is_within_its_targets():
    code, figures = burden()
    assert code == 0
    up, down = figures["registers_up"], figures["registers_down"]
    assert (figures["items"], figures["departments"]) == (7, 7)
    assert up["fields"]["asked"] <= BARS["fields"]
    assert up["materials"]["upload"] <= BARS["uploads"]
    assert figures["visits"]["asked"] <= BARS["visits"]
    assert up["fields"]["apart"] > 100
    assert down["fields"]["asked"] > up["fields"]["asked"]


def fill_form(page, photo):
    page.fill('[name="ent.name"]', NAME)
    page.fill('[name="ent.capital"]', "50")
    page.select_option('[name="ent.scope"]', "I65.01")
    page.click("text=保存并继续")
    known = page.inner_text("main")
    assert "泉城路100号" in known  # from the lease, by the founder's own number, then the address register
    assert "标准地址库" in known
    page.fill('[name="ent.employees"]', "5")
    assert everywhere(page) == []
    page.click("text=保存并继续")
    page.fill('[name="legal.email"]', "founder@example.com")
    page.fill('[name="finance.name"]', "钱三多")
    page.fill('[name="finance.idno"]', "379901199003070126")
    page.fill('[name="finance.phone"]', "13900000000")
    page.click("text=保存并继续")
    with page.expect_download() as download:
        page.click("a:has-text('下载系统写好的文本'):has-text('公司章程')")
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    page.click("text=改默认的选项")
    page.check('[name="ent.vat_kind"][value="一般纳税人"]')
    page.select_option('[name="ent.bank"]', "QLB")
    page.select_option('[name="ent.fund_ratio"]', "5")
    page.check('[name="service.delivery"][value="窗口领取"]')
    for key in ("articles@ent", "resolution@ent", "id_card@finance"):
        page.set_input_files(f'[name="{key}"]', photo)
    assert everywhere(page) == []
    page.click("text=保存并继续")
    page.wait_for_url("**/check")


@pytest.mark.plan("P20", "P33")
def test_a_founder_files_once_gets_an_enterprise_and_a_colleague_files_in_its_name(visit, photo):
    founder = visit("founder")
    founder.goto("/")
    founder.fill("#q", "开公司")
    founder.keyboard.press("Enter")
    founder.click("text=企业开办一件事")
    assert "包括 7 个事项" in founder.inner_text("main")
    assert everywhere(founder) == []
    founder.check('[name="finance_self"][value="false"]')
    founder.click("text=开始办理")
    fill_form(founder, photo)
    assert everywhere(founder) == []
    founder.click("text=确认并提交")  # the pledge about the premises is not signed yet
    assert "请阅读并勾选承诺" in founder.inner_text("main")
    founder.check('[name="pledge"]')
    founder.click("text=确认并提交")
    founder.wait_for_url("**/cases/*?new=1")
    case_id = founder.url.split("/cases/")[1].split("?")[0]
    with acting(SYSTEM):
        children = {c.ref: c for c in queries.family(Case.objects.get(id=case_id))}
        waiting = {ref for ref, c in children.items() if c.phase == "waiting"}
        assert waiting == set(children) - {"ent.establish"}  # all need the code

    finish(case_id, only={"ent.establish"})

    def licensed():
        with acting(SYSTEM):
            open_now = [c for c in queries.family(Case.objects.get(id=case_id)) if c.phase == "open"]
        return {c.ref for c in open_now} == waiting

    until(licensed, 40)  # the six start side by side
    finish(case_id)

    def closed():
        with acting(SYSTEM):
            return Case.objects.get(id=case_id).closed_at

    until(closed, 40)
    with acting(SYSTEM):
        case = Case.objects.get(id=case_id)
        children = {c.ref: c for c in queries.family(case)}
        assert {c.result for c in children.values()} == {"granted"}
        assert len({c.org_id for c in children.values()}) == 7
        assert {c.org.region_id for c in children.values()} == {"370102"}
        uscc = children["ent.tax"].data["ent.uscc"]
        assert children["ent.tax"].data["ent.vat_kind"] == "一般纳税人"  # a default that he changed
        assert uscc.startswith("91370102")
        assert uscc_trouble(uscc) == ""
        assert children["ent.social"].data["ent.soc_start"] == children["ent.establish"].data["ent.open_date"]
        measured = case.extra["burden"]
        assert {k: measured[k] <= bar for k, bar in BARS.items()} == dict.fromkeys(BARS, True), measured
        enterprise = Enterprise.objects.get(uscc=uscc)
        assert enterprise.name == NAME
        for child in children.values():
            assert queries.verify_chain(child.id) > 0
            assert not queries.replayed(child.id).tokens

    founder.goto(f"/cases/{case_id}")
    with founder.expect_download() as download:
        founder.click("a:text-is('营业执照')")
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    founder.goto("/mandates")
    with founder.expect_navigation():
        founder.click(f"button:has-text('切换到'):has-text('{NAME}')")
    assert f"您正在代 {NAME} 办理" in founder.inner_text("body")
    assert everywhere(founder) == []

    with acting(SYSTEM):
        colleague, viewer = (Person.objects.get(users__username=u) for u in ("handler", "elder"))
    for person, role in ((colleague, "handler"), (viewer, "viewer")):
        founder.goto("/mandates")
        founder.fill("#m-name", person.name)
        founder.fill("#m-idno", person.idno)
        founder.check(f'[name="role"][value="{role}"]')
        with founder.expect_navigation():
            founder.click("button:text-is('授权')")
        assert "已授权" in founder.inner_text("main")

    page = visit("elder")
    page.goto("/mandates")
    with page.expect_navigation():
        page.click(f"button:has-text('切换到'):has-text('{NAME}')")
    page.goto("/services/ent.fund")
    page.click("text=开始办理")
    assert "授权不包括" in page.inner_text("main")  # a viewer only looks

    handler = visit("handler")
    handler.goto("/mandates")
    with handler.expect_navigation():
        handler.click(f"button:has-text('切换到'):has-text('{NAME}')")
    handler.goto("/services/ent.fund")
    handler.click("text=开始办理")
    handler.wait_for_url("**/apply/**")
    draft = handler.url.split("/apply/")[1].split("/")[0]
    for _page in range(4):
        if handler.url.endswith("/check"):
            break
        if handler.locator('[name="ent.fund_ratio"]').count():
            handler.select_option('[name="ent.fund_ratio"]', "8")
        with handler.expect_navigation():
            handler.click("text=保存并继续")
    summary = handler.inner_text("main")
    assert NAME in summary
    assert "企业登记库" in summary  # what the licence wrote back answers now
    handler.click("text=确认并提交")
    handler.wait_for_url("**/cases/*?new=1")
    with acting(SYSTEM):
        filed = Case.objects.get(id=draft)
        assert filed.subject_id == enterprise.id
        assert filed.subject_name == NAME
        assert filed.data["ent.uscc"] == uscc
        assert filed.data["agent.name"] == colleague.name
        assert Mandate.objects.filter(subject_id=enterprise.id, revoked_at=None).count() == 3
    founder.goto("/cases")
    assert filed.number in founder.inner_text("main")  # the founder sees what was filed for his enterprise
    own_space(founder, handler, filed, colleague.name)


def own_space(founder, handler, filed, colleague):
    """P33: 办件、证照、待办、政策、提醒、授权, each on the enterprise's one page, each a click from its own."""
    case, token, _outcomes = until(lambda: next(iter(open_steps(filed.id)), None), 30)
    clerk = next(a for a in staff()[case.org_id] if a.has_role(case.org_id, token.role))
    with acting(clerk):
        key = filed.extra["told"][0]["key"]
        actions.request_supplement(clerk, filed.id, token.id, [key], "请核对（测试）", new_id())

    def section(name):
        return founder.locator(f".card:has(h2:text-is('{name}'))").inner_text()

    def asked():
        founder.goto("/space")
        return "补正材料" in founder.inner_text("main") and "补正" in section("提醒")

    until(asked, 30)
    part = {name: section(name) for name in PARTS}
    assert filed.name in part["待办"]
    assert filed.number in part["办件"]
    assert "营业执照" in part["证照"]
    assert "没有期限" in part["授权"] and colleague in part["授权"]
    assert everywhere(founder) == []
    with founder.expect_download() as download:
        founder.click(".card a:has-text('营业执照')")
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    with founder.expect_navigation():
        founder.click("a:has-text('补正材料')")
    assert filed.extra["told"][0]["label"] in founder.inner_text("main")
    founder.goto("/space")
    with founder.expect_navigation():
        founder.click(".card a:text-is('你能享受什么')")
    assert "符合条件" in founder.inner_text("main")
    handler.goto("/space")
    with handler.expect_download() as download:  # who may act for it may show its licence
        handler.click(".card a:has-text('营业执照')")
    assert download.value.path().read_bytes().startswith(b"%PDF-")
