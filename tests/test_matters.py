"""内部事项: what nobody applies for is a case of the office that must act."""

from deliveries import HEADER, code, done, give, moment, owner, sample, serial
from django.utils import timezone
from playwright.sync_api import expect
from product import until
from test_pages import everywhere

from yiwang.engines.cases import actions
from yiwang.engines.cases import queries as case_queries
from yiwang.engines.cases.models import Case
from yiwang.engines.hub import api as hub
from yiwang.engines.hub import datasets, reminding
from yiwang.engines.hub.contracts import Mode
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.events.api import emit
from yiwang.kernel.events.models import OutboxEvent
from yiwang.kernel.ids import new_id


def test_what_did_not_come_is_a_case_until_it_is_explained_or_comes(visit, become):
    (office,) = become("reporter").posts  # other offices are asked for it as well

    def asked_for(dataset, due):
        """The reporting office's case about a due day that nobody else asks for."""
        body = {"dataset": dataset.id, "name": dataset.name, "department": dataset.department}
        with acting(SYSTEM):
            emit("hub.overdue", {**body, "due": moment(due).isoformat(), "latest": None})
        return until(lambda: open_case(dataset, due), 30)

    def open_case(dataset, due):
        with acting(SYSTEM):
            found = Case.objects.filter(kind="matter", ref="data.overdue", data__id=dataset.id)
            return found.filter(data__due=f"2026-{due}", org=office).first()

    licences, inspections = datasets.current("product_licences"), datasets.current("inspections")
    explained = asked_for(licences, "04-01")
    clerk = visit("reporter")
    clerk.goto(f"/desk?q={explained.number}")
    with clerk.expect_navigation():
        clerk.click("tr:has-text('生产许可信息') a:has-text('数据催报')")
    assert "还没有收到过" in clerk.inner_text("main")
    assert clerk.locator("a:text-is('去报送')").count() == 1
    assert everywhere(clerk) == []
    with clerk.expect_navigation():
        clerk.click("button:text-is('确定')")
    assert "请写明理由" in clerk.inner_text("main")
    clerk.fill("textarea[name=reason] >> nth=0", "本周没有新发的证（测试）")
    with clerk.expect_navigation():
        clerk.click("button:text-is('确定')")
    assert "已办结" in clerk.inner_text("main")
    late = asked_for(inspections, "04-02")
    assert late.closed_at is None and late.due_at > late.submitted_at
    head, line = sample(inspections, inspection_no="JC-test-0001", uscc=code())
    assert give(head + line, dataset="inspections").state == "loaded"
    until(lambda: open_case(inspections, "04-02").closed_at, 30)
    clerk.goto(f"/desk/cases/{late.id}")
    assert "数据已经收到" in clerk.inner_text("main")  # the system closed it, and says why
    with clerk.expect_navigation():
        clerk.click("a:text-is('全链追溯')")
    assert "系统开出" in clerk.inner_text("main")
    assert everywhere(clerk) == []
    with acting(SYSTEM):
        assert case_queries.verify_chain(late.id) > 0
        assert not case_queries.replayed(late.id).tokens


def close(case, outcome, reason):
    with acting(SYSTEM):
        token = case.tokens.get(kind="user")
        actions.complete(SYSTEM, case.id, token.id, outcome, reason, new_id())


def test_nothing_new_is_said_with_a_button_and_what_was_said_is_looked_at(visit):
    """已报送 without a delivery is asked again; 本期没有数据 counts until the next cycle; a button says the same."""
    dataset = datasets.current("ent_relations")
    until(lambda: not hub.line(dataset).overdue, 60)
    with owner() as con:  # what time alone would do
        con.execute(
            "update hub_holding set latest_as_of = latest_as_of - interval '2 years' where dataset = %s",
            [dataset.id],
        )
        before = con.execute("select count(*) from hub_quality where dataset = %s", [dataset.id]).fetchone()

    def asked():
        with acting(SYSTEM):
            found = Case.objects.filter(kind="matter", ref="data.overdue", data__id=dataset.id)
            return list(found.filter(closed_at=None).order_by("submitted_at"))

    reminding.remind()
    (first, *others) = until(asked, 30)
    for one in others:  # other offices that report it
        close(one, "delivered", "由另一单位报")
    until(lambda: len(asked()) == 1 + len(others), 30)
    close(first, "delivered", "已经报过了")
    second = until(
        lambda: [c for c in asked() if c.org_id == first.org_id and "平台没有收到" in c.data["latest"]], 30
    )[0]
    close(second, "explain", "本期没有变化")
    until(lambda: not hub.line(dataset).overdue and not asked(), 60)  # those of other offices too
    with owner() as con:
        after = con.execute("select count(*) from hub_quality where dataset = %s", [dataset.id]).fetchone()
    assert after == before  # nothing came, so nothing is judged

    clerk = visit("reporter")
    clerk.goto("/desk/hub/product_licences/upload")
    with clerk.expect_navigation():
        clerk.click("button:text-is('本期没有变化')")
    expect(clerk.locator("main")).to_contain_text("好行 0", timeout=30000)
    assert everywhere(clerk) == []
    full = give(HEADER, mode=Mode.FULL)
    assert full.state == "refused" and "只有表头" in full.error


def test_what_is_not_the_data_asked_for_silences_nobody():
    """An old period, or what a matter wrote back, leaves a dataset overdue and its matters open."""
    dataset = datasets.current("inspections")

    def handled(delivery):
        def told():
            with acting(SYSTEM):
                return OutboxEvent.objects.filter(topic="hub.loaded", body__seq=delivery.seq).exists()

        assert delivery.state == "loaded", delivery.error
        until(lambda: not told(), 60)

    def asked():
        with acting(SYSTEM):
            found = Case.objects.filter(
                kind="matter", ref="data.overdue", data__id=dataset.id, closed_at=None
            )
            return set(found.values_list("number", flat=True))

    def inspection(**over):
        return sample(dataset, inspection_no=f"JC-{next(serial)}", uscc=code(), **over)

    handled(give("".join(inspection()), dataset=dataset.id))
    until(lambda: not asked(), 60)
    with owner() as con:  # what time alone would do
        con.execute(
            "update hub_holding set latest_as_of = latest_as_of - interval '60 days', reminded_for = null "
            "where dataset = %s", [dataset.id],
        )  # fmt: skip
    reminding.remind()
    open_now = until(asked, 30)
    until(lambda: asked() == open_now)
    old = give("".join(inspection(inspected_on="2026-01-05")), dataset=dataset.id, as_of=moment("01-10"))
    handled(old)
    names, values = (line.strip().split(",") for line in inspection())
    row = {f.id: value for f in dataset.fields for n, value in zip(names, values, strict=True) if n == f.name}
    with acting(SYSTEM):
        written, _new = hub.push(SYSTEM, dataset, [row], f"case-{next(serial)}", timezone.now())
    handled(done(written))
    assert asked() == open_now and hub.line(dataset).overdue
    handled(give("".join(inspection()), dataset=dataset.id))
    until(lambda: not asked(), 30)
    assert not hub.line(dataset).overdue
