"""A county delivers its own records and is late by itself: told, refused, withdrawn and asked for by territory."""

import io
import json
from datetime import date, timedelta

import pytest
from client import client
from deliveries import HEADER, code, done, give, now_holds, owner, row, sample, serial
from django.utils import timezone
from product import PRODUCT, until
from test_pages import everywhere

from yiwang.engines.cases.models import Case
from yiwang.engines.hub import actions, datasets, queries, reminding
from yiwang.engines.hub import api as hub
from yiwang.engines.hub.contracts import Mode
from yiwang.engines.hub.territory import covers, territory_of
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Person, User
from yiwang.kernel.accounts.queries import actor_of
from yiwang.kernel.notify.models import Message
from yiwang.kernel.orgs.models import Organisation, Post, Region
from yiwang.kernel.orgs.queries import responsible

ONE, TWO, CITY = "370113", "370115", "370100"  # counties of which the demo has no records, and their city


@pytest.fixture(scope="module")
def reporters():
    """Reporting officials of two counties and of their city: region → username. Their posts end with the module."""
    made, names = [], {}
    with acting(SYSTEM):
        people = iter(Person.objects.filter(users=None, posts=None).order_by("id")[9000:9003])
        for region in (ONE, TWO, CITY):
            org, name = responsible("市场监管", region), f"reporter_{region}"
            assert org.region_id == region
            user = User(username=name, person=next(people), demo_role=f"{org.name}　数据归集", demo_order=900)
            user.set_unusable_password()
            user.save()
            made.append(
                Post.objects.create(
                    person=user.person, org=org, title="数据归集", roles=["reporter"], since=date(2020, 1, 1)
                )
            )
            names[region] = name
    yield names
    with acting(SYSTEM):
        Post.objects.filter(id__in=[post.id for post in made]).update(
            until=timezone.localdate() - timedelta(days=1)
        )


def somebody(username):
    with acting(SYSTEM):
        return actor_of(User.objects.select_related("person").get(username=username))


def deliver(username, dataset, text, mode=Mode.CHANGE, as_of=None):
    """Hand a file in as an official; the product's own collector loads it."""
    actor, content = somebody(username), text.encode()
    with acting(actor):
        found = datasets.current(dataset)
        made = actions.receive(actor, found, "t.csv", io.BytesIO(content), len(content), as_of, mode)
    return done(made)


def licences(region, numbers):
    """A file of production licences in one region."""
    contract = datasets.current("product_licences")
    lines = [sample(contract, licence_no=n, uscc=code(), region=region) for n in numbers]
    return lines[0][0] + "".join(line for _head, line in lines)


def held(dataset, where):
    with owner() as con:
        text = f"select count(*) from hub.{dataset} where not _withdrawn and region = any(%s)"
        return con.execute(text, [list(where)]).fetchone()[0]


# ---- whose is a record


def test_a_territory_is_the_division_what_lies_below_it_and_what_became_of_former_ones():
    def of(region):
        return territory_of(Organisation(name="某局", region=Region.objects.get(code=region)))

    assert of("370000") is None and territory_of(None) is None
    assert (of("370102").name, of("370102").codes) == ("历下区", {"370102"})
    assert of("370114").codes == {"370114", "370181"}  # 章丘市 became 章丘区
    city = of("370100").codes
    assert {
        "370100",
        "370102",
        "370176",
        "370116",
        "371202",
    } <= city  # a zone, and 莱芜 that was another city's
    assert not city & {"370000", "370202"}
    town = Region.objects.filter(level="town", parent_id="370102").first()
    assert of(town.code).codes == {"370102"}
    offices = [responsible("市场监管", r) for r in ("370000", "370100", "370102", "370202")]
    table = [[covers(a, b) for b in offices] for a in offices]
    assert table == [
        [True, True, True, True],
        [False, True, True, False],
        [False, False, True, False],
        [False, False, False, True],
    ]


