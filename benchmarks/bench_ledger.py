"""The data ledger: logged reads through the kernel call, with durable commit; proofs.

Clients are processes of their own on the same machine: this file run as a program. ``single``: one subject a
transaction. ``list``: many subjects a transaction, one entry each. Appending to the tree, the worker's part, is
measured after them. Bars: ≥ 1,000 single reads/s with 8 clients, ≥ 20,000 subjects/s in
list reads, an inclusion proof within 1 ms.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from installation import installation
from machine import machine, sizes

REGISTER, IDNO = "population", "3799011985{:08d}"


def run(options: list[str]) -> dict:
    """Measure and compare with the bars."""
    chosen = sizes(options, clients=8, seconds=10, list=500, subjects=200_000, proofs=5_000)
    with installation(1) as place:
        place.worker().suspend()  # it appends hourly heads and every second's entries; here we do it, measured
        _fill(chosen["subjects"])
        single = _drive(chosen, 1)
        listed = _drive(chosen, chosen["list"])
        appended = _append()
        proved = _prove(chosen["proofs"])
    figures = {"single": single, "list": listed, "append": appended, "inclusion_proof": proved}
    bars = {
        "single_reads_per_s": (single["per_s"], 1000, single["per_s"] >= 1000),
        "list_subjects_per_s": (listed["per_s"], 20_000, listed["per_s"] >= 20_000),
        "inclusion_proof_ms": (proved["p99_ms"], 1.0, proved["p99_ms"] <= 1.0),
    }
    return {
        "bench": "ledger",
        "machine": machine(),
        "sizes": chosen,
        "figures": figures,
        "bars": {name: {"figure": f, "bar": b, "holds": h} for name, (f, b, h) in bars.items()},
    }


def _fill(subjects: int) -> None:
    """Records in the register to be read."""
    import psycopg

    from yiwang.config import embedded

    url = embedded.url(Path(os.environ["YIWANG_VAR"]) / "postgres", embedded.OWNER)
    with psycopg.connect(url) as owner:
        owner.execute(
            "insert into registers_record (register, key, fields, updated)"
            " select %s, '3799011985' || lpad(n::text, 8, '0'), jsonb_build_object('xm', '示例', 'hjqh', '370102',"
            " 'hjdz', '济南市历下区示例路 1 号', 'mz', '汉'), now() from generate_series(0, %s - 1) n"
            " on conflict do nothing",
            [REGISTER, subjects],
        )
        owner.execute("analyze registers_record")


def _client(n: int, many: int, subjects: int) -> list[float]:
    """Read until the moment that standard input names; returns how many seconds each transaction took."""
    import django

    django.setup()
    from yiwang.engines.cases.contracts import PURPOSE
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.ids import new_id
    from yiwang.kernel.registers import api as registers

    times, at = [], n * 7919
    with acting(SYSTEM):
        registers.lookup(REGISTER, IDNO.format(0), PURPOSE)  # the packs are read, the connection is open
    print("ready", flush=True)
    until = float(sys.stdin.readline())
    while time.time() < until:
        started = time.perf_counter()
        with acting(SYSTEM):
            if many == 1:
                found = registers.lookup(REGISTER, IDNO.format(at % subjects), PURPOSE, new_id())
                assert found is not None
            else:
                keys = [IDNO.format((at + i) % subjects) for i in range(many)]
                assert len(registers.lookup_many(REGISTER, keys, PURPOSE, new_id())) == many
        times.append(time.perf_counter() - started)
        at += many
    return times


def _drive(chosen: dict, many: int) -> dict:
    """Reads a second of all clients together, counted over the whole stretch."""
    clients = [
        subprocess.Popen(
            [sys.executable, __file__, str(n), str(many), str(chosen["subjects"])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(chosen["clients"])
    ]
    for client in clients:
        assert client.stdout.readline() == "ready\n"
    before, began = _entries(), time.time()
    until = began + chosen["seconds"]
    for client in clients:
        client.stdin.write(f"{until}\n")
        client.stdin.flush()
    time.sleep(max(until - time.time(), 0))
    counted, took = _entries() - before, time.time() - began
    times = sorted(t for client in clients for t in json.loads(client.communicate(timeout=60)[0]))
    return {
        "per_s": round(counted / took, 1),
        "transactions": len(times),
        "p50_ms": round(1000 * statistics.median(times), 2),
        "p99_ms": round(1000 * times[int(len(times) * 0.99)], 2),
        "fsync": True,
    }


def _entries() -> int:
    from django.db import connection

    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting

    with acting(SYSTEM), connection.cursor() as cursor:
        cursor.execute("select count(*) from ledger_entry")
        return cursor.fetchone()[0]


def _append() -> dict:
    """How fast the tree takes in what was written."""
    from yiwang.kernel.ledger.sequencing import append_pending

    started, done = time.perf_counter(), 0
    while n := append_pending():
        done += n
    took = time.perf_counter() - started
    return {"entries": done, "per_s": round(done / took) if done else 0}


def _prove(times: int) -> dict:
    """Proofs of entries spread over the whole tree, under a head that covers all of it."""
    import random

    from django.db import connection

    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.ledger import heads, proofs, tree
    from yiwang.kernel.ledger.models import Entry, Leaf

    heads.publish()
    chance = random.Random(7)
    with acting(SYSTEM):
        head = heads.latest()
        positions = [chance.randrange(head.size) for _n in range(times)]
        ids = dict(Leaf.objects.filter(position__in=positions).values_list("position", "entry_id"))
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        took = []
        for position in positions:
            began = time.perf_counter()
            proof = proofs.inclusion(ids[position], head)
            took.append(time.perf_counter() - began)
            leaf = tree.leaf_hash(bytes(Entry.objects.get(id=ids[position]).commitment))
            assert tree.included(leaf, proof.position, head.size, proof.path, bytes(head.root))
    took.sort()
    return {
        "tree": head.size,
        "p50_ms": round(1000 * statistics.median(took), 3),
        "p99_ms": round(1000 * took[int(len(took) * 0.99)], 3),
    }


if __name__ == "__main__":
    print(json.dumps(_client(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
