"""Messages on their way out: not at night, not twice, not lost when the gateway fails, and a bounce is said."""

import json
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from product import PRODUCT, until
from test_desk import apply, grant_at
from test_pages import everywhere

from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Person
from yiwang.kernel.ids import new_id
from yiwang.kernel.notify import api, ports
from yiwang.kernel.notify.models import Delivery, Message

HERE = ZoneInfo("Asia/Shanghai")
QUIET = (time(21), time(8))


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (datetime(2026, 11, 24, 12, tzinfo=HERE), datetime(2026, 11, 24, 12, tzinfo=HERE)),
        (datetime(2026, 11, 24, 20, 59, tzinfo=HERE), datetime(2026, 11, 24, 20, 59, tzinfo=HERE)),
        (datetime(2026, 11, 24, 21, tzinfo=HERE), datetime(2026, 11, 25, 8, tzinfo=HERE)),
        (datetime(2026, 11, 25, 3, tzinfo=HERE), datetime(2026, 11, 25, 8, tzinfo=HERE)),
        (datetime(2026, 11, 25, 8, tzinfo=HERE), datetime(2026, 11, 25, 8, tzinfo=HERE)),
        (datetime(2026, 12, 31, 23, 30, tzinfo=HERE), datetime(2027, 1, 1, 8, tzinfo=HERE)),
    ],
)
def test_nobody_is_woken(now, then):
    assert api.after_quiet(now, QUIET) == then
    assert api.after_quiet(now, None) == now


def test_a_decision_goes_out_as_a_text_message_once_with_its_receipt(visit):
    father, clerk = visit("father"), visit("official16")
    _path, number = apply(father, "2004-01")
    grant_at(clerk, number)

    def queued():
        with acting(SYSTEM):
            mine = Delivery.objects.filter(message__body__contains="基本医疗保险参保凭证", way="sms")
            return mine.filter(subject_id=Person.objects.get(users__username="father").id).first()

    delivery = until(queued, 20)
    with acting(SYSTEM):
        Delivery.objects.filter(id=delivery.id).update(not_before=timezone.now())  # the night is over

    def sent():
        with acting(SYSTEM):
            return Delivery.objects.get(id=delivery.id).state == Delivery.SENT

    until(sent, 20)
    lines = [json.loads(line) for line in (PRODUCT.var / "outbox/sms.jsonl").read_text().splitlines()]
    with acting(SYSTEM):
        receipt = Delivery.objects.get(id=delivery.id).receipt
    assert [line["id"] for line in lines].count(receipt) == 1
    father.goto("/messages")
    assert "短信已发" in father.inner_text("main")
    assert everywhere(father) == []


def test_a_message_that_bounces_is_said_and_the_address_not_tried_again(visit):
    elder = visit("elder")
    elder.goto("/messages")
    elder.click("summary:has-text('还想怎样')")
    elder.fill("#phone", "123")
    elder.click("text=保存")
    assert "不是 11 位手机号" in elder.inner_text("main")
    assert elder.input_value("#phone") == "123"
    elder.fill("#phone", "13900000000")
    elder.fill("#email", "sun@example.cn")
    elder.click("text=保存")
    assert "已保存" in elder.inner_text("main")
    with acting(SYSTEM):
        person = Person.objects.get(users__username="elder")
        first = new_id()
        api.tell(first, person.id, "试发", "试发一条", ways=["sms", "email"])
        Delivery.objects.filter(message_id=first).update(not_before=timezone.now())

    def told():
        elder.goto("/messages")
        return "短信没有送达" in elder.inner_text("main")

    until(told, 20)
    assert "空号" in elder.inner_text("main")
    with acting(SYSTEM):
        assert Delivery.objects.get(message_id=first, way="email").state == Delivery.SENT
        second = new_id()
        api.tell(second, person.id, "再发", "再发一条", ways=["sms", "email"])
        assert [d.way for d in Delivery.objects.filter(message_id=second)] == ["email"]
    elder.click("summary:has-text('还想怎样')")
    elder.fill("#phone", "13900000001")
    elder.click("text=保存")
    with acting(SYSTEM):
        third = new_id()
        api.tell(third, person.id, "三发", "三发一条", ways=["sms"])
        assert Delivery.objects.filter(message_id=third).count() == 1  # a new number is tried


def test_a_gateway_that_fails_is_tried_again_and_a_dead_sender_is_taken_over(monkeypatch):
    class Flaky:
        calls = 0

        def send(self, address, title, text):
            Flaky.calls += 1
            if Flaky.calls == 1:
                raise ConnectionError("网关没有应答")
            return "ok"

    flaky = Flaky()
    monkeypatch.setattr(ports, "sender", lambda way: flaky)
    with acting(SYSTEM):
        person = Person.objects.get(users__username="mother")
        message = Message.objects.create(subject_id=person.id, title="重试", body="重试")
        # Claimed by a sender that died: its lease has run out. Far in the past, so that no worker is faster.
        delivery = Delivery(
            message=message,
            subject_id=person.id,
            way="sms",
            address="13900000009",
            state=Delivery.SENDING,
            not_before=timezone.now() + timedelta(hours=1),
        )
        delivery.save(force_insert=True)
    api._send(delivery)
    with acting(SYSTEM):
        waiting = Delivery.objects.select_related("message").get(id=delivery.id)
        assert waiting.state == Delivery.WAITING
        assert "没有应答" in waiting.error
        Delivery.objects.filter(id=delivery.id).update(not_before=timezone.now() + timedelta(hours=1))
    api._send(waiting)
    with acting(SYSTEM):
        assert Delivery.objects.get(id=delivery.id).state == Delivery.SENT
