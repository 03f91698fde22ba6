"""FEEL in packs: renaming of roles, partial truth, and the context that expressions see."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from yiwang.engines.cases.forms.functions import FUNCTIONS
from yiwang.kernel import feel

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|(?<![\w.])[a-z][a-z0-9_]*(?![\w])')
_SPLIT = re.compile(r'"(?:\\.|[^"\\])*"|[()\[\]{}]|\b(?:and|or)\b')
_NOT_SPLITTABLE = re.compile(r"\b(?:between|if|for|some|every|function)\b")


@lru_cache(maxsize=4096)
def parse(text: str) -> feel.Expression:
    """The parsed expression. Raises feel.FeelSyntaxError."""
    return feel.parse(text)


def reads(text: str) -> frozenset[str]:
    """The names an expression reads: paths (``mother.idno``) and situations (``abroad``)."""
    return frozenset(parse(text).paths) - FUNCTIONS.keys()


def rename(text: str, bind: Mapping[str, str]) -> str:
    """The expression with the roles of an item replaced by the roles they are bound to."""

    def one(match: re.Match[str]) -> str:
        word = match.group()
        followed_by_dot = text[match.end() : match.end() + 1] == "."
        return bind.get(word, word) if followed_by_dot else word

    return _TOKEN.sub(one, text)


def qualify(text: str, role: str, elements: Collection[str]) -> str:
    """The expression of a dictionary entry with its own elements written as ``role.element``."""

    def one(match: re.Match[str]) -> str:
        word = match.group()
        alone = text[match.end() : match.end() + 1] not in (".", "(")
        return f"{role}.{word}" if word in elements and alone else word

    return _TOKEN.sub(one, text)


def evaluate(text: str, context: Mapping[str, Any]) -> Any:
    """The value of an expression; None where it cannot be computed."""
    return parse(text).evaluate(context, FUNCTIONS)


def truth(text: str, context: Mapping[str, Any], known: Collection[str]) -> bool | None:
    """Three-valued truth when only the names in ``known`` have a value.

    A part that reads an unknown name is unknown; ``and`` and ``or`` then decide as Kleene's logic does.
    """
    for word, decisive in (("or", True), ("and", False)):
        parts = _split(text, word)
        if len(parts) > 1:
            values = [truth(part, context, known) for part in parts]
            if decisive in values:
                return decisive
            return None if None in values else not decisive
    inner = text.strip()
    if inner.startswith("(") and _closes_at_end(inner):
        return truth(inner[1:-1], context, known)
    if not all(name in known for name in reads(inner)):
        return None
    value = evaluate(inner, context)
    return value if isinstance(value, bool) else None


def any_of(parts: Collection[str]) -> str:
    """The disjunction of expressions, each once, in a fixed order."""
    unique = sorted(set(parts))
    return unique[0] if len(unique) == 1 else " or ".join(f"({p})" for p in unique)


def context(data: Mapping[str, Any], roles: Collection[str], types: Mapping[str, str]) -> dict[str, Any]:
    """The nested context for FEEL from flat data: ``{"child.name": …}`` becomes ``{"child": {"name": …}}``.

    ISO text of elements of type date and datetime becomes a date or a date and time, text of decimals a number.
    """
    nested: dict[str, Any] = {role: {} for role in roles}
    for path, value in data.items():
        role, dot, element = path.partition(".")
        if not dot:
            nested[role] = _typed(value, "date" if role == "today" else "")
        elif role in nested and isinstance(nested[role], dict):
            nested[role][element] = _typed(value, types.get(path, ""))
    return nested


def plain(value: Any) -> Any:
    """A FEEL result as a JSON value: ISO text for dates, whole numbers as int, other numbers as text."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    return value


def _typed(value: Any, type_: str) -> Any:
    if not isinstance(value, str) or type_ not in ("date", "datetime", "decimal"):
        return None if value == "" else value
    try:
        if type_ == "decimal":
            return number if value and (number := Decimal(value)).is_finite() else None
        return date.fromisoformat(value) if type_ == "date" else datetime.fromisoformat(value)
    except (ValueError, InvalidOperation):
        return None


@lru_cache(maxsize=4096)
def _split(text: str, word: str) -> tuple[str, ...]:
    if _NOT_SPLITTABLE.search(text):
        return (text,)
    parts, depth, start = [], 0, 0
    for match in _SPLIT.finditer(text):
        mark = match.group()
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        elif mark == word and depth == 0:
            parts.append(text[start : match.start()])
            start = match.end()
    return (*parts, text[start:])


def _closes_at_end(text: str) -> bool:
    depth = 0
    for match in _SPLIT.finditer(text):
        mark = match.group()
        depth += (mark in "([{") - (mark in ")]}")
        if depth == 0 and mark in ")]}":
            return match.end() == len(text)
    return False
