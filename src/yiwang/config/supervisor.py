"""`yiwang up`: database, migrations, packs, demo world, web and worker processes; Ctrl-C stops all of it."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from . import embedded, environment


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
    children: list[subprocess.Popen] = []
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
            child.terminate()
        for child in children:
            try:
                child.wait(timeout=15)
            except subprocess.TimeoutExpired:
                child.kill()
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
    from yiwang.engines.cases.lint import check_packs

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


def _spawn(env: environment.Environment) -> list[subprocess.Popen]:
    python = sys.executable
    web = [
        python, "-m", "granian", "--interface", "wsgi", "--host", os.environ.get("YIWANG_LISTEN", "127.0.0.1"),
        "--port", str(env.port), "--workers", os.environ.get("YIWANG_WEB_WORKERS", "2"),
        "--blocking-threads", "4", "--respawn-failed-workers", "--no-ws", "--log-level", "warning",
        "yiwang.config.wsgi:application",
    ]  # fmt: skip
    # A group of their own: Ctrl-C reaches this process alone, which then stops them in order.
    return [
        subprocess.Popen(web, start_new_session=True),
        subprocess.Popen([python, "-m", "yiwang", "work"], start_new_session=True),
    ]


def _watch(
    env: environment.Environment, database: list, children: list[subprocess.Popen], stop: _Stop
) -> int:
    """Say the address when ready; bring a dead database back; end when a child ends."""
    said = False
    while not stop.asked:
        for child in children:
            if child.poll() is not None:
                _say(f"a process ended with status {child.returncode}; stopping")
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
