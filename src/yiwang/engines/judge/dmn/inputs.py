"""Values on their way in: from Python or JSON to what the model's types want."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from yiwang.kernel.feel.evaluation import Run
from yiwang.kernel.feel.temporal_text import parse_date, parse_duration, parse_moment, parse_time
from yiwang.kernel.feel.types import Misfit, Type, coerce
from yiwang.kernel.feel.values import NotFeel, deep

_READ: Mapping[str, Callable[[str], Any]] = {
    "date": parse_date,
    "time": parse_time,
    "date and time": parse_moment,
    "days and time duration": parse_duration,
    "years and months duration": parse_duration,
}


def of_python(run: Run, name: str, value: Any, type_: Type | None) -> Any:
    """A Python value for the input `name`, converted to its type; null with a reason when it does not conform."""
    try:
        read = deep(value)
    except NotFeel as error:
        return run.null(f"输入「{name}」不能使用：{error}")
    except RecursionError:
        return run.null(f"输入「{name}」嵌套太深")
    if read is None and value is not None:
        return run.null(f"输入「{name}」的 {type(value).__name__} 值不能使用")
    if type_ is None:
        return read
    try:
        return coerce(_read_texts(read, type_), type_)
    except Misfit as error:
        return run.null(f"输入「{name}」{error}")


def _read_texts(value: Any, type_: Type) -> Any:
    """`value` with its text read where the type is a date, time or duration; members left out are null."""
    if isinstance(value, str) and type_.base in _READ:
        try:
            return _READ[type_.base](value)
        except ValueError:
            return value  # the type refuses it, and the reason says so
    if type_.base == "list" and type_.arguments:
        if isinstance(value, list):
            return [_read_texts(item, type_.arguments[0]) for item in value]
        return _read_texts(value, type_.arguments[0])
    if type_.base == "context" and isinstance(value, dict):
        read = {
            member: _read_texts(value.get(member), one)
            for member, one in zip(type_.members, type_.arguments, strict=True)
        }
        return {**value, **read}
    return value
