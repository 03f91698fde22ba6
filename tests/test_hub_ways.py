"""Collection by other ways than a page: pushed, pulled, asked for; and what is given up or kept beside it."""

import io
import os
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import objectstore
import pytest
from client import client
from deliveries import HEADER, code, done, fresh, give, now_holds, owner, row, sample, serial
from django.conf import settings
from product import PRODUCT, until
from test_pages import everywhere

from yiwang.config import embedded
from yiwang.engines.cases.models import Case
from yiwang.engines.hub import actions, collect, datasets, pulling, reminding
from yiwang.engines.hub.contracts import Pull
from yiwang.engines.hub.models import Delivery, Quality
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.ids import new_id
from yiwang.kernel.notify.models import Message


@pytest.mark.plan("R23")
def test_a_system_pushes_inspections_over_the_interface_and_tries_them_first_in_the_sandbox(product):
    """Contract from the interface, sandbox, push, the same push again, the record."""
    from jsonschema import Draft202012Validator

    call, base = client(product.port, "reporter"), "hub/datasets/inspections"
    described = call.get(f"{base}/openapi.json").json
    record = described["components"]["schemas"]["Record"]
    assert record["properties"]["result"]["enum"] == ["1", "2", "3", "4", "5"]
    number = f"JC{next(serial):012d}"
    example = {id: f["examples"][0] for id, f in record["properties"].items() if "examples" in f}
    good = {**example, "uscc": code(), "inspection_no": number}
    assert list(Draft202012Validator(record).iter_errors(good)) == []
    wrong = {**good, "inspection_no": number + "X", "uscc": good["uscc"].lower(), "result": "9"}
    batch = {"batch": str(new_id()), "records": [good, wrong]}
    with acting(SYSTEM):
        before = Delivery.objects.count()
    tried = call.post(f"{base}/sandbox", batch)
    assert (tried.status, tried.json["good"], tried.json["refused"]) == (200, 1, 1)
    assert [m["field"] for m in tried.json["messages"]] == ["统一社会信用代码", "检查结果"]
    assert tried.json["messages"][0]["proposal"] == good["uscc"]
    with acting(SYSTEM):
        assert Delivery.objects.count() == before
    pushed = call.post(f"{base}/records", batch)
    assert pushed.status == 202 and pushed.json["new"]
    again = call.post(f"{base}/records", batch)
    assert (again.json["delivery"], again.json["new"]) == (pushed.json["delivery"], False)
    changed = call.post(f"{base}/records", {**batch, "records": [good]})
    assert changed.status == 403 and "已经用过" in changed.json["message"]
    result = until(
        lambda: (r := call.get(f"hub/deliveries/{pushed.json['delivery']}").json)["state"] == "loaded" and r
    )
    assert (result["counts"]["good"], result["counts"]["bad"], result["counts"]["new"]) == (1, 1, 1)
    twice = call.post(f"{base}/records", {"batch": str(new_id()), "records": [good]}).json["delivery"]
    result = until(lambda: (r := call.get(f"hub/deliveries/{twice}").json)["state"] == "loaded" and r)
    assert (result["counts"]["new"], result["counts"]["unchanged"]) == (0, 1)  # no second record
    read = call.get(f"{base}/record?key={number}&purpose={quote('事中事后监管')}")
    assert read.json["record"]["uscc"] == good["uscc"]
    assert client(product.port, "reporter_xs").post(f"{base}/records", batch).status == 404
    assert client(product.port, "steward").post(f"{base}/records", batch).status == 403
    assert client(product.port, None).get("hub/datasets").status == 401


def test_the_interface_hides_from_others_the_personal_cells_that_the_page_hides(product, become, visit):
    """A refused row's telephone and broken line are the sending office's; a steward sees what is wrong."""
    reporter, dataset = become("reporter"), datasets.current("ent_registration")
    person = dataset.field("phone")
    number = f"手机1390000{next(serial):04d}"
    text = f"{HEADER.strip()},{person.name}\n{row(code()).strip()},{number}\n{row(code()).strip()},\n某人{number}\n"
    with acting(reporter):
        made = actions.receive(reporter, dataset, "t.csv", io.BytesIO(text.encode()), len(text.encode()))
    assert done(made).counts["bad"] == 2

    def told(username):
        return client(product.port, username).get(f"hub/deliveries/{made.uid}").json["messages"]

    assert number in str(told("reporter"))
    assert number not in str(told("steward"))
    assert [(m["row"], m["field"], m["what"]) for m in told("steward")] == [
        (m["row"], m["field"], m["what"]) for m in told("reporter")
    ]
    page = visit("steward")
    page.goto(f"/desk/hub/deliveries/{made.uid}")
    assert person.name in page.inner_text("main") and number not in page.inner_text("main")
    assert page.inner_text("main").count("不足 9 格") == 1 and "'row'" not in page.inner_text("main")


