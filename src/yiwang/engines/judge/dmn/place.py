"""The place of a text in a model: the names, members and types that it may use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from yiwang.engines.judge.dmn.item_types import ItemTypes
from yiwang.kernel.feel import FeelSyntaxError, parse, parse_unary, words
from yiwang.kernel.feel.compiler import Code
from yiwang.kernel.feel.evaluation import Run, Scope
from yiwang.kernel.feel.expression import UnaryTests
from yiwang.kernel.feel.lexer import IDENTIFIER
from yiwang.kernel.feel.reader import members
from yiwang.kernel.feel.types import ANY, Type

Report = Callable[[str, str, str], None]
"""Takes the id of an element, what is wrong there, and the remedy."""


class Members:
    """Names of components, entries, columns and outputs of a model: what may follow a dot."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.words = members(names)


class Place:
    """Parses texts that stand at one place. Immutable; `plus` gives the place one level further in."""

    def __init__(
        self, names: frozenset[str], known: Members, types: ItemTypes, language: str | None, report: Report
    ) -> None:
        self.names = names
        self.types = types
        self.report = report
        self._members = known
        self._language = language
        self._words = words(names, known.words, types.words)

    def plus(self, names: Iterable[str]) -> Place:
        """This place with more names in scope."""
        new = frozenset(names) - self.names
        if all(IDENTIFIER.fullmatch(name) for name in new):
            return self  # the parser needs no help to read a single word
        return Place(self.names | new, self._members, self.types, self._language, self.report)

    def inside(self) -> Place:
        """This place inside a filter, where the members of the items are names."""
        return self.plus(self._members.names)

    def expression(self, text: str, identity: str, language: str | None = None) -> Code:
        """The code of a FEEL text; null with a reason when it is none, reported as a problem."""
        reason = self._foreign(identity, language)
        if not reason and not text:
            reason = "没有写表达式"
            self.report(identity, reason, "请补上")
        if reason:
            return null(reason)
        try:
            return parse(text, self._words, self.types).code
        except FeelSyntaxError as error:
            return null(self._malformed(identity, text, error))

    def tests(self, text: str, identity: str, language: str | None = None) -> UnaryTests | None:
        """Unary tests; None when they are malformed, which is reported as a problem."""
        if self._foreign(identity, language):
            return None
        try:
            tests = parse_unary(text, self._words, self.types)
        except FeelSyntaxError as error:
            self._malformed(identity, text, error)
            return None
        return tests

    def type(self, text: str | None, identity: str) -> Type | None:
        """The type of a reference; None for anything, also when there is no such type, which is reported."""
        found = self.types.reference(text)
        if found is None:
            self.report(identity, f"没有类型「{text}」", "请定义它，或改用 number、string 等")
        return None if found is ANY else found

    def _malformed(self, identity: str, text: str, error: FeelSyntaxError) -> str:
        shown = text if len(text) <= 60 else text[:60] + "…"
        what = f"表达式「{shown}」写错了：{error}"
        self.report(identity, what, "请按提示改正")
        return what

    def _foreign(self, identity: str, language: str | None) -> str:
        language = language or self._language
        if not language or "feel" in language.lower():
            return ""
        what = f"表达式语言「{language}」不支持"
        self.report(identity, what, "请改写成 FEEL")
        return what


def null(reason: str) -> Code:
    """Code that gives null with this reason."""

    def code(run: Run, _scope: Scope) -> Any:
        return run.null(reason)

    return code
