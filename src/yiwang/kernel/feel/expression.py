"""Parsed texts: what the rest of the platform holds and evaluates."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cached_property, lru_cache
from typing import Any

from yiwang.kernel.feel import builtins, nodes
from yiwang.kernel.feel.errors import FeelSyntaxError
from yiwang.kernel.feel.evaluator import Evaluation
from yiwang.kernel.feel.parser import Parser
from yiwang.kernel.feel.reads import Reads

Functions = Mapping[str, Callable[..., Any]]


class Expression:
    """A parsed FEEL expression. Immutable; may be shared by threads."""

    def __init__(self, text: str, node: nodes.Node, names: frozenset[str]) -> None:
        self.text = text
        self.node = node
        self.names = names

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def evaluate(self, context: Mapping[str, Any], functions: Functions | None = None) -> Any:
        """The value in `context`; null when it cannot be computed. Never raises.

        Args:
            context: Python values by name: None, bool, int, Decimal, str, list, dict, date, time, datetime…
            functions: a caller's own functions by name, called with FEEL values.
        """
        return Evaluation(functions).run(self.node, context)

    def explain(
        self, context: Mapping[str, Any], functions: Functions | None = None
    ) -> tuple[Any, list[str]]:
        """The value, and why it or a part of it is null: sentences in Chinese, each once."""
        evaluation = Evaluation(functions)
        value = evaluation.run(self.node, context)
        return value, evaluation.reasons

    @cached_property
    def paths(self) -> frozenset[str]:
        """Names and paths that the text reads, found without evaluating it: "abroad", "mother.idno"."""
        reads = Reads(self.names, builtins.NAMES)
        reads.visit(self.node, {})
        return frozenset(reads.paths)


class UnaryTests:
    """Parsed tests of a decision table's cell or of a field: `< 5, [8..10]`, `not("a")`, `-`."""

    def __init__(self, text: str, tests: tuple[nodes.Node, ...] | None, names: frozenset[str]) -> None:
        self.text = text
        self.tests = tests
        """None for `-`, which every value meets, null too."""
        self.names = names

    def __repr__(self) -> str:
        return f"UnaryTests({self.text!r})"

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
        evaluation = Evaluation(functions)
        return evaluation.run_tests(self.tests, value, context or {}), evaluation.reasons

    @cached_property
    def paths(self) -> frozenset[str]:
        """Names and paths that the tests read, the input `?` not among them."""
        reads = Reads(self.names, builtins.NAMES)
        for test in self.tests or ():
            reads.visit(test, {})
        return frozenset(reads.paths)


def parse(text: str, names: Collection[str] = ()) -> Expression:
    """Parse a FEEL expression (DMN 1.5 §10.3.1.2).

    Args:
        text: the expression.
        names: names in scope; needed only for those with spaces or operators. "a.b" declares both steps.

    Raises:
        FeelSyntaxError: the text is not FEEL; message in Chinese, and the position.
    """
    parser = Parser(text, names, builtins.NAMES)
    node = _parsed(parser, parser.expression)
    return Expression(text, node, frozenset(names))


def parse_unary(text: str, names: Collection[str] = ()) -> UnaryTests:
    """Parse unary tests (rules 12 to 16); an empty text is `-`.

    Raises:
        FeelSyntaxError: as `parse`.
    """
    parser = Parser(text, names, builtins.NAMES)
    return UnaryTests(text, _parsed(parser, parser.unary_tests), frozenset(names))


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
