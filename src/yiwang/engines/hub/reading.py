"""A delivery's file as a table of texts: CSV, xlsx, JSON in; Parquet with a column of text per field out.

Reading judges no value. What cannot be read as a record (a broken last line, a stray quote) is told with its
line and left out; the others go on. The numbers of records are those of the file, its header being row 1.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from .cells import DAMAGED, cell, json_text
from .contracts import Dataset, Message, NotReadable
from .messages import LINE, columns, visible
from .sql import name

CHUNK = 1 << 20
HEADER_WITHIN = 10  # lines; above the header there may be a title
MOST_BROKEN = 1000  # records; more, and the file as a whole is not what it says
WHOLE_JSON = 256 * CHUNK  # bytes of an array that is read at once
BATCH = 50_000  # records in memory


@dataclass
class Texts:
    """What was read. ``lost``: indexes, counted without them, before which a record was left out.

    ``absent``: fields for which the file has no column (in JSON: that no record has).
    """

    file: Path
    rows: int
    format: str
    encoding: str = ""
    header_row: int = 1
    messages: list[Message] = field(default_factory=list)
    broken: int = 0
    lost: list[int] = field(default_factory=list)
    absent: frozenset[str] = frozenset()

    def without(self, dataset: Dataset, told: Collection[str]) -> Texts:
        """Note, and say, which fields the file does not have."""
        self.absent = frozenset(f.id for f in dataset.fields) - frozenset(told)
        if self.absent and self.rows:
            names = "、".join(f.name for f in dataset.fields if f.id in self.absent)
            what = f"没有这些列：{names}。已有的记录在这些列上不变，新的记录为空"
            self.messages.append(
                Message(max(self.header_row, 1), "表头", "", what, "有这些数据的，补上列再报")
            )
        return self

    def source(self, low: int = 0, high: int | None = None) -> str:
        """SQL of the rows from index ``low`` up to ``high``, with their numbers as ``_n``."""
        shift = f" + len(list_filter({self.lost}, lambda x: x <= file_row_number))" if self.lost else ""
        within = f" where file_row_number >= {low}" + (
            f" and file_row_number < {high}" if high is not None else ""
        )
        file = str(self.file).replace("'", "''")
        return (
            f"(select * exclude (file_row_number), file_row_number + {self.header_row + 1}{shift} as _n "
            f"from read_parquet('{file}', file_row_number = true){within})"
        )


def read(con: duckdb.DuckDBPyConnection, file: Path, dataset: Dataset, folder: Path) -> Texts:
    """Read a file, whatever its name says it is.

    Args:
        folder: where the table of texts goes; the caller throws it away.

    Raises:
        NotReadable: the file as a whole; Chinese, with the remedy.
        OSError, duckdb.IOException: the disk.
    """
    with file.open("rb") as stream:
        head = stream.read(CHUNK)
    if not head.strip(b"\0 \r\n\t"):
        raise NotReadable("文件是空的：检查是不是导出没有完成")
    if head.startswith(b"PK\x03\x04"):
        return _sheet(file, dataset, folder)
    for magic, what in ((b"\xd0\xcf\x11\xe0", "xls 工作簿"), (b"%PDF", "PDF"), (b"\x1f\x8b", "gzip 压缩包")):
        if head.startswith(magic):
            raise NotReadable(f"这是 {what}：请另存为 xlsx 或 CSV（UTF-8 或 GBK 都可以）再报")
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    if start in (b"[", b"{"):
        return _json(file, dataset, folder, start == b"[")
    return _csv(con, file, dataset, folder)


def encoding_of(file: Path) -> str:
    """ "utf-8" or "gb18030", by the first part of the file that is not plain ASCII.

    Raises:
        NotReadable: it is neither.
    """
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            if chunk.isascii():
                continue
            chunk += stream.readline()
            for encoding in ("utf-8", "gb18030"):
                try:
                    codecs.getincrementaldecoder(encoding)().decode(chunk)
                except UnicodeDecodeError:
                    # A damaged character or two in a text of many: the rows that have them are told.
                    if not _mostly(chunk, encoding):
                        continue
                return encoding
            raise NotReadable("不是 UTF-8 也不是 GBK 文字：请用表格软件打开，另存为 CSV（UTF-8）再报")
    return "utf-8"


def _mostly(chunk: bytes, encoding: str) -> bool:
    told = chunk.decode(encoding, "replace")
    wide = sum(c > "\x7f" for c in told)
    return (told.count(DAMAGED) + told.count("\0")) * 20 < wide


def _header(
    lines: Iterator[list[str]], dataset: Dataset
) -> tuple[int, list[str], dict[int, str], list[Message]]:
    """The header's place (from 1), its cells, the fields of the columns, and notices."""
    seen: list[tuple[int, list[str], dict[int, str], list[Message], list[str]]] = []
    for n, cells in enumerate(lines, start=1):
        placed, notices, lacking = columns(dataset, cells)
        seen.append((n, cells, placed, notices, lacking))
        if n == HEADER_WITHIN or not lacking:
            break
    if not seen:
        raise NotReadable("文件里没有内容：导出时选上表头和数据行")
    n, cells, placed, notices, lacking = max(seen, key=lambda s: len(s[2]))
    if lacking:
        told = "、".join(c.strip()[:20] for c in cells if c.strip())[:300] or "（空）"
        wanted = "；".join(
            f"{f.name}（也可写 {'、'.join(f.titles[1:])}）" for f in dataset.fields if f.name in lacking
        )
        raise NotReadable(f"表头里没有找到：{wanted}。第 {n} 行的列是：{told}。请改表头后重报")
    if n > 1:
        notices.insert(0, Message(n, "表头", "", f"表头在第 {n} 行，上面 {n - 1} 行没有收", "不用改"))
    return n, cells, placed, notices


