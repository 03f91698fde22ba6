"""What an office owes because of a record is a case of its own: corrections, lines found faulty, classes of a run."""

from datetime import date, timedelta

from deliveries import HEADER, code, give, owner, row
from product import until
from test_corrections import in_everything
from test_enterprise import PENALTY, penalise, stored
from test_pages import everywhere

from yiwang.config.demo.enterprises import USCC
from yiwang.domains.enterprise import actions, running
from yiwang.domains.enterprise.models import Correction
from yiwang.domains.enterprise.risk.force import Standing
from yiwang.engines.cases import api as cases
from yiwang.engines.cases import queries as case_queries
from yiwang.engines.cases.models import Case
from yiwang.engines.hub import api as hub
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.notify.models import Message


def matters(ref, **data):
    with acting(SYSTEM):
        found = Case.objects.filter(kind="matter", ref=ref, **{f"data__{k}": v for k, v in data.items()})
        return list(found.order_by("submitted_at"))


def corrected(made):
    with acting(SYSTEM):
        return Correction.objects.get(id=made.id)


def asked(become, words):
    """A penalty of the demo's enterprise that it asks to have corrected, and the matter of that."""
    number = f"催办{code()}"
    penalise(USCC, number)
    boss = in_everything(become)
    with acting(boss):
        made = until(lambda: actions.ask(boss, "penalties", number, words), 30)
    (matter,) = until(lambda: matters("enterprise.correction", id=str(made.id)), 30)
    return number, made, matter


def test_a_request_for_correction_is_a_case_and_can_be_answered_there(visit, become):
    number, made, matter = asked(become, "决定书上的金额写错了")
    assert matter.org_id == made.org_id and matter.closed_at is None
    assert matter.due_at.astimezone().date() >= made.due_on - timedelta(days=1)
    clerk = visit("reporter")
    clerk.goto(f"/desk/cases/{matter.id}")
    text = clerk.inner_text("main")
    assert number in text and "决定书上的金额写错了" in text and "企业申请更正" in text
    assert clerk.locator("a:text-is('看这一行（记入账本）')").get_attribute("href").endswith(str(made.id))
    clerk.check("input[value=faulty]")
    clerk.fill("textarea[name=reason] >> nth=0", "错")
    with clerk.expect_navigation():
        clerk.click("button:text-is('确定')")
    # Too short for the enterprise to understand: it comes back and says so.
    second = until(lambda: [m for m in matters(matter.ref, id=str(made.id)) if not m.closed_at], 30)[0]
    assert "请写明核实的经过" in second.data["again"] and matter.number in second.data["again"]
    clerk.goto(f"/desk/cases/{second.id}")
    assert everywhere(clerk) == []
    clerk.check("input[value=faulty]")
    clerk.fill("textarea[name=reason] >> nth=0", "经核实，金额录错，已在系统改正")
    with clerk.expect_navigation():
        clerk.click("button:text-is('确定')")
    until(lambda: corrected(made).answered_at, 30)
    answered = corrected(made)
    assert answered.state == "faulty" and answered.answer == "经核实，金额录错，已在系统改正"
    assert answered.answered_by and answered.answered_by != SYSTEM.name
    with acting(SYSTEM):
        until(lambda: Message.objects.filter(body__contains="经核实，金额录错").exists(), 30)

    # Found faulty is not yet corrected: the line has to come anew, and saying so is not enough.
    (first,) = until(lambda: matters("enterprise.redeliver", id=str(made.id)), 30)
    clerk.goto(f"/desk/cases/{first.id}")
    assert clerk.locator("a:text-is('去报送')").count() == 1
    clerk.check("input[value=delivered]")
    with clerk.expect_navigation():
        clerk.click("button:text-is('确定')")
    again = until(lambda: [m for m in matters(first.ref, id=str(made.id)) if not m.closed_at], 30)[0]
    assert "没有收到" in again.data["again"]
    penalise(USCC, number, fine="0.5")
    until(lambda: all(m.closed_at for m in matters(first.ref, id=str(made.id))), 60)
    assert corrected(made).done_at is not None
    with acting(SYSTEM):
        assert case_queries.verify_chain(again.id) > 0


