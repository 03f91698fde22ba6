"""The nouns of a decision model (DMN 1.5 §6, §7, §8, §10.2). Frozen: a model may be shared by threads."""

from __future__ import annotations

from dataclasses import dataclass, field


class NotDmn(ValueError):
    """The file cannot be read as a decision model at all; the message, in Chinese, says why and what to do."""


class UnknownName(LookupError):
    """The model has no element of this name or id."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a model that is malformed or not supported."""

    element: str
    """Name of the nearest named element."""
    id: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.element}（{self.id}）：{self.what}；{self.remedy}"


@dataclass(frozen=True, slots=True)
class Typed:
    """A variable, parameter or column: its name and the text of its type reference."""

    name: str
    type_ref: str | None = None


# Boxed expressions (§10.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """Base of every boxed expression."""

    id: str = ""
    type_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Literal(Expression):
    """FEEL text."""

    text: str = ""
    language: str | None = None
    imported: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a boxed context; without a variable it is the result."""

    variable: Typed | None
    value: Expression | None


@dataclass(frozen=True, slots=True)
class Context(Expression):
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class ListOf(Expression):
    items: tuple[Expression | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Relation(Expression):
    columns: tuple[Typed, ...] = ()
    rows: tuple[tuple[Expression | None, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Invocation(Expression):
    called: Expression | None = None
    bindings: tuple[tuple[Typed, Expression | None], ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionDefinition(Expression):
    kind: str = "FEEL"
    parameters: tuple[Typed, ...] = ()
    body: Expression | None = None


@dataclass(frozen=True, slots=True)
class Conditional(Expression):
    condition: Expression | None = None
    then: Expression | None = None
    otherwise: Expression | None = None


@dataclass(frozen=True, slots=True)
class Iteration(Expression):
    """`for`, `some` or `every`."""

    kind: str = "for"
    variable: str = ""
    source: Expression | None = None
    source_type: str | None = None
    body: Expression | None = None


@dataclass(frozen=True, slots=True)
class Filter(Expression):
    source: Expression | None = None
    match: Expression | None = None


@dataclass(frozen=True, slots=True)
class Tests:
    """Unary tests of a cell, of allowed values."""

    text: str
    language: str | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    expression: Literal
    values: Tests | None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    name: str
    type_ref: str | None
    values: Tests | None
    default: Literal | None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    inputs: tuple[Tests, ...]
    outputs: tuple[Literal, ...]
    annotations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table(Expression):
    """A decision table (§8). `hit_policy` is the single letter."""

    hit_policy: str = "U"
    aggregation: str | None = None
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    rules: tuple[Rule, ...] = ()
    annotations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsupported(Expression):
    """An expression of a kind that DMN does not have, or that is malformed."""

    what: str = ""


# Elements of a model (§6, §7)


@dataclass(frozen=True, slots=True)
class ItemDefinition:
    name: str
    id: str = ""
    type_ref: str | None = None
    allowed: Tests | None = None
    constraint: Tests | None = None
    """DMN 1.5: of the whole value, also where it is a collection."""
    is_collection: bool = False
    components: tuple[ItemDefinition, ...] = ()
    parameters: tuple[Typed, ...] | None = None
    """Of a function item; None for anything else."""
    result: str | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """Base of what requirements may point to."""

    id: str
    name: str
    type_ref: str | None = None
    variable: str = ""
    """The name of its variable; the same as `name` in a proper model."""


@dataclass(frozen=True, slots=True)
class InputData(Element):
    pass


@dataclass(frozen=True, slots=True)
class Decision(Element):
    logic: Expression | None = None
    requires: tuple[str, ...] = ()
    """References of the required decisions, input data and knowledge."""
    authorities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Knowledge(Element):
    """A business knowledge model."""

    logic: FunctionDefinition | None = None
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Service(Element):
    outputs: tuple[str, ...] = ()
    encapsulated: tuple[str, ...] = ()
    input_decisions: tuple[str, ...] = ()
    input_data: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Import:
    name: str
    namespace: str
    location: str | None
    type: str


@dataclass(frozen=True, slots=True)
class Definitions:
    """One file."""

    name: str
    id: str
    namespace: str
    language: str | None
    types: tuple[ItemDefinition, ...] = ()
    elements: tuple[Element, ...] = ()
    imports: tuple[Import, ...] = ()
    problems: tuple[Problem, ...] = field(default=(), compare=False)
