"""A contract applied to one row at a time in Python: for small pushes and the sandbox, and as the SQL's oracle.

It must agree with ``sql.validated`` on every row; a property test holds the two together. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from yiwang.kernel.feel import Expression, parse

from .cells import Value, plain, value
from .checks import DUPLICATE, checks, read_by
from .contracts import Check, Dataset, Field, Type

_parse = lru_cache(maxsize=512)(parse)


def expression(text: str) -> Expression:
    """A rule's condition, parsed once."""
    return _parse(text)


def judge(dataset: Dataset, row: Mapping[str, str | None], as_of: date) -> tuple[dict[str, Value], int]:
    """The typed values of a row, and the mask of the checks it fails (duplicates apart).

    Args:
        row: texts by field id; what is absent is empty.
    """
    texts = {f.id: plain(row.get(f.id)) for f in dataset.fields}
    values = {f.id: value(f, text) if (text := texts[f.id]) is not None else None for f in dataset.fields}
    context = {**values, "as_of": as_of}
    mask = 0
    for check in checks(dataset):
        if check.kind != "duplicate" and _fails(check, dataset, texts, values, context):
            mask |= 1 << check.bit
    return values, mask


def _fails(
    check: Check,
    dataset: Dataset,
    texts: Mapping[str, str | None],
    values: Mapping[str, Value],
    context: Mapping[str, object],
) -> bool:
    if check.kind == "rule":
        rule = next(r for r in dataset.rules if r.id == check.rule)
        if any(
            texts[id] is not None and values[id] is None and dataset.field(id).type is not Type.STRING
            for id in read_by(dataset, rule.id)
        ):
            return False
        return expression(rule.holds).evaluate(context) is False
    f = dataset.field(check.field)
    text, found = texts[f.id], values[f.id]
    match check.kind:
        case "required":
            return text is None
        case "type":
            return text is not None and found is None
        case "length":
            return text is not None and len(text) > f.max_length
    if found is None:
        return False
    match check.kind:
        case "codes":
            return found not in f.codes
        case "territory":
            mine = dataset.within is None or found in dataset.within.codes
            return not mine and (not f.codes or found in f.codes)
        case "pattern":
            return re.fullmatch(f.pattern, str(found)) is None
    low = bound(f, f.minimum) if check.kind == "min" else found
    high = bound(f, f.maximum) if check.kind == "max" else found
    return bool(found < low or found > high)  # type: ignore[operator]


def bound(f: Field, text: str) -> Value:
    """A pack's minimum or maximum as a value of the field."""
    if f.type is Type.DATE:
        return date.fromisoformat(text)
    if f.type is Type.DATETIME:
        return datetime.fromisoformat(text)
    return Decimal(text)


def repeated(dataset: Dataset, rows: Sequence[Mapping[str, str | None]]) -> tuple[dict[int, int], set[int]]:
    """Records whose key or unique group occurs twice among ``rows`` (numbered from 0).

    Returns:
        the contradicting records, each with another of its group; and the superfluous ones, which equal
        the first of their key.
    """
    texts = [tuple(plain(row.get(f.id)) for f in dataset.fields) for row in rows]
    place = {f.id: n for n, f in enumerate(dataset.fields)}
    clash: dict[int, int] = {}
    same: set[int] = set()
    for group in (dataset.key, *dataset.unique):
        by_key: dict[tuple[str | None, ...], list[int]] = {}
        for n, cells in enumerate(texts):
            key = tuple(_comparable(dataset.field(k), cells[place[k]]) for k in group)
            if None not in key:
                by_key.setdefault(key, []).append(n)
        for found in by_key.values():
            if len(found) < 2:
                continue
            if group == dataset.key and len({texts[n] for n in found}) == 1:
                same.update(found[1:])
                continue
            for n in found:
                clash.setdefault(n, found[0] if n != found[0] else found[-1])
    return clash, same


def _comparable(f: Field, text: str | None) -> str | None:
    found = value(f, text) if text is not None else None
    return text if found is None or isinstance(found, str) else str(found)


def duplicate_bit() -> int:
    """The mask of a contradicting record."""
    return 1 << DUPLICATE
