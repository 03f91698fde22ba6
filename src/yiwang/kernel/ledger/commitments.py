"""What goes into the tree for an entry: a salted hash of who used whose data for what. Pure.

PostgreSQL computes the same (``ledger_note`` in policies.sql), so the bytes are fixed here:

    text       = JSON array of the use's facts, strings and nulls, as both json libraries write it
    digest     = SHA-256(use salt ‖ text)
    commitment = SHA-256(entry salt ‖ digest ‖ subject ‖ found), found one byte, 1 or 0

Erasing text, subject and salts leaves 32 bytes that say nothing, and every proof as it was.
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
