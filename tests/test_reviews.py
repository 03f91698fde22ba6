"""会审: other offices give their opinion before a decision, and none can be passed over."""

import re

import pytest
from product import until
from test_desk import apply, open_at_desk
from test_pages import everywhere

from yiwang.engines.cases import actions, reviews
from yiwang.engines.cases.models import Case, Review
from yiwang.engines.cases.queries import verify_chain
from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.ids import new_id
from yiwang.kernel.notify.models import Message


def others(become):
    """An office of the demo other than the one that decides, and one of its officials."""
    from officials import staff

    offices = staff()
    mine = set(become("official16").posts)
    from yiwang.kernel.orgs.models import Organisation

    with acting(SYSTEM):
        for org in Organisation.objects.filter(id__in=offices.keys() - mine, functions__contains=["公安"]):
            return org, offices[org.id][0]
    raise AssertionError("the demo has no such office")


def test_no_decision_before_every_opinion_is_in(visit, become):
    org, colleague = others(become)
    father, clerk = visit("father"), visit("official16")
    _path, number = apply(father, "2019-01")
    open_at_desk(clerk, number)
    clerk.click("text=征询其他单位的意见")
    clerk.fill("#offices", "没有这个局")
    clerk.fill("#question", "户籍信息与申请是否一致")
    clerk.click("text=发出征询")
    assert "没有名为“没有这个局”的机构" in clerk.inner_text("main")
    assert clerk.input_value("#question") == "户籍信息与申请是否一致"  # nothing typed is lost
    clerk.fill("#offices", org.name)
    with clerk.expect_navigation():
        clerk.click("text=发出征询")
    assert "等答复" in clerk.inner_text("main") and everywhere(clerk) == []
    with acting(SYSTEM):
        case = Case.objects.get(number=number)
        review = Review.objects.get(case=case)
        account = colleague.label.removeprefix("user:")
        from yiwang.kernel.accounts.models import User

        name = User.objects.get(id=account).username
    with clerk.expect_navigation():
        clerk.click(".desk__act form:has([value=complete]) button:text-is('确定')")
    assert "会审意见没有回来" in clerk.inner_text("main")
    police = visit(name)
    with acting(SYSTEM):
        assert until(
            lambda: Message.objects.filter(subject_id=colleague.person_id, title__contains="会审").exists()
        )
    police.goto("/desk/reviews")
    assert number in police.inner_text("main") and everywhere(police) == []
    assert police.request.get(f"/desk/cases/{case.id}").status == 404  # only through the question
    police.click(f"text={number}")
    police.wait_for_url(re.compile(str(review.id)))
    assert everywhere(police) == [] and case.subject_name in police.inner_text("main")
    police.check("[value=against]")
    with police.expect_navigation():
        police.click("text=答复 >> nth=-1")
    assert "请写明条件或理由" in police.inner_text("main")
    police.check("[value=conditional]")
    police.fill("#text", "姓名有一字之差，核对身份证原件后可办")
    police.click("button:text-is('答复')")
    police.wait_for_url("**/desk/reviews")
    assert (
        police.request.get(f"/desk/reviews/{review.id}").status == 404
    )  # answered: the papers are closed again
    open_at_desk(clerk, number)
    assert "有条件同意" in clerk.inner_text("#act") and "一字之差" in clerk.inner_text("#act")
    with clerk.expect_navigation():
        clerk.click(".desk__act form:has([value=complete]) button:text-is('确定')")
    with acting(SYSTEM):
        case.refresh_from_db()
        assert case.extra["verdict"] == "granted" or case.closed_at
        assert verify_chain(case.id) > 3


def test_whoever_asked_may_stop_waiting_but_has_to_say_why(visit, become):
    org, colleague = others(become)
    father = visit("father")
    _path, number = apply(father, "2018-01")
    clerk = become("official16")
    with acting(SYSTEM):
        case = Case.objects.get(number=number)
    with acting(clerk):
        reviews.ask(clerk, case.id, [org.name], "是否一致", 3, new_id())
        (review,) = reviews.of_case(case)
        for what in (
            lambda: reviews.ask(clerk, case.id, [org.name], "再问", 3, new_id()),
            lambda: reviews.drop(clerk, review.id, " ", new_id()),
            lambda: reviews.ask(clerk, case.id, [org.name], "几天", 99, new_id()),
        ):
            with pytest.raises(Refused):
                what()
        reviews.drop(clerk, review.id, "对方来电，已当面核实", new_id())
        token = case.tokens.get(kind="user")
        actions.complete(clerk, case.id, token.id, "grant", "", new_id())
    with acting(colleague), pytest.raises(Refused, match="撤回"):
        reviews.answer(colleague, review.id, "agree", "", new_id())
