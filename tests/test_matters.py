"""内部事项: what nobody applies for is a case of the office that must act."""

from deliveries import code, give, moment, sample
from product import until
from test_pages import everywhere

from yiwang.engines.cases import queries as case_queries
from yiwang.engines.cases.models import Case
from yiwang.engines.hub import datasets
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.events.api import emit


def test_what_did_not_come_is_a_case_until_it_is_explained_or_comes(visit):
    def asked_for(dataset, due):
        """The reporting office's case about a due day that nobody else asks for."""
        body = {"dataset": dataset.id, "name": dataset.name, "department": dataset.department}
        with acting(SYSTEM):
            emit("hub.overdue", {**body, "due": moment(due).isoformat(), "latest": None})
        return until(lambda: open_case(dataset, due), 30)

    def open_case(dataset, due):
        with acting(SYSTEM):
            found = Case.objects.filter(kind="matter", ref="data.overdue", data__id=dataset.id)
            return found.filter(data__due=f"2026-{due}").first()

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