def test_a_row_of_another_county_is_told_and_the_others_loaded(visit, reporters):
    mine, other, gone = code(), code(), code()
    text = HEADER + row(mine, region=ONE) + row(other, region=TWO) + row(gone, region="370999")
    delivery = deliver(reporters[ONE], "ent_registration", text)
    assert (delivery.state, delivery.counts["good"], delivery.counts["bad"]) == ("loaded", 1, 2)
    assert now_holds(mine)["region"] == ONE and now_holds(other) is None
    told = {m["row"]: m for m in delivery.messages if m["field"] == "所在区划"}
    assert (told[3]["value"], told[3]["what"]) == (TWO, "不在长清区范围内")
    assert "确属别处的，由那里的单位报" in told[3]["remedy"]
    assert told[4]["what"] == "不在行政区划表里"  # and not somebody else's as well
    assert {(t["what"], t["rows"]) for t in delivery.tally} >= {("不在长清区范围内", 1)}
    # The city delivers for its counties, the system for all.
    assert deliver(reporters[CITY], "ent_registration", HEADER + row(other, region=TWO)).counts["new"] == 1
    assert give(HEADER + row(gone, region="370202")).counts["new"] == 1
    page = visit(reporters[ONE])
    page.goto(f"/desk/hub/deliveries/{delivery.uid}")
    assert "不在长清区范围内" in page.inner_text("main") and everywhere(page) == []
    page.goto("/desk/hub/ent_registration/upload")
    assert f"本单位只报长清区的记录（“所在区划”写 {ONE}），别处的由那里的单位报" in page.inner_text("main")
    assert everywhere(page) == []


def test_pushes_the_sandbox_and_the_description_say_the_same():
    call, base = client(PRODUCT.port, "reporter"), "hub/datasets/product_licences"
    contract = datasets.current("product_licences")
    good = {f.id: f.example or "示例" for f in contract.fields if f.required or f.example}
    good |= {"licence_no": f"推{next(serial)}", "uscc": code()}
    wrong = {**good, "licence_no": f"推{next(serial)}", "region": TWO}
    batch = {"batch": f"t{next(serial)}", "records": [good, wrong]}
    tried = call.post(f"{base}/sandbox", batch).json
    assert (tried["good"], tried["refused"]) == (1, 1)
    assert [(m["record"], m["what"]) for m in tried["messages"]] == [(2, "不在历下区范围内")]
    pushed = call.post(f"{base}/records", batch).json
    assert pushed["messages"] == tried["messages"]
    result = until(
        lambda: (r := call.get(f"hub/deliveries/{pushed['delivery']}").json)["state"] == "loaded" and r
    )
    assert (result["counts"]["good"], result["counts"]["bad"]) == (1, 1)
    assert [m["what"] for m in result["messages"] if m["field"] == "生产地区划"] == ["不在历下区范围内"]
    described = call.get(f"{base}/openapi.json").json["info"]["description"]
    assert "本单位只报历下区的记录（“生产地区划”写 370102）" in described
    province = client(PRODUCT.port, "reporter_sd")
    assert province.post(f"{base}/sandbox", batch).json["refused"] == 0
    assert "本单位只报" not in json.dumps(province.get(f"{base}/openapi.json").json, ensure_ascii=False)


# ---- everything of one county


def test_a_full_delivery_of_one_county_leaves_the_others_alone(reporters):
    mine = [f"全{next(serial)}" for _n in range(60)]
    assert deliver(reporters[ONE], "product_licences", licences(ONE, mine)).counts["new"] == 60
    theirs = [f"全{next(serial)}" for _n in range(5)]
    assert deliver(reporters[TWO], "product_licences", licences(TWO, theirs)).counts["new"] == 5
    with owner() as con:
        before = con.execute("select count(*) from hub.product_licences where not _withdrawn").fetchone()[0]
    whole = deliver(reporters[ONE], "product_licences", licences(ONE, mine[2:]), Mode.FULL)
    assert (whole.state, whole.counts["withdrawn"]) == ("loaded", 2), whole.error
    assert (held("product_licences", [ONE]), held("product_licences", [TWO])) == (58, 5)
    with owner() as con:
        after = con.execute("select count(*) from hub.product_licences where not _withdrawn").fetchone()[0]
    assert after == before - 2
    # The share is of what is held there, not in the province.
    lacking = deliver(reporters[ONE], "product_licences", licences(ONE, mine[8:]), Mode.FULL)
    assert lacking.state == "refused"
    assert "这份全量比长清区现有的少 6 条（现有 58 条）" in lacking.error
    # The same file of another office is not the same delivery: each says that nothing is new.
    for username in (reporters[ONE], reporters[TWO]):
        actor = somebody(username)
        with acting(actor):
            said = actions.nothing_new(actor, datasets.current("product_licences"))
        assert done(said).state == "loaded"


