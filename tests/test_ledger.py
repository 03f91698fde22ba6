"""The data ledger: no read without an entry, proofs that anybody can check, doubts that are answered."""

import base64
import json
import re
import subprocess
import sys
import urllib.request

import pytest
from django.db import InternalError, ProgrammingError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from officials import staff
from product import PRODUCT, ROOT, until
from test_pages import MODES, violations

from yiwang.engines.cases.contracts import PURPOSE
from yiwang.kernel.access.contracts import SYSTEM, VISITOR, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Person
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger import actions, erasing, heads, proofs, queries, tree
from yiwang.kernel.ledger.checkpoint import read, read_verifier_key
from yiwang.kernel.ledger.commitments import commitment, digest, text_of
from yiwang.kernel.ledger.models import Doubt, Entry, Leaf, Use
from yiwang.kernel.ledger.purposes import UnknownPurpose, purpose_of
from yiwang.kernel.registers import api as registers

IDNO = "379901199003070126"  # the demo's mother has one of her own; this one is nobody's


def count(**wanted):
    with acting(SYSTEM):
        return Entry.objects.filter(**wanted).count()


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "yiwang", "ledger", *arguments],
        env=PRODUCT.env, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def in_tree(entry_id):
    with acting(SYSTEM):
        return until(lambda: Leaf.objects.filter(entry_id=entry_id).first())


def test_a_read_and_its_entry_stand_or_fall_together(become):
    clerk = become("official16")
    before = count(use__actor=clerk.label)
    with acting(clerk):
        registers.lookup("population", IDNO, PURPOSE)
        transaction.set_rollback(True)  # nothing was read, nothing is written
    assert count(use__actor=clerk.label) == before
    with acting(clerk):
        registers.lookup("population", IDNO, PURPOSE)
    assert count(use__actor=clerk.label) == before + 1
    with acting(clerk):
        found = registers.lookup_many("population", [IDNO, "379901199003070134", "x"], PURPOSE)
    assert count(use__actor=clerk.label) == before + 4 and IDNO not in found


def test_only_for_a_declared_purpose_and_by_somebody(become):
    with acting(become("official16")), pytest.raises(registers.NotAllowed, match="允许的用途"):
        registers.lookup("population", IDNO, "好奇")
    with pytest.raises(UnknownPurpose):
        purpose_of("好奇")
    with acting(VISITOR), pytest.raises(ProgrammingError, match="nobody is acting"):
        registers.lookup("population", IDNO, PURPOSE)


REWRITES = (
    "update ledger_use set purpose = 'x'",
    "delete from ledger_entry",
    "update ledger_entry set commitment = '\\x00'",
    "insert into ledger_entry (id, use_id, found, commitment) values (gen_random_uuid(), gen_random_uuid(), true, '')",
    "delete from ledger_leaf",
    "update ledger_tile set hashes = ''",
    "select * from ledger_pending",
    "select * from ledger_pepper",
    "select ledger_subject('person', '379901199003070126')",
)


@pytest.mark.parametrize("statement", REWRITES)
def test_the_application_cannot_write_around_it(statement):
    with pytest.raises((ProgrammingError, InternalError)), acting(SYSTEM):
        connection.cursor().execute(statement)


def test_every_way_to_register_data_goes_through_the_ledger():
    """No table of register data can be read by the application, and each function that reads one writes entries."""
    state = "correction_id dataset fact found_at id kind other_dataset state verdict"  # of a conflict: not what is said
    tables = {
        "registers_record": "", "enterprise_grade": "", "enterprise_gradechange": "", "enterprise_name": "",
        "enterprise_sampled": "", "enterprise_samplingframe": "", "enterprise_conflict": state,
    }  # fmt: skip
    reads = rf"(from|join)\s+(({'|'.join(tables)})(?!\w)|hub\.%([0-9]+\$)?I)"
    with acting(SYSTEM), connection.cursor() as cursor:
        for table, open_ones in tables.items():
            cursor.execute(
                "select coalesce(string_agg(attname, ' ' order by attname), '') from pg_attribute where attnum > 0"
                " and attrelid = %s::regclass and has_column_privilege(current_user, attrelid, attnum, 'select')",
                [table],
            )
            assert cursor.fetchone() == (open_ones,), table
        cursor.execute(
            "select proname, prosrc from pg_proc where pronamespace = 'public'::regnamespace"
            " and has_function_privilege(current_user, oid, 'execute') and prosecdef"
        )
        readers = [(name, source) for name, source in cursor.fetchall() if re.search(reads, source)]
        cursor.execute("select has_schema_privilege(current_user, 'hub', 'usage')")
        assert cursor.fetchone() == (False,)
    known = {
        "register_read",
        "register_read_many",
        "hub_versions",
        "hub_of_subject",
        "hub_granted",
        "hub_preview",
    }
    known |= {
        "enterprise_grade_of",
        "enterprise_search",
        "enterprise_conflicts_of",
        "enterprise_sampling_drawn",
    }
    assert {name for name, _s in readers} >= known
    # The lot is public when its visits are over; before, that function gives a digest of it alone.
    assert [name for name, source in readers if "ledger_note" not in source] == ["enterprise_sampling_lot"]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), max_size=6
    )
)
def test_postgresql_and_python_commit_to_the_same_bytes(facts):
    with acting(SYSTEM), connection.cursor() as cursor:
        marks = ", ".join(["%s::text"] * len(facts))
        cursor.execute(f"select jsonb_build_array({marks})::text", facts)
        assert cursor.fetchone()[0] == text_of(facts)


