"""The public figures agree with the cases, name nobody, and say how they were computed."""

import csv
import io

import pytest
from django.core.cache import cache
from test_pages import MODES, PRODUCT, violations

from yiwang.domains.services import numbers
from yiwang.engines.cases import api as cases
from yiwang.engines.cases.models import Case
from yiwang.kernel.access.contracts import SYSTEM, Actor
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Person
from yiwang.kernel.ids import new_id

REFS = {
    "yb.insured_proof": {"service.proof_from": "2007-01", "service.proof_to": "2007-02"},
    "yb.remote_care": {"service.care_province": "11", "service.care_reason": "异地转诊"},
}


@pytest.fixture(scope="module")
def filed():
    """Four people who each file the same two items within the week."""
    with acting(SYSTEM):
        people = list(Person.objects.filter(users=None).order_by("idno")[3000:3012])
    made = []
    for person in people:
        if len(made) == 8:
            break
        actor = Actor(person.name, new_id(), person.id)
        try:
            for ref, values in REFS.items():
                with acting(actor):
                    draft = cases.open_draft(actor, ref, {})
                    cases.save_page(actor, draft.id, "service", values, {}, draft.revision)
                    made.append(cases.submit(actor, draft.id))
        except cases.Incomplete:  # somebody whom no register knows well enough
            continue
    assert len(made) == 8
    return made


@pytest.mark.plan("P5", "P26", "G9")
def test_figures_are_computed_from_cases_and_anybody_can_check_them(visit, filed):
    cache.delete(numbers.KEPT)  # what the page showed to an earlier test
    page = visit()
    page.goto("/numbers")
    with acting(SYSTEM):
        roots = list(Case.objects.filter(parent=None))
        measured = cases.measure(SYSTEM)
    # An independent count, in Python over the rows.
    assert measured.total["filed"] == len(roots)
    burdens = [c.extra["burden"] for c in roots if "burden" in c.extra]
    no_visit = sum(b["visits"] == 0 for b in burdens) / len(burdens)
    assert float(measured.total["no_visit"]) == pytest.approx(no_visit)
    assert float(measured.total["online"]) == pytest.approx(
        sum(c.channel == "online" for c in roots) / len(roots)
    )
    text = page.inner_text("main")
    assert f"{no_visit:.0%}" in text
    pair = next(t for t in measured.together if {t["one"], t["other"]} == set(REFS))
    assert pair["people"] >= 4
    assert "异地就医备案" in page.inner_text("section:has-text('哪些事常常接着办')")
    for link in page.locator(".tally a").all():
        anchor = link.get_attribute("href")
        assert page.locator(f"dt{anchor}").count() == 1  # every number leads to its definition
    rows = list(csv.reader(io.StringIO(page.request.get("/numbers.csv").text().lstrip("\ufeff"))))
    names = {row[0]: row for row in rows[1:]}
    proof = next(i for i in measured.items if i["ref"] == "yb.insured_proof")
    assert names["基本医疗保险参保凭证"][1] == str(proof["filed"])
    with acting(SYSTEM):
        secrets = {c.subject_name for c in roots}
    comments = page.inner_text("section:has-text('大家的评价')")
    assert not any(name in comments for name in secrets)
    for size, mode in MODES.values():
        page.set_viewport_size(size)
        page.context.add_cookies([{"name": "mode", "value": mode, "url": PRODUCT.url}])
        page.reload()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_a_figure_of_fewer_than_three_people_is_not_shown(filed):
    """One person's rare matter does not show up as a row of its own."""
    with acting(SYSTEM):
        case = Case.objects.get(id=filed[0])
        Case.objects.filter(id=case.id).update(ref="test.rare")
        try:
            shown = {row["ref"] for row in cases.measure(SYSTEM).items}
        finally:
            Case.objects.filter(id=case.id).update(ref=case.ref)
    assert "test.rare" not in shown
    assert case.ref in shown
