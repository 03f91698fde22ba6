"""Decision tables in Excel: one sheet per table, for people who do not draw (layout: docs/reference/dmn.md).

A sheet says in column A what each row is; the rules begin under the row 规则. A first sheet 输入数据 lists
the input data with their types.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from yiwang.engines.judge.dmn import contracts as c
from yiwang.engines.judge.dmn.builder import build
from yiwang.engines.judge.dmn.model import Model
from yiwang.kernel.feel.lexer import plain_name

_INPUTS = "输入数据"
_TITLES = ("决策", "命中策略", "汇总", "列", "表达式或名称", "类型", "允许值", "默认值", "规则")
_NAMES = {
    "U": "UNIQUE",
    "F": "FIRST",
    "P": "PRIORITY",
    "A": "ANY",
    "C": "COLLECT",
    "R": "RULE ORDER",
    "O": "OUTPUT ORDER",
}
_SUMS = {"+": "SUM", "#": "COUNT", "<": "MIN", ">": "MAX"}
_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\]")
_LARGEST, _MOST_ROWS, _MOST_COLUMNS = 200_000_000, 20_000, 200


def to_excel(model: Model) -> bytes:
    """A workbook with the input data and every decision that is a decision table."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = _INPUTS
    _write(sheet, [("名称", "类型"), *((one.name, one.type_ref or "") for one in _input_data(model))])
    for element in model.definitions.elements:
        if isinstance(element, c.Decision) and isinstance(element.logic, c.Table):
            title = _NOT_IN_TITLES.sub("_", element.name)[:31]
            _write(book.create_sheet(title), _rows(element, element.logic))
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _input_data(model: Model) -> list[c.Element]:
    return [one for one in model.definitions.elements if isinstance(one, c.InputData)]


def _rows(decision: c.Decision, table: c.Table) -> Iterator[tuple[str, ...]]:
    inputs, outputs, notes = table.inputs, table.outputs, table.annotations
    blank = ("",) * len(notes)
    yield "决策", decision.name, decision.type_ref or ""
    yield "命中策略", _NAMES[table.hit_policy]
    yield "汇总", _SUMS.get(table.aggregation or "", "")
    yield "列", *("输入" for _ in inputs), *("输出" for _ in outputs), *("说明" for _ in notes)
    yield "表达式或名称", *(one.expression.text for one in inputs), *(one.name for one in outputs), *notes
    yield (
        "类型",
        *(one.expression.type_ref or "" for one in inputs),
        *(one.type_ref or "" for one in outputs),
        *blank,
    )
    values = [
        tests.text if tests else "" for tests in (*(i.values for i in inputs), *(o.values for o in outputs))
    ]
    yield "允许值", *values, *blank
    yield (
        "默认值",
        *("" for _ in inputs),
        *(one.default.text if one.default else "" for one in outputs),
        *blank,
    )
    yield ("规则",)
    for number, rule in enumerate(table.rules, 1):
        yield (
            str(number),
            *(cell.text or "-" for cell in rule.inputs),
            *(cell.text for cell in rule.outputs),
            *rule.annotations,
        )


def _write(sheet: Any, rows: Any) -> None:
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(number, column, value)
            cell.data_type = "s"  # a cell that begins with "=" is FEEL, not a formula
            cell.number_format = "@"
    for index in range(1, 12):
        sheet.column_dimensions[openpyxl.utils.get_column_letter(index)].width = 22


_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\bref="([A-Z0-9:]+)"')


def from_excel(workbook: bytes, name: str, namespace: str) -> bytes:
    """DMN 1.5 XML of a workbook's tables.

    Args:
        workbook: the .xlsx file.
        name: of the model.
        namespace: of the model, a URI.

    Raises:
        NotDmn: no workbook, or a sheet is not laid out as a table; the message names sheet and row.
    """
    inputs: list[c.InputData] = []
    decisions: list[c.Decision] = []
    for title, rows in _sheets(workbook):
        if title == _INPUTS:
            inputs += [
                c.InputData(f"input.{i}", r[0], r[1] or None) for i, r in enumerate(rows[1:], 1) if r[0]
            ]
        else:
            decisions.append(_decision(title, rows, f"decision.{len(decisions) + 1}"))
    return build(name, namespace, inputs, decisions)


