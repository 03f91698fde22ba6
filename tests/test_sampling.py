"""抽查计划 on the running product: made from the classes in force, drawn by a fixed seed, recomputed by hand."""

import csv
import hashlib
import io
import re
from dataclasses import replace
from datetime import date, timedelta
from math import ceil

import pytest
from deliveries import code, give, owner
from django.db import ProgrammingError, connection
from playwright.sync_api import expect
from product import PRODUCT, until
from test_english import CHINESE
from test_enterprise import penalise, stored
from test_pages import MODES, everywhere, violations

from yiwang.domains.enterprise import tables
from yiwang.domains.enterprise.models import SamplingPlan
from yiwang.domains.enterprise.sampling import actions, queries
from yiwang.kernel.access.contracts import SYSTEM, Refused, Subject
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Enterprise
from yiwang.kernel.audit.models import AuditEvent
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger import queries as ledger
from yiwang.kernel.ledger.models import Entry
from yiwang.kernel.orgs.queries import responsible

PURPOSE = "事中事后监管"
HEADER = "统一社会信用代码,企业名称,类型,登记状态,住所,所在区划,成立日期,核准日期,行业代码\n"
INDUSTRY = "A04"  # nobody in the demo fishes: the scope is this module's own
NEXT = date.today().year + 1


@pytest.fixture(scope="module")
def fleet():
    """Twelve enterprises of an industry of their own, each in class A."""
    codes = [code() for _n in range(12)]
    rows = "".join(
        f"{c},抽签验证{n}号渔业有限公司,1100,1,泉城路1号,370102,2020-01-01,2026-03-02,{INDUSTRY}\n"
        for n, c in enumerate(codes)
    )
    give(HEADER + rows)
    until(lambda: all(stored(c) for c in codes), 60)
    return codes


def make(page, name, first=f"{NEXT}-01-01", last=f"{NEXT}-12-31"):
    page.goto("/desk/enterprises/sampling/new")
    page.fill("#name", name)
    page.select_option("#purpose", PURPOSE)
    page.fill("#first", first)
    page.fill("#last", last)
    page.locator("details", has_text="农、林、牧、渔业").locator("summary").first.click()
    page.check(f"#i{INDUSTRY}")
    with page.expect_navigation():
        page.click("text=固定底数，产生种子")
    assert "怎样得出" in page.inner_text("main"), page.inner_text("main")
    return page.url.rsplit("/", 1)[1]


def line(page, grade):
    """The cells of one class: in scope, percentage, arithmetic, drawn, times."""
    row = (
        page.locator("table", has_text="怎样得出")
        .locator("tbody tr")
        .filter(has=page.locator("th", has_text=grade))
    )
    return row.first.locator("td").all_inner_texts()


def draw(page):
    with page.expect_navigation():
        page.click("button[value=draw]")
    expect(page.locator("main")).to_contain_text("名单不能再改")


def lots(seed, codes):
    """The recipe of the page, by hand."""
    return sorted(codes, key=lambda c: hashlib.sha256(f"{seed}:{c}".encode()).hexdigest())


