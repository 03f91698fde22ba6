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

ROOT = Path(__file__).resolve().parents[1]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Product:
    """A running installation with its demo world."""

    def __init__(self) -> None:
        self.var = Path(tempfile.mkdtemp(prefix="yiwang-test-"))
        self.port, self.oidc_port = free_port(), free_port()
        self.url = f"http://localhost:{self.port}"
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("YIWANG_", "DATABASE_"))},
            "YIWANG_DEMO": "1",
            "YIWANG_VAR": str(self.var),
            "PORT": str(self.port),
            # Its identity provider is itself, seen through a relay of test_oidc.py's that can be taken away.
            "YIWANG_OIDC_URL": f"http://localhost:{self.oidc_port}",
            "YIWANG_OIDC_CLIENT_ID": "yiwang-itself",
            "YIWANG_OIDC_SECRET": "a secret of the tests",
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

    def settle(self) -> None:
        """Wait until every web worker answers again after an outage of the database."""
        good, deadline = 0, time.monotonic() + 60
        while good < 12 and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/accounts/login/", timeout=5) as answer:
                    good = good + 1 if answer.status == 200 else 0
            except OSError:
                good = 0
                time.sleep(0.3)
        if good < 12:
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


def until(condition, patience: float = 30, pause: float = 0.2):
    """Wait for what the worker does; returns what ``condition`` returned."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(pause)
    raise AssertionError("it did not happen in time")
