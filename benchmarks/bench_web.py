"""Pages as people ask for them, through the web server: home, search, guide, form, case, inbox, a case at the desk.

Web server, worker, PostgreSQL and the load generator share the machine. Bar: ≥ 150 pages/s.
"""

import re
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parent))

from installation import installation
from load import Caller, Failed, Times, drive
from machine import Others, machine, sizes

# How often each is asked for, of 20.
MIX = (
    ("home",) * 4
    + ("search",) * 4
    + ("guide",) * 4
    + ("form",) * 2
    + ("case",) * 3
    + ("inbox",) * 2
    + ("desk",)
)


def run(options: list[str]) -> dict:
    """Measure and compare with the bar."""
    chosen = sizes(options, seconds=20, warm=5, clients=8, workers=2)
    with installation(chosen["workers"]) as place:
        pages = _pages()
        sessions = [
            (_sign_in(place.port, "mother"), _sign_in(place.port, "official10"))
            for _ in range(chosen["clients"])
        ]
        callers = [Caller(place.port) for _ in range(chosen["clients"])]

        def once(times: Times, n: int, i: int) -> None:
            kind = MIX[(i * 7 + n) % len(MIX)]
            mother, official = sessions[n]
            cookie = official if kind in ("inbox", "desk") else mother
            start = time.perf_counter()
            status, _headers, body = callers[n]("GET", pages[kind], f"Cookie: {cookie}\r\n")
            times.add(kind, time.perf_counter() - start)
            if status != 200 or b"</html>" not in body:
                raise Failed(f"{kind} {pages[kind]}: {status}")

        drive(chosen["clients"], chosen["warm"], lambda n, i: once(Times(), n, i))
        times, others = Times(), Others(place.var)
        done, seconds = drive(chosen["clients"], chosen["seconds"], lambda n, i: once(times, n, i))
        used = others.used(place.process.pid)
    rate = round(done / seconds, 1)
    return {
        "bench": "web",
        "machine": machine(),
        "sizes": chosen,
        "figures": {
            "pages_per_s": rate,
            "p95_ms": times.percentile(0.95),
            "pages": times.summary(0.5, 0.95),
            **used,
        },
        "bars": {"pages_per_s": {"figure": rate, "bar": 150.0, "holds": rate >= 150.0}},
    }


def _sign_in(port: int, username: str) -> str:
    """The cookies of a session of somebody on the demo list."""
    caller = Caller(port)
    status, headers, body = caller("GET", "/accounts/login/")
    if status != 200:
        raise Failed(f"sign-in page: {status}")
    mark = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', body)
    cookie = re.search(r"csrftoken=(\w+)", headers.get("set-cookie", ""))
    if mark is None or cookie is None:
        raise Failed("sign-in page: no CSRF mark")
    form = urlencode({"csrfmiddlewaretoken": mark[1].decode(), "username": username}).encode()
    sent = (
        f"Cookie: csrftoken={cookie[1]}\r\nReferer: http://localhost:{port}/\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
    )
    status, headers, body = caller("POST", "/demo/sign-in", sent, form)
    session = re.search(r"sessionid=(\w+)", headers.get("set-cookie", ""))
    caller.close()
    if session is None:
        raise Failed(f"sign-in: {status}")
    return f"csrftoken={cookie[1]}; sessionid={session[1]}"


def _pages() -> dict[str, str]:
    """The addresses; the mother gets a draft and a case of her own, the official one of his office's."""
    from yiwang.config.demo import cases as demo
    from yiwang.engines.cases.models import Case, Token
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.accounts.models import User
    from yiwang.kernel.accounts.queries import actor_of
    from yiwang.kernel.orgs.models import Post

    class Person:
        def __init__(self, person) -> None:
            self.id, self.name, self.births = person.id, person.name, 1

    with acting(SYSTEM):
        mother = User.objects.select_related("person").get(username="mother")
        person = Person(mother.person)
        office = Post.objects.get(person__users__username="official10").org_id
        work = Token.objects.filter(org_id=office, kind="user", role="acceptor").first()
        assert work is not None
        assert actor_of(mother).person_id == person.id
    case_id = demo.apply(person, "小宝")
    draft_id = demo.draft(person)
    with acting(SYSTEM):
        assert Case.objects.get(id=case_id).kind == "bundle"
    return {
        "home": "/",
        "search": "/search?" + urlencode({"q": "生孩子"}),
        "guide": "/services/sd.newborn",
        "form": f"/apply/{draft_id}/hukou",
        "case": f"/cases/{case_id}",
        "inbox": "/desk",
        "desk": f"/desk/cases/{work.case_id}",
    }