def _csv(con: duckdb.DuckDBPyConnection, file: Path, dataset: Dataset, folder: Path) -> Texts:
    encoding = encoding_of(file)
    if encoding != "utf-8":
        file = _transcoded(file, encoding, folder)
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        start = [line for line, _ in zip(text, range(HEADER_WITHIN), strict=False)]
    delimiter = max(",\t;|", key="".join(start[:3]).count)
    found = _header(csv.reader(io.StringIO("".join(start)), delimiter=delimiter), dataset)
    header_row, cells, placed, notices = found
    column = {id: n for n, id in placed.items()}
    selected = ", ".join(
        f"{f'c{column[f.id]}' if f.id in column else 'null::varchar'} as {name(f.id)}" for f in dataset.fields
    )
    types = "{" + ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(cells))) + "}"
    out = folder / "texts.parquet"
    for table in ("reject_errors", "reject_scans"):
        con.execute(f"drop table if exists {table}")
    try:
        con.execute(
            f"copy (select {selected} from read_csv(?, header = true, skip = {header_row - 1}, delim = ?, "
            f"quote = '\"', escape = '\"', columns = {types}, auto_detect = false, store_rejects = true, "
            f"rejects_limit = {MOST_BROKEN * 2})) to '{_quoted(out)}' (format parquet, compression snappy)",
            [str(file), delimiter],
        )
    except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
        raise NotReadable(
            f"读不出来：{str(error).splitlines()[0]}。请用表格软件打开，另存为 CSV（UTF-8）再报"
        ) from error
    texts = Texts(out, _count(out), "csv", encoding, header_row, notices)
    _rejects(con, texts, len(cells))
    return texts.without(dataset, column)


def _rejects(con: duckdb.DuckDBPyConnection, texts: Texts, width: int) -> None:
    """Tell the lines that are no records, and where they are missing."""
    found = con.execute(
        "select line, any_value(csv_line), string_agg(distinct error_type::varchar, ',') from reject_errors "
        "group by line order by line"
    ).fetchall()
    texts.broken = len(found)
    if len(found) >= MOST_BROKEN:
        what = f"有 {MOST_BROKEN} 行以上读不成记录，多半是分隔符或引号不对"
        raise NotReadable(f"{what}（如第 {found[0][0]} 行）。请另存为标准的 CSV 再报")
    for n, (line, text, kinds) in enumerate(found):
        if "UNQUOTED" in kinds:
            what, remedy = "引号不成对，从这里起连着读不开", "检查这一行的引号；格子里的引号写两个"
        elif "ENCODING" in kinds:
            what, remedy = "有不是 UTF-8 的字", "整个文件用同一种编码另存"
        elif "MISSING" in kinds:
            what = f"不足 {width} 格，可能是文件没有传完或中途断了"
            remedy = "补全这一行；在文件末尾的，重新导出"
        else:
            what, remedy = f"多于 {width} 格", "格子里有逗号的，整格加英文双引号"
        texts.messages.append(Message(int(line), LINE, visible(text or "")[:60], what, remedy))
        texts.lost.append(int(line) - texts.header_row - 1 - n)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _count(file: Path) -> int:
    return int(pq.read_metadata(file).num_rows)


def _transcoded(file: Path, encoding: str, folder: Path) -> Path:
    out = folder / "utf8.csv"
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    with file.open("rb") as stream, out.open("w", encoding="utf-8", newline="") as to:
        while chunk := stream.read(CHUNK * 4):
            to.write(decoder.decode(chunk))
        to.write(decoder.decode(b"", True))
    return out


def _write(rows: Iterator[dict[str, str]], dataset: Dataset, out: Path) -> int:
    """Write texts by field to Parquet, a batch at a time; returns how many."""
    schema = pa.schema([(f.id, pa.string()) for f in dataset.fields])
    total, batch = 0, []
    with pq.ParquetWriter(out, schema, compression="snappy") as writer:
        for row in rows:
            batch.append(row)
            if len(batch) == BATCH:
                writer.write_table(pa.Table.from_pylist(batch, schema))
                total, batch = total + len(batch), []
        writer.write_table(pa.Table.from_pylist(batch, schema))
    return total + len(batch)


