"""The HTTP API as a department's system meets it."""

import json
import subprocess
import sys
import threading
import time
import urllib.parse
from collections import Counter

import pytest
from client import Client, client
from product import PRODUCT, ROOT, until

from yiwang.engines.cases.models import Case, Event
from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.access.models import WriteCount
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts import tokens
from yiwang.kernel.accounts.models import ApiToken, User
from yiwang.kernel.audit.models import AuditEvent
from yiwang.kernel.ids import new_id

PROOF = {"service.proof_from": "2025-01", "service.proof_to": "2025-12"}


@pytest.fixture
def api(product):
    """``api(username)`` → a client with a token of that account."""
    return lambda username, *scopes: client(product.port, username, scopes or tokens.SCOPES)


def new_case(**changes):
    return {"command_id": str(new_id()), "service": "yb.insured_proof", "values": PROOF} | changes


def official_of(api, case):
    """The client of an official who has the case on his list, and his piece of work."""
    for n in range(10, 20):
        official = api(f"official{n}")
        for line in official.get(f"work?q={case['number']}").json.get("items", ()):
            if line["case"]["id"] == case["id"]:
                return official, line["token"]
    raise AssertionError("nobody has it")


def test_a_case_from_creation_to_its_document(api):
    mother = api("mother")
    made = mother.post("cases", new_case())
    assert made.status == 201, made.content
    case = made.json
    official, token = official_of(api, case)
    path = f"cases/{case['id']}"
    claimed = official.post(f"{path}/assign", {"command_id": str(new_id()), "token": token})
    assert claimed.status == 200, claimed.content
    command = {"command_id": str(new_id()), "token": token, "outcome": "grant"}
    done = official.post(f"{path}/complete", command)
    assert done.status == 200 and done.json["again"] is False, done.content
    again = official.post(f"{path}/complete", command)
    assert again.status == 200 and again.json["again"] is True
    until(lambda: mother.get(path).json["result"] == "granted")
    documents = until(
        lambda: [d for d in mother.get(f"{path}/documents").json["items"] if d["kind"] == "licence"]
    )
    pdf = mother.get(f"documents/{documents[0]['id']}/content")
    assert pdf.status == 200 and pdf.content.startswith(b"%PDF")
    public = Client(PRODUCT.port).get(f"verify/{documents[0]['code']}").json
    assert public["sha256"] == documents[0]["sha256"] and "王秀兰" not in public["subject"]
    words = [line["words"] for line in mother.get(f"{path}/history").json["items"]]
    assert words[0] == "提交申请" and len(words) == 5


