"""Whoever holds reporting posts in two offices says for which of them he delivers."""

from datetime import date, timedelta

import pytest
from client import client
from deliveries import HEADER, code, done, row, serial
from django.utils import timezone
from test_pages import everywhere
from test_territory import CITY, ONE, TWO

from yiwang.engines.hub.models import Delivery
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Person, User
from yiwang.kernel.orgs.models import Post
from yiwang.kernel.orgs.queries import responsible


@pytest.fixture
def of_both():
    """An official with reporting posts in two counties; her posts end with the test."""
    with acting(SYSTEM):
        person = Person.objects.filter(users=None, posts=None).order_by("id")[9100]
        user = User(
            username=f"both_{next(serial)}", person=person, demo_role="两县　数据归集", demo_order=901
        )
        user.set_unusable_password()
        user.save()
        made = [
            Post.objects.create(
                person=person, org=responsible("市场监管", region), title="数据归集", roles=["reporter"],
                since=date(2020, 1, 1),
            )
            for region in (ONE, TWO)
        ]  # fmt: skip
    yield user.username
    with acting(SYSTEM):
        Post.objects.filter(id__in=[post.id for post in made]).update(
            until=timezone.localdate() - timedelta(days=1)
        )


def test_whoever_reports_for_two_offices_says_for_which(visit, product, of_both, tmp_path):
    with acting(SYSTEM):
        one, two = responsible("市场监管", ONE), responsible("市场监管", TWO)
        place = two.region.name

    def of(uid):
        with acting(SYSTEM):
            return Delivery.objects.get(uid=uid)

    mine = code()
    file = tmp_path / "二.csv"
    file.write_text(HEADER + row(mine, region=TWO))
    page = visit(of_both, java_script_enabled=False)
    page.goto("/desk/hub/ent_registration/upload")
    text = page.inner_text("main")
    assert "先选是哪个单位的" in text and f"{two.name}：本单位只报{place}的记录" in text
    page.select_option("#office", str(two.id))
    page.set_input_files("#file", file)
    page.click("button:has-text('上传')")
    page.wait_for_url("**/desk/hub/deliveries/**")
    loaded = done(of(page.url.rsplit("/", 1)[1]))
    assert (loaded.org_id, loaded.counts["good"], loaded.counts["bad"]) == (two.id, 1, 0)
    page.goto("/desk/hub/ent_registration/upload")
    page.select_option("#nothing-office", str(two.id))
    page.click("button:text-is('本期没有变化')")
    page.wait_for_url("**/desk/hub/deliveries/**")
    assert of(page.url.rsplit("/", 1)[1]).org_id == two.id
    # What was chosen stays when something is wrong.
    page.goto("/desk/hub/ent_registration/upload")
    form = {"csrfmiddlewaretoken": page.locator("main [name=csrfmiddlewaretoken]").first.input_value()}
    again = page.request.post(page.url, form={**form, "office": str(two.id)}, headers={"Referer": page.url})
    assert again.status == 422 and again.text().count(f'value="{two.id}" selected') == 2
    # The script that sends a file in pieces says it too.
    begun = page.request.post(
        "/desk/hub/ent_registration/begin",
        form={**form, "office": str(two.id), "name": "x.csv", "size": "10"}, headers={"Referer": page.url},
    )  # fmt: skip
    assert of(begun.json()["address"].split("/")[-2]).org_id == two.id
    page = visit(of_both)
    page.goto("/desk/hub/ent_registration/upload")
    assert everywhere(page) == []

    call, base = client(product.port, of_both), "hub/datasets/ent_registration"
    record = dict(zip(HEADER.strip().split(","), row(code(), region=TWO).strip().split(","), strict=True))
    sent = {"batch": f"两县-{next(serial)}", "records": [record]}
    assert call.post(f"{base}/sandbox", sent).json["refused"] == 1  # the first of his offices is meant
    assert call.post(f"{base}/sandbox", {**sent, "office": str(two.id)}).json["good"] == 1
    pushed = call.post(f"{base}/records", {**sent, "office": str(two.id)}).json
    assert done(of(pushed["delivery"])).org_id == two.id
    with acting(SYSTEM):
        city = responsible("市场监管", CITY)
    for path in ("sandbox", "records"):
        refused = call.post(f"{base}/{path}", {**sent, "batch": "别处", "office": str(city.id)})
        assert (
            refused.status == 403
            and one.name in refused.json["message"]
            and str(two.id) in refused.json["message"]
        )
    page = visit("reporter")
    page.goto("/desk/hub/ent_registration/upload")
    assert page.locator("select").count() == 0 and "的名义报送" in page.inner_text("main")
