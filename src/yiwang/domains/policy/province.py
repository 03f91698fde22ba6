"""The register of every enterprise in one Parquet file, for counts over the whole province.

Copied as a job of the owner, like the lake of ``engines/hub``: a copy inside the platform is no use of anybody's
data. What is read of it are counts; whoever draws a list of names reads each enterprise through the register, and
the ledger has an entry for each (see docs/adr/0017-policy.md). A change of one record replaces its row.
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

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings
from django.utils import timezone

from yiwang.engines.judge.api import Fields, Source
from yiwang.engines.judge.library import Frame, exact, given

KEY = "uscc"
ROWS = 131_072  # in a row group


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


def _table(frame: Frame, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> Any:
    columns = schema(frame)
    names = columns.names[1:]
    made: dict[str, list[Any]] = {name: [] for name in columns.names}
    for key, fields in rows:
        row = given(fields, frame)
        made[KEY].append(key)
        for name in names:
            made[name].append(_cell(frame.fields[name], row.get(name)))
    return pa.table(made, schema=columns)


def _write(table: Any) -> None:
    part = file().with_suffix(f".part{os.getpid()}")
    pq.write_table(table, part, row_group_size=ROWS)
    part.rename(file())


def build(frame: Frame) -> int:
    """Copy the whole register; returns its rows."""
    with _held():
        query = "select key, fields from registers_record where register = %s order by key"
        with psycopg.connect(settings.OWNER_URL) as con, con.cursor(name="province") as cursor:
            cursor.itersize = 10_000
            table = _table(frame, cursor.execute(query, [frame.register]))
        _write(table)
    return int(table.num_rows)


def replace(frame: Frame, key: str, fields: Mapping[str, Any] | None) -> None:
    """One enterprise's row as it is now; None: it has gone. Without a file there is nothing to keep up to date."""
    with _held():
        if not file().exists():
            return
        table = pq.read_table(file())
        if table.schema != schema(frame):
            return  # fields were declared since: the next ``source`` says that it must be built
        rest = table.filter(pc.not_equal(table[KEY], key))
        if fields is not None:
            rest = pa.concat_tables([rest, _table(frame, [(key, fields)])])
        _write(rest.combine_chunks())


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
    return Source(file(), fields or frame.fields, folder() / "codes", timezone.localdate())


def keys(rows: Iterable[int]) -> list[str]:
    """Codes of the enterprises in these rows of the file."""
    return list(pq.read_table(file(), columns=[KEY])[KEY].take(pa.array(list(rows), pa.int64())).to_pylist())


def loads(text: Any) -> Any:
    """JSON with decimals exact."""
    return json.loads(text, parse_float=Decimal) if isinstance(text, str) else exact(text)
