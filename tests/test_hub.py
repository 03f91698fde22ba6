"""Collection on the running product: a file comes, is judged, loaded, asked about; and everything that goes wrong."""

import io
import os
import random
import time
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

import objectstore
import openpyxl
import psycopg
import pytest
from client import client
from deliveries import HEADER, code, done, fresh, give, moment, now_holds, owner, row, serial
from product import PRODUCT, until
from test_pages import everywhere

from yiwang.config import embedded
from yiwang.engines.cases import queries as case_queries
from yiwang.engines.cases.models import Case
from yiwang.engines.hub import actions, collect, datasets, pulling, queries, reminding
from yiwang.engines.hub.codes import is_uscc
from yiwang.engines.hub.contracts import Mode
from yiwang.engines.hub.models import Delivery, Holding, Quality
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.events.api import emit
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.models import Entry
from yiwang.kernel.notify.models import Message

# ---- the way of a file


def test_the_five_datasets_are_collected_and_counted_by_department(visit):
    """The demo's departments delivered all five; a lost code is found again and proposed."""
    five = {
        "ent_registration": 240,
        "ent_permits": 260,
        "product_licences": 54,
        "penalties": 70,
        "complaints": 190,
    }

    def loaded():
        with acting(SYSTEM):
            return {d.dataset for d in Delivery.objects.filter(state="loaded")} >= set(five)

    until(loaded, 90)
    with acting(SYSTEM):
        held = {h.dataset: h.rows for h in Holding.objects.all()}
    assert all(held[d] > n * 0.7 for d, n in five.items())
    page = visit("steward")
    page.goto("/desk/hub")
    text = page.inner_text("main")
    for name in (
        "登记注册信息",
        "行政审批信息",
        "生产许可信息",
        "行政处罚信息",
        "投诉举报信息",
        "各部门归集率",
    ):
        assert name in text
    page.click("text=登记注册信息")
    page.click("text=第 2 批")
    text = page.inner_text("main")
    assert "退回 4 行，其余好行照常装载" in text
    assert "变更 36" in text
    assert "不是有效的统一社会信用代码" in text and "很可能是 91379901MC" in text
    assert "已注销却没有注销日期" in text


def sample(dataset, **over):
    """A line of a dataset by its own examples."""
    told = {f.name: over.get(f.id, f.example or ("示例" if f.required else "")) for f in dataset.fields}
    return ",".join(told) + "\n", ",".join(told.values()) + "\n"


@pytest.mark.parametrize(
    ("dataset", "key", "who"),
    [
        pytest.param("ent_registration", "", "reporter", marks=pytest.mark.plan("R14")),
        pytest.param("ent_permits", "permit_no", "reporter_xs", marks=pytest.mark.plan("R15")),
        pytest.param("product_licences", "licence_no", "reporter", marks=pytest.mark.plan("R16")),
        pytest.param("penalties", "decision_no", "reporter", marks=pytest.mark.plan("R17")),
        pytest.param("complaints", "complaint_no", "reporter", marks=pytest.mark.plan("R18")),
    ],
)
def test_a_file_is_uploaded_counted_by_department_and_its_wrong_code_found_again(
    visit, tmp_path, dataset, key, who
):
    """File → upload → collected under its code → 归集率 on the page; the lost code is proposed to the source."""
    contract, one, two = datasets.current(dataset), code(), code()
    mark = f"传{next(serial)}"
    header, good = sample(contract, uscc=one, **({key: f"{mark}甲"} if key else {}))
    swap = next(n for n in range(9, 17) if two[n] != two[n + 1])
    lost = two[:swap] + two[swap + 1] + two[swap] + two[swap + 2 :]
    file = tmp_path / "一批.csv"
    file.write_text(header + good + sample(contract, uscc=lost, **({key: f"{mark}乙"} if key else {}))[1])
    steward = visit("steward")

    def line():
        steward.goto("/desk/hub")
        cells = steward.locator(f"tr:has(a[href='/desk/hub/{dataset}']) td").all_inner_texts()
        return int(cells[2]), cells[4]

    before, _rate = line()
    page = visit(who)
    page.goto(f"/desk/hub/{dataset}/upload")
    page.set_input_files("#file", file)
    page.click("button:has-text('上传')")
    page.wait_for_url("**/desk/hub/deliveries/**")
    page.wait_for_selector("text=退回 1 行", timeout=60000)
    page.wait_for_selector("text=新增 1", timeout=60000)
    candidates = {lost[:n] + lost[n + 1] + lost[n] + lost[n + 2 :] for n in range(17)}
    if {c for c in candidates if is_uscc(c)} == {two}:
        assert f"很可能是 {two}" in page.inner_text("main")
    after, rate = line()
    assert after == before + 1
    assert rate == f"{after / contract.expected_rows:.0%}"
    assert contract.department in steward.inner_text("table >> nth=1")
    with acting(SYSTEM):
        assert len(queries.of_subject(contract, one, "数据管理")) == 1


