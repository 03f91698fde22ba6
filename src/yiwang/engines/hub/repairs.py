"""What a wrong cell probably should be. Proposed to the source, never put in place of what it sent. Pure.

A code with a check digit is found again when exactly one small change makes it right: the width or case of
its letters; two neighbours exchanged; one character that codes do not have. The check digit is the witness,
and two candidates are none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from .cells import value
from .codes import CREDIT, is_idno, is_uscc
from .contracts import Field, Type

_DATE = re.compile(r"([1-9][0-9]{3})[年.\-/]([0-9]{1,2})[月.\-/]([0-9]{1,2})日?")
_DIGITS = "0123456789X"


def propose(field: Field, text: str) -> str:
    """The value that the text probably stands for; empty when nothing is plain enough to say."""
    half = unicodedata.normalize("NFKC", text)
    match field.type:
        case Type.USCC:
            return _code(half, is_uscc, CREDIT)
        case Type.IDNO:
            return _code(half, is_idno, _DIGITS)
        case Type.CODE:
            spelt = (half, half.upper(), half.lower(), *_zeros(half, field.codes))
            return next((c for c in spelt if c in field.codes and c != text), "") or _called(field, half)
        case Type.REGION:
            six = re.sub(r"\s", "", half)[:6]
            return six if re.fullmatch("[0-9]{6,12}", half) and six != text and _listed(field, six) else ""
        case Type.INT | Type.DECIMAL:
            bare = re.sub(r"[,\s]", "", half)
            return bare if bare != text and value(field, bare) is not None else ""
        case Type.DATE:
            iso = _day(half)
            return iso if iso and iso != text and value(field, iso) is not None else ""
        case Type.DATETIME:
            iso = _moment(half)
            return iso if iso and iso != text and value(field, iso) is not None else ""
    bare = re.sub(r"\s", "", half)
    if field.pattern and bare != text and re.fullmatch(field.pattern, bare):
        return bare
    return ""


def _zeros(half: str, codes: frozenset[str]) -> Iterator[str]:
    """The number that a sheet made of a code, with its leading zeros again; or without those it does not have."""
    if half.isascii() and half.isdigit():
        yield from (half.zfill(n) for n in sorted({len(c) for c in codes}) if n > len(half))
        yield half.lstrip("0") or "0"


def _called(field: Field, name: str) -> str:
    """The code of a name, when one code is called so."""
    found = {code for called, code in field.names if called == name.strip()}
    return found.pop() if len(found) == 1 else ""


def _day(half: str) -> str:
    """A day as people write it, or as a spreadsheet counts them, in ISO; empty for anything else."""
    if re.fullmatch("[1-6][0-9]{4}", half):
        return (date(1899, 12, 30) + timedelta(days=int(half))).isoformat()
    if re.fullmatch("[1-9][0-9]{7}", half):
        return half
    told = _DATE.match(half)
    return f"{told[1]}-{int(told[2]):02d}-{int(told[3]):02d}" if told else ""


def _moment(half: str) -> str:
    """A moment likewise, to the second; empty for anything else."""
    if re.fullmatch(r"[1-6][0-9]{4}\.[0-9]+", half):
        days, part = half.split(".")
        seconds = round(float(f"0.{part}") * 86400)
        start = datetime(1899, 12, 30) + timedelta(days=int(days), seconds=seconds)
        return f"{start:%Y-%m-%d %H:%M:%S}"
    told = re.fullmatch(
        r"(.+?)[T\s]*(?<![0-9])([0-9]{1,2})[:时]([0-9]{1,2})(?:[:分]([0-9]{1,2})?(?:\.[0-9]+)?)?秒?", half
    )
    if told is None:
        return _day(half)
    day = _day(told[1].strip())
    return f"{day} {int(told[2]):02d}:{int(told[3]):02d}:{int(told[4] or 0):02d}" if day else ""


def _listed(field: Field, code: str) -> bool:
    return not field.codes or code in field.codes


def _code(half: str, right: Callable[[str], bool], alphabet: str) -> str:
    clean = re.sub(r"[\s\-]", "", half).upper()
    if right(clean):
        return clean
    if len(clean) != 18:
        return ""
    found = {c for c in _changes(clean, alphabet) if right(c)}
    return found.pop() if len(found) == 1 else ""


def _changes(code: str, alphabet: str) -> Iterator[str]:
    strange = [n for n, c in enumerate(code) if c not in alphabet]
    if len(strange) == 1:
        n = strange[0]
        yield from (code[:n] + c + code[n + 1 :] for c in alphabet)
    elif not strange:
        for n in range(17):
            if code[n] != code[n + 1]:
                yield code[:n] + code[n + 1] + code[n] + code[n + 2 :]
