"""GB 32100-2015: the unified social credit code of an enterprise, checked and made.

Eighteen characters: registration authority, category, region (6), subject code (8 and its GB 11714 check),
check digit. The published examples this is tested against are in content.zh.md §2.1.
"""

from __future__ import annotations

_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # no I, O, S, V, Z
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)  # 3^n mod 31
_SUBJECT_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SUBJECT_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def uscc_check_digit(first17: str) -> str:
    """The last character of a code from its first 17.

    Raises:
        ValueError: a character that codes do not have.
    """
    total = sum(_LETTERS.index(c) * w for c, w in zip(first17, _WEIGHTS, strict=True))
    return _LETTERS[(31 - total % 31) % 31]


def subject_check_digit(first8: str) -> str:
    """The check character of a subject code (GB 11714-1997) from its first eight.

    Raises:
        ValueError: a character other than a digit or a capital letter.
    """
    total = sum(_SUBJECT_LETTERS.index(c) * w for c, w in zip(first8, _SUBJECT_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


def uscc_trouble(code: str) -> str:
    """What is wrong with a code, in Chinese with the remedy; empty when it is right.

    Only the outer check digit counts: old codes with a wrong inner one are in use.
    """
    if len(code) != 18:
        return f"应为 18 位，现为 {len(code)} 位，请核对后重填"
    strange = next((c for c in code if c not in _LETTERS), None)
    if strange:
        return f"不能含有“{strange}”，请对照营业执照重填"
    expected = uscc_check_digit(code[:17])
    return "" if code[17] == expected else f"的校验位不对：末位应为 {expected}，请核对后重填"


def make_uscc(authority: str, category: str, region: str, prefix: str, serial: int) -> str:
    """The code of the ``serial``-th subject of a number range.

    Args:
        authority, category: first two characters, such as 9 (市场监管) and 1 (企业).
        region: six digits of the registering division.
        prefix: the range's first letters; the serial, in the code's 31 letters, fills up to eight.

    Raises:
        ValueError: the range is used up.
    """
    room = 8 - len(prefix)
    digits = ""
    while serial:
        serial, rest = divmod(serial, len(_LETTERS))
        digits = _LETTERS[rest] + digits
    if len(digits) > room:
        raise ValueError(f"the number range {prefix} of unified social credit codes is used up")
    subject = prefix + digits.rjust(room, "0")
    first = authority + category + region + subject + subject_check_digit(subject)
    return first + uscc_check_digit(first)
