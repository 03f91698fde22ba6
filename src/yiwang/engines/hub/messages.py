"""A row's mask as sentences: row, field, value, what is wrong, remedy, and what it probably should be. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .cells import DAMAGED
from .checks import checks
from .contracts import Dataset, Message, Type
from .repairs import propose

_EXCEL = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+")
_SHOWN = 60
_WRITTEN = re.compile(r"[1-9][0-9]{3}([-/])[0-9]{1,2}\1[0-9]{1,2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?)?$")
KEPT = 200  # messages kept with a delivery; the workbook has the others
LINE = "整行"  # the field of a message about a whole line
_CONTROL = {n: 0x2400 + n for n in range(0x20)} | {0x7F: 0x2421}


def visible(text: str) -> str:
    """Control characters as their pictures: ␀ and its like can be read, and stored."""
    return text.translate(_CONTROL)


def of_row(
    dataset: Dataset, row: int, texts: Mapping[str, str | None], mask: int, other: int | None = None
) -> Iterator[Message]:
    """The messages of one row, in the order of its fields.

    Args:
        row: number of the record, the header being row 1.
        texts: the cells without outer blanks, by field.
        other: number of the record that has the same key, for a duplicate.
    """
    for check in checks(dataset):
        if not mask >> check.bit & 1:
            continue
        f = dataset.field(check.field)
        text = texts.get(f.id) or ""
        what, remedy, proposal = check.what, check.remedy, ""
        if check.kind in ("type", "codes", "pattern") and text:
            proposal = propose(f, text)
            if check.kind == "type" and f.type in (Type.DATE, Type.DATETIME) and _WRITTEN.match(text):
                what, remedy = "没有这一天或这个时刻", "核对年月日和时分秒"
            if DAMAGED in text:
                what = "有读不出的字，文件里已经损坏"
                remedy = "从原系统重新导出，整个文件用同一种编码（UTF-8 或 GBK）"
            if f.type in (Type.USCC, Type.IDNO, Type.REGION, Type.CODE) and _EXCEL.fullmatch(text):
                what = "被表格软件存成了数，后几位已经丢了"
                remedy = "把这一列设为“文本”格式，从原系统重新导出"
        if check.kind == "duplicate":
            text = "、".join(texts.get(k) or "" for k in dataset.key)
            if other is not None:
                what = f"与第 {other} 行的主键（或唯一项）重复而内容不同"
        if proposal:
            remedy = f"很可能是 {proposal}，核对后改。{remedy}"
        yield Message(row, f.name, visible(text[:_SHOWN]), what, remedy, proposal)


def columns(dataset: Dataset, header: list[str]) -> tuple[dict[int, str], list[Message], list[str]]:
    """Which field each column of a file holds.

    Returns:
        column number → field id; notices of columns that are not in the contract or are told twice; and the
        names of required fields that the file lacks.
    """
    titles = {_plain(title): f.id for f in dataset.fields for title in f.titles}
    placed: dict[int, str] = {}
    notices: list[Message] = []
    for n, title in enumerate(header):
        id = titles.get(_plain(title))
        if id is None:
            if title.strip():
                remedy = "合同里有的，把列名改成合同里的名称；没有的不用管"
                notices.append(
                    Message(1, title.strip()[:_SHOWN], "", "不是合同里的字段，这一列没有收", remedy)
                )
        elif id in placed.values():
            notices.append(Message(1, title.strip(), "", "这一列重复，只收了第一列", "删去多余的一列"))
        else:
            placed[n] = id
    there = set(placed.values())
    lacking = [f.name for f in dataset.fields if f.required and f.id not in there]
    return placed, notices, lacking


def _plain(title: str) -> str:
    return re.sub(r"[\s（）()＊*：:\ufeff]", "", title).lower()
