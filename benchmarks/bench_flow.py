"""What one step of a flow costs in the product: the whole command, with rights, clock, events and outbox.

Three flows, at 10³ and at 10⁵ open cases, in one run on an installation of its own. CPU of Python and of
the PostgreSQL session together. Bars: ≤ 3 ms a step; growth ≤ 1.5 × from the small to the large size.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from installation import database
from machine import Cpu, machine, sizes

FLOWS = {
    "std.instant": "yb.insured_proof",
    "std.promise": "yb.resident_join",
    "std.joint": "yb.maternity_pay",
}
FORWARD = ("accept", "pass", "grant")


def run(options: list[str]) -> dict:
    """Measure and compare with the bars."""
    chosen = sizes(options, small=1_000, large=100_000, cases=120)
    with database():
        return _measure(chosen)


def _measure(chosen: dict[str, int]) -> dict:
    from yiwang.kernel.access.contracts import SYSTEM, Actor
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.accounts.models import Person
    from yiwang.kernel.ids import new_id
    from yiwang.kernel.orgs.models import Organisation

    org = Organisation.objects.filter(region_id="370102", functions__contains=["医疗保障"]).get()
    with acting(SYSTEM):
        person = Person.objects.create(name="测试", idno="379901199001010015")
    official = Actor("办事员", new_id(), new_id(), {org.id: frozenset({"acceptor", "reviewer", "decider"})})
    figures: dict = {}
    for size in ("small", "large"):
        _grow(chosen[size], org, person)
        figures[size] = {
            flow: _steps(ref, flow, org, person, official, chosen["cases"]) for flow, ref in FLOWS.items()
        }
    worst = max(f["cpu_ms"] for f in figures["large"].values())
    growth = {flow: figures["large"][flow]["cpu_ms"] / figures["small"][flow]["cpu_ms"] for flow in FLOWS}
    most = max(growth.values())
    return {
        "bench": "flow",
        "machine": machine(),
        "sizes": chosen,
        "figures": {**figures, "growth": {k: round(v, 2) for k, v in growth.items()}},
        "bars": {
            "cpu_ms_per_step": {"figure": worst, "bar": 3.0, "holds": worst <= 3.0},
            "growth": {"figure": round(most, 2), "bar": 1.5, "holds": most <= 1.5},
        },
    }


def _new_case(ref: str, flow: str, org, person):
    from django.utils import timezone

    from yiwang.engines.cases import actions, store
    from yiwang.engines.cases.contracts import Phase, Status
    from yiwang.engines.cases.items import publish
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.ids import new_id
    from yiwang.kernel.packs import api as packs

    release, case_id, now = packs.current_release(), new_id(), timezone.now()
    with acting(SYSTEM):
        held = store.insert(
            {
                "id": case_id, "number": f"b-{case_id}", "kind": "service_item", "ref": ref, "name": ref,
                "release": release, "flow_id": publish(release, f"base/flows/{flow}.bpmn"), "after": [],
                "subject_id": person.id, "subject_name": person.name, "org_id": org.id, "channel": "online",
                "status": Status.RECEIVED, "phase": Phase.WAITING, "extra": {}, "trace_id": case_id,
                "submitted_at": now,
                "data": {f"insured.field{n}": "济南市历下区文化路一号" for n in range(20)},
            }
        )  # fmt: skip
        change = actions.begin(held, now)
        store.write(held, SYSTEM, new_id(), now, change)
    return case_id


def _grow(to: int, org, person) -> None:
    """Fill up with open cases, copied from one real case with its token, event and clock."""
    from django.db import connections

    from yiwang.engines.cases.models import Case

    pattern = _new_case("yb.resident_join", "std.promise", org, person)
    owner = connections["owner"]
    with owner.cursor() as cursor:
        missing = to - Case.objects.using("owner").count()
        cursor.execute(
            "create temp table copies as select gen_random_uuid() id from generate_series(1, %s)", [missing]
        )
        for table, key in (("cases_case", "id"), ("cases_token", "case_id"), ("cases_event", "case_id")):
            cursor.execute(
                "select column_name from information_schema.columns where table_name = %s and is_generated = 'NEVER'",
                [table],
            )
            columns = [row[0] for row in cursor.fetchall()]
            fresh = {key: "c.id", "number": "'c-' || c.id", "command_id": "gen_random_uuid()"}
            source = [fresh.get(c, f't."{c}"') for c in columns]
            names = ", ".join('"' + c + '"' for c in columns)
            cursor.execute(
                f"insert into {table} ({names}) select {', '.join(source)} from {table} t, copies c where t.{key} = %s",
                [pattern],
            )
        cursor.execute("drop table copies")
        cursor.execute("vacuum analyze")
        cursor.execute("checkpoint")


def _steps(ref: str, flow: str, org, person, official, count: int) -> dict:
    """Run ``count`` cases through every step of their flow; CPU per step."""
    from django.db import connection

    from yiwang.engines.cases import actions
    from yiwang.engines.cases.items import graph
    from yiwang.engines.cases.models import Case, Token
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.ids import new_id

    ids = [_new_case(ref, flow, org, person) for _ in range(count)]
    steps = python = database = 0.0
    for round_ in range(12):
        work = []
        with acting(SYSTEM):
            flows = dict(Case.objects.filter(id__in=ids).values_list("id", "flow_id"))
            for token in Token.objects.filter(case_id__in=ids, kind__in=("user", "service")).order_by(
                "case_id", "id"
            ):
                outcomes = [o.code for o in graph(flows[token.case_id]).node(token.node).outcomes]
                work.append((token, next((o for o in FORWARD if o in outcomes), None)))
        if not work:
            break
        with acting(SYSTEM):  # one connection for the whole round, as a request has
            connection.cursor().execute("select 1")
        connection.ensure_connection()
        cpu = Cpu(connection.connection.info.backend_pid)
        for token, outcome in work:
            if token.kind == "user":
                with acting(official):
                    actions.complete(official, token.case_id, token.id, outcome, "", new_id())
            else:
                with acting(SYSTEM):
                    actions.finish_service(SYSTEM, token.case_id, token.id, new_id())
        used = cpu.used()
        if round_:  # the first round warms plans and caches
            steps += len(work)
            python += used[0]
            database += used[1]
    if not steps:
        raise RuntimeError(f"{flow}: no steps measured")
    return {
        "steps": int(steps),
        "python_ms": round(1000 * python / steps, 3),
        "postgresql_ms": round(1000 * database / steps, 3),
        "cpu_ms": round(1000 * (python + database) / steps, 3),
    }
