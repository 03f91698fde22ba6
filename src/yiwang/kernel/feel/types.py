"""Types: what conforms to them and the implicit conversions towards them (DMN 1.5 §10.3.2.9).

Null belongs to every type. What a type refuses becomes null; the reason says what was expected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from yiwang.kernel.feel.temporal import day_number, make_moment
from yiwang.kernel.feel.values import Budget, Function, Range, kind, kind_zh, member_of


class Misfit(Exception):
    """A value does not conform to its type. Never leaves the engines; the message is in Chinese."""


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk through a value: whether null conforms to every type, and how much may still be walked."""

    null_conforms: bool
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True, slots=True)
class Type:
    """A type by structure. `base` is a kind such as "number", or Any, Null, list, context, range, function."""

    base: str
    arguments: tuple[Type, ...] = ()
    """Of a list or range: the items' type; of a context: the members' types; of a function: the parameters'."""
    members: tuple[str, ...] = ()
    """Names of the members of a context, beside `arguments`."""
    result: Type | None = None
    """Of a function."""
    check: Callable[[Any], bool] | None = field(default=None, compare=False)
    """A further condition: allowed values, constraints."""
    label: str = field(default="", compare=False)
    """The name a model gives it."""

    def __str__(self) -> str:
        return self.label or kind_zh(self.base)

    def admits(self, value: Any, walk: Walk | None = None) -> bool:
        """Whether a converted value conforms; null does, unless `walk` says otherwise.

        Raises:
            NotFeel: it is too large.
        """
        if value is None:
            return walk is None or walk.null_conforms or self.base in ("Any", "Null")
        if self.base not in ("Any", kind(value)):
            return False
        if self.arguments or self.result:
            walk = walk or Walk(True)
            walk.budget.spend()
            if not _STRUCTURES[self.base](self, value, walk):
                return False
        return self.check is None or self.check(value)


ANY = Type("Any")
SIMPLE: dict[str, Type] = {
    name: Type(name)
    for name in (
        *("Any", "Null", "number", "string", "boolean", "date", "time", "date and time"),
        *("days and time duration", "years and months duration", "list", "context", "range", "function"),
    )
}


def _list(type_: Type, value: list[Any], walk: Walk) -> bool:
    return all(type_.arguments[0].admits(item, walk) for item in value)


def _context(type_: Type, value: Mapping[str, Any], walk: Walk) -> bool:
    return all(
        member in value and one.admits(member_of(value, member), walk)
        for member, one in zip(type_.members, type_.arguments, strict=True)
    )


def _range(type_: Type, value: Range, walk: Walk) -> bool:
    ends = (end for end in (value.start, value.end) if end is not None)
    return all(type_.arguments[0].admits(end, walk) for end in ends)


def _function(type_: Type, value: Function, _walk: Walk) -> bool:
    if value.parameters is not None and len(value.parameters) != len(type_.arguments):
        return False
    # A function that takes more and gives less may stand in for one that takes less and gives more.
    takes = all(
        conforms(wanted, own) for wanted, own in zip(type_.arguments, value.types, strict=bool(value.types))
    )
    return takes and (value.result is None or type_.result is None or conforms(value.result, type_.result))


_STRUCTURES: dict[str, Callable[[Type, Any, Walk], bool]] = {
    "list": _list,
    "context": _context,
    "range": _range,
    "function": _function,
    "Any": lambda _type, _value, _walk: True,
}


def conforms(type_: Type, other: Type) -> bool:
    """Whether every value of `type_` is one of `other` (DMN 1.5 §10.3.2.9.2)."""
    if type_ is other or other.base == "Any" or type_.base == "Null":
        return True
    if type_.base != other.base:
        return False
    if not other.arguments and other.result is None:
        return True
    if other.base == "context":
        own = dict(zip(type_.members, type_.arguments, strict=True))
        wanted = zip(other.members, other.arguments, strict=True)
        return all(name in own and conforms(own[name], one) for name, one in wanted)
    if len(type_.arguments) != len(other.arguments):
        return False
    pairs = zip(type_.arguments, other.arguments, strict=True)
    if other.base == "function":
        result = type_.result is None or other.result is None or conforms(type_.result, other.result)
        return result and all(conforms(b, a) for a, b in pairs)
    return all(conforms(a, b) for a, b in pairs)


def is_instance(value: Any, type_: Type) -> bool:
    """`value instance of type` (table 52): null is an instance of Null only; inside, of Any as well."""
    if value is None:
        return type_.base == "Null"
    return type_.admits(value, Walk(False))


def coerce(value: Any, type_: Type) -> Any:
    """`value` as the type wants it, with the implicit conversions of §10.3.2.9.4.

    Raises:
        Misfit: it does not conform, not even converted.
    """
    if value is None or type_.admits(value):
        return value
    found = kind(value)
    if found == "list" and len(value) == 1 and type_.admits(value[0]):
        return value[0]
    if type_.base == "list" and type_.admits([value]):
        return [value]
    if found == "date" and type_.base == "date and time":
        moment = make_moment(day_number(value), 0, UTC)
        if type_.admits(moment):
            return moment
    if type_.base in ("Any", found):
        raise Misfit(f"不在「{type_}」允许的取值之内")
    raise Misfit(f"应为{type_}，却是{kind_zh(found)}")
