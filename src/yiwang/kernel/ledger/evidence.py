"""Check the proof of one use that its subject has downloaded (``use-….json``), without us. Pure.

The file: what the entry commits to (``text``, ``use_salt``, ``subject``, ``found``, ``salt``), its place in the tree
(``position``, ``path``), the signed head (``checkpoint``) and the public key (``key``). Bytes are Base64.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .checkpoint import Checkpoint, NotSigned, read, read_verifier_key
from .commitments import FACTS, commitment, digest
from .tree import included, leaf_hash


@dataclass
class Finding:
    """What checking found. ``faults`` is empty when the proof holds.

    facts: the use's facts by name (see ``commitments.FACTS``). size: of the head. own_key: the key was taken from
    the file itself, so it must be compared with the one that is published.
    """

    facts: dict[str, str | None] = field(default_factory=dict)
    position: int = 0
    size: int = 0
    own_key: bool = False
    faults: list[str] = field(default_factory=list)


def check(told: Mapping[str, Any], key_line: str = "", witness: str = "") -> Finding:
    """Check a proof.

    Args:
        key_line: the public key in one line; "" takes the file's own.
        witness: a signed head that somebody else has kept; of the same size, it must have the same root.

    Raises:
        NotSigned: the key or the witness's head cannot be read.
    """
    made = Finding(own_key=not key_line)
    if not told.get("salt") or not told.get("subject") or not told.get("text"):
        made.faults.append("文件里没有盐、主体或内容：个人信息已删除，这条记录的内容无法再核对")
        return made
    try:
        name, key = read_verifier_key(key_line or told["key"])
        text, path = told["text"], [base64.b64decode(h, validate=True) for h in told["path"]]
        raw = {k: base64.b64decode(told[k], validate=True) for k in ("use_salt", "subject", "salt")}
        made.position, found = int(told["position"]), bool(told["found"])
        made.facts = dict(zip(FACTS, json.loads(text), strict=True))
    except NotSigned:
        raise
    except (ValueError, KeyError, TypeError) as error:
        made.faults.append(f"文件不完整或被改过（{error}）：请重新下载证明")
        return made
    try:
        head = read(str(told.get("checkpoint", "")), name, key)
    except NotSigned as error:
        made.faults.append(f"树头：{error}。请核对公钥，或重新下载证明")
        return made
    made.size = head.size
    leaf = leaf_hash(commitment(raw["salt"], digest(raw["use_salt"], text), raw["subject"], found))
    if not included(leaf, made.position, head.size, path, head.root):
        made.faults.append("内容或证明与树头不符：这条记录被改过，或不在这棵树里")
    if witness:
        _compare(head, read(witness, name, key), made)
    return made


def _compare(head: Checkpoint, kept: Checkpoint, made: Finding) -> None:
    if kept.size != head.size:
        made.faults.append(
            f"见证人的树头有 {kept.size} 条，这份证明的树头有 {head.size} 条，不能直接比。"
            f"请取 /ledger/consistency?old={min(kept.size, head.size)}&new={max(kept.size, head.size)} 的证明，"
            "或用见证人同一时刻的树头"
        )
    elif kept.root != head.root:
        made.faults.append("见证人的树头同样大小，根却不同：账本分叉")
