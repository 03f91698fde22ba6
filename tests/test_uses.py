"""谁用过我的数据: what others did is not buried under own looks; words, not machine names; pages; English."""

import re
from datetime import timedelta

import pytest
from client import client
from django.db import DatabaseError, connection
from django.utils import timezone
from product import PRODUCT, ROOT, until
from test_corrections import in_everything
from test_english import CHINESE
from test_items import ENTERPRISE, switch
from test_pages import everywhere
from test_sharing_scope import agreed, asked

from yiwang.config.demo.enterprises import USCC
from yiwang.domains.enterprise import queries as enterprises
from yiwang.engines.cases.contracts import PURPOSE
from yiwang.engines.hub import api as hub
from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Person
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger import actions, queries
from yiwang.kernel.ledger.models import Doubt, Entry
from yiwang.kernel.ledger.purposes import source_names
from yiwang.kernel.notify.models import Message
from yiwang.kernel.orgs.models import Organisation, Post
from yiwang.kernel.orgs.queries import responsible
from yiwang.kernel.registers import api as registers

NOTE = "select ledger_note(%s, %s, %s, %s, '《优化营商环境条例》', null, null, %s, array[%s], array[true])"


def idno_of(actor):
    with acting(SYSTEM):
        return Person.objects.get(id=actor.person_id).idno


def noted(actor, key, source="population", fields="*", kind="person", purpose=PURPOSE):
    """A use noted by somebody, as the functions that read write it; its entry."""
    use = new_id()
    with acting(actor), connection.cursor() as cursor:
        cursor.execute(NOTE, [use, source, fields, purpose, kind, key])
    with acting(SYSTEM):
        return Entry.objects.select_related("use").get(use_id=use)


def read_by(clerk, actor, register="residence"):
    """A read of the actor's record by an official; its entry."""
    idno = idno_of(actor)
    with acting(clerk):
        registers.lookup(register, idno, PURPOSE)
    with acting(SYSTEM):
        return Entry.objects.select_related("use").filter(use__actor=clerk.label).latest("id")


def test_what_other_offices_used_is_seen_behind_any_number_of_own_looks_and_system_runs(visit, become):
    resident = become("elder")
    key, clerk = idno_of(resident), become("official10")
    entry = read_by(clerk, resident)
    for _n in range(45):
        noted(resident, key)
        noted(SYSTEM, key)
    page = visit("elder")
    page.goto("/uses")
    text = page.inner_text("main")
    assert page.locator(f"a[href='/uses/{entry.id}']").count() == 1  # on the first page
    times = re.search("您本人办理时\\s+([0-9]+) 次", text)  # other tests look as the same person: 45 at least
    assert times and int(times[1]) >= 45 and "系统自动核验" in text
    assert everywhere(page) == []
    with page.expect_navigation():
        page.locator("tr", has_text="您本人办理时").first.locator("a").click()
    pages = re.search("第 1 页，共 ([0-9]+) 页", page.inner_text("main"))
    assert pages and int(pages[1]) >= 2 and page.locator("tbody tr").count() == 30
    assert everywhere(page) == []
    with page.expect_navigation():
        page.click("a:text-is('下一页')")
    assert "of=own" in page.url and page.locator("tbody tr").count() >= 15
    page.goto("/uses?of=others")
    assert page.locator(f"a[href='/uses/{entry.id}']").count() == 1
    shown = page.inner_text("tbody")
    assert "您本人办理时" not in shown and "系统自动核验" not in shown
    for address in ("/uses?of=own&on=2020-01-01", "/uses?of=nothing&on=x&page=999"):
        assert page.goto(address).status == 200


def test_one_date_and_no_machine_words_on_a_use(visit, become):
    resident, clerk = become("father"), become("official10")
    entry = noted(clerk, idno_of(resident), "enterprise.sampling", "in scope")
    other = noted(clerk, idno_of(resident), "hub.penalties", "decision_no,public_until")
    page = visit("father")
    page.goto(f"/uses/{entry.id}")
    text = page.inner_text("main")
    assert "双随机抽查的对象名单" in text and "是否在抽查范围" in text and "enterprise." not in text
    now = timezone.localtime()
    assert len(re.findall(f"{now.month} 月 {now.day} 日", page.inner_text("dl"))) == 1
    page.goto(f"/uses/{other.id}")
    assert "处罚决定书文号、公示截止日期" in page.inner_text("main")
    page.goto("/uses?of=others")
    with page.expect_navigation():
        page.click("button:text-is('English')")
    for address in ("/uses", "/uses?of=own", f"/uses/{entry.id}"):
        page.goto(address)
        assert page.evaluate(CHINESE) == [], address
    assert "random inspection" in page.inner_text("main")


