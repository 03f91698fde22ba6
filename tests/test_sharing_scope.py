"""What a grant covers and how long: conditions of every type, renewals that end with it, rows past their time."""

from datetime import timedelta

from client import client
from deliveries import owner
from django.utils import timezone
from product import PRODUCT, until
from test_pages import everywhere
from test_sharing import BASIS, REASONS, somebody

from yiwang.domains.enterprise.models import Correction
from yiwang.engines.hub import datasets
from yiwang.engines.hub.contracts import Type
from yiwang.engines.hub.models import SharingGrant, SharingRequest
from yiwang.engines.hub.sharing import actions
from yiwang.engines.hub.sharing.contracts import Ask, Condition, Test
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.notify.models import Message

VALUES = {
    Type.STRING: ("is", "某某"), Type.INT: ("from", "2020"), Type.DECIMAL: ("from", "0.5"), Type.DATE: ("to", "2026/3/2"),
    Type.DATETIME: ("from", "2026-03-02 09:30"), Type.REGION: ("is", "370102"), Type.USCC: ("is", "91379901MB00000193"),
}  # fmt: skip


def asked(dataset, fields, rows=(), days=30, renews=None, who="reporter_xs"):
    """A request for a dataset, put by the command behind the form."""
    asker, one = somebody(who), datasets.current(dataset)
    last = timezone.localdate() + timedelta(days=days)
    wish = Ask(tuple(fields), "部门间数据共享", BASIS, REASONS, last, 5000, rows=tuple(rows))
    with acting(asker):
        return actions.ask(asker, one, next(iter(asker.posts)), wish, renews)


REPORTERS = ("reporter", "reporter_sd")  # of one county, and of the office above it


def agreed(request):
    """Its grant, agreed to by the source."""
    both = [somebody(who) for who in REPORTERS]
    source = next(one for one in both if request.source_id in one.posts)
    with acting(source):
        actions.answer(source, request.id, True, "同意")
    with acting(SYSTEM):
        return SharingGrant.objects.get(request=request)


def test_a_condition_on_a_field_of_each_type_is_asked_for_and_read_by(product):
    api, seen = client(PRODUCT.port, "reporter_xs"), set()
    with acting(SYSTEM):
        every = [(d, f) for d in datasets.every() for f in d.fields if d.sharing == "有条件共享"]
        every = [(d, f) for d, f in every if "部门间数据共享" in d.purposes and actions.source_of(d)]
        posts = {org for who in REPORTERS for org in somebody(who).posts}
        mine = [(d, f) for d, f in every if actions.source_of(d).id in posts]
    for d, f in mine:
        if f.type in seen or (f.type is Type.CODE and not f.codes) or f.type is Type.IDNO:
            continue
        test, text = VALUES.get(f.type) or ("is", min(f.codes))
        grant = agreed(asked(d.id, d.key, [Condition(f.id, Test(test), text)]))
        assert api.get(f"hub/grants/{grant.id}/records?most=5").status == 200, (d.id, f.id)
        seen.add(f.type)
    assert seen >= {
        Type.STRING,
        Type.INT,
        Type.DECIMAL,
        Type.DATE,
        Type.DATETIME,
        Type.CODE,
        Type.USCC,
        Type.REGION,
    }


def test_the_form_takes_a_condition_on_a_day_and_one_on_an_amount(visit):
    page = visit("reporter_xs")
    page.goto("/desk/data/penalties/ask")
    page.check("#f-fine")
    page.check("#f-decided_on")
    page.fill("#reasons", REASONS)
    page.fill("#basis", BASIS)
    page.fill("#daily", "20")
    page.fill("#until", (timezone.localdate() + timedelta(days=90)).isoformat())
    for n, (field, test, value) in enumerate(
        [("decided_on", "from", "2020/1/2"), ("fine", "from", "0.10"), ("kind", "is", "02")], 1
    ):
        page.select_option(f"#field{n}", field)
        page.select_option(f"#test{n}", test)
        page.fill(f"#value{n}", value)
    page.select_option("#purpose", "部门间数据共享")
    with page.expect_navigation():
        page.click("text=提交申请")
    told = page.inner_text("main")
    assert "不早于 2020-01-02" in told and "不小于 0.1" in told and "没收非法财物（02）" in told
    assert "公示截止日期 不早于 取数当天，或没有填（来源的规定）" in told and "等来源部门答复" in told
    with acting(SYSTEM):
        request = SharingRequest.objects.get(id=page.url.rsplit("/", 1)[1])
    records = (
        client(PRODUCT.port, "reporter_xs").get(f"hub/grants/{agreed(request).id}/records").json["records"]
    )
    assert all(r["decided_on"] >= "2020-01-02" and float(r["fine"]) >= 0.1 for r in records)


