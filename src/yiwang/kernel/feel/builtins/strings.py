"""String functions (DMN 1.5 §10.3.4.3). Positions count characters from 1, or from the end with −1."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from yiwang.kernel.feel.builtins.registry import builtin
from yiwang.kernel.feel.values import DECIMAL, deep, text

_GROUP = re.compile(r"\$([0-9])")


@builtin("string", "from: any")
def string(value: Any) -> str | None:
    return text(deep(value))


@builtin("number", "from: string", "grouping separator: string?", "decimal separator: string?")
def number(value: str, grouping: str | None = None, point: str | None = None) -> Decimal:
    if (
        grouping not in (None, " ", ",", ".")
        or point not in (None, ",", ".")
        or (grouping and grouping == point)
    ):
        raise ValueError("分隔符只能是空格、「,」或「.」，且两者不同")
    if grouping:
        value = value.replace(grouping, "")
    if point:
        value = value.replace(point, ".")
    if not re.fullmatch(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", value.strip()):
        raise ValueError(f"「{value}」不是数字")
    return DECIMAL.create_decimal(value.strip())


@builtin("substring", "string: string", "start position: number", "length: number?")
def substring(value: str, start: Decimal, length: Decimal | None = None) -> str:
    position = int(start)
    if position == 0:
        raise ValueError("起始位置从 1 数起，不能是 0")
    if length is not None and length < 1:
        raise ValueError("长度应大于 0")
    first = position - 1 if position > 0 else max(len(value) + position, 0)
    return value[first:] if length is None else value[first : first + int(length)]


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


@builtin("matches", "input: string", "pattern: string", "flags: string?")
def matches(value: str, pattern: str, flags: str | None = None) -> bool:
    return _pattern(pattern, flags).search(value) is not None


@builtin("replace", "input: string", "pattern: string", "replacement: string", "flags: string?")
def replace(value: str, pattern: str, replacement: str, flags: str | None = None) -> str:
    return _pattern(pattern, flags).sub(lambda found: _fill(found, replacement), value)


@builtin("split", "string: string", "delimiter: string")
def split(value: str, delimiter: str) -> list[str]:
    return re.split(_pattern(delimiter, None), value)


@builtin("string join", "list: list", "delimiter: string?")
def string_join(items: list[Any], delimiter: str | None = None) -> str:
    if not all(item is None or isinstance(item, str) for item in items):
        raise ValueError("列表里应全是文本")
    return (delimiter or "").join(item for item in items if item is not None)


def _pattern(pattern: str, flags: str | None) -> re.Pattern[str]:
    value = 0
    for flag in flags or "":
        if flag not in "smix":
            raise ValueError(f"没有「{flag}」这个标志，可用 s、m、i、x")
        value |= getattr(re, flag.upper())
    try:
        return re.compile(pattern, value)
    except re.error as error:
        raise ValueError(f"「{pattern}」不是正则表达式：{error}") from None


def _fill(found: re.Match[str], replacement: str) -> str:
    return _GROUP.sub(
        lambda group: (found.group(int(group[1])) or "") if int(group[1]) <= found.re.groups else "",
        replacement,
    )
