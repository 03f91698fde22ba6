"""Several founders of one enterprise: rows in the form, everybody's consent, one licence, by page and by API."""

from itertools import count

import pytest
from client import client
from hypothesis import given, settings
from hypothesis import strategies as st
from officials import finish, open_steps, staff
from product import until
from test_pages import everywhere

from yiwang.engines.cases import actions, consents, forms, queries, rows, submitting
from yiwang.engines.cases.case_form import item_plan
from yiwang.engines.cases.contracts import PURPOSE
from yiwang.engines.cases.models import Case, Consent, Draft
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Enterprise, Person, User
from yiwang.kernel.accounts.queries import actor_of
from yiwang.kernel.ids import new_id
from yiwang.kernel.packs import api as packs
from yiwang.kernel.registers import api as registers

REF = "sd.enterprise_open"
SECOND, THIRD = "official18", "official19"
NUMBER = count(1)


@pytest.fixture(autouse=True)
def nothing_begun():
    """Each test begins an application of its own."""
    with acting(SYSTEM):
        begun = Draft.objects.filter(ref=REF, subject_id=person("founder").id, submitted_at=None)
        begun.update(subject_id=new_id())


def person(username):
    with acting(SYSTEM):
        return Person.objects.get(users__username=username)


def press(page, words):
    with page.expect_navigation():
        page.click(f"button:has-text('{words}'):visible >> nth=0")


def begin(page, name):
    page.goto(f"/services/{REF}")
    page.check('[name="finance_self"][value="true"]')
    press(page, "开始办理")
    page.goto(f"/apply/{page.url.split('/apply/')[1].split('/')[0]}/company")
    page.fill('[name="ent.name"]', name)
    page.fill('[name="ent.capital"]', "100")
    page.select_option('[name="ent.scope"]', "I65.01")


def row(page, number, who=None, amount="", share=""):
    """Fill a row in; the first is the applicant himself."""
    role = "legal" if number == 1 else f"founder_{number}"
    if who is not None:
        page.fill(f'[name="{role}.name"]', who.name)
        page.fill(f'[name="{role}.idno"]', who.idno)
    page.fill(f'[name="{role}.amount"]', amount)
    page.fill(f'[name="{role}.share"]', share)


def rest(page, photo):
    """Every page after the founders', to the check."""
    for _page in range(6):
        if page.url.split("#")[0].endswith("/check"):
            return
        for name, value in (("ent.employees", "5"), ("legal.email", "founder@example.com")):
            if page.locator(f'[name="{name}"]').count():
                page.fill(f'[name="{name}"]', value)
        for name, value in (("ent.bank", "QLB"), ("ent.fund_ratio", "5")):
            if page.locator(f'select[name="{name}"]').count():
                page.select_option(f'[name="{name}"]', value)
        if page.locator('[name="service.delivery"]').count():
            page.check('[name="service.delivery"][value="窗口领取"]')
            for key in ("articles@ent", "resolution@ent"):
                page.set_input_files(f'[name="{key}"]', photo)
        press(page, "保存并继续")


def hand_in(page):
    if page.locator('[name="pledge"]').count():
        page.check('[name="pledge"]')
    press(page, "确认并提交")


def answer(page, draft, words):
    """Somebody's answer to the question that is open for him."""
    with acting(SYSTEM):
        asked = {c.subject_id: c.id for c in Consent.objects.filter(draft_id=draft, answered_at=None)}
    page.goto("/messages")
    mine = next(i for i in map(str, asked.values()) if page.locator(f'a[href="/consents/{i}"]').count())
    page.goto(f"/consents/{mine}")
    press(page, words)
    return page.inner_text("main")


