"""From boxed expressions to code (DMN 1.5 §10.2, §10.3.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from yiwang.engines.judge.dmn import contracts as c
from yiwang.engines.judge.dmn.place import Place, null
from yiwang.engines.judge.dmn.table import table
from yiwang.kernel.feel import Function, builtins
from yiwang.kernel.feel import nodes as n
from yiwang.kernel.feel.calls import apply, external, function_of
from yiwang.kernel.feel.compiler import Code, Compiler
from yiwang.kernel.feel.evaluation import Run, Scope
from yiwang.kernel.feel.types import ANY, Type

_FEEL = Compiler()


def compiled(expression: c.Expression | None, place: Place, what: str = "") -> Code:
    """The code of an expression; null with a reason when there is none.

    Args:
        expression: the boxed expression.
        place: the names it may use.
        what: how reasons name the place, such as 决策「额度」的结果.
    """
    if expression is None:
        return null(f"{what or '这里'}没有写表达式")
    code = _COMPILERS[type(expression)](expression, place)
    if isinstance(expression, c.FunctionDefinition):
        return code
    return coerced(code, place.type(expression.type_ref, expression.id), what or "表达式的结果")


def coerced(code: Code, type_: Type | None, what: str) -> Code:
    """`code` whose value is converted to `type_`, or null with a reason."""
    if type_ is None:
        return code

    def checked(run: Run, scope: Scope) -> Any:
        value = code(run, scope)
        if type(value) is Function and type_.base != "function":
            return value  # modellers write the type of the result on a function's variable
        return run.coerced(what, value, type_)

    return checked


def _native(expression: c.Expression | None, place: Place) -> n.Node:
    return n.Native(compiled(expression, place))


def _literal(expression: c.Literal, place: Place) -> Code:
    if expression.imported:
        return null("importedValues 不支持，请把内容写进表达式")
    return place.expression(expression.text, expression.id, expression.language)


def _context(expression: c.Context, place: Place) -> Code:
    entries: list[tuple[str, Code]] = []
    result: Code | None = None
    for entry in expression.entries:
        if entry.variable is None or not entry.variable.name:
            result = compiled(entry.value, place)
            continue
        name = entry.variable.name
        what = f"「{name}」"
        type_ = place.type(entry.variable.type_ref, expression.id)
        entries.append((name, coerced(compiled(entry.value, place, what), type_, what)))
        place = place.plus([name])

    def code(run: Run, scope: Scope) -> Any:
        values: dict[str, Any] = {}
        inner = Scope(values, scope)  # an entry sees the ones before it
        for name, one in entries:
            values[name] = one(run, inner)
        return result(run, inner) if result else values.copy()

    return code


def _list(expression: c.ListOf, place: Place) -> Code:
    return _FEEL.compile(n.ListOf(tuple(_native(item, place) for item in expression.items)))


def _relation(expression: c.Relation, place: Place) -> Code:
    types = [place.type(column.type_ref, expression.id) for column in expression.columns]
    rows = [
        [
            (column.name, coerced(compiled(cell, place), type_, f"列「{column.name}」"))
            for column, type_, cell in zip(expression.columns, types, row, strict=False)
        ]
        for row in expression.rows
    ]
    return lambda run, scope: [{name: cell(run, scope) for name, cell in row} for row in rows]


def _invocation(expression: c.Invocation, place: Place) -> Code:
    called = expression.called
    if isinstance(called, c.Literal) and called.text in place.names | builtins.NAMES:
        function_code = _FEEL.compile(n.Name(called.text))
    else:
        function_code = compiled(called, place)
    label = called.text if isinstance(called, c.Literal) else "函数"
    names = [typed.name for typed, _ in expression.bindings]
    codes = [
        coerced(compiled(value, place), place.type(typed.type_ref, expression.id), f"参数「{typed.name}」")
        for typed, value in expression.bindings
    ]

    def code(run: Run, scope: Scope) -> Any:
        function = function_code(run, scope)
        values = [one(run, scope) for one in codes]
        if type(function) is not Function:
            return run.null(f"「{label}」不是函数")
        if function.parameters is None:
            if label in builtins.NAMES:
                return built_in(run, label, values, names)
            return apply(run, label, function, values, tuple(names))
        unknown = set(names) - set(function.parameters)
        if unknown:
            return run.null(f"{label} 没有参数「{'、'.join(sorted(unknown))}」")
        given = dict(zip(names, values, strict=True))  # a parameter without a binding is null
        return apply(run, label, function, [given.get(name) for name in function.parameters])

    return code


def built_in(run: Run, name: str, values: list[Any], names: list[str]) -> Any:
    """A built-in function called by parameter names."""
    call = n.Call(n.Name(name), tuple(n.Literal(value) for value in values), tuple(names))
    return _FEEL.compile(call)(run, Scope({}))


def function_definition(
    expression: c.FunctionDefinition, place: Place, result: Type | None = None
) -> Callable[[Run, Scope], Function]:
    """Code that makes the function in a scope; `result` is the declared type of what it gives."""
    names = tuple(parameter.name for parameter in expression.parameters)
    types = tuple(place.type(p.type_ref, expression.id) or ANY for p in expression.parameters)
    if expression.kind != "FEEL":
        return lambda run, _scope: external(run, names, types)
    body = compiled(expression.body, place.plus(names), "函数的结果")
    if result is not None:
        body = coerced(body, result, "函数的结果")
    return lambda run, scope: function_of(run, scope, names, types, body, result)


def _function_definition(expression: c.FunctionDefinition, place: Place) -> Code:
    type_ = place.type(expression.type_ref, expression.id)
    return function_definition(
        expression, place, type_.result if type_ and type_.base == "function" else type_
    )


def _conditional(expression: c.Conditional, place: Place) -> Code:
    parts = (_native(e, place) for e in (expression.condition, expression.then, expression.otherwise))
    return _FEEL.compile(n.If(*parts))


def _iteration(expression: c.Iteration, place: Place) -> Code:
    type_ = place.type(expression.source_type, expression.id)
    source = n.Native(coerced(compiled(expression.source, place), type_, "循环的来源"))
    iterators = (n.Iterator(expression.variable, source, None),)
    body = _native(expression.body, place.plus([expression.variable]))
    if expression.kind == "for":
        return _FEEL.compile(n.For(iterators, body, "partial" in _texts(expression.body)))
    return _FEEL.compile(n.Quantified(expression.kind == "every", iterators, body))


def _texts(expression: c.Expression | None) -> str:
    """Enough of an expression's content to see whether it speaks of `partial`."""
    return repr(expression)


def _filter(expression: c.Filter, place: Place) -> Code:
    return _FEEL.compile(
        n.Filter(_native(expression.source, place), _native(expression.match, place.inside()))
    )


def _unsupported(expression: c.Unsupported, _place: Place) -> Code:
    return null(expression.what)


_COMPILERS: dict[type[c.Expression], Callable[[Any, Place], Code]] = {
    c.Literal: _literal,
    c.Context: _context,
    c.ListOf: _list,
    c.Relation: _relation,
    c.Invocation: _invocation,
    c.FunctionDefinition: _function_definition,
    c.Conditional: _conditional,
    c.Iteration: _iteration,
    c.Filter: _filter,
    c.Table: table,
    c.Unsupported: _unsupported,
}
