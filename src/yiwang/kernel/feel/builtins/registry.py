"""How a built-in function is declared, and how its arguments are bound and checked.

`@builtin("substring", "string: string", "start position: number", "length: number?")` adds a signature;
the same name may have several, tried in order: `date(from)`, `date(year, month, day)`. A type that ends
in `?` is optional, one that ends in `*` takes all the remaining arguments, `any` takes everything. Null is
outside every domain but `any` and those that name `null`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from yiwang.kernel.feel.temporal import day_number, make_moment
from yiwang.kernel.feel.values import kind, kind_zh

F = TypeVar("F", bound=Callable[..., Any])


class Unfit(Exception):
    """The arguments fit no signature. Never leaves the library."""


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    kinds: frozenset[str]
    optional: bool
    many: bool


@dataclass(frozen=True, slots=True)
class Signature:
    parameters: tuple[Parameter, ...]
    call: Callable[..., Any]
    clock: bool
    """Whether the first argument is the present moment."""


REGISTRY: dict[str, list[Signature]] = {}


def builtin(name: str, *parameters: str, clock: bool = False) -> Callable[[F], F]:
    """Register a Python function as the FEEL function `name`."""
    parsed = tuple(_parameter(text) for text in parameters)

    def register(function: F) -> F:
        REGISTRY.setdefault(name, []).append(Signature(parsed, function, clock))
        return function

    return register


def _parameter(text: str) -> Parameter:
    name, _, kinds = text.partition(": ")
    mark = kinds[-1] if kinds[-1] in "?*" else ""
    names = kinds.rstrip("?*").split("|")
    return Parameter(name, frozenset() if names == ["any"] else frozenset(names), mark == "?", mark == "*")


def call(name: str, arguments: Sequence[Any], names: Sequence[str], now: datetime | None = None) -> Any:
    """Call the built-in `name`; `now` is what today() and now() tell.

    Raises:
        Unfit: the arguments fit none of its signatures; the message says why.
        ArithmeticError, ValueError, TypeError, LookupError: the function has no result for these values.
        TimeoutError: a regular expression took too long.
    """
    failure: Unfit | None = None
    for signature in REGISTRY[name]:
        try:
            bound = _bind(name, signature, arguments, names)
        except Unfit as error:
            failure = failure or error
            continue
        if signature.clock:
            if now is None:
                raise Unfit(f"{name}() 要由调用者提供当前时间")
            return signature.call(now, *bound)
        return signature.call(*bound)
    raise failure or Unfit(f"没有函数 {name}")


_OMITTED: Any = object()


def _bind(name: str, signature: Signature, arguments: Sequence[Any], names: Sequence[str]) -> list[Any]:
    parameters = signature.parameters
    if names:
        arguments = _in_order(name, parameters, arguments, names)
    bound: list[Any] = []
    for index, parameter in enumerate(parameters):
        if parameter.many:
            rest = arguments[index:]
            if not rest:
                raise Unfit(f"{name} 缺少参数 {parameter.name}")
            return [*bound, *(_fit(name, parameter, value) for value in rest)]
        value = arguments[index] if index < len(arguments) else _OMITTED
        if value is not _OMITTED:
            bound.append(_fit(name, parameter, value))
        elif not parameter.optional:
            raise Unfit(f"{name} 缺少参数 {parameter.name}")
        else:
            bound.append(None)
    if len(arguments) > len(parameters):
        raise Unfit(f"{name} 的参数多了，最多 {len(parameters)} 个")
    return bound


def _in_order(
    name: str, parameters: Sequence[Parameter], arguments: Sequence[Any], names: Sequence[str]
) -> list[Any]:
    given = dict(zip(names, arguments, strict=True))
    unknown = given.keys() - {parameter.name for parameter in parameters}
    if unknown or len(given) < len(names):
        wanted = "、".join(parameter.name for parameter in parameters)
        raise Unfit(f"{name} 的参数名应为 {wanted}")
    last = max(i for i, parameter in enumerate(parameters) if parameter.name in given)
    return [given.get(parameter.name, _OMITTED) for parameter in parameters[: last + 1]]


def _fit(name: str, parameter: Parameter, value: Any) -> Any:
    """`value` for the parameter, with the implicit conversions of DMN 1.5 §10.3.2.9.4."""
    found = kind(value)
    kinds = parameter.kinds
    if not kinds or found in kinds:
        return value
    if found == "list" and len(value) == 1 and kind(value[0]) in kinds:
        return value[0]
    if "list" in kinds and value is not None:
        return [value]
    if found == "date" and "date and time" in kinds:
        return make_moment(day_number(value), 0, UTC)
    wanted = "或".join(sorted(kind_zh(one) for one in kinds if one != "null"))
    raise Unfit(f"{name} 的参数 {parameter.name} 应为{wanted}，却是{kind_zh(found)}")
