"""What a share no longer covers is told to whoever keeps a copy; repairs are marked; limits are the database's."""

import itertools
import json
import random
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from client import client
from deliveries import HEADER, code, give, owner, row
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone
from product import PRODUCT
from test_pages import everywhere
from test_sharing_scope import agreed, asked

from yiwang.domains.enterprise import tables
from yiwang.domains.enterprise.models import Correction
from yiwang.domains.enterprise.risk.rules import holds
from yiwang.engines.hub import datasets
from yiwang.engines.hub.models import Delivery
from yiwang.engines.hub.sharing import reading
from yiwang.engines.hub.sharing.contracts import Condition, Test
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.ledger.models import Entry
from yiwang.kernel.packs import api as packs

serial = itertools.count(1)
MINE = "370102"


def number():
    """A number of a decision that nobody has had yet."""
    return f"离开示例〔2026〕{next(serial)}号"


def today(days=0):
    return timezone.localdate() + timedelta(days=days)


def decisions(*told):
    """Decisions delivered, given by number and what differs from the usual; the delivery."""
    usual = {
        "name": "离开示例公司", "kind": "02", "procedure": "2", "facts": "x", "law": "x", "content": "x", "fine": "0.5",
        "decided_on": "2026-01-05", "public_until": today(300), "withdrawn": "否", "authority": "离开示例局",
        "region": MINE,
    }  # fmt: skip
    return delivered("penalties", [{**usual, "decision_no": n, **over} for n, over in told])


def repairs(*told):
    """Repairs delivered: (number of the repair, dataset, number of the record, day, whose: anybody's if not said)."""
    return delivered(
        "credit_repairs",
        [
            {
                "repair_no": r, "uscc": whose[0] if whose else code(), "name": "x", "record_of": of, "record_no": n,
                "repaired_on": day, "authority": "x",
            }
            for r, of, n, day, *whose in told
        ],
    )  # fmt: skip


def delivered(dataset, rows):
    with acting(SYSTEM):
        names = {f.id: f.name for f in datasets.current(dataset).fields}
    ids = list(rows[0])
    lines = [",".join(names[i] for i in ids)] + [",".join(str(row.get(i, "")) for i in ids) for row in rows]
    made = give("\n".join(lines) + "\n", dataset=dataset)
    assert made.state == "loaded" and made.counts["bad"] == 0, made.messages
    return made


def share(*fields, rows=(), dataset="penalties", days=0):
    """A grant of this test's decisions in one region; since ``days`` ago."""
    usual = [Condition("region", Test.IS, MINE), Condition("authority", Test.IS, "离开示例局")]
    grant = agreed(asked(dataset, fields or ["decision_no", "uscc", "fine"], rows or usual))
    if days:
        with owner() as con:
            con.execute("update hub_sharinggrant set since = since - %s where id = %s", [days, grant.id])
    return grant


def fetched(grant, most=1000, **query):
    """(records, next_since) of a fetch, page by page."""
    api, found, after = client(PRODUCT.port, "reporter_xs"), [], ""
    while True:
        more = "".join(f"&{k}={v}" for k, v in {**query, "after": after}.items() if v not in ("", None))
        answer = api.get(f"hub/grants/{grant.id}/records?most={most}{more}")
        assert answer.status == 200, answer.json
        found += answer.json["records"]
        after = answer.json["next"]
        assert bool(after) != bool(answer.json["next_since"])
        if not after:
            return found, answer.json["next_since"]


def by_number(records):
    return {r["decision_no"]: r for r in records}


def published_earlier(delivery, days):
    with owner() as con:
        con.execute(
            "update hub_delivery set loaded_at = loaded_at - %s * interval '1 day' where seq = %s",
            [days, delivery.seq],
        )


def as_of_earlier(since, days):
    """The state that a fetch some days ago would have given."""
    place = reading._opened(since)
    place["since"]["at"] = (timezone.now() - timedelta(days=days)).isoformat()
    return reading._sealed(place)


