"""What goes wrong in real life gets an answer a person understands, and nothing typed is lost."""

import json
import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest
from django.db import connection
from product import PRODUCT, ROOT, until
from test_pages import everywhere

from yiwang.config import embedded
from yiwang.engines.cases import actions
from yiwang.engines.cases.models import Case, Draft
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.ids import new_id


def yiwang(*arguments):
    command = [sys.executable, "-m", "yiwang", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=PRODUCT.env, check=False)


def begin(page, ref="sd.newborn"):
    page.goto(f"/services/{ref}")
    page.click("text=开始办理")
    page.wait_for_url("**/apply/**")
    if page.url.endswith("/check"):
        page.goto(page.url.replace("/check", "/baby"))


def test_malformed_pack_names_file_line_and_remedy_and_changes_nothing(tmp_path):
    import shutil

    shutil.copytree(ROOT / "packs", tmp_path / "packs")
    broken = tmp_path / "packs/shandong/services/rs.sscard.yaml"
    broken.write_text(broken.read_text().replace("visits:", "visists:"))
    before = json.loads(yiwang("doctor", "--json").stdout)
    run = yiwang("packs", "load", tmp_path / "packs")
    assert run.returncode == 1
    assert "shandong/services/rs.sscard.yaml:" in run.stdout
    assert "visits" in run.stdout
    assert "怎么改" in run.stdout
    assert "已装载的包保持不变" in run.stdout
    assert before


def test_unsupported_bpmn_element_is_named(tmp_path):
    file = tmp_path / "x.bpmn"
    text = (ROOT / "packs/base/flows/std.instant.bpmn").read_text()
    file.write_text(
        text.replace("<bpmn:userTask ", "<bpmn:scriptTask ").replace("</bpmn:userTask>", "</bpmn:scriptTask>")
    )
    run = yiwang("flow", "check", file, "--json")
    found = json.loads(run.stdout)
    assert run.returncode == 1
    assert found["accepted"] is False
    assert [(p["element"], p["id"]) for p in found["unsupported"]] == [("scriptTask", "handle")]
    good = json.loads(yiwang("flow", "check", ROOT / "packs/base/flows/std.instant.bpmn", "--json").stdout)
    assert good["accepted"] is True
    assert (found["nodes"], found["sequence_flows"]) == (good["nodes"], good["sequence_flows"])


def test_wrong_value_is_kept_and_explained(visit):
    page = visit("father")
    begin(page, "yb.insured_proof")
    page.goto(page.url.rsplit("/", 1)[0] + "/service")
    page.fill('[name="service.proof_from"]', "2025年1月")
    page.fill('[name="service.proof_to"]', "2025-12")
    page.click("text=保存并继续")
    assert "2025年1月" in page.inner_text(".errs")
    assert page.input_value('[name="service.proof_from"]') == "2025年1月"
    assert page.evaluate("document.activeElement.className") == "errs"
    page.click(".errs a")
    assert page.evaluate("document.activeElement.name") == "service.proof_from"
    page.fill('[name="service.proof_from"]', "2025-01")
    with page.expect_navigation():
        page.click("text=保存并继续")
    page.wait_for_url("**/check*")


def test_id_number_with_wrong_check_digit_is_refused_with_the_right_digit(visit):
    """With the marriage register down, the father's number is asked for, and checked."""
    assert yiwang("register", "marriage", "down").returncode == 0
    try:
        page = visit("elder")
        begin(page)
        page.goto(page.url.rsplit("/", 1)[0] + "/parents")
        page.fill('[name="father.idno"]', "379901199003070121")
        page.click("text=保存并继续")
        text = page.inner_text(".errs")
        assert "379901199003070121" in text
        assert "末位应为" in text
        assert page.input_value('[name="father.idno"]') == "379901199003070121"
    finally:
        yiwang("register", "marriage", "up")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("大照片.png", b"\x89PNG\r\n\x1a\n" + bytes(40 * 1024 * 1024), "超过 10 MB"),
        ("照片.jpg", b"MZ" + bytes(2000), "不是 PDF、JPG、PNG"),
        ("空.png", b"", "空文件"),
    ],
)
def test_uploads_that_are_not_taken(visit, tmp_path, name, content, words):
    file = tmp_path / name
    file.write_bytes(content)
    page = visit("elder")
    begin(page)
    page.goto(page.url.rsplit("/", 1)[0] + "/card")
    page.select_option('[name="service.card_bank"]', index=2)
    page.set_input_files('[name="photo@child"]', file)
    with page.expect_navigation():
        page.click("text=保存并继续")
    assert words in page.inner_text(".errs")
    assert page.input_value('[name="service.card_bank"]')  # what else was typed is still there


def test_expired_session_in_mid_form_loses_nothing(visit):
    page = visit("father")
    begin(page, "yb.insured_proof")
    page.goto(page.url.rsplit("/", 1)[0] + "/service")
    page.fill('[name="service.proof_from"]', "2024-03")
    page.context.clear_cookies(name="sessionid")
    page.click("text=保存并继续")
    page.wait_for_url("**/accounts/login/**")
    with page.expect_navigation():
        page.click('button[value="father"]')
    assert page.input_value('[name="service.proof_from"]') == "2024-03"
    assert "登录过期" in page.inner_text("main")


