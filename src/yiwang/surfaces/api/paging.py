"""Cursors: where the next page goes on. Opaque to the caller, so that what is in them may change."""

import base64
import binascii
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from yiwang.engines.cases.forms import FieldError


class BadCursor(ValueError):
    """The cursor is not one that this API gave."""


def cursor(*place: Any) -> str:
    """A place in a list as text for an address."""
    text = json.dumps(place, default=lambda v: v.isoformat() if isinstance(v, datetime) else str(v))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place(text: str, *kinds: Callable[[Any], Any]) -> tuple | None:
    """The place a cursor names, each part read by its kind; None for no cursor.

    Raises:
        BadCursor: not made by ``cursor``.
    """
    if not text:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(parts, list) or len(parts) != len(kinds):
            raise ValueError(text)
        return tuple(None if part is None else kind(part) for part, kind in zip(parts, kinds, strict=True))
    except (ValueError, TypeError, binascii.Error, AttributeError) as wrong:
        raise BadCursor(text) from wrong


def bad_cursor(text: str) -> FieldError:
    """What to tell the caller about it."""
    return FieldError("cursor", "cursor", text, _("cursor 不对：请原样使用上一页给出的 next。"))


moment = datetime.fromisoformat
identity = UUID
