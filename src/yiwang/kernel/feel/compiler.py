"""From syntax tree to closures (DMN 1.5 §10.3.2): `code(run, scope)` gives the value, or null and a reason.

Compiled once and shared; a closure holds nothing of an evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from yiwang.kernel.feel import builtins
from yiwang.kernel.feel import nodes as n
from yiwang.kernel.feel.arithmetic import Mismatch, arithmetic, negate
from yiwang.kernel.feel.evaluation import Run, Scope
from yiwang.kernel.feel.properties import has_properties, read_property
from yiwang.kernel.feel.temporal_text import parse_at
from yiwang.kernel.feel.types import SIMPLE, Type, is_instance
from yiwang.kernel.feel.values import (
    Function,
    Range,
    compare,
    conjunction,
    kind,
    kind_zh,
    matches_value,
)

Code = Callable[[Run, Scope], Any]
Test = Callable[[Run, Any, Scope], bool | None]
NO_TYPES: Mapping[str, Type] = {}


class Compiler:
    """Compiles expressions of one place; `types` are a model's own types by name."""

    def __init__(self, types: Mapping[str, Type] = NO_TYPES) -> None:
        self.types = types

    def compile(self, node: n.Node) -> Code:
        """The code for a node."""
        return _COMPILERS[type(node)](self, node)

    def all(self, nodes: tuple[n.Node, ...]) -> tuple[Code, ...]:
        return tuple(self.compile(node) for node in nodes)

    def type(self, named: n.TypeOf) -> Type | None:
        """The type that a text names; None when there is none of that name."""
        if not named.arguments:
            return SIMPLE.get(named.name) or self.types.get(named.name)
        arguments = [self.type(argument) for argument in named.arguments]
        known = tuple(argument for argument in arguments if argument)
        if len(known) < len(arguments):
            return None
        if named.name == "function":
            return Type("function", known[:-1], result=known[-1])
        return Type(named.name, known, named.members)


# Literals and names


def _literal(_compiler: Compiler, node: n.Literal) -> Code:
    value = node.value
    return lambda _run, _scope: value


def _at_literal(_compiler: Compiler, node: n.AtLiteral) -> Code:
    try:
        value = parse_at(node.text)
    except ValueError as error:
        reason = str(error)
        return lambda run, _scope: run.null(reason)
    return lambda _run, _scope: value


def _name(_compiler: Compiler, node: n.Name) -> Code:
    name = node.name

    def code(run: Run, scope: Scope) -> Any:
        level: Scope | None = scope
        while level is not None:
            values = level.values
            if name in values:
                return _found(run, level, name, values[name])
            level = level.outer
        function = function_named(run, name)
        return function if function else run.null(f"没有「{name}」的值")

    return code


def _found(run: Run, level: Scope, name: str, found: Any) -> Any:
    cls = type(found)
    if cls is Decimal or cls is str or cls is bool:
        return found if cls is not Decimal or not level.raw else run.take(name, found)
    if not level.raw:
        return found if found is not None else run.null(f"「{name}」是空值")
    if cls is not list and cls is not tuple:
        return run.take(name, found)
    if level.cache is None:
        level.cache = {}
    if name not in level.cache:
        level.cache[name] = run.take(name, found)
    return level.cache[name]


def function_named(run: Run, name: str) -> Function | None:
    """A caller's own function, or a built-in one, as a value."""
    if name in run.functions:
        return Function(None, run.functions[name])
    if name in builtins.NAMES:
        return Function(None, lambda *values: builtins.call(name, values, (), run.now))
    return None


def _list_of(compiler: Compiler, node: n.ListOf) -> Code:
    items = compiler.all(node.items)
    return lambda run, scope: [item(run, scope) for item in items]


def _context_of(compiler: Compiler, node: n.ContextOf) -> Code:
    entries = [(key, compiler.compile(entry)) for key, entry in node.entries]

    def code(run: Run, scope: Scope) -> Any:
        result: dict[str, Any] = {}
        inner = Scope(result, scope)  # an entry sees the ones before it
        for key, entry in entries:
            result[key] = entry(run, inner)
        return result.copy()

    return code


