"""FEEL values: their kinds, their way in from Python, equality and order (DMN 1.5 §10.3.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from yiwang.kernel.feel.temporal import Months, text_of

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


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function value: a literal, or a Python callable that a pack brings."""

    parameters: tuple[str, ...] | None
    """None: the callable sorts out its own arguments."""
    call: Callable[..., Any]


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
            return [convert(item) for item in value]
        if isinstance(value, float):
            return convert(Decimal(repr(float(value))))
        if isinstance(value, int):
            return DECIMAL.create_decimal(int(value))
    except (Overflow, InvalidOperation, ValueError) as error:
        raise NotFeel("数字超出范围") from error
    return _convert_other(value)


def _convert_other(value: Any) -> Any:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, datetime):
        return datetime.combine(value.date(), value.timetz())
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    if isinstance(value, (list, tuple)):
        return [convert(item) for item in value]
    if callable(value):
        return Function(None, value)
    raise NotFeel(f"{type(value).__name__} 类型的值不能用在表达式里")


def deep(value: Any) -> Any:
    """`value` with everything inside converted as well; what FEEL cannot hold becomes null."""
    try:
        value = convert(value)
    except NotFeel:
        return None
    if type(value) is dict:
        return {key: deep(member) for key, member in value.items() if isinstance(key, str)}
    if type(value) is list:
        return [deep(item) for item in value]
    return value


def equal(left: Any, right: Any) -> bool | None:
    """FEEL `=` (DMN 1.5 table 53): different kinds give null, null equals only null."""
    if left is None or right is None:
        return left is right
    name = kind(left)
    if name != kind(right):
        return None
    if name == "list":
        return len(left) == len(right) and all(equal(a, b) is True for a, b in zip(left, right, strict=True))
    if name == "context":
        return left.keys() == right.keys() and all(
            equal(deep(member), deep(right[key])) is True for key, member in left.items()
        )
    return bool(left == right)


def compare(operator: str, left: Any, right: Any) -> bool | None:
    """`=`, `!=`, `<`, `<=`, `>`, `>=`; null when the two cannot be compared."""
    if operator == "=":
        return equal(left, right)
    if operator == "!=":
        same = equal(left, right)
        return None if same is None else not same
    name = kind(left)
    if name not in ORDERED or name != kind(right):
        return None
    try:
        if operator == "<":
            return bool(left < right)
        if operator == "<=":
            return bool(left <= right)
        return bool(left > right if operator == ">" else left >= right)
    except TypeError:  # a time with a zone against one without
        return None


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
        return any((contains(w, value) if type(w) is Range else equal(value, w)) is True for w in wanted)
    return equal(value, wanted)


def text(value: Any, inside: bool = False) -> str | None:
    """What the function string() gives (DMN 1.5 table 73); strings inside lists are quoted."""
    name = kind(value)
    if name == "null":
        return "null" if inside else None
    if name == "boolean":
        return "true" if value else "false"
    if name == "number":
        return format(value, "f")
    if name == "string":
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if inside else str(value)
    if name == "list":
        return "[" + ", ".join(text(convert(item), True) or "" for item in value) + "]"
    if name == "context":
        return "{" + ", ".join(f"{key}: {text(deep(member), True)}" for key, member in value.items()) + "}"
    if name == "range":
        left, right = "[" if value.start_included else "(", "]" if value.end_included else ")"
        start = "" if value.start is None else text(value.start, True)
        return f"{left}{start}..{'' if value.end is None else text(value.end, True)}{right}"
    return "function" if name == "function" else text_of(value)
