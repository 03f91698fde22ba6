"""画像 on the running product: three evaluations apart, a past day replayed, relations, sources that differ."""

from datetime import date, timedelta

import pytest
from deliveries import HEADER, code, give, owner, row
from django.db import ProgrammingError, connection
from playwright.sync_api import expect
from product import until
from test_enterprise import PENALTY, penalise, stored
from test_items import ENTERPRISE, switch
from test_pages import everywhere
from test_territory import deliver

from yiwang.config.demo.enterprises import NAME, USCC
from yiwang.domains.enterprise import actions, conflicts, queries, replay, tables
from yiwang.domains.enterprise.models import Conflict, Correction
from yiwang.domains.enterprise.portrait.facts import difference, said
from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.models import Entry
from yiwang.kernel.notify.models import Message
from yiwang.kernel.orgs.queries import responsible

PURPOSE = "事中事后监管"
PUBLIC = "统一社会信用代码,企业名称,评价机构,评价等级,评价日期,有效期至\n"
INDUSTRY = "统一社会信用代码,企业名称,评价机构,评价的行业,评价等级,评价日期,有效期至\n"
REPORT = "统一社会信用代码,企业名称,报告年度,年报状态,公示日期,通信地址\n"
SELLER = "平台名称,统一社会信用代码,平台内经营者名称,网店状态,核验日期\n"
RELATION = "统一社会信用代码,企业名称,关联企业统一社会信用代码,关联企业名称,关系种类,出资比例（%）,起始日期\n"
TODAY = date.today()


def day(n):
    return (TODAY - timedelta(days=n)).isoformat()


def firm(name):
    uscc = code()
    give(HEADER + row(uscc, name))
    until(lambda: stored(uscc), 60)
    return uscc


def open_file(page, uscc, more=""):
    page.goto(f"/desk/enterprises/{uscc}?purpose={PURPOSE}{more}")
    return page.inner_text("main")


def plain(text):
    return " ".join(text.split())


@pytest.mark.plan("R4")
def test_three_evaluations_come_in_and_make_a_class_that_explains_itself_and_can_be_objected_to(visit):
    """Records, and the results of two other bodies, arrive by collection; the demo's own enterprise objects."""
    uscc = firm("三种评价验证有限公司")
    penalise(uscc, f"三罚{uscc}")
    give(
        PUBLIC + f"{uscc},三种评价验证有限公司,信用中心（示例）,4,{day(30)},{day(-300)}\n",
        "公.csv",
        "public_credit",
    )
    give(
        INDUSTRY + f"{uscc},三种评价验证有限公司,行业主管（示例）,F52,C,{day(40)},{day(-300)}\n",
        "行.csv",
        "industry_credit",
    )
    assert (
        until(lambda: (g := stored(uscc)) and g[1] == 6000 and g, 60)[0] == "D"
    )  # 40×50% + 100×30% + 50×20%
    page = visit("credit")
    text = plain(open_file(page, uscc))
    for part in (
        "40 × 50% = 20.0", "100 × 30% = 30.0", "50 × 20% = 10.0", "20.0 + 30.0 + 10.0 = 60.0", "60 分起为 D",
        "信用中心（示例）", "行业主管（示例）", "差", "受到罚款、没收", "国办发〔2019〕35号", "行政处罚法",
    ):  # fmt: skip
        assert part in text, part
    assert everywhere(page) == []

    # The enterprise sees the same, and objects to a result.
    before = until(lambda: (g := stored(USCC)) and g[1] > 0 and g, 60)
    own = visit("boss")
    switch(own, ENTERPRISE)
    own.goto("/enterprise")
    assert "公共信用综合评价：50 分，计入 15.0" in plain(own.inner_text("main"))
    line = own.locator("li.card", has_text="公共信用综合评价结果").first
    line.locator("summary").click()
    line.locator("textarea").fill("评价用的是已撤销的处罚")
    with own.expect_navigation():
        line.locator("button").click()
    until(lambda: stored(USCC)[1] == before[1] - 1500, 30)
    own.goto("/enterprise")
    assert "有异议，冻结不计分" in own.inner_text("main") and "计入 0.0" in own.inner_text("main")
    with acting(SYSTEM):
        made = Correction.objects.get(uscc=USCC, dataset="public_credit")
        actions.answer(SYSTEM, made.id, False, "经核实，评价没有用那条处罚")
    until(lambda: stored(USCC)[1] == before[1], 30)