def test_two_tabs_submit_one_case(visit, photo):
    first = visit("official19")
    begin(first, "yb.insured_proof")
    draft = first.url.split("/apply/")[1].split("/")[0]
    first.goto(f"/apply/{draft}/service")
    first.fill('[name="service.proof_from"]', "2024-01")
    first.fill('[name="service.proof_to"]', "2024-12")
    first.click("text=保存并继续")
    first.wait_for_url("**/check*")
    second = first.context.new_page()
    second.goto(f"/apply/{draft}/check")
    first.click("text=确认并提交")
    first.wait_for_url("**/cases/**")
    second.click("text=确认并提交")
    second.wait_for_url("**/cases/**")
    with acting(SYSTEM):
        assert Case.objects.filter(trace_id=draft).count() == 1
        assert Draft.objects.get(id=draft).submitted_at


def test_two_tabs_editing_the_same_page_do_not_overwrite_silently(visit):
    first = visit("official17")
    begin(first, "yb.insured_proof")
    url = first.url.rsplit("/", 1)[0] + "/service"
    first.goto(url)
    first.fill('[name="service.proof_from"]', "2024-01")
    first.fill('[name="service.proof_to"]', "2024-06")
    second = first.context.new_page()
    first.click("text=保存并继续")
    first.wait_for_url("**/check*")
    first.goto(url)
    second.goto(url)
    first.fill('[name="service.proof_to"]', "2024-07")
    first.click("text=保存并继续")
    first.wait_for_url("**/check*")
    second.fill('[name="service.proof_to"]', "2024-08")
    second.click("text=保存并继续")
    assert "另一个页面刚刚改过" in second.inner_text("main")
    assert second.input_value('[name="service.proof_to"]') == "2024-08"


def test_decision_on_a_case_withdrawn_a_second_ago(visit, become):
    """The clerk's page is open; the applicant withdraws; the clerk's decision has no effect and says why."""
    with acting(SYSTEM):
        case = Case.objects.filter(ref="ws.birth_cert", phase="open").exclude(subject_name="王秀兰").first()
        owner = case.subject_id
    clerk = visit("official10")
    clerk.goto(f"/desk/cases/{case.id}")
    from yiwang.kernel.access.contracts import Actor

    applicant = Actor("申请人", new_id(), owner)
    with acting(applicant):
        actions.withdraw(applicant, case.parent_id, "改主意了", new_id())

    def withdrawn():  # the worker takes the bundle's children back
        with acting(SYSTEM):
            return Case.objects.get(id=case.id).result == "withdrawn"

    until(withdrawn)
    clerk.fill("textarea[name=reason] >> nth=0", "这段意见写了很久")
    clerk.click(".desk__act button:has-text('确定') >> nth=0")
    assert "已撤回" in clerk.inner_text("main")
    with acting(SYSTEM):
        case.refresh_from_db()
        assert case.result == "withdrawn"
        assert not case.events.filter(type="completed").exists()


def test_database_gone_for_ten_seconds(visit):
    """PostgreSQL is killed; the page keeps what was typed; ten seconds later the same press succeeds."""
    page = visit("official15")
    begin(page, "yb.insured_proof")
    page.goto(page.url.rsplit("/", 1)[0] + "/service")
    page.fill('[name="service.proof_from"]', "2023-01")
    page.fill('[name="service.proof_to"]', "2023-12")
    postmaster = int((PRODUCT.var / "postgres/postmaster.pid").read_text().splitlines()[0])
    PRODUCT.process.send_signal(signal.SIGSTOP)  # or it would bring the database back within a second
    try:
        os.kill(postmaster, signal.SIGKILL)
        time.sleep(2)  # its sessions notice and go
        with page.expect_navigation():
            page.click("text=保存并继续")
        assert "系统正在恢复" in page.inner_text("main")
        assert "没有丢" in page.inner_text("main")
        assert everywhere(page) == []
        page.set_viewport_size({"width": 360, "height": 780})
        assert everywhere(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        elder = visit()
        elder.context.add_cookies([{"name": "mode", "value": "elder", "url": PRODUCT.url}])
        elder.goto("/")
        assert "系统正在恢复" in elder.inner_text("main")
        assert everywhere(elder) == []
        time.sleep(8)
    finally:
        PRODUCT.process.send_signal(signal.SIGCONT)

    def back():
        try:
            with psycopg.connect(embedded.url(PRODUCT.var / "postgres", embedded.OWNER), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    until(back, 60)
    page.click("text=再试一次")
    page.wait_for_url("**/check*", timeout=30000)
    assert "2023-01" in page.inner_text("main")
    connection.close()  # this process's own, which died with the server
    PRODUCT.settle()


def test_an_overlay_that_loosens_is_refused_and_one_that_tightens_sets_the_due_date(tmp_path):
    """L7: a county may only be faster; the case remembers under which overlay it was filed."""
    import shutil

    shutil.copytree(ROOT / "packs", tmp_path / "packs")
    file = tmp_path / "packs/shandong/overlays/lixia.resident_join.yaml"
    file.write_text(file.read_text().replace("value: 0", "value: 9"))
    command = [sys.executable, "-m", "yiwang", "packs", "load", str(tmp_path / "packs")]
    run = subprocess.run(command, env=PRODUCT.env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "lixia.resident_join.yaml:9" in run.stdout
    assert "本级只许更快" in run.stdout
    assert "已装载的包保持不变" in run.stdout
    with acting(SYSTEM):
        here = Case.objects.filter(ref="yb.resident_join", org__region_id="370102").first()
        assert here.extra["overlay"] == "lixia.resident_join"