def test_who_applies_the_changes_has_what_a_full_fetch_gives():
    chance = random.Random(7)
    grant, numbers = share("decision_no", "uscc", "fine", "region"), [number() for _n in range(7)]
    decisions(*((n, {"region": chance.choice([MINE, "370103"])}) for n in numbers[:4]))
    records, since = fetched(grant, most=2)
    copy = by_number(records)
    for _round in range(7):
        for _delivery in range(chance.randint(1, 2)):
            decisions(*(
                (n, {
                    "region": chance.choice([MINE, "370103"]), "fine": chance.choice(["0.5", "0.7"]),
                    "withdrawn": chance.choice(["否", "否", "是"]),
                    "public_until": today(chance.choice([-3, 0, 50])),
                })
                for n in chance.sample(numbers, 3)
            ))  # fmt: skip
        changes, since = fetched(grant, most=chance.choice([1, 2, 100]), since=since)
        for one in changes:
            key = one["decision_no"]
            if one.pop("_withdrawn"):
                assert set(one) == {"decision_no", "_delivery"}  # nothing else of it
                copy.pop(key, None)  # what came and went between two fetches is told, too
            else:
                copy[key] = {k: v for k, v in one.items() if k != "_delivery"}
        assert copy == by_number(fetched(grant)[0])


def test_a_record_whose_day_has_passed_is_told_as_gone_to_whoever_had_it():
    grant = share(days=30)
    left, before, ever, later = number(), number(), number(), number()
    made = decisions(
        (left, {"public_until": today(-1)}), (before, {"public_until": today(-4)}), (ever, {"public_until": ""}),
        (later, {"public_until": today()}),
    )  # fmt: skip
    published_earlier(made, 6)
    since = fetched(grant)[1]
    of_mine = {left, before, ever, later}

    def gone(given):
        told = by_number(fetched(grant, since=given)[0])
        found = {n: told[n] for n in of_mine & set(told)}
        assert all(
            set(r) == {"decision_no", "_withdrawn", "_delivery"} for r in found.values() if r["_withdrawn"]
        )
        return {n for n, r in found.items() if r["_withdrawn"]}

    assert gone(since) == set()  # he fetched today, and did not get it
    assert gone(as_of_earlier(since, 1)) == {left}
    assert gone(as_of_earlier(since, 3)) == {left}  # the other was over when he fetched
    assert gone(as_of_earlier(since, 5)) == {left, before}
    assert gone(made.seq) == {left, before}  # a number: as things stood when it had been published
    with owner() as con:
        con.execute("update hub_sharinggrant set since = %s where id = %s", [today(), grant.id])
    assert gone(made.seq) == set()  # this grant never gave them out


def test_a_key_that_a_grant_never_covered_is_told_to_nobody():
    elsewhere, moved, before, withdrawn = number(), number(), number(), number()
    first = decisions(
        (elsewhere, {"region": "370103"}), (moved, {}), (before, {}), (withdrawn, {"withdrawn": "是"})
    )
    published_earlier(first, 9)
    second = decisions((before, {"region": "370103"}))
    published_earlier(second, 3)
    grant = share(days=1)
    third = decisions(
        (elsewhere, {"region": "370103", "fine": "0.9"}), (moved, {"region": "370103"}),
        (withdrawn, {"withdrawn": "是", "fine": "0.9"}),
    )  # fmt: skip
    own = {elsewhere, moved, before, withdrawn}
    for since in (0, first.seq - 1, first.seq, second.seq):
        told = by_number(fetched(grant, since=since)[0])
        assert set(told) & own == {moved} and told[moved]["_withdrawn"] is True
    assert set(by_number(fetched(grant, since=third.seq)[0])) & own == set()


def test_a_gone_record_is_matched_by_its_masked_key_and_stands_in_the_ledger():
    one, firm, other = number(), code(), code()
    decisions((one, {"uscc": firm}))
    grant = share()
    with owner() as con:
        fields = [{**f, "mask": f["id"] == "decision_no", "level": "一般个人信息"} for f in grant.fields]
        con.execute("update hub_sharinggrant set fields = %s where id = %s", [json.dumps(fields), grant.id])
    records, since = fetched(grant, subject=firm)
    assert [r["decision_no"] for r in records] == [f"{one[:3]}****{one[-2:]}"]
    everything = fetched(grant)[1]
    decisions((one, {"uscc": other, "region": "370103"}))
    (told,) = fetched(grant, subject=firm, since=since)[0]
    assert told["decision_no"] == records[0]["decision_no"] and told["_withdrawn"] is True
    assert [r["_withdrawn"] for r in fetched(grant, since=everything)[0]] == [True]
    with acting(SYSTEM):  # the one whose record he had, not the one whose it is now
        use = grant.uses.latest("id")
        assert (use.records, use.gone) == (1, 1)
        assert Entry.objects.filter(use_id=use.use_id).count() == 1
    assert fetched(grant, subject=other, since=0)[0] == []


