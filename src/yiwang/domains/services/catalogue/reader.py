"""Reads a catalogue file row by row: encoding, separator, header, merged cells. Pure but for the stream.

The file is never held in memory. One row that cannot be read does not stop the next.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice
from typing import BinaryIO

from .contracts import Cells, Element, Finding, Grade, Need, NotACatalogue, Standard

_CHUNK = 1 << 20
_HEADER_WITHIN = 10  # rows; above the header there may be a title
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_NOT_TEXT = {
    b"PK\x03\x04": "这是 xlsx 工作簿，不是 CSV",
    b"\xd0\xcf\x11\xe0": "这是 xls 工作簿，不是 CSV",
    b"%PDF": "这是 PDF，不是 CSV",
}


class Reader:
    """One pass over a catalogue file.

    Attributes:
        encoding: how the file turned out to be written.
        notices: findings about the header, before any row.
    """

    def __init__(self, stream: BinaryIO, standard: Standard) -> None:
        self._standard = standard
        self.encoding = _encoding(stream)
        self.notices: list[Finding] = []
        stream.seek(0)
        text = io.TextIOWrapper(stream, self.encoding, newline="")
        first = text.readline()
        separator = max(",\t;", key=first.count)
        text.seek(0)
        self._text = text  # kept: a wrapper that is collected closes the stream
        self._rows = _records(text, separator)
        self._columns = self._header()

    def _header(self) -> dict[int, Element]:
        names = {_plain(n): e for e in self._standard.elements for n in (*e.also, e.name)}
        seen: list[list[str]] = []
        for row, cells, _problem in islice(self._rows, _HEADER_WITHIN):
            columns: dict[int, Element] = {}
            for n, cell in enumerate(cells):
                element = names.get(_plain(cell))
                if element and element not in columns.values():
                    columns[n] = element
            if {"name", "code"} <= {e.key for e in columns.values()}:
                self._about(row, cells, columns)
                return columns
            if any(c.strip() for c in cells):
                seen.append(cells)
        raise NotACatalogue(self._no_header(seen, names))

    def _about(self, row: int, cells: list[str], columns: dict[int, Element]) -> None:
        self._width = len(cells)
        there = {e.key for e in columns.values()}
        lacking = [e for e in self._standard.needed(Need.ROW) if e.key not in there]
        if lacking:
            raise NotACatalogue(self._no_header([cells], {}, lacking))
        for n, cell in enumerate(cells):
            if cell.strip() and n not in columns:
                what = "不是清单要素，这一列没有收"
                self.notices.append(Finding(row, cell.strip()[:30], "", what, "改成要素的名称", Grade.NOTICE))

    def _no_header(
        self, seen: list[list[str]], names: dict[str, Element], lacking: list[Element] | None = None
    ) -> str:
        if not seen:
            return "文件里没有内容：导出时选上表头和数据行"
        lacking = lacking or list(self._standard.needed(Need.ROW))
        wanted = "；".join(f"{e.name}（也可写{'、'.join(e.also)}）" for e in lacking)
        found = max(seen, key=lambda cells: sum(bool(c.strip()) for c in cells))
        told = "、".join(c.strip()[:20] for c in found if c.strip())[:200]
        near = [
            f"“{c.strip()}”是不是“{names[m[0]].name}”"
            for c in found
            if c.strip()
            and (m := get_close_matches(_plain(c), names, n=1, cutoff=0.6))
            and _plain(c) not in names
        ]
        return (
            f"表头里没有找到：{wanted}。现有的列：{told}。{'；'.join(near[:4])}".rstrip("。")
            + "。请改表头后再导入"
        )

    def __iter__(self) -> Iterator[Cells | Finding]:
        """Each row by element; a Finding for one that cannot be read at all."""
        above: dict[str, str] = {}
        for row, cells, problem in self._rows:
            if problem:
                yield Finding(row, "整行", "", problem, "检查这一行的引号是否成对", Grade.REFUSED)
                continue
            if not any(c.strip() for c in cells):
                continue
            values = {
                e.key: _CONTROL.sub("", cells[n]).strip() if n < len(cells) else ""
                for n, e in self._columns.items()
            }
            findings = []
            extra = [c.strip() for c in cells[self._width :] if c.strip()]
            if extra:
                what = f"比表头多出 {len(cells) - self._width} 格，没有读"
                remedy = "格子里有逗号的，整格加英文双引号"
                findings.append(Finding(row, "整行", "、".join(extra)[:60], what, remedy, Grade.NOTICE))
            findings += self._fill(row, values, above)
            above = values
            yield Cells(row, values, tuple(findings))

    def _fill(self, row: int, values: dict[str, str], above: dict[str, str]) -> Iterator[Finding]:
        """A row without a department continues a merged block: it takes over what was merged."""
        if values.get("department") or not above.get("department"):
            return
        for element in self._columns.values():
            if element.merged and not values.get(element.key) and above.get(element.key):
                values[element.key] = above[element.key]
                what = "是合并单元格留下的空白，沿用上一行"
                yield Finding(row, element.name, above[element.key], what, "", Grade.NOTICE)


def _plain(name: str) -> str:
    return re.sub(r"[\s（）()＊*：:]", "", name).lower()


def _records(text: io.TextIOWrapper, separator: str) -> Iterator[tuple[int, list[str], str]]:
    """(row, cells, problem) for each record; after a record that cannot be read, goes on with the next."""
    reader = csv.reader(text, delimiter=separator)
    row = 0
    while True:
        row += 1
        try:
            yield row, next(reader), ""
        except StopIteration:
            return
        except csv.Error as error:
            yield row, [], f"读不出来（{error}）"


def _encoding(stream: BinaryIO) -> str:
    """UTF-8 with or without BOM, UTF-16 with BOM, or GB 18030 (which holds GBK); one pass each."""
    stream.seek(0)
    head = stream.read(4)
    if not head:
        raise NotACatalogue("文件是空的：检查是不是导出没有完成")
    for magic, what in _NOT_TEXT.items():
        if head.startswith(magic):
            raise NotACatalogue(f"{what}：请另存为 CSV（UTF-8 或 GBK 都可以）再导入")
    marked = head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        stream.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            while chunk := stream.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise NotACatalogue("不是 UTF-8 也不是 GBK 文字：请用表格软件打开，另存为 CSV（UTF-8）再导入")
