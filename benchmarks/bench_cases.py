"""A case's life through the HTTP API, on an empty database and among a million cases.

One cycle: a resident applies, an official takes the work, resolves it, the resident finds the case in his
list. Web server, worker, PostgreSQL and the load generator share the machine. Bars: ≥ 37 cycles/s on an
empty database; at the large size at least 85 % of that, in the same run; an official's work list of 200
open cases within 10 ms of PostgreSQL's CPU and 12 queries.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import crowd as crowds
import filling
import worklists
from installation import Installation, installation
from load import Api, Caller, Failed, Times, drive
from machine import Others, machine, sizes

VALUES = {"service.proof_from": "2025-01", "service.proof_to": "2025-12"}


def run(options: list[str]) -> dict:
    """Measure and compare with the bars."""
    chosen = sizes(options, cases=1_000_000, seconds=20, clients=8, workers=2, warm=5, open=200)
    with installation(chosen["workers"], YIWANG_WRITES_PER_MINUTE="100000") as place:
        crowd = crowds.make(residents=400, officials=4)
        figures: dict = {"empty": _cycles(place, crowd, chosen)}
        wait = _settle()
        started = time.monotonic()
        filled = filling.fill(chosen["cases"], chosen["open"], crowd)
        figures["filling_seconds"] = round(time.monotonic() - started, 1)
        figures["outbox_settled_seconds"] = wait
        figures["cases_filled"] = filled
        figures["full"] = _cycles(place, crowd, chosen)
        figures["work_list"] = worklists.measure(place.port, crowd)
    empty, full, desk = (
        figures["empty"]["cycles_per_s"],
        figures["full"]["cycles_per_s"],
        figures["work_list"],
    )
    ratio = round(full / empty, 3)
    queries = max(desk["queries_page"], desk["queries_api"])
    return {
        "bench": "cases",
        "machine": machine(),
        "sizes": chosen,
        "figures": figures,
        "bars": {
            "cycles_per_s_empty": {"figure": empty, "bar": 37.0, "holds": empty >= 37.0},
            "full_to_empty": {"figure": ratio, "bar": 0.85, "holds": ratio >= 0.85},
            "work_list_postgresql_ms": {
                "figure": desk["postgresql_ms"],
                "bar": 10.0,
                "holds": desk["postgresql_ms"] <= 10.0,
            },
            "work_list_queries": {"figure": queries, "bar": 12, "holds": queries <= 12},
        },
    }


def _cycles(place: Installation, crowd: crowds.Crowd, chosen: dict[str, int]) -> dict:
    """Warm up, then count cycles."""
    callers = [Caller(place.port) for _ in range(chosen["clients"])]
    clients = chosen["clients"]

    def cycle(times: Times, n: int, i: int) -> None:
        resident = crowd.residents[(n + i * clients) % len(crowd.residents)]
        officials = crowd.officials[resident.county]
        _cycle(callers[n], times, resident.token, officials[i % len(officials)].token)

    drive(clients, chosen["warm"], lambda n, i: cycle(Times(), n, i))
    times, others = Times(), Others()
    done, seconds = drive(clients, chosen["seconds"], lambda n, i: cycle(times, n, i))
    return {
        "cycles_per_s": round(done / seconds, 1),
        "cycles": done,
        "requests": times.summary(0.5, 0.99),
        **others.used(place.process.pid),
        "outbox_left": _outbox(),
    }


def _cycle(caller: Caller, times: Times, resident: str, official: str) -> None:
    from yiwang.kernel.ids import new_id

    mine, desk = Api(caller, resident), Api(caller, official)

    def timed(kind: str, api: Api, method: str, path: str, body: dict | None = None) -> dict:
        start = time.perf_counter()
        status, answer = api(method, path, body)
        times.add(kind, time.perf_counter() - start)
        if status >= 300:
            raise Failed(f"{kind}: {status} {answer}")
        return answer

    command = {"command_id": str(new_id()), "service": crowds.ITEM, "values": VALUES}
    case = timed("create", mine, "POST", "cases", command)
    step = {"token": 1}  # the first step of a case is always its first token
    path = f"cases/{case['id']}"
    timed("assign", desk, "POST", f"{path}/assign", step | {"command_id": str(new_id())})
    wanted = step | {"command_id": str(new_id()), "outcome": "grant"}
    timed("resolve", desk, "POST", f"{path}/complete", wanted)
    found = timed("search", mine, "GET", f"cases?q={case['number']}")
    if [line["id"] for line in found["items"]] != [case["id"]]:
        raise Failed(f"search: {found}")


def _outbox() -> int:
    """What the worker has not done yet: documents and messages may follow, a page may not wait for them."""
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.events.models import OutboxEvent

    with acting(SYSTEM):
        return int(OutboxEvent.objects.count())


def _settle(patience: float = 60.0) -> float:
    """Let the worker finish what the first part left, so that the second is not slowed by it."""
    start = time.monotonic()
    while time.monotonic() - start < patience and _outbox():
        time.sleep(0.5)
    return round(time.monotonic() - start, 1)
