"""`+ - * / **` on numbers, strings, dates and durations (DMN 1.5 §10.3.2.4 and tables 54 to 58)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from yiwang.kernel.feel.temporal import Months, add_months
from yiwang.kernel.feel.values import DECIMAL, LONGEST, kind, kind_zh

_DAY = timedelta(days=1)


class Mismatch(Exception):
    """The operator has no meaning for these kinds. Never leaves the library."""


_NUMBERS: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": DECIMAL.add,
    "-": DECIMAL.subtract,
    "*": DECIMAL.multiply,
    "/": DECIMAL.divide,
    "**": DECIMAL.power,
}


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """The result of `left operator right`.

    Raises:
        Mismatch: no such operation on these kinds.
        ArithmeticError, ValueError, OverflowError: division by zero, out of range.
    """
    if type(left) is Decimal and type(right) is Decimal:
        return _NUMBERS[operator](left, right)
    if operator == "+":
        return _add(left, right)
    if operator == "-":
        return _subtract(left, right)
    if operator == "*":
        return _multiply(left, right)
    if operator == "/":
        return _divide(left, right)
    raise _mismatch(operator, left, right)


def negate(value: Any) -> Any:
    """`-value` for a number or a duration. Raises Mismatch."""
    if type(value) is Decimal:
        return DECIMAL.minus(value)
    if isinstance(value, timedelta):
        return -value
    if isinstance(value, Months):
        return Months(-value.count)
    raise Mismatch(f"{kind_zh(kind(value))}不能取负")


def _mismatch(operator: str, left: Any, right: Any) -> Mismatch:
    return Mismatch(f"{kind_zh(kind(left))}与{kind_zh(kind(right))}不能用「{operator}」运算")


def _add(left: Any, right: Any) -> Any:
    if type(left) is str and type(right) is str:
        if len(left) + len(right) > LONGEST:
            raise ValueError("文本太长")
        return left + right
    if isinstance(left, Months) and isinstance(right, Months):
        return Months(left.count + right.count)
    if isinstance(left, timedelta) and isinstance(right, timedelta):
        return left + right
    if isinstance(right, (Months, timedelta)) and isinstance(left, (date, time)):
        return shift(left, right)
    if isinstance(left, (Months, timedelta)) and isinstance(right, (date, time)):
        return shift(right, left)
    raise _mismatch("+", left, right)


def _subtract(left: Any, right: Any) -> Any:
    if isinstance(left, Months) and isinstance(right, Months):
        return Months(left.count - right.count)
    if isinstance(left, timedelta) and isinstance(right, timedelta):
        return left - right
    if isinstance(left, date) and isinstance(right, date):
        return _moment(left, right) - _moment(right, left)
    if isinstance(left, time) and isinstance(right, time):
        return _moment(left, right) - _moment(right, left)
    if isinstance(left, (date, time)) and isinstance(right, (Months, timedelta)):
        return shift(left, negate(right))
    raise _mismatch("-", left, right)


def _multiply(left: Any, right: Any) -> Any:
    if type(left) is Decimal:
        left, right = right, left
    if type(right) is not Decimal:
        raise _mismatch("*", left, right)
    return _scale("*", left, right)


def _divide(left: Any, right: Any) -> Any:
    if isinstance(left, Months) and isinstance(right, Months):
        return DECIMAL.divide(Decimal(left.count), Decimal(right.count))
    if isinstance(left, timedelta) and isinstance(right, timedelta):
        return DECIMAL.divide(_microseconds(left), _microseconds(right))
    if type(right) is not Decimal:
        raise _mismatch("/", left, right)
    return _scale("/", left, right)


def _scale(operator: str, duration: Any, factor: Decimal) -> Any:
    calculate = _NUMBERS[operator]
    if isinstance(duration, Months):
        return Months(int(calculate(Decimal(duration.count), factor).to_integral_value(ROUND_DOWN)))
    if isinstance(duration, timedelta):
        return timedelta(microseconds=int(calculate(_microseconds(duration), factor)))
    raise _mismatch(operator, duration, factor)


def _microseconds(value: timedelta) -> Decimal:
    return Decimal(value // timedelta(microseconds=1))


def shift(moment: Any, duration: Months | timedelta) -> Any:
    """A date, time or date and time moved by a duration. Raises Mismatch, ValueError, OverflowError."""
    if isinstance(moment, time):
        if isinstance(duration, Months):
            raise _mismatch("+", moment, duration)
        start = datetime.combine(date(2000, 1, 1), moment)
        return (start + duration % _DAY).timetz()  # round the clock
    if isinstance(duration, Months):
        return add_months(moment, duration.count)
    if isinstance(moment, datetime):
        return moment + duration
    return (datetime.combine(moment, time()) + duration).date()


def _moment(value: date | time, other: date | time) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, time):
        return datetime.combine(date(2000, 1, 1), value)
    # A date against a date and time counts as its midnight, in the other one's zone.
    zone = other.tzinfo if isinstance(other, datetime) else None
    return datetime.combine(value, time(), zone)