@pytest.fixture(scope="module")
def past():
    """An enterprise with ten days behind it: fined then, the fine withdrawn today."""
    uscc, no = firm("某日分类验证有限公司"), "旧罚1号"
    done = penalise(uscc, f"{no}{uscc}", day=TODAY - timedelta(days=12))
    until(lambda: stored(uscc)[1] == 2000, 30)
    with owner() as con:  # what happened so far happened ten days ago; registration 20
        con.execute(
            "update enterprise_gradechange set at = at - interval '20 days' where uscc = %s and total = 0",
            [uscc],
        )
        con.execute(
            "update enterprise_gradechange set at = at - interval '10 days' where uscc = %s and total > 0",
            [uscc],
        )
        first = con.execute("select _delivery from hub.ent_registration where uscc = %s", [uscc]).fetchone()
        back = "update hub_delivery set loaded_at = loaded_at - %s::interval where seq = %s"
        con.execute(back, ["20 days", first[0]])
        con.execute(back, ["10 days", done.seq])
        con.execute(
            "update enterprise_run set began = began - interval '30 days' "
            "where id = (select min(id) from enterprise_run)"
        )
    return uscc, f"{no}{uscc}"


def test_a_past_day_is_what_it_was_whatever_was_corrected_later(visit, become, past):
    uscc, no = past
    credit = become("credit")

    def told(n):
        with acting(credit):
            return replay.replay(credit, uscc, PURPOSE, TODAY - timedelta(days=n))

    before = told(5)
    assert (before.stored.grade, before.stored.total, before.stored.in_force) == ("B", 2000, "B")
    assert before.agrees and [p.key for p in before.then.points if p.counts] == [no]
    assert (told(15).stored.grade, told(15).stored.total, told(15).agrees) == ("A", 0, True)
    assert told(25).stored is None
    # The source corrects: it was a warning, of long ago, and somebody else's.
    give(f"{PENALTY}{no},{code()},别的公司,01,2,示例,示例,示例,,{day(12)},示例\n", "更正.csv", "penalties")
    until(lambda: stored(uscc)[1] == 0, 30)  # whose it was is graded anew as well
    after = told(5)
    assert after.stored == before.stored and after.then == before.then and after.agrees
    assert (after.now.id, after.now.total) == ("A", 0)  # with today's knowledge, and called so
    page = visit("credit")
    open_file(page, uscc)
    page.fill("#on", day(5))
    with page.expect_navigation():
        page.click("text=查那一天")
    text = plain(page.inner_text("main"))
    assert "实际的分类 B，20.0 分；当天生效的是 B 类" in text and "重放，结果相同" in text
    assert "用今天掌握的情况重算那一天" in text and "这不是当天的分类" in text and "A，0.0 分" in text
    assert everywhere(page) == []
    page.goto(f"/desk/enterprises/{uscc}?purpose={PURPOSE}&on=2999-01-01")
    assert "还没有到" in page.inner_text("main")
    page.goto(f"/desk/enterprises/{uscc}?purpose={PURPOSE}&on=昨天")
    assert "不是日期" in page.inner_text("main")


@pytest.mark.plan("R19")
def test_a_name_gives_the_whole_portrait(visit):
    """In how many milliseconds is what ``bench_file`` measures."""
    page = visit("credit")
    page.goto(f"/desk/enterprises?q=泉味餐饮&purpose={PURPOSE}")
    page.goto(f"/desk/enterprises?q=泉味餐饮&purpose={PURPOSE}")
    with page.expect_navigation():
        page.click(f"text={NAME}")
    sections = page.locator("main h2").all_inner_texts()
    assert sections == ["基本", "许可和证照", "信用风险分类", "某日的分类", "关系", "事件"]
    text = plain(page.inner_text("#relations >> xpath=.."))
    for part in ("出资企业", "60%", "25.5%", "对外投资", "100%", "分支机构", "（已结束）", "第"):
        assert part in text, part
    drawn = page.locator("svg[aria-label^=关系图]")
    assert (
        drawn.locator("rect").count() == 5 and drawn.locator("line").count() == 4
    )  # what is over is not drawn
    # Onward, and back from the other side.
    with page.expect_navigation():
        page.locator("#relations >> xpath=.. >> table a").first.click()
    assert NAME in plain(page.inner_text("#relations >> xpath=..")) and "对外投资" in page.inner_text("main")
    assert everywhere(page) == []


def test_relations_are_of_enterprises_only_and_leave_entries_for_both_sides(become):
    one, two = code(), code()
    person = "379901199003070126"
    done = give(
        RELATION + f"{one},甲公司,{two},乙公司,1,30,{day(9)}\n{one},甲公司,{person},张三,1,70,{day(9)}\n"
        f"{one},甲公司,{one},甲公司,1,70,{day(9)}\n", "系.csv", "ent_relations",
    )  # fmt: skip
    assert (done.counts["good"] == 1 and {m["row"] for m in done.messages} == {2, 3}) or done.counts[
        "good"
    ] == 1
    from yiwang.domains.enterprise.relations import relations_of

    with acting(SYSTEM):
        before = Entry.objects.count()
        (found,) = relations_of(one, PURPOSE, TODAY)
        assert (found.code, found.word, found.share, found.to) == (two, "出资企业", "30%", False)
        (back,) = relations_of(two, PURPOSE, TODAY)
        assert (back.code, back.word, back.to) == (one, "对外投资", True)
        assert Entry.objects.count() == before + 4  # both, each time