def test_every_source_that_a_room_writes_has_a_name_in_chinese_and_english():
    written = set()
    for file in [*ROOT.glob("src/**/*.sql"), *ROOT.glob("src/**/*.py")]:
        if "/tests/" not in str(file):
            written |= set(re.findall(r"ledger_note\([^,]+, '([a-z_]+\.[a-z_]+)'", file.read_text()))
    assert written >= {"enterprise.grade", "enterprise.name", "enterprise.conflict", "enterprise.sampling"}
    with acting(SYSTEM):
        names = source_names()
    assert [s for s in written if s not in names] == []
    english = (ROOT / "packs/shandong/translations/en.yaml").read_text()
    assert [s for s in written if f"  {names[s]}: " not in english] == []


def test_a_doubt_about_the_systems_use_goes_to_the_data_authority(visit, become):
    resident, steward = become("mother"), become("steward")
    entry = noted(SYSTEM, idno_of(resident))
    page = visit("mother")
    page.goto(f"/uses/{entry.id}")
    page.fill("#words", "系统为什么自动查我")
    with page.expect_navigation():
        page.click("button:text-is('提出疑问')")
    with acting(SYSTEM):
        made = Doubt.objects.get(use=entry.use)
    assert made.org_id in steward.posts

    def told():
        with acting(SYSTEM):
            return Message.objects.filter(
                subject_id=steward.person_id, title__contains="数据使用提出疑问"
            ).exists()

    until(told, 60)
    desk = visit("steward")
    desk.goto("/desk")
    with desk.expect_navigation():
        desk.click("nav a:text-is('数据疑问')")
    card = desk.locator(".card", has=desk.locator(f"form[action='/desk/doubts/{made.id}']"))
    assert "系统为什么自动查我" in card.inner_text() and "系统自动" in card.inner_text()
    assert resident.name in card.inner_text() and everywhere(desk) == []
    card.locator("textarea").fill("办理出生登记时系统代为核验")
    with desk.expect_navigation():
        card.locator("button:text-is('使用正当')").click()
    page.reload()
    assert "数据主管部门核实" in page.inner_text("main") and "代为核验" in page.inner_text("main")


def test_who_read_does_not_answer_and_what_was_typed_is_kept(visit, become):
    resident, clerk = become("mother"), become("official16")
    entry = read_by(clerk, resident)
    with acting(resident):
        made = actions.doubt(resident, entry.use_id, "为什么查我")
    desk = visit("official16")
    desk.goto("/desk/doubts")
    card = desk.locator(".card", has=desk.locator(f"form[action='/desk/doubts/{made.id}']"))
    card.locator("textarea").fill("我认为没有问题，已经核对")
    with desk.expect_navigation() as answer:
        card.locator("button:text-is('使用正当')").click()
    assert answer.value.status == 422
    assert "您自己读取的" in card.inner_text() and "数据主管部门" in card.inner_text()
    assert card.locator("textarea").input_value() == "我认为没有问题，已经核对"
    assert everywhere(desk) == []
    # The steward may, when nobody in the office can; the list shows it to him apart.
    steward = visit("steward")
    steward.goto("/desk/doubts")
    assert "其他单位还没有答复的" in steward.inner_text("main") and everywhere(steward) == []
    # Another in the office answers; the resident is not content, and the data authority's office answers.
    other = become("official17")
    with acting(other):
        actions.answer(other, made.id, True, "按规定核验")
    page = visit("mother")
    page.goto(f"/uses/{entry.id}")
    with page.expect_navigation() as again:
        page.click("button:text-is('再次提出')")
    assert again.value.status == 422 and "请写明哪里没有说清楚" in page.inner_text(".errs")
    assert everywhere(page) == []
    page.fill("#words", "没有说依据的是哪一条")
    with page.expect_navigation():
        page.click("button:text-is('再次提出')")
    with acting(SYSTEM):
        second = Doubt.objects.get(use=entry.use, round=2)
    authority = become("steward")
    assert second.org_id in authority.posts
    with acting(other), pytest.raises(Refused):
        actions.answer(other, second.id, True, "再说一次")
    steward.goto("/desk/doubts")
    assert "对第一次答复不满意" in steward.inner_text(
        "main"
    ) and "没有说依据的是哪一条" in steward.inner_text("main")
    assert "第一次的答复" in steward.inner_text("main") and "按规定核验" in steward.inner_text("main")
    with acting(authority):
        actions.answer(authority, second.id, False, "依据不足，已责令改正")
    page.goto(f"/uses/{entry.id}")
    assert "依据不足" in page.inner_text("main") and page.locator("#words").count() == 0
    with acting(resident), pytest.raises(Refused, match="12345"):
        actions.doubt(resident, entry.use_id, "第三次")


def test_a_late_answer_is_marked_and_told_once(visit, become):
    resident, clerk = become("mother"), become("official16")
    entry = read_by(clerk, resident)
    with acting(resident):
        made = actions.doubt(resident, entry.use_id, "")
    with acting(SYSTEM):
        Doubt.objects.filter(id=made.id).update(due_at=timezone.now() - timedelta(days=1))
    actions.tell_late()
    assert actions.tell_late() == 0
    manager, steward = become("manager"), become("steward")

    def told(actor):
        with acting(SYSTEM):
            mine = Message.objects.filter(subject_id=actor.person_id, title__contains="到期没有答复")
            return mine.count()

    with acting(SYSTEM):
        managed = Post.objects.filter(org_id=made.org_id, person_id=manager.person_id).exists()
    assert managed
    until(lambda: told(manager) and told(steward), 60)
    desk = visit("official17")
    desk.goto("/desk/doubts")
    card = desk.locator(".card", has=desk.locator(f"form[action='/desk/doubts/{made.id}']"))
    assert "已过" in card.inner_text()
    assert told(manager) == told(steward) == 1