@pytest.mark.plan("R5")
def test_one_plan_gives_each_class_its_own_share_and_times_and_anyone_can_recount(visit, become, fleet):
    page, table = visit("credit"), tables.current()
    first = make(page, "渔业年度抽查")
    subjects, percent, sum_, wanted, _times, _digest = line(page, "A 信用")
    a = table.of_class("A")
    assert (subjects, wanted) == ("12", str(ceil(12 * a.percent / 100)))
    assert f"12 × {percent} = " in sum_ and "进一" in page.inner_text("main")
    assert violations(page) == []

    # A new penalty: another class, and in the next plan another share, explained on the page.
    for n, c in enumerate(fleet[:4]):
        penalise(c, f"渔罚{c}{n}")
    until(lambda: all(stored(c)[2] == "B" for c in fleet[:4]), 60)
    with owner() as con:  # two are in class D, its notice over
        con.execute(
            "update enterprise_grade set in_force = 'D', grade = 'D', total = 7000, from_day = null where uscc = any(%s)",
            [fleet[4:6]],
        )
    second = make(page, "渔业年度抽查（第二份）")
    assert [line(page, f"{g} 信用")[0] for g in "ABD"] == ["6", "4", "2"]
    shares = {g: table.of_class(g).percent for g in "ABCD"}
    assert shares["A"] < shares["B"] < shares["D"]
    assert line(page, "D 信用")[3:5] == [str(ceil(2 * shares["D"] / 100)), str(table.of_class("D").times)]
    page.goto(f"/desk/enterprises/sampling/{first}")
    assert line(page, "A 信用")[0] == "12"  # what was frozen stays

    page.goto(f"/desk/enterprises/sampling/{second}")
    seed = re.search(r"\b[0-9a-f]{32}\b", page.content())[0]
    draw(page)
    assert violations(page) == []
    with page.expect_download() as got:
        page.click("text=导出名单")
    rows = list(csv.reader(io.StringIO(got.value.path().read_text("utf-8-sig"))))[1:]
    assert {r[3][:4] for r in rows} == {"抽签验证"}
    frames = {"A": fleet[6:], "B": fleet[:4], "D": fleet[4:6]}
    for grade, codes in frames.items():
        mine = [r for r in rows if r[0] == grade]
        count = ceil(len(codes) * shares[grade] / 100)
        assert list(dict.fromkeys(r[2] for r in mine)) == lots(seed, codes)[:count]
        with page.expect_download() as got:
            page.evaluate(f"location.href = '/desk/enterprises/sampling/{second}/frame?grade={grade}'")
        assert got.value.path().read_text() == "\n".join(sorted(codes))
    credit = become("credit")
    with acting(credit):  # the page has it in parts, in the same order
        plan = queries.plan_of(second)
        parts = [d.uscc for part in ((0, 1), (1, 1), (2, None)) for d in queries.drawn(plan, *part)]
    assert len(parts) > 2 and parts == list(dict.fromkeys(r[2] for r in rows))
    of_d = [date.fromisoformat(r[6]) for r in rows if r[0] == "D"]
    assert len(set(of_d)) == 4
    assert of_d == sorted(of_d) and all(d.year == NEXT for d in of_d)


def test_what_was_drawn_stays_and_leaves_its_trace(visit, become, fleet):
    page = visit("credit")
    at = make(page, "只抽一次")
    draw(page)
    page.goto(f"/desk/enterprises/sampling/{at}")
    assert page.locator("button[value=draw]").count() == 0
    credit = become("credit")
    with acting(credit), pytest.raises(Refused, match="已抽取"):
        actions.draw(credit, at)
    for statement in (
        "update enterprise_sampled set place = 1", "delete from enterprise_sampled",
        "select * from enterprise_samplingframe", "select name from enterprise_sampled",
        "update enterprise_samplingplan set seed = 'x'", "update enterprise_samplingstratum set wanted = 0",
        f"select enterprise_sampling_draw(gen_random_uuid(), '{at}', '{{}}', 'x', 'x')",
    ):  # fmt: skip
        with pytest.raises(ProgrammingError), acting(SYSTEM), connection.cursor() as cursor:
            cursor.execute(statement)
    with acting(credit), connection.cursor() as cursor:
        cursor.execute("update enterprise_samplingplan set state = 'ready' where id = %s", [at])
        assert cursor.rowcount == 0
    with acting(SYSTEM):
        verbs = AuditEvent.objects.filter(object_id=at).values_list("verb", flat=True)
        assert set(verbs) == {"enterprise.sampling-planned", "enterprise.sampling-drawn"}