def at(uscc):
    with owner() as con:
        return {
            (fact, dataset): (kind, state, verdict)
            for fact, dataset, kind, state, verdict in con.execute(
                "select fact, dataset, kind, state, verdict from enterprise_conflict where uscc = %s", [uscc]
            ).fetchall()
        }


@pytest.mark.plan("E20")
def test_what_sources_say_differently_is_listed_decided_asked_for_and_over_when_corrected(visit, become):
    uscc = firm("冲突验证有限公司")
    line = f"{uscc},冲突验证股份公司,{TODAY.year - 1},1,{day(30)},泉城路1号\n"
    give(REPORT + line, "年.csv", "annual_reports")
    until(lambda: ("name", "annual_reports") in at(uscc), 30)
    assert at(uscc)["name", "annual_reports"] == ("newer", "open", "")  # others: what other tests delivered
    give(SELLER + f"网上商城（示例）,{uscc},冲突验证电商公司,1,{day(20)}\n", "网店.csv", "online_sellers")
    assessed = f"{uscc},冲突验证有限公司,行业主管（示例）,C14,A,{day(40)},{day(-300)}\n"
    give(INDUSTRY + assessed, "行.csv", "industry_credit")
    until(lambda: {("name", "online_sellers"), ("industry", "industry_credit")} <= set(at(uscc)), 30)
    page = visit("credit")
    page.goto("/desk/enterprises/conflicts")
    assert everywhere(page) == []
    for kind in ("统计数据", "行业数据", "政务数据", "社会数据"):
        assert kind in page.inner_text("main")
    page.goto("/desk/enterprises/conflicts?fact=name&kind=newer")
    card = page.locator("li.card", has_text="冲突验证股份公司")
    card.locator("summary").click()
    card.get_by_label("登记注册信息").check()
    card.locator("textarea").fill("以登记的名称为准")
    with page.expect_navigation():
        card.locator("button").click()
    expect(page.locator("main")).to_contain_text("前更正")
    assert at(uscc)[("name", "annual_reports")] == ("newer", "decided", "ent_registration")
    with acting(SYSTEM):
        made = Correction.objects.get(uscc=uscc)
        assert (
            made.dataset == "annual_reports"
            and not made.freezes
            and made.org is not None
            and made.due_on > TODAY
        )
        until(lambda: Message.objects.filter(body__contains=made.title).exists(), 30)
    file = plain(open_file(page, uscc))
    assert "有过争议，已裁决" in file and "冲突验证股份公司" in file and "等待更正" in file
    assert everywhere(page) == []
    assert stored(uscc)[1] == 0

    # Undone, decided again, and the source delivers what agrees.
    page.goto("/desk/enterprises/conflicts?state=decided&fact=name&kind=newer")
    card = page.locator("li.card", has_text="冲突验证有限公司")
    with page.expect_navigation():
        card.locator("button[value=undo]").click()
    assert at(uscc)[("name", "annual_reports")] == ("newer", "open", "")
    with acting(SYSTEM):
        assert Correction.objects.get(uscc=uscc).state == "withdrawn"
    credit = become("credit")
    with acting(SYSTEM):
        id = Conflict.objects.filter(state="open", fact="name", dataset="annual_reports").values_list(
            "id", flat=True
        )
        (mine,) = (r for r in conflicts.read(list(id)) if r["uscc"] == uscc)
    with acting(credit):
        conflicts.decide(credit, mine["id"], "ent_registration", "以登记的名称为准")
    give(REPORT + line.replace("股份公司", "有限公司"), "年.csv", "annual_reports")
    until(lambda: at(uscc)[("name", "annual_reports")][1] == "gone", 30)
    with acting(SYSTEM):
        assert {c.state for c in Correction.objects.filter(uscc=uscc)} == {"withdrawn", "done"}
    assert "有过争议" not in open_file(page, uscc)