def test_a_clerk_uploads_a_file_in_the_browser_and_gets_back_only_the_bad_rows(visit, tmp_path):
    good, bad = code(), code()
    swapped = bad[:9] + bad[10] + bad[9] + bad[11:] if bad[9] != bad[10] else bad.lower()
    file = tmp_path / "登记.csv"
    file.write_text(HEADER + row(good, "张三工作室") + row(swapped) + row(code(), region="999999"), "gbk")
    page = visit("reporter")
    page.goto("/desk/hub")
    page.click("a[href='/desk/hub/ent_registration/upload']")
    page.set_input_files("#file", file)
    page.click("button:has-text('上传')")
    page.wait_for_url("**/desk/hub/deliveries/**")
    page.wait_for_selector("text=退回 2 行", timeout=60000)
    with page.expect_download() as download:
        page.click("text=下载要改的行")
    sheet = openpyxl.load_workbook(io.BytesIO(Path(download.value.path()).read_bytes())).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:2] == ("原行号", "问题与改法")
    assert [r[0] for r in rows[1:]] == [3, 4]
    assert "统一社会信用代码：不是有效的统一社会信用代码" in rows[1][1]
    assert now_holds(good)["name"] == "张三工作室"
    # From the record back to the delivery and its raw file.
    page.goto(f"/desk/hub/ent_registration/record?uscc={good}")
    assert "张三工作室" in page.inner_text("main")
    page.click("table.hist a")
    with page.expect_download() as download:
        page.click("ol a[href$='/raw']")
    assert Path(download.value.path()).read_bytes() == file.read_bytes()


def test_the_form_works_without_javascript(visit, tmp_path):
    file = tmp_path / "无脚本.csv"
    file.write_text(HEADER + row(code()))
    page = visit("reporter", java_script_enabled=False)
    page.goto("/desk/hub/ent_registration/upload")
    page.set_input_files("#file", file)
    page.click("button:has-text('上传')")
    page.wait_for_url("**/desk/hub/deliveries/**")
    page.goto("/desk/hub/ent_registration/upload")
    page.click("button:has-text('上传')")
    assert page.url.endswith("/upload")


def test_an_upload_goes_on_where_the_line_broke(visit):
    """Pieces, an unexpected end, a question how far it is, and the rest."""
    content = (HEADER + "".join(row(code()) for _ in range(50))).encode()
    page = visit("reporter")
    page.goto("/desk/hub/ent_registration/upload")
    token = page.locator("main [name=csrfmiddlewaretoken]").first.input_value()
    headers = {"X-CSRFToken": token, "Referer": page.url, "Content-Type": "application/octet-stream"}
    form = {"csrfmiddlewaretoken": token, "name": "大.csv", "size": str(len(content)), "mode": "change"}
    begun = page.request.post(
        "/desk/hub/ent_registration/begin", form=form, headers={"Referer": page.url}
    ).json()

    def send(offset, data):
        return page.request.post(f"{begun['address']}?offset={offset}", data=data, headers=headers)

    assert send(0, content[:1000]).json()["offset"] == 1000
    again = send(0, content[:1000])  # the answer was lost, and the piece comes once more
    assert (again.status, again.json()["offset"]) == (409, 1000)
    assert page.request.get(begun["address"]).json()["offset"] == 1000
    assert send(1000, content[1000:] + b"x").status == 422
    last = send(1000, content[1000:]).json()
    page.goto(last["done"])
    page.wait_for_selector("text=新增 50", timeout=60000)
    other = visit("reporter_xs")
    assert other.request.get(begun["address"]).status == 404
    assert other.request.get("/desk/hub/ent_registration").status == 404


def test_an_official_reports_only_his_departments_data(visit, become):
    page = visit("reporter_xs")
    page.goto("/desk/hub")
    assert "行政审批信息" in page.inner_text("main")
    assert "登记注册信息" not in page.inner_text("main")
    for who in ("official10", "mother"):
        assert visit(who).request.get("/desk/hub", max_redirects=0).status in (302, 404)
    steward = become("steward")
    with acting(steward), pytest.raises(actions.Refused, match="没有这个岗位"):
        actions.receive(steward, datasets.current("penalties"), "x.csv", io.BytesIO(b"x"), 1)
    with acting(become("mother")):
        assert Delivery.objects.count() == 0
    with acting(become("reporter_xs")):
        assert {d.dataset for d in Delivery.objects.all()} <= {"ent_permits"}


