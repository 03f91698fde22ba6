"""Values of fields: read from a row, ordered as integers or texts (keys), shown in Chinese. Pure.

A *key* orders the values of one type: scaled integers for numbers, days since 1970-01-01 for dates, 0 and 1 for
booleans, the text itself for strings and codes.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from yiwang.kernel.feel.values import DECIMAL

EPOCH = date(1970, 1, 1).toordinal()
LEAST, MOST = -(2**63), 2**63 - 1
LEAST_DAY, MOST_DAY = 1 - EPOCH, date.max.toordinal() - EPOCH
Key = int | str


class Typed(Protocol):
    """What a Field says of its values."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def scale(self) -> int: ...
    @property
    def unit(self) -> str: ...


class Unusable(ValueError):
    """The value is not one of the field's type; message in Chinese."""


def read(field: Typed, value: Any) -> Any:
    """The value as FEEL takes it: None, bool, Decimal, str or date.

    Raises:
        Unusable: another type, or more decimals than the field has.
    """
    if value is None:
        return None
    kind = field.type
    cls = type(value)
    if kind == "number":
        if cls is int or (cls is Decimal and value.is_finite()):
            number = Decimal(value)
            if abs(number) >= 10 ** (18 - field.scale):
                raise Unusable(f"「{field.label}」的值 {value} 超出范围，应少于 {18 - field.scale} 位整数")
            scaled = DECIMAL.scaleb(number, field.scale)
            if scaled != scaled.to_integral_value():
                raise Unusable(
                    f"「{field.label}」的值 {value} 的小数多于 {field.scale} 位，请按登记的精度提供"
                )
            return number
    elif kind == "boolean":
        if cls is bool:
            return value
    elif kind == "date":
        if cls is date:
            return value
        if cls is datetime:
            raise Unusable(f"「{field.label}」的值 {value} 带有时刻，请只给日期")
    elif cls is str:
        return value
    words = {
        "number": "数字（整数或十进制数）",
        "boolean": "是或否",
        "date": "日期",
        "string": "文本",
        "code": "代码文本",
    }
    raise Unusable(f"「{field.label}」的值 {value!r} 不能用，应为{words[kind]}")


def key_of(field: Typed, value: Any) -> Key:
    """The key of a value that `read` gave, not None."""
    if field.type == "number":
        return int(DECIMAL.scaleb(value, field.scale))
    if field.type == "date":
        return int(value.toordinal()) - EPOCH
    if field.type == "boolean":
        return int(value)
    return str(value)


def value_of(field: Typed, key: Key) -> Any:
    """The value that has this key."""
    if field.type == "number":
        return DECIMAL.scaleb(Decimal(key), -field.scale)
    if field.type == "date":
        return date.fromordinal(int(key) + EPOCH)
    if field.type == "boolean":
        return bool(key)
    return key


def shown(field: Typed, value: Any) -> str:
    """The value with its unit, for people."""
    if value is None:
        return "（空）"
    if type(value) is bool:
        return "是" if value else "否"
    if type(value) is Decimal or type(value) is int:
        number = Decimal(value)
        text = f"{number.normalize():f}" if number else "0"
        return f"{text} {field.unit}".rstrip()
    return str(value)
