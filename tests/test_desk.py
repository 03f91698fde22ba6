"""Between the desk and the applicant: ask once, answer in one place, decide with reasons and routes of appeal."""

from datetime import timedelta

import pytest
from django.utils import timezone
from product import until
from test_pages import everywhere

from yiwang.engines.cases.models import Case, Rectification
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import User
from yiwang.kernel.calendar.api import working_calendar


def apply(page, start):
    """A stand-alone 即办件, handed in. Returns its path."""
    page.goto("/services/yb.insured_proof")
    page.click("text=开始办理")
    page.wait_for_url("**/apply/**")
    page.goto(page.url.rsplit("/", 1)[0] + "/service")
    page.fill('[name="service.proof_from"]', start)
    page.fill('[name="service.proof_to"]', "2025-12")
    page.click("text=保存并继续")
    page.wait_for_url("**/check")
    page.click("text=确认并提交")
    page.wait_for_url("**/cases/**")
    return page.url.split("?")[0], page.inner_text(".done b")


def open_at_desk(page, number):
    page.goto("/desk")
    with page.expect_navigation():
        page.locator(".inbox tr", has_text=number).locator("a").first.click()


def test_supplement_is_asked_once_answered_in_one_place_and_the_certificate_arrives(visit):
    father, clerk = visit("father"), visit("official16")
    path, number = apply(father, "2020-01")
    open_at_desk(clerk, number)
    clerk.click("summary")
    clerk.check('[name="keys"][value="service.proof_from"]')
    clerk.fill("#note", "起始年月早于首次参保，请核对")
    clerk.click("text=发出补正告知")
    assert "等您补正" in clerk.inner_text(".desk__act")
    father.goto(path)
    assert "等您补正" in father.inner_text("main")
    father.click("text=去补正")
    assert "早于首次参保" in father.inner_text("main")
    assert everywhere(father) == []
    father.fill('[name="service.proof_from"]', "2021年")
    father.click("text=提交补正")
    assert "2021年" in father.inner_text(".errs")
    father.fill('[name="service.proof_from"]', "2021-03")
    father.click("text=提交补正")
    assert "已补正" in father.inner_text("main")
    open_at_desk(clerk, number)
    assert "2021-03" in clerk.inner_text("main")
    assert "发出补正告知" not in clerk.inner_text("main")  # only once
    clerk.check('[name="outcome"][value="grant"]')
    clerk.click(".desk__act button:has-text('确定') >> nth=0")

    def certificate():
        father.goto(path)
        return father.locator("a:text-is('基本医疗保险参保凭证')").count()

    until(certificate)
    father.goto("/messages")
    assert "需要补正" in father.inner_text("main")


def test_a_refusal_has_reasons_and_routes_of_appeal(visit):
    father, clerk = visit("father"), visit("official16")
    path, number = apply(father, "2019-01")
    open_at_desk(clerk, number)
    clerk.check('[name="outcome"][value="deny"]')
    clerk.click(".desk__act button:has-text('确定') >> nth=0")
    assert "请写明理由" in clerk.inner_text("main")  # no adverse decision without reasons
    clerk.check('[name="outcome"][value="deny"]')
    clerk.fill("textarea[name=reason] >> nth=0", "该期间没有缴费记录")
    clerk.click(".desk__act button:has-text('确定') >> nth=0")

    def decided():
        father.goto(path)
        return father.locator("a:text-is('不予决定书')").count()

    until(decided)
    text = father.inner_text("main")
    assert "该期间没有缴费记录" in text
    assert "行政复议" in text
    assert "行政诉讼" in text


