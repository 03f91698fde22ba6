"""Who may see and dispute an enterprise's lines, how often, and what follows when a class gets better again."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from deliveries import HEADER, code, give, row
from django.utils import timezone
from product import until
from test_enterprise import PENALTY, penalise, stored
from test_items import ENTERPRISE, switch
from test_pages import everywhere

from yiwang.config.demo.enterprises import USCC
from yiwang.domains.enterprise import actions, queries, tables
from yiwang.domains.enterprise.models import Correction
from yiwang.engines.cases.models import Case
from yiwang.kernel.access.contracts import SYSTEM, Refused, Subject
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Enterprise
from yiwang.kernel.audit.models import AuditEvent
from yiwang.kernel.ledger import queries as ledger
from yiwang.kernel.orgs.queries import responsible


def graded(purpose):
    with acting(SYSTEM):
        file = queries.file_of(SYSTEM, USCC, purpose)
    return file.grade.id, file.grade.total


def test_a_class_is_read_only_for_purposes_under_which_nothing_is_left_out():
    table = tables.current()
    assert set(tables.allowed_purposes()) < set(table.subjects.purposes)
    for purpose in tables.allowed_purposes():
        assert all(purpose in d.purposes for d in table.datasets.values())
        until(lambda p=purpose: graded(p) == stored(USCC)[:2], 90)  # once the demo's deliveries are graded


def in_everything(become):
    """The demo's boss, acting for his enterprise in everything."""
    boss = become("boss")
    with acting(SYSTEM):
        own = Enterprise.objects.get(uscc=USCC)
    return replace(boss, acting_for=Subject(own.id, "enterprise", own.name, frozenset({"handler"})))


def test_a_mandate_for_one_service_opens_no_file(become):
    whole = in_everything(become)
    some = replace(whole, acting_for=replace(whole.acting_for, scope=frozenset({"sd.bank_account"})))
    with acting(whole):
        assert actions.enterprise_of(whole).uscc == USCC and ledger.lines_of(whole).exists()
    with acting(some):
        assert actions.enterprise_of(some) is None
        assert not ledger.lines_of(some).exists()  # nor who looked at it
        with pytest.raises(Refused, match="只能办某些事项"):
            actions.ask(some, "penalties", "x", "哪里不对啊")


def test_an_answered_line_freezes_no_second_time_and_what_is_typed_is_kept(visit):
    number = f"异议{code()}"
    penalise(USCC, number)
    own = visit("boss")
    switch(own, ENTERPRISE)

    def line():
        own.goto("/enterprise")
        return own.locator("li.card", has_text=number).first

    until(lambda: line().count(), 30)
    line().locator("summary").click()
    own.locator("li.card", has_text=number).locator("textarea").fill("错了")
    with own.expect_navigation():
        own.locator("li.card", has_text=number).locator("button").click()
    assert "请写明这一行哪里不对" in own.inner_text("main")
    assert own.locator("li.card", has_text=number).locator("textarea").input_value() == "错了"
    own.locator("li.card", has_text=number).locator("textarea").fill("决定书不是给我们的")
    with own.expect_navigation():
        own.locator("li.card", has_text=number).locator("button").click()
    assert "我提出的更正" in own.inner_text("main") and everywhere(own) == []

    desk = visit("reporter")
    desk.goto("/desk/corrections")
    card = desk.locator("li.card", has_text="决定书不是给我们的")
    assert "处罚内容" not in card.inner_text()  # a look at the line leaves an entry, so it is asked for
    with desk.expect_navigation():
        card.locator("text=看这一行").click()
    card = desk.locator("li.card", has_text="决定书不是给我们的")
    assert "处罚内容" in card.inner_text()
    card.locator("textarea").fill("对")
    with desk.expect_navigation():
        card.locator("text=记录无误").click()
    card = desk.locator("li.card", has_text="决定书不是给我们的")
    assert "请写明核实的经过" in card.inner_text() and card.locator("textarea").input_value() == "对"
    card.locator("textarea").fill("经核实，决定书确是给该企业的")
    with desk.expect_navigation():
        card.locator("text=记录无误").click()
    assert everywhere(desk) == []

    assert "行政复议" in line().inner_text() and line().locator("form").count() == 0
    token = own.locator("[name=csrfmiddlewaretoken]").first.input_value()
    again = {"dataset": "penalties", "key": number, "words": "再提一次看看", "csrfmiddlewaretoken": token}
    answer = own.request.post("/enterprise/correct", form=again, headers={"Referer": own.url})
    assert answer.status == 422 and "已经答复过" in answer.text()
    with acting(SYSTEM):
        assert Correction.objects.filter(key=number).count() == 1
    official = visit("official20")  # a post in the same office, but not one of these
    official.goto("/desk/corrections")
    assert number not in official.inner_text("main")


