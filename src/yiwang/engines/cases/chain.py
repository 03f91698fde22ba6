"""The hash chain of a case's events: over the stored bytes, actor, command and place in the chain."""

import hashlib
from uuid import UUID

ALGORITHM = "sha256"  # sm3 where the installation requires 国密; each event names its own


def link(algorithm: str, previous: bytes, seq: int, at: str, actor: str, command_id: UUID, body: bytes) -> bytes:
    """The hash of an event. ``at`` is ISO 8601 in UTC; fields are length-prefixed so that none can slide.

    Args:
        previous: hash of the event before, 32 zero bytes for the first.
        body: exactly the bytes stored.
    """
    digest = hashlib.new(algorithm)
    for part in (previous, str(seq).encode(), at.encode(), actor.encode(), command_id.bytes, body):
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part)
    return digest.digest()


GENESIS = bytes(32)
