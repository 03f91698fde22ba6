"""The engine under hard use: random work, killed clients, racing timers. Real PostgreSQL, real kill -9."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from product import PRODUCT, ROOT, until

from yiwang.engines.cases import actions, queries, store
from yiwang.engines.cases.contracts import Phase, Status
from yiwang.engines.cases.items import graph, publish
from yiwang.engines.cases.models import Case, Event, Timer, Token
from yiwang.engines.cases.worker import fire_due
from yiwang.kernel.access.contracts import SYSTEM, Actor, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Person
from yiwang.kernel.ids import new_id
from yiwang.kernel.orgs.queries import responsible
from yiwang.kernel.packs import api as packs


def office():
    """An office with nobody of the demo in it, and an official who holds every post there."""
    org = responsible("医疗保障", "370202")
    return org, Actor("办事员", new_id(), new_id(), {org.id: frozenset({"acceptor", "reviewer", "decider"})})


def new_case(flow="std.promise", ref="yb.maternity_pay"):
    """A stand-alone case of a standard flow, just received."""
    with acting(SYSTEM):
        org, _official = office()
        person = Person.objects.order_by("id").last()
        release, case_id, now = packs.current_release(), new_id(), timezone.now()
        row = {
            "id": case_id,
            "number": f"t-{case_id}",
            "kind": "service_item",
            "ref": ref,
            "name": ref,
            "release": release,
            "flow_id": publish(release, f"base/flows/{flow}.bpmn"),
            "after": [],
            "subject_id": person.id,
            "subject_name": person.name,
            "org_id": org.id,
            "channel": "online",
            "status": Status.RECEIVED,
            "phase": Phase.WAITING,
            "data": {"insured.name": "测试"},
            "extra": {"told": [{"key": "insured.births", "label": "子女数"}]},
            "trace_id": case_id,
            "submitted_at": now,
        }
        held = store.insert(row)
        store.write(held, SYSTEM, new_id(), now, actions.begin(held, now))
    return case_id


def work_of(case_id):
    with acting(SYSTEM):
        return list(Token.objects.filter(case_id=case_id, kind="user").order_by("id"))


def finish(case_id, node, outcome, reason="因为"):
    _org, official = office()
    token = next(t for t in work_of(case_id) if t.node == node)
    with acting(official):
        return actions.complete(official, case_id, token.id, outcome, reason, new_id())


def stored_state(case_id):
    with acting(SYSTEM):
        case = Case.objects.get(id=case_id)
        return {t.id: t.node for t in case.tokens.all()}


def assert_sound(case_id):
    """Replay gives the stored state, and every hash fits."""
    with acting(SYSTEM):
        Case.objects.select_for_update().get(id=case_id)  # the worker may be about to move it
        assert {i: t.node for i, t in queries.replayed(case_id).tokens.items()} == stored_state(case_id)
        queries.verify_chain(case_id)


def test_replay_equals_state_after_random_work():
    chance = random.Random(7)
    _org, official = office()
    applicant_of = {}
    for flow in ("std.promise", "std.joint", "std.instant") * 4:
        case_id = new_case(flow)
        with acting(SYSTEM):
            applicant_of[case_id] = Actor("申请人", new_id(), Case.objects.get(id=case_id).subject_id)
        for _step in range(14):
            tokens = work_of(case_id)
            verb = chance.choice(["complete"] * 6 + ["suspend", "resume", "supplement", "extend", "withdraw"])
            try:
                with acting(applicant_of[case_id] if verb == "withdraw" else official) as actor:
                    if verb == "complete" and tokens:
                        token = chance.choice(tokens)
                        codes = [
                            o.code
                            for o in graph(Case.objects.get(id=case_id).flow_id).node(token.node).outcomes
                        ]
                        actions.complete(actor, case_id, token.id, chance.choice(codes), "理由", new_id())
                    elif verb == "suspend":
                        actions.suspend(actor, case_id, "verify_bill", "", new_id())
                    elif verb == "resume":
                        actions.resume(actor, case_id, "", new_id())
                    elif verb == "extend":
                        actions.request_extension(actor, case_id, "理由", new_id())
                    elif verb == "supplement" and tokens:
                        actions.request_supplement(
                            actor, case_id, tokens[0].id, ["insured.births"], "", new_id()
                        )
                    elif chance.random() < 0.1:
                        actions.withdraw(actor, case_id, "", new_id())
            except Refused:
                pass
            assert_sound(case_id)


@pytest.mark.parametrize("order", [("review_cost", "review_benefit"), ("review_benefit", "review_cost")])
def test_send_back_through_the_join_waits_for_every_branch_again(order):
    case_id = new_case("std.joint")
    finish(case_id, "accept", "accept")
    finish(case_id, "review_cost", "pass")
    finish(case_id, "review_benefit", "pass")
    finish(case_id, "decide", "return")
    finish(case_id, order[0], "pass")
    assert {t.node for t in work_of(case_id)} == {order[1]}  # not yet the decision
    finish(case_id, order[1], "pass")
    assert {t.node for t in work_of(case_id)} == {"decide"}
    assert_sound(case_id)


def test_the_same_command_twice_is_applied_once():
    case_id = new_case()
    _org, official = office()
    token, command = work_of(case_id)[0], new_id()
    for _ in range(3):
        with acting(official):
            actions.complete(official, case_id, token.id, "accept", "", command)
    with acting(SYSTEM):
        assert Event.objects.filter(command_id=command).count() == 1
    assert {t.node for t in work_of(case_id)} == {"review"}


@pytest.mark.plan("P28")
def test_supplement_only_from_what_was_told_and_only_once():
    case_id = new_case()
    _org, official = office()
    token = work_of(case_id)[0].id
    with pytest.raises(Refused, match="不在给申请人的一次告知单上"), acting(official):
        actions.request_supplement(official, case_id, token, ["insured.salary"], "", new_id())
    with acting(official):
        actions.request_supplement(official, case_id, token, ["insured.births"], "请核对", new_id())
    with pytest.raises(Refused, match="等申请人补正"), acting(official):
        actions.complete(official, case_id, token, "accept", "", new_id())
    with acting(SYSTEM):
        applicant = Actor("申请人", new_id(), Case.objects.get(id=case_id).subject_id)
    with acting(applicant):
        actions.answer_supplement(applicant, case_id, {"insured.births": 2}, {}, new_id())
    with pytest.raises(Refused, match="只能一次告知"), acting(official):
        actions.request_supplement(official, case_id, token, ["insured.births"], "", new_id())
    finish(case_id, "accept", "accept")
    assert_sound(case_id)


def test_suspension_stops_the_clock_and_extension_needs_another_persons_approval():
    case_id = new_case()
    _org, official = office()
    finish(case_id, "accept", "accept")
    with acting(SYSTEM):
        before = Case.objects.get(id=case_id)
    with acting(official):
        actions.suspend(official, case_id, "verify_bill", "", new_id())
    with acting(SYSTEM):
        assert Case.objects.get(id=case_id).due_at is None
    with acting(official):
        actions.resume(official, case_id, "", new_id())
        actions.request_extension(official, case_id, "需要外省核实", new_id())
    with pytest.raises(Refused, match="不能由申请延长的人自己批准"), acting(official):
        actions.approve_extension(official, case_id, new_id())
    head = Actor("负责人", new_id(), new_id(), official.posts)
    with acting(head):
        actions.approve_extension(head, case_id, new_id())
    with acting(SYSTEM):
        after = Case.objects.get(id=case_id)
        assert after.due_at > before.due_at
        assert {t.due_at for t in after.tokens.filter(kind="user")} == {after.due_at}


def test_not_told_within_five_days_counts_as_accepted():
    """行政许可法第三十二条: the timer accepts; the clerk who comes later is told."""
    case_id = new_case()
    with acting(SYSTEM):
        Timer.objects.filter(case_id=case_id).update(due_at=timezone.now() - timedelta(seconds=1))
    until(lambda: {t.node for t in work_of(case_id)} == {"review"}, 20)
    with acting(SYSTEM):
        case = Case.objects.get(id=case_id)
        assert case.status == "accepted"
        assert case.due_at
    assert_sound(case_id)


def test_timers_race_completion_without_firing_twice():
    """Timers fall due while officials complete the same steps; each case moves once."""
    ids = [new_case() for _ in range(40)]
    with acting(SYSTEM):
        Timer.objects.filter(case_id__in=ids).update(due_at=timezone.now() + timedelta(seconds=1))
    troubles = []

    def official_works():
        try:
            chance = random.Random(1)
            deadline = time.monotonic() + 6
            left = set(ids)
            while left and time.monotonic() < deadline:
                case_id = chance.choice(sorted(left))
                left.discard(case_id)
                time.sleep(0.03)
                with contextlib.suppress(Refused, StopIteration):
                    finish(case_id, "accept", "accept")
        except Exception as error:
            troubles.append(error)
        finally:
            connection.close()

    def worker_works():
        try:
            deadline = time.monotonic() + 6
            while time.monotonic() < deadline:
                fire_due()
                time.sleep(0.01)
        except Exception as error:
            troubles.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=official_works),
        *(threading.Thread(target=worker_works) for _ in range(2)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    fired = 0
    for case_id in ids:
        with acting(SYSTEM):
            moves = [e.type for e in Event.objects.filter(case_id=case_id).order_by("seq")][1:]
        assert moves in (["timer"], ["completed"])
        fired += moves == ["timer"]
        assert_sound(case_id)
    assert 0 < fired < len(ids)
    with acting(SYSTEM):
        assert not Timer.objects.filter(case_id__in=ids).exists()


def database_answers():
    try:
        connection.close()
        with acting(SYSTEM):
            return Case.objects.exists()
    except OperationalError:
        return False


CLIENT = """
import json, os, sys
sys.path.insert(0, {tests!r})
import django
django.setup()
from uuid import UUID
from yiwang.engines.cases import actions
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.ids import new_id
org, log, done = UUID(sys.argv[1]), open(sys.argv[2], "a"), open(sys.argv[3], "a")
official = Actor("办事员", new_id(), new_id(), {{org: frozenset({{"acceptor", "reviewer", "decider"}})}})
for case_id, token, outcome in json.loads(sys.argv[4]):
    command = str(new_id())
    log.write(json.dumps([case_id, token, outcome, command]) + "\\n"); log.flush(); os.fsync(log.fileno())
    with acting(official):
        actions.complete(official, UUID(case_id), token, outcome, "", UUID(command))
    done.write(command + "\\n"); done.flush(); os.fsync(done.fileno())
