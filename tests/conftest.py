"""What crosses rooms is tested on the product itself: `yiwang up` on a fresh folder, real PostgreSQL, real browser."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Product:
    """A running installation with its demo world."""

    def __init__(self) -> None:
        self.var = Path(tempfile.mkdtemp(prefix="yiwang-test-"))
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("YIWANG_", "DATABASE_"))},
            "YIWANG_DEMO": "1",
            "YIWANG_VAR": str(self.var),
            "PORT": str(self.port),
        }
        self.log = open(self.var / "up.log", "w")  # noqa: SIM115 (kept open for the process)
        command = [sys.executable, "-m", "yiwang", "up"]
        self.process = subprocess.Popen(command, env=self.env, stdout=self.log, stderr=self.log, cwd=ROOT)
        atexit.register(self.stop)

    def wait(self, patience: float = 240) -> None:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError((self.var / "up.log").read_text()[-4000:])

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        shutil.rmtree(self.var, ignore_errors=True)


# Started when this folder is collected: test modules below import Django models, whose settings need the database.
PRODUCT = Product()
PRODUCT.wait()
os.environ.update({k: PRODUCT.env[k] for k in ("YIWANG_DEMO", "YIWANG_VAR", "PORT")})
os.environ["DJANGO_SETTINGS_MODULE"] = "yiwang.config.settings"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = (
    "1"  # the browser driver runs a loop in this thread; these tests do not
)

import django  # noqa: E402

django.setup()


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
            page.click(f'button[name="username"][value="{username}"]')
            page.wait_for_load_state()
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


def until(condition, patience: float = 30, pause: float = 0.2):
    """Wait for what the worker does; returns what ``condition`` returned."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(pause)
    raise AssertionError("it did not happen in time")


@pytest.fixture(scope="session")
def photo(tmp_path_factory):
    """A small white passport photo."""
    from yiwang.config.demo.cases import PHOTO

    file = tmp_path_factory.mktemp("photo") / "照片.png"
    file.write_bytes(PHOTO)
    return file
