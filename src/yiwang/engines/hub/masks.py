"""Values of fields as pages show them, by the field's level of sensitivity. Pure."""

from __future__ import annotations

from typing import Any

from .contracts import Field

GENERAL, SENSITIVE = "一般个人信息", "敏感个人信息"
PERSONAL = frozenset({GENERAL, SENSITIVE})
"""Levels whose values are masked unless there is a reason (elements' levels, GB/T 43697-2024)."""


def shown(field: Field, value: Any) -> str:
    """The value, with personal information hidden but for its ends."""
    text = "" if value is None else str(value)
    if field.level == GENERAL and text:
        return text[0] + "*" * min(len(text) - 1, 6) if len(text) < 7 else text[:3] + "****" + text[-2:]
    if field.level == SENSITIVE and text:
        return text[:3] + "********" + (text[-2:] if len(text) > 8 else "")
    return text
