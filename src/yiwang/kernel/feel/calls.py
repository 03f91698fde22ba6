"""Calling functions and making them (DMN 1.5 §10.3.2.13, §10.3.2.14)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from yiwang.kernel.feel import builtins
from yiwang.kernel.feel import nodes as n
from yiwang.kernel.feel.compiler import Code, Compiler, function_named, register
from yiwang.kernel.feel.evaluation import (
    DEEPEST_CALL,
    SIZE_OF_STEP,
    STEPS_PER_SECOND,
    Exhausted,
    Run,
    Scope,
)
from yiwang.kernel.feel.temporal_text import parse_at
from yiwang.kernel.feel.types import ANY, Type
from yiwang.kernel.feel.values import Function, convert, kind

_SIZED = frozenset((list, str, dict))
_PATTERNS = frozenset(("matches", "replace", "split"))


def _call(compiler: Compiler, node: n.Call) -> Code:
    argument_codes, names = compiler.all(node.arguments), node.names
    if isinstance(node.function, n.Name):
        return _named_call(node.function.name, argument_codes, names)
    function_code = compiler.compile(node.function)
    label = node.function.name if isinstance(node.function, n.Path) else "函数"

    def code(run: Run, scope: Scope) -> Any:
        function = function_code(run, scope)
        arguments = [argument(run, scope) for argument in argument_codes]
        if function is None:
            return None
        return apply(run, label, function, arguments, names)

    return code


def _named_call(name: str, argument_codes: tuple[Code, ...], names: tuple[str, ...]) -> Code:
    builtin = name in builtins.NAMES

    def code(run: Run, scope: Scope) -> Any:
        found, value = scope.find(name)
        arguments = [argument(run, scope) for argument in argument_codes]
        if builtin and type(value) is not Function and not callable(value) and name not in run.functions:
            return _builtin(run, name, arguments, names)
        function = run.take(name, value) if found else function_named(run, name)
        if function is None:
            return run.null(f"没有函数「{name}」")
        return apply(run, name, function, arguments, names)

    return code


def _builtin(run: Run, name: str, arguments: list[Any], names: tuple[str, ...]) -> Any:
    size = 0
    for argument in arguments:
        if type(argument) in _SIZED:
            size += len(argument)
    run.tick(size)
    if name in _PATTERNS:
        return _timed(run, name, arguments, names)
    return _called(run, name, arguments, names)


def _timed(run: Run, name: str, arguments: list[Any], names: tuple[str, ...]) -> Any:
    """A function that matches a pattern: its time counts, so that many slow ones together end as well."""
    start = perf_counter()
    result = _called(run, name, arguments, names)
    run.tick(int((perf_counter() - start) * STEPS_PER_SECOND) * SIZE_OF_STEP)
    return result


def _called(run: Run, name: str, arguments: list[Any], names: tuple[str, ...]) -> Any:
    try:
        result = builtins.call(name, arguments, names, run.now)
    except builtins.Unfit as error:
        return run.null(str(error))
    except ArithmeticError:
        return run.null(f"{name} 的结果超出范围或无意义")
    except TimeoutError:
        return run.null(f"{name} 的正则表达式匹配得太久，请改得简单些")
    except (ValueError, TypeError, LookupError) as error:
        return run.null(f"{name} 不能计算：{error}")
    if type(result) in _SIZED:
        run.tick(len(result))
    elif result is None and not run.reasons:
        run.null(f"{name} 的结果是空值")
    return result


def apply(run: Run, name: str, function: Any, arguments: list[Any], names: tuple[str, ...] = ()) -> Any:
    """What a function value gives; `names` name the arguments, or are empty."""
    if type(function) is not Function:
        return run.null(f"「{name}」不是函数")
    if names and function.parameters is not None:
        if set(names) != set(function.parameters) or len(names) != len(function.parameters):
            return run.null(f"{name} 的参数名应为 {'、'.join(function.parameters)}")
        given = dict(zip(names, arguments, strict=True))
        arguments, names = [given[parameter] for parameter in function.parameters], ()
    run.tick()
    run.depth += 1
    if run.depth > DEEPEST_CALL:
        raise RecursionError
    try:
        if function.parameters is not None:
            return function.call(*arguments)
        return _foreign(run, name, function.call, arguments, names)
    finally:
        run.depth -= 1


def _foreign(
    run: Run, name: str, call: Callable[..., Any], arguments: list[Any], names: tuple[str, ...]
) -> Any:
    try:
        if names:
            return convert(call(**dict(zip(names, arguments, strict=True))))
        return convert(call(*arguments))
    except (Exhausted, RecursionError):
        raise
    except builtins.Unfit as error:
        return run.null(str(error))
    except ArithmeticError:
        return run.null(f"{name} 的结果超出范围或无意义")
    except Exception as error:  # whatever a pack's own function raises is a reason, not a crash
        return run.null(f"{name} 不能计算：{error}")


def _lambda(compiler: Compiler, node: n.Lambda) -> Code:
    types = tuple(compiler.type(type_) if type_ else ANY for type_ in node.types)
    unknown = next((t.name for t, known in zip(node.types, types, strict=True) if t and known is None), None)
    if unknown is not None:
        return lambda run, _scope: run.null(f"没有「{unknown}」这个类型")
    known = tuple(type_ or ANY for type_ in types)
    if node.external:
        return lambda run, _scope: external(run, node.parameters, known)
    body = compiler.compile(node.body)
    result = _infer(node.body, dict(zip(node.parameters, known, strict=True)))
    return lambda run, scope: function_of(run, scope, node.parameters, known, body, result)


def external(run: Run, parameters: tuple[str, ...], types: tuple[Type, ...]) -> Function:
    """A function whose code is outside (Java, PMML): calling it gives null."""
    return Function(
        parameters, lambda *_values: run.null("外部函数（Java、PMML）不执行，请用 FEEL 写出"), types
    )


def function_of(
    run: Run,
    scope: Scope,
    parameters: tuple[str, ...],
    types: tuple[Type, ...],
    body: Code,
    result: Type | None = None,
) -> Function:
    """A function value closed over `scope`. Arguments are converted to their types, or become null."""
    typed = any(type_ is not ANY for type_ in types)

    def call(*values: Any) -> Any:
        run.tick()
        if len(values) != len(parameters):
            return run.null(f"函数应有 {len(parameters)} 个参数，却有 {len(values)} 个")
        given = dict(zip(parameters, values, strict=True))
        if typed:
            for parameter, type_ in zip(parameters, types, strict=True):
                given[parameter] = run.coerced(f"参数「{parameter}」", given[parameter], type_)
        return body(run, Scope(given, scope))

    return Function(parameters, call, types if typed else (), result)


_RESULTS: Mapping[type[n.Node], str] = {
    **dict.fromkeys((n.Compare, n.And, n.Or, n.Between, n.In, n.InstanceOf, n.Quantified), "boolean"),
    n.ContextOf: "context",
    n.For: "list",
    n.RangeOf: "range",
    n.Lambda: "function",
}


def _infer(node: n.Node, names: Mapping[str, Type]) -> Type | None:
    """The type of a function's body where the text alone tells it, for `instance of function<…> -> …`."""
    if isinstance(node, n.Name):
        type_ = names.get(node.name)
        return None if type_ is ANY else type_
    if isinstance(node, n.Literal):
        return Type("Null") if node.value is None else Type(kind(node.value))
    if isinstance(node, n.AtLiteral):
        try:
            return Type(kind(parse_at(node.text)))
        except ValueError:
            return Type("Null")
    if isinstance(node, n.Arithmetic):
        left, right = _infer(node.left, names), _infer(node.right, names)
        same = left is not None and left == right and left.base in ("number", "string")
        return left if same else None
    if isinstance(node, n.ListOf):
        items = [_infer(item, names) for item in node.items]
        first = items[0] if items else None
        return Type("list", (first,)) if first and all(item == first for item in items) else None
    base = _RESULTS.get(type(node))
    return Type(base) if base else None


register({n.Call: _call, n.Lambda: _lambda})
