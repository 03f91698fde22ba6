"""一企一档 and 信用风险分类 on the running product: found, read for a purpose, explained, corrected, graded anew."""

from datetime import date, timedelta

import pytest
from deliveries import HEADER, code, give, owner, row, serial
from django.db import ProgrammingError, connection
from product import PRODUCT, until
from test_items import ENTERPRISE, switch
from test_pages import MODES, violations

from yiwang.config.demo.enterprises import NAME, USCC
from yiwang.domains.enterprise import actions, bulk, link_actions, names, queries, regrading, running, tables
from yiwang.domains.enterprise.models import Correction, Link, Run
from yiwang.engines.hub import api as hub
from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.models import Entry
from yiwang.kernel.notify.models import Message

PURPOSE = "事中事后监管"
PENALTY = (
    "处罚决定书文号,统一社会信用代码,行政相对人名称,处罚类别,处罚程序,违法事实,处罚依据,处罚内容,"
    "罚款金额（万元）,处罚决定日期,处罚机关\n"
)


def stored(uscc):
    with owner() as con:
        return con.execute(
            "select grade, total, in_force, from_day from enterprise_grade where uscc = %s", [uscc]
        ).fetchone()


def penalise(uscc, no, kind="02", fine="1", day=None):
    day = day or date.today() - timedelta(days=3)
    text = f"{PENALTY}{no},{uscc},示例公司,{kind},2,示例,示例,示例,{fine},{day},示例\n"
    return give(text, "罚.csv", "penalties")


@pytest.fixture(scope="module")
def firm():
    """An enterprise of this module's own, with no record but its registration."""
    uscc = code()
    give(HEADER + row(uscc, "齐盛分级验证有限公司"))
    until(lambda: stored(uscc), 60)
    return uscc


@pytest.mark.plan("R20")
def test_a_new_penalty_changes_the_class_the_same_day_and_the_sampling_with_it(firm):
    assert stored(firm)[0] == "A"
    penalise(firm, f"验{firm}1")
    found = until(lambda: (g := stored(firm)) and g[1] > 0 and g, 30)
    assert found[:3] == ("B", 2000, "B")
    table = tables.current()
    assert table.of_class("B").percent > table.of_class("A").percent


def test_a_bad_class_is_announced_before_it_is_in_force(firm):
    penalise(firm, f"验{firm}2", "03", "")
    grade, _total, in_force, from_day = until(lambda: (g := stored(firm)) and g[3] and g, 30)
    assert (grade, in_force) == ("D", "B")
    assert from_day == date.today() + timedelta(days=tables.current().of_class("D").notice_days)


def test_all_at_once_says_what_one_by_one_said_today_and_on_any_past_day(firm):
    table, today = tables.current(), date.today()
    with hub.owner_connection() as con:
        for on in (today, today - timedelta(days=5)):
            db = bulk.grade_all(con, table, on, "infinity", PRODUCT.var / "lake", only=firm)
            again = bulk.grade_all(con, table, on, "infinity", PRODUCT.var / "lake", only=firm)
            told = db.execute("select class, total from grades").fetchall()
            assert told == again.execute("select class, total from grades").fetchall()
            if on == today:
                assert told == [stored(firm)[:2]]
            else:
                assert told == [("A", 0)]  # neither decision had been made


def test_found_by_the_beginning_of_its_name_with_and_without_its_place(become):
    with acting(SYSTEM):
        until(lambda: names.search("泉味餐饮", PURPOSE), 90)
    with acting(become("credit")):
        for text in ("济南泉味餐饮", "泉味餐饮", USCC, USCC.lower(), "济南泉味餐饮有限公司(示例)"):
            assert (USCC, NAME) in [f[:2] for f in names.search(text, PURPOSE)]
        assert names.search("没有这样的企业", PURPOSE) == []
        assert names.search("'; drop table enterprise_name; --", PURPOSE) == []


def test_every_look_is_in_the_ledger_and_needs_a_purpose(become, firm):
    def entries():
        with acting(SYSTEM):
            return Entry.objects.count()

    before = entries()
    with acting(become("credit")):
        file = queries.file_of(become("credit"), firm, PURPOSE)
    assert file.grade.id == "D" and entries() >= before + 3
    for statement in ("enterprise_grade", "enterprise_gradechange", "enterprise_name"):
        with pytest.raises(ProgrammingError), acting(SYSTEM), connection.cursor() as cursor:
            cursor.execute(f"select * from {statement}")
    with pytest.raises(ProgrammingError), acting(SYSTEM), connection.cursor() as cursor:
        cursor.execute("select enterprise_grade_of(%s, %s, '', '', null)", [new_id(), firm])