def test_who_revokes_a_grant_ends_its_renewals_too_and_is_told(visit):
    first = agreed(asked("complaints", ["region"], days=10))
    second = agreed(asked("complaints", ["region"], days=60, renews=first.id))
    third = agreed(asked("complaints", ["region"], days=90, renews=second.id))
    day = f"{second.since:%Y-%m-%d}"
    page = visit("reporter_xs")
    page.goto("/desk/data/sharing")
    assert f"将于 {day} 生效" in page.inner_text("main") and everywhere(page) == []
    source = visit("reporter_sd")
    source.goto(f"/desk/data/grants/{first.id}")
    assert day in source.inner_text("main") and "续期也会一并结束" in source.inner_text("main")
    source.fill("#why", "停止合作")
    with source.expect_navigation():
        source.click("text=立即收回")
    assert "一并结束" in source.inner_text("body") and day in source.inner_text("body")
    with acting(SYSTEM):
        ended = SharingGrant.objects.filter(id__in=[first.id, second.id, third.id])
        assert {g.revoked_why for g in ended} == {"停止合作"}
    with owner() as con:  # the day has come on which the renewal would have begun
        con.execute("update hub_sharinggrant set since = %s where id = %s", [timezone.localdate(), second.id])
    gone = client(PRODUCT.port, "reporter_xs").get(f"hub/grants/{second.id}/records")
    assert gone.status == 403 and "停止合作" in gone.json["message"]
    page.goto(f"/desk/data/grants/{third.id}")
    assert "已收回" in page.inner_text("main") and everywhere(page) == []

    def told():
        with acting(SYSTEM):
            return Message.objects.filter(title__contains="投诉举报", body="停止合作").count() == 3

    until(told, 60)


def test_a_record_past_its_last_public_day_is_given_to_nobody(visit):
    grant = agreed(asked("penalties", ["decision_no", "public_until"]))
    api = client(PRODUCT.port, "reporter_xs")

    def given():
        records = api.get(f"hub/grants/{grant.id}/records?most=1000").json["records"]
        return {r["decision_no"]: r["public_until"] for r in records}

    before = given()
    today = timezone.localdate().isoformat()
    assert before and all(day is None or day >= today for day in before.values())
    past, last, without = sorted(before)[:3]
    with owner() as con:
        # The day of the product, which is not the database's for eight hours of each.
        set_to = "update hub.penalties set public_until = %s::date + %s::int where decision_no = %s"
        kept = con.execute("select public_until, decision_no from hub.penalties").fetchall()
        try:
            for days, number in ((-1, past), (0, last), (None, without)):
                con.execute(set_to, [today, days, number])
            assert set(before) - set(given()) == {past}
            lines = api.get(f"hub/grants/{grant.id}/download").content.decode()
            assert past not in lines and last in lines and without in lines
            con.execute("update hub.penalties set public_until = %s::date - 1", [today])
            assert given() == {}
            page = visit("reporter_xs")
            page.goto("/desk/data/penalties?preview=1")
            assert "没有可以预览的记录" in page.inner_text("#preview")
            assert "公示截止日期 不早于 取数当天" in page.inner_text("main") and everywhere(page) == []
        finally:
            for day, number in kept:
                con.execute(
                    "update hub.penalties set public_until = %s where decision_no = %s", [day, number]
                )


def test_a_record_that_somebody_disputes_is_given_out_marked(become):
    grant = agreed(asked("penalties", ["decision_no", "uscc"]))
    api = client(PRODUCT.port, "reporter_xs")

    def marks():
        records = api.get(f"hub/grants/{grant.id}/records?most=100").json["records"]
        return {r["decision_no"]: r["_disputed"] for r in records}

    before = marks()
    number = next(n for n, disputed in before.items() if not disputed)
    with acting(SYSTEM):
        made = Correction.objects.create(
            uscc="91379901MB00000193", dataset="penalties", key=number, title="x", words="不是我们", asked_by="x",
            due_on=timezone.localdate(), delivery=1,
        )  # fmt: skip
    assert marks() == before | {number: True}
    assert f'"decision_no": "{number}"' in (
        text := api.get(f"hub/grants/{grant.id}/download").content.decode()
    )
    assert '"_disputed": true' in text
    with acting(SYSTEM):
        Correction.objects.filter(id=made.id).update(done_at=timezone.now())
    assert marks() == before
