"""Characters, pinyin and slips of the finger. Pure; pypinyin is loaded when the first index is built."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_SPACES = re.compile(r"[\s\u200b\ufeff]+")
_RUN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+|[a-z]+|[0-9]+")


def normalise(text: str) -> str:
    """One way of writing: half width, lower case, no spaces, no tone marks."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _SPACES.sub("", plain).lower()


def runs(text: str) -> list[str]:
    """Stretches of Chinese characters, of letters and of digits; whatever lies between is dropped."""
    return _RUN.findall(text)


def is_letters(run: str) -> bool:
    return "a" <= run[:1] <= "z"


def pairs(text: str) -> Iterator[str]:
    """Each two neighbouring characters; the character itself when there is only one."""
    if len(text) == 1:
        yield text
    for i in range(len(text) - 1):
        yield text[i : i + 2]


@lru_cache(maxsize=16384)
def pinyin(text: str) -> tuple[str, ...]:
    """The syllables of a word without tones, one per character."""
    from pypinyin import lazy_pinyin

    return tuple(lazy_pinyin(text, errors="ignore"))


def deletions(text: str) -> Iterator[str]:
    """The text with each one character left out: two texts one slip apart share one of these."""
    for i in range(len(text)):
        yield text[:i] + text[i + 1 :]


def one_slip(a: str, b: str) -> bool:
    """Whether one character added, lost, changed or swapped with its neighbour makes ``a`` into ``b``."""
    if abs(len(a) - len(b)) > 1:
        return False
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    rest_a, rest_b = a[start:], b[start:]
    swapped = rest_a[1::-1] + rest_a[2:] if len(rest_a) > 1 else ""
    return rest_a[1:] == rest_b[1:] or rest_a[1:] == rest_b or rest_a == rest_b[1:] or swapped == rest_b