def _sheets(workbook: bytes) -> Iterator[tuple[str, list[list[str]]]]:
    try:
        with zipfile.ZipFile(BytesIO(workbook)) as parts:
            size = sum(part.file_size for part in parts.infolist())
        if size > _LARGEST:
            raise c.NotDmn("工作簿解开后太大，请拆成几个")
        book = openpyxl.load_workbook(BytesIO(workbook), read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise c.NotDmn(f"不是 Excel 工作簿（.xlsx）：{error}") from None
    for sheet in book.worksheets:
        merged = _merged(workbook, sheet._worksheet_path)
        if merged:
            told = f"工作表「{sheet.title}」的 {'、'.join(merged[:5])} 是合并的单元格，看不出每一行的内容"
            raise c.NotDmn(f"{told}，请取消合并，每一格都写上")
        rows = sheet.iter_rows(max_row=_MOST_ROWS, max_col=_MOST_COLUMNS, values_only=True)
        yield sheet.title, [[_text(value) for value in row] + [""] * 3 for row in rows]


def _merged(workbook: bytes, part: str) -> list[str]:
    """Ranges of a sheet's merged cells. All but the first of them would be read as empty, and so as "anything"."""
    with zipfile.ZipFile(BytesIO(workbook)) as parts, parts.open(part.lstrip("/")) as held:
        return [one.decode() for one in _MERGE.findall(held.read())]


def _text(value: Any) -> str:
    """A cell as FEEL text: people also type plain numbers, dates and truth values."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"{Decimal(repr(value)):f}"
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second) == (0, 0, 0)
        return f'@"{value.date().isoformat()}"' if midnight else f'@"{value.isoformat(timespec="seconds")}"'
    return f'@"{value.isoformat()}"' if isinstance(value, date) else str(value).strip()


def _decision(title: str, rows: list[list[str]], identity: str) -> c.Decision:
    heads = {row[0]: row[1:] for row in rows[:20] if row[0] in _TITLES}
    missing = [one for one in ("命中策略", "列", "表达式或名称", "规则") if one not in heads]
    if missing:
        raise c.NotDmn(f"工作表「{title}」缺少「{'」「'.join(missing)}」这几行，请按决策表的格式补上")
    empty = [""] * _MOST_COLUMNS
    kinds, names = heads["列"], heads["表达式或名称"]
    types, values, defaults = (heads.get(one, empty) for one in ("类型", "允许值", "默认值"))
    places = {kind: [i for i, one in enumerate(kinds) if one == kind] for kind in ("输入", "输出", "说明")}
    policy = {name: letter for letter, name in _NAMES.items()}.get(heads["命中策略"][0] or "UNIQUE")
    if policy is None or not places["输出"]:
        raise c.NotDmn(f"工作表「{title}」的命中策略「{heads['命中策略'][0]}」不认识，或没有输出列，请改正")
    start = next(i for i, row in enumerate(rows) if row[0] == "规则") + 1
    sums = {name: sign for sign, name in _SUMS.items()}
    table = c.Table(
        policy,
        sums.get(heads.get("汇总", empty)[0]) if policy == "C" else None,
        tuple(
            c.Input(c.Literal(names[i], type_ref=types[i] or None), c.Tests(values[i]) if values[i] else None)
            for i in places["输入"]
        ),
        tuple(
            c.Output(
                names[i],
                types[i] or None,
                c.Tests(values[i]) if values[i] else None,
                c.Literal(defaults[i]) if defaults[i] else None,
            )
            for i in places["输出"]
        ),
        tuple(_rule(row[1:], places, f"{identity}.{n}") for n, row in enumerate(rows[start:], 1) if any(row)),
        tuple(names[i] for i in places["说明"]),
    )
    head = heads.get("决策", [title, ""])
    name = plain_name(head[0] or title)
    return c.Decision(identity, name, head[1] or None, name, table)


def _rule(cells: list[str], places: dict[str, list[int]], identity: str) -> c.Rule:
    cells = cells + [""] * _MOST_COLUMNS
    return c.Rule(
        identity,
        tuple(c.Tests(cells[i] or "-") for i in places["输入"]),
        tuple(c.Literal(cells[i]) for i in places["输出"]),
        tuple(cells[i] for i in places["说明"]),
    )