def test_a_delivery_that_is_published_after_a_later_one_is_not_missed():
    slow, quick = number(), number()
    decisions((slow, {"fine": "0.1"}), (quick, {"fine": "0.1"}))
    grant = share()
    with acting(SYSTEM), transaction.atomic():
        made = give("placeholder", dataset="penalties", wait=False)
        Delivery.objects.filter(pk=made.pk).update(not_before=timezone.now() + timedelta(hours=1))
    decisions((quick, {"fine": "0.2"}))
    records, since = fetched(grant)
    assert made.seq in reading._opened(since)["since"]["pending"]
    with owner() as con:  # as if it had brought the record, published after the other
        con.execute(
            "update hub.penalties set _delivery = %s, fine = 0.3 where decision_no = %s", [made.seq, slow]
        )
        con.execute("update hub_delivery set state = 'refused' where seq = %s", [made.seq])
    told = by_number(fetched(grant, since=since)[0])
    assert set(told) == {slow} and float(told[slow]["fine"]) == 0.3 and records


def test_what_is_handed_back_must_be_what_was_given():
    grant, other = share(), share()
    since, api = fetched(other)[1], client(PRODUCT.port, "reporter_xs")
    for wrong in (since, "x" * 40, "-1", "2147483648", "%EF%BC%91"):
        refused = api.get(f"hub/grants/{grant.id}/records?since={wrong}")
        assert refused.status == 422 and "next_since" in refused.json["fields"]["since"]
    mine = fetched(grant)[1]
    assert api.get(f"hub/grants/{grant.id}/records?since={mine}&subject={code()}").status == 422
    assert api.get(f"hub/grants/{grant.id}/records?after={mine}").status == 422


def test_a_repaired_record_says_from_when_as_the_points_table_does():
    minor, general, serious, plain, early = (number() for _n in range(5))
    rows = [
        (minor, {"kind": "01"}), (general, {}), (serious, {"fine": "20"}), (plain, {}),
        (early, {"kind": "03", "fine": ""}),
    ]  # fmt: skip
    decisions(*rows)
    grant = share("decision_no", "fine")
    since = fetched(grant)[1]
    day = {minor: "2026-02-01", general: "2026-02-01", serious: "2026-02-01", early: "2027-03-01"}
    ids = {n: f"XF-{n}" for n in day}
    repairs(*((ids[n], "penalties", n, d) for n, d in day.items() if d <= str(today())))
    told = by_number(fetched(grant)[0])
    with acting(SYSTEM):
        table = tables.current()
    for n, over in rows[:3]:
        values = {"kind": "02", "procedure": "2", "fine": 0.5, "confiscated": None, **over}
        values["fine"] = float(values["fine"])
        found = [i for i in table.indicators if i.dataset == "penalties" and holds(i.when, values, today())]
        acts = max(date(2026, 1, 5) + timedelta(days=i.min_days) for i in found)
        assert told[n]["_repaired"] == str(max(acts, date(2026, 2, 1))), n
    assert told[minor]["_repaired"] == "2026-02-01" and told[serious]["_repaired"] == "2027-01-05"
    assert told[plain]["_repaired"] is None and told[early]["_repaired"] is None
    changes = by_number(fetched(grant, since=since)[0])  # nothing was delivered of the records themselves
    assert set(changes) == {minor, general, serious} and changes[general]["_repaired"] == "2026-04-05"
    lines = client(PRODUCT.port, "reporter_xs").get(f"hub/grants/{grant.id}/download").content.splitlines()
    assert told == by_number(json.loads(line) for line in lines[:-1])
    since = json.loads(lines[-1])["next_since"]
    delivered("credit_repairs", [{
        "repair_no": ids[general], "uscc": code(), "name": "x", "record_of": "penalties", "record_no": plain,
        "repaired_on": "2026-03-01", "authority": "x",
    }])  # fmt: skip
    changes = by_number(fetched(grant, since=since)[0])  # the source put the number right
    assert {n: r["_repaired"] for n, r in changes.items()} == {general: None, plain: "2026-04-05"}


def test_the_term_of_a_trade_holds_for_its_records_alone():
    food, other = code(), code()
    give(HEADER + "".join(row(c) for c in (food, other)))
    with owner() as con:
        con.execute("update hub.ent_registration set industry = 'C1411' where uscc = %s", [food])
    numbers = {c: number() for c in (food, other)}
    usual = {"result": "2", "inspected_on": "2026-01-05", "authority": "离开示例局"}
    with acting(SYSTEM):
        fields = datasets.current("inspections").fields
    lines = [
        {
            **{f.id: f.example or (min(f.codes) if f.codes else "x") for f in fields if f.required},
            **usual, "uscc": c, "inspection_no": n,
        }
        for c, n in numbers.items()
    ]  # fmt: skip
    delivered("inspections", lines)
    repairs(*((f"XF-{n}", "inspections", n, "2026-01-20", c) for c, n in numbers.items()))
    with owner() as con:
        told = con.execute("select key, repaired from hub_marks('inspections', %s)", [list(numbers.values())])
        assert dict(told.fetchall()) == {numbers[food]: date(2026, 4, 5), numbers[other]: date(2026, 1, 20)}


