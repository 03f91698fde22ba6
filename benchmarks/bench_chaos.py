"""Kill web processes, workers and PostgreSQL (-9), in turn, under load; then look at what is left.

Clients file, take and grant cases through the API and repeat a command, with the same id, until it is
answered. Afterwards the database must show every acknowledged command exactly once, every hash chain and
every replay in order, no number twice, and each closed case with each of its documents once.

`least`: the load goes on after the last kill until so many commands are acknowledged.
"""

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import crowd as crowds
from installation import Installation, installation
from load import Api, Caller, Failed
from machine import machine, sizes

VALUES = {"service.proof_from": "2025-01", "service.proof_to": "2025-12"}
TARGETS = ("web", "worker", "postgresql", "web-master")
DOCUMENTS = ("decision_grant", "licence", "receipt")


class Log:
    """What clients asked for and what was acknowledged."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asked: list[Any] = []  # (user id, command id) of every application
        self.cases: list[str] = []  # ids of the cases that were acknowledged
        self.commands: list[str] = []  # ids of the commands on cases that were acknowledged
        self.retries = 0
        self.wrong: list[str] = []  # answers that no outage explains


def run(options: list[str]) -> dict:
    """Kill, wait, look."""
    chosen = sizes(options, kills=100, clients=4, workers=2, pause_ms=150, patience=240, least=0)
    with installation(chosen["workers"], YIWANG_WRITES_PER_MINUTE="100000") as place:
        crowd = crowds.make(residents=60, officials=2)
        log, stop = Log(), threading.Event()
        threads = [
            threading.Thread(target=_client, args=(place.port, crowd, log, stop, n, chosen))
            for n in range(chosen["clients"])
        ]
        for thread in threads:
            thread.start()
        started = time.monotonic()
        killed, down = _kill(place, chosen["kills"])
        _until(lambda: len(log.commands) >= chosen["least"], chosen["patience"])  # a few kills are soon over
        seconds = time.monotonic() - started
        stop.set()
        for thread in threads:
            thread.join()
        settled = _settle(place, chosen["patience"])
        found = _look(log, crowd)
    bars = {
        name: {"figure": figure, "bar": 0, "holds": figure == 0}
        for name, figure in found.items()
        if name not in ("cases", "events")
    }
    bars["kills"] = {
        "figure": sum(killed.values()),
        "bar": chosen["kills"],
        "holds": sum(killed.values()) >= chosen["kills"],
    }
    bars["outbox_left"] = {"figure": settled, "bar": 0, "holds": settled == 0}
    return {
        "bench": "chaos",
        "machine": machine(),
        "sizes": chosen,
        "figures": {
            "seconds": round(seconds, 1),
            "killed": dict(killed),
            "seconds_away": {k: round(v / killed[k], 2) for k, v in down.items()},
            "acknowledged_applications": len(log.cases),
            "acknowledged_commands": len(log.commands),
            "retries": log.retries,
            "cases": found["cases"],
            "events": found["events"],
            "wrong": log.wrong[:5],
        },
        "bars": bars,
    }


# ---- load


def _client(
    port: int, crowd: crowds.Crowd, log: Log, stop: threading.Event, n: int, chosen: dict[str, int]
) -> None:
    from yiwang.kernel.ids import new_id

    caller = Caller(port, timeout=10)
    chance = random.Random(n)
    while not stop.is_set():
        resident = chance.choice(crowd.residents)
        official = chance.choice(crowd.officials[resident.county])
        command = str(new_id())
        with log.lock:
            log.asked.append((resident.user_id, command))
        wanted = {"command_id": command, "service": crowds.ITEM, "values": VALUES}
        case = _insist(Api(caller, resident.token), "cases", wanted, log)
        if case is None:
            continue
        with log.lock:
            log.cases.append(case["id"])
        desk = Api(caller, official.token)
        for verb, more in (("assign", {}), ("complete", {"outcome": "grant"})):
            command = str(new_id())
            body = {"command_id": command, "token": 1, **more}
            if _insist(desk, f"cases/{case['id']}/{verb}", body, log) is None:
                break
            with log.lock:
                log.commands.append(command)
        time.sleep(chosen["pause_ms"] / 1000)


def _insist(api: Api, path: str, body: dict, log: Log) -> dict | None:
    """Repeat a command until it is answered; None when it is refused for a reason."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            status, answer = api("POST", path, body)
        except (Failed, ValueError):
            status, answer = 0, {}
        if 200 <= status < 300:
            return answer
        if 400 <= status < 500:
            with log.lock:
                log.wrong.append(f"{path}: {status} {answer.get('message')}")
            return None
        api.caller.close()
        with log.lock:
            log.retries += 1
        time.sleep(0.1)
    with log.lock:
        log.wrong.append(f"{path}: no answer within 120 s")
    return None


