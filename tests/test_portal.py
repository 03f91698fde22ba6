"""What everybody can do on the portal: on a phone from search to rating; in elder mode with the keyboard alone."""

import pytest
from officials import finish
from product import PRODUCT
from test_pages import violations

from yiwang.engines.cases.models import Rating
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting

PHONE = {"width": 360, "height": 780}


@pytest.mark.plan("P3")
def test_search_ask_apply_follow_and_rate_on_a_phone(visit):
    page = visit("father", viewport=PHONE)
    page.goto("/")
    page.fill("[name=q]", "打医保证明要多久，要花钱吗")  # 搜, 问
    page.keyboard.press("Enter")
    page.wait_for_url("**/search**")
    answer = page.inner_text(".answer")
    assert "要多久" in answer and "当场" in answer and "不收费" in answer
    assert violations(page) == []
    page.click("text=看办事指南")
    page.wait_for_url("**/services/yb.insured_proof")
    page.click("text=开始办理")  # 办
    page.wait_for_url("**/apply/**")
    page.goto(page.url.rsplit("/", 1)[0] + "/service")
    page.fill('[name="service.proof_from"]', "2017-01")
    page.fill('[name="service.proof_to"]', "2025-12")
    page.click("text=保存并继续")
    page.wait_for_url("**/check")
    page.click("text=确认并提交")
    page.wait_for_url("**/cases/**")
    case_id = page.url.split("/cases/")[1].split("?")[0]
    finish(case_id)
    page.goto("/cases")  # 查
    page.click(f"a[href='/cases/{case_id}']")
    page.wait_for_url(f"**/cases/{case_id}")
    assert "准予" in page.inner_text("main")
    page.check("[name=level][value='4']")  # 评
    with page.expect_navigation():
        page.click("button:text-is('提交评价')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    with acting(SYSTEM):
        assert Rating.objects.get(case_id=case_id).level == 4


def tab_to(page, selector, most=80):
    """Press Tab until what ``selector`` names has the focus, as somebody without a mouse does."""
    for _press in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached with the keyboard on {page.url}")


@pytest.mark.plan("P1")
def test_an_old_man_gets_his_certificate_in_elder_mode_without_a_mouse(visit):
    page = visit("elder")
    page.goto("/")
    tab_to(page, "[name=mode]")
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    assert page.get_attribute("html", "data-mode") == "elder"
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 20
    assert violations(page) == []
    tab_to(page, "[name=q]")
    page.keyboard.type("参保证明")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search**")
    tab_to(page, "main a[href='/services/yb.insured_proof']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/services/yb.insured_proof")
    assert violations(page) == []
    tab_to(page, "main form button, main a.btn")
    small = page.evaluate(
        "[...document.querySelectorAll('main .btn')].filter(b => b.getBoundingClientRect().height < 60).length"
    )
    assert small == 0  # 60 px to press
    page.keyboard.press("Enter")
    page.wait_for_url("**/apply/**")
    for _page in range(4):
        if page.url.endswith("/check"):
            break
        assert violations(page) == []
        for name, value in (("service.proof_from", "2016-01"), ("service.proof_to", "2025-12")):
            if page.locator(f'[name="{name}"]').count():
                tab_to(page, f'[name="{name}"]')
                page.keyboard.press("Control+A")
                page.keyboard.type(value)
        tab_to(page, "main button:not(.link)")
        before = page.url
        page.keyboard.press("Enter")
        page.wait_for_function("u => location.href !== u", arg=before)
    assert violations(page) == []
    tab_to(page, "main .go .btn, main button.btn")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/**")
    assert page.locator(".done b").count() == 1 and violations(page) == []
    page.evaluate("window.speechSynthesis")  # read aloud is offered where the browser can speak
    assert page.locator("[data-read-aloud]").count() == 1
    assert PRODUCT.url in page.url
