"""Arrow columns to bins. A column's stored type must fit the field; what does not is refused by name, not rounded."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from yiwang.engines.judge.rules import values
from yiwang.engines.judge.rules.contracts import Field
from yiwang.engines.judge.rules.derived_sql import quoted
from yiwang.engines.judge.vector import kernels
from yiwang.engines.judge.vector.plan import Column


class WrongColumn(ValueError):
    """A column is missing or of a type that the field cannot be; message in Chinese."""


def check(field: Field, stored: Any) -> None:
    """Raises WrongColumn when an Arrow type cannot hold the field's values exactly."""
    wanted, good = "", False
    if field.type == "number":
        wanted = f"整数或小数位不多于 {field.scale} 的 DECIMAL"
        good = pa.types.is_integer(stored) and stored != pa.uint64()
        good = good or (
            pa.types.is_decimal(stored) and 0 <= stored.scale <= field.scale and stored.precision <= 18
        )
    elif field.type == "boolean":
        wanted, good = "是否值（boolean）", pa.types.is_boolean(stored)
    elif field.type == "date":
        wanted, good = "日期（date32）", stored == pa.date32()
    else:
        inner = stored.value_type if pa.types.is_dictionary(stored) else stored
        wanted, good = "文本", pa.types.is_string(inner) or pa.types.is_large_string(inner)
    if not good:
        raise WrongColumn(f"列「{field.name}」（{field.label}）存为 {stored}，应为{wanted}；请在归集时转换")


def table_codes(columns: tuple[Column, ...], table: Any, fast: bool | None = None) -> NDArray[np.uint16]:
    """The codes [columns, rows] of an Arrow table or batch."""
    codes = np.empty((len(columns), table.num_rows), np.uint16)
    for i, column in enumerate(columns):
        encode(column, table.column(column.field.name), codes[i], fast)
    return codes


def encode(column: Column, array: Any, out: NDArray[Any], fast: bool | None = None) -> None:
    """Bins of an Arrow array or chunked array into `out` (uint8 or uint16, as many as rows).

    Args:
        fast: whether to use numba; None: if it is there.
    """
    check(column.field, array.type)
    start = 0
    for chunk in array.chunks if isinstance(array, pa.ChunkedArray) else [array]:
        part = out[start : start + len(chunk)]
        start += len(chunk)
        if column.field.type in ("string", "code"):
            _texts(column, chunk, part)
        elif column.field.type == "boolean":
            _booleans(column, chunk, part)
        else:
            _numbers(column, chunk, part, kernels.fast() if fast is None else fast)


def _texts(column: Column, chunk: Any, out: NDArray[Any]) -> None:
    if not pa.types.is_dictionary(chunk.type):
        chunk = chunk.dictionary_encode()
    known = [None if v is None else bisect_right(column.cuts, v) + 1 for v in chunk.dictionary.to_pylist()]
    table = np.array([0, *(0 if v is None else v for v in known)], out.dtype)  # place 0: missing
    places = _plain(chunk.indices)
    valid = _valid(chunk.indices)
    places = places.astype(np.int32, copy=False) + 1
    if valid is not None:
        places[~valid] = 0
    np.take(table, places, out=out, mode="clip")


def _booleans(column: Column, chunk: Any, out: NDArray[Any]) -> None:
    bits = np.unpackbits(np.frombuffer(chunk.buffers()[1], np.uint8), bitorder="little")
    held = bits[chunk.offset : chunk.offset + len(chunk)]
    out[:] = held + 1 if column.cuts else 1
    valid = _valid(chunk)
    if valid is not None:
        out[~valid] = 0


def _numbers(column: Column, chunk: Any, out: NDArray[Any], fast: bool) -> None:
    field = column.field
    cuts = np.array(column.cuts, np.int64)
    scale = chunk.type.scale if pa.types.is_decimal(chunk.type) else 0
    if field.type == "number" and field.scale > scale:
        cuts = -(-cuts // 10 ** (field.scale - scale))  # the same values are on either side
    if fast:
        from yiwang.engines.judge.vector import compiled

        bitmap = chunk.buffers()[0] if chunk.null_count else None
        valid = np.frombuffer(bitmap, np.uint8) if bitmap else np.zeros(0, np.uint8)
        compiled.bitmap_bins(_plain(chunk), valid, chunk.offset, cuts, out)
    else:
        kernels.bins_of(_plain(chunk), _valid(chunk), cuts, out)


def _plain(chunk: Any) -> NDArray[Any]:
    """The stored integers; of a decimal128 its low half, which holds every value of up to 18 digits."""
    data = chunk.buffers()[1]
    start, count = chunk.offset, len(chunk)
    if pa.types.is_decimal(chunk.type) and chunk.type.bit_width == 128:
        return np.frombuffer(data, np.int64)[2 * start : 2 * (start + count) : 2]
    kind = "u" if pa.types.is_unsigned_integer(chunk.type) else "i"
    width = chunk.type.bit_width // 8
    return np.frombuffer(data, np.dtype(f"{kind}{width}"))[start : start + count]


def _valid(chunk: Any) -> NDArray[np.bool_] | None:
    """Which values are there; None when all are."""
    bitmap = chunk.buffers()[0]
    if not chunk.null_count or bitmap is None:
        return None
    bits = np.unpackbits(np.frombuffer(bitmap, np.uint8), bitorder="little", count=chunk.offset + len(chunk))
    return bits[chunk.offset :].astype(bool)


def rows_of(table: Any, names: list[str], places: NDArray[Any]) -> list[dict[str, Any]]:
    """Rows of an Arrow table as Python values, for what is decided row by row."""
    taken = table.select(names).take(pa.array(places))
    return list(taken.to_pylist())


def readable(field: Field, value: Any) -> Any:
    """A stored value as FEEL takes it, None when it cannot be used."""
    try:
        return values.read(field, value)
    except values.Unusable:
        return None


def scaled(field: Field, array: Any) -> tuple[Any, str]:
    """A number column as whole numbers times 10**scale, and SQL that reads it: null beyond the declared digits."""
    check(field, array.type)
    name, most = quoted(field.name), 10**field.digits
    bounded = f"(CASE WHEN abs({name}) < {most} THEN {name} END)"
    if not pa.types.is_decimal(array.type):
        ten = 10**field.scale
        whole = array.cast(pa.int64())
        if ten == 1:
            return whole, name if array.type.bit_width < 64 and field.digits >= 10 else bounded
        return whole, f"(CASE WHEN abs({name}) < {most // ten} THEN {name} * CAST({ten} AS BIGINT) END)"
    chunks = []
    for chunk in array.chunks if isinstance(array, pa.ChunkedArray) else [array]:
        valid = _valid(chunk)
        chunks.append(pa.array(_plain(chunk).astype(np.int64), mask=None if valid is None else ~valid))
    more = field.scale - array.type.scale
    whole = pa.chunked_array(chunks, pa.int64())
    if more:
        limit = most // 10**more
        return whole, f"(CASE WHEN abs({name}) < {limit} THEN {name} * CAST({10**more} AS BIGINT) END)"
    return whole, name if array.type.precision <= field.digits else bounded


def unscaled(field: Field, array: Any) -> Any:
    """Whole numbers times 10**scale as DECIMAL(18, scale) of 64 bits; nothing is copied."""
    kind = pa.decimal64(18, field.scale)
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    return pa.chunked_array(
        [pa.Array.from_buffers(kind, len(c), c.buffers(), c.null_count, c.offset) for c in chunks], kind
    )