# ---- kills


def _kill(place: Installation, kills: int) -> tuple[Counter, Counter]:
    """Kill one process after the other; returns how many of each, and how long the service was away."""
    killed: Counter = Counter()
    away: Counter = Counter()
    chance = random.Random(1)
    for n in range(kills):
        time.sleep(chance.uniform(0.3, 1.2))
        target = TARGETS[n % len(TARGETS)]
        pid = _victim(place, target)
        if pid is None:
            raise RuntimeError(f"no {target} to kill")
        os.kill(pid, signal.SIGKILL)
        killed[target] += 1
        start = time.monotonic()
        _until(lambda victim=pid, name=target: _victim(place, name) not in (None, victim), 60)
        _until(place.ready, 90)
        away[target] += time.monotonic() - start
    return killed, away


def _until(holds, patience: float) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError("it did not come back")
        time.sleep(0.1)


def _victim(place: Installation, target: str) -> int | None:
    """The process to kill, found below the supervisor."""
    import psutil

    if target == "postgresql":
        try:
            pid = int((place.var / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" else None
    masters, workers = [], []
    for child in psutil.Process(place.process.pid).children():
        try:
            command = child.cmdline()
            if child.status() == "zombie":
                continue
            if "work" in command and "yiwang" in command:
                workers.append(child)
            elif "granian" in command:
                masters.append(child)
        except psutil.NoSuchProcess:
            continue
    if target == "worker":
        return workers[0].pid if workers else None
    if target == "web-master" or not masters:
        return masters[0].pid if masters else None
    try:
        below = [c.pid for c in masters[0].children() if "resource_tracker" not in " ".join(c.cmdline())]
    except psutil.NoSuchProcess:
        return None
    return max(below) if below else None


# ---- afterwards


def _settle(place: Installation, patience: int) -> int:
    """Let the worker finish; returns what it could not."""
    deadline = time.monotonic() + patience
    while (left := place.outbox()) != 0 and time.monotonic() < deadline:
        time.sleep(0.5)
    return left


def _look(log: Log, crowd: crowds.Crowd) -> dict[str, int]:
    """What is wrong, counted. Everything but ``cases`` and ``events`` must be none."""
    from django.db import close_old_connections, connections

    from yiwang.engines.cases import queries
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.ids import derived_id

    for connection in connections.all():
        connection.close()
    close_old_connections()
    owner = connections["owner"]

    def ask(sql: str, *values: Any) -> list[tuple]:
        with owner.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    people = [m.person_id for m in crowd.residents]
    cases = dict(ask("select id, number from cases_case where subject_id = any(%s)", people))
    closed = [
        r[0]
        for r in ask("select id from cases_case where subject_id = any(%s) and closed_at is not null", people)
    ]
    wanted = {derived_id("file", f"user:{user}", command) for user, command in log.asked}
    events = Counter(
        str(r[0]) for r in ask("select command_id from cases_event where case_id = any(%s)", list(cases))
    )
    submitted = Counter(str(r[0]) for r in ask(
        "select case_id from cases_event where type = 'submitted' and case_id = any(%s)", list(cases)
    ))  # fmt: skip
    kinds = Counter(
        (str(case_id), kind)
        for case_id, kind in ask(
            "select case_id, kind from documents_issueddocument where case_id = any(%s)", list(cases)
        )
    )
    broken = differing = 0
    with acting(SYSTEM):
        for case_id in cases:
            try:
                queries.verify_chain(case_id)
            except ValueError:
                broken += 1
            replayed = {i: token.node for i, token in queries.replayed(case_id).tokens.items()}
            differing += replayed != dict(ask("select id, node from cases_token where case_id = %s", case_id))
    return {
        "cases": len(cases),
        "events": sum(events.values()),
        "applications_lost": sum(submitted[c] == 0 for c in log.cases),
        "applications_twice": sum(n > 1 for n in submitted.values()) + len(cases.keys() - wanted),
        "commands_lost": sum(events[c] == 0 for c in log.commands),
        "commands_twice": sum(n > 1 for n in events.values()),
        "chains_broken": broken,
        "replays_differing": differing,
        "numbers_twice": len(cases) - len(set(cases.values())),
        "documents_missing": sum(kinds[(str(c), k)] == 0 for c in closed for k in DOCUMENTS),
        "documents_twice": sum(n > 1 for n in kinds.values()),
        "answers_wrong": len(log.wrong),
    }