def test_a_class_that_is_better_again_closes_what_it_opened():
    """Two penalties make the class worse, the source withdraws one: nobody has to go and look any more."""
    uscc = code()
    give(HEADER + row(uscc, "齐盛好转验证有限公司"))
    until(lambda: stored(uscc), 60)
    numbers = [f"好转{n}{uscc}" for n in range(2)]
    for number in numbers:
        penalise(uscc, number, day=date.today() - timedelta(days=5))

    def matter():
        with acting(SYSTEM):
            return list(Case.objects.filter(kind="matter", ref="enterprise.check", data__uscc=uscc))

    (one,) = until(matter, 60)
    assert one.data["address"] == "泉城路1号" and numbers[0] in one.data["because"]
    assert "当面告知" in one.data["told"]
    with acting(SYSTEM):
        assert AuditEvent.objects.filter(verb="enterprise.unreached", object_id=uscc).exists()
    head = PENALTY.strip() + ",是否撤销\n"
    gone = "".join(
        f"{n},{uscc},示例公司,02,2,示例,示例,示例,1,{date.today() - timedelta(days=5)},示例,是\n"
        for n in numbers
    )
    assert give(head + gone, "撤.csv", "penalties").counts["withdrawn"] == 2
    until(lambda: all(m.closed_at for m in matter()), 60)
    assert stored(uscc)[0] == "A" and len(matter()) == 1


def requests(office, *titles, state="open", due=3, done=None):
    """Requests for correction to an office, as verdicts make them: the first is due, or was done, the latest."""
    now = timezone.now()
    told = {
        "dataset": "penalties", "words": "与登记不一致", "org": office, "asked_by": "system", "delivery": 0,
        "freezes": False, "state": state, "answer": "" if state == "open" else "已核实",
        "answered_at": None if state == "open" else now,
    }  # fmt: skip
    with acting(SYSTEM):
        return Correction.objects.bulk_create(
            Correction(
                uscc=code(), key=title, title=title, due_on=timezone.localdate() + timedelta(days=due - n),
                done_at=now - timedelta(minutes=n) if done else None, **told,
            )
            for n, title in enumerate(titles)
        )  # fmt: skip


def test_what_is_open_stands_before_any_number_of_answered_ones_and_a_link_shows_its_own(visit, appoint):
    office = responsible("市场监管", "370203")
    appoint("answers_370203", (office, ["credit"]))
    *_some, oldest = requests(office, *(f"答过{n}" for n in range(205)), state="sound", done=True)
    requests(office, "等重报", state="faulty")
    requests(office, "后到期", "先到期")
    page = visit("answers_370203")

    def titles():
        return page.locator("li.card h2").all_inner_texts()

    page.goto("/desk/corrections")
    assert titles()[:5] == ["先到期", "后到期", "等重报", "答过0", "答过1"] and len(titles()) == 200
    page.goto(f"/desk/corrections?at={oldest.id}")
    assert titles()[:2] == ["答过204", "先到期"]
    (last,) = requests(office, "最后到期", due=99)
    requests(office, *(f"催办{n}" for n in range(205)), due=90)
    page.goto("/desk/corrections")
    assert "最后到期" not in titles()
    page.goto(f"/desk/corrections?at={last.id}")
    assert titles()[0] == "最后到期" and everywhere(page) == []
    card = page.locator("li.card", has_text="最后到期").first
    card.locator("textarea").fill("对")
    with page.expect_navigation() as answer:
        card.locator("text=记录无误").click()
    card = page.locator("li.card", has_text="最后到期").first
    assert answer.value.status == 422 and card.locator("textarea").input_value() == "对"
    card.locator("textarea").fill("经核实，登记的名称没有错")
    with page.expect_navigation():
        card.locator("text=记录无误").click()
    with acting(SYSTEM):
        assert Correction.objects.get(id=last.id).state == "sound"
        (other,) = requests(responsible("市场监管", "370202"), "别的单位的")
    token = page.locator("[name=csrfmiddlewaretoken]").first.input_value()
    form = {"answer": "不归我答复的", "faulty": "false", "csrfmiddlewaretoken": token}
    sent = page.request.post(f"/desk/corrections/{other.id}", form=form, headers={"Referer": page.url})
    assert sent.status == 404
    for at in (other.id, "x"):
        assert page.goto(f"/desk/corrections?at={at}").status == 200 and "别的单位的" not in titles()
