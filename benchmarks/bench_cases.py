"""A case's life through the HTTP API, on an empty database and among a million cases.

One cycle: a resident applies, an official takes the work, resolves it, the resident finds the case in his
list. Web server, worker, PostgreSQL and the load generator share the machine. Two installations, one empty
and one filled, are measured in turns. Bars: ≥ 37 cycles/s on the empty one; on the filled one at least 85 %
of that; an official's work list of 200 open cases within 10 ms of PostgreSQL's CPU and 12 queries.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import crowd as crowds
import filling
import worklists
from installation import Installation, installation, other_installation
from load import Api, Caller, Failed, Times, drive
from machine import Others, machine, sizes

VALUES = {"service.proof_from": "2025-01", "service.proof_to": "2025-12"}


def run(options: list[str]) -> dict:
    """Measure and compare with the bars."""
    chosen = sizes(options, cases=1_000_000, seconds=24, rounds=8, clients=8, workers=2, warm=5, open=200)
    settings = {"YIWANG_WRITES_PER_MINUTE": "100000"}
    with other_installation(chosen["workers"], **settings) as empty:
        empty_crowd = crowds.make_in(empty.env)
        with installation(chosen["workers"], **settings) as full:
            crowd = crowds.make()
            started = time.monotonic()
            _first_case(full.port, crowd)
            filled = filling.fill(chosen["cases"], chosen["open"], crowd)
            figures: dict = {
                "cases_filled": filled,
                "filling_seconds": round(time.monotonic() - started, 1),
                **_both([("empty", empty, empty_crowd), ("full", full, crowd)], chosen),
                "work_list": worklists.measure(full.port, crowd),
            }
    empty_rate, full_rate = figures["empty"]["cycles_per_s"], figures["full"]["cycles_per_s"]
    ratio = round(full_rate / empty_rate, 3)
    desk = figures["work_list"]
    queries = max(desk["queries_page"], desk["queries_api"])
    return {
        "bench": "cases",
        "machine": machine(),
        "sizes": chosen,
        "figures": figures,
        "bars": {
            "cycles_per_s_empty": {"figure": empty_rate, "bar": 37.0, "holds": empty_rate >= 37.0},
            "full_to_empty": {"figure": ratio, "bar": 0.85, "holds": ratio >= 0.85},
            "work_list_postgresql_ms": {
                "figure": desk["postgresql_ms"],
                "bar": 10.0,
                "holds": desk["postgresql_ms"] <= 10.0,
            },
            "work_list_queries": {"figure": queries, "bar": 12, "holds": queries <= 12},
        },
    }


def _both(places: list[tuple[str, Installation, crowds.Crowd]], chosen: dict[str, int]) -> dict:
    """Count cycles on the one, then on the other, and again: what else the machine does strikes both alike.

    The worker of the one that waits stands still, so that it takes nothing from the other.
    """
    seconds = chosen["seconds"] / chosen["rounds"]
    runs = {name: _Run(place, crowd, chosen["clients"]) for name, place, crowd in places}
    workers = {name: place.worker() for name, place, _crowd in places}
    for worker in workers.values():
        worker.suspend()
    for turn in range(chosen["rounds"]):
        for name, run_ in runs.items():
            workers[name].resume()
            if turn == 0:
                drive(chosen["clients"], chosen["warm"], lambda n, i, run_=run_: run_.cycle(Times(), n, i))
            run_.count(seconds)
            workers[name].suspend()
    for worker in workers.values():
        worker.resume()
    return {name: run_.figures() for name, run_ in runs.items()}


class _Run:
    """Cycles on one installation, counted over several turns."""

    def __init__(self, place: Installation, crowd: crowds.Crowd, clients: int) -> None:
        self.place, self.crowd, self.clients = place, crowd, clients
        self.callers = [Caller(place.port) for _ in range(clients)]
        self.times = Times()
        self.done, self.seconds, self.own, self.other = 0, 0.0, 0.0, 0.0

    def cycle(self, times: Times, n: int, i: int) -> None:
        """The ``i``-th cycle of client ``n``."""
        residents = self.crowd.residents
        resident = residents[(n + i * self.clients) % len(residents)]
        officials = self.crowd.officials[resident.county]
        _cycle(self.callers[n], times, resident.token, officials[i % len(officials)].token)

    def count(self, seconds: float) -> None:
        """One turn."""
        others = Others(self.place.var)
        done, took = drive(self.clients, seconds, lambda n, i: self.cycle(self.times, n, self.done + i))
        used = others.used(self.place.process.pid)
        self.done += done
        self.seconds += took
        self.own += used["cores_used"] * took
        self.other += used["cores_used_by_others"] * took

    def figures(self) -> dict:
        """What the turns came to."""
        return {
            "cycles_per_s": round(self.done / self.seconds, 1),
            "cpu_ms_per_cycle": round(1000 * self.own / self.done, 1),
            "cores_used": round(self.own / self.seconds, 2),
            "cores_used_by_others": round(self.other / self.seconds, 2),
            "cycles": self.done,
            "requests": self.times.summary(0.5, 0.99),
            "outbox_left": self.place.outbox(),
        }


def _first_case(port: int, crowd: crowds.Crowd, patience: float = 60.0) -> None:
    """One case from beginning to end, for the copies."""
    from yiwang.engines.cases.models import Case
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting

    resident = crowd.residents[0]
    _cycle(Caller(port), Times(), resident.token, crowd.officials[resident.county][0].token)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with acting(SYSTEM):
            if Case.objects.filter(subject_id=resident.person_id).exclude(closed_at=None).exists():
                return
        time.sleep(0.2)
    raise Failed("the worker did not close the first case")


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
