"""公示: a decision is public the minute it is delivered, within the law's days; withdrawn or repaired it is gone."""

import dataclasses
import http.server
import io
import json
import threading
import urllib.request
from datetime import timedelta

import pytest
from deliveries import code, done, give, owner, sample
from django.conf import settings
from django.utils import timezone
from product import PRODUCT, until
from test_pages import everywhere

from yiwang.config.demo.enterprises import NAME, USCC
from yiwang.domains.enterprise import actions as corrections
from yiwang.domains.publicity import pushing
from yiwang.domains.publicity.models import Notice
from yiwang.domains.publicity.records import AT_ONCE
from yiwang.engines.hub import actions as hub_actions
from yiwang.engines.hub import datasets
from yiwang.engines.hub.contracts import Mode
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Enterprise, User
from yiwang.kernel.accounts.queries import actor_of
from yiwang.kernel.ids import new_id
from yiwang.kernel.notify.models import Message


def number():
    return f"测公罚〔2026〕{new_id().hex[-8:]}号"


def penalty(no, uscc, **over):
    today = timezone.localdate()
    facts = {
        "decision_no": no, "uscc": uscc, "name": "公示测试企业", "kind": "02", "procedure": "2", "fine": "1.2",
        "decided_on": str(today - timedelta(days=2)), "public_until": str(today + timedelta(days=300)), **over,
    }  # fmt: skip
    head, line = sample(datasets.current("penalties"), **facts)
    assert give(head + line, dataset="penalties", mode=Mode.CHANGE).counts["good"] == 1


def ago(days):
    return str(timezone.localdate() - timedelta(days=days))


def notice(no):
    with acting(SYSTEM):
        return Notice.objects.filter(number=no).first()


@pytest.mark.plan("R24")
def test_a_penalty_is_published_in_time_and_taken_down_when_withdrawn(visit, monkeypatch):
    no = number()
    penalty(no, USCC, name=NAME)
    made = until(lambda: notice(no), 30)
    assert not made.late and made.published_at - made.due_at < timedelta(0)
    visitor = visit(None)
    visitor.goto(f"/publicity?q={no}")
    shown = visitor.inner_text("main")
    assert NAME in shown and "罚款、没收违法所得" in shown and USCC in shown
    assert everywhere(visitor) == []
    with acting(SYSTEM):
        own = Enterprise.objects.get(uscc=USCC)
        told = until(lambda: Message.objects.filter(subject_id=own.id, body__contains=no).first(), 20)
    assert "申请更正" in told.body

    received = platform(monkeypatch)
    pushing.push()
    assert received[no]["state"] == "public" and received[no]["fields"]["处罚决定书文号"] == no
    received.clear()
    pushing.push()
    assert received == {}  # told once

    penalty(no, USCC, name=NAME, withdrawn="是")
    until(lambda: notice(no).down_at, 30)
    visitor.goto(f"/publicity?q={no}")
    assert "没有正在公示的决定" in visitor.inner_text("main")
    pushing.push()
    assert (
        received[no]["state"] == "down" and "撤回" in received[no]["reason"] and "fields" not in received[no]
    )
    steward = visit("steward")
    steward.goto("/desk/publicity")
    assert no in steward.inner_text("main")
    assert everywhere(steward) == []


def platform(monkeypatch):
    """Another publicity platform that keeps what it is told, by number."""
    received = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            for one in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
                received[one["number"]] = one
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr(settings, "ENV", dataclasses.replace(settings.ENV, publicity_url=url))
    return received


def repair(no, uscc, repair_no, **over):
    head, line = sample(
        datasets.current("credit_repairs"), repair_no=repair_no, uscc=uscc, record_no=no,
        repaired_on=str(timezone.localdate()), **over,
    )  # fmt: skip
    assert give(head + line, dataset="credit_repairs").counts["good"] == 1


def test_a_slight_one_is_not_published_and_a_repaired_one_stays_away_however_its_record_is_corrected(visit):
    slight, repaired, uscc = number(), number(), code()
    penalty(slight, uscc, procedure="1")
    penalty(repaired, uscc, decided_on=ago(100))
    until(lambda: notice(repaired), 30)
    assert notice(slight) is None
    repair(repaired, uscc, new_id().hex)
    until(lambda: notice(repaired).down_at, 30)
    assert "信用修复" in notice(repaired).down_why
    marker = number()
    penalty(
        repaired, uscc, decided_on=ago(100), content="更正了一个错字"
    )  # the record changes, the repair holds
    penalty(marker, uscc)
    until(lambda: notice(marker), 30)  # deliveries are looked at in their order
    assert notice(repaired).down_at is not None
    page = visit(None)
    page.goto(f"/publicity?q={uscc}")
    text = page.inner_text("main")
    assert marker in text and repaired not in text and slight not in text


