"""Collection on the running product: a file comes, is judged, loaded, asked about; and everything that goes wrong."""

import gzip
import io
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import psycopg
import pytest
from client import client
from product import PRODUCT, ROOT, until

from yiwang.config import embedded
from yiwang.engines.hub import actions, collect, datasets, loading, publishing, pulling, queries, reminding
from yiwang.engines.hub.codes import CREDIT, is_uscc
from yiwang.engines.hub.contracts import Mode
from yiwang.engines.hub.models import Delivery, Holding, Quality
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.ids import new_id
from yiwang.kernel.notify.models import Message
from yiwang.kernel.registers.models import Lookup

HEADER = "统一社会信用代码,企业名称,类型,登记状态,住所,所在区划,成立日期,核准日期\n"
serial = itertools.count(1)


def owner():
    return psycopg.connect(embedded.url(PRODUCT.var / "postgres", embedded.OWNER), autocommit=True)


def code() -> str:
    """A code nobody has had yet."""
    first = f"91379901YY{next(serial):06d}0"
    return next(first + c for c in CREDIT if is_uscc(first + c))


def row(uscc, name="示例公司", approved="2026-03-02", status="1", region="370102", address="泉城路1号"):
    return f"{uscc},{name},1100,{status},{address},{region},2020-01-01,{approved}\n"


def give(content, name="t.csv", dataset="ent_registration", as_of=None, mode=None, wait=True, batch=""):
    """Hand content in as the system; the product's own collector loads it."""
    content = content.encode() if isinstance(content, str) else content
    with acting(SYSTEM):
        found = datasets.current(dataset)
        made = actions.receive(
            SYSTEM, found, name, io.BytesIO(content), len(content), as_of, mode, "system", batch
        )
    return done(made) if wait else made


def fresh(delivery):
    with acting(SYSTEM):
        return Delivery.objects.get(pk=delivery.pk)


def done(delivery, patience=60):
    return until(lambda: (d := fresh(delivery)).state in ("loaded", "refused") and d, patience)


def told(delivery):
    return [(m["row"], m["field"], m["what"]) for m in delivery.messages]


def now_holds(uscc):
    with acting(SYSTEM):
        return queries.as_of(datasets.current("ent_registration"), {"uscc": uscc})


def moment(day, hour=12):
    return datetime.fromisoformat(f"2026-{day}T{hour:02d}:00:00+08:00")


# ---- the way of a file


@pytest.mark.plan("R14")
@pytest.mark.plan("R15")
@pytest.mark.plan("R16")
@pytest.mark.plan("R17")
@pytest.mark.plan("R18")
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


def test_no_way_to_a_record_without_a_purpose_and_a_trace(become):
    uscc = code()
    give(HEADER + row(uscc))
    reporter, found = become("reporter"), datasets.current("ent_registration")
    with acting(SYSTEM):
        before = Lookup.objects.filter(register="hub.ent_registration", key=uscc).count()
    with acting(reporter):
        assert queries.as_of(found, {"uscc": uscc})["uscc"] == uscc
        assert [r["uscc"] for r in queries.of_subject(found, uscc, "数据管理")] == [uscc]
    with acting(SYSTEM):
        looks = Lookup.objects.filter(register="hub.ent_registration", key=uscc)
        assert looks.count() == before + 2
        assert {look.purpose for look in looks} == {"数据管理"}
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


# ---- bad input, each its own


def test_a_broken_last_line_is_told_and_the_rest_loaded():
    codes = [code() for _ in range(2000)]
    delivery = give((HEADER + "".join(map(row, codes))).encode()[:-40])
    assert (delivery.counts["good"], delivery.counts["bad"]) == (1999, 1)
    assert told(delivery)[0][:2] == (2001, "整行")
    assert "没有传完或中途断了" in told(delivery)[0][2]
    later = give(HEADER + row(code()) + '"引号不成对,x\n' + row(code(), region="999999"))
    assert told(later)[0][0] == 3 and "引号不成对" in told(later)[0][2]