def test_an_enterprise_that_moved_comes_with_the_new_county_and_the_old_one_withdraws_nothing(reporters):
    moved, stayed = code(), [code() for _n in range(30)]
    old = HEADER + "".join(row(c, region=ONE) for c in (moved, *stayed))
    deliver(reporters[ONE], "ent_registration", old)
    came = deliver(reporters[TWO], "ent_registration", HEADER + row(moved, region=TWO, address="新路1号"))
    assert (came.counts["changed"], came.counts["bad"]) == (1, 0)
    assert (now_holds(moved)["region"], now_holds(moved)["address"]) == (TWO, "新路1号")
    with acting(SYSTEM):
        contract = datasets.current("ent_registration")
        every = queries.versions(contract, {"uscc": moved}, "数据管理")
    assert [v["region"] for v in every] == [TWO, ONE]
    here = held("ent_registration", [ONE])
    with owner() as con:
        mine = con.execute(
            "select uscc from hub.ent_registration where not _withdrawn and region = %s", [ONE]
        )
        rest = HEADER + "".join(row(c, region=ONE) for (c,) in mine.fetchall())
    whole = deliver(reporters[ONE], "ent_registration", rest, Mode.FULL)
    assert (whole.state, whole.counts["withdrawn"]) == ("loaded", 0), whole.error
    assert held("ent_registration", [ONE]) == here and not now_holds(moved)["_withdrawn"]


# ---- late by office


def of_matters(ref, **data):
    with acting(SYSTEM):
        found = Case.objects.filter(
            kind="matter", ref=ref, **{f"data__{k}": v for k, v in data.items()}
        ).select_related("org")
        return list(found.order_by("submitted_at"))


def offices(page):
    """The rows of 各单位报送 on the page of a dataset."""
    lines = page.locator("div.card:has(h2:text-is('各单位报送')) tbody tr").all()
    return [line.locator("td").all_inner_texts() for line in lines]


