"""FEEL values: their kinds, their way in from Python, equality and order (DMN 1.5 §10.3.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import TYPE_CHECKING, Any

from yiwang.kernel.feel.temporal import (
    FarDate,
    FarMoment,
    FarSpan,
    FineTime,
    Months,
    day_number,
    instant,
    span_nanos,
    text_of,
)

if TYPE_CHECKING:
    from yiwang.kernel.feel.types import Type

# IEEE 754-2008 decimal128, as DMN 1.5 §10.3.2.3.1 asks.
DECIMAL = Context(
    prec=34,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
LONGEST = 1_000_000  # characters of a string, items of a list: more is a mistake, not a rule


class NotFeel(Exception):
    """A Python value that FEEL has no kind for. Never leaves the library."""


@dataclass(frozen=True, slots=True)
class Range:
    """`[a..b]`; an end that is None is open towards infinity."""

    start_included: bool
    start: Any
    end: Any
    end_included: bool

    def __str__(self) -> str:
        return text(self) or ""


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function value: a literal, a model's own function, or a Python callable that a pack brings."""

    parameters: tuple[str, ...] | None
    """None: the callable sorts out its own arguments."""
    call: Callable[..., Any]
    types: tuple[Type, ...] = ()
    """Of the parameters, where declared; empty: anything."""
    result: Type | None = None
    """None: not declared."""


_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    Decimal: "number",
    str: "string",
    date: "date",
    datetime: "date and time",
    time: "time",
    timedelta: "days and time duration",
    Months: "years and months duration",
    FarDate: "date",
    FineTime: "time",
    FarMoment: "date and time",
    FarSpan: "days and time duration",
    list: "list",
    dict: "context",
    Range: "range",
    Function: "function",
}
_CHINESE = {
    "null": "空值",
    "boolean": "是否值",
    "number": "数字",
    "string": "文本",
    "date": "日期",
    "date and time": "日期时间",
    "time": "时间",
    "days and time duration": "天时期间",
    "years and months duration": "年月期间",
    "list": "列表",
    "context": "对象",
    "range": "区间",
    "function": "函数",
}
_SAME: frozenset[type] = frozenset(_KINDS) - {Decimal, list}
ORDERED = frozenset(
    (
        "number",
        "string",
        "date",
        "date and time",
        "time",
        "days and time duration",
        "years and months duration",
    )
)


def kind(value: Any) -> str:
    """The FEEL kind of a converted value."""
    return _KINDS.get(type(value), "function")


def kind_zh(name: str) -> str:
    """A kind's name for messages."""
    return _CHINESE.get(name, name)


def convert(value: Any) -> Any:
    """A Python value as FEEL sees it. A dict stays as it is: its members are converted when read.

    Raises:
        NotFeel: FEEL has no such value (an object, infinity, a number beyond decimal128).
    """
    cls = type(value)
    if cls in _SAME:
        return value
    try:
        if cls is int:
            return DECIMAL.create_decimal(value)
        if cls is Decimal:
            if value.is_finite():
                return DECIMAL.plus(value)
            raise NotFeel(f"数字 {value} 不是有限的数")
        if cls is list or cls is tuple:
            return _convert_list(value, Budget())
        if isinstance(value, float):
            return convert(Decimal(repr(float(value))))
        if isinstance(value, int):
            return DECIMAL.create_decimal(int(value))
    except (Overflow, InvalidOperation, ValueError) as error:
        raise NotFeel("数字超出范围") from error
    return _convert_other(value)


def _convert_list(items: Iterable[Any], budget: Budget) -> list[Any]:
    result = []
    for item in items:
        budget.spend()
        result.append(_convert_list(item, budget) if type(item) in (list, tuple) else convert(item))
    return result


def _convert_other(value: Any) -> Any:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, datetime):
        return datetime.combine(value.date(), value.timetz())
    if isinstance(value, timedelta):
        return timedelta(value.days, value.seconds, value.microseconds)
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    if isinstance(value, (list, tuple)):
        return _convert_list(value, Budget())
    if callable(value):
        return Function(None, value)
    raise NotFeel(f"{type(value).__name__} 类型的值不能用在表达式里")


