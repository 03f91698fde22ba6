"""OpenID Connect both ways. The product is its own identity provider: people of localhost sign in at 127.0.0.1."""

import base64
import http.client
import http.server
import json
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest
from allauth.idp.oidc.models import Client
from django.contrib.auth.hashers import make_password
from product import ROOT
from test_pages import everywhere

from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Person, User
from yiwang.kernel.accounts.oidc import clients
from yiwang.kernel.accounts.oidc.signing_in import _user_of
from yiwang.kernel.audit.models import AuditEvent


class Relay:
    """What stands at the identity provider's address: it passes on to the product while it is up."""

    def __init__(self, port: int, to: int) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                onward = http.client.HTTPConnection("localhost", to, timeout=20)
                onward.request("GET", self.path, headers={"Host": f"localhost:{to}"})
                answer = onward.getresponse()
                body = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("localhost", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def down(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def provider(product):
    with acting(SYSTEM):
        client, _new = Client.objects.get_or_create(id="yiwang-itself", defaults={"name": "演示单点登录"})
        client.secret = make_password("a secret of the tests")
        client.set_scopes(["openid", "profile", "idno"])
        client.set_redirect_uris([f"http://127.0.0.1:{product.port}/accounts/oidc/province/login/callback/"])
        client.save()
    relay = Relay(product.oidc_port, product.port)
    yield relay
    relay.down()


def elsewhere(product) -> str:
    """The same product under another host name: another cookie jar, another installation to the browser."""
    return f"http://127.0.0.1:{product.port}"


def sign_in_through(page, product, next_path="/cases"):
    page.goto(f"{elsewhere(product)}/accounts/login/?next={next_path}")
    page.click("text=统一身份认证 >> nth=-1")
    page.wait_for_url(re.compile("identity/o/authorize"))


def test_a_mother_signs_in_through_the_provider_and_is_herself(product, provider, visit):
    page = visit("mother")
    sign_in_through(page, product)
    assert everywhere(page) == []
    assert "演示单点登录" in page.inner_text("h1") and "您的公民身份号码" in page.inner_text("main")
    page.click("text=同意并登录")
    page.wait_for_url(f"{elsewhere(product)}/cases")
    name = User.objects.none()
    with acting(SYSTEM):
        mother = User.objects.select_related("person").get(username="mother")
        name = mother.person.name
        told = AuditEvent.objects.filter(verb="account.told", object_id="yiwang-itself").latest("id")
        signed_in = AuditEvent.objects.filter(verb="account.signed-in").latest("id")
    assert name in page.inner_text("header") and told.actor == f"user:{mother.id}"
    assert signed_in.object_id == str(mother.id)
    assert set(told.detail["scopes"]) == {"openid", "profile", "idno"}


def test_nobody_is_signed_in_without_a_real_name(product, provider, visit):
    page = visit("father")
    sign_in_through(page, product)
    page.uncheck("text=您的公民身份号码")
    page.click("text=同意并登录")
    page.wait_for_url(re.compile("127.0.0.1.*callback"))
    assert "实名认证" in page.inner_text("main")
    page.goto(f"{elsewhere(product)}/cases")
    assert "/accounts/login/" in page.url


def test_declining_leads_back_and_signs_nobody_in(product, provider, visit):
    page = visit("father")
    sign_in_through(page, product)
    page.click("text=不同意")
    page.wait_for_url(re.compile("127.0.0.1"))
    assert "登录没有完成" in page.inner_text("main")


def test_a_provider_that_is_down_costs_nothing_that_was_typed(product, provider, visit):
    provider.down()
    page = visit()
    page.goto(f"{elsewhere(product)}/accounts/login/?next=/cases")
    with page.expect_response(re.compile("province/login")) as answer:
        page.click("text=统一身份认证 >> nth=-1")
    assert answer.value.status == 503
    assert "暂时连不上" in page.inner_text("main") and everywhere(page) == []
    page.click("text=回登录页")
    page.wait_for_url(re.compile("accounts/login"))
    assert page.is_visible("#id_login")


def test_whoever_is_new_gets_an_account_and_a_changed_name_follows_the_provider():
    with acting(SYSTEM):
        user = _user_of("欧阳新", "379901199001019998")
        assert (user.person.name, user.has_usable_password()) == ("欧阳新", False)
        assert _user_of("欧阳改", "379901199001019998") == user
        assert Person.objects.get(idno="379901199001019998").name == "欧阳改"


def test_a_departments_system_learns_the_post_of_an_official_and_no_more(product, visit):
    back = "http://localhost:1/back"
    with acting(SYSTEM):
        clients.add(SYSTEM, "城建档案系统", [back], ["profile", "posts"])
        client = Client.objects.get(name="城建档案系统")
        client.secret = make_password("s3cret")
        client.save()
    ask = {"response_type": "code", "client_id": client.id, "redirect_uri": back, "state": "x1"}
    page = visit("official19")
    page.goto("/identity/o/authorize?" + urllib.parse.urlencode({**ask, "scope": "openid profile posts"}))
    with page.expect_request(re.compile(r"localhost:1/back")) as sent:
        page.click("text=同意并登录")
    answer = urllib.parse.parse_qs(urllib.parse.urlparse(sent.value.url).query)
    assert answer["state"] == ["x1"]
    code = answer["code"][0]
    got = exchange(product, client.id, "s3cret", code, back)
    with acting(SYSTEM):
        person = User.objects.select_related("person").get(username="official19").person
        office = person.posts.select_related("org").first().org.name
    claims = told(product, got["access_token"])
    assert claims["name"] == person.name and "idno" not in claims
    assert claims["posts"][0]["office"] == office
    with pytest.raises(urllib.error.HTTPError):  # a code is good once
        exchange(product, client.id, "s3cret", code, back)
    page.goto(
        "/identity/o/authorize?" + urllib.parse.urlencode({**ask, "redirect_uri": "https://evil.example/"})
    )
    assert page.url.startswith(product.url) and everywhere(page) == []


def exchange(product, client_id, secret, code, back):
    body = urllib.parse.urlencode(
        {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
    ).encode()
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    asked = urllib.request.Request(
        f"{product.url}/identity/o/api/token", body, {"Authorization": f"Basic {basic}"}
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return json.load(answer)


def told(product, token):
    asked = urllib.request.Request(
        f"{product.url}/identity/o/api/userinfo", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return json.load(answer)


def test_the_operator_makes_and_takes_back_a_system(product):
    def system(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "yiwang", "account", "system", *arguments],
            env=product.env, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip

    plain = system("甲系统", "--redirect", "http://far.example/cb")
    assert plain.returncode == 1 and "https" in plain.stderr
    made = system("甲系统", "--redirect", "https://far.example/cb", "--scopes", "profile")
    assert json.loads(made.stdout).keys() == {"client_id", "client_secret"}
    assert "已有名为" in system("甲系统", "--redirect", "https://far.example/cb").stderr
    assert system("甲系统", "--remove").returncode == 0
    with acting(SYSTEM), pytest.raises(Refused, match="没有名为"):
        clients.remove(SYSTEM, "甲系统")