def test_a_verdict_goes_to_who_brought_the_record_not_to_who_delivered_last(become, appoint):
    """Another county's office could not deliver it: its file may hold records of its own territory alone."""
    here, there = responsible("市场监管", "370211"), responsible("市场监管", "370212")
    appoint("reporter_370211", (here, ["reporter"]))
    appoint("reporter_370212", (there, ["reporter"]))
    own, by_system = code(), code()
    deliver("reporter_370211", "ent_registration", HEADER + row(own, "裁决归属验证有限公司", region="370211"))
    give(HEADER + row(by_system, "系统报送验证有限公司", region="370211"))
    last = deliver("reporter_370212", "ent_registration", HEADER + row(code(), region="370212"))
    assert last.state == "loaded" and last.org_id == there.id
    line = f",另一个名称有限公司,{TODAY.year - 1},1,{day(30)},泉城路1号\n"
    give(REPORT + own + line + by_system + line, "年.csv", "annual_reports")
    credit = become("credit")
    for uscc in (own, by_system):
        until(lambda u=uscc: ("name", "annual_reports") in at(u), 30)
        with owner() as con:
            text = "select id from enterprise_conflict where uscc = %s and fact = 'name' and dataset = 'annual_reports'"
            ((id,),) = con.execute(text, [uscc]).fetchall()
        with acting(credit):
            made = conflicts.decide(credit, id, "annual_reports", "年报的名称有变更通知书为证")
        assert (made.dataset, made.org_id) == ("ent_registration", here.id)


def test_refusals_of_verdicts(become):
    with acting(SYSTEM):
        id = Conflict.objects.filter(state="open").values_list("id", flat=True).first()
    credit, reporter = become("credit"), become("reporter")
    with acting(credit), pytest.raises(Refused, match="请选哪个来源"):
        conflicts.decide(credit, id, "nobody", "理由写在这里")
    with acting(credit), pytest.raises(Refused, match="为什么"):
        conflicts.decide(credit, id, "ent_registration", " ")
    with acting(credit), pytest.raises(Refused, match="没有裁决可以撤回"):
        conflicts.undo(credit, id)
    with acting(reporter), pytest.raises(Refused, match="信用监管岗"):
        conflicts.decide(reporter, id, "ent_registration", "理由写在这里")
    with pytest.raises(ProgrammingError), acting(credit), connection.cursor() as cursor:
        cursor.execute("select value from enterprise_conflict")
    with pytest.raises(ProgrammingError), acting(become("mother")), connection.cursor() as cursor:
        cursor.execute("select enterprise_conflicts_of(%s, null, %s, 'x', 'x', null)", [new_id(), USCC])


def test_found_for_all_at_once_is_what_each_file_says():
    """The statement against the comparison of one enterprise, over the demo's enterprises and this module's."""
    give(
        REPORT + f"{code()},没有登记的公司,{TODAY.year - 1},1,{day(30)},泉城路1号\n",
        "年.csv",
        "annual_reports",
    )
    conflicts.find()
    plan = tables.plan()
    with owner() as con:
        found = {
            (u, f, d): (k, v, o)
            for u, f, d, k, v, o in con.execute(
                "select uscc, fact, dataset, kind, value, other_value from enterprise_conflict where state <> 'gone'"
            ).fetchall()
        }
        codes = [c for (c,) in con.execute("select distinct uscc from hub.annual_reports").fetchall()]
    assert {k for k, _v, _o in found.values()} >= {"newer", "unknown"}
    expected, told = {}, set()
    some = sorted(codes)[:40] + [u for u, _f, _d in found][:40]
    with acting(SYSTEM):
        for uscc in dict.fromkeys(some):
            told.clear()
            file = queries.file_of(SYSTEM, uscc, PURPOSE)
            rows = {}
            for f in file.facts:
                if "_link" not in f.values:
                    rows.setdefault(f.dataset.id, []).append(f.values)
            for fact in plan.facts:
                ours = said(fact, fact.authority, rows.get(fact.authority.dataset.id, ()))
                for source in fact.others:
                    theirs = said(fact, source, rows.get(source.dataset.id, ()))
                    kind = difference(fact, source, ours, theirs)
                    first = source.dataset.id not in told
                    told.add(source.dataset.id)
                    if kind and (kind != "unknown" or first):
                        expected[uscc, fact.id, source.dataset.id] = (
                            kind, theirs.value if theirs else None, ours.value if ours else None,
                        )  # fmt: skip
    empty = {"tax_status"} if not exists("tax_status") else set()
    expected = {k: v for k, v in expected.items() if k[2] not in empty}
    assert {k: v for k, v in found.items() if k[0] in some} == expected


def exists(dataset):
    with owner() as con:
        there = con.execute("select to_regclass(%s)", [f"hub.{dataset}"]).fetchone() != (None,)
        return there and con.execute(f"select exists (select 1 from hub.{dataset})").fetchone() == (True,)


@pytest.mark.parametrize("who", ["mother", "official10", "reporter"])
def test_others_find_no_conflicts(visit, who):
    page = visit(who)
    answer = page.goto("/desk/enterprises/conflicts")
    assert answer.status == 404 or "/accounts/login/" in page.url
