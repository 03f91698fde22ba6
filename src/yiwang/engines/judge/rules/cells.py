"""One cell: FEEL unary tests on one field, with the answers they give on every stretch of its values. Pure.

Readings:
- A missing value is unknown for every test, except `-` and tests that speak of null themselves.
- A cell may read `today` and the parameters of its policy; they are constants. Reading another field makes it
  scalar-only; it is unknown while any of them is missing.
- A cell may call its caller's own functions (a `Kit`). Of those that only rise or only fall with their first
  argument the cuts are found by halving.
- Answers are not derived from the syntax. The syntax only says where the answer may change (cuts); on each stretch
  between two cuts the FEEL evaluator itself is asked, once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from yiwang.engines.judge.rules import values
from yiwang.engines.judge.rules.cuts import NO_KIT, Kit, Scalar, cuts_of, speaks_of_null
from yiwang.engines.judge.rules.values import Key, Typed
from yiwang.kernel.feel import UnaryTests
from yiwang.kernel.feel.evaluation import Run, Scope


@dataclass(frozen=True, slots=True)
class Segments:
    """Answers of a cell over all values: `answers[i]` holds from `cuts[i-1]` (or the least) to before `cuts[i]`."""

    cuts: tuple[Any, ...]
    answers: tuple[bool | None, ...]
    null: bool | None

    def at(self, key: Key) -> bool | None:
        """The answer for the value with this key."""
        return self.answers[bisect_right(self.cuts, key)]


class Cell:
    """A parsed test of one field. `constants` are the policy's parameters and, if the text reads it, `today`."""

    def __init__(
        self, field: Typed, tests: UnaryTests, constants: Mapping[str, Any], kit: Kit = NO_KIT
    ) -> None:
        self.field = field
        self.kit = kit
        self.text = tests.text
        self.tests = tests
        self.constants = {name: constants[name] for name in tests.paths if name in constants}
        self.reads = frozenset(tests.paths) - self.constants.keys() - kit.functions.keys()
        """Other fields that the text reads."""
        self.speaks_of_null = tests.tests is None or any(map(speaks_of_null, tests.tests))
        self.scalar_reason = ""
        """Why the vector evaluator cannot take the cell; empty when it can."""
        self.segments: Segments | None = None
        self._scope = Scope(self.constants, None, True)
        self._index()

    @property
    def key(self) -> tuple[Any, ...]:
        """Two cells with the same key give the same answers."""
        return (self.field.name, self.text, repr(sorted(self.constants.items(), key=lambda one: one[0])))

    def answer(self, value: Any, row: Mapping[str, Any] | None = None) -> bool | None:
        """Whether a value that `values.read` gave meets the tests; None when unknown."""
        if not self.speaks_of_null and (value is None or any((row or {}).get(n) is None for n in self.reads)):
            return None
        scope = self._scope if not self.reads else Scope({**(row or {}), **self.constants}, None, True)
        run = Run(self.kit.functions)
        result = run.guarded(lambda: self.tests.meets(run, value, scope))
        return result if isinstance(result, bool) else None

    def _index(self) -> None:
        if self.reads:
            names = "、".join(sorted(self.reads))
            self.scalar_reason = f"它还读取「{names}」，请改为声明派生指标"
            return
        try:
            cuts = cuts_of(self.field, self.tests, self._scope, self.kit)
        except Scalar as reason:
            self.scalar_reason = str(reason)
            return
        least: Key = "" if self.field.type in ("string", "code") else (cuts[0] - 1 if cuts else 0)
        if self.field.type == "boolean":
            cuts, least = (1,), 0
        keys = (least, *cuts)
        answers = tuple(self.answer(values.value_of(self.field, key)) for key in keys)
        kept = [i for i in range(1, len(keys)) if answers[i] is not answers[i - 1]]
        self.segments = Segments(
            tuple(keys[i] for i in kept), (answers[0], *(answers[i] for i in kept)), self.answer(None)
        )

    def edges(self, key: Key) -> Iterator[Key]:
        """Keys nearest to `key`, below and above, at which the answer is true."""
        found = self.segments
        if found is None:
            return
        place = bisect_right(found.cuts, key)
        for i in range(place - 1, -1, -1):
            if found.answers[i] is True:
                yield found.cuts[i] - 1
                break
        for i in range(place + 1, len(found.answers)):
            if found.answers[i] is True:
                yield found.cuts[i - 1]
                break


def today_of(as_of: date | None, params: Mapping[str, Any]) -> dict[str, Any]:
    """Constants of cells: the parameters, and `today` when it is known."""
    return {**params, "today": as_of} if as_of else dict(params)
