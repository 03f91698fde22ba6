"""The value of a syntax tree in a context (DMN 1.5 §10.3.2). Never raises: null and a reason instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from yiwang.kernel.feel import builtins
from yiwang.kernel.feel import nodes as n
from yiwang.kernel.feel.arithmetic import Mismatch, arithmetic, negate
from yiwang.kernel.feel.properties import has_properties, read_property
from yiwang.kernel.feel.temporal import parse_at
from yiwang.kernel.feel.values import (
    Function,
    NotFeel,
    Range,
    compare,
    conjunction,
    convert,
    deep,
    kind,
    kind_zh,
    matches_value,
)

MOST_STEPS = 100_000  # rounds of loops and calls in one evaluation: an endless recursion must end
_MISSING: Any = object()


class _Exhausted(Exception):
    """The evaluation is too long."""


class Scope:
    """Names on one level, and the level around it."""

    __slots__ = ("outer", "values")

    def __init__(self, values: Mapping[Any, Any], outer: Scope | None = None) -> None:
        self.values = values
        self.outer = outer

    def find(self, name: str) -> Any:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return scope.values[name]
            scope = scope.outer
        return _MISSING


class Evaluation:
    """One evaluation: the functions a caller brought and the reasons collected."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]] | None = None) -> None:
        self.functions = functions or {}
        self.reasons: list[str] = []
        self.steps = 0

    def run(self, node: n.Node, context: Mapping[str, Any]) -> Any:
        """The value of `node`; lists and contexts in it are converted throughout."""
        value = self._guard(lambda: self.value(node, Scope(context)))
        return self._guard(lambda: deep(value)) if type(value) in (list, dict) else value

    def run_tests(self, tests: tuple[n.Node, ...], value: Any, context: Mapping[str, Any]) -> bool | None:
        """Whether `value` meets one of the unary tests."""
        result = self._guard(lambda: self.meets(tests, convert(value), Scope({"?": value}, Scope(context))))
        return result if isinstance(result, bool) else None

    def _guard(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except _Exhausted:
            return self.null("计算步数太多，请检查循环或递归")
        except RecursionError:
            return self.null("嵌套太深，请检查递归")
        except NotFeel as error:
            return self.null(str(error))

    def null(self, reason: str) -> Any:
        """Null, and note why."""
        if reason not in self.reasons:
            self.reasons.append(reason)
        return None

    def tick(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise _Exhausted

    def value(self, node: n.Node, scope: Scope) -> Any:
        return _HANDLERS[type(node)](self, node, scope)

    # Literals and names

    def literal(self, node: n.Literal, scope: Scope) -> Any:
        return node.value

    def at_literal(self, node: n.AtLiteral, scope: Scope) -> Any:
        try:
            return parse_at(node.text)
        except ValueError as error:
            return self.null(str(error))

    def name(self, node: n.Name, scope: Scope) -> Any:
        found = scope.find(node.name)
        if found is _MISSING:
            function = self._function(node.name)
            return function if function else self.null(f"没有「{node.name}」的值")
        return self.take(node.name, found)

    def take(self, name: str, found: Any) -> Any:
        try:
            value = convert(found)
        except NotFeel as error:
            return self.null(f"「{name}」不能使用：{error}")
        if value is None:
            self.null(f"「{name}」是空值")
        return value

    def _function(self, name: str) -> Function | None:
        if name in self.functions:
            return Function(None, self.functions[name])
        if name in builtins.NAMES:
            return Function(None, lambda *values: builtins.call(name, values, ()))
        return None

    def list_of(self, node: n.ListOf, scope: Scope) -> Any:
        return [self.value(item, scope) for item in node.items]

    def context_of(self, node: n.ContextOf, scope: Scope) -> Any:
        result: dict[str, Any] = {}
        inner = Scope(result, scope)  # an entry sees the ones before it
        for key, entry in node.entries:
            result[key] = self.value(entry, inner)
        return dict(result)

    def range_of(self, node: n.RangeOf, scope: Scope) -> Any:
        start = self.value(node.start, scope) if node.start else None
        end = self.value(node.end, scope) if node.end else None
        if (node.start and start is None) or (node.end and end is None):
            return self.null("区间的一端是空值")
        if node.start and node.end and compare("<=", start, end) is None:
            return self.null(f"区间的两端是{kind_zh(kind(start))}与{kind_zh(kind(end))}，不能比较大小")
        return Range(node.start_included, start, end, node.end_included)

    def lambda_(self, node: n.Lambda, scope: Scope) -> Any:
        def call(*values: Any) -> Any:
            self.tick()
            if len(values) != len(node.parameters):
                return self.null(f"函数应有 {len(node.parameters)} 个参数，却有 {len(values)} 个")
            return self.value(node.body, Scope(dict(zip(node.parameters, values, strict=True)), scope))

        return Function(node.parameters, call)

    # Operators

    def negate(self, node: n.Negate, scope: Scope) -> Any:
        value = self.value(node.operand, scope)
        if value is None:
            return None
        try:
            return negate(value)
        except (Mismatch, ArithmeticError) as error:
            return self.null(str(error))

    def arithmetic(self, node: n.Arithmetic, scope: Scope) -> Any:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        if left is None or right is None:
            return self.null(f"「{node.operator}」的一边是空值")
        try:
            return arithmetic(node.operator, left, right)
        except Mismatch as error:
            return self.null(str(error))
        except ZeroDivisionError:
            return self.null("除数是 0")
        except (ArithmeticError, ValueError, TypeError):
            return self.null(f"「{node.operator}」的结果超出范围或无意义")

    def compare(self, node: n.Compare, scope: Scope) -> Any:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        return self._compared(node.operator, left, right)

    def _compared(self, operator: str, left: Any, right: Any) -> bool | None:
        result = compare(operator, left, right)
        if result is None:
            self.null(f"{kind_zh(kind(left))}与{kind_zh(kind(right))}不能用「{operator}」比较")
        return result

    def and_(self, node: n.And, scope: Scope) -> Any:
        result: bool | None = True
        for part in node.parts:
            value = self.value(part, scope)
            if value is False:
                return False
            if value is not True:
                result = None
                self._not_boolean("and", value)
        return result

    def or_(self, node: n.Or, scope: Scope) -> Any:
        result: bool | None = False
        for part in node.parts:
            value = self.value(part, scope)
            if value is True:
                return True
            if value is not False:
                result = None
                self._not_boolean("or", value)
        return result

    def _not_boolean(self, operator: str, value: Any) -> None:
        if value is not None:
            self.null(f"「{operator}」的一边是{kind_zh(kind(value))}，应为是否值")

    def between(self, node: n.Between, scope: Scope) -> Any:
        value, low, high = (self.value(part, scope) for part in (node.value, node.low, node.high))
        return conjunction([self._compared(">=", value, low), self._compared("<=", value, high)])

    def in_(self, node: n.In, scope: Scope) -> Any:
        value = self.value(node.value, scope)
        return self.meets(node.tests, value, Scope({"?": value}, scope))

    def if_(self, node: n.If, scope: Scope) -> Any:
        condition = self.value(node.condition, scope)
        if condition is not True and condition is not False and condition is not None:
            self._not_boolean("if", condition)
        return self.value(node.then if condition is True else node.otherwise, scope)

    def instance_of(self, node: n.InstanceOf, scope: Scope) -> Any:
        return _is_instance(self.value(node.value, scope), node.type)

    # Tests

    def meets(self, tests: tuple[n.Node, ...], value: Any, scope: Scope) -> bool | None:
        """Three-valued or over the tests."""
        result: bool | None = False
        for test in tests:
            one = self.meets_one(test, value, scope)
            if one is True:
                return True
            if one is None:
                result = None
        return result

    def meets_one(self, test: n.Node, value: Any, scope: Scope) -> bool | None:
        if isinstance(test, n.OperatorTest):
            return self._compared(test.operator, value, self.value(test.operand, scope))
        if isinstance(test, n.NotTest):
            result = self.meets(test.tests, value, scope)
            return None if result is None else not result
        assert isinstance(test, n.ValueTest)  # noqa: S101 (for the type checker)
        wanted = self.value(test.expression, scope)
        if test.asks or (type(wanted) is bool and type(value) is not bool):
            # The test speaks of the input itself, or is a condition of its own.
            return wanted if isinstance(wanted, bool) else None
        result = matches_value(value, wanted)
        if result is None:
            self.null(f"{kind_zh(kind(value))}不能与{kind_zh(kind(wanted))}比较")
        return result

    # Loops

    def for_(self, node: n.For, scope: Scope) -> Any:
        results: list[Any] = []
        for inner in self._rounds(node.iterators, scope):
            if inner is None:
                return None
            if node.partial:
                # Each round sees its own copy of the results so far, lest a list contain itself.
                inner = Scope({"partial": results[:]}, inner)
            results.append(self.value(node.body, inner))
        return results

    def quantified(self, node: n.Quantified, scope: Scope) -> Any:
        result: bool | None = node.every
        for inner in self._rounds(node.iterators, scope):
            value = None if inner is None else self.value(node.test, inner)
            if value is (not node.every):
                return value
            if value is not node.every:
                result = None
        return result

    def _rounds(self, iterators: tuple[n.Iterator, ...], scope: Scope) -> Iterator[Scope | None]:
        """A scope for each combination; None when a source is not a list."""
        first, rest = iterators[0], iterators[1:]
        source = self._source(first, scope)
        if source is None:
            yield None
            return
        for item in source:
            self.tick()
            inner = Scope({first.variable: item}, scope)
            if rest:
                yield from self._rounds(rest, inner)
            else:
                yield inner

    def _source(self, iterator: n.Iterator, scope: Scope) -> Any:
        source = self.value(iterator.source, scope)
        if iterator.end is not None:
            return self._counted(source, self.value(iterator.end, scope))
        if source is None:
            return self.null(f"「{iterator.variable}」的来源是空值")
        if type(source) is Range:
            first, last = self._inside(source)
            return self._counted(first, last)
        return source if type(source) is list else [source]

    def _inside(self, interval: Range) -> tuple[Any, Any]:
        step: Any = timedelta(days=1) if isinstance(interval.start, date) else Decimal(1)
        try:
            first = interval.start if interval.start_included else interval.start + step
            return first, interval.end if interval.end_included else interval.end - step
        except (TypeError, ArithmeticError):
            return None, None

    def _counted(self, start: Any, end: Any) -> Iterator[Any] | None:
        whole = all(
            type(v) is Decimal and v == v.to_integral_value() and abs(v) < 10**18 for v in (start, end)
        )
        if whole:
            step = 1 if start <= end else -1
            return (Decimal(i) for i in range(int(start), int(end) + step, step))
        if type(start) is date and type(end) is date:
            step = 1 if start <= end else -1
            return (date.fromordinal(i) for i in range(start.toordinal(), end.toordinal() + step, step))
        self.null("「..」的两端应同为整数或同为日期")
        return None

    # Access

    def filter(self, node: n.Filter, scope: Scope) -> Any:
        base = self.value(node.base, scope)
        if base is None:
            return None
        items = base if type(base) is list else [base]
        if isinstance(node.condition, n.Literal) and type(node.condition.value) is Decimal:
            return self._item(items, node.condition.value)
        result = []
        for item in items:
            self.tick()
            values = {"item": item, **item} if type(item) is dict else {"item": item}
            kept = self.value(node.condition, Scope(values, scope))
            if type(kept) is Decimal:
                return self._item(items, kept)
            if kept is True:
                result.append(item)
        return result

    def _item(self, items: list[Any], position: Decimal) -> Any:
        if position == position.to_integral_value() and 1 <= abs(position) <= len(items):
            return items[int(position) - 1 if position > 0 else int(position)]
        return self.null(f"列表只有 {len(items)} 项，没有第 {position} 项")

    def path(self, node: n.Path, scope: Scope) -> Any:
        return self._member(self.value(node.base, scope), node.name)

    def _member(self, base: Any, name: str) -> Any:
        if base is None:
            return None
        if type(base) is dict:
            if name not in base:
                return self.null(f"没有「{name}」的值")
            return self.take(name, base[name])
        if type(base) is list:
            return [self._member(item, name) for item in base]
        if has_properties(base):
            try:
                return read_property(base, name)
            except KeyError:
                pass
        return self.null(f"{kind_zh(kind(base))}没有「{name}」")

    # Calls

    def call(self, node: n.Call, scope: Scope) -> Any:
        self.tick()
        name = node.function.name if isinstance(node.function, n.Name) else "函数"
        function: Any = None
        if isinstance(node.function, n.Name):
            found = scope.find(name)
            if found is _MISSING and name not in self.functions and name in builtins.NAMES:
                arguments = [self.value(argument, scope) for argument in node.arguments]
                return self._safely(name, lambda: builtins.call(name, arguments, node.names))
            function = self._function(name) if found is _MISSING else self.take(name, found)
            if function is None:
                return self.null(_no_function(name))
        else:
            function = self.value(node.function, scope)
        arguments = [self.value(argument, scope) for argument in node.arguments]
        if type(function) is not Function:
            return None if function is None else self.null(f"「{name}」不是函数")
        return self._safely(name, lambda: self._apply(function, arguments, node.names))

    def _apply(self, function: Function, arguments: list[Any], names: tuple[str, ...]) -> Any:
        if not names:
            return convert(function.call(*arguments))
        given = dict(zip(names, arguments, strict=True))
        if function.parameters is None:
            return convert(function.call(**given))
        if set(given) != set(function.parameters):
            raise builtins.Unfit(f"参数名应为 {'、'.join(function.parameters)}")
        return function.call(*(given[parameter] for parameter in function.parameters))

    def _safely(self, name: str, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except (_Exhausted, RecursionError):
            raise
        except builtins.Unfit as error:
            return self.null(str(error))
        except ArithmeticError:
            return self.null(f"{name} 的结果超出范围或无意义")
        except Exception as error:  # whatever a pack's own function raises is a reason, not a crash
            return self.null(f"{name} 不能计算：{error}")


def _no_function(name: str) -> str:
    if name in ("today", "now"):
        return f"{name}() 要由调用者提供当前时间"
    return f"没有函数「{name}」"


def _is_instance(value: Any, wanted: n.TypeOf) -> bool:
    """`value instance of wanted` (DMN 1.5 §10.3.2.9 and table 52)."""
    found = kind(value)
    if wanted.name == "Any":
        return value is not None
    if wanted.name == "Null":
        return value is None
    if found != wanted.name:
        return False
    if not wanted.arguments or found == "function":
        return True
    if found == "list":
        return all(_is_instance(item, wanted.arguments[0]) for item in value)
    if found == "range":
        ends = (value.start, value.end)
        return all(end is None or _is_instance(end, wanted.arguments[0]) for end in ends)
    return all(
        member in value and _is_instance(deep(value[member]), one)
        for member, one in zip(wanted.members, wanted.arguments, strict=True)
    )


_HANDLERS: dict[type[n.Node], Callable[[Evaluation, Any, Scope], Any]] = {
    n.Literal: Evaluation.literal,
    n.AtLiteral: Evaluation.at_literal,
    n.Name: Evaluation.name,
    n.Negate: Evaluation.negate,
    n.Arithmetic: Evaluation.arithmetic,
    n.Compare: Evaluation.compare,
    n.And: Evaluation.and_,
    n.Or: Evaluation.or_,
    n.Between: Evaluation.between,
    n.In: Evaluation.in_,
    n.If: Evaluation.if_,
    n.For: Evaluation.for_,
    n.Quantified: Evaluation.quantified,
    n.Filter: Evaluation.filter,
    n.Path: Evaluation.path,
    n.Call: Evaluation.call,
    n.ListOf: Evaluation.list_of,
    n.ContextOf: Evaluation.context_of,
    n.RangeOf: Evaluation.range_of,
    n.Lambda: Evaluation.lambda_,
    n.InstanceOf: Evaluation.instance_of,
}