def _range_of(compiler: Compiler, node: n.RangeOf) -> Code:
    start_code = compiler.compile(node.start) if node.start else None
    end_code = compiler.compile(node.end) if node.end else None
    start_included, end_included = node.start_included, node.end_included

    def code(run: Run, scope: Scope) -> Any:
        start = start_code(run, scope) if start_code else None
        end = end_code(run, scope) if end_code else None
        if (start_code and start is None) or (end_code and end is None):
            return run.null("区间的一端是空值")
        if compare("<=" if start_code and end_code else "=", start, end) is None:
            return run.null(f"区间的两端是{kind_zh(kind(start))}与{kind_zh(kind(end))}，不能比较大小")
        return Range(start_included, start, end, end_included)

    return code


def _native(_compiler: Compiler, node: n.Native) -> Code:
    return node.run


# Operators


def _negate(compiler: Compiler, node: n.Negate) -> Code:
    operand = compiler.compile(node.operand)

    def code(run: Run, scope: Scope) -> Any:
        value = operand(run, scope)
        if value is None:
            return None
        try:
            return negate(value)
        except (Mismatch, ArithmeticError, ValueError) as error:
            return run.null(str(error))

    return code


def _arithmetic(compiler: Compiler, node: n.Arithmetic) -> Code:
    left_code, right_code, operator = compiler.compile(node.left), compiler.compile(node.right), node.operator

    def code(run: Run, scope: Scope) -> Any:
        left, right = left_code(run, scope), right_code(run, scope)
        if left is None or right is None:
            return run.null(f"「{operator}」的一边是空值")
        try:
            result = arithmetic(operator, left, right)
        except Mismatch as error:
            return run.null(str(error))
        except ZeroDivisionError:
            return run.null("除数是 0")
        except (ArithmeticError, ValueError):
            return run.null(f"「{operator}」的结果超出范围或无意义")
        if type(result) is str:
            run.tick(len(result))
        return result

    return code


def compared(run: Run, operator: str, left: Any, right: Any) -> bool | None:
    """A comparison, with the reason when the two cannot be compared."""
    result = compare(operator, left, right)
    if result is None:
        if left is not None and right is not None:
            run.null(f"{kind_zh(kind(left))}与{kind_zh(kind(right))}不能用「{operator}」比较")
        elif not run.reasons:  # otherwise the null has had its reason
            run.null(f"「{operator}」的一边是空值")
    return result


def _compare(compiler: Compiler, node: n.Compare) -> Code:
    left, right, operator = compiler.compile(node.left), compiler.compile(node.right), node.operator
    return lambda run, scope: compared(run, operator, left(run, scope), right(run, scope))


def _connective(word: str, decisive: bool) -> Callable[[Compiler, n.And | n.Or], Code]:
    def make(compiler: Compiler, node: n.And | n.Or) -> Code:
        parts = compiler.all(node.parts)

        def code(run: Run, scope: Scope) -> Any:
            result: bool | None = not decisive
            for part in parts:
                value = part(run, scope)
                if value is decisive:
                    return decisive
                if value is not (not decisive):
                    result = None
                    not_boolean(run, word, value)
            return result

        return code

    return make


def not_boolean(run: Run, operator: str, value: Any) -> None:
    """Note that an operand should have been a boolean."""
    if value is not None:
        run.null(f"「{operator}」的一边是{kind_zh(kind(value))}，应为是否值")


def _between(compiler: Compiler, node: n.Between) -> Code:
    codes = compiler.all((node.value, node.low, node.high))

    def code(run: Run, scope: Scope) -> Any:
        value, low, high = (part(run, scope) for part in codes)
        return conjunction([compared(run, ">=", value, low), compared(run, "<=", value, high)])

    return code


def _if(compiler: Compiler, node: n.If) -> Code:
    condition_code, then, otherwise = compiler.all((node.condition, node.then, node.otherwise))

    def code(run: Run, scope: Scope) -> Any:
        condition = condition_code(run, scope)
        if condition is True:
            return then(run, scope)
        if condition is not False:
            not_boolean(run, "if", condition)
        return otherwise(run, scope)

    return code