def test_row_numbers_stay_those_of_the_file_behind_a_broken_row():
    delivery = give(
        HEADER + row(code()) + "只有一格\n" + row(code()) + "一,二\n" + row(code(), region="999999")
    )
    assert [(r, f) for r, f, _w in told(delivery)] == [(3, "整行"), (5, "整行"), (6, "所在区划")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_utf8_with_and_without_bom_and_gbk_are_read(encoding):
    uscc = code()
    text = HEADER + row(uscc, "镕基股份" if encoding == "gb18030" else "某某公司")
    assert give(text.encode(encoding)).counts["good"] == 1
    assert now_holds(uscc)["name"].endswith(("股份", "公司"))


def test_an_excel_book_with_dates_numbers_as_text_and_a_merged_header(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["市场主体名单"])
    sheet.append(HEADER.strip().split(","))
    one, two = code(), code()
    sheet.append([one, "日期公司", 1100, 1, "路1号", 370102, date(2020, 1, 1), datetime(2026, 3, 2)])
    sheet.append([two, "文字公司", "1100", "1", "路1号", "370102", "2020/1/1", 46083])
    sheet.append([913799010000000000, "丢位公司", "1100", "1", "路1号", "370102", "2020-01-01", "2026-03-02"])
    sheet.merge_cells("A1:H1")
    out = tmp_path / "b.xlsx"
    book.save(out)
    delivery = give(out.read_bytes(), "名单.xlsx")
    assert delivery.counts["good"] == 1, delivery.messages
    assert now_holds(one)["approved_on"] == "2026-03-02"
    by_row = {m["row"]: m for m in delivery.messages}
    assert "表头在第 2 行" in by_row[2]["what"]
    assert by_row[4]["proposal"] == "2026-03-02"
    assert "被表格软件存成了数" in by_row[5]["what"]
    sheet.merge_cells("A2:B2")
    book.save(out)
    refused = give(out.read_bytes(), "合并.xlsx")
    assert refused.state == "refused"
    assert "企业名称" in refused.error and "合并的单元格" in refused.error


def test_json_lines_and_arrays_are_read_and_a_broken_line_is_told():
    one, two = code(), code()
    base = {
        "企业名称": "某",
        "类型": "1100",
        "status": "1",
        "住所": "路",
        "所在区划": 370102,
        "成立日期": "2020-01-01",
    }
    lines = [
        json.dumps({**base, "uscc": c, "approved_on": "2026-03-02"}, ensure_ascii=False) for c in (one, two)
    ]
    delivery = give("\n".join([lines[0], '{"uscc": "断', lines[1]]), "推.jsonl")
    assert (delivery.counts["good"], delivery.counts["bad"]) == (2, 1)
    assert told(delivery)[0][:2] == (2, "整行")
    assert give("[" + ",".join(lines) + "]", "推.json").counts["unchanged"] == 2


def test_the_same_file_twice_says_when_it_was_loaded():
    text = HEADER + row(code())
    first, second = give(text), give(text)
    assert first.state == "loaded"
    assert second.state == "refused"
    assert f"第 {first.seq} 批" in second.error and "内容一字不差，没有再装" in second.error


def test_duplicate_keys_in_one_file_and_across_files():
    one, two = code(), code()
    text = HEADER + row(one) + row(two, "甲") + row(one) + row(two, "乙")
    delivery = give(text)
    assert (delivery.counts["good"], delivery.counts["repeated"], delivery.counts["bad"]) == (1, 1, 2)
    assert told(delivery) == [
        (3, "统一社会信用代码", "与第 5 行的主键（或唯一项）重复而内容不同"),
        (5, "统一社会信用代码", "与第 3 行的主键（或唯一项）重复而内容不同"),
    ]
    across = give(HEADER + row(one, "改名公司"))
    assert (across.counts["changed"], across.counts["new"]) == (1, 0)
    assert now_holds(one)["name"] == "改名公司"


def test_yesterday_after_today_does_not_overwrite_today():
    uscc = code()
    give(HEADER + row(uscc, "今天"), as_of=moment("03-04"))
    late = give(HEADER + row(uscc, "昨天"), as_of=moment("03-03"))
    assert (late.counts["late"], late.counts["changed"]) == (1, 0)
    assert now_holds(uscc)["name"] == "今天"


@pytest.fixture
def other_packs():
    """Puts changed packs in force for a while, and the product's own back afterwards."""
    import shutil
    import tempfile

    from yiwang.kernel.packs import api as packs

    folder = Path(tempfile.mkdtemp())
    shutil.copytree(ROOT / "packs", folder / "packs")

    def change(before, after):
        file = folder / "packs/base/datasets/judicial.yaml"
        file.write_text(file.read_text().replace(before, after))
        with acting(SYSTEM):
            packs.load(folder / "packs")

    yield change
    with acting(SYSTEM):
        packs.load(ROOT / "packs")
    shutil.rmtree(folder)


def test_a_contract_that_changes_in_mid_stream(other_packs):
    head = "案号,统一社会信用代码,单位名称,类别,法院,发布日期\n"
    line = f"案1,{code()},某,1,某院,2026-03-01\n"
    assert give(head + line, "司法.csv", "judicial", moment("03-01")).state == "loaded"
    before = give(head + line.replace("某院", "另院"), "司法.csv", "judicial", moment("03-02"), wait=False)
    other_packs("version: 1\n", "version: 2\n")
    other_packs("  deleted: {", "  note: {name: 备注, type: string, level: 公开}\n  deleted: {")
    assert done(before).contract_version == 1  # judged by the contract under which it came
    more = give(
        head.strip() + ",备注\n" + line.strip() + ",履行中\n", "司法.csv", "judicial", moment("03-03")
    )
    assert (more.state, more.contract_version, more.counts["changed"]) == ("loaded", 2, 1), more.error
    other_packs(
        "amount: {name: 标的（元）, type: decimal, scale: 2, min: 0",
        "amount: {name: 标的（元）, type: string",
    )
    refused = give(head + line, "司法.csv", "judicial", moment("03-04"))
    assert refused.state == "refused"
    assert "类型从 numeric(18,2) 改成了 text" in refused.error and "另起一个字段名" in refused.error


def test_a_full_disk_loads_nothing_says_so_and_goes_on_by_itself(monkeypatch, tmp_path):
    uscc = code()
    found = datasets.current("ent_registration")
    file = tmp_path / "x.csv"
    file.write_text(HEADER + row(uscc))
    job = loading.Load(
        found, 999_999, moment("03-01"), Mode.CHANGE, file, tmp_path / "w", tmp_path / "lake", collect.connect
    )
    usage = type("Usage", (), {"free": 1 << 20})
    monkeypatch.setattr(loading.shutil, "disk_usage", lambda _where: usage)
    with pytest.raises(loading.DiskFull, match=r"磁盘空间不足.*没有装载任何一行"):
        job.run(lambda _con, _outcome: None)
    # The collector puts the delivery off; PostgreSQL that has no room in the middle is the same refusal.
    monkeypatch.undo()

    def full(*_args):
        raise psycopg.errors.DiskFull("could not extend file: No space left on device")

    monkeypatch.setattr(publishing, "change", full)
    with collect.connect() as con:  # the product's own collector stays away from the dataset meanwhile
        con.execute("select pg_advisory_lock(hashtext('yiwang hub'), hashtext('ent_registration'))")
        delivery = give(HEADER + row(uscc), wait=False)
        collect.load(con, delivery)
    put_off = fresh(delivery)
    assert put_off.state == "received" and "写满" in put_off.error and put_off.attempts == 0
    assert now_holds(uscc) is None
    with owner() as con:
        con.execute("update hub_delivery set not_before = now() where seq = %s", [delivery.seq])
    assert done(delivery).counts["new"] == 1
    assert now_holds(uscc) is not None


@pytest.mark.parametrize("when", ["in the transaction", "before the lake"])
def test_a_collector_killed_during_the_upsert_leaves_nothing_half_loaded(when):
    """kill -9 of a real process inside the publishing transaction; the next collector goes on."""
    dataset = "social_insurance"
    codes = [code() for _ in range(300)]
    head = "统一社会信用代码,单位名称,险种,参保状态,参保人数,状态日期\n"
    text = head + "".join(f"{c},某,110,1,{{n}},2026-03-01\n" for c in codes)
    assert give(text.replace("{n}", "5"), "保.csv", dataset, moment("03-01")).state == "loaded"

    def people():
        with owner() as con:
            found = con.execute(
                "select insured, count(*) from hub.social_insurance where uscc = any(%s) group by 1", [codes]
            )
            return dict(found.fetchall())

    script = (
        "import os, sys, time\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'yiwang.config.settings'\n"
        "import django; django.setup()\n"
        "from yiwang.engines.hub import collect, lake\n"
        "def stop(*a):\n    print('here', flush=True); time.sleep(600)\n"
        + ("collect._quality = stop\n" if when == "in the transaction" else "lake.join = stop\n")
        + "print('up', flush=True)\n"
        "while True:\n    collect.work_once(); time.sleep(0.05)\n"
    )  # fmt: skip
    with owner() as con:  # the product's collector stays away from this dataset meanwhile
        con.execute("select pg_advisory_lock(hashtext('yiwang hub'), hashtext(%s))", [dataset])
        delivery = give(text.replace("{n}", "6"), "保.csv", dataset, moment("03-02"), wait=False)
        victim = subprocess.Popen(
            [sys.executable, "-c", script], env=PRODUCT.env, cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert victim.stdout.readline() == "up\n"
        con.execute("update hub_delivery set not_before = now() where seq = %s", [delivery.seq])
        con.execute("select pg_advisory_unlock(hashtext('yiwang hub'), hashtext(%s))", [dataset])
        if victim.stdout.readline() != "here\n":
            raise AssertionError("the victim did not begin")
        if when == "in the transaction":
            assert people() == {5: 300}
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
    after = done(delivery)
    assert after.counts["changed"] == 300
    assert people() == {6: 300}
    until(lambda: fresh(delivery).lake_version is not None)
    with owner() as con:
        (history,) = con.execute(
            "select count(*) from hub.social_insurance_hist where uscc = any(%s)", [codes]
        ).fetchone()
        left = con.execute(
            "select tablename from pg_tables where tablename like 'social_insurance\\_\\_%'"
        ).fetchall()
    assert (history, left) == (300, [])
    from deltalake import DeltaTable

    rows = DeltaTable(str(collect.lake_root() / dataset)).to_pyarrow_table(columns=["_delivery"]).to_pylist()
    assert sum(r["_delivery"] == delivery.seq for r in rows) == 300  # once, not twice


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "空文件"),
        (b"\n\n \n", "空的"),
        (HEADER.encode(), "只有表头"),
        (b"a,b\n1,2\n", "表头里没有找到：统一社会信用代码"),
        (b"%PDF-1.7 x", "这是 PDF"),
        (gzip.compress(b"x"), "gzip 压缩包"),
        (b"PK\x03\x04 not a book", "打不开这个工作簿"),
        (b"[{]", "不是有效的 JSON"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_remedy(content, why):
    if not content:
        with acting(SYSTEM), pytest.raises(actions.Refused, match=why):
            actions.receive(SYSTEM, datasets.current("penalties"), "x.csv", io.BytesIO(b""), 0)
        return
    delivery = give(
        content + str(next(serial)).encode() * (why == "打不开这个工作簿"), "x", "ent_registration"
    )
    assert delivery.state == "refused"
    assert why in delivery.error


# ---- other ways in


@pytest.mark.plan("R23")
def test_a_system_pushes_over_the_interface_and_tries_it_first_in_the_sandbox(product):
    call = client(product.port, "reporter")
    described = call.get("hub/datasets/ent_registration/openapi.json").json
    record = described["components"]["schemas"]["Record"]
    assert record["properties"]["status"]["enum"] == ["1", "2", "3", "4", "5", "6"]
    uscc = code()
    example = {id: f["examples"][0] for id, f in record["properties"].items() if "examples" in f}
    good = {**example, "uscc": uscc, "address": "泉城路1号"}
    batch = {"batch": str(new_id()), "records": [good, {**good, "uscc": uscc.lower()}]}
    with acting(SYSTEM):
        before = Delivery.objects.count()
    tried = call.post("hub/datasets/ent_registration/sandbox", batch)
    assert (tried.status, tried.json["good"], tried.json["refused"]) == (200, 1, 1)
    assert tried.json["messages"][0]["proposal"] == uscc
    with acting(SYSTEM):
        assert Delivery.objects.count() == before
    pushed = call.post("hub/datasets/ent_registration/records", batch)
    assert pushed.status == 202 and pushed.json["new"]
    again = call.post("hub/datasets/ent_registration/records", batch)
    assert (again.json["delivery"], again.json["new"]) == (pushed.json["delivery"], False)
    changed = call.post("hub/datasets/ent_registration/records", {**batch, "records": [good]})
    assert changed.status == 403 and "已经用过" in changed.json["message"]
    result = until(
        lambda: (r := call.get(f"hub/deliveries/{pushed.json['delivery']}").json)["state"] == "loaded" and r
    )
    assert (result["counts"]["good"], result["counts"]["bad"]) == (1, 1)
    read = call.get(
        f"hub/datasets/ent_registration/record?key={uscc}&purpose=%E6%95%B0%E6%8D%AE%E7%AE%A1%E7%90%86"
    )
    assert read.json["record"]["name"] == good["name"]
    assert (
        client(product.port, "reporter_xs").post("hub/datasets/ent_registration/records", batch).status == 404
    )
    assert client(product.port, "steward").post("hub/datasets/ent_registration/records", batch).status == 403
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


def test_files_of_an_object_store_are_listed_by_pattern_and_fetched(tmp_path):
    """The store's own client is pyarrow's; its listing and fetching are tried on a local file system."""
    from pyarrow import fs

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("1")
    (tmp_path / "in" / "b.txt").write_text("2")
    found = list(pulling._from_store(fs.LocalFileSystem(), f"{tmp_path}/in/*.csv"))
    assert [name for name, *_ in found] == ["a.csv"]
    found[0][3](tmp_path / "got")
    assert (tmp_path / "got").read_text() == "1"


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
