"""Every page: accessible in each mode, light, and working without JavaScript."""

import gzip
import re

import pytest
from product import PRODUCT, ROOT, until

from yiwang.domains.services.catalogue.models import CatalogueItem
from yiwang.engines.cases.models import Case
from yiwang.engines.hub.models import Delivery
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.documents.models import IssuedDocument

AXE = (ROOT / "ui/node_modules/axe-core/axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = "async tags => (await axe.run(document, {runOnly: {type: 'tag', values: tags}})).violations"
MODES = {
    "standard": ({"width": 1280, "height": 900}, "standard"),
    "elder": ({"width": 1280, "height": 900}, "elder"),
    "phone": ({"width": 360, "height": 780}, "standard"),
}


def violations(page):
    """What axe finds, in short. The CSP allows no inline script, so axe comes in through the debugger."""
    page.evaluate(AXE)
    found = page.evaluate(RUN, TAGS)
    return [f"{v['id']}: {v['help']} {[n['html'][:90] for n in v['nodes'][:3]]}" for v in found]


def everywhere(page):
    """What axe finds in each mode on the page as it stands, and what is wider than a phone.

    Elder mode is an attribute that styles follow, so it needs no reload; what was typed stays.
    """
    size, mode = page.viewport_size, page.get_attribute("html", "data-mode")
    found = {}
    for name, (room, reading) in MODES.items():
        page.set_viewport_size(room)
        page.evaluate("mode => { document.documentElement.dataset.mode = mode }", reading)
        found[name] = violations(page)
        if page.evaluate("document.documentElement.scrollWidth") > room["width"]:
            found[name].append(f"wider than {room['width']} px")
    page.set_viewport_size(size)
    page.evaluate("mode => { document.documentElement.dataset.mode = mode }", mode)
    return [f"{name}: {fault}" for name, faults in found.items() for fault in faults]


def resident_pages():
    with acting(SYSTEM):
        document = IssuedDocument.objects.filter(kind="licence").first()
        shown = CatalogueItem.objects.filter(name__in=["居民身份证补领", "养犬登记", "生育登记"])
        codes = list(shown.values_list("code", flat=True))
    verify = [f"/verify/{document.code}", "/verify/XXXX"]
    catalogue = [
        "/departments",
        "/catalogue",
        "/catalogue?department=济南市历下区公安局",
        "/coverage",
        "/life",
        "/numbers",
        "/decisions",
    ]
    catalogue += ["/life/birth", "/life/home", *(f"/catalogue/{code}" for code in codes)]
    found = [
        "/search",
        "/search?q=生孩子",
        "/search?q=kezhang",
        "/search?q=离昏",
        "/search?q=生孩子要带什么材料",
    ]
    return [
        "/",
        *found,
        "/services/sd.newborn",
        "/publicity",
        "/sampling",
        "/space",
        "/cases",
        "/messages",
        *verify,
        *catalogue,
    ]


@pytest.mark.parametrize("mode", MODES)
def test_no_accessibility_violation_for_residents(visit, mode):
    size, name = MODES[mode]
    visitor = visit(None, viewport=size)
    visitor.context.add_cookies([{"name": "mode", "value": name, "url": PRODUCT.url}])
    found = {}
    visitor.goto("/accounts/login/")
    found["sign-in"] = violations(visitor)
    page = visit(
        "official11", viewport=size
    )  # an official is a resident too; his drafts disturb nobody's test
    page.context.add_cookies([{"name": "mode", "value": name, "url": PRODUCT.url}])
    for path in resident_pages():
        page.goto(path)
        found[path] = violations(page)
    page.goto("/services/yb.insured_proof")
    page.click("text=开始办理")
    page.wait_for_url("**/apply/**")
    base = page.url.rsplit("/", 1)[0]
    for step in ("insured", "service", "check"):
        page.goto(f"{base}/{step}")
        found[step] = violations(page)
    page.goto(f"{base}/service")
    page.fill('[name="service.proof_from"]', "错")
    page.click("text=保存并继续")
    found["errors"] = violations(page)
    page.goto("/services/sd.newborn")
    page.click("text=开始办理")
    page.wait_for_url("**/apply/**")
    base = page.url.rsplit("/", 1)[0]
    for step in ("baby", "hukou", "parents", "card"):
        page.goto(f"{base}/{step}")
        found[step] = violations(page)
    page.goto("/services/nothing")
    found["404"] = violations(page)
    page.goto("/verify")
    found["verify"] = violations(page)
    assert {k: v for k, v in found.items() if v} == {}


WORKPLACES = {
    "official10": ["/desk/undertakings", "/messages", "/mandates", "/uses", "/accounts/2fa/"],
    "manager": ["/desk/manage", "/desk/ratings"],
    "steward": [
        "/desk/publicity",
        "/desk/hub",
        "/desk/hub/ent_registration",
        "/desk/hub/ent_registration/record?uscc=x",
    ],
    "reporter": [
        "/desk/hub",
        "/desk/hub/ent_registration/upload",
        "/desk/data/sharing",
        "/desk/data/penalties/lineage",
    ],
    "credit": [
        "/desk/enterprises",
        "/desk/enterprises/fairness",
        "/desk/enterprises/links",
        "/desk/corrections",
    ],
    "window": ["/window"],
    "author": ["/packs", "/packs/write", "/packs/write?copy=yb.insured_proof"],
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("who", WORKPLACES)
def test_no_accessibility_violation_where_people_work(visit, mode, who):
    size, name = MODES[mode]
    page = visit(who, viewport=size)
    page.context.add_cookies([{"name": "mode", "value": name, "url": PRODUCT.url}])
    found = {}
    with acting(SYSTEM):
        delivery = until(lambda: Delivery.objects.filter(state="loaded", counts__bad__gt=0).first(), 90)
    of_data = [f"/desk/hub/deliveries/{delivery.uid}"] if who == "steward" else []
    for path in WORKPLACES[who] + of_data:
        assert page.goto(path).status == 200, path
        found[path] = violations(page)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"], f"{path} is {wide} px wide"
    assert {k: v for k, v in found.items() if v} == {}


@pytest.mark.parametrize("mode", MODES)
def test_no_accessibility_violation_in_cases_and_at_the_desk(visit, mode):
    size, name = MODES[mode]
    found = {}
    desk = visit("official10", viewport=size)
    desk.context.add_cookies([{"name": "mode", "value": name, "url": PRODUCT.url}])
    desk.goto("/desk")
    found["inbox"] = violations(desk)
    with acting(SYSTEM):
        office = Case.objects.filter(org__name__contains="历下区卫生健康局", kind="service_item").first()
    desk.goto(f"/desk/cases/{office.id}")
    desk.wait_for_selector(".djs-container")
    found["desk case"] = violations(desk)
    mother = visit("mother", viewport=size)
    mother.context.add_cookies([{"name": "mode", "value": name, "url": PRODUCT.url}])
    mother.goto("/cases")
    links = mother.locator(".list h3 a")
    if links.count():
        with mother.expect_navigation():
            links.first.click()
        found["case"] = violations(mother)
        mother.goto(mother.url + "/withdraw")
        found["withdraw"] = violations(mother)
    assert {k: v for k, v in found.items() if v} == {}


def test_form_page_weighs_at_most_60_kb_and_works_without_javascript(visit):
    page = visit("official13", java_script_enabled=False)
    page.goto("/services/yb.insured_proof")
    page.click("text=开始办理")
    page.wait_for_url("**/apply/**")
    page.goto(page.url.rsplit("/", 1)[0] + "/service")
    html = page.content()
    weight = len(gzip.compress(html.encode()))
    for asset in re.findall(r'(?:src|href)="(/static/[^"]+)"', html):
        weight += len(gzip.compress(page.request.get(asset).body()))
    assert weight <= 60 * 1024
    page.fill('[name="service.proof_from"]', "2025-01")
    page.fill('[name="service.proof_to"]', "2025-06")
    page.click("text=保存并继续")
    page.wait_for_url("**/check")
    page.click("text=确认并提交")
    page.wait_for_url("**/cases/**")
    assert "已提交" in page.inner_text("main")


def test_draft_begun_on_one_device_goes_on_on_another(visit):
    desktop = visit("official16")
    desktop.goto("/services/yb.insured_proof")
    desktop.click("text=开始办理")
    desktop.wait_for_url("**/apply/**")
    desktop.goto(desktop.url.rsplit("/", 1)[0] + "/service")
    desktop.fill('[name="service.proof_from"]', "2022-05")
    desktop.click("text=保存并继续")  # the other field is still empty: what was typed is kept all the same
    phone = visit("official16", viewport={"width": 360, "height": 780})
    phone.goto("/cases")
    with phone.expect_navigation():
        phone.click("text=接着填")
    phone.goto(phone.url.rsplit("/", 1)[0] + "/service")
    assert phone.input_value('[name="service.proof_from"]') == "2022-05"
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360


def test_what_no_register_knows_about_the_situation_is_asked_first(visit):
    """An unmarried applicant is asked whether to name the father, and the answer changes the form."""
    page = visit("elder")
    page.goto("/services/sd.newborn")
    page.click("text=开始办理")
    page.wait_for_url("**/apply/**")
    base = page.url.rsplit("/", 1)[0]
    page.goto(f"{base}/questions")
    if page.locator('[name="with_father"]').count():  # another test may have answered already
        assert violations(page) == []
        page.click("text=保存并继续")
        assert page.locator(".errs").count()
        page.check('[name="with_father"][value="false"]')
        with page.expect_navigation():
            page.click("text=保存并继续")
    page.goto(f"{base}/parents")
    assert page.locator('[name="mother.births"]').count()
    assert page.locator('[name="father.name"]').count() == 0