def test_an_entry_is_proved_under_the_signed_head_and_found_again_offline(become, tmp_path):
    clerk = become("official16")
    with acting(clerk):
        registers.lookup("population", IDNO, PURPOSE)
    with acting(SYSTEM):
        entry = Entry.objects.select_related("use").latest("id")
        assert in_tree(entry.id)
        head = heads.publish() or heads.latest()
        proof = proofs.inclusion(entry.id)
        told = proofs.evidence(entry, proof)
    # What the subject's own program does with the file, knowing only the public key.
    name, key = read_verifier_key(heads.verifier_key())
    signed = read(told["checkpoint"], name, key)
    raw = {k: base64.b64decode(told[k]) for k in ("use_salt", "subject", "salt")}
    made = commitment(raw["salt"], digest(raw["use_salt"], told["text"]), raw["subject"], told["found"])
    path = [base64.b64decode(h) for h in told["path"]]
    assert tree.included(tree.leaf_hash(made), told["position"], signed.size, path, signed.root)
    assert json.loads(told["text"])[6] == PURPOSE and clerk.label in told["text"]
    older = max(1, head.size - 7)
    with acting(SYSTEM):
        between = proofs.consistency(older, head.size)
        assert tree.consistent(older, head.size, heads.root(older), bytes(head.root), between)
    assert command("export", str(tmp_path)).returncode == 0
    assert command("verify", str(tmp_path)).returncode == 0
    lines = (tmp_path / "entries.jsonl").read_text().splitlines()
    changed = json.loads(lines[3])
    changed["text"] = changed["text"].replace("办理政务服务事项", "无")
    for bad, said in (
        ([*lines[:3], json.dumps(changed, ensure_ascii=False), *lines[4:]], "有人改过"),
        ([*lines[:3], *lines[4:]], "账目缺失"),
        (lines[:3], "账目缺失"),
        ([*lines[:2], lines[3], lines[2], *lines[4:]], "不符"),
    ):
        (tmp_path / "entries.jsonl").write_text("\n".join(bad) + "\n")
        answer = command("verify", str(tmp_path), "--json")
        assert answer.returncode == 1 and said in " ".join(json.loads(answer.stdout)["faults"])
    assert command("verify", str(tmp_path / "nowhere")).returncode == 2


def test_details_can_be_erased_and_every_proof_still_holds(become, tmp_path):
    idno = "379901198512120077"
    with acting(become("official16")):
        registers.lookup("population", idno, PURPOSE)
    with acting(SYSTEM):
        entry = Entry.objects.latest("id")
        in_tree(entry.id)
        heads.publish()
        assert erasing.erase(SYSTEM, idno, "本人要求删除", "示例，科长").erased == 1
        entry.refresh_from_db()
        assert (entry.subject, entry.salt) == (None, None)
        proof = proofs.inclusion(entry.id)
        leaf = tree.leaf_hash(bytes(entry.commitment))
        assert tree.included(leaf, proof.position, proof.head.size, proof.path, bytes(proof.head.root))
    command("export", str(tmp_path))
    answer = json.loads(command("verify", str(tmp_path), "--json").stdout)
    assert answer["faults"] == [] and answer["erased"] >= 1


def test_an_investigation_is_shown_on_the_day_fixed_when_it_was_written(become):
    mother = become("mother")
    with acting(SYSTEM):
        idno = Person.objects.get(id=mother.person_id).idno
        purpose = purpose_of("案件调查")
        assert purpose.visible_from() is not None
        with connection.cursor() as cursor:
            cursor.execute(
                "select ledger_note(%s, 'population', '*', '案件调查', 'x', null, %s, 'person', array[%s], array[true])",
                [new_id(), purpose.visible_from(), idno],
            )
            cursor.execute(
                "select ledger_note(%s, 'population', '*', '案件调查', 'y', null, current_date, 'person', array[%s],"
                " array[true])",
                [new_id(), idno],
            )
    with acting(mother):
        shown = [e.use.basis for e in queries.uses_of(mother) if e.use.purpose == "案件调查"]
        assert shown == ["y"]
        assert set(Use.objects.values_list("id", flat=True)) == {
            e.use_id for e in queries.uses_of(mother, 1000)
        }
    with acting(become("father")):
        assert not Use.objects.filter(basis="y").exists()


