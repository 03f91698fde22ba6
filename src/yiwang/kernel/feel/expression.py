"""Parsed texts: what the rest of the platform holds and evaluates."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from yiwang.kernel.feel import builtins, calls, loops, nodes, reader
from yiwang.kernel.feel.compiler import NO_TYPES, Code, Compiler, Test, tests
from yiwang.kernel.feel.errors import FeelSyntaxError
from yiwang.kernel.feel.evaluation import Run, Scope
from yiwang.kernel.feel.lexer import Vocabulary
from yiwang.kernel.feel.parser import Parser
from yiwang.kernel.feel.reader import Words
from yiwang.kernel.feel.reads import Reads
from yiwang.kernel.feel.types import Type
from yiwang.kernel.feel.values import convert

Functions = Mapping[str, Callable[..., Any]]
_COMPILED_BY = (calls, loops)  # these modules register what they compile
# "date and time" is also what two names and an operator look like: a function only before "(".
_FUNCTIONS = Vocabulary(builtins.NAMES, "(")
_MEMBERS, _TYPES = reader.members(()), reader.types(())
# Without brackets, "today" and "now" are names like any other: packs are given the day under that name.
_PLAIN_FUNCTIONS = builtins.NAMES - {"today", "now"}
_NO_WORDS = Words(Vocabulary(), _MEMBERS, _TYPES, _FUNCTIONS)


class Expression:
    """A parsed FEEL expression. Immutable; may be shared by threads."""

    def __init__(
        self, text: str, node: nodes.Node, names: frozenset[str], types: Mapping[str, Type] = NO_TYPES
    ) -> None:
        self.text = text
        self.node = node
        self.names = names
        self._types = types

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    @cached_property
    def code(self) -> Code:
        """The compiled expression, for callers that hold a Run of their own."""
        return Compiler(self._types).compile(self.node)

    def evaluate(
        self, context: Mapping[str, Any], functions: Functions | None = None, now: datetime | None = None
    ) -> Any:
        """The value in `context`; null when it cannot be computed. Never raises.

        Args:
            context: Python values by name: None, bool, int, Decimal, str, list, dict, date, time, datetime…
            functions: a caller's own functions by name, called with FEEL values.
            now: what today() and now() tell; without it they are null.
        """
        return Run(functions, now).whole(self.code, Scope(context, None, True))

    def explain(
        self, context: Mapping[str, Any], functions: Functions | None = None, now: datetime | None = None
    ) -> tuple[Any, list[str]]:
        """The value, and why it or a part of it is null: sentences in Chinese, each once."""
        run = Run(functions, now)
        return run.whole(self.code, Scope(context, None, True)), run.reasons

    @cached_property
    def paths(self) -> frozenset[str]:
        """Names and paths that the text reads, found without evaluating it: "abroad", "mother.idno"."""
        reads = Reads(self.names, _PLAIN_FUNCTIONS)
        reads.visit(self.node, {})
        return frozenset(reads.paths)


class UnaryTests:
    """Parsed tests of a decision table's cell or of a field: `< 5, [8..10]`, `not("a")`, `-`."""

    def __init__(
        self,
        text: str,
        tests: tuple[nodes.Node, ...] | None,
        names: frozenset[str],
        types: Mapping[str, Type] = NO_TYPES,
    ) -> None:
        self.text = text
        self.tests = tests
        """None for `-`, which every value meets, null too."""
        self.names = names
        self._types = types

    def __repr__(self) -> str:
        return f"UnaryTests({self.text!r})"

    @cached_property
    def _code(self) -> Test:
        return tests(Compiler(self._types), self.tests or ())

    @cached_property
    def _each(self) -> list[Test]:
        return [tests(Compiler(self._types), (test,)) for test in self.tests or ()]

    def meets(self, run: Run, value: Any, scope: Scope) -> bool | None:
        """Whether a converted `value` meets one of the tests, for callers that hold a Run of their own."""
        if self.tests is None:
            return True
        result = self._code(run, value, Scope({"?": value}, scope))
        return result if isinstance(result, bool) else None

    def first_met(self, run: Run, value: Any, scope: Scope) -> int | None:
        """The place of the first test that `value` meets, counted from 0; None when it meets none."""
        inner = Scope({"?": value}, scope)
        for place, test in enumerate(self._each):
            if test(run, value, inner) is True:
                return place
        return None if self.tests else 0

    def evaluate(
        self, value: Any, context: Mapping[str, Any] | None = None, functions: Functions | None = None
    ) -> bool | None:
        """Whether `value` meets one of the tests; null when unknown. Never raises."""
        return self.explain(value, context, functions)[0]

    def explain(
        self, value: Any, context: Mapping[str, Any] | None = None, functions: Functions | None = None
    ) -> tuple[bool | None, list[str]]:
        """The answer, and why it is null."""
        if self.tests is None:
            return True, []
        run = Run(functions)
        scope = Scope(context or {}, None, True)
        result = run.guarded(lambda: self.meets(run, convert(value), scope))
        return result if isinstance(result, bool) else None, run.reasons

    @cached_property
    def paths(self) -> frozenset[str]:
        """Names and paths that the tests read, the input `?` not among them."""
        reads = Reads(self.names, _PLAIN_FUNCTIONS)
        for test in self.tests or ():
            reads.visit(test, {})
        return frozenset(reads.paths)