def test_a_repair_that_came_first_keeps_a_decision_from_being_published():
    no, marker, uscc = number(), number(), code()
    repair(no, uscc, new_id().hex)
    penalty(no, uscc, decided_on=ago(100))
    penalty(marker, uscc)
    until(lambda: notice(marker), 30)
    assert notice(no) is None


def test_whoever_delivers_a_repair_of_nothing_is_told_and_it_works_when_the_record_comes(visit, become):
    no, uscc = number(), code()
    head, line = sample(
        datasets.current("credit_repairs"),
        repair_no=new_id().hex,
        uscc=uscc,
        record_no=no,
        repaired_on=ago(0),
    )
    office, content = become("reporter_dsj"), (head + line).encode()
    with acting(office):
        found = datasets.current("credit_repairs")
        made = hub_actions.receive(office, found, "t.csv", io.BytesIO(content), len(content), timezone.now())
    made = done(made)
    assert made.counts["good"] == 1 and made.counts["bad"] == 0
    assert [m["value"] for m in made.messages if "没有这条记录" in m["what"]] == [no]
    page = visit("reporter_dsj")
    page.goto(f"/desk/hub/deliveries/{made.uid}")
    shown = page.inner_text("main")
    assert no in shown and "行政处罚信息" in shown and "核对记录编号" in shown
    penalty(no, uscc, decided_on=ago(100))
    again = give(head + line.replace("示例", "某局"), dataset="credit_repairs")
    assert not [m for m in again.messages if "没有这条记录" in m["what"]]
    assert notice(no) is None


def test_a_repair_that_names_the_dataset_by_its_name_is_refused_with_the_code():
    head, line = sample(
        datasets.current("credit_repairs"), repair_no=new_id().hex, uscc=code(), record_of="行政处罚"
    )
    made = give(head + line, dataset="credit_repairs")
    assert made.counts["bad"] == 1 and made.messages[0]["proposal"] == "penalties"


def test_a_large_delivery_is_published_to_its_last_line():
    told = [number() for _n in range(AT_ONCE + 5)]
    head, lines = "", []
    for no in told:
        head, line = sample(datasets.current("penalties"), decision_no=no, uscc=code(), kind="02", fine="1")
        lines.append(line)
    assert give(head + "".join(lines), dataset="penalties", mode=Mode.CHANGE).counts["good"] == len(told)

    def published():
        with acting(SYSTEM):
            return Notice.objects.filter(number__in=told).count() == len(told)

    until(published, 60)


def test_a_decision_that_came_too_late_is_said_so_and_a_backlog_is_not_late(visit):
    late, backlog, uscc = number(), number(), code()
    penalty(backlog, uscc, decided_on=ago(60))
    until(lambda: notice(backlog), 30)
    assert notice(backlog).backlog and not notice(backlog).late
    with owner() as con:  # as if the first delivery had come half a year ago
        con.execute(
            "update hub_delivery set loaded_at = loaded_at - interval '180 days' where seq = "
            "(select min(seq) from hub_delivery where dataset = 'penalties' and state = 'loaded')"
        )
    penalty(late, uscc, decided_on=ago(60))
    until(lambda: notice(late), 30)
    assert notice(late).late
    desk = visit("credit")
    desk.goto("/desk/publicity")
    shown = desk.inner_text("main")
    assert late in shown and backlog not in shown


def test_nobody_hears_of_a_decision_whose_term_is_over_and_no_source_can_lengthen_it(visit, monkeypatch):
    """A penalty of years ago without a day, one until 2039, one that was over before it came."""
    old, long, over, uscc = number(), number(), number(), USCC
    penalty(old, uscc, decided_on="2019-03-01", public_until="")
    penalty(over, uscc, decided_on=ago(90), public_until=ago(1))
    penalty(long, uscc, decided_on=ago(30), public_until="2039-12-31")
    made = until(lambda: notice(long), 30)
    assert made.until == made.decided_on + timedelta(days=365)
    assert notice(old) is None and notice(over) is None
    received = platform(monkeypatch)
    pushing.push()
    assert received[long]["until"] == str(made.until) and old not in received and over not in received
    with acting(SYSTEM):
        assert not Message.objects.filter(body__contains=over).exists()