def test_a_dispute_is_told_to_whoever_keeps_a_copy():
    one = number()
    decisions((one, {}))
    grant = share()
    since = fetched(grant)[1]
    with acting(SYSTEM):
        Correction.objects.create(
            uscc="91379901MB00000193", dataset="penalties", key=one, title="x", words="x", asked_by="x",
            due_on=today(), delivery=1,
        )  # fmt: skip
    assert by_number(fetched(grant, since=since)[0])[one]["_disputed"] is True
    with acting(SYSTEM):
        Correction.objects.filter(key=one).update(done_at=timezone.now())
    assert by_number(fetched(grant, since=since)[0])[one]["_disputed"] is False


@contextmanager
def packs_with(path, old, new):
    """The product runs by other packs for a while."""
    with acting(SYSTEM):
        before = packs.current_release()
        files = packs.Release.objects.get(sha256=before).files
        content = bytes(packs.PackFile.objects.get(sha256=files[path]).content).decode()
    assert old in content
    try:
        with acting(SYSTEM), packs.tree_with(path, content.replace(old, new)) as root:
            packs.load(root)
        yield
    finally:
        with acting(SYSTEM), packs.tree_with(path, content) as root:
            assert packs.load(root)[0] == before


def test_other_limits_hold_from_the_first_read_after_packs_are_loaded():
    over, stays = number(), number()
    decisions((over, {"public_until": today(-1)}), (stays, {}))
    grant = share()
    assert over not in by_number(fetched(grant)[0])
    limits = ", rows: [{field: public_until, test: from, value: today, or_missing: true}]"
    with packs_with("base/datasets/penalties.yaml", limits, ""):
        records, since = fetched(grant)
        assert {over, stays} <= set(by_number(records))
    told = by_number(fetched(grant, since=since)[0])
    assert told[over]["_withdrawn"] is True and stays not in told  # the limits of then are known
    assert over not in by_number(fetched(grant)[0])


def test_limits_are_written_by_the_owner_alone_and_without_them_nothing_is_given(visit):
    grant, api = share(), client(PRODUCT.port, "reporter_xs")
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("update hub_sharinglimits set rows = '[]'")
    release = packs.current_release()
    which = "from hub_sharinglimits where dataset = 'penalties' and release = %s"
    with owner() as con:
        ((rows,),) = con.execute(f"select rows {which}", [release]).fetchall()
        con.execute(f"delete {which}", [release])
        try:
            refused = api.get(f"hub/grants/{grant.id}/records")
            assert refused.status == 503 and "几秒后" in refused.json["message"]
            assert grant.uses.count() == 0  # nor counted
            page = visit("reporter_xs")
            page.goto("/desk/data/penalties?preview=1")
            assert "几秒后" in page.inner_text("main")
        finally:
            con.execute(
                "insert into hub_sharinglimits (dataset, release, rows) values ('penalties', %s, %s)",
                [release, json.dumps(rows)],
            )
    assert api.get(f"hub/grants/{grant.id}/records").status == 200


def test_the_report_says_how_many_were_told_to_be_gone(visit):
    one = number()
    decisions((one, {}))
    grant = share()
    since = fetched(grant)[1]
    decisions((one, {"withdrawn": "是"}))
    assert by_number(fetched(grant, since=since)[0])[one]["_withdrawn"] is True
    page = visit("reporter_xs")
    page.goto(f"/desk/data/grants/{grant.id}")
    assert "next_since" in page.inner_text("main") and everywhere(page) == []
    cells = page.locator("tbody tr").first.locator("td").all_inner_texts()
    assert cells[3] == "1"
    report = page.request.get(f"/desk/data/grants/{grant.id}/use.csv").text().splitlines()
    assert report[0].endswith("其中告知不再提供,账号数") and report[1].endswith(",1,1")


def test_a_new_field_of_a_contract_is_asked_for_before_it_is_delivered():
    one = number()
    decisions((one, {}))
    field = "  region: {name: 所在区划,"
    new = "  court: {name: 复议机关, type: string, level: 公开}\n"
    with packs_with("base/datasets/penalties.yaml", field, new + field):
        grant = share("decision_no", "court")
        assert by_number(fetched(grant)[0])[one]["court"] is None