class Budget:
    """Lists may share parts, so that few of them unfold into very many: what walks through them counts."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = LONGEST

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise NotFeel(f"值超过 {LONGEST} 项，太大了")


def deep(value: Any) -> Any:
    """`value` with everything inside converted as well; what FEEL cannot hold becomes null.

    Raises:
        NotFeel: it is too large.
    """
    return _deep(value, Budget())


def _deep(value: Any, budget: Budget) -> Any:
    budget.spend()
    cls = type(value)
    if cls is dict:
        return {key: _deep(member, budget) for key, member in value.items() if isinstance(key, str)}
    if cls is list:
        return [_deep(item, budget) for item in value]
    if cls in _SAME:
        return value
    try:
        value = convert(value)
    except NotFeel:
        return None
    return _deep(value, budget) if type(value) in (dict, list) else value


def equal(left: Any, right: Any) -> bool | None:
    """FEEL `=` (DMN 1.5 table 53): different kinds give null, null equals only null, [a] equals a.

    Raises:
        NotFeel: two lists or contexts are too large to compare.
    """
    if left is None or right is None:
        return left is right
    name = kind(left)
    if name != kind(right):
        return _equal_singleton(left, right)
    if name == "list" or name == "context":
        return _equal_inside(left, right, Budget())
    if name == "range":
        return (
            left.start_included == right.start_included
            and left.end_included == right.end_included
            and equal(left.start, right.start) is True
            and equal(left.end, right.end) is True
        )
    if name in _ON_THE_CLOCK:
        return instant(left) == instant(right)
    return bool(left == right)


def _equal_singleton(left: Any, right: Any) -> bool | None:
    if type(left) is list and len(left) == 1:
        return equal(left[0], right)
    if type(right) is list and len(right) == 1:
        return equal(left, right[0])
    return None


def _equal_inside(left: Any, right: Any, budget: Budget) -> bool:
    budget.spend()
    if left is right:
        return True
    if type(left) is list and type(right) is list:
        pairs: Iterable[tuple[Any, Any]] = zip(left, right, strict=False)
        return len(left) == len(right) and all(_equal_inside(a, b, budget) for a, b in pairs)
    if type(left) is dict and type(right) is dict:
        return left.keys() == right.keys() and all(
            _equal_inside(member_of(left, key), member_of(right, key), budget) for key in left
        )
    return equal(left, right) is True


def member_of(context: Any, key: Any) -> Any:
    """A context's member, converted; null when FEEL has no such value."""
    try:
        return convert(context[key])
    except NotFeel:
        return None


_ON_THE_CLOCK = frozenset(("time", "date and time"))


def compare(operator: str, left: Any, right: Any) -> bool | None:
    """`=`, `!=`, `<`, `<=`, `>`, `>=`; null when the two cannot be compared."""
    if operator == "=":
        return equal(left, right)
    if operator == "!=":
        same = equal(left, right)
        return None if same is None else not same
    if type(left) is not Decimal or type(right) is not Decimal:
        name = kind(left)
        if name not in ORDERED or name != kind(right):
            return None
        if name in _ON_THE_CLOCK:
            (mark, left), (other, right) = instant(left), instant(right)
            if mark != other:  # with a zone against one without
                return None
        elif name == "date" and (type(left) is FarDate or type(right) is FarDate):
            left, right = day_number(left), day_number(right)
        elif name == "days and time duration":
            left, right = span_nanos(left), span_nanos(right)
    if operator == "<":
        return bool(left < right)
    if operator == "<=":
        return bool(left <= right)
    return bool(left > right if operator == ">" else left >= right)


def identity(value: Any) -> Any:
    """A hashable that two values share exactly when FEEL holds them equal. Raises NotFeel when too large."""
    return _identity(value, Budget())


def _identity(value: Any, budget: Budget) -> Any:
    budget.spend()
    name = kind(value)
    if name in _ON_THE_CLOCK:
        return name, instant(value)
    if name == "list":
        return name, tuple(_identity(item, budget) for item in value)
    if name == "context":
        return name, frozenset((key, _identity(member_of(value, key), budget)) for key in value)
    if name == "range":
        ends = _identity(value.start, budget), _identity(value.end, budget)
        return name, ends, value.start_included, value.end_included
    return name, value


def conjunction(parts: list[bool | None]) -> bool | None:
    """Three-valued and (DMN 1.5 table 50)."""
    if False in parts:
        return False
    return None if None in parts else True


def contains(interval: Range, value: Any) -> bool | None:
    """Whether `value` lies in the range; null when it cannot be compared with an end."""
    parts: list[bool | None] = []
    if interval.start is not None:
        parts.append(compare(">=" if interval.start_included else ">", value, interval.start))
    if interval.end is not None:
        parts.append(compare("<=" if interval.end_included else "<", value, interval.end))
    return conjunction(parts)


def matches_value(value: Any, wanted: Any) -> bool | None:
    """Whether input `value` meets `wanted`: lies in a range, is an item of a list, or equals it."""
    if type(wanted) is Range:
        return contains(wanted, value)
    if type(wanted) is list:
        if equal(value, wanted) is True:
            return True
        return any(
            equal(value, one) is True or (type(one) is Range and contains(one, value) is True)
            for one in wanted
        )
    return equal(value, wanted)


def text(value: Any) -> str | None:
    """What the function string() gives (DMN 1.5 table 73); strings inside lists are quoted.

    Raises:
        NotFeel: it is too large.
    """
    if value is None:
        return None
    if type(value) is str:
        return value
    return _text(value, Budget())


def _text(value: Any, budget: Budget) -> str:
    budget.spend()
    name = kind(value)
    if name == "null":
        return "null"
    if name == "boolean":
        return "true" if value else "false"
    if name == "number":
        return f"{Decimal(value):f}"
    if name == "string":
        return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
    if name == "list":
        return "[" + ", ".join(_text(convert(item), budget) for item in value) + "]"
    if name == "context":
        members = (f"{_key(key)}: {_text(member_of(value, key), budget)}" for key in value)
        return "{" + ", ".join(members) + "}"
    if name == "range":
        left, right = "[" if value.start_included else "(", "]" if value.end_included else ")"
        start = "" if value.start is None else _text(value.start, budget)
        return f"{left}{start}..{'' if value.end is None else _text(value.end, budget)}{right}"
    return "function" if name == "function" else text_of(value)


def _key(key: str) -> str:
    """A key as it is, or quoted when a context literal could not hold it."""
    return (
        key
        if not set(key) & set('"\\:,{}[]()')
        else '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )
