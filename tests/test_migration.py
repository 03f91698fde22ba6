"""A flow is edited while 500 cases stand in it: they go on as they began, or move by an explicit map."""

import json

import pytest
from product import ROOT
from test_cases_engine import office, work_of
from test_operation import yiwang

from yiwang.engines.cases import actions, migrating, queries, store
from yiwang.engines.cases.contracts import Phase, Status
from yiwang.engines.cases.models import Case
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Person
from yiwang.kernel.ids import new_id
from yiwang.kernel.packs import api as packs

KEY = "test.edited"
OLD = (ROOT / "packs/base/flows/std.promise.bpmn").read_text().replace("std_promise", "test_edited")
NEW = OLD.replace('id="review"', 'id="examine"').replace('"review"', '"examine"')


@pytest.fixture(scope="module")
def standing():
    """500 cases in the old version, most at acceptance, sixty at review."""
    from django.utils import timezone

    org, official = office()
    with acting(SYSTEM):
        flow = migrating.store(OLD.encode(), KEY)
        person = Person.objects.order_by("id").last()
        release, now, ids = packs.current_release(), timezone.now(), []
        for n in range(500):
            case_id = new_id()
            ids.append(case_id)
            row = {
                "id": case_id, "number": f"t-m{n:04d}", "kind": "service_item", "ref": "yb.resident_join",
                "name": "迁移测试", "release": release, "flow_id": flow, "after": [], "subject_id": person.id,
                "subject_name": person.name, "org_id": org.id, "channel": "online", "status": Status.RECEIVED,
                "phase": Phase.WAITING, "data": {}, "extra": {}, "trace_id": case_id, "submitted_at": now,
            }  # fmt: skip
            store.write(held := store.insert(row), SYSTEM, new_id(), now, actions.begin(held, now))
    for case_id in ids[440:]:
        with acting(official):
            actions.complete(official, case_id, work_of(case_id)[0].id, "accept", "", new_id())
    return ids, official, flow


def test_the_dry_run_names_what_the_map_lacks_and_changes_nothing(standing, tmp_path):
    ids, _official, flow = standing
    file = tmp_path / "new.bpmn"
    file.write_text(NEW)
    run = yiwang("flow", "migrate", KEY, file, "--json")
    (report,) = json.loads(run.stdout)
    assert run.returncode == 1
    assert len(report["movable"]) == 440  # those still at acceptance
    ((why, numbers),) = report["refused"].items()
    assert "review: 新节点" in why
    assert len(numbers) == 60
    with acting(SYSTEM):
        assert Case.objects.filter(id__in=ids, flow_id=flow).count() == 500


def test_with_a_map_all_move_and_go_on_and_the_record_replays(standing, tmp_path):
    ids, official, _flow = standing
    file, plan = tmp_path / "new.bpmn", tmp_path / "map.yaml"
    file.write_text(NEW)
    plan.write_text("nodes: {review: examine}\nreason: 审查环节更名（测试）\n")
    dry = yiwang("flow", "migrate", KEY, file, "--map", plan)
    assert "可以迁移 500 件，不能迁移 0 件" in dry.stdout
    done = yiwang("flow", "migrate", KEY, file, "--map", plan, "--apply")
    assert "已迁移 500 件" in done.stdout, done.stderr
    again = yiwang("flow", "migrate", KEY, file, "--map", plan, "--apply")
    assert again.returncode == 0  # nothing is left in the old version
    for case_id in (ids[0], ids[450], ids[499]):
        with acting(SYSTEM):
            case = Case.objects.get(id=case_id)
            assert queries.verify_chain(case_id) > 1
            stored = {t.id: t.node for t in case.tokens.all()}
            assert {t.id: t.node for t in queries.replayed(case_id).tokens.values()} == stored
    with acting(official):
        assert work_of(ids[450])[0].node == "examine"
        actions.complete(official, ids[450], work_of(ids[450])[0].id, "pass", "", new_id())
    with acting(SYSTEM):
        last = Case.objects.get(id=ids[450]).events.order_by("-seq").first()
        assert last.type == "completed"


def test_a_step_cannot_become_another_kind_of_step(standing, tmp_path):
    file, plan = tmp_path / "wrong.bpmn", tmp_path / "map.yaml"
    file.write_text(NEW.replace("test_edited", "test_edited_2"))
    plan.write_text("nodes: {examine: start}\n")
    run = yiwang("flow", "migrate", KEY, file, "--map", plan)
    assert run.returncode == 1
    assert "不是同一种环节" in run.stdout
