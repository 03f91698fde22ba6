"""A contract as DuckDB's SQL: from a table of texts to typed rows with a mask of what is wrong. Pure.

The table of texts has a column of text per field, named by the field's id, and ``_n``, the number of the
record in its file. Bit n of ``_bad`` is set when check n fails; 0 is a good row.
"""

from __future__ import annotations

from collections.abc import Collection

from .cells import BLANKS, duckdb_type, odd_sql, plain_sql, value_sql
from .checks import DUPLICATE, checks, read_by
from .contracts import Check, Dataset, Field, Type
from .feelsql import Translator, quoted


def name(id: str) -> str:
    """A column as an SQL identifier. Ids come from checked packs; quoted all the same."""
    return '"' + id.replace('"', '""') + '"'


def _literal(f: Field, text: str) -> str:
    if f.type in (Type.DATE, Type.DATETIME):
        return f"{duckdb_type(f)} {quoted(text)}"
    return text


def _among(value: str, codes: Collection[str]) -> str:
    """An SQL condition: one of the codes. An enumeration finds it by a hash, ``in`` compares with one after another."""
    return f"(try_cast({value} as enum({', '.join(map(quoted, sorted(codes)))})) is not null)"


def _fails(check: Check, dataset: Dataset, rules: dict[str, str]) -> str:
    """An SQL condition that is true when the check fails; false or null otherwise."""
    if check.kind == "rule":
        spoilt = [
            f"({name('t_' + id)} is not null and {name(id)} is null)"
            for id in read_by(dataset, check.rule)
            if dataset.field(id).type is not Type.STRING
        ]
        unless = f" and not ({' or '.join(spoilt)})" if spoilt else ""
        return f"({rules[check.rule]}) is false{unless}"
    f = dataset.field(check.field)
    text, value = name("t_" + f.id), name(f.id)
    match check.kind:
        case "required":
            return f"{text} is null"
        case "type":
            return f"{text} is not null and {value} is null"
        case "codes":
            return f"{value} is not null and not {_among(value, f.codes)}"
        case "territory":
            if dataset.within is None:
                return "false"
            outside = f"{value} is not null and not {_among(value, dataset.within.codes)}"
            # What is no code of a division is told as such, and not again as somebody else's.
            return outside + (f" and {_among(value, f.codes)}" if f.codes else "")
        case "min":
            return f"{value} < {_literal(f, f.minimum)}"
        case "max":
            return f"{value} > {_literal(f, f.maximum)}"
        case "length":
            return f"length({text}) > {f.max_length}"
        case "pattern":
            return f"not regexp_full_match({value}, {quoted(f.pattern)})"
    raise ValueError(check.kind)


def validated(dataset: Dataset, source: str, as_of: str, duplicates: str = "") -> str:
    """The query that types and judges every row.

    Args:
        source: what to select from: a table or a query in brackets, with the columns of texts and ``_n``.
        as_of: the delivery's day, ISO.
        duplicates: a table with the column ``_n`` of the rows that contradict another of the same key.

    Returns:
        a query with ``_n``, each field typed, each text as ``t_FIELD``, and ``_bad``.
    """
    # A row without any blank, as nearly all are, needs no look at the edges of its cells; nor one without an odd
    # character at what is in them.
    cells = [name(f.id) for f in dataset.fields]
    blank = " or ".join(f"contains(_line, {quoted(b)})" for b in BLANKS)
    line = f"select *, concat_ws('|', {', '.join(cells)}) as _line from {source} as raw"
    texts = ", ".join(
        f"case when _blank then {plain_sql(c)} else nullif({c}, '') end as {name('t_' + f.id)}"
        for c, f in zip(cells, dataset.fields, strict=True)
    )
    values = ", ".join(f"{_value(f, name('t_' + f.id))} as {name(f.id)}" for f in dataset.fields)
    translator = Translator(dataset, name, f"date {quoted(as_of)}")
    rules = {r.id: translator.condition(r.holds) for r in dataset.rules}
    bits = [
        f"case when {_fails(check, dataset, rules)} then {1 << check.bit} else 0 end"
        for check in checks(dataset)
        if check.kind != "duplicate"
    ]
    if duplicates:
        bits.append(f"case when _n in (select _n from {duplicates}) then {1 << DUPLICATE} else 0 end")
    mask = " + ".join(f"({bit})::bigint" for bit in bits) or "0::bigint"
    return (
        f"select *, {mask} as _bad from (select *, {values} from (select _n, _odd, {texts} from "
        f"(select *, {blank} as _blank, {odd_sql('_line')} as _odd from ({line}) as lines) as marked) as cells) as typed"
    )


def _value(f: Field, text: str) -> str:
    told = value_sql(f, text)
    return f"case when _odd then {told} else {text} end" if f.type is Type.STRING else told


_TEXTUAL = (Type.STRING, Type.CODE, Type.USCC, Type.IDNO, Type.REGION)


def _comparable(f: Field) -> str:
    """A key's cell as the text it is compared by: 007 and 7 are one number, 2024-1-1 and 20240101 one day."""
    text = plain_sql(name(f.id))
    return text if f.type in _TEXTUAL else f"coalesce(({value_sql(f, text)})::varchar, {text})"


def repeated(dataset: Dataset, source: str) -> str:
    """The query for records whose key (or a unique group) occurs twice: ``_n``, ``_same``, ``_with``.

    ``_same``: the whole record equals the first of its key, and it is not the first: superfluous, no error.
    ``_with``: number of another record of the group. Rows of a key that differ are all told.
    Keys are grouped by their hash first, so that fifteen million keys need little memory.
    """
    every = ", ".join(f"coalesce({plain_sql(name(f.id))}, '')" for f in dataset.fields)
    parts = []
    for group in (dataset.key, *dataset.unique):
        texts = [_comparable(dataset.field(k)) for k in group]
        there = " and ".join(f"{t} is not null" for t in texts)
        listed = ", ".join(texts)
        hashes = f"hash({listed})"
        parts.append(
            f"select _n, {'true' if group == dataset.key else 'false'} as _key, [{listed}] as _k, [{every}] as _row "
            f"from {source} as raw where {there} and {hashes} in (select h from (select {hashes} as h from {source} "
            f"as raw where {there}) as hashed group by h having count(*) > 1)"
        )
    candidates = " union all ".join(parts)
    return (
        f"with c as ({candidates}), g as (select *, count(*) over w as _count, "
        "min(_n) over w as _first, max(_n) over w as _last, "
        "first_value(_row) over (partition by _key, _k order by _n) as _one, "
        "min(_row) over w = max(_row) over w as _all_same "
        "from c window w as (partition by _key, _k)) "
        "select _n, (_key and _all_same) as _same, case when _n = _first then _last else _first end as _with "
        "from g where _count > 1 and not (_key and _all_same and _n = _first)"
    )