def test_on_the_day_after_its_term_it_comes_down_by_itself_and_everybody_hears_of_it(monkeypatch):
    no = number()
    penalty(no, USCC)
    until(lambda: notice(no), 30)
    received = platform(monkeypatch)
    pushing.push()
    with acting(SYSTEM):
        Notice.objects.filter(number=no).update(until=timezone.localdate() - timedelta(days=1))
    penalty(number(), USCC)  # after work, the collector's process looks around soon
    until(lambda: notice(no).down_at, 120)
    assert "期满" in notice(no).down_why
    pushing.push()
    assert received[no]["state"] == "down" and "fields" not in received[no]
    with acting(SYSTEM):
        assert Message.objects.filter(body__contains=f"{no} 不再公示").count() == 1


def test_a_repair_before_the_shortest_term_waits_for_its_end_and_says_so(visit):
    no, today = number(), timezone.localdate()
    penalty(no, USCC, decided_on=ago(30), public_until="2039-12-31", fine="12")  # a serious one
    until(lambda: notice(no), 30)
    repair(no, USCC, new_id().hex)
    pending = until(lambda: (n := notice(no)) and "修复" in n.end_why and n, 30)
    last = today - timedelta(days=30) + timedelta(days=364)
    assert pending.down_at is None and pending.until == last
    with acting(SYSTEM):
        told = until(lambda: Message.objects.filter(body__contains=f"{no} 的信用修复").first(), 20)
    assert str(last) in told.body and "最短公示期" in told.body
    page = visit(None)
    page.goto(f"/publicity?q={no}")
    assert "次日停止：已经信用修复" in page.inner_text("main")


def test_what_is_in_dispute_is_marked_and_what_is_found_wrong_is_down_until_it_is_delivered_anew(visit):
    no = number()
    penalty(no, USCC)
    until(lambda: notice(no), 30)
    with acting(SYSTEM):
        actor = actor_of(User.objects.get(username="boss"), str(Enterprise.objects.get(uscc=USCC).id))
    with acting(actor):
        asked = corrections.ask(actor, "penalties", no, "这不是我们单位的处罚")
    until(lambda: notice(no).disputed, 30)
    page = visit(None)
    page.goto(f"/publicity?q={no}")
    assert "有异议，核实中" in page.inner_text("main") and everywhere(page) == []
    with acting(SYSTEM):
        corrections.answer(SYSTEM, asked.id, True, "确实登记错了当事人")
    down = until(lambda: (n := notice(no)) and n.down_at and n, 30)
    assert "有误" in down.down_why
    penalty(no, USCC, content="更正后的内容")
    up = until(lambda: (n := notice(no)) and n.down_at is None and n, 30)
    assert not up.disputed
    page.goto(f"/publicity?q={no}")
    assert "更正后的内容" in page.inner_text("main") and "有异议" not in page.inner_text("main")


def test_notices_of_an_older_version_of_the_pack_are_made_anew():
    no = number()
    penalty(no, code())
    made = until(lambda: notice(no), 30)
    with acting(SYSTEM):
        Notice.objects.filter(number=no).update(version=0, until=None)
    again = until(
        lambda: (n := notice(no)) and n.version and n, 120
    )  # the collector may be grading everybody
    assert again.until == made.until


def test_a_platform_that_is_away_is_told_later(monkeypatch):
    no = number()
    penalty(no, code())
    until(lambda: notice(no), 30)
    monkeypatch.setattr(
        settings, "ENV", dataclasses.replace(settings.ENV, publicity_url="http://127.0.0.1:9/")
    )
    pushing.push()
    assert notice(no).pushed_at is None
    with acting(SYSTEM):  # of what waits, the oldest were tried
        tried = Notice.objects.filter(pushed_at=None).order_by("id").first()
    assert "refused" in tried.push_error
    received = platform(monkeypatch)
    pushing.push()
    assert notice(no).pushed_at is not None
    assert received[no]["state"] == "public" and notice(no).push_error == ""


def test_the_feed_goes_on_where_one_left_off():
    no = number()
    penalty(no, code())
    until(lambda: notice(no), 30)
    seen, after = [], ""
    while page := _feed(after):
        seen += [n["number"] for n in page]
        after = page[-1]["id"]
    assert no in seen and len(seen) == len(set(seen))


def _feed(after):
    with urllib.request.urlopen(f"{PRODUCT.url}/publicity/feed?after={after}") as answer:
        return json.load(answer)["notices"]
