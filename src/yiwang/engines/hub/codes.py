"""Check digits: GB 32100-2015 (enterprises) and GB 11643-1999 (persons), in Python and in DuckDB's SQL.

The Python functions are the oracle of the SQL; a property test holds the two together.
"""

from __future__ import annotations

from datetime import date

CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # no I, O, S, V, Z
CREDIT_WEIGHTS = tuple(pow(3, n, 31) for n in range(17))
IDNO_WEIGHTS = tuple(pow(2, 17 - n, 11) for n in range(17))
IDNO_CHECK = "10X98765432"


def is_uscc(text: str) -> bool:
    """Whether the text is a code of GB 32100 with the right check character."""
    if len(text) != 18 or any(c not in CREDIT for c in text):
        return False
    total = sum(CREDIT.index(c) * w for c, w in zip(text, CREDIT_WEIGHTS, strict=False))
    return CREDIT[(31 - total % 31) % 31] == text[17]


def is_idno(text: str) -> bool:
    """Whether the text is a number of GB 11643: a date that exists and the right check character."""
    if len(text) != 18 or not (text[:17].isascii() and text[:17].isdigit()) or text[17] not in "0123456789X":
        return False
    if text[0] == "0" or text[6] == "0":
        return False
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(int(c) * w for c, w in zip(text, IDNO_WEIGHTS, strict=False))
    return IDNO_CHECK[total % 11] == text[17]


def uscc_sql(text: str) -> str:
    """An SQL condition, true or false for a text that is not null."""
    at = " + ".join(f"{w} * (strpos('{CREDIT}', {text}[{n}]) - 1)" for n, w in enumerate(CREDIT_WEIGHTS, 1))
    return (
        f"(regexp_full_match({text}, '[{CREDIT}]{{18}}') and "
        f"(({at}) + strpos('{CREDIT}', {text}[18]) - 1) % 31 = 0)"
    )


def idno_sql(text: str) -> str:
    """An SQL condition, true or false for a text that is not null."""
    at = " + ".join(f"{w} * (ascii({text}[{n}]) - 48)" for n, w in enumerate(IDNO_WEIGHTS, 1))
    last = f"case when {text}[18] = 'X' then 10 else ascii({text}[18]) - 48 end"
    shape = "[1-9][0-9]{5}[1-9][0-9]{3}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]"
    return (
        f"(regexp_full_match({text}, '{shape}') and try_strptime({text}[7:14], '%Y%m%d') is not null and "
        f"(({at}) + {last}) % 11 = 1)"
    )
