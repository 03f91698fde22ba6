"""Check the ledger from files alone: no database, no secret, only what `yiwang ledger export` wrote.

The export is a folder: ``key.txt`` (the public key), ``checkpoints.txt`` (signed heads, blank lines between),
``entries.jsonl`` (one entry a line in the order of the tree: commitment, and what it commits to unless erased).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .checkpoint import Checkpoint, NotSigned, read, read_verifier_key
from .commitments import commitment, digest
from .tree import EMPTY_ROOT, leaf_hash, node_hash


@dataclass
class Report:
    """What checking found. ``faults`` is empty when everything fits."""

    entries: int = 0
    erased: int = 0
    heads: int = 0
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


def verify(folder: Path, most_faults: int = 50) -> Report:
    """Check every commitment, every head's signature, and every head's root.

    Args:
        most_faults: stop listing after so many; one is bad enough.

    Raises:
        OSError: a file is missing. NotSigned: the public key cannot be read.
    """
    report = Report()
    name, key = read_verifier_key((folder / "key.txt").read_text(encoding="utf-8"))
    heads: dict[int, Checkpoint] = {}
    for n, note in enumerate(_notes((folder / "checkpoints.txt").read_text(encoding="utf-8")), 1):
        try:
            head = read(note, name, key)
        except NotSigned as error:
            report.faults.append(f"第 {n} 个树头：{error}")
            continue
        if head.size in heads and heads[head.size].root != head.root:
            report.faults.append(f"大小为 {head.size} 的树头有两个不同的根：账本分叉")
        heads[head.size] = head
        report.heads += 1
    tree = Frontier()
    with (folder / "entries.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            fault = _fault(entry)
            if fault:
                report.faults.append(f"第 {tree.size} 条：{fault}")
            report.erased += entry.get("text") is None or entry.get("salt") is None
            tree.append(leaf_hash(base64.b64decode(entry["commitment"])))
            head_here = heads.get(tree.size)
            if head_here and head_here.root != tree.root():
                report.faults.append(f"大小为 {tree.size} 的树头与账目算出的根不符：有账目被改动")
            if len(report.faults) >= most_faults:
                break
    report.entries = tree.size
    late = [size for size in heads if size > tree.size]
    if late and len(report.faults) < most_faults:
        report.faults.append(f"树头说有 {max(late)} 条，导出的只有 {tree.size} 条：账目缺失")
    return report


def _fault(entry: dict[str, Any]) -> str:
    """Why an entry's commitment does not fit what it commits to; empty when it does, or is erased."""
    if any(entry.get(k) is None for k in ("text", "use_salt", "subject", "salt")):
        return ""
    use = digest(base64.b64decode(entry["use_salt"]), entry["text"])
    made = commitment(
        base64.b64decode(entry["salt"]), use, base64.b64decode(entry["subject"]), entry["found"]
    )
    return "" if made == base64.b64decode(entry["commitment"]) else "内容与承诺值不符：有人改过"


def _notes(text: str) -> list[str]:
    """Signed notes one after another: a text, a blank line, signature lines; then a line of ``===``."""
    return [note.strip("\n") + "\n" for note in text.split("===\n") if note.strip()]
