"""Values of fields as pages show them, by the field's level of sensitivity. Pure."""

from __future__ import annotations

from typing import Any

from .contracts import Field


def shown(field: Field, value: Any) -> str:
    """The value, with personal information hidden but for its ends."""
    text = "" if value is None else str(value)
    if field.level == "一般个人信息" and text:
        return text[0] + "*" * min(len(text) - 1, 6) if len(text) < 7 else text[:3] + "****" + text[-2:]
    if field.level == "敏感个人信息" and text:
        return text[:3] + "********" + (text[-2:] if len(text) > 8 else "")
    return text