@pytest.mark.plan("R20")
def test_an_official_finds_an_enterprise_and_reads_why_it_is_in_its_class(visit, firm):
    page = visit("credit")
    page.goto("/desk/enterprises?q=泉味餐饮")
    assert "请先选用途" in page.inner_text("main")
    page.goto("/desk/enterprises")
    page.fill("#q", "泉味餐饮")
    page.select_option("#purpose", PURPOSE)
    page.click("button:has-text('查')")
    assert violations(page) == []
    page.click(f"text={NAME}")
    text = page.inner_text("main")
    for part in (
        "信用风险分类",
        "历市监处罚〔示例〕1号",
        "行政处罚法",
        "质量分",
        "可以怎么做",
        "这次查看已记入账本",
    ):
        assert part in text
    assert page.locator("svg[role=img] rect").count() >= 2
    assert "谢博文" not in text  # the legal representative is masked and no part of the class
    assert violations(page) == []
    page.locator("table a").first.click()  # from a point to where it comes from
    page.wait_for_url("**/desk/data/indicators/risk_points/**")
    assert "来源文件" in page.inner_text("main") and "行政处罚信息" in page.inner_text("main")


@pytest.mark.parametrize("who", ["mother", "official10", "window"])
def test_others_find_no_file(visit, firm, who):
    page = visit(who)
    answer = page.goto(f"/desk/enterprises/{firm}?purpose={PURPOSE}")
    assert answer.status == 404 or "/accounts/login/" in page.url


@pytest.mark.parametrize("mode", MODES)
def test_the_enterprise_reads_its_own_file(visit, mode):
    size, name = MODES[mode]
    page = visit("boss", viewport=size)
    page.context.add_cookies([{"name": "mode", "value": name, "url": PRODUCT.url}])
    page.goto("/enterprise")
    assert "请先在“授权”里切换" in page.inner_text("main")
    switch(page, ENTERPRISE)
    page.goto("/enterprise")
    assert NAME in page.inner_text("h1") and "历市监处罚〔示例〕1号" in page.inner_text("main")
    assert violations(page) == []


@pytest.mark.plan("P34")
def test_a_line_is_disputed_frozen_and_answered(visit):
    until(lambda: (g := stored(USCC)) and g[1] > 0, 60)
    before = stored(USCC)[1]
    page = visit("boss")
    switch(page, ENTERPRISE)
    page.goto("/enterprise")
    line = page.locator("li.card:has(form)", has_text="历市监处罚〔示例〕1号").first  # the demo's own
    line.locator("summary").click()
    line.locator("textarea").fill("罚款已经撤销，见复议决定")
    line.locator("button").click()
    assert "核实期间这一行不计分" in page.inner_text("main")
    assert "有异议，核实中" in page.inner_text("main")
    until(lambda: stored(USCC)[1] < before, 30)
    desk = visit("reporter")
    desk.goto("/desk/corrections")
    assert "罚款已经撤销" in desk.inner_text("main") and violations(desk) == []
    card = desk.locator("li.card", has_text="罚款已经撤销")
    card.locator("textarea").fill("经核实，处罚决定仍然有效")
    with desk.expect_navigation():
        card.locator("text=记录无误").click()
    until(lambda: stored(USCC)[1] == before, 30)
    with acting(SYSTEM):
        made = Correction.objects.get(uscc=USCC, dataset="penalties", words__startswith="罚款已经撤销")
        assert made.state == "sound" and made.done_at
        until(lambda: Message.objects.filter(title="更正申请有了答复").exists(), 30)


def test_refusals_of_corrections_say_what_to_do(become):
    with acting(become("boss")), pytest.raises(Refused, match="切换到企业身份"):
        actions.ask(become("boss"), "penalties", "x", "哪里不对啊")
    with acting(become("reporter")), pytest.raises(Refused, match="没有找到"):
        actions.answer(become("reporter"), new_id(), True, "理由写在这里")