def words(
    names: Collection[str], member_names: Vocabulary = _MEMBERS, type_names: Vocabulary = _TYPES
) -> Words:
    """What the texts of one place know; build it once and give it to `parse` as `names`.

    Args:
        names: names in scope; unlike with `parse`, a dot in one is part of it.
        member_names: what may follow a dot, as made by `reader.members`.
        type_names: a model's own types, as made by `reader.types`.
    """
    return Words(Vocabulary(names), member_names, type_names, _FUNCTIONS)


def parse(text: str, names: Collection[str] | Words = (), types: Mapping[str, Type] = NO_TYPES) -> Expression:
    """Parse a FEEL expression (DMN 1.5 §10.3.1.2).

    Args:
        text: the expression.
        names: names in scope; needed only for those with spaces or operators. "a.b" declares both steps.
        types: a model's own types by name.

    Raises:
        FeelSyntaxError: the text is not FEEL; message in Chinese, and the position.
    """
    parser = Parser(text, _words(names))
    return Expression(text, _parsed(parser, parser.expression), _kept(names), types)


def parse_unary(
    text: str, names: Collection[str] | Words = (), types: Mapping[str, Type] = NO_TYPES
) -> UnaryTests:
    """Parse unary tests (rules 12 to 16); an empty text is `-`.

    Raises:
        FeelSyntaxError: as `parse`.
    """
    parser = Parser(text, _words(names))
    return UnaryTests(text, _parsed(parser, parser.unary_tests), _kept(names), types)


def _words(names: Collection[str] | Words) -> Words:
    if isinstance(names, Words):
        return names
    if not names:
        return _NO_WORDS
    # A dotted name is a path: each step may hold spaces of its own.
    steps = {step for name in names for step in name.split(".")}
    return words(steps, reader.members(steps))


def _kept(names: Collection[str] | Words) -> frozenset[str]:
    return frozenset() if isinstance(names, Words) else frozenset(names)


def _parsed(parser: Parser, rule: Callable[[], Any]) -> Any:
    try:
        result = rule()
        parser.end()
    except RecursionError:
        raise FeelSyntaxError("表达式嵌套太深，请拆成几个", parser.position) from None
    return result


@lru_cache(maxsize=4096)
def _cached(text: str) -> Expression:
    return parse(text)


def evaluate(text: str, context: Mapping[str, Any]) -> Any:
    """Parse (once per text) and evaluate.

    Raises:
        FeelSyntaxError: the text is not FEEL.
    """
    return _cached(text).evaluate(context)
