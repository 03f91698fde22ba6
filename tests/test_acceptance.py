"""受理条件 on the judge engine, where people meet them: before beginning, before submitting, and at the desk."""

from test_items import case_of
from test_pages import everywhere

from yiwang.engines.cases.models import Case
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import User
from yiwang.kernel.accounts.queries import actor_of
from yiwang.kernel.ledger.models import Use


def uses():
    with acting(SYSTEM):
        return Use.objects.filter(source="disability").count()


def official_for(case_id):
    """The demo role of somebody who accepts in the case's office."""
    with acting(SYSTEM):
        org = Case.objects.get(id=case_id).org_id
        for user in User.objects.exclude(demo_role="").select_related("person"):
            if "acceptor" in actor_of(user).posts.get(org, ()):
                return user.username
    return None


def test_can_i_apply_is_answered_from_the_registers_when_asked_and_only_then(visit):
    page = visit("elder")
    before = uses()
    page.goto("/services/mz.disabled_living")
    assert uses() == before  # looking at the guide reads nothing about anybody
    with page.expect_navigation():
        page.click("main >> button:text-is('我能办吗')")
    text = page.inner_text("main")
    assert "符合 持有残疾人证" in text and "符合 在低保家庭" in text
    assert "：在保" in text
    assert uses() == before + 1
    assert everywhere(page) == []


def test_who_does_not_meet_them_reads_which_and_what_to_do(visit):
    page = visit("handler")
    page.goto("/services/mz.disabled_living")
    with page.expect_navigation():
        page.click("main >> button:text-is('我能办吗')")
    text = page.inner_text("main")
    assert "不符合 持有残疾人证" in text and "怎么办：先申领残疾人证" in text
    assert "缺资料 在低保家庭" in text and "还缺：" in text
    page.goto("/services/sd.enterprise_open")
    with page.expect_navigation():
        page.click("main >> button:text-is('我能办吗')")
    assert "办理时核对" in page.inner_text("main") or "缺资料" in page.inner_text("main")
    assert everywhere(page) == []


def test_a_visitor_is_not_offered_a_check_and_is_asked_to_sign_in(visit):
    page = visit(None)
    page.goto("/services/mz.disabled_living")
    assert page.locator("main >> button:text-is('我能办吗')").count() == 0


def test_before_submission_and_at_the_desk_the_same_findings(visit):
    page = visit("elder")
    page.goto("/services/mz.disabled_living")
    page.click("text=开始办理")
    for _page in range(4):
        page.wait_for_load_state()
        if page.url.endswith("/check"):
            break
        page.click("text=保存并继续")
    assert "受理条件" in page.inner_text("main") and "符合 在低保家庭" in page.inner_text("main")
    assert everywhere(page) == []
    page.click("text=确认并提交")
    case_id = case_of(page)
    desk = visit(official_for(case_id))
    desk.goto(f"/desk/cases/{case_id}")
    text = desk.inner_text("main")
    assert "：在保" in text and "来源：" in text
    assert everywhere(desk) == []
