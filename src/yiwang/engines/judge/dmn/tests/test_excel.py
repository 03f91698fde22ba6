"""Decision tables to Excel and back."""

from decimal import Decimal as D
from io import BytesIO

import openpyxl
import pytest

from yiwang.engines.judge.dmn import NotDmn, loads, problems
from yiwang.engines.judge.dmn.excel import from_excel, to_excel
from yiwang.engines.judge.dmn.tests.build import decision, given, model, table

ELEMENTS = [
    given("月 收入", "number"),
    given("人口", "number"),
    decision(
        "人均",
        table(
            "UNIQUE",
            [("月 收入 / 人口", "number")],
            [("", "string")],
            [("< 5", '"低"'), ("[5..9]", '"中"'), ("= 10", '"十"')],
        ),
        "string",
        inputs=["月 收入", "人口"],
    ),
    decision(
        "补助",
        table(
            "COLLECT",
            [("人均", "string", '"低", "中", "十"'), "人口"],
            [("元", "number", None, "0")],
            [('"低"', "-", "100 * 人口"), ("-", "> 3", "50")],
            "SUM",
        ),
        "number",
        inputs=["人口"],
        decisions=["人均"],
    ),
]


@pytest.mark.parametrize(("income", "people"), [(4, 1), (40, 4), (20, 10), (1, 0)])
def test_there_and_back(income, people):
    first = model(*ELEMENTS)
    second = loads(from_excel(to_excel(first), "补助", "urn:补助"))
    assert problems(second) == []
    inputs = {"月 收入": income, "人口": people}
    assert second.evaluate(inputs) == first.evaluate(inputs)
    tables = [one.logic for one in first.definitions.elements if hasattr(one, "logic")]
    again = [one.logic for one in second.definitions.elements if hasattr(one, "logic")]
    for one, other in zip(tables, again, strict=True):
        assert (one.hit_policy, one.aggregation, one.inputs, one.outputs) == (
            other.hit_policy,
            other.aggregation,
            other.inputs,
            other.outputs,
        )


def test_plain_cells_are_read_as_values():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "分级"
    for row in [
        ["命中策略", "FIRST"],
        ["列", "输入", "输出", "说明"],
        ["表达式或名称", "x", "", "依据"],
        ["规则"],
        [1, 5, True, "第九条"],
        [2, "> 7", 2.5],
    ]:
        sheet.append(row)
    inputs = book.create_sheet("输入数据")
    inputs.append(["名称", "类型"])
    inputs.append(["x", "number"])
    out = BytesIO()
    book.save(out)
    m = loads(from_excel(out.getvalue(), "m", "urn:m"))
    assert m.evaluate({"x": 5}, "分级") is True
    assert m.evaluate({"x": 8}, "分级") == D("2.5")
    assert m.definitions.elements[1].logic.rules[0].annotations == ("第九条",)


def test_refusals_name_the_sheet():
    with pytest.raises(NotDmn, match="Excel"):
        from_excel(b"no", "m", "urn:m")
    book = openpyxl.Workbook()
    book.active.title = "空的"
    out = BytesIO()
    book.save(out)
    with pytest.raises(NotDmn, match="空的"):
        from_excel(out.getvalue(), "m", "urn:m")


def test_merged_cells_are_refused_by_sheet_and_range():
    """Read as they lie, all rows but the first would have no condition at all."""
    book = openpyxl.load_workbook(BytesIO(to_excel(model(*ELEMENTS))))
    sheet = book["补助"]
    sheet.merge_cells("B9:B10")
    out = BytesIO()
    book.save(out)
    with pytest.raises(NotDmn, match=r"「补助」的 B9:B10 是合并的单元格.*取消合并"):
        from_excel(out.getvalue(), "m", "urn:m")
