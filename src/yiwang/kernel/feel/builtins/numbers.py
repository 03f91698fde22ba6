"""Boolean and numeric functions (DMN 1.5 §10.3.4.2 and §10.3.4.5)."""

from __future__ import annotations

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)

from yiwang.kernel.feel.builtins.registry import builtin
from yiwang.kernel.feel.temporal import Months, Span, make_span, span_nanos
from yiwang.kernel.feel.values import DECIMAL


@builtin("not", "negand: boolean")
def not_(value: bool) -> bool:
    return not value


def _round(value: Decimal, scale: Decimal | None, rounding: str) -> Decimal:
    places = int(scale or 0)
    if not -6111 <= places <= 6176:
        raise ValueError("小数位数应在 -6111 到 6176 之间")
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent <= places:
        return value  # already has no more digits than asked for
    result = value.quantize(Decimal(1).scaleb(-places), rounding, DECIMAL)
    # Rounding to tens gives 1E+1 for 12; plain digits are what people expect to read.
    return result if places >= 0 else DECIMAL.create_decimal(format(result, "f"))


@builtin("decimal", "n: number", "scale: number")
def decimal(value: Decimal, scale: Decimal) -> Decimal:
    return _round(value, scale, ROUND_HALF_EVEN)


@builtin("floor", "n: number", "scale: number?")
def floor(value: Decimal, scale: Decimal | None = None) -> Decimal:
    return _round(value, scale, ROUND_FLOOR)


@builtin("ceiling", "n: number", "scale: number?")
def ceiling(value: Decimal, scale: Decimal | None = None) -> Decimal:
    return _round(value, scale, ROUND_CEILING)


@builtin("round up", "n: number", "scale: number?")
def round_up(value: Decimal, scale: Decimal | None = None) -> Decimal:
    return _round(value, scale, ROUND_UP)


@builtin("round down", "n: number", "scale: number?")
def round_down(value: Decimal, scale: Decimal | None = None) -> Decimal:
    return _round(value, scale, ROUND_DOWN)


@builtin("round half up", "n: number", "scale: number?")
def round_half_up(value: Decimal, scale: Decimal | None = None) -> Decimal:
    return _round(value, scale, ROUND_HALF_UP)


@builtin("round half down", "n: number", "scale: number?")
def round_half_down(value: Decimal, scale: Decimal | None = None) -> Decimal:
    return _round(value, scale, ROUND_HALF_DOWN)


@builtin("abs", "n: number")
def abs_(value: Decimal) -> Decimal:
    return DECIMAL.abs(value)


@builtin("abs", "n: days and time duration|years and months duration")
def abs_duration(value: Span | Months) -> Span | Months:
    if isinstance(value, Months):
        return Months(abs(value.count))
    return make_span(abs(span_nanos(value)))


@builtin("modulo", "dividend: number", "divisor: number")
def modulo(dividend: Decimal, divisor: Decimal) -> Decimal:
    # The result has the sign of the divisor: dividend - divisor * floor(dividend / divisor).
    rest = DECIMAL.remainder(dividend, divisor)
    return DECIMAL.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else rest


@builtin("sqrt", "number: number")
def sqrt(value: Decimal) -> Decimal:
    return DECIMAL.sqrt(value)


@builtin("log", "number: number")
def log(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError("对数的真数应大于 0")
    return DECIMAL.ln(value)


@builtin("exp", "number: number")
def exp(value: Decimal) -> Decimal:
    return DECIMAL.exp(value)


@builtin("odd", "number: number")
def odd(value: Decimal) -> bool:
    return abs(DECIMAL.remainder(value, Decimal(2))) == 1


@builtin("even", "number: number")
def even(value: Decimal) -> bool:
    return DECIMAL.remainder(value, Decimal(2)) == 0
