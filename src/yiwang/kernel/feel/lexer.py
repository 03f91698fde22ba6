"""From characters to tokens, one at a time (DMN 1.5 §10.3.1.2, grammar rules 25 to 36, 61 to 66).

FEEL names may hold spaces and operators ("date and time", "收入（元）"), so a token depends on the names in
scope at its place. The parser therefore asks for one token at a time and says which names it knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from yiwang.kernel.feel.errors import FeelSyntaxError

KEYWORDS = frozenset(
    (
        *("and", "or", "if", "then", "else", "for", "in", "return", "some", "every", "satisfies"),
        *("between", "instance", "of", "function", "external", "true", "false", "null"),
    )
)
# Rule 28, but without the full-width punctuation that the standard's range FDF0–FFFD and 3001–D7FF includes:
# a clerk who types “年龄＞18” must be told so, not be given a name of five characters.
_START = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3005-\u3007\u3021-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff21-\uff3a\uff41-\uff5a"
    "\uff66-\uffdc\U00010000-\U000effff"
)
_PART = _START + "0-9\u00b7\u0300-\u036f\u203f-\u2040\uff10-\uff19'"
IDENTIFIER = re.compile(f"[{_START}][{_PART}]*")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_OPERATOR = re.compile(r"\*\*|<=|>=|!=|\.\.|->|[-+*/=<>()\[\]{},.:?@]")
_SPACE = re.compile(
    r"(?:[\s\u00a0\u1680\u180e\u2000-\u200b\u202f\u205f\u3000\ufeff]|//[^\n]*|/\*.*?\*/)*", re.S
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{6}|.)", re.DOTALL)
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
_FULL_WIDTH = dict(zip("＞＜＝（）［］｛｝，：．＋－＊／？＂“”", '><=()[]{},:.+-*/?"""', strict=True))


@dataclass(frozen=True, slots=True)
class Token:
    """kind is "number", "string", "name", "keyword", "operator" or "end"."""

    kind: str
    text: str
    start: int
    end: int


_PIECE = re.compile(f"[{_PART}]+|[^{_PART}\\s]")
_WHITE = re.compile(r"\s*")
NAME = re.compile(f"[{_START}](?:[{_PART}]|[./\\-’+*]|\\s)*")
"""A name where one is being declared: spaces and the additional symbols of rule 30 are part of it."""


def plain_name(name: str) -> str:
    """The name with each row of white space as one space."""
    return " ".join(name.split())


class Vocabulary:
    """Names that one identifier cannot spell: with spaces, operators or brackets. The longest one counts.

    A tree of pieces (words and symbols), so that looking one up takes no longer when there are many. Between two
    words there must be white space; around a symbol there may be.

    Args:
        names: the names.
        before: an operator that must come after a name, lest it be read as several.
    """

    def __init__(self, names: Iterable[str] = (), before: str = "") -> None:
        self._tree: dict[str, Any] = {}
        self._starts: set[str] = set()
        self._before = before
        for name in names:
            self.add(name)

    def add(self, name: str) -> bool:
        """Know `name`; False when there is no need, because an identifier spells it."""
        if IDENTIFIER.fullmatch(name):
            return False
        pieces = _PIECE.findall(name)
        if not pieces:
            return False
        tree = self._tree
        for piece in pieces:
            tree = tree.setdefault(piece, {})
        tree[""] = plain_name(name)
        self._starts.add(pieces[0][0])
        return True

    def match(self, text: str, position: int) -> tuple[str, int] | None:
        """The longest known name at `position` and where it ends."""
        if text[position] not in self._starts:
            return None
        tree = self._tree
        longest: tuple[str, int] | None = None
        while found := _PIECE.match(text, position):
            if found.group() not in tree:
                break
            tree = tree[found.group()]
            end = found.end()
            position = _WHITE.match(text, end).end()  # type: ignore[union-attr]  # matches nothing as well
            name = tree.get("")
            if name is not None and (not self._before or text.startswith(self._before, position)):
                longest = name, end
        return longest


def skip_space(text: str, position: int) -> int:
    """The next position that is not white space or a comment (rules 61 to 63)."""
    found = _SPACE.match(text, position)
    return found.end() if found else position


def scan(text: str, position: int, known: tuple[Vocabulary, ...]) -> Token:
    """The token at or after `position`.

    Raises:
        FeelSyntaxError: no token starts with the character found, or a string is not closed.
    """
    start = skip_space(text, position)
    if start >= len(text):
        return Token("end", "", start, start)
    plain = IDENTIFIER.match(text, start)
    longest: tuple[str, int] | None = None
    for vocabulary in known:
        found = vocabulary.match(text, start)
        if found and (longest is None or found[1] > longest[1]):
            longest = found
    if longest and (plain is None or longest[1] > plain.end()):
        return Token("name", longest[0], start, longest[1])
    if plain:
        word = plain.group()
        return Token("keyword" if word in KEYWORDS else "name", word, start, plain.end())
    char = text[start]
    if char == '"':
        return _string(text, start)
    found_number = _NUMBER.match(text, start)
    if found_number and not text.startswith("..", start):
        return Token("number", found_number.group(), start, found_number.end())
    found_operator = _OPERATOR.match(text, start)
    if found_operator:
        return Token("operator", found_operator.group(), start, found_operator.end())
    if char in _FULL_WIDTH:
        raise FeelSyntaxError(f"「{char}」是全角符号，请改用半角「{_FULL_WIDTH[char]}」", start)
    if char == "'":
        raise FeelSyntaxError('文本要用双引号，例如 "accept"，请把单引号改为双引号', start)
    raise FeelSyntaxError(f"不认识的符号「{char}」，请删去或改正", start)


def _string(text: str, start: int) -> Token:
    found = _STRING.match(text, start)
    if not found:
        raise FeelSyntaxError('文本少了结尾的双引号，请补上「"」', start)
    value = _ESCAPE.sub(_unescape, found.group(1)) if "\\" in found.group(1) else found.group(1)
    if any("\ud800" <= char <= "\udfff" for char in value):
        # Escaped surrogate pairs are one character; a lone half cannot be stored anywhere.
        value = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return Token("string", value, start, found.end())


def _unescape(found: re.Match[str]) -> str:
    code = found.group(1)
    if code[0] in "uU" and len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number <= 0x10FFFF else "\ufffd"
    # An unknown escape keeps its backslash, so that patterns such as "\d+" need not be written twice.
    return _PLAIN.get(code, "\\" + code)
