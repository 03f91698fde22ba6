"""Second factors: set up in the browser, asked for at sign-in, required of officials where the setting says so."""

import dataclasses

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings
from django.http import HttpResponse
from playwright.sync_api import expect
from test_pages import everywhere

from yiwang.kernel.access.contracts import SYSTEM, Actor
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import User
from yiwang.kernel.accounts.second_factor import HAS_ONE, StaffNeedSecondFactor
from yiwang.kernel.ids import new_id

PASSWORD = "a-long-Passphrase-7"


def code_of(secret):
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def sign_in(page, name):
    page.goto("/accounts/login/?next=/cases")
    page.fill("#id_login", name)
    page.fill("#id_password", PASSWORD)
    page.click("form[action='/accounts/login/'] button")
    page.wait_for_url(lambda address: "/accounts/login/" not in address)


def test_set_up_once_then_asked_for_at_each_sign_in(visit):
    with acting(SYSTEM):
        person = User.objects.select_related("person").get(username="official19").person
        user = User.objects.create_user("twofactor", PASSWORD, person=person)
    page = visit()
    sign_in(page, "twofactor")
    page.goto("/accounts/2fa/")
    assert everywhere(page) == []
    page.click("text=设置两步验证")
    expect(page.locator("h1")).to_contain_text("再确认一次")  # a session left open sets nothing up
    assert everywhere(page) == []
    page.fill("#password", PASSWORD)
    page.click("main button")
    expect(page.locator("h1")).to_contain_text("设置两步验证")
    assert everywhere(page) == []
    secret = page.inner_text("form .num")
    page.fill("#code", "000000")
    page.click("button:text-is('开启')")
    expect(page.locator("main")).to_contain_text("没有通过")
    secret = page.inner_text("form .num")
    page.fill("#code", code_of(secret))
    page.click("button:text-is('开启')")
    expect(page.locator("h1")).to_contain_text("恢复码")
    assert everywhere(page) == []
    recovery = page.locator(".codes li").first.inner_text()
    stored = Authenticator.objects.get(user=user, type="totp").data["secret"]
    assert secret not in stored  # encrypted in the database
    again = visit()
    sign_in(again, "twofactor")
    assert "两步验证" in again.inner_text("h1")
    assert everywhere(again) == []
    again.goto("/cases")
    assert "两步验证" in again.inner_text("h1")  # the password alone opens nothing
    again.fill("#code", "123456")
    again.click("main button")
    expect(again.locator("main")).to_contain_text("没有通过")
    again.fill("#code", recovery)
    again.click("main button")
    expect(again.locator("h1")).to_contain_text("我的办件")


class Request:
    """As much of a request as the middleware reads."""

    def __init__(self, actor, path="/desk"):
        self.actor, self.path, self.session = actor, path, {}
        self.user = User(id=new_id())
        self._messages = type("Quiet", (), {"add": lambda *a, **k: None})()


def test_an_official_without_one_gets_no_further_where_it_is_required(monkeypatch):
    official = Actor("办事员", new_id(), new_id(), {new_id(): frozenset({"acceptor"})})
    passed = StaffNeedSecondFactor(lambda request: HttpResponse("ok"))
    assert passed(Request(official)).status_code == 200  # the demo does not ask
    monkeypatch.setattr(settings, "ENV", dataclasses.replace(settings.ENV, staff_mfa=True))
    stopped = passed(Request(official))
    assert stopped.status_code == 302
    assert "2fa/totp/activate" in stopped.url
    assert passed(Request(Actor("居民", new_id(), new_id()))).status_code == 200
    known = Request(official)
    known.session[HAS_ONE] = True
    assert passed(known).status_code == 200
    assert passed(Request(official, "/accounts/2fa/totp/activate/")).status_code == 200