@pytest.mark.plan("P20", "P33")
@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without"])
def test_three_found_an_enterprise_together(visit, photo, scripts):
    """Added, taken out, refused and mended; one says no, then everybody yes; licence and register name them all."""
    second, third = person(SECOND), person(THIRD)
    page = visit("founder", java_script_enabled=scripts)
    name = f"济南同舟{'一二三四五六七八九'[next(NUMBER)]}号软件有限公司"
    begin(page, name)
    assert "股东1" not in page.inner_text("main")
    press(page, "添加股东")
    assert "/founders" in page.url
    assert page.locator("fieldset legend").all_inner_texts() == [
        f"股东1（您本人） {person('founder').name}",
        "股东2",
    ]
    row(page, 1, None, "50", "50")
    row(page, 2, third, "20", "20")
    press(page, "再添加一位股东")
    assert page.input_value('[name="founder_2.name"]') == third.name  # nothing typed is lost
    row(page, 3, second, "30", "三成")
    press(page, "再添加一位股东")
    assert page.input_value('[name="founder_3.share"]') == "三成"  # right or wrong
    assert page.locator("text=请填写股东4的姓名").count() == 0  # a new row is no mistake yet
    press(page, "去掉股东2")
    assert page.input_value('[name="founder_2.name"]') == second.name  # those behind move up
    press(page, "去掉股东3")
    press(page, "再添加一位股东")
    assert page.input_value('[name="founder_3.name"]') == ""  # what was taken out does not come back
    row(page, 3, third, "20", "20")
    press(page, "保存并继续")
    told = page.inner_text(".errs")
    assert "股东2的持股比例（%） “三成” 应为数字，小数最多四位，例如 33.33" in told
    assert page.locator('.errs a[href="#f-founder_2-share"]').count() == 1
    page.fill('[name="founder_2.share"]', "20")
    press(page, "保存并继续")
    assert "各位股东的持股比例合计应为 100%，现为 90。请改其中几位的持股比例" in page.inner_text(".errs")
    if scripts:
        assert everywhere(page) == []
    page.fill('[name="founder_2.share"]', "30")
    press(page, "保存并继续")
    rest(page, photo)
    draft = page.url.split("/apply/")[1].split("/")[0]
    assert f"股东3的姓名\n{third.name}" in page.inner_text("main").replace("\t", "\n")
    hand_in(page)
    page.wait_for_url("**/waiting")
    waiting = page.inner_text("main")
    assert waiting.count("等待答复") == 2
    assert second.name in waiting
    if scripts:
        assert everywhere(page) == []

    two, three = visit(SECOND, java_script_enabled=scripts), visit(THIRD, java_script_enabled=scripts)
    three.goto("/space")
    assert "已同意，等其他人也同意后提交" in answer(three, draft, "我同意")
    page.reload()
    assert page.inner_text("main").count("已同意") == 1
    with acting(SYSTEM):
        assert not Case.objects.filter(id=draft).exists()
    two.goto("/messages")
    with acting(SYSTEM):
        asked = Consent.objects.get(draft_id=draft, answered_at=None)
    two.goto(f"/consents/{asked.id}")
    shown = two.inner_text("main")
    assert name in shown
    assert second.idno in shown
    assert third.name in shown
    assert third.idno not in shown  # the others' numbers are theirs
    if scripts:
        assert everywhere(two) == []
    press(two, "我不同意")
    page.goto("/messages")
    assert f"{second.name}：对方没有同意" in page.inner_text("main")
    three.goto("/messages")
    assert "不用再确认" in three.inner_text("main")  # his yes was to what nothing came of

    page.goto(f"/apply/{draft}/founders")
    page.fill('[name="founder_2.amount"]', "35")
    page.fill('[name="legal.amount"]', "45")
    press(page, "保存并继续")
    page.goto(f"/apply/{draft}/check")
    hand_in(page)
    page.wait_for_url("**/waiting")
    with acting(SYSTEM):
        assert Consent.objects.filter(draft_id=draft, answered_at=None).count() == 2  # asked anew
    assert "已同意，等其他人" in answer(two, draft, "我同意")
    assert "已同意，申请已经提交" in answer(three, draft, "我同意")
    page.goto(f"/apply/{draft}/waiting")
    page.wait_for_url(f"**/cases/{draft}")

    established = licensed(
        draft, name, f"{person('founder').name}、{second.name}、{third.name}", "50、30、20"
    )
    assert [established.data[f"{r}.amount"] for r in ("legal", "founder_2", "founder_3")] == [45, 35, 20]
    assert {"rows": {"founder": 3}}.items() <= established.extra.items()


