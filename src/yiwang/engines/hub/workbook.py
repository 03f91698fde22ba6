"""The refused rows as a workbook for the source: its own columns, and one that says what is wrong and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from .contracts import Dataset, Message

MOST = 20_000  # rows; the rest is counted in the last row
COLUMN = "问题与改法"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def write(
    file: Path,
    dataset: Dataset,
    rows: Iterable[tuple[int, Mapping[str, str | None], list[Message]]],
    more: int = 0,
) -> None:
    """Write the workbook: number of the row in the file, the fields by their names, the messages.

    The columns are the contract's, so the mended workbook can be delivered again as it is.

    Args:
        more: refused rows that are not in it.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet("要改的行")
    sheet.append(["原行号", COLUMN, *(f.name for f in dataset.fields)])
    for number, texts, messages in rows:
        told = "\n".join(f"{m.field}：{m.what}。{m.remedy}" for m in messages)
        cells = [WriteOnlyCell(sheet, _CONTROL.sub("", texts.get(f.id) or "")) for f in dataset.fields]
        for cell in cells:
            cell.number_format = "@"  # text: codes keep their digits
            cell.data_type = "s"  # a cell that begins with = is no formula
        sheet.append([number, told, *cells])
    if more:
        sheet.append(["", f"还有 {more} 行没有列出：先改这些再报，余下的会再列出来"])
    book.save(file)
