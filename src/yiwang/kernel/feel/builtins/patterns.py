"""Regular expressions as XPath and XQuery have them (F&O 3.1 §5.6, XML Schema part 2 appendix G).

They are translated for the `regex` package, whose matching takes a time limit: no pattern can hang the process.
Python's own `re` cannot be stopped, and has no class subtraction and no Unicode categories.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NoReturn

import regex

SECONDS = 0.5  # for one call of matches, replace or split
LONGEST = 2_000  # characters of a pattern
MOST_REPEATS = 1_000  # in {n,m}, also of nested ones together
_CATEGORIES = frozenset(
    (
        *("L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No"),
        *("P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Z", "Zs", "Zl", "Zp"),
        *("S", "Sm", "Sc", "Sk", "So", "C", "Cc", "Cf", "Co", "Cn"),
    )
)
_BLOCKS = {"Greek": "GreekandCoptic", "CombiningMarksforSymbols": "CombiningDiacriticalMarksforSymbols"}
_START = r"_:\p{L}\p{Nl}"
_NAME = _START + r"\-.\p{Nd}\p{Mc}\p{Mn}\u00b7"
_CLASSES = {
    "d": r"\p{Nd}",
    "D": r"\P{Nd}",
    "s": r"[ \t\n\r]",
    "S": r"[^ \t\n\r]",
    "w": r"[^\p{P}\p{Z}\p{C}]",
    "W": r"[\p{P}\p{Z}\p{C}]",
    "i": f"[{_START}]",
    "I": f"[^{_START}]",
    "c": f"[{_NAME}]",
    "C": f"[^{_NAME}]",
}
_CONTROL = {"n": "\n", "r": "\r", "t": "\t"}
_LITERAL = frozenset("\\|.?*+(){}[]-^$")
Pattern = Any  # regex.Pattern; the package brings no types


@lru_cache(maxsize=512)
def compiled(pattern: str, flags: str) -> Pattern:
    """The pattern, ready to match.

    Raises:
        ValueError: it is not a regular expression of XPath, or a flag is unknown.
    """
    for flag in flags:
        if flag not in "smixq":
            raise ValueError(f"没有「{flag}」这个标志，可用 s、m、i、x、q")
    if len(pattern) > LONGEST:
        raise ValueError(f"正则表达式超过 {LONGEST} 个字符，请改短")
    translated = regex.escape(pattern) if "q" in flags else _Translation(pattern, flags).all()
    options = regex.V1 | (regex.IGNORECASE if "i" in flags else 0) | (regex.MULTILINE if "m" in flags else 0)
    # Without "f" one letter matches one letter, as XPath has it ("ß" is not "ss").
    text = f"(?-f){translated}" if "i" in flags else translated
    try:
        return regex.compile(text, options)
    except (regex.error, RecursionError, OverflowError) as error:
        raise ValueError(f"「{pattern}」不是正则表达式：{error}") from None


class _Translation:
    """One pattern, read from left to right."""

    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern = pattern
        self.flags = flags
        self.at = 0
        self.groups = 0
        self.open: list[int] = []  # numbers of the groups not yet closed; 0: not a capturing one
        self.repeats = 1

    def fail(self, what: str) -> NoReturn:
        raise ValueError(f"「{self.pattern}」不是正则表达式：第 {self.at} 个字符处{what}")

    def next(self) -> str:
        if self.at >= len(self.pattern):
            self.fail("意外结束")
        char = self.pattern[self.at]
        self.at += 1
        return char

    def take(self, text: str) -> bool:
        if self.pattern.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def all(self) -> str:
        out: list[str] = []
        atom = False  # whether a quantifier may follow
        while self.at < len(self.pattern):
            char = self.next()
            if "x" in self.flags and char in " \t\n\r":
                continue
            if char in "?*+{":
                if not atom:
                    self.fail("的重复没有对象")
                out.append(self.quantifier(char))
                atom = False
            else:
                out.append(self.atom(char))
                atom = char not in "(|^$"
        if self.open:
            self.fail("少了「)」")
        return "".join(out)

    def atom(self, char: str) -> str:
        if char == "(":
            return self.group()
        if char == ")":
            if not self.open:
                self.fail("多了「)」")
            self.open.pop()
            return ")"
        if char == "[":
            return self.char_class()
        if char == "\\":
            return self.escape()
        if char == ".":
            return r"[\s\S]" if "s" in self.flags else r"[^\n\r]"
        if char == "$":
            return "$" if "m" in self.flags else r"\Z"
        if char in "]}":
            self.fail(f"的「{char}」要写作「\\{char}」")
        return char if char in "|^" else _inside(char)

    def group(self) -> str:
        if self.take("?:"):
            self.open.append(0)
            return "(?:"
        if self.take("?"):
            self.fail("的「(?」只能写作「(?:」")
        self.groups += 1
        self.open.append(self.groups)
        return "("

    def quantifier(self, char: str) -> str:
        text = char
        if char == "{":
            end = self.pattern.find("}", self.at)
            low, comma, high = self.pattern[self.at : max(end, self.at)].partition(",")
            if end < 0 or not _digits(low) or (high and not _digits(high)):
                self.fail("的重复次数不对")
            if max(int(low), int(high or 0)) > MOST_REPEATS or (high and int(high) < int(low)):
                self.fail(f"的重复次数应从小到大，不超过 {MOST_REPEATS}")
            self.repeats *= max(int(high or low), 1)
            if self.repeats > MOST_REPEATS:
                self.fail("的重复次数乘起来太大")
            self.at = end + 1
            text = f"{{{low}{comma}{high}}}"
        return text + ("?" if self.take("?") else "")

    def escape(self) -> str:
        char = self.next()
        if char.isascii() and char.isdigit():
            return self.reference(char)
        if char in _CONTROL:
            return _inside(_CONTROL[char])
        return self.shared_escape(char)

    def shared_escape(self, char: str) -> str:
        """An escape that means the same inside and outside of brackets."""
        if char in _CLASSES:
            return _CLASSES[char]
        if char in "pP":
            return self.category(char)
        if char in _CONTROL:
            return _inside(_CONTROL[char])
        if char not in _LITERAL:
            self.fail(f"没有「\\{char}」这种写法")
        return "\\" + char

    def reference(self, digit: str) -> str:
        number = int(digit)
        while self.at < len(self.pattern) and self.pattern[self.at] in "0123456789":
            longer = number * 10 + int(self.pattern[self.at])
            if longer > self.groups:
                break
            number, self.at = longer, self.at + 1
        if not 1 <= number <= self.groups or number in self.open:
            self.fail(f"的「\\{number}」没有对应的括号")
        # A group that took no part matches the empty string in XPath.
        return f"(?:(?({number})\\{number}|))"

    def category(self, letter: str) -> str:
        end = self.pattern.find("}", self.at)
        if not self.take("{") or end < 0:
            self.fail("的类别应写作 \\p{L}")
        name = self.pattern[self.at : end]
        self.at = end + 1
        if name.startswith("Is"):
            block = _BLOCKS.get(name[2:], name[2:])
            return f"\\{letter}{{Blk={block}}}"
        if name not in _CATEGORIES:
            self.fail(f"没有「{name}」这个字符类别")
        return f"\\{letter}{{{name}}}"

    def char_class(self, depth: int = 0) -> str:
        """`[…]`, perhaps with `-[…]` to take away."""
        if depth > 10:
            self.fail("的方括号嵌套太深")
        negated = self.take("^")
        items: list[str] = []
        without = ""
        while True:
            char = self.next()
            if char == "]":
                if not items:
                    self.fail("的方括号是空的")
                break
            if char == "-" and items and self.take("["):
                without = self.char_class(depth + 1)
                if not self.take("]"):
                    self.fail("应为「]」")
                break
            items.append(self.class_item(char, not items))
        inside = f"[{'^' if negated else ''}{''.join(items)}]"
        return f"[{inside}--{without}]" if without else inside

    def class_item(self, char: str, first: bool) -> str:
        if char == "[":
            self.fail("的「[」要写作「\\[」")
        if char == "\\":
            escaped = self.next()
            shared = self.shared_escape(escaped)
            if escaped in _CLASSES or escaped in "pP":
                return shared
            start = _CONTROL.get(escaped, escaped)
        else:
            start = char
        if self.pattern[self.at : self.at + 1] == "-" and self.pattern[self.at + 1 : self.at + 2] not in (
            "]",
            "[",
        ):
            self.at += 1
            end = self.next()
            if end == "\\":
                end = self.next()
                if end not in _LITERAL and end not in _CONTROL:
                    self.fail("的范围两端应是字符")
                end = _CONTROL.get(end, end)
            elif end == "-" and not first:
                self.fail("的「-」要写作「\\-」")
            if end < start:
                self.fail("的范围应从小到大")
            return f"{_inside(start)}-{_inside(end)}"
        return _inside(start)


def _inside(char: str) -> str:
    return f"\\U{ord(char):08x}"


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6


def replacement_parts(text: str, groups: int) -> list[str | int]:
    """A replacement as literal strings and group numbers (F&O 3.1 §5.6.4).

    Raises:
        ValueError: a `$` without a digit behind it, or a `\\` before anything but `\\` and `$`.
    """
    parts: list[str | int] = []
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "\\":
            if text[at : at + 1] not in ("\\", "$") or at >= len(text):
                raise ValueError("替换文本里的「\\」后面只能是「\\」或「$」")
            parts.append(text[at])
            at += 1
        elif char == "$":
            if not _digits(text[at : at + 1]):
                raise ValueError("替换文本里的「$」后面应为数字，要写「$」本身用「\\$」")
            number = int(text[at])
            at += 1
            while _digits(text[at : at + 1]) and number * 10 + int(text[at]) <= groups:
                number = number * 10 + int(text[at])
                at += 1
            parts.append(number)
        else:
            parts.append(char)
    return parts
