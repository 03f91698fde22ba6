"""The syntax tree of FEEL (DMN 1.5 §10.3.1). Frozen: a parsed text may be shared by threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Node:
    """Base of every node of the tree."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Literal(Node):
    value: Any


@dataclass(frozen=True, slots=True)
class AtLiteral(Node):
    """`@"2026-11-23"`: a date, time, date and time or duration."""

    text: str


@dataclass(frozen=True, slots=True)
class Name(Node):
    name: str


@dataclass(frozen=True, slots=True)
class Negate(Node):
    operand: Node


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Compare(Node):
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class And(Node):
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Between(Node):
    value: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class OperatorTest(Node):
    """`< 5` in a cell or after `in`: the operator and what the input is compared with."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class ValueTest(Node):
    """Any other expression as a test. `asks` says that it speaks of the input itself with `?`."""

    expression: Node
    asks: bool


@dataclass(frozen=True, slots=True)
class NotTest(Node):
    """`not(a, b)`: none of the tests holds."""

    tests: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class In(Node):
    value: Node
    tests: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class If(Node):
    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Iterator(Node):
    """`x in source`, or `x in source .. end` counting through whole numbers."""

    variable: str
    source: Node
    end: Node | None


@dataclass(frozen=True, slots=True)
class For(Node):
    iterators: tuple[Iterator, ...]
    body: Node
    partial: bool
    """Whether the body reads `partial`, the results so far."""


@dataclass(frozen=True, slots=True)
class Quantified(Node):
    every: bool
    iterators: tuple[Iterator, ...]
    test: Node


@dataclass(frozen=True, slots=True)
class Filter(Node):
    base: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class Path(Node):
    base: Node
    name: str


@dataclass(frozen=True, slots=True)
class Call(Node):
    function: Node
    arguments: tuple[Node, ...]
    names: tuple[str, ...]
    """Names of the arguments when they are named; empty for positional ones."""


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ContextOf(Node):
    entries: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class RangeOf(Node):
    start_included: bool
    start: Node | None
    end: Node | None
    end_included: bool


@dataclass(frozen=True, slots=True)
class Lambda(Node):
    parameters: tuple[str, ...]
    types: tuple[TypeOf | None, ...]
    body: Node
    external: bool = False
    """`function(a) external {…}`: code outside, which is never run."""


@dataclass(frozen=True, slots=True, eq=False)
class Native(Node):
    """Code of the caller's own as a part of an expression, such as a decision table in a boxed context.

    `run(evaluation, scope)` gives the value; see `evaluation.Run` and `evaluation.Scope`.
    """

    run: Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class TypeOf:
    """A type after `instance of`: `list<number>` is TypeOf("list", (TypeOf("number"),))."""

    name: str
    arguments: tuple[TypeOf, ...] = ()
    members: tuple[str, ...] = ()
    """Names of the members of a context type, beside `arguments`."""


@dataclass(frozen=True, slots=True)
class InstanceOf(Node):
    value: Node
    type: TypeOf
