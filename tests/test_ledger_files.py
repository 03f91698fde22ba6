"""The ledger's files: what a verifier sees of cuts, damage, alterations and erasures, from files alone."""

import base64
import json
import subprocess
import sys

import pytest
from product import PRODUCT, ROOT
from test_ledger import command, in_tree
from test_uses import idno_of, noted

from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import User
from yiwang.kernel.accounts.queries import actor_of
from yiwang.kernel.audit.models import AuditEvent
from yiwang.kernel.ledger import actions, checkpoint, erasing, heads, proofs
from yiwang.kernel.ledger.models import Entry

IDNO = "379901198703030059"  # nobody's
REASON = ("--reason", "本人要求删除，已核实身份", "--by", "示例，科长")


def actor(username):
    with acting(SYSTEM):
        return actor_of(User.objects.select_related("person").get(username=username))


def verified(*arguments):
    """Exit code and report of a check."""
    answer = command("verify", *map(str, arguments), "--json")
    assert "Traceback" not in answer.stderr, answer.stderr
    return answer.returncode, json.loads(answer.stdout)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """An export whose last three entries are behind the newest head; the second of them was erased."""
    clerk, folder = actor("official16"), tmp_path_factory.mktemp("ledger")
    in_tree(noted(clerk, IDNO).id)
    heads.publish()
    for _n in range(3):
        in_tree(noted(clerk, "379901198703030067").id)
    assert command("export", str(folder)).returncode == 0
    return folder


def copy(exported, tmp_path, lines=None, notes=None):
    """A copy of the export with other lines or heads."""
    (tmp_path / "key.txt").write_text((exported / "key.txt").read_text())
    kept = (exported / "checkpoints.txt").read_text().split("===\n")
    (tmp_path / "checkpoints.txt").write_text("===\n".join(kept if notes is None else notes(kept)))
    read = (exported / "entries.jsonl").read_text().splitlines()
    (tmp_path / "entries.jsonl").write_text("\n".join(read if lines is None else lines(read)) + "\n")
    return tmp_path


def test_what_no_head_protects_is_said(exported, tmp_path):
    code, whole = verified(exported)
    assert (
        code == 0 and whole["unprotected"] >= 3 and whole["signed"] + whole["unprotected"] == whole["entries"]
    )
    answer = command("verify", str(copy(exported, tmp_path, lambda lines: lines[:-2])))
    assert "还没有树头保护" in answer.stdout and "账本完整" not in answer.stdout and "--head" in answer.stdout


def test_a_witness_sees_that_the_end_was_cut_off_with_its_heads(exported, tmp_path):
    notes = (exported / "checkpoints.txt").read_text().split("===\n")
    sizes = [int(note.splitlines()[1]) for note in notes]
    older = sizes[-2] if len(sizes) > 1 else None
    kept = tmp_path / "kept.txt"
    kept.write_text(notes[-1])
    assert verified(exported, "--head", kept)[0] == 0
    assert verified(exported, "--head", kept)[1]["witnessed"] == sizes[-1]
    cut = tmp_path / "cut"
    cut.mkdir()
    if older:
        copy(exported, cut, lambda lines: lines[:older], lambda kept: kept[:-1])
        assert verified(cut)[0] == 0  # by itself it looks whole
        code, told = verified(cut, "--head", kept)
        assert code == 1 and "账目缺失" in told["faults"][0] and "见证人" in told["faults"][0]
    other = checkpoint.Checkpoint(heads.origin(), sizes[-1], b"x" * 32)
    kept.write_text(checkpoint.sign(other, heads.origin(), heads.key()))
    assert "分叉" in verified(exported, "--head", kept)[1]["faults"][0]
    kept.write_text("nothing")
    answer = command("verify", str(exported), "--head", str(kept))
    assert answer.returncode == 2 and "Traceback" not in answer.stderr
    bare = tmp_path / "bare"
    bare.mkdir()
    code, told = verified(copy(exported, bare, notes=lambda kept: [""]))
    assert code == 1 and "没有一个有效的签名树头" in told["faults"][0]


@pytest.mark.parametrize(
    "line", ["{", "[]", "null", '{"commitment": "AA=="}', "\x00\x01", '{"commitment": 3}']
)
def test_a_damaged_line_is_told_by_its_number_with_the_remedy(exported, tmp_path, line):
    code, told = verified(copy(exported, tmp_path, lambda lines: [*lines[:4], line, *lines[5:]]))
    assert code == 1
    assert any("第 5 行读不懂" in fault and "请重新导出" in fault for fault in told["faults"])