def entries(uscc):
    """What the ledger says of one enterprise's registration."""
    with psycopg.connect(embedded.url(PRODUCT.var / "postgres", embedded.OWNER)) as owner:
        (subject,) = owner.execute("select ledger_subject('enterprise', %s)", [uscc]).fetchone()
    return Entry.objects.select_related("use").filter(subject=subject, use__source="hub.ent_registration")


def test_no_way_to_a_record_without_a_purpose_and_a_trace(become):
    uscc = code()
    give(HEADER + row(uscc))
    reporter, found = become("reporter"), datasets.current("ent_registration")
    with acting(SYSTEM):
        before = entries(uscc).filter(use__purpose="数据管理").count()
    with acting(reporter):
        assert queries.as_of(found, {"uscc": uscc})["uscc"] == uscc
        assert [r["uscc"] for r in queries.of_subject(found, uscc, "数据管理")] == [uscc]
    with acting(SYSTEM):
        assert entries(uscc).filter(use__purpose="数据管理").count() == before + 2
        assert "数据管理" in {entry.use.purpose for entry in entries(uscc)}
    with acting(reporter), pytest.raises(actions.Refused, match="不向用途“好奇”提供"):
        queries.as_of(found, {"uscc": uscc}, purpose="好奇")
    from django.db import ProgrammingError, connection

    with acting(SYSTEM), pytest.raises(ProgrammingError, match="permission denied"):
        connection.cursor().execute("select 1 from hub.ent_registration limit 1")


# ---- history


def test_what_did_we_know_on_that_day(visit):
    """The source corrects, reports late, and withdraws; each day's knowledge stays."""
    no = f"决{next(serial)}"
    head = (
        "处罚决定书文号,统一社会信用代码,行政相对人名称,处罚类别,处罚程序,违法事实,处罚依据,处罚内容,"
        "罚款金额（万元）,处罚决定日期,是否撤销,处罚机关\n"
    )

    def line(fine, gone="否"):
        return head + f"{no},{uscc},某公司,02,2,事实,依据,罚款,{fine},2026-03-01,{gone},某局\n"

    uscc, moments, found = code(), [], datasets.current("penalties")
    for text, as_of in ((line(1), "03-03"), (line(2), "03-10"), (line(5), "03-05"), (line(2, "是"), "03-20")):
        delivery = give(text, "罚.csv", "penalties", moment(as_of))
        assert delivery.state == "loaded", delivery.error
        moments.append(delivery.loaded_at)
    assert delivery.counts["withdrawn"] == 1
    with acting(SYSTEM):
        assert queries.as_of(found, {"decision_no": no}, moments[0] - timedelta(seconds=1)) is None
        for n, fine, withdrawn in ((0, 1, False), (1, 2, False), (2, 2, False), (3, 2, True)):
            told = queries.as_of(found, {"decision_no": no}, moments[n])
            assert (float(told["fine"]), told["_withdrawn"]) == (fine, withdrawn), n
        assert len(queries.versions(found, {"decision_no": no}, "数据管理")) == 4
    page = visit("steward")
    page.goto(f"/desk/hub/penalties/record?decision_no={no}")
    text = page.inner_text("main")
    assert "来源部门已经撤回这条记录" in text
    assert "迟到的旧数据" in text


def test_history_in_the_database_equals_a_naive_replay():
    """Random deliveries in random order against a list of statements walked one by one."""
    rng = random.Random(7)
    found, codes = datasets.current("ent_registration"), [code() for _ in range(4)]
    said = []  # (published, as_of, seq, {code: (valid_from, name)})
    for n in range(9):
        as_of = moment(f"0{rng.randint(1, 9)}-1{n}")
        some = {
            c: (f"2026-0{rng.randint(1, 2)}-0{rng.randint(1, 9)}", f"名{rng.randint(1, 3)}")
            for c in codes
            if rng.random() < 0.7
        }
        if not some:
            continue
        delivery = give(HEADER + "".join(row(c, name, day) for c, (day, name) in some.items()), as_of=as_of)
        assert delivery.state == "loaded", delivery.error
        assert sum(delivery.counts[k] for k in ("new", "changed", "unchanged", "late")) == len(some)
        said.append((delivery.loaded_at, as_of, delivery.seq, some))

    def naive(c, known, valid):
        best = None
        for published, as_of, seq, some in said:
            if published <= known and c in some and date.fromisoformat(some[c][0]) <= valid:
                if best is None or (as_of, seq) >= best[0]:
                    best = ((as_of, seq), some[c][1])
        return best and best[1]

    for c in codes:
        for known in [m for m, *_ in said]:
            for valid in (date(2025, 12, 31), date(2026, 1, 5), date(2026, 2, 5), date(2026, 11, 1)):
                with acting(SYSTEM):
                    told = queries.as_of(found, {"uscc": c}, known, valid)
                assert (told and told["name"]) == naive(c, known, valid)


