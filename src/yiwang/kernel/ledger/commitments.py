"""What goes into the tree for an entry: a salted hash of who used whose data for what. Pure.

PostgreSQL computes the same (``ledger_note`` in policies.sql), so the bytes are fixed here:

    text       = JSON array of the use's facts, strings and nulls, as both json libraries write it
    digest     = SHA-256(use salt ‖ text)
    commitment = SHA-256(entry salt ‖ digest ‖ subject ‖ found), found one byte, 1 or 0

Erasing subject and salt leaves 32 bytes that say nothing, and every proof as it was. The erasure itself is a use of
the source ``ERASURE`` in the tree; its fields name each entry's commitment and its use's digest.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256

FACTS = ("id", "at", "actor", "orgs", "source", "fields", "purpose", "basis", "case", "visible_from")
"""The facts of a use, in the order of the text."""


def text_of(facts: Sequence[str | None]) -> str:
    """The text that is committed to."""
    return json.dumps(list(facts), ensure_ascii=False)


def digest(salt: bytes, text: str) -> bytes:
    """The use's digest."""
    return sha256(salt + text.encode()).digest()


def commitment(salt: bytes, use_digest: bytes, subject: bytes, found: bool) -> bytes:
    """The entry's commitment: the data of its leaf."""
    return sha256(salt + use_digest + subject + bytes([found])).digest()


ERASURE = "ledger.erasure"
"""Source of the uses that say what was erased (``ledger_erase`` in policies.sql)."""


def erased(fields: str) -> set[tuple[bytes, bytes]]:
    """(commitment, digest of the use) of each entry that an erasure names: hexadecimal, ``c:d`` with commas between.

    Raises:
        ValueError: written otherwise.
    """
    pairs = (one.split(":") for one in fields.split(",") if one)
    return {(bytes.fromhex(made), bytes.fromhex(text)) for made, text in pairs}