def test_a_new_enterprise_is_not_rated_and_its_file_says_so(visit):
    uscc = code()
    day = date.today() - timedelta(days=20)
    give(HEADER + f"{uscc},新设示例有限公司,1100,1,泉城路1号,370102,{day},{day}\n")
    until(lambda: (g := stored(uscc)) and g[0] == "", 30)
    page = visit("credit")
    page.goto(f"/desk/enterprises/{uscc}?purpose={PURPOSE}")
    assert "没有记录不等于不好" in page.inner_text("main")


def test_the_run_over_all_and_the_page_on_fairness(visit, firm):
    done = until(lambda: running.run(), 30)  # the collector's own may be at it just now
    assert done["enterprises"] > 200
    page = visit("official10")  # every official reads it
    page.goto("/desk/enterprises/fairness")
    text = page.inner_text("main")
    assert "行业门类" in text and "济南市历下区" in text and "少于 3 家的不显示" in text
    assert "注册资本" in text and "批发和零售业" in text
    ages = [
        t for t in page.locator("table").nth(2).locator("tbody td:first-child").all_inner_texts() if "年" in t
    ]
    assert ages == sorted(ages, key=lambda t: float(t.split()[1])) and len(ages) > 2
    assert violations(page) == []
    assert visit("mother").goto("/desk/enterprises/fairness").status == 404


def test_the_figures_on_fairness_follow_deliveries_that_are_graded_one_by_one(visit, firm):
    """A new enterprise counts without waiting for tomorrow's run."""

    def rated():
        with acting(SYSTEM):
            run = Run.objects.exclude(ended=None).order_by("-began").first()
            return sum(r["rated"] for r in run.counts["fairness"]["size"])

    until(lambda: running.run(), 30)
    before = rated()
    for n in range(3):
        give(HEADER + row(code(), f"公平示例{n}公司"))
    until(lambda: rated() > before, 120)


def link_of(state):
    def found():
        with acting(SYSTEM):
            return Link.objects.filter(state=state).order_by("-score").first()

    return until(found, 150)


def test_complaints_without_a_code_find_their_enterprise_and_lose_it_again(visit):
    """The demo's complaints: most have none. What the model accepted has more than a name to show."""
    link = link_of("accepted")
    assert not link.name_only and link.evidence and link.model
    with acting(SYSTEM):
        file = queries.file_of(SYSTEM, link.uscc, PURPOSE)
        assert link.key in {f.key for f in file.facts if "_link" in f.values}
    page = visit("credit")
    page.goto(f"/desk/enterprises/links?state=accepted&at={link.id}")
    assert link.uscc in page.inner_text("main") and violations(page) == []
    page.click("text=撤销关联")
    assert "已处理" in page.inner_text("main")
    with acting(SYSTEM):
        file = queries.file_of(SYSTEM, link.uscc, PURPOSE)
        assert link.key not in {f.key for f in file.facts}
    page.goto(f"/desk/enterprises/links?state=undone&at={link.id}")
    page.click('button[value="accept"]')
    assert "已处理" in page.inner_text("main")
    with acting(SYSTEM):  # what held until it was undone stays as it was
        assert Link.objects.get(id=link.id).state == "undone"
        assert Link.objects.get(key=link.key, uscc=link.uscc, state="accepted").accepted_at > link.accepted_at


def test_a_link_by_the_name_alone_is_for_a_person(become):
    with acting(SYSTEM):
        assert not Link.objects.filter(state="accepted", name_only=True, by="system").exists()
    with acting(become("reporter")), pytest.raises(Refused, match="信用监管岗"):
        link_actions.decide(become("reporter"), new_id(), "accept")


def test_linked_records_count_in_the_run_over_all_as_one_by_one():
    link = link_of("accepted")
    with acting(SYSTEM):
        one = regrading.regrade(link.uscc, "link")
    with hub.owner_connection() as con:
        db = bulk.grade_all(
            con, tables.current(), date.today(), "infinity", PRODUCT.var / "lake", only=link.uscc
        )
        assert db.execute("select class, total from grades").fetchall() == [(one.id, one.total)]


