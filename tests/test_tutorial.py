"""The tutorial, followed to the letter: files written, commands run, and a resident applies the same minute."""

import re
import shlex
import shutil
import subprocess
import sys

import pytest
from product import ROOT, until
from test_pages import everywhere, violations

TUTORIAL = ROOT / "docs/tutorial/publish-an-item.zh.md"
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.M | re.S)


def follow(root, env):
    """Do what each block says; returns the output of the commands."""
    said = []
    for language, words, body in BLOCK.findall(TUTORIAL.read_text()):
        options = dict(word.partition("=")[::2] for word in shlex.split(words))
        if language == "sh":
            for line in body.strip().splitlines():
                assert line.startswith("yiwang ")
                command = [sys.executable, "-m", "yiwang", *shlex.split(line)[1:]]
                run = subprocess.run(
                    command,
                    cwd=root,
                    env=env,
                    input=options.get("stdin"),
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert run.returncode == 0, f"{line}\n{run.stdout}{run.stderr}"
                said.append(run.stdout)
            continue
        file = root / options["file"]
        if "append" in options:
            file.write_text(file.read_text().rstrip("\n") + "\n" + body)
        elif "after" in options:
            text = file.read_text()
            line = "\n" + options["after"] + "\n"
            assert text.count(line) == 1
            file.write_text(text.replace(line, line + body))
        else:
            file.write_text(body)
    return said


@pytest.mark.plan("P11", "P27")
def test_a_clerk_publishes_an_item_without_code_and_a_resident_applies_the_same_minute(
    visit, product, tmp_path
):
    shutil.copytree(ROOT / "packs", tmp_path / "packs")
    env = {**product.env, "YIWANG_PACKS": str(tmp_path / "packs"), "PYTHONPATH": str(ROOT / "src")}
    try:
        said = follow(tmp_path, env)
        assert "可用：7 个节点，6 条连线" in said[0]
        assert "包检查通过" in said[1]
        elder = visit("elder")

        def found():
            elder.goto("/search?q=学书法")
            return elder.locator("a:has-text('公益培训班报名')").count()

        until(found, 20)
        elder.goto("/services/wl.training")
        assert violations(elder) == []
        assert "公共文化服务保障法" in elder.inner_text("main")
        elder.click("text=开始办理")
        elder.wait_for_url("**/apply/**")
        elder.goto(elder.url.rsplit("/", 1)[0] + "/service")
        elder.check('[name="service.training_class"][value="书法"]')
        elder.click("text=保存并继续")
        elder.wait_for_url("**/check*")
        elder.click("text=确认并提交")
        elder.wait_for_url("**/cases/**")
        path, number = elder.url.split("?")[0], elder.inner_text(".done b")
        clerk = visit()
        clerk.goto("/accounts/login/?next=/desk")
        clerk.fill("#id_login", "wenhua")
        clerk.fill("#id_password", "Wen-hua-guan-2026!")
        with clerk.expect_navigation():
            clerk.click("form[action='/accounts/login/'] button")
        clerk.locator(".inbox tr", has_text=number).locator("td > a").click()
        clerk.check('[name="outcome"][value="grant"]')
        clerk.click(".desk__act button:has-text('确定') >> nth=0")

        def arrived():
            elder.goto(path)
            return elder.locator("a:text-is('培训班报名凭证')").count()

        until(arrived, 30)
    finally:
        back = subprocess.run(
            [sys.executable, "-m", "yiwang", "packs", "load"], env=product.env, cwd=ROOT, check=False
        )
    assert back.returncode == 0
    # The item is gone, its case stays what it was filed as, also when cases are reported upwards.
    report = subprocess.run(
        [sys.executable, "-m", "yiwang", "report", "cases"],
        env=product.env, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    (line,) = [row for row in report.stdout.splitlines() if number in row]
    assert "370043001000" in line and number not in report.stderr


def test_in_the_browser_two_people_publish_and_one_cannot(visit, product):
    """Written, everything wrong shown with line and remedy, previewed, published by a second person only."""
    author, publisher = visit("author"), visit("publisher")
    assert visit("official16").goto("/packs").status == 404
    author.goto("/packs/write?copy=yb.insured_proof")
    original = author.input_value("#content")
    author.fill("#content", "kind: register\nid: x\n")
    author.click("text=保存并检查")
    assert "只能编写事项" in author.inner_text("main")
    assert author.input_value("#content").startswith("kind: register")  # nothing typed is lost
    author.fill("#content", original.replace("promised: {value: 0", "promised: {value: 3"))
    with author.expect_navigation():
        author.click("text=保存并检查")
    text = author.inner_text(".desk__act")
    assert "L8" in text  # promised longer than the law allows
    assert author.locator("text=提交审核").count() == 0
    author.fill(
        "#content", original.replace("name: 基本医疗保险参保凭证\n", "name: 基本医疗保险参保凭证（新版）\n")
    )
    with author.expect_navigation():
        author.click("text=保存并检查")
    text = author.inner_text(".desk__act")
    assert "检查通过" in text
    assert "参保凭证（新版）" in text
    assert "证明起始年月" in text
    assert everywhere(author) == []
    with author.expect_navigation():
        author.click("text=提交审核")
    assert author.locator("button:text-is('发布')").count() == 0
    address = author.url
    try:
        publisher.goto("/packs")
        assert everywhere(publisher) == []
        publisher.goto(address)
        assert everywhere(publisher) == []
        publisher.click("button:text-is('退回')")
        assert "退回请写明理由" in publisher.inner_text("main")
        with publisher.expect_navigation():
            publisher.click("button:text-is('发布')")
        assert "已发布" in publisher.inner_text("main")
        resident = visit()
        until(
            lambda: (
                resident.goto("/services/yb.insured_proof")
                and "参保凭证（新版）" in resident.inner_text("main h1")
            ),
            20,
        )
    finally:
        back = subprocess.run(
            [sys.executable, "-m", "yiwang", "packs", "load"], env=product.env, cwd=ROOT, check=False
        )
    assert back.returncode == 0
