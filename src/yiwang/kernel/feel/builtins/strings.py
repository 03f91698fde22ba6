"""String functions (DMN 1.5 §10.3.4.3). Positions count characters from 1, or from the end with −1."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from yiwang.kernel.feel.builtins.patterns import SECONDS, compiled, replacement_parts
from yiwang.kernel.feel.builtins.registry import builtin
from yiwang.kernel.feel.values import DECIMAL, LONGEST, deep, text

_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@builtin("string", "from: any")
def string(value: Any) -> str | None:
    return text(deep(value))


@builtin("number", "from: string", "grouping separator: string|null?", "decimal separator: string|null?")
def number(value: str, grouping: str | None = None, point: str | None = None) -> Decimal:
    if (
        grouping not in (None, " ", ",", ".")
        or point not in (None, ",", ".")
        or (grouping and grouping == point)
    ):
        raise ValueError("分隔符只能是空格、「,」或「.」，且两者不同")
    plain = value.replace(grouping, "") if grouping else value
    if point == ",":
        plain = plain.replace(".", "?").replace(",", ".")
    if not _NUMBER.fullmatch(plain):
        raise ValueError(f"「{value}」不是数字")
    return DECIMAL.create_decimal(plain)


@builtin("substring", "string: string", "start position: number", "length: number|null?")
def substring(value: str, start: Decimal, length: Decimal | None = None) -> str:
    position = int(start)
    if not 1 <= abs(position) <= len(value):
        raise ValueError(f"起始位置应在 1 到 {len(value)} 之间，或从末尾数起为负")
    if length is not None and length < 1:
        raise ValueError("长度应大于 0")
    first = position - 1 if position > 0 else len(value) + position
    return value[first:] if length is None else value[first : first + min(int(length), len(value))]


@builtin("string length", "string: string")
def string_length(value: str) -> Decimal:
    return Decimal(len(value))


@builtin("upper case", "string: string")
def upper_case(value: str) -> str:
    return value.upper()


@builtin("lower case", "string: string")
def lower_case(value: str) -> str:
    return value.lower()


@builtin("substring before", "string: string", "match: string")
def substring_before(value: str, match: str) -> str:
    before, found, _ = value.partition(match) if match else ("", "", "")
    return before if found else ""


@builtin("substring after", "string: string", "match: string")
def substring_after(value: str, match: str) -> str:
    return value.partition(match)[2] if match else value


@builtin("contains", "string: string", "match: string")
def contains(value: str, match: str) -> bool:
    return match in value


@builtin("starts with", "string: string", "match: string")
def starts_with(value: str, match: str) -> bool:
    return value.startswith(match)


@builtin("ends with", "string: string", "match: string")
def ends_with(value: str, match: str) -> bool:
    return value.endswith(match)


@builtin("matches", "input: string", "pattern: string", "flags: string|null?")
def matches(value: str, pattern: str, flags: str | None = None) -> bool:
    return compiled(pattern, flags or "").search(value, timeout=SECONDS) is not None


@builtin("replace", "input: string", "pattern: string", "replacement: string", "flags: string|null?")
def replace(value: str, pattern: str, replacement: str, flags: str | None = None) -> str:
    expression = _dividing(pattern, flags or "")
    if "q" in (flags or ""):
        parts: list[str | int] = [replacement]
    else:
        parts = replacement_parts(replacement, expression.groups)
    out: list[str] = []
    end = size = 0
    for found in expression.finditer(value, timeout=SECONDS):
        out.append(value[end : found.start()])
        for part in parts:
            if isinstance(part, str):
                out.append(part)
            elif part <= expression.groups:
                out.append(found.group(part) or "")
            size += len(out[-1])
        if size > LONGEST:
            raise ValueError("文本太长")
        end = found.end()
    return "".join((*out, value[end:]))


@builtin("split", "string: string", "delimiter: string")
def split(value: str, delimiter: str) -> list[str]:
    parts: list[str] = []
    end = 0
    for found in _dividing(delimiter, "").finditer(value, timeout=SECONDS):
        parts.append(value[end : found.start()])
        end = found.end()
    return [*parts, value[end:]]


def _dividing(pattern: str, flags: str) -> Any:
    """A pattern for replace and split, which may not match nothing (F&O 3.1 §5.6.4, §5.6.5)."""
    expression = compiled(pattern, flags)
    if expression.search("", timeout=SECONDS):
        raise ValueError(f"「{pattern}」能匹配空文本，不能用来替换或拆分")
    return expression


@builtin("string join", "list: list", "delimiter: string|null?")
def string_join(items: list[Any], delimiter: str | None = None) -> str:
    if not all(item is None or isinstance(item, str) for item in items):
        raise ValueError("列表里应全是文本")
    texts = [item for item in items if item is not None]
    if sum(map(len, texts)) + len(texts) * len(delimiter or "") > LONGEST:
        raise ValueError("文本太长")
    return (delimiter or "").join(texts)
