"""Proofs for those concerned: that an entry is in the tree, that a tree only ever grew."""

import base64
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from . import tiles
from .heads import latest
from .models import Entry, Head
from .sequencing import fetch, place_of
from .tree import consistency_proof, consistency_spans, inclusion_proof


@dataclass(frozen=True)
class Inclusion:
    """Where an entry is in the tree of a head, and the hashes that show it."""

    position: int
    head: Head
    path: list[bytes]


def inclusion(entry_id: UUID, head: Head | None = None) -> Inclusion | None:
    """The proof for one entry under the latest head (or one given); None while the head does not cover it."""
    head = head or latest()
    place = place_of(entry_id, head.size) if head else None
    if head is None or place is None or place[0] >= head.size:
        return None
    position, found = place
    return Inclusion(position, head, inclusion_proof(position, head.size, tiles.reader(found)))


def consistency(old: int, new: int) -> list[bytes]:
    """What shows that the tree of ``new`` leaves begins with that of ``old``.

    Raises:
        IndexError: not 1 ≤ old ≤ new.
    """
    needed = tiles.keys_of(consistency_spans(old, new))
    return consistency_proof(old, new, tiles.reader(fetch(needed)))


def evidence(entry: Entry, proof: Inclusion) -> dict[str, Any]:
    """Everything about one entry that its subject needs to check it without us; bytes in Base64."""
    return {
        "text": entry.use.text,
        "use_salt": _b64(entry.use.salt),
        "subject": _b64(entry.subject),
        "found": entry.found,
        "salt": _b64(entry.salt),
        "position": proof.position,
        "path": [_b64(h) for h in proof.path],
        "checkpoint": proof.head.note,
    }


def _b64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(bytes(value)).decode()