def test_a_doubt_about_a_read_under_a_grant_shows_the_grant(visit, become):
    grant, reader = agreed(asked("penalties", ["decision_no"])), become("reporter_xs")
    api = client(PRODUCT.port, "reporter_xs")
    (record,) = api.get(f"hub/grants/{grant.id}/records?most=1").json["records"][:1]
    with acting(SYSTEM):
        use_id = grant.uses.latest("id").use_id
        made = Doubt.objects.create(
            use_id=use_id, subject_id=new_id(), org_id=grant.org_id, words="x", due_at=timezone.now()
        )
    with acting(reader):
        assert record and queries.is_asked(reader)
    page = visit("reporter_xs")
    page.goto("/desk/data")
    assert "数据疑问" in page.inner_text("header")  # his office is asked
    page.goto("/desk/doubts")
    card = page.locator(".card", has=page.locator(f"form[action='/desk/doubts/{made.id}']"))
    assert card.locator(f"a[href='/desk/data/grants/{grant.id}']").count() == 1
    assert reader.name in card.inner_text() and everywhere(page) == []


def of_others(page, entry):
    """What the page of an enterprise's uses says of one entry, and its own page."""
    page.goto("/uses?of=others")
    line = page.locator("tr", has=page.locator(f"a[href='/uses/{entry.id}']")).inner_text()
    page.goto(f"/uses/{entry.id}")
    return line, page.inner_text("main")


def test_a_manager_reads_as_his_own_office_not_as_those_he_oversees(visit, become, appoint):
    city = responsible("市场监管", "370200")
    reader = appoint("credit_370200", (city, ["manager", "credit"]))
    assert len(reader.oversees) > 1
    with acting(reader):
        enterprises.file_of(reader, USCC, "事中事后监管")
    with acting(SYSTEM):
        found = Entry.objects.select_related("use").filter(use__actor=reader.label)
        assert {tuple(e.use.orgs) for e in found} == {(city.id,)}
        entry = found.filter(use__source="enterprise.grade").latest("id")
        below = list(Organisation.objects.filter(id__in=reader.oversees).values_list("name", flat=True))
    page = visit("boss")
    switch(page, ENTERPRISE)
    line, told = of_others(page, entry)
    assert city.name in line and city.name in told
    assert [name for name in below if name in line or name in told] == []


def test_a_doubt_about_a_read_under_a_grant_goes_to_the_grants_office(visit, become, appoint):
    grant = agreed(asked("penalties", ["decision_no", "uscc"]))
    older = responsible("市场监管", "370213")
    reader = appoint("two_posts", (older, ["credit"]), (grant.org, ["reporter"]))
    assert list(reader.posts) == [older.id, grant.org_id]
    with acting(reader):
        assert hub.granted(reader, grant.id, subject=USCC).records
        enterprises.standing_of(USCC, "事中事后监管")
    with acting(SYSTEM):
        use_id = grant.uses.latest("id").use_id
        entry = Entry.objects.select_related("use").get(use_id=use_id)
        other = Entry.objects.select_related("use").filter(use__actor=reader.label).latest("id")
    assert entry.use.orgs == [grant.org_id]
    assert other.use.orgs == [older.id, grant.org_id]  # no grant: both, the oldest post first
    boss = in_everything(become)
    with acting(boss):
        assert actions.doubt(boss, use_id, "为什么取我的处罚").org_id == grant.org_id
        assert actions.doubt(boss, other.use_id, "为什么查我").org_id == older.id
    page = visit("boss")
    switch(page, ENTERPRISE)
    line, told = of_others(page, entry)
    assert grant.org.name in line and older.name not in line and older.name not in told
    desk = visit("reporter_xs")
    desk.goto("/desk/doubts")
    assert "为什么取我的处罚" in desk.inner_text("main") and "为什么查我" not in desk.inner_text("main")


def test_who_oversees_an_office_uses_no_grant_of_its(become, appoint):
    """Its rows he sees; what it was given by another department is not his to read, nor past the commands."""
    grant = agreed(asked("penalties", ["decision_no"]))
    above = responsible("行政审批", "370100")
    manager = appoint("manager_of_grants", (above, ["manager"]))
    assert grant.org_id in manager.oversees
    with acting(manager), pytest.raises(hub.NoGrant):
        hub.granted(manager, grant.id)
    with pytest.raises(DatabaseError, match="no such grant"), acting(manager), connection.cursor() as cursor:
        cursor.execute("select hub_granted(%s, %s, 'enterprise', null, null, null, 1)", [new_id(), grant.id])