def test_without_its_salt_an_entry_cannot_be_checked_unless_the_erasure_is_recorded(exported, tmp_path):
    def altered(lines):
        entry = json.loads(lines[4])
        entry |= {"salt": None, "text": entry["text"].replace("Z", "Y")}
        return [*lines[:4], json.dumps(entry, ensure_ascii=False), *lines[5:]]

    code, told = verified(copy(exported, tmp_path, altered))
    assert code == 1 and "第 4 条" in told["faults"][0] and "无法核对" in told["faults"][0]
    with acting(SYSTEM):
        entry = Entry.objects.select_related("use").filter(use__actor=actor("official16").label).latest("id")
        assert erasing.erase(SYSTEM, str(entry.id), "本人要求删除", "示例，科长") == erasing.Erased(1, 0)
    fresh = tmp_path / "fresh"
    assert json.loads(command("export", str(fresh), "--json").stdout)["folder"] == str(fresh)
    code, told = verified(fresh)
    assert code == 0 and told["erased"] >= 1 and told["faults"] == []
    lines = (fresh / "entries.jsonl").read_text().splitlines()
    n = next(n for n, line in enumerate(lines) if base64.b64encode(bytes(entry.commitment)).decode() in line)
    gone = json.loads(lines[n])
    assert gone["salt"] is None and gone["subject"] is None and gone["text"]  # who, when and why stays
    lines[n] = json.dumps(gone | {"text": gone["text"].replace("Z", "Y")}, ensure_ascii=False)
    (fresh / "entries.jsonl").write_text("\n".join(lines) + "\n")
    code, told = verified(fresh)
    assert code == 1 and f"第 {n} 条" in told["faults"][0]  # the erasure also says what the text was


def test_a_downloaded_proof_is_checked_from_the_file_alone(tmp_path):
    clerk = actor("official16")
    entry = noted(clerk, "379901198703030075")
    in_tree(entry.id)
    heads.publish()
    with acting(SYSTEM):
        told = proofs.evidence(entry, proofs.inclusion(entry.id)) | {"key": heads.verifier_key()}
    file, key = tmp_path / "use.json", tmp_path / "key.txt"
    file.write_text(json.dumps(told))
    key.write_text(heads.verifier_key())
    code, found = verified(file)
    assert code == 0 and found["own_key"] and found["facts"]["actor"] == clerk.label
    assert "/ledger/key" in command("verify", str(file)).stdout
    code, found = verified(file, "--key", key)
    assert code == 0 and not found["own_key"]
    head = tmp_path / "head.txt"
    head.write_text(told["checkpoint"])
    assert verified(file, "--head", head)[0] == 0
    for change in (
        {"text": told["text"].replace("Z", "Y")},
        {"position": told["position"] - 1},
        {"found": False},
        {"path": told["path"][1:]},
        {"checkpoint": told["checkpoint"].replace("\n", "\n1", 1)},
        {"salt": None},
        {"path": 7},
    ):
        file.write_text(json.dumps(told | change))
        code, found = verified(file, "--key", key)
        assert code == 1 and found["faults"], change
    file.write_text("[")
    assert command("verify", str(file)).returncode == 2
    environment = {k: v for k, v in PRODUCT.env.items() if not k.startswith(("YIWANG_", "DATABASE_"))}
    file.write_text(json.dumps(told))
    alone = subprocess.run(
        [sys.executable, "-m", "yiwang", "ledger", "verify", str(file)],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert alone.returncode == 0, alone.stderr  # no installation behind it


def test_commands_answer_in_json_and_ask_for_a_folder(tmp_path):
    noted(actor("official16"), IDNO)
    told = json.loads(command("head", "--json").stdout)
    assert told["new"] and told["size"] > 0 and told["note"].count("\n") >= 4
    assert command("export").returncode == 2 and not (ROOT / "ledger").exists()
    assert str(tmp_path) in command("export", str(tmp_path)).stdout


def test_the_operator_erases_and_the_subject_sees_it_no_more(visit):
    elder, clerk = actor("elder"), actor("official17")
    entry = noted(clerk, idno_of(elder), "residence")
    in_tree(entry.id)
    page = visit("elder")
    assert page.goto(f"/uses/{entry.id}").status == 200
    for refused in (("--reason", "短", "--by", "x"), ("--reason", "本人要求删除", "--by", " ")):
        answer = command("erase", str(entry.id), *refused)
        assert answer.returncode == 1 and "理由" in answer.stderr
    assert "不是编号" in command("erase", "someone", *REASON).stderr
    with acting(clerk), pytest.raises(Refused, match="运维人员"):
        erasing.erase(clerk, str(entry.id), "本人要求删除", "x")
    with acting(elder):
        made = actions.doubt(elder, entry.use_id, "")
    assert "没有答复" in command("erase", str(entry.id), *REASON).stderr
    with acting(actor("official16")):
        actions.answer(actor("official16"), made.id, True, "按规定")
    answer = command("erase", str(entry.id), *REASON)
    assert answer.returncode == 0 and "已删除 1 条" in answer.stdout, answer.stderr
    with acting(SYSTEM):
        event = AuditEvent.objects.filter(verb="ledger.erased", object_id=str(entry.id)).get()
        entry.refresh_from_db()
    assert event.detail["by"] == "示例，科长" and "本人要求" in event.detail["reason"]
    assert (entry.subject, entry.salt) == (None, None)
    assert page.goto(f"/uses/{entry.id}").status == 404
    assert "没有" in command("erase", str(entry.id), *REASON).stderr  # once
    noted(clerk, idno_of(elder), "residence")
    answer = json.loads(command("erase", str(elder.person_id), *REASON, "--json").stdout)
    assert answer["erased"] > 0
    page.goto("/uses")
    assert "还没有人用过" in page.inner_text("main")
