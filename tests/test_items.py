"""Items of different kinds, each an example of what packs can say: visits by two, taking in for others, monthly pay."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from officials import finish, open_steps
from product import PRODUCT, until
from test_pages import MODES, everywhere
from test_window import at_counter

from yiwang.engines.cases import actions, consents, queries
from yiwang.engines.cases.models import Case, Consent
from yiwang.engines.cases.receiving import require_receivable
from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Person
from yiwang.kernel.audit.models import AuditEvent
from yiwang.kernel.ids import new_id
from yiwang.kernel.orgs.queries import responsible

ENTERPRISE = "济南泉味餐饮有限公司（示例）"


def switch(page, name):
    page.goto("/mandates")
    with page.expect_navigation():
        page.click(f"button:has-text('切换到'):has-text('{name}')")


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
    assert everywhere(page) == []
    page.click("text=开始办理")
    page.wait_for_url("**/apply/**")
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
        with page.expect_navigation():
            page.click("text=保存并继续")
    assert "健康证明：20 个工作日内补交" in page.inner_text("main")  # 容缺受理
    page.check('[name="pledge"]')
    page.click("text=确认并提交")
    return case_of(page)


@pytest.mark.plan("P9")
def test_a_licence_for_an_enterprise_with_a_visit_by_two(visit, become, photo):
    """Filed by a handler; the visit is agreed and told; two persons sign, never the same one twice."""
    handler, first, second = visit("handler"), become("official20"), become("official21")
    switch(handler, ENTERPRISE)
    case_id = apply_for_food_licence(handler, photo)
    do(first, case_id, "accept", "accept")
    step(case_id, "plan")

    desk = visit("official20")
    desk.goto(f"/desk/cases/{case_id}")
    assert everywhere(desk) == []
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
    assert "不足：须由 2 名以上" in desk.inner_text("main")
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
    assert everywhere(handler) == []
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
    # Each step with person, time and opinion for those concerned; what may be public is public.
    with acting(SYSTEM):
        case = Case.objects.select_related("org").get(id=case_id)
        happened = queries.history(case)
    assert {first.name, second.name} <= {h.actor for h in happened} and all(h.at for h in happened)
    desk.goto(f"/desk/cases/{case_id}")
    assert "听证意见需要研究" in desk.inner_text(".hist") and "食品安全法" in desk.inner_text("main")
    public = visit()
    public.goto(f"/decisions?office={case.org.name}")
    assert everywhere(public) == []
    card = public.locator("section", has_text=case.number)
    card.locator("summary").click()
    shown = card.inner_text()
    assert ENTERPRISE in shown and "现场核查岗" in shown and "准予" in shown
    assert first.name not in shown and second.name not in shown and "听证意见" not in shown
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


def permit_holder(county):
    """Somebody without a sign-in who holds a residence permit of a county."""
    with acting(SYSTEM):
        for person in Person.objects.filter(users=None).order_by("-idno")[:2000]:
            with connection.cursor() as cursor:
                cursor.execute(
                    "select register_read(gen_random_uuid(), 'residence_permits', 'person', %s, '测试', '', null, null)",
                    [person.idno],
                )
                (found,) = cursor.fetchone()
            if found and f'"qfqh": "{county}"' in str(found):
                return person
    raise AssertionError("nobody there")


@pytest.mark.plan("P6", "P7")
def test_taken_in_by_one_county_decided_by_another_handed_out_where_it_was_taken_in(visit):
    """收受分离: received in 青岛, decided in 济南, the result printed and given out in 青岛."""
    person = permit_holder("370102")
    window = visit("window_qd")
    at_counter(window, person, "ga.permit_endorse")
    for _page in range(4):
        if window.url.endswith("/check"):
            break
        if window.locator('[name="service.delivery"]').count():
            window.check('[name="service.delivery"][value="窗口领取"]')
        with window.expect_navigation():
            window.click("text=保存并继续")
    window.click("text=确认并提交")
    window.wait_for_url("**/window/receipts/**")
    assert "历下区公安局" in window.inner_text("main")
    case_id = window.url.rsplit("/", 1)[1]
    assert window.locator("text=结果交付").count() == 0
    with acting(SYSTEM):
        assert Case.objects.select_related("org").get(id=case_id).org.region_id == "370102"
    finish(case_id)
    until(lambda: window.goto("/messages") and "结果待交付" in window.inner_text("main"), 30)
    window.goto("/window")
    assert "结果待交付" in window.inner_text("main")
    window.goto(f"/window/receipts/{case_id}")
    assert everywhere(window) == []
    with window.expect_download() as download:
        window.click("a:text-is('居住证签注凭证')")
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    other = visit("window")
    other.goto(f"/window/receipts/{case_id}")
    assert "没有找到" in other.inner_text("main")  # only where it was taken in
    window.click("button:text-is('已交给本人')")
    assert "已交付" in window.inner_text("main")
    with acting(SYSTEM):
        case = Case.objects.get(id=case_id)
        assert "交给本人" in queries.history(case)[-1].words
        assert queries.history(case)[-1].actor != "系统"
        printed = AuditEvent.objects.filter(verb="result.printed", trace_id=case_id)
        assert printed.count() == 1
        assert case.data["holder.permit_endorsed"] == timezone.localdate().isoformat()


def test_a_result_by_post_needs_its_number(visit):
    person = permit_holder("370102")
    window = visit("window_qd")
    at_counter(window, person, "ga.permit_endorse")
    for _page in range(4):
        if window.url.endswith("/check"):
            break
        if window.locator('[name="service.delivery"]').count():
            window.check('[name="service.delivery"][value="邮寄送达"]')
            window.fill('[name="service.delivery_addr"]', "青岛市市南区示例路 1 号")
        with window.expect_navigation():
            window.click("text=保存并继续")
    window.click("text=确认并提交")
    window.wait_for_url("**/window/receipts/**")
    case_id = window.url.rsplit("/", 1)[1]
    finish(case_id)
    window.reload()
    window.click("button:text-is('已寄出')")
    assert "请填写快递单号" in window.inner_text("main")
    window.fill("#tracking", "SF0000000001")
    window.click("button:text-is('已寄出')")
    assert "SF0000000001" in window.inner_text("main")


@pytest.mark.parametrize(
    ("received_at", "county", "allowed"),
    [
        ("全省", "370202", True),
        ("本市", "370103", True),
        ("本市", "370202", False),
        ("本县", "370103", False),
    ],
)
def test_a_pack_says_which_windows_may_take_an_item_in(received_at, county, allowed):
    with acting(SYSTEM):
        office, window = responsible("公安", "370102"), responsible("政务服务", county)
        if allowed:
            require_receivable({"received_at": received_at}, "居住证签注", office, window.id)
        else:
            with pytest.raises(Refused, match=f"{office.name}决定，只能在{received_at}"):
                require_receivable({"received_at": received_at}, "居住证签注", office, window.id)


def book_a_wedding(page, partner, name=""):
    """Fill in the booking and press the button."""
    page.goto("/services/mz.marriage_booking")
    page.click("text=开始办理")
    for _page in range(5):
        page.wait_for_load_state()
        if page.url.endswith("/check"):
            break
        if page.locator('[name="partner.name"]').count():
            page.fill('[name="partner.name"]', name or partner.name)
            page.fill('[name="partner.idno"]', partner.idno)
            page.fill('[name="partner.phone"]', "13900000000")
        if page.locator('[name="service.book_day"]').count():
            page.fill('[name="service.book_day"]', (timezone.localdate() + timedelta(days=9)).isoformat())
            page.check('[name="service.book_time"] >> nth=0')
        page.click("text=保存并继续")
    with page.expect_navigation():
        page.click("text=确认并提交")


def test_two_must_both_agree_before_there_is_a_case(visit):
    """The second person is told, signs in, says no; the first asks again; a yes hands it in."""
    elder, second = visit("elder"), visit("official18")
    with acting(SYSTEM):
        partner = Person.objects.get(users__username="official18")
        one = Person.objects.get(users__username="elder")
    book_a_wedding(elder, partner, "错名字")
    assert "没有姓名“错名字”" in elder.inner_text("main")
    draft = elder.url.split("/apply/")[1].split("/")[0]
    elder.goto(f"/apply/{draft}/partner")
    elder.fill('[name="partner.name"]', partner.name)
    elder.click("text=保存并继续")
    elder.goto(f"/apply/{draft}/check")
    elder.click("text=确认并提交")
    elder.wait_for_url("**/waiting")
    assert everywhere(elder) == []
    elder.goto(f"/apply/{draft}/partner")
    assert elder.url.endswith("/waiting")  # nothing changes under the other's eyes
    with acting(SYSTEM):
        assert not Case.objects.filter(id=draft).exists()
        asked = Consent.objects.get(draft_id=draft, answered_at=None)
    stranger = visit("mother")
    stranger.goto(f"/consents/{asked.id}")
    assert "没有找到" in stranger.inner_text("main")
    second.goto("/messages")
    assert "请您确认：结婚登记预约" in second.inner_text("main")
    second.goto(f"/consents/{asked.id}")
    assert "孙德胜填写了这份申请" in second.inner_text("main")
    assert everywhere(second) == []
    second.click("text=我不同意")
    assert "没有办理" in second.inner_text("main")
    elder.goto("/messages")
    assert "没有提交：结婚登记预约" in elder.inner_text("main")

    elder.goto(f"/apply/{draft}/check")
    elder.click("text=确认并提交")
    elder.wait_for_url("**/waiting")
    with acting(SYSTEM):
        late = Consent.objects.get(draft_id=draft, answered_at=None)
        Consent.objects.filter(id=late.id).update(until=timezone.now() - timedelta(minutes=1))
    assert consents.lapse() in (0, 1)  # the worker may have been faster
    elder.goto(f"/apply/{draft}/check")
    elder.click("text=确认并提交")
    elder.wait_for_url("**/waiting")
    with acting(SYSTEM):
        asked = Consent.objects.get(draft_id=draft, answered_at=None)
    assert asked.id != late.id
    second.goto(f"/consents/{asked.id}")
    second.click("text=我同意")
    assert "已同意" in second.inner_text("main")
    elder.goto(f"/apply/{draft}/waiting")
    elder.wait_for_url(f"**/cases/{draft}")
    with acting(SYSTEM):
        case = Case.objects.get(id=draft)
        assert case.subject_id == one.id
        assert case.extra["burden"]["visits"] == 1  # 结婚登记须亲自到场
        assert queries.history(case)[0].actor == partner.name
    finish(draft)


@pytest.mark.parametrize("mode", MODES)
def test_no_accessibility_violation_on_the_pages_of_these_items(visit, mode):
    size, name = MODES[mode]
    page = visit("official19", viewport=size)
    page.context.add_cookies([{"name": "mode", "value": name, "url": PRODUCT.url}])
    found = {}
    for ref in ("sd.enterprise_open", "sp.food_licence", "ga.permit_endorse", "mz.marriage_booking"):
        page.goto(f"/services/{ref}")
        found[ref] = everywhere(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], ref
    page.goto("/services/sd.enterprise_open")
    page.click("text=开始办理")
    page.wait_for_url("**/apply/**")
    base = page.url.rsplit("/", 1)[0]
    for step in ("company", "premises", "people", "accounts", "check"):
        page.goto(f"{base}/{step}")
        found[step] = everywhere(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], step
    desk = visit("official20", viewport=size)
    desk.context.add_cookies([{"name": "mode", "value": name, "url": PRODUCT.url}])
    for path in ("/desk", "/messages"):
        desk.goto(path)
        found[path] = everywhere(desk)
    assert {k: v for k, v in found.items() if v} == {}