"""


@pytest.mark.parametrize("victim", ["client", "postgresql"])
def test_kill_9_loses_nothing_and_does_nothing_twice(victim, tmp_path):
    """Intents are written down before they are sent; whoever is killed, replaying them all gives each once."""
    org, official = office()
    ids = [new_case("std.instant" if n % 2 else "std.promise") for n in range(60)]
    log, done = tmp_path / "intents", tmp_path / "acknowledged"
    intents = [[str(c), (t := work_of(c)[0]).id, "grant" if t.node == "handle" else "accept"] for c in ids]
    script = CLIENT.format(tests=str(Path(__file__).parent))
    env = {**PRODUCT.env, "DJANGO_SETTINGS_MODULE": "yiwang.config.settings"}
    left = list(intents)
    kills = 0
    while left:
        command = [sys.executable, "-c", script, str(org.id), str(log), str(done), json.dumps(left)]
        client = subprocess.Popen(command, env=env, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        if kills < (4 if victim == "client" else 1):
            enough = kills * 12 + 5

            def under_way(enough=enough, client=client):
                assert client.poll() is None, client.stderr.read()
                return log.exists() and log.read_text().count("\n") > enough

            until(under_way, 60, 0.005)
            if victim == "client":
                client.kill()
            else:
                os.kill(
                    int((PRODUCT.var / "postgres/postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL
                )
                client.wait(60)
                time.sleep(1)
                until(database_answers, 60)  # `yiwang up` notices and starts it again
                PRODUCT.settle()
            kills += 1
        client.wait(120)
        sent = [json.loads(line) for line in log.read_text().splitlines()]
        left = [i for i in intents if [i[0], i[1], i[2]] not in [s[:3] for s in sent]]
    acknowledged = set(done.read_text().split())
    sent = [json.loads(line) for line in log.read_text().splitlines()]
    with acting(SYSTEM):
        applied_before = set(
            map(str, Event.objects.filter(case_id__in=ids).values_list("command_id", flat=True))
        )
    assert acknowledged <= applied_before  # nothing acknowledged was lost
    from uuid import UUID

    for case_id, token, outcome, command_id in sent:  # the client comes back and sends all of it again
        try:
            with acting(official):
                actions.complete(official, UUID(case_id), token, outcome, "", UUID(command_id))
        except Refused:
            pytest.fail(f"{command_id} was not applied and could not be")
    for case_id in ids:
        with acting(SYSTEM):
            assert Event.objects.filter(case_id=case_id, type="completed").count() == 1
        assert_sound(case_id)
