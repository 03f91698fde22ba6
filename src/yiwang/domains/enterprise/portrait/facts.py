"""What several sources say of one fact, compared: of one enterprise, and of all by one statement. Pure.

Of a dataset with several records of an enterprise, the latest counts (``valid_from``, then the key). Two values are
the same when their compared forms are; a form that is missing says nothing. ``KINDS`` are the differences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from yiwang.engines.hub.feelsql import quoted

from .contracts import Fact, Said, Source

SEPARATOR = "\x1f"
HALF_WIDTH = "".join(map(chr, range(0x21, 0x7F)))
FULL_WIDTH = "".join(map(chr, range(0xFF01, 0xFF5F)))
_WIDTH = str.maketrans(FULL_WIDTH, HALF_WIDTH)
NOTHING = Said("", None, None, None)


def form(fact: Fact, source: Source, value: str | None) -> str | None:
    """A value as it is compared."""
    if value is None:
        return None
    if fact.compare == "mapped":
        return source.values.get(value)
    if fact.compare == "plain":
        return re.sub(r"[^0-9a-z\u4e00-\u9fff]", "", value.translate(_WIDTH).lower()) or None
    return value or None


def said(fact: Fact, source: Source, records: Iterable[Mapping[str, Any]]) -> Said | None:
    """What a source says by its records of one enterprise, the latest; None when it has none."""
    told = []
    for r in records:
        key = SEPARATOR.join(str(r.get(k)) for k in source.dataset.key)
        value = r.get(source.field)
        since = r.get(source.dataset.valid_from)
        day = since.date() if isinstance(since, datetime) else since
        text = None if value is None else str(value)
        told.append((day or date.min, key, Said(key, text, form(fact, source, text), day)))
    return max(told, key=lambda t: t[:2])[2] if told else None


def difference(fact: Fact, source: Source, ours: Said | None, theirs: Said | None) -> str:
    """What is wrong between the authority (ours) and a source (theirs); "" for nothing. See ``KINDS``."""
    if theirs is None:
        wanted = ours is not None and ours.plain in source.complete
        return "absent" if wanted else ""
    if ours is None:
        return "unknown"
    if theirs.plain is None or theirs.plain == ours.plain:
        return ""
    if ours.plain is None:
        # A code that has no common word is not compared; a field that is empty lacks something.
        return "empty" if not ours.value else ""
    return "newer" if (theirs.since or date.min) > (ours.since or date.min) else "differs"


def statement(fact: Fact, source: Source, first: bool, some: bool = False) -> str:
    """Select every difference between the authority and one source, for PostgreSQL's tables of the hub.

    Columns: uscc, kind, key, value, since, other_key, other_value, other_since; ``other`` is the authority's.

    Args:
        first: whether enterprises that the authority does not know are told here; once a dataset is enough.
        some: only codes in ``%(codes)s``.
    """
    complete = ", ".join(_literal(c) for c in source.complete)
    absent = f"t.uscc is null and o.plain in ({complete})" if complete else "false"
    unknown = "o.uscc is null" if first else "false"
    return (
        f"with o as ({_latest(fact, fact.authority, some)}), t as ({_latest(fact, source, some)}) "
        "select * from (select coalesce(o.uscc, t.uscc) as uscc, case "
        f"when {absent} then 'absent' when t.uscc is null then null when {unknown} then 'unknown' "
        "when o.uscc is null or t.plain is null or t.plain = o.plain then null "
        "when o.plain is null then case when coalesce(o.value, '') = '' then 'empty' end "
        "when t.since > o.since then 'newer' else 'differs' end as kind, "
        "t.key, t.value, t.since, o.key as other_key, o.value as other_value, o.since as other_since "
        "from o full join t on t.uscc = o.uscc) d where kind is not null"
    )


def _latest(fact: Fact, source: Source, some: bool) -> str:
    d = source.dataset
    subject, field = _name(d.subject_field), _name(source.field)
    key = " || chr(31) || ".join(f"{_name(k)}::text" for k in d.key)
    only = f" and {subject} = any(%(codes)s)" if some else ""
    day = f"{_name(d.valid_from)}::date"
    return (
        f"select distinct on ({subject}) {subject}::text as uscc, {key} as key, {field}::text as value, "
        f"{_form(fact, source, f'{field}::text')} as plain, {day} as since from hub.{_name(d.id)} "
        f"where not _withdrawn and {subject} is not null{only} "
        f'order by {subject}, {day} desc nulls last, ({key}) collate "C" desc'
    )


def _form(fact: Fact, source: Source, value: str) -> str:
    if fact.compare == "mapped":
        cases = " ".join(
            f"when {_literal(code)} then {_literal(word)}" for code, word in source.values.items()
        )
        return f"case {value} {cases} end"
    if fact.compare == "plain":
        made = f"lower(translate({value}, {_literal(FULL_WIDTH)}, {_literal(HALF_WIDTH)}))"
        return f"nullif(regexp_replace({made}, '[^0-9a-z\\u4e00-\\u9fff]', '', 'g'), '')"
    return f"nullif({value}, '')"


def _literal(text: str) -> str:
    """A literal in a statement that is always executed with parameters."""
    return quoted(text).replace("%", "%%")


def _name(id: str) -> str:
    return '"' + id.replace('"', '""') + '"'
