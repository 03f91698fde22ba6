"""A small batch of records judged at once, without storing anything: pushes and the sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from .cells import json_text, plain
from .contracts import Dataset, Message
from .messages import columns, of_row
from .rowwise import duplicate_bit, judge, repeated


def check(
    dataset: Dataset, records: Sequence[Mapping[str, Any]], as_of: date
) -> tuple[int, int, list[Message]]:
    """Judge records as the collector will.

    Args:
        records: objects whose keys are any names of fields.

    Returns:
        good, refused, and the messages; records are numbered from 1.
    """
    rows: list[dict[str, str | None]] = []
    messages: list[Message] = []
    told: set[str] = set()
    for record in records:
        keys = list(record)
        placed, notices, _lacking = columns(dataset, keys)
        messages += [m for m in notices if m.field not in told]
        told |= {m.field for m in notices}
        rows.append({id: plain(json_text(record[keys[n]])) for n, id in placed.items()})
    clash, same = repeated(dataset, rows)
    bad = 0
    for n, row in enumerate(rows):
        if n in same:
            continue
        _values, mask = judge(dataset, row, as_of)
        mask |= duplicate_bit() if n in clash else 0
        bad += mask != 0
        messages += of_row(dataset, n + 1, row, mask, clash[n] + 1 if n in clash else None)
    return len(rows) - bad - len(same), bad, messages
