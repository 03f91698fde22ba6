"""One evaluation: the names it sees, its reasons for nulls, its limits (DMN 1.5 §10.3.2.11).

Nothing here or in compiled code raises to the caller: an error is null and a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from yiwang.kernel.feel.types import Misfit, Type, coerce
from yiwang.kernel.feel.values import NotFeel, convert, deep

MOST_STEPS = 500_000  # rounds of loops and calls in one evaluation: an endless recursion must end
SIZE_OF_STEP = 20  # items or characters that count as one more step when they are copied or searched
STEPS_PER_SECOND = 100_000  # what a second of matching a regular expression counts for
DEEPEST_CALL = 150  # functions calling functions; each takes a few frames of Python's stack


class Exhausted(Exception):
    """The evaluation is too long. Never leaves the library."""


class Scope:
    """Names on one level, and the level around it."""

    __slots__ = ("cache", "outer", "raw", "values")

    def __init__(self, values: Mapping[Any, Any], outer: Scope | None = None, raw: bool = False) -> None:
        self.values = values
        self.outer = outer
        self.raw = raw
        """Whether the values come from Python and still have to be converted."""
        self.cache: dict[str, Any] | None = None

    def find(self, name: str) -> tuple[bool, Any]:
        """Whether the name is known here or around, and its value, not yet converted."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return True, scope.values[name]
            scope = scope.outer
        return False, None


class Run:
    """One evaluation.

    Args:
        functions: a caller's own functions by name.
        now: the moment that today() and now() tell. The library has no clock.
    """

    __slots__ = ("depth", "functions", "now", "reasons", "steps")

    def __init__(
        self, functions: Mapping[str, Callable[..., Any]] | None = None, now: datetime | None = None
    ) -> None:
        self.functions = functions or {}
        self.now = now
        self.reasons: list[str] = []
        self.steps = 0
        self.depth = 0

    def null(self, reason: str) -> Any:
        """Null, and note why."""
        if reason not in self.reasons:
            self.reasons.append(reason)
        return None

    def tick(self, size: int = 0) -> None:
        """Count a step, more for handling `size` items. Raises Exhausted."""
        self.steps += 1 + size // SIZE_OF_STEP
        if self.steps > MOST_STEPS:
            raise Exhausted

    def take(self, name: str, found: Any) -> Any:
        """A value from Python under `name`, converted; null with a reason when FEEL has no such value."""
        try:
            value = convert(found)
        except NotFeel as error:
            return self.null(f"「{name}」不能使用：{error}")
        if value is None:
            return self.null(f"「{name}」是空值")
        if type(value) is list:
            self.tick(len(value))
        return value

    def coerced(self, what: str, value: Any, type_: Type | None) -> Any:
        """`value` as `type_` wants it; null with a reason that begins with `what` when it does not conform."""
        if type_ is None or value is None:
            return value
        try:
            return coerce(value, type_)
        except Misfit as error:
            return self.null(f"{what}{error}")

    def guarded(self, action: Callable[[], Any]) -> Any:
        """What `action` gives; null when it is too long, too deep or too large."""
        depth = self.depth
        try:
            return action()
        except Exhausted:
            return self.null("计算步数太多，请检查循环或递归")
        except RecursionError:
            return self.null("嵌套太深，请检查递归")
        except NotFeel as error:
            return self.null(str(error))
        finally:
            self.depth = depth

    def whole(self, code: Callable[[Run, Scope], Any], scope: Scope) -> Any:
        """What compiled `code` gives in `scope`; lists and contexts in it are converted throughout."""
        value = self.guarded(lambda: code(self, scope))
        return self.guarded(lambda: deep(value)) if type(value) in (list, dict) else value
