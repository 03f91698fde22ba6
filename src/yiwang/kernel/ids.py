"""Keys that any machine can make offline: UUID version 7 (RFC 9562), ordered by time."""

from uuid import NAMESPACE_URL, UUID, uuid5

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return uuid7()


def derived_id(*parts: object) -> UUID:
    """The same id for the same parts, for commands that must take effect once however often retried."""
    return uuid5(NAMESPACE_URL, "yiwang:" + ":".join(map(str, parts)))
