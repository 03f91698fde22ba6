"""Check the ledger from files alone: no database, no secret, only what `yiwang ledger export` wrote.

The export is a folder: ``key.txt`` (the public key), ``checkpoints.txt`` (signed heads, a line of ``===`` between),
``entries.jsonl`` (one entry a line in the order of the tree: commitment, and what it commits to unless erased).

An entry without its salt cannot be checked any more. It passes only when an erasure that stands in the tree names
it, with the digest of its text: see ``commitments.erased``.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .checkpoint import Checkpoint, NotSigned, read, read_verifier_key
from .commitments import ERASURE, FACTS, commitment, digest, erased
from .tree import EMPTY_ROOT, leaf_hash, node_hash

_SOURCE, _FIELDS = FACTS.index("source"), FACTS.index("fields")


@dataclass
class Report:
    """What checking found. ``faults`` is empty when everything fits.

    signed: how many entries the newest head covers. unprotected: how many come after it: whether some of those
    were cut off, no head can say. witnessed: how many entries the witness's head covers; 0 without one.
    """

    entries: int = 0
    erased: int = 0
    heads: int = 0
    signed: int = 0
    unprotected: int = 0
    witnessed: int = 0
    faults: list[str] = field(default_factory=list)


class Frontier:
    """The right edge of a growing tree: enough to know its root at any size."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []  # roots of complete subtrees, the largest first

    def append(self, leaf: bytes) -> None:
        """Add the hash of a leaf."""
        self._edge.append(leaf)
        n = self.size
        while n & 1:
            right = self._edge.pop()
            self._edge.append(node_hash(self._edge.pop(), right))
            n >>= 1
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self._edge:
            return EMPTY_ROOT
        found = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            found = node_hash(left, found)
        return found


def verify(
    folder: Path, most_faults: int = 50, witness: Path | None = None, key_file: Path | None = None
) -> Report:
    """Check every commitment, every head's signature, and every head's root.

    Args:
        most_faults: stop listing after so many; one is bad enough.
        witness: a head (or several) that somebody outside has kept: the tree must have had that root at that size.
        key_file: the public key from somewhere else than the export, which could have been changed with it.

    Raises:
        OSError: a file is missing. NotSigned: the public key or the witness's head cannot be read.
    """
    report = Report()
    line = (folder / "key.txt").read_text(encoding="utf-8").strip()
    if key_file is not None and key_file.read_text(encoding="utf-8").strip() != line:
        report.faults.append("导出里的公钥与给出的公钥不同：树头不是这把钥匙签的，或导出被换过")
        line = key_file.read_text(encoding="utf-8").strip()
    name, key = read_verifier_key(line)
    heads: dict[int, Checkpoint] = {}

    def keep(head: Checkpoint) -> None:
        if head.size in heads and heads[head.size].root != head.root:
            report.faults.append(f"大小为 {head.size} 的树头有两个不同的根：账本分叉")
        heads.setdefault(head.size, head)

    for n, note in enumerate(_notes((folder / "checkpoints.txt").read_text(encoding="utf-8")), 1):
        try:
            keep(read(note, name, key))
            report.heads += 1
        except NotSigned as error:
            report.faults.append(f"第 {n} 个树头：{error}")
    report.signed = max(heads, default=0)
    if witness is not None:
        for note in _notes(witness.read_text(encoding="utf-8")):
            head = read(note, name, key)
            report.witnessed = max(report.witnessed, head.size)
            keep(head)
    tree = _grow(folder / "entries.jsonl", heads, report, most_faults)
    report.entries = tree.size
    report.unprotected = max(0, tree.size - report.signed)
    if tree.size and not heads:
        report.faults.append("没有一个有效的签名树头：改动和缺失都看不出来。请另取树头，用 --head 核对")
    late = [size for size in heads if size > tree.size]
    if late and len(report.faults) < most_faults:
        whose = "见证人的树头" if max(late) == report.witnessed else "树头"
        report.faults.append(f"{whose}说有 {max(late)} 条，导出的只有 {tree.size} 条：账目缺失")
    return report


def _grow(file: Path, heads: dict[int, Checkpoint], report: Report, most_faults: int) -> Frontier:
    """Read the entries into a tree, line by line; a damaged line ends it, for nothing after it has its place."""
    tree = Frontier()
    gone: list[tuple[int, bytes, bytes]] = []  # position, commitment, digest of the text, of what has no salt
    recorded: set[tuple[bytes, bytes]] = set()
    with file.open("rb") as lines:
        for n, line in enumerate(lines, 1):
            try:
                entry = _entry(line)
            except (ValueError, KeyError, TypeError) as error:
                report.faults.append(
                    f"第 {n} 行读不懂（{error}）：这一行损坏，它和以后的都没法核对。"
                    "请重新导出，或用另一份副本替换这个文件再核对"
                )
                break
            made = entry["commitment"]
            text = None if entry["text"] is None else digest(entry["use_salt"] or b"", entry["text"])
            if any(entry[k] is None for k in ("text", "use_salt", "subject", "salt")):
                gone.append((tree.size, made, text or b""))
            elif made != commitment(entry["salt"], text or b"", entry["subject"], entry["found"]):
                report.faults.append(f"第 {tree.size} 条：内容与承诺值不符：有人改过")
            else:
                recorded |= _recorded(entry["text"])
            tree.append(leaf_hash(made))
            head_here = heads.get(tree.size)
            if head_here and head_here.root != tree.root():
                report.faults.append(f"大小为 {tree.size} 的树头与账目算出的根不符：有账目被改动")
            if len(report.faults) >= most_faults:
                return tree
    for position, made, text in gone:
        if (made, text) in recorded:
            report.erased += 1
        elif len(report.faults) < most_faults:
            report.faults.append(
                f"第 {position} 条：没有盐，无法核对；账本里也没有删除它的记载，或记载的内容与它不同：有人改过"
            )
    return tree


def _entry(line: bytes) -> dict[str, Any]:
    """A line with its bytes decoded. Raises ValueError, KeyError or TypeError."""
    told = json.loads(line.decode())
    found: dict[str, Any] = {"text": told["text"], "found": told["found"]}
    if not isinstance(told["found"], bool) or not isinstance(told["text"], str | None):
        raise TypeError("found 应是 true 或 false，text 应是文字")
    for name in ("commitment", "salt", "subject", "use_salt"):
        found[name] = None if told[name] is None else base64.b64decode(told[name], validate=True)
    if found["commitment"] is None or len(found["commitment"]) != 32:
        raise ValueError("commitment 应是 32 个字节")
    return found


def _recorded(text: str) -> set[tuple[bytes, bytes]]:
    """What a use of an entry that fits says was erased; empty for any other use."""
    if ERASURE not in text:
        return set()
    facts = json.loads(text)
    return erased(facts[_FIELDS]) if facts[_SOURCE] == ERASURE else set()


def _notes(text: str) -> list[str]:
    """Signed notes one after another: a text, a blank line, signature lines; then a line of ``===``."""
    return [note.strip("\n") + "\n" for note in text.split("===\n") if note.strip()]