def test_an_answer_on_the_page_of_corrections_closes_the_case(visit, become):
    _number, made, matter = asked(become, "这张决定书不是我们的")
    desk = visit("reporter")
    desk.goto(f"/desk/corrections?at={made.id}")
    card = desk.locator("li.card", has_text="这张决定书不是我们的").first
    card.locator("textarea").fill("经核实，决定书送达无误")
    with desk.expect_navigation():
        card.locator("text=记录无误").click()
    until(lambda: all(m.closed_at for m in matters(matter.ref, id=str(made.id))), 30)
    desk.goto(f"/desk/cases/{matter.id}")
    text = desk.inner_text("main")
    assert "记录无误" in text and "经核实，决定书送达无误" in text
    assert matters("enterprise.redeliver", id=str(made.id)) == []


def many(rows, mark, withdrawn="否"):
    """Penalties with so many others that they are not graded one by one but by the run over all."""
    day = date.today() - timedelta(days=400)
    others = "".join(
        f"大批{n}{mark},{code()},示例公司,01,1,示例,示例,示例,,{day},示例,否\n"
        for n in range(hub.TOUCHED + 1)
    )
    recent = date.today() - timedelta(days=5)
    own = "".join(
        f"{number},{uscc},示例公司,02,2,示例,示例,更正后,0.7,{recent},示例,{withdrawn}\n"
        for number, uscc in rows
    )
    return give(PENALTY.strip() + ",是否撤销\n" + others + own, "大.csv", "penalties")


def test_a_large_delivery_settles_faulty_lines_too(become):
    """The line that was faulty is in it, and is no longer frozen."""
    number, made, _matter = asked(become, "处罚内容写错了，请更正")
    with acting(SYSTEM):
        actions.answer(SYSTEM, made.id, True, "内容确实写错，等更正")
    until(lambda: matters("enterprise.redeliver", id=str(made.id)), 30)
    assert many([(number, USCC)], number).counts["new"] > hub.TOUCHED
    until(lambda: corrected(made).done_at, 60)
    until(lambda: all(m.closed_at for m in matters("enterprise.redeliver", id=str(made.id))), 30)


def test_the_run_over_all_sends_somebody_and_calls_back():
    """What a run makes worse is looked into as well, the reasons with it; what it makes better no longer."""
    uscc = code()
    give(HEADER + row(uscc, "齐盛全评验证有限公司"))
    until(lambda: stored(uscc), 60)
    until(lambda: running.run(), 60)  # so that the next one is not the first
    numbers = [f"全评{n}{uscc}" for n in range(2)]
    many([(number, uscc) for number in numbers], uscc)
    until(lambda: running.run(), 60)  # the collector's own may be at it just now
    (one,) = until(lambda: matters("enterprise.check", uscc=uscc), 60)
    assert one.closed_at is None and numbers[0] in one.data["because"]
    assert one.data["grade"] == stored(uscc)[0]
    many([(number, uscc) for number in numbers], uscc + "撤", withdrawn="是")
    until(lambda: running.run(), 60)
    until(lambda: matters("enterprise.check", uscc=uscc)[0].closed_at, 60)
    assert stored(uscc)[0] == "A"


def test_a_run_has_the_worst_looked_into_and_no_more_than_somebody_can(monkeypatch):
    """What the pack says (``most``) holds for one run; those with an account here hear of it in any case."""
    told = []
    monkeypatch.setattr(running, "emit_on", lambda _con, _topic, body: told.append(body["uscc"]))
    waits = Standing("D", "A", date.today() + timedelta(days=10))
    most = next(p.data["most"]["value"] for p in cases.matters_for(running.NOTICE))
    codes = [code() for _ in range(most + 5)]
    with owner() as con:
        running._notice(con, [(n, uscc, waits) for n, uscc in enumerate([USCC, *codes])])
    assert told[:most] == codes[::-1][:most] and told[most:] == [USCC]