def test_a_full_delivery_withdraws_what_it_lacks_but_not_what_it_has_wrong():
    codes = [code() for _ in range(60)]
    head = "纳税人识别号,纳税人名称,纳税人状态,状态日期\n"

    def line(c, state="01"):
        return f"{c},某户,{state},2026-03-01\n"

    whole = give(head + "".join(map(line, codes)), "税.csv", "tax_status", moment("03-01"), Mode.FULL)
    assert whole.state == "loaded", whole.error
    lacking = give(head + "".join(map(line, codes[:30])), "税.csv", "tax_status", moment("03-02"), Mode.FULL)
    assert lacking.state == "refused"
    assert "比现有的少 30 条" in lacking.error and "整批没有装" in lacking.error
    rest = "".join(line(c) for c in codes[3:]) + line(codes[2], "77")
    after = give(head + rest, "税.csv", "tax_status", moment("03-03"), Mode.FULL)
    assert (after.counts["withdrawn"], after.counts["bad"]) == (2, 1)
    with acting(SYSTEM):
        found = datasets.current("tax_status")
        assert [queries.as_of(found, {"uscc": c})["_withdrawn"] for c in codes[:4]] == [
            True,
            True,
            False,
            False,
        ]


# ---- other ways in


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


def with_pull(**pull):
    from dataclasses import replace

    from yiwang.engines.hub.contracts import Pull

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


def test_what_did_not_come_is_a_case_until_it_is_explained_or_comes(visit):
    def asked_for(dataset, due):
        """The reporting office's case about a due day that nobody else asks for."""
        body = {"dataset": dataset.id, "name": dataset.name, "department": dataset.department}
        with acting(SYSTEM):
            emit("hub.overdue", {**body, "due": moment(due).isoformat(), "latest": None})
        return until(lambda: open_case(dataset, due), 30)

    def open_case(dataset, due):
        with acting(SYSTEM):
            found = Case.objects.filter(kind="matter", ref="data.overdue", data__id=dataset.id)
            return found.filter(data__due=f"2026-{due}").first()

    reports, inspections = datasets.current("annual_reports"), datasets.current("inspections")
    explained = asked_for(reports, "04-01")
    clerk = visit("reporter")
    clerk.goto(f"/desk?q={explained.number}")
    with clerk.expect_navigation():
        clerk.click("tr:has-text('年报信息') a:has-text('数据催报')")
    assert "还没有收到过" in clerk.inner_text("main")
    assert clerk.locator("a:text-is('去报送')").count() == 1
    assert everywhere(clerk) == []
    with clerk.expect_navigation():
        clerk.click("button:text-is('确定')")
    assert "请写明理由" in clerk.inner_text("main")
    clerk.fill("textarea[name=reason] >> nth=0", "上一年度年报六月底截止，七月汇总（测试）")
    with clerk.expect_navigation():
        clerk.click("button:text-is('确定')")
    assert "已办结" in clerk.inner_text("main")
    late = asked_for(inspections, "04-02")
    assert late.closed_at is None and late.due_at > late.submitted_at
    head, line = sample(inspections, inspection_no="JC-test-0001", uscc=code())
    assert give(head + line, dataset="inspections").state == "loaded"
    until(lambda: open_case(inspections, "04-02").closed_at, 30)
    clerk.goto(f"/desk/cases/{late.id}")
    assert "数据已经收到" in clerk.inner_text("main")  # the system closed it, and says why
    with clerk.expect_navigation():
        clerk.click("a:text-is('全链追溯')")
    assert "系统开出" in clerk.inner_text("main")
    assert everywhere(clerk) == []
    with acting(SYSTEM):
        assert case_queries.verify_chain(late.id) > 0
        assert not case_queries.replayed(late.id).tokens


def test_a_dataset_that_never_came_has_pages_too(visit):
    page = visit("steward")
    page.goto("/desk/hub/credit_repairs")
    assert "还没有报过" in page.inner_text("main")
    page.goto(f"/desk/hub/credit_repairs/record?repair_no={code()}")
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