def licensed(case_id, name, founders, shares):
    """Let the office grant the registration; returns the item's case, after the register was looked at."""
    finish(case_id, only={"ent.establish"})

    def there():
        with acting(SYSTEM):
            return Enterprise.objects.filter(name=name).first()

    until(there, 40)
    with acting(SYSTEM):
        found = registers.lookup("enterprises", there().uscc, PURPOSE, case_id)
        assert (found["gd"], found["gdbl"], found["lx"]) == (
            founders,
            shares,
            "有限责任公司（自然人投资或控股）",
        )
        child = next(c for c in queries.family(Case.objects.get(id=case_id)) if c.ref == "ent.establish")
        assert "founder_3.name" in {f.path for f in item_plan(child).fields}
    return child


STEPS = st.lists(
    st.one_of(
        st.just(("add", 0, "")),
        st.tuples(st.just("remove"), st.integers(2, 6), st.just("")),
        st.tuples(st.just("type"), st.integers(2, 6), st.text("甲乙丙丁", min_size=1, max_size=3)),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_rows_of_a_draft_are_a_list_whatever_is_pressed(steps):
    """Adding, taking out and typing in any order, against a plain list of names; the first is the applicant."""
    library = packs.current()
    draft, names = Draft(ref=REF, answers={"finance_self": True}, data={"ent.name": "某"}), [""]
    for verb, number, text in steps:
        plan = forms.plan(library, REF, draft.answers)
        if verb == "add":
            rows.set_rows(draft, plan, {"founder": len(names) + 1})
            names.append("")
        elif number <= len(names) and verb == "remove":
            rows.take_out(draft, plan, "founder", number)
            del names[number - 1]
        elif number <= len(names):
            draft.data = {**draft.data, f"founder_{number}.name": text}
            names[number - 1] = text
        told = {path: value for path, value in draft.data.items() if path.startswith("founder_")}
        assert told == {f"founder_{n}.name": name for n, name in enumerate(names, 1) if name}
        assert draft.answers.get("founder", 1) == len(names)
        plan = forms.plan(library, REF, draft.answers)
        assert [len(g.rows) for g in plan.groups] == ([len(names)] if len(names) > 1 else [])
    assert draft.data["ent.name"] == "某"


def test_a_second_tab_loses_nothing(visit):
    """Two tabs with different numbers of rows: the later one is told, and keeps what was typed in it."""
    second = person(SECOND)
    page = visit("founder")
    begin(page, "济南两页软件有限公司")
    press(page, "添加股东")
    other = page.context.new_page()
    other.goto(page.url.split("#")[0])
    press(page, "再添加一位股东")
    row(page, 3, second, "10", "10")
    other.fill('[name="founder_2.name"]', "丙")
    press(other, "保存并继续")
    assert "另一个页面刚刚改过这份申请" in other.inner_text(".errs")
    assert other.input_value('[name="founder_2.name"]') == "丙"
    assert other.locator('[name="founder_3.name"]').count() == 0
    press(page, "保存并继续")  # the first tab wins until the second has been looked at again
    page.goto(page.url.split("?")[0].rsplit("/", 1)[0] + "/founders")
    assert page.input_value('[name="founder_3.name"]') == second.name
    press(page, "去掉股东3")
    press(page, "去掉股东2")
    assert page.url.split("#")[0].endswith("/company")  # alone again: the button is where it was
    assert "添加股东" in page.inner_text("main")
    draft = page.url.split("/apply/")[1].split("/")[0]
    with acting(SYSTEM):
        kept = Draft.objects.get(id=draft)
        assert "founder" not in kept.answers
        assert not [path for path in kept.data if path.startswith("founder_")]


def test_the_last_day_of_one_ends_the_question_for_all(visit, photo):
    from datetime import timedelta

    from django.utils import timezone

    second, third = person(SECOND), person(THIRD)
    page = visit("founder")
    begin(page, "济南过期软件有限公司")
    press(page, "添加股东")
    row(page, 1, None, "60", "60")
    row(page, 2, second, "20", "20")
    press(page, "再添加一位股东")
    row(page, 3, third, "20", "20")
    press(page, "保存并继续")
    rest(page, photo)
    hand_in(page)
    page.wait_for_url("**/waiting")
    draft = page.url.split("/apply/")[1].split("/")[0]
    with acting(SYSTEM):
        one = Consent.objects.filter(draft_id=draft).first()
        Consent.objects.filter(id=one.id).update(until=timezone.now() - timedelta(minutes=1))
    consents.lapse()

    def ended():
        with acting(SYSTEM):
            return not Consent.objects.filter(draft_id=draft, answered_at=None).exists()

    until(ended, 20)
    page.goto(f"/apply/{draft}/waiting")
    page.wait_for_url("**/check")
    with acting(SYSTEM):
        assert not Case.objects.filter(id=draft).exists()


def upload(api, draft, key, content):
    """A material as multipart form data, as a system sends it."""
    mark = "----one"
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
    body = f"{head}Content-Type: image/png\r\n\r\n".encode() + content + f"\r\n--{mark}--\r\n".encode()
    sent = api(
        "POST", f"drafts/{draft}/files/{key}", body, Content_Type=f"multipart/form-data; boundary={mark}"
    )
    assert sent.status == 200, sent.content


def test_three_found_an_enterprise_by_the_interface(product, photo, visit):
    """The same by API: rows as a list of objects, named when wrong; the consents are given by each in his own name."""
    api, second, third = client(product.port, "founder"), person(SECOND), person(THIRD)
    opened = api.post("drafts", {"service": REF, "answers": {"finance_self": True}})
    assert opened.status == 200, opened.content
    draft = opened.json["id"]

    def save(page, values):
        form = api.get(f"drafts/{draft}/form").json
        body = {"values": values, "revision": form["draft"]["revision"]}
        return api("PUT", f"drafts/{draft}/pages/{page}", body)

    form = api.get(f"drafts/{draft}/form").json
    assert [(g["role"], g["min"], g["max"], g["rows"]) for g in form["groups"]] == [("founder", 2, 50, [])]
    name = "济南接口同舟软件有限公司"
    assert save("company", {"ent.name": name, "ent.capital": 100, "ent.scope": "I65.01"}).status == 200
    others = [
        {"name": p.name, "idno": p.idno, "amount": a, "share": s}
        for p, a, s in ((second, 30, "三成"), (third, 20, "20"))
    ]
    listed = [{"amount": 50, "share": "50"}, *others]
    one = save("founders", {"founder": listed[:1]})
    assert one.status == 422
    assert one.json["fields"] == {"founder": "股东应有 2 到 50 位，现在 1 位；不需要的不写这一项。"}
    wrong = save("founders", {"founder": listed})
    assert wrong.status == 422
    assert list(wrong.json["fields"]) == ["founder_2.share"]
    listed[1]["share"] = "20"
    short = save("founders", {"founder": listed}).json
    assert "合计应为 100%，现为 90" in short["errors"]["legal.share"]
    listed[1]["share"] = "30"
    saved = save("founders", {"founder": listed}).json
    assert saved["groups"][0]["rows"] == ["legal", "founder_2", "founder_3"]
    assert not [path for path in saved["errors"] if "founder" in path or path == "legal.share"]
    others = {
        "premises": {"ent.employees": 5},
        "people": {"legal.email": "founder@example.com"},
        "accounts": {"ent.bank": "QLB", "ent.fund_ratio": "5", "service.delivery": "窗口领取"},
    }
    for page, values in others.items():
        done = save(page, values)
        assert done.status == 200, done.content
    for key in ("articles@ent", "resolution@ent"):
        upload(api, draft, key, photo.read_bytes())
    form = api.get(f"drafts/{draft}/form").json
    assert form["errors"] == {}
    pledges = [m["key"] for m in form["materials"] if m["way"] == "commitment"]
    made = api.post(f"drafts/{draft}/submit", {"pledges": pledges})
    assert (made.status, made.json["status"], made.json["number"]) == (200, "consent", "")
    with acting(SYSTEM):
        asked = list(Consent.objects.filter(draft_id=draft, answered_at=None))
    assert {c.subject_id for c in asked} == {second.id, third.id}
    for one in asked:
        actor = signed_in(one.subject_id)
        with acting(actor):
            submitting.agree(actor, one.id, True)
    again = api.post(f"drafts/{draft}/submit", {"pledges": pledges})
    assert again.json["number"]
    supplemented(api, draft, visit)
    licensed(draft, name, f"{person('founder').name}、{second.name}、{third.name}", "50、30、20")


def supplemented(api, case_id, visit):
    """The office asks for one cell of one founder's; all agree to the new value before the office has it."""
    case, token, _outcomes = open_steps(case_id, {"ent.establish"})[0]
    officer = next(a for a in staff()[case.org_id] if a.has_role(case.org_id, token.role))
    with acting(officer):
        key, note = "founder_2.amount", "与出资证明不符，请核对"
        actions.request_supplement(officer, case.id, token.id, [key], note, new_id())
    command = {"command_id": str(new_id()), "values": {"founder_2.amount": "三十"}}
    wrong = api.post(f"cases/{case.id}/answer", command)
    assert wrong.status == 422
    assert wrong.json["fields"]["founder_2.amount"].startswith("股东2的认缴出资额（万元） “三十”")
    for _twice in range(2):  # the answer was lost, and the same command comes again
        held = api.post(f"cases/{case.id}/answer", {**command, "values": {"founder_2.amount": "31"}})
        assert held.status == 200, held.content
    asked = api.get(f"cases/{case.id}").json["supplement"]
    assert "31" not in str({**asked, "at": ""})  # a time may have any digits

    def stands():
        with acting(SYSTEM):
            found = Case.objects.get(id=case.id)
            return found.phase, found.data["founder_2.amount"], found.data["founder_3.amount"]

    assert stands() == ("supplement", 30, 20)
    page, two, three = visit("founder"), visit(SECOND), visit(THIRD)
    page.goto(f"/cases/{case_id}")
    assert "正在等对方同意" in page.inner_text("main") and "去补正" not in page.inner_text("main")
    assert everywhere(page) == []
    with acting(SYSTEM):
        asked = Consent.objects.get(draft_id=case_id, answered_at=None, subject_id=person(SECOND).id)
    two.goto(f"/consents/{asked.id}")
    assert "31（原来是 30）" in two.inner_text("main") and "改了您同意过的内容" in two.inner_text("main")
    assert everywhere(two) == []
    press(two, "我不同意")
    assert stands() == ("supplement", 30, 20)
    three.goto("/messages")
    assert "不用再确认" in three.inner_text("main")
    page.goto("/messages")
    with page.expect_navigation():
        page.click(f'a[href="/cases/{case_id}/supplement"] >> nth=0')
    assert page.input_value('[name="founder_2.amount"]') == "31"  # what was entered is not lost
    page.fill('[name="founder_2.amount"]', "35")
    press(page, "提交补正")
    page.wait_for_url("**/waiting")
    assert page.inner_text("main").count("等待答复") == 2
    assert "等其他人也同意" in answer(two, case_id, "我同意")
    assert stands() == ("supplement", 30, 20)
    answer(three, case_id, "我同意")
    assert stands() == ("open", 35, 20)
    with acting(SYSTEM):
        told = [h.words for h in queries.history(Case.objects.get(id=case.id))]
    assert told.count("申请人已补正，等其他人同意") == 2 and "申请人已补正" in told


def signed_in(person_id):
    with acting(SYSTEM):
        return actor_of(
            User.objects.filter(person_id=person_id).order_by("id")[0]
        )  # some have several accounts