def test_one_county_is_late_and_another_is_not(visit, reporters):
    dataset, late, in_time = datasets.current("complaints"), reporters[TWO], reporters[ONE]

    def open_in():
        return {c.org.region_id: c for c in of_matters("data.overdue", id="complaints") if not c.closed_at}

    def messages(username):
        with acting(SYSTEM):
            found = Message.objects.filter(
                subject_id=somebody(username).person_id, title__contains="投诉举报信息"
            )
            return list(found.values_list("title", flat=True))

    until(lambda: queries.line(dataset).as_of, 60)
    head, line = sample(dataset, complaint_no=f"TS{next(serial)}", region=ONE)
    assert deliver(in_time, "complaints", head + line).state == "loaded"
    with owner() as con:  # what time alone would do to the others
        con.execute(
            "update hub_reported set latest_as_of = latest_as_of - interval '9 days' "
            "where dataset = 'complaints' and not coalesce(org_id = any(%s), false)",
            [list(somebody(in_time).posts)],
        )
    reminding.remind()
    until(lambda: {TWO, CITY, "370000"} <= set(open_in()), 30)
    assert ONE not in open_in()
    assert until(lambda: messages(late), 30) == ["“投诉举报信息”到期没有报"]
    assert messages(in_time) == []
    assert until(lambda: messages("steward"), 30) == ["“投诉举报信息”有单位到期没有报"]  # once, not for each
    told, opened = reminding.remind(), len(of_matters("data.overdue", id="complaints"))
    assert told == 0 and len(of_matters("data.overdue", id="complaints")) == opened

    with acting(SYSTEM):
        names = {r: responsible("市场监管", r).name for r in (ONE, TWO, CITY)}
    page = visit(late)
    page.goto("/desk/hub")
    line_of = page.locator("tr:has(a[href='/desk/hub/complaints'])")
    assert "已过" in line_of.inner_text() and "单位中" not in line_of.inner_text()
    page.goto("/desk/hub/complaints")
    assert [name for name, *_rest in offices(page)] == [names[TWO]]  # his own, and none below
    assert "已过" in offices(page)[0][2]
    assert everywhere(page) == []
    page = visit(in_time)
    page.goto("/desk/hub")
    assert "已过" not in page.locator("tr:has(a[href='/desk/hub/complaints'])").inner_text()
    steward = visit("steward")
    steward.goto("/desk/hub")
    assert "个没有报" in steward.inner_text("tr:has(a[href='/desk/hub/complaints'])")
    steward.goto("/desk/hub/complaints")
    rows = {name: rest for name, *rest in offices(steward)}
    assert set(names.values()) <= set(rows)
    assert "已过" in rows[names[TWO]][1] and "已过" not in rows[names[ONE]][1]
    assert rows[names[ONE]][2:] == ["1", "100%"]  # held in its territory, good rows of its last delivery
    assert everywhere(steward) == []
    city = visit(reporters[CITY])
    city.goto("/desk/hub/complaints")
    assert {names[ONE], names[TWO], names[CITY]} <= {name for name, *_rest in offices(city)}

    # The county says that there is nothing: its matter and nobody else's is done.
    actor = somebody(late)
    with acting(actor):
        actions.nothing_new(actor, dataset)
    until(lambda: TWO not in open_in(), 30)
    assert {CITY, "370000"} <= set(open_in())
    # Somebody says at the desk that he has delivered, and has not; then that there is nothing.
    case = open_in()[CITY]
    close(case, "delivered", "已经报过了")
    again = until(lambda: (c := open_in().get(CITY)) and c.id != case.id and c, 30)
    assert "平台没有收到" in again.data["latest"]
    close(again, "explain", "本期没有新的")
    until(lambda: CITY not in open_in(), 30)
    with acting(SYSTEM):
        until(lambda: not hub.is_late(dataset, again.org), 30)
    assert "370000" in open_in()  # what the city says is nothing that the province said
    # What the province delivers counts for everybody; the county's own is its last, and it answers for the dataset.
    head, line = sample(dataset, complaint_no=f"TS{next(serial)}", region="370202")
    assert deliver("reporter_sd", "complaints", head + line).state == "loaded"
    until(lambda: not open_in(), 30)
    actor = somebody("reporter")
    with acting(actor):
        actions.nothing_new(actor, dataset)


def close(case, outcome, reason):
    from yiwang.engines.cases import actions as case_actions
    from yiwang.kernel.ids import new_id

    with acting(SYSTEM):
        token = case.tokens.get(kind="user")
        case_actions.complete(SYSTEM, case.id, token.id, outcome, reason, new_id())


def test_what_nobody_has_the_post_to_report_is_a_case_of_the_stewards_until_it_comes(visit):
    dataset = datasets.current("tax_status")
    with acting(SYSTEM):
        assert hub.offices_of(dataset.department) == []
    with owner() as con:  # what time alone would do, should something have come already
        con.execute(
            "update hub_holding set latest_as_of = latest_as_of - interval '2 years' where dataset = 'tax_status'"
        )
    reminding.remind()
    found = until(lambda: [c for c in of_matters("data.unreported", id="tax_status") if not c.closed_at], 90)[
        0
    ]
    steward = visit("steward")
    steward.goto(f"/desk?q={found.number}")
    with steward.expect_navigation():
        steward.click("tr:has-text('税务状态') a:has-text('数据无人报送')")
    text = steward.inner_text("main")
    assert "税务" in text and "已明确由谁报送" in text
    assert steward.locator("a:text-is('看数据集')").get_attribute("href") == "/desk/hub/tax_status"
    assert everywhere(steward) == []
    with acting(SYSTEM):
        title, person = f"“{dataset.name}”到期没有报", somebody("steward").person_id
        assert Message.objects.filter(
            subject_id=person, title=title, body__contains="没有人有数据归集岗"
        ).exists()
    head, line = sample(dataset, uscc=code(), changed_on="2026-03-01", grade="", grade_year="")
    came = give(head + line, dataset="tax_status", mode=Mode.CHANGE)
    assert came.state == "loaded", (came.error, came.messages)
    until(lambda: all(c.closed_at for c in of_matters("data.unreported", id="tax_status")), 30)
    steward.goto(f"/desk/cases/{found.id}")
    assert "数据已经收到" in steward.inner_text("main")
    assert not of_matters("data.overdue", id="tax_status")
