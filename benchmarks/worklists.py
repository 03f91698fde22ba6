"""What an official's work list costs: PostgreSQL's CPU and the number of queries, as page and through the API."""

import os
import statistics
import time
from pathlib import Path

import crowd as crowds

TIMES = 40


def measure(port: int, crowd: crowds.Crowd) -> dict:
    """The inbox of an official of the first office, drawn by this process as the web server draws it.

    The CPU is that of the PostgreSQL backend that serves this process's connection, from /proc: the mean
    over many pages, because a tick is 10 ms.
    """
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    county, office = next(iter(crowd.offices.items()))
    official = crowd.officials[county][0]
    token = {"HTTP_AUTHORIZATION": f"Bearer {official.token}", "HTTP_HOST": "localhost"}
    page = _signed_in(official)
    connection.ensure_connection()
    figures: dict = {"open": _open(office)}
    for name, get in (
        ("page", lambda: page.get("/desk")),
        ("api", lambda: Client(**token).get("/api/v1/work")),
    ):
        for _ in range(5):
            answer = get()
        assert answer.status_code == 200, answer.content[:300]
        with CaptureQueriesContext(connection) as seen:
            get()
        figures[f"queries_{name}"] = sum(1 for q in seen.captured_queries if _asks(q["sql"]))
        backend = connection.connection.info.backend_pid
        before, started, walls = _cpu(backend), time.perf_counter(), []
        for _ in range(TIMES):
            start = time.perf_counter()
            get()
            walls.append(time.perf_counter() - start)
        figures[f"postgresql_ms_{name}"] = round(1000 * (_cpu(backend) - before) / TIMES, 2)
        figures[f"median_ms_{name}"] = round(1000 * statistics.median(walls), 1)
        figures[f"seconds_{name}"] = round(time.perf_counter() - started, 2)
    figures["postgresql_ms"] = max(figures["postgresql_ms_page"], figures["postgresql_ms_api"])
    return figures


def _signed_in(official: crowds.Member):
    """A test client with a session of the official's, made as the sign-in makes it."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.test import Client

    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.accounts.models import User

    with acting(SYSTEM):
        user = User.objects.get(id=official.user_id)
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
    client = Client(HTTP_HOST="localhost")
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client


def _asks(sql: str) -> bool:
    """Whether a captured statement asks for data, rather than bounding the transaction."""
    return not sql.upper().startswith(("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"))


def _open(office) -> int:
    from yiwang.engines.cases.models import Token
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting

    with acting(SYSTEM):
        return Token.objects.filter(org_id=office, kind="user").count()


def _cpu(pid: int) -> float:
    """CPU seconds of a process; nanoseconds from schedstat where the kernel gives them."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
