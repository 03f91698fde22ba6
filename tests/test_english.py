"""The portal in English: every string of ours is translated, and what stays Chinese says that it is."""

import ast
import gettext
import re
from datetime import date, timedelta

import pytest
from product import ROOT
from test_items import ENTERPRISE, switch
from test_pages import MODES, violations

from yiwang.kernel.packs.loader import read

LOCALE = ROOT / "src/yiwang/locale/en/LC_MESSAGES"
CHINESE = """() => {
  const found = new Set(), walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  let node
  while ((node = walk.nextNode())) {
    const at = node.parentElement
    if (!/[\\u3400-\\u9fff]/.test(node.data) || ['SCRIPT', 'STYLE'].includes(at.tagName)) continue
    if (!at.closest('[lang]').getAttribute('lang').startsWith('zh')) found.add(node.data.trim())
  }
  return [...found]
}"""
WIDE = """() => {
  if (document.documentElement.scrollWidth <= innerWidth) return []
  const beyond = e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll')
  return ['the page', ...[...document.querySelectorAll('body *')].filter(beyond).map(e => e.outerHTML.slice(0, 90))]
}"""
PAGES = [
    *(
        "/",
        "/search?q=公司",
        "/services/yb.insured_proof",
        "/services/sd.enterprise_open",
        "/cases",
        "/space",
        "/publicity",
        "/sampling",
        "/messages",
    ),
    *("/mandates", "/uses", "/ledger", "/verify", "/numbers", "/decisions", "/policies", "/policies/mine"),
    *("/policies/rs.stable_jobs", "/policies/publicity"),
]


def entries():
    """msgid → msgstr of the catalogue, singular forms."""
    text = (LOCALE / "django.po").read_text()
    found = {}
    for block in text.split("\n\n")[1:]:
        parts = dict(re.findall(r'^(msgid|msgstr|msgstr\[0\]) (".*")$', block, re.M))
        found[ast.literal_eval(parts["msgid"])] = ast.literal_eval(parts.get("msgstr") or parts["msgstr[0]"])
    return found


def test_the_compiled_catalogue_is_that_of_the_text():
    with (LOCALE / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    written = entries()
    assert len(written) > 600
    assert {k: v for k, v in written.items() if compiled.gettext(k) != v} == {}


def test_translations_keep_every_placeholder():
    names = lambda text: sorted(re.findall(r"%\((\w+)\)s", text))  # noqa: E731
    assert {k: v for k, v in entries().items() if names(k) != names(v)} == {}


def test_packs_translate_only_phrases_that_packs_say():
    library, problems = read(ROOT / "packs")
    assert problems == []
    said = set()

    def gather(value):
        if isinstance(value, str):
            said.add(value)
        elif isinstance(value, dict):
            for item in value.values():
                gather(item)
        elif isinstance(value, list | tuple):
            for item in value:
                gather(item)

    for pack in library:
        if pack.kind != "translations":
            gather(pack.data)
    names = {p.name for p in library if p.kind in ("service_item", "bundle")}
    translated = {k for p in library.all("translations") for k in p.data["phrases"]}
    assert names <= translated  # whatever can be applied for has an English name


@pytest.mark.parametrize("mode", MODES)
def test_the_enterprises_file_in_english_has_no_stray_chinese(visit, product, mode):
    size, name = MODES[mode]
    page = visit("boss", viewport=size)
    page.context.add_cookies([{"name": "mode", "value": name, "url": product.url}])
    page.goto("/enterprise")
    with page.expect_navigation():
        page.click("button:text-is('English')")
    stray = page.evaluate(CHINESE)  # still himself: told to switch
    with page.expect_navigation():
        page.click("button:text-is('中文')")
    switch(page, ENTERPRISE)
    page.goto("/enterprise")
    with page.expect_navigation():
        page.click("button:text-is('English')")
    yesterday = date.today() - timedelta(days=1)
    for path in (
        "/enterprise",
        f"/enterprise?on={date.today()}",
        f"/enterprise?on={yesterday}",
        "/enterprise?on=x",
    ):
        page.goto(path)
        assert "Credit risk class" in page.inner_text("main")
        stray += page.evaluate(CHINESE)
        assert violations(page) == [] and page.evaluate(WIDE) == [], path
    assert stray == []


@pytest.mark.parametrize("mode", MODES)
def test_the_portal_in_english_has_no_stray_chinese(visit, product, mode):
    size, name = MODES[mode]
    page = visit("mother", viewport=size)
    page.context.add_cookies([{"name": "mode", "value": name, "url": product.url}])
    page.goto("/")
    with page.expect_navigation():
        page.click("button:text-is('English')")
    assert page.get_attribute("html", "lang") == "en" and "What would you like to do?" in page.inner_text(
        "h1"
    )
    stray, faults = {}, {}
    for path in PAGES:
        page.goto(path)
        stray[path], faults[path] = page.evaluate(CHINESE), violations(page)
        wide = page.evaluate(WIDE)
        assert wide == [], path
    assert {k: v for k, v in stray.items() if v} == {}
    assert {k: v for k, v in faults.items() if v} == {}
    page.goto("/services/yb.insured_proof")
    page.click("text=Start")
    page.wait_for_url("**/apply/**")
    page.goto(page.url.rsplit("/", 1)[0] + "/service")
    page.fill('[name="service.proof_from"]', "wrong")
    with page.expect_navigation():
        page.click("text=Save and continue")
    assert page.evaluate(CHINESE) == [] and violations(page) == []
    with page.expect_navigation():
        page.click("button:text-is('中文')")
    assert page.get_attribute("html", "lang") == "zh-hans"
