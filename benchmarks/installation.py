"""An installation of a benchmark's own: `yiwang up` on a fresh folder, thrown away afterwards."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Installation:
    """A running demo installation; this process may use its database as well."""

    def __init__(self, workers: int, **settings: str) -> None:
        self.var = Path(tempfile.mkdtemp(prefix="yiwang-bench-"))
        self.port = free_port()
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("YIWANG_", "DATABASE_"))}
        self.env = clean | {
            "YIWANG_DEMO": "1",
            "YIWANG_VAR": str(self.var),
            "YIWANG_WEB_WORKERS": str(workers),
            "PORT": str(self.port),
            **settings,
        }
        self.log = open(self.var / "up.log", "w")  # noqa: SIM115 (kept open for the process)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "yiwang", "up"], env=self.env, stdout=self.log, stderr=self.log, cwd=ROOT
        )

    def ready(self) -> bool:
        """Whether the web server answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def wait(self, patience: float = 300) -> None:
        """Until it answers."""
        deadline = time.monotonic() + patience
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.var / "up.log").read_text()[-4000:])
            time.sleep(0.2)

    def worker(self):
        """Its worker process."""
        import psutil

        for child in psutil.Process(self.process.pid).children():
            if "work" in child.cmdline():
                return child
        raise RuntimeError("no worker")

    def outbox(self) -> int:
        """What the worker has not done yet; -1 while the database is away."""
        import psycopg

        from yiwang.config import embedded

        try:
            with psycopg.connect(embedded.url(self.var / "postgres", embedded.OWNER)) as owner:
                (left,) = owner.execute("select count(*) from events_outboxevent").fetchone() or (-1,)
        except psycopg.OperationalError:
            return -1
        return int(left)

    def stop(self) -> None:
        """Stop it and throw its folder away."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.log.close()
        shutil.rmtree(self.var, ignore_errors=True)


@contextmanager
def other_installation(workers: int = 2, **settings: str):
    """A running installation whose database this process does not use."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what follows ``finally`` is done
    made = Installation(workers, **settings)
    try:
        made.wait()
        yield made
    finally:
        made.stop()


@contextmanager
def installation(workers: int = 2, **settings: str):
    """A running installation, with Django set up in this process on its database."""
    with other_installation(workers, **settings) as made:
        os.environ |= {k: v for k, v in made.env.items() if k.startswith("YIWANG_") or k == "PORT"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "yiwang.config.settings"
        os.environ.pop("DATABASE_URL", None)
        import django

        django.setup()
        yield made


@contextmanager
def database() -> Iterator[Path]:
    """A migrated database with the packs and nothing else, for what is measured in this process; its folder.

    Rooms are imported within: Django is set up here.
    """
    folder = Path(tempfile.mkdtemp(prefix="yiwang-bench-"))
    os.environ |= {
        "YIWANG_VAR": str(folder), "YIWANG_DEMO": "1", "DJANGO_SETTINGS_MODULE": "yiwang.config.settings",
    }  # fmt: skip
    os.environ.pop("DATABASE_URL", None)
    from yiwang.config import embedded

    server = embedded.start(folder / "postgres")
    try:
        import django

        django.setup()
        from yiwang.config import environment, install

        install.migrate()
        install.load(environment.ROOT / "packs")
        yield folder
    finally:
        embedded.stop(server)
        shutil.rmtree(folder, ignore_errors=True)
