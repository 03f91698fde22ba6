"""Sharing: found in the catalogue, asked for, approved by the source, used under the grant, reported, ended."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from client import client
from deliveries import HEADER, code, give, owner, row
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from product import PRODUCT, until
from pyshacl import validate
from rdflib import DCAT, DCTERMS, FOAF, RDF, SKOS, Graph
from test_pages import everywhere

from yiwang.engines.hub import datasets, reminding
from yiwang.engines.hub.contracts import Field, Type
from yiwang.engines.hub.masks import shown
from yiwang.engines.hub.models import Delivery, SharingGrant, SharingRequest
from yiwang.engines.hub.sharing import actions, reading
from yiwang.engines.hub.sharing.checks import faults
from yiwang.engines.hub.sharing.contracts import Ask, Condition, Test
from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import User
from yiwang.kernel.accounts.queries import actor_of
from yiwang.kernel.audit.models import AuditEvent
from yiwang.kernel.events.models import OutboxEvent
from yiwang.kernel.ledger.models import Entry, Use
from yiwang.kernel.notify.models import Message

BASIS = "《中华人民共和国食品安全法》第一百一十条"
REASONS = "食品经营许可审查时核对经营者登记信息，免得申请人再交材料"


def somebody(username):
    with acting(SYSTEM):
        return actor_of(User.objects.select_related("person").get(username=username))


@pytest.fixture(scope="module")
def held():
    """Registrations whose names nobody else has, so that a grant limited to them has just these."""
    codes = sorted(code() for _n in range(7))
    give(HEADER + "".join(row(c, f"共享示例{n}号公司") for n, c in enumerate(codes)))
    return codes


def granted(
    fields=("uscc", "name", "address"), daily=1000, days=30, starts="共享示例", plain=(), who="reporter_xs"
):
    """A grant, asked for and agreed to by the commands behind the pages."""
    dataset, asker, source = datasets.current("ent_registration"), somebody(who), somebody("reporter_sd")
    wish = Ask(
        tuple(fields), "部门间数据共享", BASIS, REASONS, timezone.localdate() + timedelta(days=days), daily,
        frozenset(plain), (Condition("name", Test.STARTS, starts),),
    )  # fmt: skip
    with acting(asker):
        asked = actions.ask(asker, dataset, next(iter(asker.posts)), wish)
    with acting(source):
        actions.answer(source, asked.id, True, "同意", frozenset(plain))
    with acting(SYSTEM):
        return SharingGrant.objects.get(request=asked)


@pytest.mark.plan("E17", "R21")
def test_department_b_asks_department_a_agrees_and_b_reads_masked_by_api(visit, held):
    page = visit("reporter_xs")
    page.goto("/desk/data?q=登记 法定代表人")
    assert everywhere(page) == []
    page.click("text=登记注册信息")
    page.wait_for_url("**/desk/data/ent_registration")
    assert everywhere(page) == []
    page.click("text=脱敏预览")
    page.wait_for_url("**preview=1**")
    assert "记入账本" in page.inner_text("#preview") and everywhere(page) == []
    page.click("text=申请使用")
    page.wait_for_url("**/ask")
    assert everywhere(page) == []
    page.check("#f-name")
    page.check("#f-legal_name")
    page.fill("#reasons", "短")
    with page.expect_navigation():
        page.click("text=提交申请")
    told = page.inner_text(".errs")
    assert "理由太短" in told and "依据太短" in told and "到期日读不懂" in told and "每天的条数" in told
    assert page.is_checked("#f-legal_name")  # nothing entered is lost
    assert everywhere(page) == []
    page.fill("#reasons", REASONS)
    page.fill("#basis", BASIS)
    page.fill("#daily", "20")
    page.fill("#until", (timezone.localdate() + timedelta(days=90)).isoformat())
    page.select_option("#field1", "name")
    page.select_option("#test1", "starts")
    page.fill("#value1", "共享示例")
    with page.expect_navigation():
        page.click("text=提交申请")
    assert "等来源部门答复" in page.inner_text("main") and everywhere(page) == []
    address = page.url
    source = visit(
        "reporter_sd"
    )  # of a dataset that each delivers for its region, the office above the others
    source.goto("/desk/data/sharing")
    assert "登记注册信息" in source.inner_text("main") and everywhere(source) == []
    source.goto(address)
    assert everywhere(source) == []
    source.fill("#answer", " ")
    with source.expect_navigation() as refused:
        source.click("button:text-is('不同意')")
    assert refused.value.status == 422 and "请写明不同意的理由" in source.inner_text(".errs")
    assert everywhere(source) == []
    source.fill("#answer", "同意，用于许可审查")
    with source.expect_navigation():
        source.click("button:text-is('同意')")
    with acting(SYSTEM):
        asked = SharingRequest.objects.get(id=address.rsplit("/", 1)[1])
        grant = SharingGrant.objects.get(request=asked)
        before = Use.objects.count()
    api = client(PRODUCT.port, "reporter_xs")
    answer = api.get(f"hub/grants/{grant.id}/records?most=4")
    assert answer.status == 200
    records = answer.json["records"]
    assert [r["uscc"] for r in records] == held[:4]
    assert set(records[0]) == {
        "uscc",
        "name",
        "legal_name",
        "_disputed",
        "_repaired",
    }  # the fields granted and no other
    rest = api.get(f"hub/grants/{grant.id}/records?most=4&after={answer.json['next']}")
    assert [r["uscc"] for r in rest.json["records"]] == held[4:] and rest.json["next"] == ""
    one = api.get(f"hub/grants/{grant.id}/records?subject={held[2]}")
    assert [r["uscc"] for r in one.json["records"]] == [held[2]]
    with acting(SYSTEM):  # in the ledger: three reads, one entry a subject
        assert Use.objects.count() >= before + 3
        uses = list(grant.uses.order_by("id"))
        assert [u.records for u in uses] == [4, 3, 1]
        assert Entry.objects.filter(use_id=uses[0].use_id).count() == 4
        assert Use.objects.get(id=uses[0].use_id).purpose == "部门间数据共享"
        verbs = set(
            AuditEvent.objects.filter(object_id__in=[str(asked.id), str(grant.id)]).values_list(
                "verb", flat=True
            )
        )
    assert verbs == {"sharing.asked", "sharing.granted"}
    page.goto(f"/desk/data/grants/{grant.id}")
    assert "8 条，每天最多 20 条" in page.inner_text("main") and everywhere(page) == []
    assert api.get(f"hub/grants/{grant.id}/records?most=12").status == 200
    assert api.get(f"hub/grants/{grant.id}/records").status == 200  # 8 + 7 + 5 = 20
    spent = api.get(f"hub/grants/{grant.id}/records")
    assert spent.status == 429 and "20 条已经用完" in spent.json["message"]
    report = page.request.get(f"/desk/data/grants/{grant.id}/use.csv").text()
    assert report.splitlines()[1] == f"{timezone.localdate()},5,20,0,1"  # what was refused was not used
    source.goto(f"/desk/data/grants/{grant.id}")
    source.fill("#why", "演示结束")
    with source.expect_navigation():
        source.click("text=立即收回")
    gone = api.get(f"hub/grants/{grant.id}/records")
    assert gone.status == 403 and "演示结束" in gone.json["message"]

    def informed():
        with acting(SYSTEM):
            mine = Message.objects.filter(subject_id=asked.person_id)
            return {t for t in mine.values_list("title", flat=True) if "登记注册信息" in t}

    until(lambda: len(informed()) >= 2, 60)  # answered, revoked


def test_personal_fields_come_masked_unless_the_source_agrees_to_the_original(held):
    firm = code()
    name = datasets.current("ent_registration").field("legal_name").name
    head, line = HEADER.rstrip("\n") + f",{name}\n", row(firm, "脱敏示例公司").rstrip("\n") + ",欧阳明月\n"
    give(head + line)
    api = client(PRODUCT.port, "reporter_xs")
    hidden = granted(("legal_name",), starts="脱敏示例")
    (record,) = api.get(f"hub/grants/{hidden.id}/records").json["records"]
    assert record["legal_name"] == "欧***"
    plain = granted(("legal_name",), starts="脱敏示例", plain=("legal_name",))
    (record,) = api.get(f"hub/grants/{plain.id}/records").json["records"]
    assert record["legal_name"] == "欧阳明月"


def test_a_grant_that_ends_during_a_download_stops_it_and_says_so(held):
    grant, actor = granted(), somebody("reporter_xs")
    lines = reading.stream(actor, grant.id, block=3)
    first = [json.loads(x) for x in next(lines).splitlines()]
    assert [r["uscc"] for r in first] == held[:3]
    end = "update hub_sharinggrant set until = %s where id = %s"  # the application has no right to
    with owner() as con:
        con.execute(end, [timezone.localdate() - timedelta(days=1), grant.id])
    (last,) = [json.loads(x) for x in b"".join(lines).splitlines()]
    assert last["complete"] is False and last["error"] == "over" and last["records"] == 3
    with owner() as con:  # renewed, the rest comes from where it stopped
        con.execute(end, [timezone.localdate(), grant.id])
    with acting(SYSTEM):
        taken = sum(grant.uses.values_list("records", flat=True))
    assert taken == 3  # what did not come was not counted
    rest = [json.loads(x) for x in b"".join(reading.stream(actor, grant.id, last["after"], 3)).splitlines()]
    assert [r["uscc"] for r in rest[:-1]] == held[3:]
    assert rest[-1]["complete"] is True and rest[-1]["records"] == 4 and rest[-1]["next_since"]


def test_a_download_by_api_is_whole_and_says_so_and_a_quota_stops_it(held):
    api = client(PRODUCT.port, "reporter_xs")
    whole = api.get(f"hub/grants/{granted().id}/download").content.splitlines()
    told = json.loads(whole[-1])
    assert (told["complete"], told["records"], len(whole)) == (True, 7, 8)
    later = api.get(f"hub/grants/{granted().id}/records?since={told['next_since']}")
    assert later.status == 422  # another grant's
    part = api.get(f"hub/grants/{granted(daily=5).id}/download").content.splitlines()
    told = json.loads(part[-1])
    assert len(part) == 6 and told["error"] == "quota" and told["after"] and "已经用完" in told["message"]


def test_nobody_else_uses_a_grant_and_nobody_gives_one_to_himself(held):
    grant = granted()
    for who in ("official10", "reporter", "steward"):
        assert client(PRODUCT.port, who).get(f"hub/grants/{grant.id}/records").status == 404
    asker = somebody("reporter_xs")
    with acting(asker), pytest.raises(Refused, match="不由您答复"):
        actions.answer(asker, grant.request_id, True, "同意")
    with pytest.raises(ProgrammingError), transaction.atomic(), acting(asker):  # nor past the commands
        SharingGrant.objects.create(
            request=SharingRequest.objects.create(
                dataset="penalties", org_id=grant.org_id, source_id=grant.source_id, person_id=asker.person_id,
                fields=[], purpose="x", basis="x", reasons="x", daily=1, until="2030-01-01", due_at=timezone.now(),
            ),
            dataset="penalties", org_id=grant.org_id, source_id=grant.source_id, fields=[], purpose="x", basis="x",
            daily=1, since="2020-01-01", until="2030-01-01",
        )  # fmt: skip
    with pytest.raises(ProgrammingError), transaction.atomic(), acting(asker):
        SharingGrant.objects.filter(id=grant.id).update(daily=10**9)


def test_a_cursor_of_one_grant_opens_no_other_and_a_made_up_one_opens_nothing(held):
    first, second = granted(), granted()
    api = client(PRODUCT.port, "reporter_xs")
    place = api.get(f"hub/grants/{first.id}/records?most=2").json["next"]
    assert held[1] not in place  # a key may be what a grant masks
    for after in (place, "x" * 40):
        refused = api.get(f"hub/grants/{second.id}/records?after={after}")
        assert refused.status == 422 and "after 不对" in refused.json["fields"]["after"]


def test_only_what_later_deliveries_brought_comes_with_since(held):
    grant, api = granted(starts="变化示例"), client(PRODUCT.port, "reporter_xs")
    first, second = sorted([code(), code()])
    made = give(HEADER + row(first, "变化示例甲") + row(second, "变化示例乙"))
    give(HEADER + row(second, "变化示例乙二"))
    (change,) = api.get(f"hub/grants/{grant.id}/records?since={made.seq}").json["records"]
    assert change["name"] == "变化示例乙二" and change["_withdrawn"] is False


def test_what_is_shared_freely_needs_no_answer_and_renewal_follows_the_old_grant(visit):
    actor = somebody("reporter_xs")
    dataset = datasets.current("product_licences")
    end = timezone.localdate() + timedelta(days=10)
    wish = Ask((dataset.fields[0].id,), "部门间数据共享", BASIS, REASONS, end, 10)
    with acting(actor):
        asked = actions.ask(actor, dataset, next(iter(actor.posts)), wish)
    with acting(SYSTEM):
        grant = SharingGrant.objects.get(request=asked)
    assert asked.state == "granted" and all(
        f["id"] in {*dataset.key, dataset.fields[0].id} for f in grant.fields
    )
    page = visit("reporter_xs")
    page.goto(f"/desk/data/grants/{grant.id}")
    page.click("text=续期")
    page.wait_for_url("**renews=**")
    assert page.input_value("#basis") == BASIS  # nothing is asked twice
    page.fill("#until", (end + timedelta(days=60)).isoformat())
    with page.expect_navigation():
        page.click("text=提交申请")
    with acting(SYSTEM):
        new = SharingGrant.objects.get(request__renews=grant)
    assert new.since == end + timedelta(days=1)  # two at a time would double the quota


def test_who_uses_a_grant_is_told_once_that_it_ends(visit):
    actor, dataset = somebody("reporter_xs"), datasets.current("inspections")
    wish = Ask(dataset.key, "部门间数据共享", BASIS, REASONS, timezone.localdate() + timedelta(days=3), 10)
    with acting(actor):
        asked = actions.ask(actor, dataset, next(iter(actor.posts)), wish)

    def told():
        with acting(SYSTEM):
            mine = Message.objects.filter(subject_id=asked.person_id, title__contains="监督检查")
            return list(mine.filter(title__contains="到期").values_list("body", flat=True))

    with acting(SYSTEM):
        grant = SharingGrant.objects.get(request=asked)
    ending = OutboxEvent.objects.filter(topic="hub.share_ending", body__grant=str(grant.id))
    reminding.remind()
    with acting(SYSTEM):
        assert not ending.exists()  # not on the day on which it was given
    with owner() as con:
        con.execute("update hub_sharinggrant set since = since - 1 where id = %s", [grant.id])
    reminding.remind()
    assert len(until(told, 60)) == 1 and "续期" in told()[0]
    reminding.remind()
    with acting(SYSTEM):
        assert ending.count() <= 1
    sooner = Ask(dataset.key, "部门间数据共享", BASIS, REASONS, timezone.localdate() + timedelta(days=2), 10)
    with acting(actor), pytest.raises(actions.Faulty, match="晚于原授权"):
        actions.ask(actor, dataset, next(iter(actor.posts)), sooner, renews=grant.id)


def test_revoked_is_revoked_whoever_runs_the_statement(held):
    grant, actor = granted(), somebody("reporter_xs")
    with acting(actor):
        actions.revoke(actor, grant.id, "不再使用")
        assert SharingGrant.objects.filter(id=grant.id).update(revoked_at=None) == 0  # no such row to change
    assert client(PRODUCT.port, "reporter_xs").get(f"hub/grants/{grant.id}/records").status == 403


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Condition("nothing", Test.IS, "x"), "没有。请从列出的字段里选"),
        (Condition("name", Test.FROM, "x"), "不能这样比"),
        (Condition("opened_on", Test.STARTS, "2020"), "不能这样比"),
        (Condition("opened_on", Test.FROM, "去年"), "读不懂"),
        (Condition("region", Test.STARTS, " "), "没有填值"),
    ],
)
def test_a_condition_on_rows_that_makes_no_sense_is_told_with_its_remedy(product, row, words):
    with acting(SYSTEM):
        dataset, rules, today = datasets.current("ent_registration"), actions.rules(), timezone.localdate()
        wish = Ask(("name",), rules.purpose, BASIS, REASONS, today, 1, rows=(row,))
        (fault,) = faults(wish, dataset, rules, today)
        assert fault.field == "row1" and words in fault.text
        good = Condition("opened_on", Test.FROM, "2020-01-01")
        assert faults(replace(wish, rows=(good,)), dataset, rules, today) == []


@pytest.mark.plan("E5")
def test_an_indicator_is_followed_back_to_its_files_with_the_quality_of_each_step(visit):
    with acting(SYSTEM):  # other tests deliver as well: the latest is what the page begins with
        file = Delivery.objects.filter(dataset="penalties", state="loaded").latest("seq").name
    page = visit("steward")
    page.goto("/desk/data/penalties/lineage")
    assert everywhere(page) == []
    text = page.inner_text("main")
    assert file in text and "好行" in text and "受到罚款、没收" in text
    page.click("text=受到罚款、没收")
    page.wait_for_url("**/desk/data/indicators/**")
    cells = page.locator("tbody tr").first.locator("td").all_inner_texts()
    assert file in cells[0] and "退回" in cells[1] and "%" in cells[2] and cells[3] == "受到罚款、没收"
    assert everywhere(page) == []


def test_the_catalogue_leaves_as_dcat_ap():
    told = json.loads(client(PRODUCT.port, "steward").get("hub/catalogue.jsonld").content)
    assert told["@type"] == "dcat:Catalog" and told["dct:title"] and told["dct:publisher"]["foaf:name"]
    found = {d["dct:identifier"]: d for d in told["dcat:dataset"]}
    assert set(found) == {d.id for d in datasets.every()}
    one = found["penalties"]
    assert one["dct:accessRights"]["@id"].endswith("/RESTRICTED")
    assert one["dct:accrualPeriodicity"]["@id"].rsplit("/", 1)[1].isupper()
    assert one["dcat:distribution"][0]["dcat:accessURL"]["@id"].startswith("http")
    prefixes = {k.split(":")[0] for d in told["dcat:dataset"] for k in d if ":" in k}
    assert prefixes <= set(told["@context"])  # every term is resolved
    # The same file as another implementation reads it, against the shapes of the application profile.
    shapes = Graph().parse(Path(__file__).parent / "dcat_ap.ttl")
    graph = Graph().parse(data=json.dumps(told), format="json-ld")
    assert len(set(graph.subjects(RDF.type, DCAT.Dataset))) == len(found)
    holds, _graph, why = validate(graph, shacl_graph=shapes)
    assert holds, why
    for s, p, o in (
        (None, DCTERMS.title, None),
        (None, DCAT.accessURL, None),
        (None, DCAT.endpointURL, None),
        (None, FOAF.name, None),
        (None, RDF.type, DCTERMS.Frequency),
        (None, RDF.type, SKOS.Concept),
    ):
        broken = Graph() + graph
        broken.remove((s, p, o))
        assert not validate(broken, shacl_graph=shapes)[0]
    assert client(PRODUCT.port, "mother").get("hub/catalogue.jsonld").status == 404


LEVELS = ["公开", "一般个人信息", "敏感个人信息", "重要数据"]
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=24)


@given(st.sampled_from(LEVELS), TEXTS)
def test_masks_in_the_database_are_those_of_the_pages(level, text):
    with connection.cursor() as cursor:
        cursor.execute("select hub_masked(%s, %s)", [level, text])
        ((masked,),) = cursor.fetchall()
    assert (masked or "") == shown(Field("x", "x", Type.STRING, level=level), text)