def test_registers_alone_decide_what_the_pack_lets_them_and_a_person_the_rest(visit):
    """秒批: all conditions known from registers → granted at once, by the system; one that fails → the desk."""

    def file(province):
        page = visit("elder")
        page.goto("/services/yb.remote_care")
        page.click("text=开始办理")
        page.wait_for_url("**/apply/**")
        page.goto(page.url.rsplit("/", 1)[0] + "/service")
        page.select_option('[name="service.care_province"]', province)
        page.check('[name="service.care_reason"] >> nth=0')
        page.click("text=保存并继续")
        page.wait_for_url("**/check")
        page.click("text=确认并提交")
        page.wait_for_url("**/cases/**")
        return page, page.url.split("?")[0], page.inner_text(".done b")

    page, path, _number = file("11")

    def granted():
        page.goto(path)
        return page.locator("a:text-is('异地就医备案凭证')").count()

    until(granted, 20)
    assert "系统自动办理" in page.inner_text("main")
    page, path, number = file("37")  # at home: the condition is not met, so nobody is refused by a machine
    clerk = visit("official16")
    open_at_desk(clerk, number)
    assert "不符合" in clerk.inner_text("main")
    page.goto(path)
    assert page.locator("a:text-is('异地就医备案凭证')").count() == 0


def grant_at(page, number, outcome="grant", reason=""):
    open_at_desk(page, number)
    page.check(f'[name="outcome"][value="{outcome}"]')
    if reason:
        page.fill("textarea[name=reason] >> nth=0", reason)
    with page.expect_navigation():
        page.click(".desk__act button:has-text('确定') >> nth=0")


def test_many_at_once_each_for_itself(visit):
    """Eighty due today: pick, choose, done; one that was withdrawn meanwhile stops no other and says why."""
    father, clerk = visit("father"), visit("official16")
    filed = [apply(father, f"2010-0{n}") for n in (1, 2, 3)]
    clerk.goto("/desk?ref=yb.insured_proof")
    for _path, number in filed:
        clerk.locator("tr", has_text=number).locator("[name=work]").check()
    father.goto(filed[1][0] + "/withdraw")
    father.click("main button")
    clerk.select_option('[name="outcome"]', "grant")
    clerk.click("text=批量办理")
    text = clerk.inner_text("main")
    assert "已办理 2 件" in text
    assert filed[1][1] in text
    assert "已撤回" in text
    assert everywhere(clerk) == []

    def granted():
        father.goto(filed[2][0])
        return father.locator("a:text-is('基本医疗保险参保凭证')").count()

    until(granted)


def test_a_filter_is_kept_under_a_name(visit):
    clerk = visit("official16")
    clerk.goto("/desk?due=week&q=王")
    clerk.fill('[name="name"]', "本周姓王的")
    clerk.click("text=存下这个筛选")
    clerk.goto("/desk")
    clerk.click("a:text-is('本周姓王的')")
    assert clerk.input_value('[name="q"]') == "王"
    assert clerk.input_value('[name="due"]') == "week"
    clerk.click("[aria-label='删除筛选 本周姓王的']")
    assert clerk.locator("a:text-is('本周姓王的')").count() == 0
    clerk.keyboard.press("j")
    clerk.keyboard.press("x")
    assert clerk.locator("[name=work]:checked").count() == min(1, clerk.locator("[name=work]").count())


def test_work_is_given_transferred_and_pressed_for(visit):
    """A manager gives a step to one clerk; the other is told; the city presses; a transfer keeps number and clock."""
    father, clerk = visit("father"), visit("official16")
    manager, city = visit("manager"), visit("manager_city")
    path, number = apply(father, "2009-01")
    manager.goto("/desk/manage")
    assert everywhere(manager) == []
    assert "济南市历下区医疗保障局" in manager.inner_text("main")
    open_at_desk(clerk, number)
    address = clerk.url
    clerk.click("text=我来办（认领）")
    assert "交给" in clerk.inner_text(".desk__act")
    other = visit("mother")
    assert other.goto(address).status == 404
    city.goto(address)  # reads and presses, does not decide
    assert city.locator('[name="outcome"]').count() == 0
    city.fill("#press", "群众急用，请今天办结")
    city.click("text=发出督办")
    assert "督办" in city.inner_text("main")
    clerk.goto(address)
    assert "请今天办结" in clerk.inner_text("main")
    until(lambda: clerk.goto("/messages") and "督办" in clerk.inner_text("main"), 20)
    clerk.goto(address)
    clerk.click("summary:has-text('转办')")
    clerk.fill("#office", "济南市没有这个局")
    clerk.fill("#transfer-reason", "参保关系在市中区")
    clerk.click("button:text-is('转办')")
    assert "没有名为" in clerk.inner_text("main")
    clerk.click("summary:has-text('转办')")
    assert clerk.input_value("#transfer-reason") == "参保关系在市中区"
    clerk.fill("#office", "济南市市中区医疗保障局")
    with clerk.expect_navigation():
        clerk.click("button:text-is('转办')")
    assert clerk.goto(address).status == 404  # no longer this office's

    def told():
        father.goto("/messages")
        return "已转到济南市市中区医疗保障局" in father.inner_text("main")

    until(told, 20)
    father.goto(path)
    assert number in father.inner_text("main")
    assert "市中区医疗保障局" in father.inner_text("main")


