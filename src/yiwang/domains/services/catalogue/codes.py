"""Codes of service items: what can be read out of them, and what cannot be right. Pure.

Two shapes are in use. The national one has 31 digits: credit code of the department (18), level (1), base
code (12); two more number a variant. Provinces also write the parts with hyphens:
base - region (12 digits) - 000 - organisation - variant - 00.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_PROVINCE = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12]")  # GB/T 2260
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−－", "-"))
_SHAPE = re.compile(r"[0-9A-Z]+(-[0-9A-Z]+)*")
_NATIONAL = re.compile(r"([0-9A-Z]{18})([1-6])([0-9A-Z]{12})([0-9]{2})?")
_REGION = re.compile(r"[1-8][0-9]{11}")
_SHORTEST, _LONGEST, _DIGITS = 12, 80, 6


@dataclass(frozen=True, slots=True)
class Code:
    """An implementing code and what it says; parts that it does not say are empty."""

    text: str
    base: str = ""
    region: str = ""
    organisation: str = ""
    doubts: tuple[str, ...] = ()


def read(text: str) -> tuple[Code | None, str]:
    """The parts of an implementing code.

    Returns:
        the code, or None and what is wrong with it. Doubts (a check digit) do not make it wrong.
    """
    code = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text).translate(_DASHES)).upper()
    if not _SHAPE.fullmatch(code):
        return None, "含有编码里不会有的字符，只能是数字、字母和连字符"
    if not _SHORTEST <= len(code) <= _LONGEST:
        return None, f"有 {len(code)} 位，应在 {_SHORTEST} 到 {_LONGEST} 位之间"
    if sum(c.isdigit() for c in code) < _DIGITS:
        return None, f"数字太少，不足 {_DIGITS} 位"
    national = _NATIONAL.fullmatch(code)
    if national:
        organisation, base = national[1], national[3]
        return Code(code, base, organisation[2:8], organisation, _doubts(organisation[2:8], organisation)), ""
    parts = code.split("-")
    at = next((n for n, part in enumerate(parts) if n and _REGION.fullmatch(part)), None)
    if at is None:
        return Code(code, base="-".join(parts), doubts=("认不出编码的结构，区划和机构没有读出来",)), ""
    region = parts[at][:6]
    organisation = parts[at + 2] if len(parts) > at + 2 else ""
    return Code(code, "-".join(parts[:at]), region, organisation, _doubts(region, organisation)), ""


def _doubts(region: str, organisation: str) -> tuple[str, ...]:
    doubts = []
    if not _PROVINCE.match(region):
        doubts.append(f"区划 {region} 的前两位不是省级代码")
    if not is_credit_code(organisation):
        doubts.append(f"机构代码 {organisation or '（空）'} 不是有效的统一社会信用代码")
    return tuple(doubts)


def is_credit_code(text: str) -> bool:
    """Whether the check character of GB 32100 is right."""
    if len(text) != 18 or any(c not in _CREDIT for c in text):
        return False
    total = sum(_CREDIT.index(c) * pow(3, n, 31) for n, c in enumerate(text[:17]))
    return _CREDIT[(31 - total % 31) % 31] == text[17]


def level_of(region: str) -> str:
    """省级, 市级 or 县级 by the zeros of a six-digit code; empty when there is none."""
    if len(region) != 6:
        return ""
    return "省级" if region.endswith("0000") else "市级" if region.endswith("00") else "县级"
