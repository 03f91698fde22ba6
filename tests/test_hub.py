"""Collection on the running product: a file comes, is judged, loaded, asked about; and everything that goes wrong."""

import io
import random
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import psycopg
import pytest
from deliveries import HEADER, code, give, moment, now_holds, owner, row, sample, serial
from product import PRODUCT, until

from yiwang.config import embedded
from yiwang.engines.hub import actions, datasets, queries
from yiwang.engines.hub.codes import is_uscc
from yiwang.engines.hub.contracts import Mode
from yiwang.engines.hub.loading import Load
from yiwang.engines.hub.models import Delivery, Holding
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.ledger.models import Entry

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
        day = Delivery.objects.get(name="登记注册-日增量.csv")
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
    assert "第 " in page.inner_text("main")
    page.goto(f"/desk/hub/deliveries/{day.uid}")
    text = page.inner_text("main")
    assert "退回 4 行，其余好行照常装载" in text
    assert "变更 36" in text
    assert "不是有效的统一社会信用代码" in text and "很可能是 91379901MC" in text
    assert "已注销却没有注销日期" in text


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
    over = after - contract.expected_rows
    assert rate.split()[0] == f"{min(1, after / contract.expected_rows):.0%}"
    assert over <= 0 or f"比应归多 {over}" in rate
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


def test_the_rows_of_a_first_load_are_frozen(tmp_path):
    """So that neither its key nor a later vacuum writes fifteen million rows once more."""
    dataset = replace(datasets.current("ent_registration"), id="frozen_rows")
    file = tmp_path / "rows.csv"
    file.write_text(HEADER + "".join(row(code()) for _ in range(3000)))
    work = tmp_path / "work"
    load = Load(dataset, 1, moment("03-03"), Mode.CHANGE, file, work, tmp_path / "lake", owner)
    try:
        outcome = load.run(lambda _con, _outcome: None)
        assert outcome.first and outcome.counts["new"] == 3000
        with owner() as con:
            pages, visible = con.execute(
                "select count(distinct (r.ctid::text::point)[0]), min(c.relallvisible) from hub.frozen_rows r "
                "cross join pg_class c where c.oid = 'hub.frozen_rows'::regclass"
            ).fetchone()
        assert pages > 10 and visible == pages  # every page with rows: the file may end in empty ones
    finally:
        with owner() as con:
            con.execute("drop view if exists hub.frozen_rows_versions")
            con.execute("drop table if exists hub.frozen_rows, hub.frozen_rows_hist, hub.frozen_rows__1")