def with_pull(**pull):
    return replace(datasets.current("ent_registration"), pull=Pull(setting="TEST", hours=1, **pull))


def test_files_are_pulled_from_a_folder_once(tmp_path):
    uscc = code()
    file = tmp_path / "day1.csv"
    file.write_text(HEADER + row(uscc))
    os.utime(file, (time.time() - 60,) * 2)
    dataset = with_pull(source="folder", path="*.csv")
    assert pulling.pull(dataset, str(tmp_path)) == 1
    assert pulling.pull(dataset, str(tmp_path)) == 0
    until(lambda: now_holds(uscc))
    (tmp_path / "being-written.csv").write_text("x")
    assert pulling.pull(dataset, str(tmp_path)) == 0


def test_a_source_that_does_not_answer_is_a_case_until_it_does(tmp_path, monkeypatch, visit):
    """What the packs pull is pulled when due; a folder that went away is told once, not every hour."""
    folder, dataset = tmp_path / "tax", datasets.current("tax_status")
    monkeypatch.setattr(settings, "ENV", replace(settings.ENV, pulls={"TAX": str(folder)}))

    def due():
        with owner() as con:
            con.execute("update hub_holding set pulled_at = null where dataset = %s", [dataset.id])
        return pulling.pull_due()

    def matters():
        with acting(SYSTEM):
            return list(Case.objects.filter(kind="matter", ref="data.pull", data__id=dataset.id))

    assert due() == 0
    (one,) = until(matters, 30)
    assert "没有文件夹" in one.data["why"] and one.data["setting"] == "YIWANG_PULL_TAX"
    assert due() == 0 and len(matters()) == 1
    page = visit("steward")
    page.goto(f"/desk/cases/{one.id}")
    assert dataset.name in page.inner_text("main") and everywhere(page) == []
    folder.mkdir()
    head, line = sample(dataset, uscc=code())
    (folder / "tax_status-1.csv").write_text(head + line)
    os.utime(folder / "tax_status-1.csv", (time.time() - 60,) * 2)
    assert due() == 1
    until(lambda: all(m.closed_at for m in matters()), 30)


def test_no_password_of_a_source_is_told():
    pull = replace(with_pull(source="database", query="select 1").pull, setting="X")
    with pytest.MonkeyPatch.context() as patch:
        url = "postgresql://reader:p%40ss@somewhere/db"
        patch.setattr(settings, "ENV", replace(settings.ENV, pulls={"X": url}))
        told = pulling._without_secrets(pull, ValueError("bad url postgresql://reader:p%40ss@x, p@ss"))
    assert "p%40ss" not in told and "p@ss" not in told and "reader" in told


def test_a_database_is_pulled_by_the_contracts_query():
    uscc = code()
    query = (
        f"select '{uscc}' as uscc, '库里的公司' as name, '1100' as kind, '1' as status, '路' as address, "
        "'370102' as region, date '2020-01-01' as opened_on, date '2026-03-02' as approved_on"
    )
    url = embedded.url(PRODUCT.var / "postgres", embedded.OWNER)
    assert pulling.pull(with_pull(source="database", query=query), url) == 1
    until(lambda: now_holds(uscc))
    assert now_holds(uscc)["name"] == "库里的公司"
    with pytest.raises(ValueError, match="没有设置 YIWANG_PULL_TEST"):
        pulling.pull(with_pull(source="database", query=query))


def test_files_are_pulled_from_an_object_store_once():
    uscc, store = code(), objectstore.Store("deliveries")
    try:
        store.put("in/2026/登记.csv", (HEADER + row(uscc)).encode())
        store.put("in/2026/读我.txt", b"not a delivery")
        store.put("elsewhere/x.csv", b"x")
        dataset = with_pull(source="s3", path="deliveries/in/*.csv")
        assert pulling.pull(dataset, store.url()) == 1
        assert pulling.pull(dataset, store.url()) == 0
        until(lambda: now_holds(uscc))
        assert ("GET", "deliveries/in/2026/读我.txt") not in store.log
        with pytest.raises(OSError, match=r"(?i)access|403|forbidden"):
            pulling.pull(dataset, store.url(key="wrong"))
    finally:
        store.close()


def test_a_dataset_that_did_not_come_is_asked_for_once(become):
    with acting(SYSTEM):
        person = become("steward").person_id

    def messages():
        with acting(SYSTEM):
            return Message.objects.filter(subject_id=person, title__contains="年报信息").count()

    until(lambda: messages() == 1, 90)
    reminding.remind()
    time.sleep(3)
    assert messages() == 1


def test_a_dataset_that_never_came_has_pages_too(visit):
    with acting(SYSTEM):
        came = set(Delivery.objects.values_list("dataset", flat=True))
    never = next(d for d in datasets.every() if d.id not in came)
    page = visit("steward")
    page.goto(f"/desk/hub/{never.id}")
    assert "还没有报过" in page.inner_text("main")
    page.goto(f"/desk/hub/{never.id}/record?{'&'.join(f'{k}=x' for k in never.key)}")
    assert "我们不知道这条记录" in page.inner_text("main")


