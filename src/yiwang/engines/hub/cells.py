"""The text of a cell as a value, in Python and in DuckDB's SQL; the two must agree. Pure.

A cell's outer blanks are not part of it; an empty cell is missing (null). Dates: 2024-05-20, 2024/5/20 or
20240520. Moments: a date, or a date and 08:30 or 08:30:59 after a blank or T; local time. Nothing else is
read as a value: what might mean two things is refused, not guessed.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from .codes import idno_sql, is_idno, is_uscc, uscc_sql
from .contracts import Field, Type

BLANKS = " \t\r\n\u3000\u00a0\ufeff"
_EDGES = ", ".join(f"'{b}'" for b in BLANKS)
WHOLE_DIGITS = 17  # of an integer; a decimal has 18 digits with those after the point
DAMAGED = "\ufffd"  # stands for bytes that are no character of the file's encoding
EXACT = 10**15  # a number in a sheet or in JSON from here on has lost digits
_DATE = re.compile(r"[1-9][0-9]{3}(?:-[0-9]{1,2}-[0-9]{1,2}|/[0-9]{1,2}/[0-9]{1,2})")
_COMPACT = re.compile(r"[1-9][0-9]{7}")
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?")
_INT = re.compile(rf"-?[0-9]{{1,{WHOLE_DIGITS}}}")

Value = None | str | int | Decimal | date | datetime


def plain(text: str | None) -> str | None:
    """The cell without outer blanks; None for an empty one."""
    return (text or "").strip(BLANKS) or None


def decimal_shape(scale: int) -> str:
    """The regular expression of a decimal with at most ``scale`` digits after the point."""
    whole = 18 - scale
    return rf"-?[0-9]{{1,{whole}}}" + (rf"(?:\.[0-9]{{1,{scale}}})?" if scale else "")


def value(field: Field, text: str) -> Value:
    """The value of a plain text, or None when the text is not of the field's type."""
    match field.type:
        case Type.INT:
            return int(text) if _INT.fullmatch(text) else None
        case Type.DECIMAL:
            return Decimal(text) if re.fullmatch(decimal_shape(field.scale), text) else None
        case Type.DATE:
            return _date(text)
        case Type.DATETIME:
            return _moment(text)
        case Type.USCC:
            return text if is_uscc(text) else None
        case Type.IDNO:
            return text if is_idno(text) else None
        case Type.REGION:
            return text if re.fullmatch("[1-8][0-9]{5}", text) else None
        case Type.STRING:
            return text if "\0" not in text and DAMAGED not in text else None
    return text  # of a code: its list says whether it is one


def _date(text: str) -> date | None:
    if _DATE.fullmatch(text):
        parts = [int(part) for part in re.split("[-/]", text)]
    elif _COMPACT.fullmatch(text):
        parts = [int(text[:4]), int(text[4:6]), int(text[6:])]
    else:
        return None
    try:
        return date(*parts)
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    day, _, clock = text.replace("T", " ", 1).partition(" ")
    found = _date(day)
    if found is None or (clock and not _CLOCK.fullmatch(clock)) or text.endswith((" ", "T")):
        return None
    hours, minutes, seconds = ([int(p) for p in clock.split(":")] + [0, 0, 0])[:3] if clock else (0, 0, 0)
    return datetime(found.year, found.month, found.day, hours, minutes, seconds)


def plain_sql(column: str) -> str:
    """SQL of ``plain``. Looking for a blank costs a quarter of trimming, and few cells have one."""
    blank = f"left({column}, 1) in ({_EDGES}) or right({column}, 1) in ({_EDGES})"
    return f"case when {blank} then nullif(trim({column}, '{BLANKS}'), '') else nullif({column}, '') end"


def _date_sql(text: str) -> str:
    return (
        f"case when regexp_full_match({text}, '{_DATE.pattern}') then try_cast(replace({text}, '/', '-') as date) "
        f"when regexp_full_match({text}, '{_COMPACT.pattern}') "
        f"then try_cast(concat({text}[1:4], '-', {text}[5:6], '-', {text}[7:8]) as date) end"
    )


def value_sql(field: Field, text: str) -> str:
    """SQL of ``value`` for the plain text named ``text``, which may be null."""
    match field.type:
        case Type.INT:
            return (
                f"case when regexp_full_match({text}, '{_INT.pattern}') then try_cast({text} as bigint) end"
            )
        case Type.DECIMAL:
            shape = decimal_shape(field.scale)
            cast = f"try_cast({text} as decimal(18, {field.scale}))"
            return f"case when regexp_full_match({text}, '{shape}') then {cast} end"
        case Type.DATE:
            return _date_sql(text)
        case Type.DATETIME:
            return (
                f"case when regexp_full_match({text}, '{_DATE.pattern}[ T]{_CLOCK.pattern}') "
                f"then try_cast(replace(replace({text}, '/', '-'), 'T', ' ') as timestamp) "
                f"else cast(({_date_sql(text)}) as timestamp) end"
            )
        case Type.USCC:
            return f"case when {uscc_sql(text)} then {text} end"
        case Type.IDNO:
            return f"case when {idno_sql(text)} then {text} end"
        case Type.REGION:
            return f"case when regexp_full_match({text}, '[1-8][0-9]{{5}}') then {text} end"
        case Type.STRING:
            return f"case when not ({odd_sql(text)}) then {text} end"
    return text


def odd_sql(text: str) -> str:
    """SQL of whether a text, which may be null, has what no cell of text may have."""
    return f"contains({text}, chr(0)) or contains({text}, '{DAMAGED}')"


def duckdb_type(field: Field) -> str:
    """The type of a field's column in DuckDB and in the lake."""
    return {
        Type.INT: "bigint",
        Type.DECIMAL: f"decimal(18, {field.scale})",
        Type.DATE: "date",
        Type.DATETIME: "timestamp",
    }.get(field.type, "varchar")


def postgres_type(field: Field) -> str:
    """The type of a field's column in PostgreSQL."""
    return {
        Type.INT: "bigint",
        Type.DECIMAL: f"numeric(18, {field.scale})",
        Type.DATE: "date",
        Type.DATETIME: "timestamp",
    }.get(field.type, "text")


def cell(value: Any) -> str:
    """A cell of a sheet as text: dates as ISO, whole numbers without a point."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | int):
        if abs(value) >= EXACT:
            return f"{value:.5E}"
        return str(int(value)) if value == int(value) else repr(value)
    if isinstance(value, datetime):
        return (
            value.date().isoformat()
            if value.time() == datetime.min.time()
            else value.isoformat(" ", "seconds")
        )
    return value.isoformat() if isinstance(value, date) else str(value)


def json_text(value: Any) -> str:
    """A value of JSON as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, str | bool | int | float):
        return cell(value)
    return json.dumps(value, ensure_ascii=False)
