"""Functions that packs may call in FEEL, on top of the built-in ones. Pure: today is an argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def idno_check_digit(first17: str) -> str:
    """The check digit of a citizen identity number from its first 17 digits (GB 11643-1999)."""
    return _CHECKS[sum(int(c) * w for c, w in zip(first17, _WEIGHTS, strict=True)) % 11]


def as_date(value: Any) -> date | None:
    """A date from a date, a date and time, or ISO text; None for anything else."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            return None
    return None


def birth_of(idno: Any) -> date | None:
    """Birth date in an 18-digit identity number, or None."""
    if not isinstance(idno, str) or len(idno) != 18 or not idno[6:14].isdigit():
        return None
    try:
        return date(int(idno[6:10]), int(idno[10:12]), int(idno[12:14]))
    except ValueError:
        return None


def sex_of(idno: Any) -> str | None:
    """男 (odd) or 女 (even) from the 17th digit of an identity number, or None."""
    if not isinstance(idno, str) or len(idno) != 18 or not idno[16].isdigit():
        return None
    return "男" if int(idno[16]) % 2 else "女"


def age_years(birth: Any, on: Any) -> Decimal | None:
    """Whole years of age on a day; the birthday itself counts. None if a date is missing."""
    born, day = as_date(birth), as_date(on)
    if born is None or day is None:
        return None
    return Decimal(day.year - born.year - ((day.month, day.day) < (born.month, born.day)))


def county_of(region: Any) -> str | None:
    """The county code (six digits) of a region code of six or more digits, or None."""
    return region[:6] if isinstance(region, str) and len(region) >= 6 and region[:6].isdigit() else None


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "sex_of": sex_of,
    "birth_of": birth_of,
    "date_of": as_date,
    "age_years": age_years,
    "county_of": county_of,
}

MONOTONE = frozenset({"age_years"})
"""Functions that only rise or only fall with their first argument; conditions with them are counted by bits."""
