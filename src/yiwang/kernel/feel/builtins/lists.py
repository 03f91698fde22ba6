"""List and context functions (DMN 1.5 §10.3.4.4 and §10.3.4.10). Positions count from 1, or from the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from yiwang.kernel.feel.builtins.registry import builtin
from yiwang.kernel.feel.values import (
    DECIMAL,
    LONGEST,
    ORDERED,
    Function,
    compare,
    convert,
    deep,
    equal,
    identity,
    kind,
)


def _values(arguments: tuple[Any, ...]) -> list[Any]:
    """`f([a, b])` and `f(a, b)` are the same."""
    return list(arguments[0]) if len(arguments) == 1 and isinstance(arguments[0], list) else list(arguments)


def _numbers(arguments: tuple[Any, ...]) -> list[Decimal]:
    values = _values(arguments)
    if not all(type(value) is Decimal for value in values):
        raise ValueError("列表里应全是数字")
    return values


def _some(values: list[Decimal]) -> list[Decimal]:
    if not values:
        raise ValueError("列表是空的")
    return values


def _short(items: list[Any]) -> list[Any]:
    if len(items) > LONGEST:
        raise ValueError("列表太长")
    return items


@builtin("list contains", "list: list", "element: any")
def list_contains(items: list[Any], element: Any) -> bool:
    return any(equal(item, element) is True for item in items)


@builtin("count", "list: list")
def count(items: list[Any]) -> Decimal:
    return Decimal(len(items))


@builtin("min", "list: any*")
def min_(*arguments: Any) -> Any:
    return _extreme("<", _values(arguments))


@builtin("max", "list: any*")
def max_(*arguments: Any) -> Any:
    return _extreme(">", _values(arguments))


def _extreme(operator: str, values: list[Any]) -> Any:
    if not values:
        raise ValueError("列表是空的")
    if len({kind(value) for value in values}) > 1 or kind(values[0]) not in ORDERED:
        raise ValueError("列表里应是同一种能比较大小的值")
    best = values[0]
    for value in values[1:]:
        better = compare(operator, value, best)
        if better is None:
            raise ValueError("列表里的值不能比较大小")
        best = value if better else best
    return best


@builtin("sum", "list: any*")
def sum_(*arguments: Any) -> Any:
    values = _numbers(arguments)
    return _total(_some(values))


def _total(values: list[Decimal]) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = DECIMAL.add(total, value)
    return total


@builtin("product", "list: any*")
def product(*arguments: Any) -> Any:
    values = _numbers(arguments)
    result = Decimal(1)
    for value in _some(values):
        result = DECIMAL.multiply(result, value)
    return result


@builtin("mean", "list: any*")
def mean(*arguments: Any) -> Any:
    values = _numbers(arguments)
    return DECIMAL.divide(_total(_some(values)), Decimal(len(values)))


@builtin("median", "list: any*")
def median(*arguments: Any) -> Any:
    values = sorted(_some(_numbers(arguments)))
    middle = len(values) // 2
    if len(values) % 2:
        return values[middle]
    return DECIMAL.divide(DECIMAL.add(values[middle - 1], values[middle]), Decimal(2))


@builtin("stddev", "list: any*")
def stddev(*arguments: Any) -> Any:
    values = _numbers(arguments)
    if len(values) < 2:
        raise ValueError("标准差至少要两个数")
    average = DECIMAL.divide(_total(values), Decimal(len(values)))
    squares = [DECIMAL.power(DECIMAL.subtract(value, average), Decimal(2)) for value in values]
    return DECIMAL.sqrt(DECIMAL.divide(_total(squares), Decimal(len(values) - 1)))


@builtin("mode", "list: any*")
def mode(*arguments: Any) -> list[Decimal]:
    tally = Counter(_numbers(arguments))
    top = max(tally.values(), default=0)
    return sorted(value for value, times in tally.items() if times == top)


@builtin("all", "list: any*")
def all_(*arguments: Any) -> bool | None:
    values = _values(arguments)
    if any(value is False for value in values):
        return False
    return True if all(value is True for value in _booleans(values)) else None


@builtin("any", "list: any*")
def any_(*arguments: Any) -> bool | None:
    values = _values(arguments)
    if any(value is True for value in values):
        return True
    return False if all(value is False for value in _booleans(values)) else None


def _booleans(values: list[Any]) -> list[bool | None]:
    if not all(value is None or type(value) is bool for value in values):
        raise ValueError("列表里应全是是否值")
    return values


@builtin("sublist", "list: list", "start position: number", "length: number|null?")
def sublist(items: list[Any], start: Decimal, length: Decimal | None = None) -> list[Any]:
    first = _index(items, start)
    if length is None:
        return items[first:]
    if not 1 <= length <= len(items) - first:
        raise ValueError(f"长度应在 1 到 {len(items) - first} 之间")
    return items[first : first + int(length)]


@builtin("append", "list: list", "item: any*")
def append(items: list[Any], *more: Any) -> list[Any]:
    return _short([*items, *more])


@builtin("concatenate", "list: list*")
def concatenate(*lists: list[Any]) -> list[Any]:
    return _short([item for items in lists for item in items])


@builtin("insert before", "list: list", "position: number", "newItem: any")
def insert_before(items: list[Any], position: Decimal, item: Any) -> list[Any]:
    index = _index(items, position)
    return _short([*items[:index], item, *items[index:]])


@builtin("remove", "list: list", "position: number")
def remove(items: list[Any], position: Decimal) -> list[Any]:
    index = _index(items, position)
    return items[:index] + items[index + 1 :]


@builtin("list replace", "list: list", "position: number", "newItem: any")
def list_replace_at(items: list[Any], position: Decimal, item: Any) -> list[Any]:
    index = _index(items, position)
    return [*items[:index], item, *items[index + 1 :]]


@builtin("list replace", "list: list", "match: function", "newItem: any")
def list_replace(items: list[Any], match: Function, item: Any) -> list[Any]:
    return [item if match.call(old, item) is True else old for old in items]


def _index(items: list[Any], position: Decimal) -> int:
    place = int(position)
    index = place - 1 if place > 0 else len(items) + place
    if place == 0 or not 0 <= index < len(items):
        raise ValueError(f"位置 {position} 不在列表里，列表有 {len(items)} 项，从 1 数起")
    return index


@builtin("reverse", "list: list")
def reverse(items: list[Any]) -> list[Any]:
    return items[::-1]


@builtin("index of", "list: list", "match: any")
def index_of(items: list[Any], match: Any) -> list[Decimal]:
    return [Decimal(i) for i, item in enumerate(items, 1) if equal(item, match) is True]


@builtin("union", "list: list*")
def union(*lists: list[Any]) -> list[Any]:
    return distinct_values(concatenate(*lists))


@builtin("distinct values", "list: list")
def distinct_values(items: list[Any]) -> list[Any]:
    first: dict[Any, Any] = {}
    for item in items:
        first.setdefault(identity(item), item)
    return list(first.values())


@builtin("flatten", "list: list")
def flatten(items: list[Any]) -> list[Any]:
    result: list[Any] = []
    _flatten(items, result)
    return result


def _flatten(items: list[Any], result: list[Any]) -> None:
    for item in items:
        if isinstance(item, list):
            _flatten(item, result)
        else:
            result.append(item)
    _short(result)


@builtin("sort", "list: list", "precedes: function|null?")
def sort(items: list[Any], precedes: Function | None = None) -> list[Any]:
    before: Callable[[Any, Any], Any] = precedes.call if precedes else lambda a, b: compare("<", a, b)

    def order(a: Any, b: Any) -> int:
        first = before(a, b)
        if first is None:
            raise ValueError("列表里的值不能比较大小")
        return -1 if first is True else int(before(b, a) is True)

    return sorted(items, key=cmp_to_key(order))


@builtin("get value", "m: context", "key: string")
def get_value(context: dict[str, Any], key: str) -> Any:
    if key not in context:
        raise ValueError(f"没有「{key}」的值")
    return deep(context[key])


@builtin("get value", "m: context", "keys: list")
def get_value_at(context: Any, keys: list[Any]) -> Any:
    for key in keys:
        if not isinstance(context, dict):
            return None
        context = convert(context.get(key))
    return deep(context)


@builtin("get entries", "m: context")
def get_entries(context: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in deep(context).items()]


@builtin("context", "entries: list")
def context_of(entries: list[Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str) or "value" not in entry:
            raise ValueError('每一项应写作 {key: "名称", value: 值}')
        if entry["key"] in result:
            raise ValueError(f"「{entry['key']}」写了两次")
        result[entry["key"]] = entry["value"]
    return result


@builtin("context put", "context: context", "key: string", "value: any")
def context_put(context: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    return {**context, key: value}


@builtin("context put", "context: context", "keys: list", "value: any")
def context_put_at(context: dict[str, Any], keys: list[Any], value: Any) -> dict[str, Any]:
    if not keys or not isinstance(keys[0], str):
        raise ValueError("keys 应是名称的列表")
    if len(keys) == 1:
        return {**context, keys[0]: value}
    inner = convert(context.get(keys[0]))
    if not isinstance(inner, dict):
        raise ValueError(f"「{keys[0]}」不是对象")
    return {**context, keys[0]: context_put_at(inner, keys[1:], value)}


@builtin("context merge", "contexts: list")
def context_merge(contexts: list[Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for context in contexts:
        if not isinstance(context, dict):
            raise ValueError("列表里应全是对象")
        result.update(context)
    return result
