"""The register of every enterprise in one Parquet file, for counts over the whole province.

A change goes into a small second file that readers lay over the first; its metadata names the rows of the first
that it replaces, and the first itself: a process killed while the two become one (once there are ``MOST``
changes) leaves a second file that belongs to a first one that has gone, and nobody reads it.

Copied as a job of the owner, like the lake of ``engines/hub``: a copy inside the platform is no use of anybody's
data. What is read of it are counts; whoever draws a list of names reads each enterprise through the register, and
the ledger has an entry for each (see docs/adr/0017-policy.md).
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings
from django.utils import timezone

from yiwang.engines.judge.api import Fields, Source
from yiwang.engines.judge.library import Frame, exact, given
from yiwang.kernel.ids import new_id

KEY = "uscc"
ROWS = 131_072  # in a row group
MOST = 20_000  # changes in the second file
_HIDDEN, _BASE = b"yw_hidden", b"yw_base"  # in the files' metadata


def folder() -> Path:
    """Where the file and its codes lie; both may be deleted, and are made anew."""
    return Path(settings.ENV.var) / "policy"


def file() -> Path:
    return folder() / "enterprises.parquet"


@contextmanager
def _held() -> Iterator[None]:
    """One writer at a time, over processes."""
    folder().mkdir(parents=True, exist_ok=True)
    with (folder() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def schema(frame: Frame) -> Any:
    """The columns of the stored fields, beside the code."""
    types = {"string": pa.string(), "code": pa.string(), "boolean": pa.bool_(), "date": pa.date32()}
    columns = [(KEY, pa.string())]
    for name, field in frame.fields.by_name.items():
        if not field.derive:
            kind = types.get(field.type) or pa.decimal128(field.digits, field.scale)
            columns.append((name, kind))
    return pa.schema(columns)


def _cell(field: Any, value: Any) -> Any:
    """What fits the field's column; the rest counts as missing, as in the judge."""
    if field.type == "number":
        if type(value) is bool or not isinstance(value, int | Decimal):
            return None
        fits = Decimal(value) == round(Decimal(value), field.scale)
        return Decimal(value) if fits and abs(value) < 10 ** (field.digits - field.scale) else None
    wanted = {"boolean": bool, "date": date}.get(field.type, str)
    return value if type(value) is wanted else None


