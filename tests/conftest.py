"""Fixtures of the tests that cross rooms: the running product, its people, a real browser."""

import os
import shutil

import pytest
from product import PRODUCT, Product


@pytest.fixture(scope="session")
def product() -> Product:
    return PRODUCT


@pytest.fixture(scope="session")
def browser():
    """One Chromium for the session; none under CI is a failure, not a skip."""
    from playwright.sync_api import sync_playwright

    path = next(
        (p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None
    )
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium on PATH: .ci/browser should have installed it")
        pytest.skip("no Chromium on PATH")
    with sync_playwright() as playwright:
        arguments = [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
        ]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, product):
    """``visit(username, **context options)`` → a page of somebody signed in (None: a visitor).

    Any error in the browser's console, a broken Content-Security-Policy included, fails the test.
    """
    contexts, troubles = [], []

    def heard(message):
        refused = (
            "status of 4" in message.text or "status of 5" in message.text
        )  # a page may answer 422, 409, 503
        if message.type == "error" and not refused:
            troubles.append(message.text)

    def open_page(username=None, **options):
        options.setdefault("viewport", {"width": 1280, "height": 900})
        context = browser.new_context(locale="zh-CN", base_url=product.url, **options)
        contexts.append(context)
        context.set_default_timeout(15000)
        page = context.new_page()
        page.on("console", heard)
        page.on("pageerror", lambda e: troubles.append(str(e)))
        if username:
            page.goto("/accounts/login/")
            with page.expect_navigation():
                page.click(f'button[name="username"][value="{username}"]')
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def become():
    """``become(username)`` → the actor of a demo account, for commands given in this process."""
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.accounts.models import User
    from yiwang.kernel.accounts.queries import actor_of

    def actor(username):
        with acting(SYSTEM):
            return actor_of(User.objects.select_related("person").get(username=username))

    return actor


@pytest.fixture
def appoint():
    """``appoint(username, (office, roles), …)`` → the actor of a new account that can sign in.

    The first post is the oldest. They end with the test: who reports or may answer goes by them.
    """
    from datetime import date, timedelta

    from django.utils import timezone

    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.accounts.models import Person, User
    from yiwang.kernel.accounts.queries import actor_of
    from yiwang.kernel.orgs.models import Post

    made = []

    def actor(username, *posts):
        with acting(SYSTEM):
            person = Person.objects.filter(users=None, posts=None).order_by("-id").first()
            user = User(username=username, person=person, demo_role=username, demo_order=950)
            user.set_unusable_password()
            user.save()
            for n, (office, roles) in enumerate(posts):
                made.append(
                    Post.objects.create(
                        person=person, org=office, title="岗位", roles=roles, since=date(2020 + n, 1, 1)
                    )
                )
            return actor_of(user)

    yield actor
    with acting(SYSTEM):
        Post.objects.filter(id__in=[post.id for post in made]).update(
            until=timezone.localdate() - timedelta(days=1)
        )


@pytest.fixture(scope="session")
def photo(tmp_path_factory):
    """A small white passport photo."""
    from yiwang.config.demo.cases import PHOTO

    file = tmp_path_factory.mktemp("photo") / "照片.png"
    file.write_bytes(PHOTO)
    return file