def test_creating_twice_with_one_command_makes_one_case(api):
    mother, wanted = api("mother"), new_case()
    first, second = mother.post("cases", wanted), mother.post("cases", wanted)
    assert first.status == second.status == 201 and first.json == second.json
    wanted, answers = new_case(), []
    threads = [
        threading.Thread(target=lambda: answers.append(mother.post("cases", wanted))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status for a in answers} == {201} and len({a.json["id"] for a in answers}) == 1


def test_one_page_after_the_other(api):
    mother = api("mother")
    draft = mother.post("drafts", {"service": "yb.insured_proof"}).json
    form = mother.get(f"drafts/{draft['id']}/form").json
    assert {"service.proof_from", "service.proof_to"} <= form["errors"].keys()
    page = next(f["page"] for f in form["fields"] if f["path"] == "service.proof_from")
    body = {"values": PROOF, "revision": form["draft"]["revision"]}
    saved = mother("PUT", f"drafts/{draft['id']}/pages/{page}", body)
    assert saved.status == 200 and saved.json["errors"] == {}, saved.content
    stale = {"values": {"service.proof_from": "2024-01"}, "revision": 0}
    assert mother("PUT", f"drafts/{draft['id']}/pages/{page}", stale).status == 409
    made = mother.post(f"drafts/{draft['id']}/submit")
    assert made.status == 200 and made.json == mother.post(f"drafts/{draft['id']}/submit").json
    assert mother("PUT", f"drafts/{draft['id']}/pages/{page}", body).status == 409


def test_paging_and_search_of_ones_own(api):
    mother = api("mother")
    made = [mother.post("cases", new_case()).json for _ in range(3)]
    seen, cursor = [], ""
    while cursor is not None:
        page = mother.get(f"cases?limit=2&cursor={cursor}").json
        seen += [case["id"] for case in page["items"]]
        cursor = page["next"]
    assert len(seen) == len(set(seen)) and [m["id"] for m in reversed(made)] == seen[:3]
    found = mother.get(f"cases?q={made[0]['number']}").json["items"]
    assert [case["id"] for case in found] == [made[0]["id"]]
    assert mother.get("cases?q=" + urllib.parse.quote("参保凭证")).json["items"]
    assert mother.get("cases?cursor=nonsense").json["fields"].keys() == {"cursor"}


def test_work_list_pages_go_on_where_they_ended(api):
    official = api("official16")
    whole = official.get("work?limit=200").json["items"]
    assert len(whole) > 1
    seen, cursor = [], ""
    while cursor is not None:
        page = official.get(f"work?limit=1&cursor={cursor}").json
        seen += [(line["case"]["id"], line["token"]) for line in page["items"]]
        cursor = page["next"]
    assert seen == [(line["case"]["id"], line["token"]) for line in whole]
    assert api("mother").get("work").status == 403


def test_unchanged_is_not_sent_again(api):
    mother = api("mother")
    path = f"cases/{mother.post('cases', new_case()).json['id']}"
    tag = mother.get(path).headers["ETag"]
    assert mother.get(path, If_None_Match=tag).status == 304


WRONG = [
    (b"{not json", "malformed", None),
    (b"[]", "invalid", "body"),
    ({"service": "yb.insured_proof"}, "invalid", "command_id"),
    ({"command_id": "7", "service": "yb.insured_proof"}, "invalid", "command_id"),
    (new_case(srevice="x"), "invalid", "srevice"),
    (new_case(values={"service.proof_from": {"y": 1}}), "invalid", "values.service.proof_from"),
    (new_case(values={"service.nonsense": "x"}), "incomplete", "service.nonsense"),
    (new_case(values=PROOF | {"service.proof_from": "2025-13"}), "incomplete", "service.proof_from"),
    (new_case(values={"service.proof_from": "2025-01"}), "incomplete", "service.proof_to"),
    (new_case(values=PROOF | {"insured.name": "别人"}), "incomplete", "insured.name"),
]


@pytest.mark.parametrize(("body", "code", "field"), WRONG)
def test_what_is_wrong_is_named(api, body, code, field):
    mother = api("mother")
    with acting(SYSTEM):
        before = Case.objects.count()
    answer = mother("POST", "cases", body, Content_Type="application/json")
    assert answer.status == 422, answer.content
    told = answer.json
    assert told["error"] == code and told["message"] and told.keys() == {"error", "message", "fields"}
    assert field is None or any(name.startswith(field) for name in told["fields"]), told
    with acting(SYSTEM):
        assert Case.objects.count() == before


def test_other_errors_have_the_same_shape(api, product):
    mother, visitor = api("mother"), Client(product.port)
    for answer, status in (
        (visitor.get("cases"), 401),
        (Client(product.port, "yw_wrong").get("cases"), 401),
        (mother.get(f"cases/{new_id()}"), 404),
        (mother.get("nothing/here"), 404),
        (mother.post("cases", new_case(service="no.such")), 404),
        (mother.get("cases", Acting_For=str(new_id())), 403),
        (mother.get("cases", Acting_For="x"), 403),
        (api("mother", "read").post("cases", new_case()), 403),
        (api("mother", "apply").get("cases"), 403),
    ):
        assert answer.status == status, answer.content
        assert answer.json.keys() == {"error", "message", "fields"}


def test_a_session_needs_the_csrf_mark(visit):
    page = visit("mother")
    body = json.dumps(new_case())
    sent = {"Content-Type": "application/json", "Referer": page.url}
    assert page.request.get("/api/v1/cases").status == 200
    assert page.request.post("/api/v1/cases", data=body, headers=sent).status == 403
    mark = next(c["value"] for c in page.context.cookies() if c["name"] == "csrftoken")
    made = page.request.post("/api/v1/cases", data=body, headers=sent | {"X-CSRFToken": mark})
    assert made.status == 201, made.text()


def test_a_token_beside_a_session_is_the_one_that_counts(visit, api):
    page = visit("mother")
    official = api("official10")
    headers = {"Authorization": f"Bearer {official.token}"}
    told = page.request.get("/api/v1/me", headers=headers).json()
    assert told["name"] == official.get("me").json["name"] != page.request.get("/api/v1/me").json()["name"]


def test_tokens_are_kept_as_a_hash_end_and_are_taken_back(product, api):
    command = [sys.executable, "-m", "yiwang", "account", "token", "elder", "--name", "社保系统"]
    made = subprocess.run(
        [*command, "--days", "2"], env=product.env, capture_output=True, text=True, cwd=ROOT
    )
    secret = made.stdout.strip()
    assert made.returncode == 0 and len(secret) > 40, made.stderr
    elder = Client(product.port, secret)
    assert elder.get("me").status == 200
    with acting(SYSTEM):
        token = ApiToken.objects.get(name="社保系统")
        assert secret.encode() not in bytes(token.sha256) and token.used is not None
        assert AuditEvent.objects.filter(verb="token.issued", object_id=str(token.id)).exists()
        ApiToken.objects.filter(id=token.id).update(expires="2020-01-01")
    assert elder.get("me").status == 401
    with acting(SYSTEM):
        ApiToken.objects.filter(id=token.id).update(expires="2099-01-01")
    assert elder.get("me").status == 200
    back = subprocess.run([*command, "--revoke"], env=product.env, capture_output=True, text=True, cwd=ROOT)
    assert back.returncode == 0 and elder.get("me").status == 401
    with pytest.raises(Refused), acting(SYSTEM):
        tokens.issue(SYSTEM, "elder", "太久", 1000)


def test_a_refused_transfer_leaves_no_rights_behind(become, api):
    """A verb that the system does for the actor gives the floor back when it refuses."""
    from django.db import connection

    from yiwang.engines.cases import actions

    with acting(SYSTEM):
        case = Case.objects.filter(kind="service_item", closed_at=None).exclude(org=None).first()
    with acting(become("elder")):
        with pytest.raises(Refused):
            actions.transfer(become_nobody := become("elder"), case.id, "某局", "理由", new_id())
        assert become_nobody.system is False
        with connection.cursor() as cursor:
            cursor.execute("select current_setting('app.system', true)")
            assert cursor.fetchone() == ("",)


def test_the_description_in_the_repository_is_the_one_that_is_served(product):
    served = Client(product.port).get("openapi.json").json
    kept = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text())
    assert served == kept, "refresh it: .venv/bin/yiwang openapi > docs/reference/openapi.json"
    assert served["openapi"].startswith("3.1")