@pytest.mark.plan("P10")
def test_a_bad_rating_is_mended_by_somebody_else_and_reopens_until_solved(visit):
    """差评 → 整改 by a manager who did not handle it → call-back → 没解决 → again → 解决了, in 15 working days."""
    father, clerk, manager = visit("father"), visit("official16"), visit("manager")
    path, number = apply(father, "2008-01")
    grant_at(clerk, number)

    def closed():
        father.goto(path)
        return father.locator("#rate").count()

    until(closed)
    father.check('[name="level"][value="1"]')
    father.fill("#comment", "让我跑了三趟")
    father.click("text=提交评价")
    assert "正在核实" in father.inner_text("#rate")
    clerk.goto("/desk/ratings")
    assert "没有找到" in clerk.inner_text("main")  # the rated do not mend their own rating
    for turn, solved in (("核实：系统打印故障，已修复", "没解决"), ("已向您致歉并补寄凭证", "解决了")):
        manager.goto("/desk/ratings")
        assert everywhere(manager) == []
        card = manager.locator(".card:has(form)", has_text=number)
        assert "让我跑了三趟" in card.inner_text()
        card.locator("button").click()
        assert "请写明整改情况" in manager.inner_text("main")
        card = manager.locator(".card:has(form)", has_text=number)
        card.locator("textarea").fill(turn)
        card.locator("input[name=called_back]").fill("电话回访，已说明")
        with manager.expect_navigation():
            card.locator("button").click()

        def answered(turn=turn):
            father.goto("/messages")
            return turn in father.inner_text("main")

        until(answered, 20)
        father.goto(path)
        with father.expect_navigation():
            father.click(f"#rate button:text-is('{solved}')")
    assert "您已确认解决" in father.inner_text("#rate")
    with acting(SYSTEM):
        rounds = list(Rectification.objects.filter(case__number=number).order_by("round"))
        assert [r.solved for r in rounds] == [False, True]
        for r in rounds:
            assert f"user:{User.objects.get(person_id=r.assignee_id).id}" not in r.rated
            assert r.rated
            days = working_calendar()
            first, last = (timezone.localtime(moment).date() for moment in (r.opened_at, r.due_at))
            later = (first + timedelta(n + 1) for n in range((last - first).days))
            passed = sum(days.is_working(day) for day in later)
            assert passed == 15


def test_a_case_over_its_limit_is_reported_once_to_the_office_and_the_one_above(visit):
    from test_cases_engine import finish, new_case

    case_id = new_case("std.promise", "rs.sscard")
    finish(case_id, "accept", "accept")
    from yiwang.engines.cases.worker import flag_overdue

    with acting(SYSTEM):
        Case.objects.filter(id=case_id).update(due_at=timezone.now() - timedelta(days=1))
    flag_overdue()
    flag_overdue()
    with acting(SYSTEM):
        assert Case.objects.get(id=case_id).events.filter(type="overdue").count() == 1


def test_a_published_comment_names_nobody():
    from yiwang.engines.cases.ratings import published

    text = published(
        "李建国 13800000000，号码 379901199001010012，邮箱 a.b@c.cn 找张三办的", "李建国", "张三"
    )
    assert not any(secret in text for secret in ("李建国", "138", "379901", "a.b@", "张三"))
    assert "找" in text