@pytest.mark.parametrize("mode", MODES)
def test_somebody_sees_each_use_and_doubts_one(visit, become, mode):
    size, name = MODES[mode]
    clerk = become("official16")
    resident = become("mother")
    with acting(SYSTEM):
        idno = Person.objects.get(id=resident.person_id).idno
    with acting(clerk):
        registers.lookup("residence", idno, PURPOSE)
    with acting(SYSTEM):
        entry = Entry.objects.select_related("use").latest("id")
        in_tree(entry.id)
        heads.publish()
    page = visit("mother", viewport=size)
    page.context.add_cookies([{"name": "mode", "value": name, "url": PRODUCT.url}])
    page.goto("/uses")
    assert violations(page) == []
    page.click(f"a[href='/uses/{entry.id}']")
    page.wait_for_url(f"**/uses/{entry.id}")
    shown = page.inner_text("main")
    assert "居住证" in shown or "居住" in shown
    assert "系统代您取数" in shown and "个人信息保护法" in shown and "医疗保障" in shown
    assert violations(page) == [] and page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    with page.expect_download() as download:
        page.click("a:text-is('下载证明')")
    assert json.loads(download.value.path().read_text())["checkpoint"]
    page.fill("#words", "我没有去过这个单位")
    with page.expect_navigation():
        page.click("button:text-is('提出疑问')")
    assert "答复" in page.inner_text("main")
    with acting(SYSTEM):
        doubt = Doubt.objects.get(use=entry.use)
    desk = visit("official17")  # who read may not answer
    desk.goto("/desk/doubts")
    assert "我没有去过这个单位" in desk.inner_text("main") and violations(desk) == []
    card = desk.locator(".card", has=desk.locator(f"form[action='/desk/doubts/{doubt.id}']"))
    source = card.locator("h2").inner_text()  # its name, never the id of a register
    assert entry.use.source not in source and re.search("[\u4e00-\u9fff]", source)
    assert resident.name in source and clerk.name in card.inner_text()  # whose, and who read it
    with desk.expect_navigation():
        card.locator("button:text-is('使用不当')").click()
    assert "请写明使用的理由" in desk.inner_text("main")
    card.locator("textarea").fill("经办人查错了人，已处理")
    with desk.expect_navigation():
        card.locator("button:text-is('使用不当')").click()
    page.goto(f"/uses/{entry.id}")
    assert "承认使用不当" in page.inner_text("main") and "查错了人" in page.inner_text("main")
    until(lambda: page.goto("/messages") and "数据使用疑问" in page.inner_text("main"), 20)


def test_a_doubt_is_the_offices_own_to_answer(become):
    with acting(SYSTEM):
        doubt = Doubt.objects.exclude(org_id=None).order_by("at").first()
    actors = [actor for held in staff().values() for actor in held]
    stranger = next(a for a in actors if doubt.org_id not in a.posts and not queries.is_steward(a))
    with acting(stranger), pytest.raises(Refused):
        actions.answer(stranger, doubt.id, True, "不归我管")
    father = become("father")
    with acting(father), pytest.raises(Refused):
        actions.doubt(father, doubt.use_id, "不是我的")


def test_witnesses_take_heads_and_ask_whether_the_tree_only_grew():
    def get(path):
        with urllib.request.urlopen(f"{PRODUCT.url}{path}", timeout=10) as answer:
            return answer.read()

    name, key = read_verifier_key(get("/ledger/key").decode())
    head = read(get("/ledger/checkpoint").decode(), name, key)
    assert head.size > 100
    told = json.loads(get(f"/ledger/consistency?old=5&new={head.size}"))
    with acting(SYSTEM):
        assert tree.consistent(
            5, head.size, heads.root(5), head.root, [bytes.fromhex(h) for h in told["path"]]
        )
    assert len(get("/ledger/tile/0/0")) % 32 == 0
    for bad in ("/ledger/consistency?old=9&new=5", "/ledger/consistency?old=a&new=5"):
        with pytest.raises(urllib.error.HTTPError, match="422"):
            get(bad)
    kept = sorted((PRODUCT.var / "ledger").glob("checkpoint-*.txt"))
    assert kept and read(kept[-1].read_text(), name, key).size >= head.size
