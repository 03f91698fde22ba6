"""The platform's main job: a mother files once, five departments act, the certificates arrive, she rates."""

import json
import subprocess
import sys

import pytest
from product import ROOT, until

from yiwang.engines.cases import queries
from yiwang.engines.cases.models import Case
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting

OFFICES = {  # items → username of the accepting and reviewing official; the decider is the next one
    "卫生健康": 10,
    "公安": 12,
    "疾病预防控制": 14,
    "医疗保障": 16,
    "人力资源社会保障": 18,
}


def fill_form(page, photo, child="王安安"):
    """Answer what the form asks, one thing per page."""
    assert page.locator('[name="child.name"]').count(), f"{page.url}\n{page.inner_text('main')}"
    page.fill('[name="child.name"]', child)
    page.check('[name="child.ethnic"] >> nth=0')
    page.click("text=保存并继续")
    page.check('[name="child.hukou_with"][value="随母"]')
    page.click("text=保存并继续")
    page.fill('[name="mother.births"]', "1")
    page.click("text=保存并继续")
    page.select_option('[name="service.card_bank"]', index=1)
    page.check('[name="service.delivery"][value="邮寄送达"]')
    page.set_input_files('[name="photo@child"]', photo)
    page.click("text=保存并继续")
    page.wait_for_url("**/check")
    # Typed: name, ethnic, household, births, bank, delivery, address (proposed)


def act(page, item, outcome="grant", reason=""):
    """An official opens the item's work from the inbox and finishes one step."""
    page.goto("/desk")
    link = page.locator(".inbox tr", has_text="王秀兰").locator("a", has_text=item).first
    link.click()
    page.check(f'[name="outcome"][value="{outcome}"]')
    if reason:
        page.fill("textarea[name=reason] >> nth=0", reason)
    page.click(".desk__act button:has-text('确定') >> nth=0")
    page.wait_for_load_state()
    assert "已办理" in page.inner_text("main")


def appears(page, item):
    """Wait until the item's work is in the official's inbox."""

    def there():
        page.goto("/desk")
        return page.locator(".inbox tr", has_text="王秀兰").locator("a", has_text=item).count()

    until(there, 40)


@pytest.mark.plan("G5", "P8", "P15", "P28", "P30", "P31")
def test_mother_files_once_and_everything_arrives(visit, photo, product):
    mother = visit("mother")
    mother.goto("/")
    mother.fill("#q", "生孩子")
    mother.keyboard.press("Enter")
    mother.click("text=新生儿出生一件事")
    told = mother.inner_text("main")
    assert "包括 7 个事项" in told
    assert "户口登记条例" in told
    assert "免交" in told
    mother.click("text=开始办理")
    fill_form(mother, photo)
    summary = mother.inner_text("main")
    assert "王安安" in summary
    assert "婚姻登记库" in summary  # where a prefilled value came from is said
    mother.click("text=确认并提交")
    mother.wait_for_url("**/cases/*?new=1")
    case_id = mother.url.split("/cases/")[1].split("?")[0]
    number = mother.inner_text(".done b")
    assert number in mother.inner_text("main .head")

    health, police, clinic, insurance, labour = (visit(f"official{n}") for n in OFFICES.values())
    deciders = {n: visit(f"official{n + 1}") for n in (12, 16, 18)}
    act(health, "出生医学证明")
    act(health, "生育登记")
    appears(police, "出生登记")  # starts by itself once the birth certificate is there
    act(police, "出生登记", "accept")
    act(police, "出生登记", "pass")
    act(deciders[12], "出生登记")
    appears(clinic, "预防接种证")
    act(clinic, "预防接种证")
    appears(insurance, "生育医疗费用报销")
    act(insurance, "生育医疗费用报销", "accept")
    for _branch in range(2):  # 费用审核 and 待遇核定, in parallel
        act(insurance, "生育医疗费用报销", "pass")
    act(deciders[16], "生育医疗费用报销")
    appears(labour, "社会保障卡")  # needs the household register's ID number
    for office, decider, item in ((insurance, 16, "城乡居民基本医疗保险"), (labour, 18, "社会保障卡")):
        appears(office, item)
        act(office, item, "accept")
        act(office, item, "pass")
        act(deciders[decider], item)

    def closed():
        with acting(SYSTEM):
            return Case.objects.get(id=case_id).closed_at

    until(closed, 40)
    with acting(SYSTEM):
        children = {c.ref: c for c in queries.family(Case.objects.get(id=case_id))}
        assert {c.result for c in children.values()} == {"granted"}
        assert len(children) == 7
        # 一次办好: the visits that the case records say were needed, and what was really typed and uploaded.
        measured = Case.objects.get(id=case_id).extra["burden"]
        assert measured["fields"] <= 10
        assert measured["uploads"] <= 1
        assert measured["visits"] == 0
        idno = children["rs.sscard"].data["holder.idno"]
        assert idno.startswith("370102")  # allocated by the police item, used by the card item
        for child in children.values():
            assert queries.verify_chain(child.id) > 0
            assert not queries.replayed(child.id).tokens

    mother.goto(f"/cases/{case_id}")
    with mother.expect_download() as download:
        mother.click("a:text-is('出生医学证明')")
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    mother.click("a:has-text('查验') >> nth=0")
    assert "真实有效" in mother.inner_text("main")
    mother.goto(f"/cases/{case_id}")
    mother.check('[name="level"][value="5"]')
    mother.fill("#comment", "一趟没跑")
    mother.click("text=提交评价")
    assert "非常满意" in mother.inner_text("#rate")
    mother.goto("/messages")
    assert "全部办结" in mother.inner_text("main")


@pytest.mark.plan("P25", "P29")
def test_burden_of_the_bundle_is_within_its_targets():
    command = [sys.executable, "-m", "yiwang", "packs", "burden", "sd.newborn", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    figures = json.loads(run.stdout)
    assert run.returncode == 0
    assert figures["registers_up"]["fields"]["asked"] <= 10
    assert figures["registers_up"]["materials"]["upload"] <= 1
    assert figures["visits"]["asked"] == 0
    assert figures["registers_down"]["fields"]["asked"] > figures["registers_up"]["fields"]["asked"]
