"""What a wrong cell probably should be. Proposed to the source, never put in place of what it sent. Pure.

A code with a check digit is found again when exactly one small change makes it right: the width or case of
its letters; two neighbours exchanged; one character that codes do not have. The check digit is the witness,
and two candidates are none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date, timedelta

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
            near = next((c for c in (half, half.upper(), half.lower()) if c in field.codes and c != text), "")
            named = {code for name, code in field.names if name == half.strip()}
            return near or (named.pop() if len(named) == 1 and text not in field.codes else "")
        case Type.REGION:
            six = re.sub(r"\s", "", half)[:6]
            return six if re.fullmatch("[0-9]{6,12}", half) and six != text and _listed(field, six) else ""
        case Type.INT | Type.DECIMAL:
            bare = re.sub(r"[,\s]", "", half)
            return bare if bare != text and value(field, bare) is not None else ""
        case Type.DATE:
            if re.fullmatch("[1-6][0-9]{4}", half):  # a day as a spreadsheet counts them
                return (date(1899, 12, 30) + timedelta(days=int(half))).isoformat()
            told = _DATE.match(half)
            iso = f"{told[1]}-{int(told[2]):02d}-{int(told[3]):02d}" if told else ""
            return iso if iso and iso != text and value(field, iso) is not None else ""
    return ""


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