def test_each_look_at_the_lot_is_in_the_ledger_and_others_do_not_look(visit, become, appoint, fleet):
    page = visit("credit")
    at = make(page, "谁看过名单")
    draw(page)
    address = f"/desk/enterprises/sampling/{at}"
    with owner() as con:
        drawn = [c for (c,) in con.execute("select uscc from enterprise_sampled where plan_id = %s", [at])]
    assert drawn

    def entries(actor):
        """(use, from when it is seen), of the actor's looks at lots."""
        with acting(SYSTEM):
            found = Entry.objects.filter(
                use__actor=actor.label, use__source="enterprise.sampling", use__fields="drawn"
            )
            return list(found.values_list("use_id", "use__purpose", "visible_from"))

    credit = become("credit")
    before = entries(credit)
    page.goto(address)
    assert len(entries(credit)) == len(before) + len(drawn)
    with page.expect_download():
        page.click("text=导出名单")
    new = [e for e in entries(credit) if e not in before]
    assert len(new) == 2 * len(drawn) and len({use for use, *_rest in new}) == 2
    assert {(why, day) for _use, why, day in new} == {(PURPOSE, date(NEXT + 1, 1, 1))}
    # Who is drawn does not hear of it from the ledger before the visits are over.
    with acting(SYSTEM):
        firm, _new = Enterprise.objects.get_or_create(uscc=drawn[0], defaults={"name": "抽中的公司"})
    itself = replace(
        become("boss"), acting_for=Subject(firm.id, "enterprise", firm.name, frozenset({"admin"}))
    )
    with acting(itself):
        assert [e for e in ledger.uses_of(itself) if e.use.source == "enterprise.sampling"] == []

    city = appoint("credit_370100", (responsible("市场监管", "370100"), ["credit"]))
    above = visit("credit_370100")
    above.goto(address)
    assert "抽签验证" in above.inner_text("main") and len(entries(city)) == len(drawn)
    assert everywhere(above) == []

    stranger = appoint("credit_370302", (responsible("市场监管", "370302"), ["credit"]))
    other = visit("credit_370302")
    other.goto(address)
    assert "怎样得出" in other.inner_text("main") and "名单只由" in other.inner_text("main")
    assert "抽签验证" not in other.content() and [c for c in fleet if c in other.content()] == []
    assert everywhere(other) == []
    for part in ("list", "frame?grade=A"):
        assert other.request.get(f"{PRODUCT.url}{address}/{part}").status in (403, 404)
    reads = "select * from enterprise_sampling_drawn(%s, %s, 0, null, 'x', 'x')"
    with (
        pytest.raises(ProgrammingError, match="not for you"),
        acting(stranger),
        connection.cursor() as cursor,
    ):
        cursor.execute(reads, [new_id(), at])
    assert entries(stranger) == []


def test_a_plan_given_up_stays_with_its_reason(visit):
    page = visit("credit")
    at = make(page, "不抽了的计划")
    page.locator("summary", has_text="作废这个计划").click()
    page.fill("#why", "与省里的抽查重复")
    with page.expect_navigation():
        page.click("button[value=drop]")
    page.goto("/desk/enterprises/sampling")
    assert "与省里的抽查重复" in page.inner_text("main")
    with acting(SYSTEM):
        assert SamplingPlan.objects.get(id=at).state == "dropped"


def test_refusals_say_what_to_do(visit, become):
    page = visit("credit")
    page.goto("/desk/enterprises/sampling/new")
    page.fill("#name", "倒着的")
    page.select_option("#purpose", PURPOSE)
    page.fill("#first", f"{NEXT}-06-01")
    page.fill("#last", f"{NEXT}-05-01")
    with page.expect_navigation():
        page.click("text=固定底数，产生种子")
    assert "截止日不能早于开始日" in page.inner_text("main") and violations(page) == []
    credit = become("credit")
    (org,) = (o for o, roles in credit.posts.items() if "credit" in roles)
    told = {
        "name": "试试看",
        "purpose": PURPOSE,
        "org": org,
        "first": date(NEXT, 1, 1),
        "last": date(NEXT, 12, 31),
    }
    for change, says in (
        ({"regions": ("370202",)}, "不归您单位"), ({"industries": ("x' or",)}, "不在行业分类里"),
        ({"purpose": "好奇"}, "不向用途"), ({"last": date(NEXT + 1, 6, 1)}, "最长"), ({"name": " "}, "名称"),
        ({"first": date.today() - timedelta(days=1), "last": date.today()}, "已经过去"),
    ):  # fmt: skip
        with acting(credit), pytest.raises(Refused, match=says):
            actions.plan(credit, actions.Wish(**told | change))
    reporter = become("reporter")
    with acting(reporter), pytest.raises(Refused, match="信用监管岗"):
        actions.plan(reporter, actions.Wish(**told))


