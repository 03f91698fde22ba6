"""`yiwang up`: database, migrations, packs, demo world, web and worker processes; Ctrl-C stops all of it."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from . import embedded, environment

SOON = 10.0  # seconds: a process that ended sooner than this did not really start
MOST_DEATHS = 5  # of that kind in a row, before the supervisor gives up


def _pidfile(env: environment.Environment) -> Path:
    return env.var / "run" / "yiwang.pid"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def down() -> int:
    """Stop a running ``yiwang up``, waiting for it to be gone."""
    env = _environment()
    try:
        pid = int(_pidfile(env).read_text())
    except (FileNotFoundError, ValueError):
        return 0
    if not _alive(pid):
        _pidfile(env).unlink(missing_ok=True)
        return 0
    os.kill(pid, signal.SIGTERM)
    for _ in range(300):
        if not _alive(pid):
            return 0
        time.sleep(0.1)
    print(f"yiwang (process {pid}) did not stop within 30 s", file=sys.stderr)
    return 1


def _environment() -> environment.Environment:
    try:
        return environment.read()
    except environment.Missing:
        os.environ["YIWANG_DEMO"] = "1"  # stopping needs no secret
        return environment.read()


def up() -> int:
    """Run until told to stop. Returns the exit status."""
    env = environment.read()
    pidfile = _pidfile(env)
    if pidfile.exists() and pidfile.read_text().isdigit() and _alive(int(pidfile.read_text())):
        print(
            f"yiwang is already running (process {pidfile.read_text()}); `make down` stops it",
            file=sys.stderr,
        )
        return 1
    pidfile.parent.mkdir(parents=True, exist_ok=True)
    pidfile.write_text(str(os.getpid()))
    stop = _Stop()
    database: list = []  # the embedded server, if it is ours
    children: list[_Child] = []
    try:
        if env.database_url is None:
            _say("starting PostgreSQL…")
            database.append(embedded.start(env.var / "postgres"))
        _prepare(env)
        children = _spawn(env)
        return _watch(env, database, children, stop)
    except KeyboardInterrupt:
        return 0
    finally:
        for child in children:
            child.process.terminate()
        for child in children:
            try:
                child.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                child.process.kill()
        for server in database:
            embedded.stop(server)
        pidfile.unlink(missing_ok=True)
        _say("stopped.")


class _Stop:
    """Set by SIGINT or SIGTERM."""

    def __init__(self) -> None:
        self.asked = False
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self._ask)

    def _ask(self, *_args: object) -> None:
        if not self.asked:
            self.asked = True
            raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _prepare(env: environment.Environment) -> None:
    """Migrations, packs, demo world: in this process, before anybody is served."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yiwang.config.settings")
    import django

    django.setup()
    from yiwang.config.checking import check_packs

    from . import install

    _say("migrating…")
    install.migrate()
    problems = check_packs(env.packs)
    if problems:
        for problem in problems:
            _say(str(problem))
        _say("packs have problems: the ones loaded before stay in force")
    else:
        _say(install.load(env.packs))
    if env.demo:
        from yiwang.config.demo import world

        world.make(_say)
    from django.db import connections

    for connection in connections.all():
        connection.close()
    connections["default"].close_pool()


def _spawn(env: environment.Environment) -> list["_Child"]:
    python = sys.executable
    web = [
        python, "-m", "granian", "--interface", "wsgi", "--host", os.environ.get("YIWANG_LISTEN", "127.0.0.1"),
        "--port", str(env.port), "--workers", os.environ.get("YIWANG_WEB_WORKERS", "2"),
        "--blocking-threads", "4", "--respawn-failed-workers", "--no-ws", "--log-level", "warning",
        "yiwang.config.wsgi:application",
    ]  # fmt: skip
    # The worker gives way to people: a document may wait a moment, a page may not.
    worker = ["nice", "-n", "10", python, "-m", "yiwang", "work"]
    collector = ["nice", "-n", "15", python, "-m", "yiwang", "collect"]  # loads of minutes, behind the cases
    return [_Child(web), _Child(worker), _Child(collector)]


class _Child:
    """A process that is started again when it dies, unless it dies at once, again and again."""

    def __init__(self, command: list[str]) -> None:
        self.command, self.deaths = command, 0
        self.start()

    def start(self) -> None:
        # A group of its own: Ctrl-C reaches the supervisor alone, which then stops them in order.
        self.process = subprocess.Popen(self.command, start_new_session=True)
        self.since = time.monotonic()

    def look(self) -> bool:
        """Start it again if it has died; False when that is no use."""
        if self.process.poll() is None:
            return True
        self.deaths = self.deaths + 1 if time.monotonic() - self.since < SOON else 1
        if self.deaths > MOST_DEATHS:
            return False
        _say(f"a process ended with status {self.process.returncode}; starting it again…")
        with suppress(ProcessLookupError):  # what it started itself would still hold its port
            os.killpg(self.process.pid, signal.SIGKILL)
        self.start()
        return True


def _watch(env: environment.Environment, database: list, children: list["_Child"], stop: _Stop) -> int:
    """Say the address when ready; bring a dead database back; end when a child ends."""
    said = False
    while not stop.asked:
        for child in children:
            if not child.look():
                _say(f"a process keeps ending with status {child.process.returncode}; stopping")
                return 1
        if database and embedded.died(database[0]):
            _say("PostgreSQL is gone; starting it again…")
            database[0] = embedded.start(env.var / "postgres")
        if not said and _ready(env.port):
            print(f"yiwang is ready: http://localhost:{env.port}", flush=True)
            said = True
        time.sleep(0.2 if not said else 1)
    return 0


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False
