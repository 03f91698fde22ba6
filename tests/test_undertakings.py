"""告知承诺: signed instead of proved, checked afterwards; complaints; who used my data."""

import json
import re

import pytest
from django.db import connection
from product import until
from test_desk import apply, open_at_desk
from test_pages import everywhere
from test_window import at_counter

from yiwang.engines.cases.models import Case, Undertaking
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Person


@pytest.fixture
def without_licence():
    """A married woman whose marriage certificate the licence library does not hold."""
    with acting(SYSTEM):
        person = Person.objects.get(name="郑佳琪", users=None)
        with connection.cursor() as cursor:
            fields = json.dumps({"zzlx": "居民身份证、居民户口簿"}, ensure_ascii=False)
            cursor.execute("select register_write('licences', %s, %s)", [person.idno, fields])
    return person


@pytest.mark.plan("P32")
def test_a_pledge_is_signed_instead_of_proved_and_checked_afterwards(visit, without_licence):
    window = visit("window")
    at_counter(window, without_licence, "ws.birth_reg")
    base = window.url.rsplit("/", 1)[0]
    for _page in range(6):
        if "/check" in window.url:
            break
        for box in window.locator("main input[inputmode=numeric]").all():
            box.fill("1")
        for box in window.locator("main input[type=tel]").all():
            box.fill("19900001234")
        for group in window.locator("main fieldset").all():
            group.locator("input[type=radio]").first.check()
        with window.expect_navigation():
            window.click("text=保存并继续")
    window.goto(f"{base}/check")
    assert "告知承诺" in window.inner_text("main"), window.inner_text("main")
    assert window.locator(".errs").count() == 0, window.inner_text(".errs")
    assert everywhere(window) == []
    window.click("text=确认并提交")
    assert "请阅读并勾选承诺" in window.inner_text(".errs")  # not signed: not submitted
    window.check("[name=pledge]")
    window.click("text=确认并提交")
    window.wait_for_url("**/window/receipts/**")
    number = window.inner_text(".slip__number")
    with acting(SYSTEM):
        made = Undertaking.objects.get(case__number=number, kind="pledge")
        days = (made.due_at - made.made_at).days
        assert days == 30  # the material's verify_within_days
        assert "依法办理结婚登记" in made.text
    clerk = visit("official10")
    clerk.goto("/desk/undertakings")
    assert everywhere(clerk) == []
    card = clerk.locator(".card", has_text=number)
    card.locator("text=承诺不实").click()
    assert "请写明核查到的事实" in clerk.inner_text("main")
    card = clerk.locator(".card", has_text=number)
    card.locator("input[name=note]").fill("婚姻登记机关无此记录（测试）")
    with clerk.expect_navigation():
        card.locator("text=承诺不实").click()
    assert clerk.locator(".card", has_text=number).count() == 0

    def told():
        with acting(SYSTEM), connection.cursor() as cursor:
            cursor.execute("select title from notify_message where subject_id = %s", [without_licence.id])
            return any("承诺核查结果" in title for (title,) in cursor.fetchall())

    until(told, 20)


def test_a_complaint_is_answered_by_somebody_who_did_not_handle_the_case(visit):
    father, clerk, manager = visit("father"), visit("official16"), visit("manager")
    path, number = apply(father, "2006-01")
    open_at_desk(clerk, number)
    clerk.check('[name="outcome"][value="deny"]')
    clerk.fill("textarea[name=reason] >> nth=0", "没有缴费记录（测试）")
    clerk.click(".desk__act button:has-text('确定') >> nth=0")
    father.goto(path)
    father.click("summary:has-text('投诉')")
    father.click("text=提交投诉")
    assert "请写明投诉的内容" in father.inner_text("main")
    father.click("summary:has-text('投诉')")
    father.fill("#words", "材料明明在库里，还说没有")
    father.click("text=提交投诉")
    assert "正在核实" in father.inner_text("#complaints")
    assert everywhere(father) == []
    manager.goto("/desk/ratings")
    card = manager.locator(".card:has(form)", has_text=number)
    assert "材料明明在库里" in card.inner_text()
    card.locator("textarea").fill("已核实并更正")
    card.locator("input[name=called_back]").fill("电话说明")
    with manager.expect_navigation():
        card.locator("button").click()
    father.goto(path)
    assert "已核实并更正" in father.inner_text("#complaints")
    father.click("#complaints button:text-is('解决了')")
    assert "已记下" in father.inner_text("main")


def test_everybody_sees_who_used_his_data(visit):
    elder, clerk = visit("elder"), visit("official16")
    _path, number = apply(elder, "2005-01")
    elder.goto("/uses")
    assert "您本人办理时" in elder.inner_text("main") and everywhere(elder) == []
    elder.goto("/uses?of=own")  # own looks are one line a day until one asks for them
    text = elder.inner_text("main")
    assert "人口库" in text or "医保库" in text
    assert "办理政务服务事项" in text
    assert everywhere(elder) == []
    assert clerk.goto("/uses").status == 200
    with acting(SYSTEM):
        mine = Case.objects.get(number=number)

    def tells(page):
        elder.goto(f"/uses?of=own&page={page}")
        return elder.locator(f'a[href="/cases/{mine.id}"]').count()

    pages = re.search("共 ([0-9]+) 页", elder.inner_text("main"))  # other tests look as the same person too
    assert any(tells(n + 1) for n in range(int(pages[1]) if pages else 1))
    assert clerk.locator(f'a[href="/cases/{mine.id}"]').count() == 0
