"""`for`, `some`, `every` and filters (DMN 1.5 §10.3.2.5, §10.3.2.6, table 51)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from yiwang.kernel.feel import nodes as n
from yiwang.kernel.feel.compiler import Code, Compiler, register
from yiwang.kernel.feel.evaluation import Run, Scope
from yiwang.kernel.feel.temporal import FarDate, day_number, make_date_of
from yiwang.kernel.feel.values import Range, kind, kind_zh

_Source = Callable[[Run, Scope], Any]


def _for(compiler: Compiler, node: n.For) -> Code:
    rounds, body = _rounds(compiler, node.iterators), compiler.compile(node.body)
    partial = node.partial

    def code(run: Run, scope: Scope) -> Any:
        results: list[Any] = []
        for inner in rounds(run, scope):
            if inner is None:
                return None
            if partial:
                # Each round sees its own copy of the results so far, lest a list contain itself.
                run.tick(len(results))
                inner = Scope({"partial": results[:]}, inner)
            results.append(body(run, inner))
        return results

    return code


def _quantified(compiler: Compiler, node: n.Quantified) -> Code:
    rounds, test = _rounds(compiler, node.iterators), compiler.compile(node.test)
    every = node.every

    def code(run: Run, scope: Scope) -> Any:
        result: bool | None = every
        for inner in rounds(run, scope):
            value = None if inner is None else test(run, inner)
            if value is (not every):
                return value
            if value is not every:
                result = None
        return result

    return code


def _rounds(
    compiler: Compiler, iterators: tuple[n.Iterator, ...]
) -> Callable[[Run, Scope], Iterator[Scope | None]]:
    """A scope for each combination; None when a source is not a list."""
    first = iterators[0]
    source_code, variable = _source(compiler, first), first.variable
    rest = _rounds(compiler, iterators[1:]) if iterators[1:] else None

    def rounds(run: Run, scope: Scope) -> Iterator[Scope | None]:
        source = source_code(run, scope)
        if source is None:
            yield None
            return
        for item in source:
            run.tick()
            inner = Scope({variable: item}, scope)
            if rest is None:
                yield inner
            else:
                yield from rest(run, inner)

    return rounds


def _source(compiler: Compiler, iterator: n.Iterator) -> _Source:
    start = compiler.compile(iterator.source)
    end = compiler.compile(iterator.end) if iterator.end is not None else None
    variable = iterator.variable

    def code(run: Run, scope: Scope) -> Any:
        source = start(run, scope)
        if end is not None:
            return _counted(run, source, end(run, scope))
        if source is None:
            return run.null(f"「{variable}」的来源是空值")
        if type(source) is Range:
            return _counted(run, source.start, source.end, source.start_included, source.end_included)
        return source if type(source) is list else [source]

    return code


def _counted(
    run: Run, start: Any, end: Any, start_included: bool = True, end_included: bool = True
) -> Iterator[Any] | None:
    if all(type(v) is Decimal and v == v.to_integral_value() and abs(v) < 10**18 for v in (start, end)):
        first, last = int(start), int(end)
        make: Callable[[int], Any] = Decimal
    elif all(type(v) in (date, FarDate) for v in (start, end)):
        first, last = day_number(start), day_number(end)
        make = make_date_of
    else:
        run.null("「..」的两端应同为整数或同为日期")
        return None
    step = 1 if first <= last else -1
    first += 0 if start_included else step
    last -= 0 if end_included else step
    return map(make, range(first, last + step, step))


def _filter(compiler: Compiler, node: n.Filter) -> Code:
    base_code, condition = compiler.compile(node.base), compiler.compile(node.condition)
    position = node.condition.value if isinstance(node.condition, n.Literal) else None

    def code(run: Run, scope: Scope) -> Any:
        base = base_code(run, scope)
        if base is None:
            return None
        items = base if type(base) is list else [base]
        if type(position) is Decimal:
            return _item(run, items, position)
        if not items:
            # A position in an empty list is an error, a condition on it is not.
            found = condition(run, Scope({"item": None}, scope))
            return _item(run, items, found) if type(found) is Decimal else []
        result = []
        for item in items:
            run.tick()
            names = {"item": item, **item} if type(item) is dict else {"item": item}
            kept = condition(run, Scope(names, scope, True))
            if kept is True:
                result.append(item)
            elif type(kept) is Decimal:
                return _item(run, items, kept)
            elif kept is not False and kept is not None:
                return run.null(f"「[…]」里应为条件或位置，却是{kind_zh(kind(kept))}")
        return result

    return code


def _item(run: Run, items: list[Any], position: Decimal) -> Any:
    if position == position.to_integral_value() and 1 <= abs(position) <= len(items):
        return items[int(position) - 1 if position > 0 else int(position)]
    return run.null(f"列表只有 {len(items)} 项，没有第 {position} 项")


register({n.For: _for, n.Quantified: _quantified, n.Filter: _filter})
