"""FEEL, the expression language of DMN 1.5. A pure library: no Django, no I/O, no clock. See README.md."""

from yiwang.kernel.feel.errors import FeelSyntaxError
from yiwang.kernel.feel.expression import Expression, UnaryTests, evaluate, parse, parse_unary, words
from yiwang.kernel.feel.temporal import FarDate, FarMoment, FarSpan, FineTime, Months
from yiwang.kernel.feel.values import Function, Range

__all__ = [
    "Expression",
    "FarDate",
    "FarMoment",
    "FarSpan",
    "FeelSyntaxError",
    "FineTime",
    "Function",
    "Months",
    "Range",
    "UnaryTests",
    "evaluate",
    "parse",
    "parse_unary",
    "words",
]
