"""Reading a text token by token: names being declared, types (DMN 1.5 §10.3.1.2, rules 25 to 36, 54 to 57)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from yiwang.kernel.feel import nodes as n
from yiwang.kernel.feel.errors import FeelSyntaxError
from yiwang.kernel.feel.lexer import NAME, Token, Vocabulary, plain_name, scan, skip_space

DEEPEST = 40  # nested brackets; the evaluator recurses on them
LONGEST_TEXT = 200_000
_TYPES = ("days and time duration", "years and months duration", "date and time")
_MEMBERS = ("time offset", "start included", "end included")


def members(names: Iterable[str]) -> Vocabulary:
    """A vocabulary of members: those of FEEL's own values, and `names`."""
    return Vocabulary((*_MEMBERS, *names))


def types(names: Iterable[str]) -> Vocabulary:
    """A vocabulary of types: FEEL's own, and `names`."""
    return Vocabulary((*_TYPES, *names))


@dataclass(frozen=True, slots=True)
class Words:
    """What the texts of one place know. Shared by many parsers."""

    names: Vocabulary
    """Names in scope; a dot in one is part of it."""
    members: Vocabulary
    """Names that may follow a dot, or stand alone inside a filter."""
    types: Vocabulary
    """Names of a model's own types, for `instance of` and parameters."""
    functions: Vocabulary


class Reader:
    """One text, read in the light of `words`. Its position only moves forward."""

    def __init__(self, text: str, words: Words) -> None:
        if len(text) > LONGEST_TEXT:
            raise FeelSyntaxError(f"表达式超过 {LONGEST_TEXT} 个字符，请拆成几个", LONGEST_TEXT)
        self.text = text
        self.position = 0
        self.depth = 0
        self.words = words
        self.local = Vocabulary()  # names that the text itself declares
        self.known: tuple[Vocabulary, ...] = (self.local, words.names, words.functions)
        self._token: Token | None = None

    # Tokens

    def peek(self) -> Token:
        if self._token is None:
            self._token = scan(self.text, self.position, self.known)
        return self._token

    def next(self) -> Token:
        token = self.peek()
        self.position, self._token = token.end, None
        return token

    def at(self, *texts: str) -> bool:
        token = self.peek()
        return token.kind in ("operator", "keyword") and token.text in texts

    def take(self, *texts: str) -> bool:
        if self.at(*texts):
            self.next()
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.take(text):
            self.fail(f"这里应为「{text}」")

    def fail(self, message: str) -> NoReturn:
        token = self.peek()
        found = f"，却是「{token.text}」" if token.kind != "end" else "，表达式却结束了"
        raise FeelSyntaxError(message + found, token.start)

    def end(self) -> None:
        token = self.peek()
        if token.kind == "end":
            return
        hint = "；含空格的名称请先声明" if token.kind == "name" else ""
        raise FeelSyntaxError(f"多出「{token.text}」，请删去或补上运算符{hint}", token.start)

    def _declare(self, name: str) -> None:
        self.local.add(name)
        self._token = None  # what was read ahead may be a part of this name

    @contextmanager
    def _nested(self) -> Iterator[None]:
        self.depth += 1
        if self.depth > DEEPEST:
            raise FeelSyntaxError(f"括号嵌套超过 {DEEPEST} 层，请拆成几个表达式", self.position)
        yield
        self.depth -= 1

    # Names that the text declares

    def _argument_name(self) -> str | None:
        """The name in `name: value`; nothing is consumed when there is none."""
        start = skip_space(self.text, self.position)
        found = NAME.match(self.text, start)
        if found is None or not self.text.startswith(":", found.end()):
            return None
        self.position, self._token = found.end() + 1, None
        return plain_name(found.group())

    def _argument_key(self) -> str:
        name = self._argument_name()
        if name is None:
            token = self.peek()
            if token.kind != "name":
                self.fail("这里应为名称")
            name = self.next().text
            self.expect(":")
        return name

    def _variable(self) -> str:
        words = []
        while self.peek().kind == "name":
            words.append(self.next().text)
        if not words:
            self.fail("这里应为变量名")
        name = " ".join(words)
        self._declare(name)
        return name

    # Types

    def _type(self) -> n.TypeOf:
        with self._nested():
            name = self._type_name()
            members: list[str] = []
            arguments: list[n.TypeOf] = []
            if name == "function" and self.take("<"):
                while not self.at(">"):
                    arguments.append(self._type())
                    if not self.take(","):
                        break
                self.expect(">")
                self.expect("->")
                arguments.append(self._type())
            elif name in ("list", "range", "context") and self.take("<"):
                while name != "context" or not self.at(">"):
                    if name == "context":
                        members.append(self._argument_key())
                    arguments.append(self._type())
                    if name != "context" or not self.take(","):
                        break
                self.expect(">")
            return n.TypeOf(name, tuple(arguments), tuple(members))

    def _type_name(self) -> str:
        token = scan(self.text, self.position, (self.words.types,))
        if token.kind not in ("name", "keyword"):
            self._token = token
            self.fail("这里应为类型，例如 number、string、date")
        self.position, self._token = token.end, None
        name = token.text
        while self.take("."):  # a type of an imported model
            name += "." + self._type_name()
        return name