def test_an_upload_that_nobody_went_on_with_is_given_up(become):
    reporter = become("reporter")
    with acting(reporter):
        begun = actions.begin(reporter, datasets.current("penalties"), "旧.csv", 10)
    with owner() as con:
        con.execute(
            "update hub_delivery set received_at = now() - interval '8 days' where seq = %s", [begun.seq]
        )
    collect.sweep()
    assert fresh(begun).state == "refused"
    assert not actions.inbox(begun.uid).exists()


def test_a_full_disk_is_told_as_such_and_the_upload_goes_on_later(visit, become, monkeypatch):
    reporter, dataset = become("reporter"), datasets.current("ent_registration")
    content = (HEADER + "".join(row(code()) for _ in range(3))).encode()
    page = visit("reporter")
    page.goto("/desk/hub/ent_registration/upload")
    token = page.locator("main [name=csrfmiddlewaretoken]").first.input_value()
    headers = {"X-CSRFToken": token, "Referer": page.url, "Content-Type": "application/octet-stream"}
    form = {"csrfmiddlewaretoken": token, "name": "满.csv", "size": str(len(content)), "mode": "change"}
    begun = page.request.post(
        "/desk/hub/ent_registration/begin", form=form, headers={"Referer": page.url}
    ).json()
    with acting(reporter):
        file = actions.inbox(Delivery.objects.latest("seq").uid)
    file.unlink()
    file.symlink_to("/dev/full")
    full = page.request.post(f"{begun['address']}?offset=0", data=content, headers=headers)
    assert full.status == 507 and "磁盘写满" in full.json()["error"]
    file.unlink()
    file.touch()
    last = page.request.post(f"{begun['address']}?offset=0", data=content, headers=headers).json()
    page.goto(last["done"])
    page.wait_for_selector("text=新增 3", timeout=60000)

    # Not even begun without room; and of a file that comes whole nothing stays.
    def nothing_stays(match):
        with acting(reporter):
            before = Delivery.objects.count()
            with pytest.raises(actions.Refused, match=match):
                actions.receive(reporter, dataset, "满.csv", io.BytesIO(content), len(content), batch="满")
            assert Delivery.objects.count() == before

    with monkeypatch.context() as patch:
        patch.setattr(actions.shutil, "disk_usage", lambda _where: SimpleNamespace(free=100 << 20))
        nothing_stays("磁盘空间不足：收这个文件约要 0.3 GB，只剩 0.1 GB")
    with monkeypatch.context() as patch:
        patch.setattr(actions, "inbox", lambda _uid: Path("/dev/full"))
        patch.setattr(Path, "unlink", lambda *_args, **_named: None)
        nothing_stays("磁盘写满")


def test_the_browser_keeps_an_upload_for_which_there_was_no_room(visit, tmp_path):
    file = tmp_path / "满.csv"
    file.write_text(HEADER + row(code()))
    page = visit("reporter")
    page.goto("/desk/hub/ent_registration/upload")
    page.route(
        "**/piece?offset=*",
        lambda route: route.fulfill(status=507, json={"error": "磁盘写满了，已经收到的留着。"}),
    )
    page.set_input_files("#file", file)
    page.click("button:has-text('上传')")
    page.wait_for_selector("text=磁盘写满了")
    assert page.evaluate("Object.keys(localStorage).some(key => key.startsWith('upload:'))")
    page.unroute("**/piece?offset=*")
    page.click("button:has-text('上传')")
    page.wait_for_url("**/desk/hub/deliveries/**")
    page.wait_for_selector("text=新增 1", timeout=60000)


def test_quality_is_kept_after_each_delivery():
    give(HEADER + row(code()) + row(code(), region="999999"))
    with acting(SYSTEM):
        latest = Quality.objects.filter(dataset="ent_registration").order_by("-at").first()
    assert latest.correct == 0.5
    assert 0 < latest.complete < 1 and latest.timely == 1
    assert latest.score == pytest.approx(
        (latest.correct + latest.complete + latest.timely + latest.covered) / 4
    )


def test_the_collector_does_not_keep_the_cases_waiting():
    """While a delivery is held up, another dataset's is loaded: nothing queues behind it but its own dataset."""
    with owner() as con:
        con.execute("select pg_advisory_lock(hashtext('yiwang hub'), hashtext('product_licences'))")
        stuck = give("x", "x.csv", "product_licences", wait=False)
        assert give(HEADER + row(code())).state == "loaded"
        assert fresh(stuck).state == "received"
        con.execute("select pg_advisory_unlock(hashtext('yiwang hub'), hashtext('product_licences'))")
    assert done(stuck).state == "refused"
