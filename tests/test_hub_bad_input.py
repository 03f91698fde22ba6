"""Deliveries that go wrong, each its own test: nothing is half loaded, and each says what happened and what to do."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import openpyxl
import psycopg
import pytest
from deliveries import HEADER, UNSAID, code, done, fresh, give, moment, now_holds, owner, row, serial, told
from django.utils import timezone
from product import PRODUCT, ROOT, until

from yiwang.engines.hub import actions, collect, datasets, loading, publishing
from yiwang.engines.hub.contracts import Mode
from yiwang.engines.hub.models import Delivery, Holding
from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.files.store import path_of


def test_a_broken_last_line_is_told_and_the_rest_loaded():
    codes = [code() for _ in range(2000)]
    delivery = give((HEADER + "".join(map(row, codes))).encode()[:-40])
    assert (delivery.counts["good"], delivery.counts["bad"]) == (1999, 1)
    assert told(delivery)[0][:2] == (2001, "整行")
    assert "没有传完或中途断了" in told(delivery)[0][2]
    later = give(HEADER + row(code()) + '"引号不成对,x\n' + row(code(), region="999999"))
    assert told(later)[0][0] == 3 and "引号不成对" in told(later)[0][2]
    # Also behind more wrong cells than are shown.
    wrong = "".join(row(code(), region="999999") for _ in range(300))
    last = told(give((HEADER + wrong + row(code())).encode()[:-40]))
    assert len(last) == 199 and last[-1][:2] == (302, "整行") and last[0][:2] == (2, "所在区划")


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


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
@pytest.mark.parametrize("behind", [0, 20_000])
def test_a_damaged_character_costs_its_row_and_not_the_file(encoding, behind):
    """In the first megabyte, by which the encoding is known, and far behind it."""
    whole, damaged = code(), code()
    before = "".join(row(code(), region="999999") for _ in range(behind))
    text = (HEADER + before + row(whole, "完好公司", address="某路" * 30) + row(damaged, "示济公司")).encode(
        encoding
    )
    at = text.rindex("济公司".encode(encoding))
    delivery = give(text[:at] + b"\xff" + text[at + 1 :])
    assert (delivery.counts["good"], delivery.counts["bad"]) == (1, behind + 1), delivery.error
    assert now_holds(whole)["name"] == "完好公司" and now_holds(damaged) is None
    if not behind:
        (message,) = [m for m in delivery.messages if not m["what"].startswith(UNSAID)]
        assert message["row"] == 3 and "编码" in message["remedy"]
        assert encoding == "utf-8" or message["field"] == "企业名称"


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
    by_row = {m["row"]: m for m in delivery.messages if not m["what"].startswith(UNSAID)}
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


def test_the_same_file_for_another_day_is_another_delivery():
    """A wrong day corrected, or a push that says again today what was true yesterday."""
    content = HEADER + row(code(), approved=(date.today() - timedelta(days=3)).isoformat())
    early = give(content, as_of=timezone.now() - timedelta(days=9))
    assert early.state == "refused" and "没有一行合格" in early.error  # approved after the day of the data
    assert "核对本批的截止日" in early.messages[-1]["remedy"]
    assert give(content).counts["new"] == 1
    assert "内容一字不差" in give(content).error
    with acting(SYSTEM), pytest.raises(Refused, match="不像真的"):
        give(content, as_of=datetime(1, 1, 2, tzinfo=UTC))


def test_a_file_without_a_column_says_nothing_of_it():
    """An empty cell empties the field; a column that is not there leaves it as it was."""
    one, two = code(), code()
    full = HEADER.strip() + ",联系电话,法定代表人姓名\n"
    give(full + row(one).strip() + ",0531-55500001,张三\n" + row(two).strip() + ",0531-55500002,李四\n")
    moved = give(HEADER + row(one, address="泉城路2号"))
    (notice,) = [m for m in moved.messages if m["what"].startswith(UNSAID)]
    assert "联系电话" in notice["what"] and "法定代表人姓名" in notice["what"]
    assert moved.counts["changed"] == 1
    held = now_holds(one)
    assert (held["address"], held["phone"], held["legal_name"]) == ("泉城路2号", "0531-55500001", "张三")
    give(HEADER.strip() + ",联系电话\n" + row(two).strip() + ",\n")
    assert (now_holds(two)["phone"], now_holds(two)["legal_name"]) == (None, "李四")
    told = row(one, "改名公司", address="泉城路2号").strip().split(",")
    records = [dict(zip(HEADER.strip().split(","), told, strict=True))]
    give(json.dumps(records, ensure_ascii=False), "一.json")
    assert (now_holds(one)["name"], now_holds(one)["phone"]) == ("改名公司", "0531-55500001")


def test_control_characters_are_shown_and_the_other_rows_loaded():
    good = code()
    delivery = give(
        HEADER + row(good) + row(code(), "甲\0乙公司") + row(code(), "丙\x01公司", region="999999")
    )
    assert delivery.state == "loaded" and now_holds(good)
    assert {m["value"] for m in delivery.messages} >= {"甲␀乙公司", "999999"}
    with acting(SYSTEM), pytest.raises(Refused, match="控制字符"):
        give(HEADER + row(code()), batch="甲\0")


def test_nothing_good_is_no_delivery_and_the_workbook_has_broken_lines():
    with acting(SYSTEM):
        before = Holding.objects.get(dataset="ent_registration").latest_as_of
    delivery = give(HEADER + row(code(), region="999999") + "只有一格\n")
    assert (delivery.state, delivery.counts["bad"]) == ("refused", 2)
    assert "没有一行合格" in delivery.error and len(told(delivery)) == 2
    with acting(SYSTEM):
        assert Holding.objects.get(dataset="ent_registration").latest_as_of == before
    sheet = openpyxl.load_workbook(io.BytesIO(path_of(delivery.workbook).read_bytes())).active
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    assert [r[0] for r in rows] == [3, 2] and "原文：只有一格" in rows[0][1]


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
        "from yiwang.engines.hub import collect, lake, published\n"
        "from yiwang.engines.hub.models import Delivery\n"
        "mine = Delivery.objects.using('owner').filter(seq=int(sys.argv[1]))\n"
        "collect.waiting = lambda con: list(mine.filter(state__in=['received', 'loading', 'validated']))\n"
        "def stop(*a):\n    print('here', flush=True); time.sleep(600)\n"
        + ("published._quality = stop\n" if when == "in the transaction" else "lake.join = stop\n")
        + "while True:\n    collect.work_once(); time.sleep(0.05)\n"
    )  # fmt: skip
    with owner() as con:
        # Due tomorrow from the first, so that the product's own collector leaves it to the victim, which does not ask.
        content = text.replace("{n}", "6").encode()
        with acting(SYSTEM):
            found, size = datasets.current(dataset), len(content)
            delivery = actions.receive(
                SYSTEM, found, "保.csv", io.BytesIO(content), size, moment("03-02"), None, "system"
            )
            tomorrow = timezone.now() + timedelta(days=1)
            Delivery.objects.filter(pk=delivery.pk).update(not_before=tomorrow)
        command = [sys.executable, "-c", script, str(delivery.seq)]
        victim = subprocess.Popen(command, env=PRODUCT.env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        watch = threading.Timer(120, victim.kill)
        watch.start()
        if victim.stdout.readline() != "here\n":
            raise AssertionError("the victim did not begin")
        watch.cancel()
        if when == "in the transaction":
            assert people() == {5: 300}
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        con.execute("update hub_delivery set not_before = now() where seq = %s", [delivery.seq])
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
        (b"a,b\n1,2\n", "表头里没有找到：统一社会信用代码"),
        (b"%PDF-1.7 x", "这是 PDF"),
        (gzip.compress(b"x", mtime=0), "gzip 压缩包"),
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