def _sheet(file: Path, dataset: Dataset, folder: Path) -> Texts:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(file))
        sheet = book.get_sheet_by_index(0)
    except (CalamineError, OSError, IndexError) as error:
        raise NotReadable(f"打不开这个工作簿（{error}）：请用表格软件另存为 xlsx 再报") from error
    top = (sheet.start or (0, 0))[0]
    first = [[cell(c) for c in row] for row, _ in zip(sheet.iter_rows(), range(HEADER_WITHIN), strict=False)]
    try:
        at, _cells, placed, notices = _header(iter(first), dataset)
    except NotReadable as error:
        raise NotReadable(f"{error}{_merged(sheet)}") from error
    if (merged := _merged(sheet, top + at - 1)) != "":
        notices.append(Message(top + at, "表头", "", merged.strip("。（）"), "每列一个列名，不合并单元格"))
    if len(book.sheet_names) > 1:
        told = f"有 {len(book.sheet_names)} 张表，只收了第一张“{book.sheet_names[0]}”"
        notices.append(Message(1, "工作簿", "", told, "其余各表另存后分别报"))

    def rows() -> Iterator[dict[str, str]]:
        for n, row in enumerate(sheet.iter_rows()):
            if n >= at:
                yield {id: cell(row[c]) for c, id in placed.items() if c < len(row)}

    out = folder / "texts.parquet"
    texts = Texts(out, _write(rows(), dataset, out), "xlsx", header_row=top + at, messages=notices)
    return texts.without(dataset, placed.values())


def _merged(sheet: Any, row: int | None = None) -> str:
    """What to say of merged cells in the header; empty when there are none."""
    ranges = getattr(sheet, "merged_cell_ranges", None) or []
    for (r1, c1), (r2, c2) in ranges:
        if (r1 < HEADER_WITHIN) if row is None else (r1 <= row <= r2):
            told = f"第 {r1 + 1} 至 {r2 + 1} 行、第 {c1 + 1} 至 {c2 + 1} 列是合并的单元格"
            return f"（{told}：表头请每列一个列名，不合并单元格）"
    return ""


def _json(file: Path, dataset: Dataset, folder: Path, whole: bool) -> Texts:
    texts = Texts(folder / "texts.parquet", 0, "json", "utf-8", 0)
    if whole and file.stat().st_size > WHOLE_JSON:
        raise NotReadable(f"JSON 数组超过 {WHOLE_JSON // CHUNK} MB：请改成一行一条的 JSON 行，或 CSV")
    told: set[str] = set()
    texts.rows = _write(_records(_objects(file, whole), dataset, texts, told), dataset, texts.file)
    return texts.without(dataset, told)


def _objects(file: Path, whole: bool) -> Iterator[tuple[bytes, Any]]:
    """(text, object) of each record; a ValueError for one that is no JSON."""
    if whole:
        try:
            for one in orjson.loads(file.read_bytes().removeprefix(codecs.BOM_UTF8)):
                yield b"", one
        except ValueError as error:
            raise NotReadable(f"不是有效的 JSON（{error}）：改正后重报；大批数据请一行一条") from error
        return
    with file.open("rb") as lines:
        for line in lines:
            text = line.removeprefix(codecs.BOM_UTF8).strip()
            if text:
                try:
                    yield text, orjson.loads(text)
                except ValueError as error:
                    yield text, error


def _records(
    found: Iterator[tuple[bytes, Any]], dataset: Dataset, texts: Texts, fields: set[str]
) -> Iterator[dict[str, str]]:
    """The texts of each record; ``fields`` gets those that any of them has."""
    known: dict[tuple[str, ...], dict[int, str]] = {}
    told: set[str] = set()
    kept = 0
    for n, (text, one) in enumerate(found, start=1):
        if not isinstance(one, dict):
            why = f"不是有效的 JSON（{one}）" if isinstance(one, ValueError) else "不是一个 JSON 对象"
            shown = text.decode("utf-8", "replace")[:60]
            texts.messages.append(
                Message(n, LINE, visible(shown), why, '每条记录写成 {"字段": "值"}；末行不全的，重新导出')
            )
            texts.broken += 1
            texts.lost.append(n - 1 - texts.broken + 1)
            if texts.broken > MOST_BROKEN:
                raise NotReadable(f"有 {MOST_BROKEN} 行以上不是 JSON 记录：核对文件后重报")
            continue
        keys = tuple(one)
        if keys not in known:
            known[keys], notices, _lacking = columns(dataset, list(keys))
            fields.update(known[keys].values())
            texts.messages += [m for m in notices if m.field not in told]
            told |= {m.field for m in notices}
        kept += 1
        yield {id: json_text(one[keys[c]]) for c, id in known[keys].items()}