def test_the_page_for_people_lists_every_address(visit, product):
    page = visit()
    page.goto("/api/v1/docs")
    text = page.locator("main").inner_text()
    for path in Client(product.port).get("openapi.json").json["paths"]:
        assert path in text


def test_ten_thousand_submissions_from_one_account_are_held_back(product, api):
    """The limit holds over all web processes together, bad requests count, and it says when to come back."""
    loud = api("publisher")  # its minute is spent: nobody else's test signs in as this account soon
    accepted, refused = Counter(), None
    for _ in range(1300):  # enough for a minute that ends in between
        minute = int(time.time() // 60)
        answer = loud.post("cases", b"{", Content_Type="application/json")
        if answer.status == 429:
            refused = answer
            break
        accepted[minute] += 1
    assert refused is not None and max(accepted.values()) <= 600 + 1
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.json["error"] == "too-many" and "每分钟" in refused.json["message"]
    assert loud.get("me").status == 200 and api("elder").post("drafts", {"service": "x"}).status == 404


def test_a_page_sent_too_often_says_so(visit):
    page = visit("official18")
    page.goto("/verify")
    mark = page.locator('[name="csrfmiddlewaretoken"]').first.input_value()
    if time.time() % 60 > 55:
        time.sleep(6)  # the figure below is of one minute
    with acting(SYSTEM):
        account = User.objects.get(username="official18").id
        row = {"minute": int(time.time() // 60), "taken": 9999}
        WriteCount.objects.update_or_create(account=account, defaults=row)
    form = {"csrfmiddlewaretoken": mark}
    answer = page.request.post("/desk/filters", form=form, headers={"Referer": page.url})
    assert answer.status == 429 and "操作太频繁" in answer.text() and answer.headers["retry-after"]


def test_an_applicant_answers_what_an_office_asks_for(api):
    mother = api("mother")
    case = mother.post("cases", new_case()).json
    official, token = official_of(api, case)
    path, command = f"cases/{case['id']}", {"command_id": str(new_id())}
    early = mother.post(f"{path}/answer", {**command, "values": {}})
    assert early.status == 409, early.content
    asked = {"command_id": str(new_id()), "token": token, "keys": ["service.proof_to"], "note": "止月请核对"}
    told = official.post(f"{path}/supplement", asked)
    assert told.status == 200, told.content
    for values, files, field in (
        ({}, {}, "service.proof_to"),
        ({"service.proof_to": "2025-13"}, {}, "service.proof_to"),
        ({"service.proof_to": "2025-11", "service.proof_from": "2025-02"}, {}, "service.proof_from"),
        ({"service.proof_to": "2025-11"}, {"x@y": str(new_id())}, "x@y"),
    ):
        refused = mother.post(f"{path}/answer", {**command, "values": values, "files": files})
        assert refused.status == 422 and field in refused.json["fields"], refused.content
    right = {**command, "values": {"service.proof_to": "2025-11"}}
    assert api("elder").post(f"{path}/answer", right).status == 404
    first, again = mother.post(f"{path}/answer", right), mother.post(f"{path}/answer", right)
    assert first.status == again.status == 200, first.content
    assert (first.json["phase"], first.json["again"], again.json["again"]) == ("open", False, True)
    assert "2025-11" in json.dumps(mother.get(path).json["data"])


def test_every_write_is_one_event(api):
    mother = api("mother")
    case = mother.post("cases", new_case()).json
    command = str(new_id())
    for _ in range(3):
        assert mother.post(f"cases/{case['id']}/withdraw", {"command_id": command}).status == 200
    with acting(SYSTEM):
        assert Event.objects.filter(command_id=command).count() == 1
    late = mother.post(f"cases/{case['id']}/withdraw", {"command_id": str(new_id())})
    assert late.status == 409 and late.json["error"] == "conflict"