def test_all_faults_of_the_form_at_once_and_what_was_typed_stays(visit):
    page = visit("credit")
    page.goto("/desk/enterprises/sampling/new")
    offered = page.locator("#purpose option").all_inner_texts()
    assert PURPOSE in offered and "办理政务服务事项" not in offered and "数据管理" not in offered
    page.fill("#name", "渔")
    page.fill("#first", f"{NEXT}-06-01")
    page.fill("#last", f"{NEXT}-05-01")
    page.locator("details", has_text="农、林、牧、渔业").locator("summary").first.click()
    page.check(f"#i{INDUSTRY}")
    with page.expect_navigation():
        page.click("text=固定底数，产生种子")
    told = page.locator(".errs li").all_inner_texts()
    assert len(told) == 3 and "名称" in told[0] and "用途" in told[1] and "截止日不能早于开始日" in told[2]
    assert page.input_value("#name") == "渔" and page.input_value("#first") == f"{NEXT}-06-01"
    assert page.is_checked(f"#i{INDUSTRY}") and page.locator(f"#i{INDUSTRY}").is_visible()
    assert violations(page) == []


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_everybody_sees_what_binds_the_office_and_recounts_when_the_visits_are_over(visit, fleet):
    office = visit("credit")
    at = make(office, "公开重算")
    page = visit(None)
    assert page.goto(f"/sampling/{at}").status == 404  # nothing is drawn yet
    seed = re.search(r"\b[0-9a-f]{32}\b", office.content())[0]
    draw(office)
    page.goto("/sampling")
    with page.expect_navigation():
        page.click("text=公开重算")
    before = page.content()
    assert "检查不事先通知" in before and sha(seed) in before
    assert seed not in before and not any(c in before for c in fleet)
    assert violations(page) == []
    for part in ("frame?grade=A", "lot"):
        assert page.goto(f"/sampling/{at}/{part}").status == 404
    with owner() as con:  # as if the period were over
        con.execute("update enterprise_samplingplan set last = current_date - 1 where id = %s", [at])
        drawn = con.execute("select uscc, days from enterprise_sampled where plan_id = %s", [at]).fetchall()
    page.goto(f"/sampling/{at}")
    assert seed in page.content() and violations(page) == []
    lot = page.request.get(f"{PRODUCT.url}/sampling/{at}/lot").text()
    assert sha(f"{seed}\n{lot}") in before  # announced before, laid open now
    assert lot.split("\n") == sorted(f"{c},{' '.join(map(str, days))}" for c, days in drawn)
    assert page.goto(f"/sampling/{at}/frame?grade=A").status == 404  # nobody's class is public
    page.goto(f"/sampling/{at}")
    for grade in "ABD":  # officials recount from what the public was shown the digest of
        text = office.request.get(f"{PRODUCT.url}/desk/enterprises/sampling/{at}/frame?grade={grade}").text()
        assert text == "" or sha(f"{seed}\n{sha(text)}") in before
    with page.expect_navigation():
        page.click("button:text-is('English')")
    assert (
        "How to recount" in page.inner_text("main")
        and page.evaluate(CHINESE) == []
        and violations(page) == []
    )


@pytest.mark.parametrize("who", ["mother", "official10", "reporter"])
def test_others_find_no_plans(visit, who):
    page = visit(who)
    for address in ("sampling", "sampling/new"):
        answer = page.goto(f"/desk/enterprises/{address}")
        assert answer.status == 404 or "/accounts/login/" in page.url


@pytest.mark.parametrize("mode", MODES)
def test_plans_read_well_everywhere(visit, mode):
    size, name = MODES[mode]
    page = visit("credit", viewport=size)
    page.context.add_cookies([{"name": "mode", "value": name, "url": PRODUCT.url}])
    with acting(SYSTEM):
        ids = list(SamplingPlan.objects.values_list("id", flat=True)[:2])
    for address in ("sampling", "sampling/new", *(f"sampling/{i}" for i in ids)):
        page.goto(f"/desk/enterprises/{address}")
        assert violations(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
