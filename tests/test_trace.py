"""One record round the whole loop, followed on one page: 采集 → 判断 → 预警 → 办件 → 结果 → 采集 (plan G2)."""

import re
from datetime import date, timedelta

import pytest
from deliveries import HEADER, code, give, row
from product import until
from test_desk import apply
from test_enterprise import stored
from test_pages import everywhere
from test_portrait import PUBLIC

from yiwang.engines.cases.models import Case
from yiwang.engines.hub import datasets, queries
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting

NAME = "全链追溯验证有限公司"
STAGES = ("采集", "判断", "预警", "办件", "结果")


def on_page(page, stage):
    """How many lines of a stage the page shows."""
    told = page.locator(f".chain li:has(b:text-is('{stage}'))").inner_text()
    return int(re.search(r"\d+", told).group()) if "没有" not in told else 0


@pytest.mark.plan("G2")
def test_a_record_is_followed_from_its_delivery_to_the_result_that_is_data_again(visit):
    uscc = code()
    give(HEADER + row(uscc, NAME))
    until(lambda: stored(uscc), 60)
    ago, ahead = date.today() - timedelta(days=9), date.today() + timedelta(days=300)
    poor = give(f"{PUBLIC}{uscc},{NAME},信用中心（示例）,4,{ago},{ahead}\n", "公.csv", "public_credit")
    assert until(lambda: stored(uscc)[0] == "C", 60)

    def check():
        with acting(SYSTEM):
            return Case.objects.filter(kind="matter", ref="enterprise.check", data__uscc=uscc).first()

    matter = until(check, 60)
    assert matter.trace_id == poor.uid
    inspector = visit("official20")
    inspector.goto(f"/desk?q={matter.number}")
    with inspector.expect_navigation():
        inspector.click("a:has-text('信用风险核查')")
    assert NAME in inspector.inner_text("main")
    assert everywhere(inspector) == []
    inspector.check('[name="outcome"][value="corrected"]')
    inspector.fill("textarea[name=reason] >> nth=0", "台账不全，已责令三日内补齐（测试）")
    with inspector.expect_navigation():
        inspector.click("button:text-is('确定')")

    def written_back():
        with acting(SYSTEM):
            return queries.as_of(datasets.current("inspections"), {"inspection_no": matter.number})

    result = until(written_back, 60)
    assert (result["uscc"], result["result"], result["authority"]) == (uscc, "2", matter.org.name)
    assert until(lambda: stored(uscc)[1] > 3000, 60)  # what was found counts: the loop goes on

    steward = visit("steward")

    def whole():
        steward.goto(f"/desk/trace/{poor.uid}")
        return all(on_page(steward, stage) for stage in STAGES) and "继续" in steward.inner_text("main")

    until(whole, 30)
    text = steward.inner_text("main")
    for part in (
        "公共信用综合评价",
        "信用风险分类重算",
        "企业没有账号，由核查的人当面告知",
        "办理结果写回数据集：监督检查信息",
    ):
        assert part in text, part
    assert f"信用风险核查：交{matter.org.name}办理" in text
    assert matter.number not in text and "台账不全" not in text  # a steward handles no cases
    assert everywhere(steward) == []
    with steward.expect_navigation():
        steward.click("a:has-text('从这里继续')")
    until(lambda: steward.reload() and on_page(steward, "判断"), 30)
    assert "监督检查信息" in steward.inner_text("main")

    with inspector.expect_navigation():
        inspector.click("a:text-is('全链追溯')")
    assert "台账不全" not in inspector.inner_text(".chain") and matter.number in inspector.inner_text("main")
    stranger = visit("official16")  # another office, nothing to do with it
    assert stranger.goto(f"/desk/trace/{poor.uid}").status == 404


def test_an_application_is_followed_by_whoever_handles_it(visit):
    father, clerk = visit("father"), visit("official16")
    path, number = apply(father, "2005-01")
    with acting(SYSTEM):
        case = Case.objects.get(number=number)
    clerk.goto(f"/desk/trace/{case.trace_id}")
    text = clerk.inner_text("main")
    assert "开始填写" in text and "提交申请" in text
    assert "已记入账本" in text  # every register that was read for it
    assert path.endswith(str(case.id))
    steward = visit("steward")  # looks after data, not after people's applications
    assert steward.goto(f"/desk/trace/{case.trace_id}").status == 404