def table(frame: Frame, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> Any:
    """Records by code as an Arrow table of the stored fields."""
    columns = schema(frame)
    names = columns.names[1:]
    made: dict[str, list[Any]] = {name: [] for name in columns.names}
    for key, fields in rows:
        row = given(fields, frame)
        made[KEY].append(key)
        for name in names:
            made[name].append(_cell(frame.fields[name], row.get(name)))
    return pa.table(made, schema=columns)


def changes() -> Path:
    """The second file: rows as they are now, in place of hidden ones of the first."""
    return folder() / "changes.parquet"


def _write_base(table: Any) -> None:
    """A new first file; whatever lay over the one before no longer counts."""
    _write(table.replace_schema_metadata({_BASE: new_id().bytes}), file())
    changes().unlink(missing_ok=True)


def _write(table: Any, path: Path) -> None:
    part = path.with_suffix(f".part{os.getpid()}")
    pq.write_table(table, part, row_group_size=ROWS)
    part.rename(path)


def build(frame: Frame) -> int:
    """Copy the whole register; returns its rows."""
    with _held():
        query = "select key, fields from registers_record where register = %s order by key"
        with psycopg.connect(settings.OWNER_URL) as con, con.cursor(name="province") as cursor:
            cursor.itersize = 10_000
            copied = table(frame, cursor.execute(query, [frame.register]))
        _write_base(copied)
    return int(copied.num_rows)


def replace(frame: Frame, rows: Mapping[str, Mapping[str, Any] | None]) -> None:
    """Enterprises' rows as they are now, by code; None: it has gone. Without a file there is nothing to keep up."""
    with _held():
        if not file().exists() or not rows:
            return
        columns = schema(frame)
        if pq.read_schema(file()).names != columns.names:
            return  # fields were declared since: the next ``source`` says that it must be built
        held, hidden = _changes(columns)
        fresh = table(frame, ((key, fields) for key, fields in rows.items() if fields is not None))
        rest = held.filter(pc.invert(pc.is_in(held[KEY], pa.array(list(rows), pa.string()))))
        hidden |= _places(list(rows))
        now = pa.concat_tables([rest, fresh]).combine_chunks()
        if max(now.num_rows, len(hidden)) > MOST:
            _compact(now, hidden)
        else:
            told = {_HIDDEN: json.dumps(sorted(hidden)).encode(), _BASE: _base(file())}
            _write(now.replace_schema_metadata(told), changes())


def _base(path: Path) -> bytes:
    return bytes((pq.read_schema(path).metadata or {}).get(_BASE, b""))


def _lies_over() -> bool:
    """Whether there are changes, and of this first file."""
    return changes().exists() and _base(changes()) == _base(file())


def _changes(columns: Any) -> tuple[Any, set[int]]:
    """The changed rows, and the numbers of the rows of the first file that they replace."""
    if not _lies_over():
        return columns.empty_table(), set()
    held = pq.read_table(changes())
    hidden = set(json.loads((held.schema.metadata or {}).get(_HIDDEN, b"[]")))
    return held.select(columns.names).cast(columns), hidden


def _places(keys: list[str]) -> set[int]:
    """Rows of the first file with these codes; only row groups that may hold them are read."""
    found: set[int] = set()
    wanted = sorted(keys)
    with pq.ParquetFile(file()) as parquet:
        start, place = 0, parquet.schema_arrow.names.index(KEY)
        for group in range(parquet.metadata.num_row_groups):
            about = parquet.metadata.row_group(group)
            told = about.column(place).statistics
            known = told is not None and told.has_min_max
            here = [k for k in wanted if not known or told.min <= k <= told.max]
            if here:
                codes = parquet.read_row_group(group, columns=[KEY])[KEY]
                hits = pc.is_in(codes, pa.array(here, pa.string())).to_numpy().nonzero()[0]
                found.update(int(n) + start for n in hits)
            start += about.num_rows
    return found


def _compact(changed: Any, hidden: set[int]) -> None:
    """The two files become one, in the order of codes."""
    base = pq.read_table(file())
    mask = np.ones(base.num_rows, bool)
    mask[sorted(hidden)] = False
    whole = pa.concat_tables([base.filter(pa.array(mask)), changed.cast(base.schema)])
    _write_base(whole.sort_by(KEY).combine_chunks())


class NoProvince(Exception):
    """There is no copy of the register yet, or it lacks a field. ``str`` says what to run."""


def source(frame: Frame, fields: Fields | None = None) -> Source:
    """The province, ready to count.

    Raises:
        NoProvince: nothing was copied yet.
    """
    if not file().exists():
        raise NoProvince("还没有全省企业的数据，请运行 yiwang policy build")
    if pq.read_schema(file()).names != schema(frame).names:
        raise NoProvince("字段有变化，请运行 yiwang policy build 重新归集")
    hidden = _changes(schema(frame))[1]
    return Source(
        file(),
        fields or frame.fields,
        folder() / "codes",
        timezone.localdate(),
        over=changes() if _lies_over() else None,
        hidden=np.array(sorted(hidden), np.int64),
    )


def keys(rows: Iterable[int]) -> list[str]:
    """Codes of the enterprises in these rows, counted over both files."""
    parts = [pq.read_table(p, columns=[KEY])[KEY] for p in (file(), *([changes()] if _lies_over() else []))]
    column = pa.chunked_array([chunk for part in parts for chunk in part.chunks], pa.string())
    return list(column.take(pa.array(list(rows), pa.int64())).to_pylist())


def loads(text: Any) -> Any:
    """JSON with decimals exact."""
    return json.loads(text, parse_float=Decimal) if isinstance(text, str) else exact(text)