def test_a_telephone_or_a_house_with_the_brand_or_a_former_name_is_looked_at_by_a_person(visit, become):
    """Names cut short and former names, which the labelled records never show: a person sees them side by side."""
    one, two, mark = code(), code(), str(next(serial))
    head = HEADER.strip() + ",联系电话,曾用名\n"
    give(
        head
        + row(one, f"济南墨兰溪{mark}酒店管理有限公司", address=f"经七路{mark}号").strip()
        + f",0531-6{mark:0>7},\n"
        + row(two, f"济南赤峰谷{mark}商贸有限公司", address="纬二路9号").strip()
        + f",,济南云栖雾{mark}食品有限公司\n"
    )
    lines = (
        (f"GL1{mark}", f"墨兰溪{mark}", "别处路1号", f"0531-6{mark:0>7}"),
        (f"GL2{mark}", f"墨兰溪{mark}酒店", f"经七路{mark}号", ""),
        (f"GL3{mark}", f"云栖雾{mark}食品", "纬二路9号", ""),
        (f"GL4{mark}", f"毫不相干{mark}", "他处路3号", ""),
    )
    now = f"{date.today() - timedelta(days=2)} 09:00:00"
    text = "登记编号,类别,被诉方名称,被诉方地址,被诉方电话,事发区划,登记时间,问题类别,处理状态\n"
    text += "".join(f"{no},1,{n},{a},{p},370102,{now},价格,10\n" for no, n, a, p in lines)
    assert give(text, "投.csv", "complaints").counts["good"] == 4

    def found():
        with acting(SYSTEM):
            links = Link.objects.filter(dataset="complaints", key__in=[line[0] for line in lines])
            return {x.key: (x.uscc, x.state) for x in links}

    until(lambda: len(found()) >= 3, 150)
    told = found()
    assert {no: told[no][0] for no, *_rest in lines[:3]} == {
        lines[0][0]: one,
        lines[1][0]: one,
        lines[2][0]: two,
    }
    assert lines[3][0] not in told and all(state == "review" for _u, state in told.values())
    with acting(SYSTEM):
        link = Link.objects.get(key=lines[0][0])
    page = visit("credit")
    page.goto(f"/desk/enterprises/links?at={link.id}")
    text = page.inner_text("main")
    assert "电话相同" in text and "投诉举报信息" in text and lines[0][0] in text
    assert violations(page) == []


def test_a_number_read_off_a_licence_finds_the_enterprise(visit):
    """The name is wrong and the place is another; one number is of two enterprises and says nothing."""
    one, two, three, mark = code(), code(), code(), f"{next(serial):06d}"
    give(
        HEADER
        + "".join(
            row(c, f"济南{n}{mark}食品有限公司", address=f"许可路{n}号")
            for n, c in enumerate((one, two, three))
        )
    )
    head = "许可证编号,统一社会信用代码,企业名称,产品名称,生产地址,生产地区划,发证日期,有效期至,证件状态,发证机关\n"
    tail = "食品,糕点,许可路1号,370102,2025-04-01,2030-04-01,1,示例机关"
    assert (
        give(
            head + f"SC9{mark}A1,{one},{tail}\nSC1{mark}A0,{one},{tail}\n", "证.csv", "product_licences"
        ).counts["good"]
        == 2
    )
    permits = "许可决定文书号,统一社会信用代码,行政相对人名称,许可事项,许可类别,许可编号,许可决定日期,证件状态,许可机关\n"
    both = "".join(
        f"审{mark}{n},{c},食品公司,食品经营许可,1,JY{mark},2025-04-01,1,示例机关\n"
        for n, c in enumerate((two, three))
    )
    assert give(permits + both, "许.csv", "ent_permits").counts["good"] == 2
    now = f"{date.today() - timedelta(days=2)} 09:00:00"
    text = "登记编号,类别,被诉方名称,被诉方地址,被诉方许可证编号,事发区划,登记时间,问题类别,处理状态\n"
    lines = {f"XK1{mark}": f"ｓｃ9{mark} a1", f"XK2{mark}": f"JY{mark}"}
    text += "".join(f"{no},1,拐角那家店,不知道,{n},370102,{now},价格,10\n" for no, n in lines.items())
    assert give(text, "投.csv", "complaints").counts["good"] == 2

    def found():
        with acting(SYSTEM):
            return {x.key: x for x in Link.objects.filter(dataset="complaints", key__in=lines)}

    until(found, 150)
    told = found()
    assert set(told) == {f"XK1{mark}"} and told[f"XK1{mark}"].uscc == one
    link = told[f"XK1{mark}"]
    assert "许可证号相同" in link.evidence and not link.name_only
    page = visit("credit")
    page.goto(f"/desk/enterprises/links?state={link.state}&at={link.id}")
    assert "许可证号相同" in page.inner_text("main") and f"ｓｃ9{mark} a1" in page.inner_text("main")