def _instance_of(compiler: Compiler, node: n.InstanceOf) -> Code:
    value, type_ = compiler.compile(node.value), compiler.type(node.type)
    if type_ is None:
        return lambda run, _scope: run.null(f"没有「{node.type.name}」这个类型")
    return lambda run, scope: is_instance(value(run, scope), type_)


# Tests


def tests(compiler: Compiler, nodes: tuple[n.Node, ...]) -> Test:
    """Whether a value meets one of the tests: a three-valued or."""
    codes = [_test(compiler, node) for node in nodes]

    def code(run: Run, value: Any, scope: Scope) -> bool | None:
        result: bool | None = False
        for one in codes:
            met = one(run, value, scope)
            if met is True:
                return True
            if met is None:
                result = None
        return result

    return codes[0] if len(codes) == 1 else code


def _test(compiler: Compiler, node: n.Node) -> Test:
    if isinstance(node, n.OperatorTest):
        operator, operand = node.operator, compiler.compile(node.operand)
        return lambda run, value, scope: compared(run, operator, value, operand(run, scope))
    if isinstance(node, n.NotTest):
        inner = tests(compiler, node.tests)

        def negated(run: Run, value: Any, scope: Scope) -> bool | None:
            result = inner(run, value, scope)
            return None if result is None else not result

        return negated
    assert isinstance(node, n.ValueTest)  # noqa: S101 (for the type checker)
    asks, expression = node.asks, compiler.compile(node.expression)
    is_range = isinstance(node.expression, n.RangeOf)

    def meets(run: Run, value: Any, scope: Scope) -> bool | None:
        wanted = expression(run, scope)
        if asks or (type(wanted) is bool and type(value) is not bool):
            # The test speaks of the input itself, or is a condition of its own.
            return wanted if isinstance(wanted, bool) else None
        if wanted is None and is_range:
            return None  # a range that is none
        result = matches_value(value, wanted)
        if result is None:
            run.null(f"{kind_zh(kind(value))}不能与{kind_zh(kind(wanted))}比较")
        return result

    return meets


def _in(compiler: Compiler, node: n.In) -> Code:
    value_code, test = compiler.compile(node.value), tests(compiler, node.tests)

    def code(run: Run, scope: Scope) -> Any:
        value = value_code(run, scope)
        return test(run, value, Scope({"?": value}, scope))

    return code


# Access


def _path(compiler: Compiler, node: n.Path) -> Code:
    base, name = compiler.compile(node.base), node.name
    return lambda run, scope: member(run, base(run, scope), name)


def member(run: Run, base: Any, name: str) -> Any:
    """`base.name` (tables 60 to 66)."""
    if base is None:
        return None
    if type(base) is dict:
        if name not in base:
            return run.null(f"没有「{name}」的值")
        return run.take(name, base[name])
    if type(base) is list:
        return [member(run, item, name) for item in base]
    if has_properties(base):
        try:
            return read_property(base, name)
        except KeyError:
            pass
    return run.null(f"{kind_zh(kind(base))}没有「{name}」")


_COMPILERS: dict[type[n.Node], Callable[[Compiler, Any], Code]] = {
    n.Literal: _literal,
    n.AtLiteral: _at_literal,
    n.Name: _name,
    n.Negate: _negate,
    n.Arithmetic: _arithmetic,
    n.Compare: _compare,
    n.And: _connective("and", False),
    n.Or: _connective("or", True),
    n.Between: _between,
    n.In: _in,
    n.If: _if,
    n.Path: _path,
    n.ListOf: _list_of,
    n.ContextOf: _context_of,
    n.RangeOf: _range_of,
    n.InstanceOf: _instance_of,
    n.Native: _native,
}


def register(table: Mapping[type[n.Node], Callable[[Compiler, Any], Code]]) -> None:
    """Add the compilers that live in other modules."""
    _COMPILERS.update(table)
