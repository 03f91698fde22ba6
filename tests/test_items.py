"""Items of different kinds, each an example of what packs can say: visits by two, taking in for others, monthly pay."""

from datetime import timedelta

import pytest
from django.utils import timezone
from officials import open_steps
from product import until
from test_pages import violations

from yiwang.engines.cases import actions
from yiwang.engines.cases.models import Case
from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.ids import new_id

ENTERPRISE = "济南泉味餐饮有限公司（示例）"


def switch(page, name):
    page.goto("/mandates")
    page.click(f"button:has-text('切换到'):has-text('{name}')")
    page.wait_for_load_state()


def case_of(page):
    page.wait_for_url("**/cases/*?new=1")
    return page.url.split("/cases/")[1].split("?")[0]


def step(case_id, node):
    """The open token at a node, waited for."""
    return until(lambda: next(((c, t) for c, t, _o in open_steps(case_id) if t.node == node), None), 30)


def do(actor, case_id, node, outcome, reason="", details=None):
    case, token = step(case_id, node)
    with acting(actor):
        actions.complete(actor, case.id, token.id, outcome, reason, new_id(), details)


def apply_for_food_licence(page, photo):
    page.goto("/services/sp.food_licence")
    assert violations(page) == []
    page.click("text=开始办理")
    page.wait_for_load_state()
    for _page in range(4):
        if page.url.endswith("/check"):
            break
        if page.locator('[name="ent.food_kind"]').count():
            page.check('[name="ent.food_kind"][value="餐饮服务经营者"]')
            page.check('[name="ent.food_scope"][value="热食类食品制售"]')
            page.fill('[name="ent.food_area"]', "80")
        for key in ("layout@ent", "food_rules@ent"):
            if page.locator(f'[name="{key}"]').count():
                page.set_input_files(f'[name="{key}"]', photo)
        page.click("text=保存并继续")
        page.wait_for_load_state()
    assert "健康证明：20 个工作日内补交" in page.inner_text("main")  # 容缺受理
    page.check('[name="pledge"]')
    page.click("text=确认并提交")
    return case_of(page)


@pytest.mark.plan("P6")
def test_a_licence_for_an_enterprise_with_a_visit_by_two(visit, become, photo):
    """Filed by a handler; the visit is agreed and told; two persons sign, never the same one twice."""
    handler, first, second = visit("handler"), become("official20"), become("official21")
    switch(handler, ENTERPRISE)
    case_id = apply_for_food_licence(handler, photo)
    do(first, case_id, "accept", "accept")
    step(case_id, "plan")

    desk = visit("official20")
    desk.goto(f"/desk/cases/{case_id}")
    assert violations(desk) == []
    assert desk.input_value('[name="place"]').endswith(
        "泉城路200号一层"
    )  # proposed: the enterprise's address
    desk.fill('[name="at"]', "2020-01-01T09:00")
    desk.click(".desk__act button:has-text('确定') >> nth=0")
    assert "已经过去" in desk.inner_text("main")
    day = timezone.localtime() + timedelta(days=3)
    desk.fill('[name="at"]', f"{day:%Y-%m-%d}T09:30")
    desk.check('[name="who"] >> nth=0')
    desk.click(".desk__act button:has-text('确定') >> nth=0")
    assert "不足两人" in desk.inner_text("main")
    desk.fill('[name="at"]', f"{day:%Y-%m-%d}T09:30")
    desk.check('[name="who"] >> nth=0')
    desk.check('[name="who"] >> nth=1')
    desk.click(".desk__act button:has-text('确定') >> nth=0")
    assert "已办理" in desk.inner_text("main")
    agreed = f"{day.year}年{day.month}月{day.day}日 09:30"
    handler.goto(f"/cases/{case_id}")
    assert agreed in handler.inner_text("main .items")
    assert first.name in handler.inner_text("main .items")
    assert second.name in handler.inner_text("main .items")
    assert violations(handler) == []
    until(lambda: handler.goto("/messages") and agreed in handler.inner_text("main"), 20)

    do(first, case_id, "look_first", "pass")
    with pytest.raises(Refused, match="另一位工作人员"):
        do(first, case_id, "look_second", "pass")
    with acting(first):
        actions.suspend(first, Case.objects.get(id=case_id).id, "hearing", "利害关系人要求听证", new_id())
    handler.goto(f"/cases/{case_id}")
    assert "暂停计时：听证" in handler.inner_text("main")
    with acting(first):
        actions.resume(first, case_id, "", new_id())
        was = Case.objects.get(id=case_id).due_at
        actions.request_extension(first, case_id, "听证意见需要研究", new_id())
    with acting(second):
        actions.approve_extension(second, case_id, new_id())
        assert Case.objects.get(id=case_id).due_at > was
    do(second, case_id, "look_second", "pass")
    do(second, case_id, "decide", "grant")

    def licensed():
        with acting(SYSTEM):
            return Case.objects.get(id=case_id).data.get("ent.food_licence_no")

    assert until(licensed, 30).startswith("JY")
    handler.goto(f"/cases/{case_id}")
    handler.set_input_files('[name="file"]', photo)
    handler.click("button:text-is('补交')")
    assert "已补交" in handler.inner_text("main")


def test_a_visit_sent_back_is_signed_again_by_two(become, visit, photo):
    """After a return the two may change sides, but one alone never signs both."""
    boss, first, second = visit("boss"), become("official20"), become("official21")
    switch(boss, ENTERPRISE)
    case_id = apply_for_food_licence(boss, photo)
    day = timezone.localtime() + timedelta(days=2)
    details = {"at": f"{day:%Y-%m-%d}T14:00", "place": "示例路", "who": [first.name, second.name]}
    do(first, case_id, "accept", "accept")
    do(first, case_id, "plan", "done", details=details)
    do(first, case_id, "look_first", "pass")
    do(second, case_id, "look_second", "pass")
    do(second, case_id, "decide", "return", "照片不全")
    do(first, case_id, "plan", "done", details=details)
    do(first, case_id, "look_first", "pass")
    with pytest.raises(Refused, match="另一位工作人员"):
        do(first, case_id, "look_second", "pass")
    do(second, case_id, "look_second", "fail", "油烟净化器没有装")
    do(second, case_id, "decide", "deny", "油烟净化器没有装")
    until(lambda: boss.goto(f"/cases/{case_id}") and "油烟净化器没有装" in boss.inner_text("main .items"), 20)
