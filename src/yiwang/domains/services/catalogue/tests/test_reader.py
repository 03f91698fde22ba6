"""Catalogue files as they really come: every trouble is told with row, column, value and remedy."""

from __future__ import annotations

import csv
import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.domains.services.catalogue import codes
from yiwang.domains.services.catalogue.contracts import (
    Finding,
    Grade,
    NotACatalogue,
    Row,
    standard_of,
)
from yiwang.domains.services.catalogue.reader import Reader
from yiwang.domains.services.catalogue.rules import judge, limit
from yiwang.kernel.packs.loader import read as read_packs

CHECKOUT = next(p for p in Path(__file__).resolve().parents if (p / "packs" / "base").is_dir())
STANDARD = standard_of(read_packs(CHECKOUT / "packs")[0])
SAMPLE = "shared/data/content/service_items_guangan_sichuan.csv"
HEADER = "事项名称,实施编码,事项类型,实施主体,法定办结时限\n"
CODE = "511A33038003-511602000000-000-11511301008778183N-1-{:02d}"


def table(text: str, encoding: str = "utf-8") -> tuple[list[Row], list[Finding]]:
    return read(io.BytesIO(text.encode(encoding)))


def read(stream) -> tuple[list[Row], list[Finding]]:
    rows, findings = [], []
    reader = Reader(stream, STANDARD)
    findings += reader.notices
    for cells in reader:
        row, found = (None, [cells]) if isinstance(cells, Finding) else judge(cells, STANDARD)
        rows += [row] if row else []
        findings += found
    return rows, findings


def told(findings: list[Finding], grade: Grade) -> list[str]:
    return [str(f) for f in findings if f.grade is grade]


def line(
    n: int, name: str = "户外广告审批", type_: str = "行政许可", department: str = "区城管局", more: str = ""
) -> str:
    return f"{name},{CODE.format(n)},{type_},{department},{more}\n"


def test_the_real_sample_is_all_good_and_says_what_each_row_lacks() -> None:
    file = next(
        (p / SAMPLE for p in (CHECKOUT.parent, CHECKOUT.parent.parent) if (p / SAMPLE).is_file()), None
    )
    if file is None:
        pytest.skip(f"the sample catalogue is not at ../{SAMPLE} nor at ../../{SAMPLE}")
    with file.open("rb") as stream:
        rows, findings = read(stream)
    assert len(rows) == 1135
    assert told(findings, Grade.REFUSED) == []
    assert {f.column for f in findings if f.grade is Grade.MISSING} >= {
        "设定依据",
        "受理条件",
        "法定办结时限",
    }
    doubtful = [f for f in findings if f.grade is Grade.NOTICE and f.column == "实施编码"]
    assert 100 < len(doubtful) < 200  # departments whose credit code is cut off or old
    assert rows[0].region == "511602"
    assert rows[0].base_code == "511Z07001006"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_any_usual_encoding_is_read(encoding: str) -> None:
    rows, findings = table(HEADER + line(1), encoding)
    assert [r.name for r in rows] == ["户外广告审批"]
    assert told(findings, Grade.REFUSED) == []


def test_gbk_with_merged_cells_and_unequal_columns() -> None:
    text = (
        "历下区政务服务事项目录,,,,\n"
        "实施部门,类型,政务服务事项名称,事项编码,法定时限\n"
        f"区民政局,行政给付,临时救助,{CODE.format(1)},15个工作日\n"
        f",,特困人员认定,{CODE.format(2)}\n"
        f",行政确认,结婚登记,{CODE.format(3)},,,\n"
        f"区城管局,,户外广告审批,{CODE.format(4)},20个工作日\n"
        f",行政许可,占道,{CODE.format(5)},20,个工作日，多了一格\n"
    )
    rows, findings = table(text, "gbk")
    assert [(r.row, r.department, r.type) for r in rows] == [
        (3, "区民政局", "行政给付"),
        (4, "区民政局", "行政给付"),  # both cells were merged with those above
        (5, "区民政局", "行政确认"),
        (7, "区城管局", "行政许可"),
    ]
    notices = told(findings, Grade.NOTICE)
    assert "第 4 行「实施主体」“区民政局”是合并单元格留下的空白，沿用上一行" in notices
    assert any(
        n.startswith("第 7 行「整行」“个工作日，多了一格”比表头多出 1 格") and "双引号" in n for n in notices
    )
    # A row with its own department starts a block: its blank type is no merged cell.
    assert told(findings, Grade.REFUSED) == ["第 6 行「事项类型」是空的。怎么改：写事项类型的规范名称"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (line(1, name=""), "第 2 行「事项名称」是空的"),
        (line(1, name="123"), "第 2 行「事项名称」“123”不像事项名称"),
        (
            line(1, type_="行政审判"),
            "第 2 行「事项类型」“行政审判”不是规定的事项类型。怎么改：改成其中之一：行政许可、",
        ),
        (line(1, department="/"), "第 2 行「实施主体」是空的。怎么改：写实施主体的名称"),
        ("户外广告审批,编码待定,行政许可,区城管局,\n", "第 2 行「实施编码」“编码待定”含有编码里不会有的字符"),
        (
            "户外广告审批,511A3,行政许可,区城管局,\n",
            "第 2 行「实施编码」“511A3”有 5 位，应在 12 到 80 位之间",
        ),
    ],
)
def test_a_row_without_its_identity_is_refused_and_the_next_is_not(row: str, expected: str) -> None:
    rows, findings = table(HEADER + row + line(2))
    assert [r.row for r in rows] == [3]
    (only,) = told(findings, Grade.REFUSED)
    assert only.startswith(expected)


def test_a_cell_that_cannot_be_right_is_left_out_and_told() -> None:
    text = HEADER.replace("\n", ",承诺办结时限,办件类型\n") + line(1, more="20个工作日,30个工作日,马上办")
    (row,), findings = table(text)
    assert row.elements["legal_limit"] == "20个工作日"
    assert not {"promised_limit", "form"} & row.elements.keys()
    missing = told(findings, Grade.MISSING)
    assert any("「承诺办结时限」“30个工作日”长于法定的20个工作日，没有收这一格" in m for m in missing)
    assert any("「办件类型」“马上办”不是办件类型" in m and "即办件、承诺件" in m for m in missing)


def test_types_may_be_codes_and_codes_are_tidied() -> None:
    (row,), findings = table(HEADER + f"户外广告审批, {CODE.format(1).lower()} ,1,区城管局,\n")
    assert (row.type, row.code) == ("行政许可", CODE.format(1))
    assert told(findings, Grade.NOTICE) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "文件是空的"),
        (b"\r\n\r\n", "文件里没有内容"),
        (b"PK\x03\x04 something", "这是 xlsx 工作簿，不是 CSV：请另存为 CSV"),
        (b"\xd0\xcf\x11\xe0 old", "这是 xls 工作簿"),
        (b"%PDF-1.7", "这是 PDF"),
        (b"\xff\x00\x81\x20,\x80", "不是 UTF-8 也不是 GBK"),
        ("事项,部门,类型\n甲,乙,丙\n".encode(), "表头里没有找到：事项名称"),
        ("事项名称,实施编玛,事项类型,实施主体\n".encode(), "“实施编玛”是不是“实施编码”"),
        ("事项名称,实施编码,事项类型\n".encode(), "没有找到：实施主体（也可写实施部门、部门"),
    ],
)
def test_a_file_that_is_no_catalogue_says_why(content: bytes, expected: str) -> None:
    with pytest.raises(NotACatalogue) as error:
        Reader(io.BytesIO(content), STANDARD)
    assert expected in str(error.value)


def test_wrong_headers_name_what_was_expected_and_what_was_found() -> None:
    with pytest.raises(NotACatalogue) as error:
        Reader(io.BytesIO("序号,标题,网址\n1,甲,乙\n".encode()), STANDARD)
    assert "实施编码（也可写事项编码" in str(error.value)
    assert "现有的列：序号、标题、网址" in str(error.value)


def test_an_open_quote_and_control_characters_stop_nothing_else() -> None:
    rows, findings = table(
        HEADER + line(1, name="户外\x00广\x07告") + '"没有关上的引号,' + "长" * 140000 + "\n" + line(2)
    )
    assert rows[0].name == "户外广告"
    (refused,) = told(findings, Grade.REFUSED)
    assert refused.startswith("第 3 行「整行」读不出来")
    assert "引号是否成对" in refused


def test_columns_that_are_no_element_are_told() -> None:
    _rows, findings = table(HEADER.replace("\n", ",领导批示\n") + line(1))
    assert told(findings, Grade.NOTICE)[0].startswith("第 1 行「领导批示」不是清单要素，这一列没有收")


class Endless(io.RawIOBase):
    """A file of 200,000 rows that is never in memory."""

    def __init__(self, rows: int) -> None:
        self._rows, self._at, self._left = rows, 0, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at, self._left = 0, b""
        return 0

    def tell(self) -> int:
        return 0

    def readinto(self, buffer) -> int:
        while len(self._left) < len(buffer) and self._at <= self._rows:
            text = line(self._at).replace("-01-", "-1-") if self._at else HEADER
            self._left += text.replace("户外", f"户外{self._at}").encode("gbk")
            self._at += 1
        given = self._left[: len(buffer)]
        buffer[: len(given)] = given
        self._left = self._left[len(given) :]
        return len(given)


def test_two_hundred_thousand_rows_are_read_in_bounded_memory() -> None:
    peaks = []
    for size in (20_000, 60_000):
        tracemalloc.start()
        assert sum(1 for _ in Reader(io.BufferedReader(Endless(size)), STANDARD)) == size
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1024 * 1024
    assert sum(1 for _ in Reader(io.BufferedReader(Endless(200_000)), STANDARD)) == 200_000


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda t: (HEADER + t).encode("utf-8", "ignore")))
def test_any_bytes_give_rows_findings_or_a_reason(content: bytes) -> None:
    try:
        rows, findings = read(io.BytesIO(content))
    except NotACatalogue:
        return
    assert all(f.what for f in findings)
    for found in rows:
        assert found.name and found.type in STANDARD.types.values()
        assert len(found.code) <= 80 and len(found.base_code) <= 80 and len(found.region) <= 6


cell = st.text(st.characters(codec="utf-8"), max_size=220)


@given(st.lists(st.tuples(cell, cell, cell, cell), max_size=4))
def test_what_is_taken_fits_the_table(cells: list[tuple[str, str, str, str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["事项名称", "实施编码", "事项类型", "实施主体", "基本编码", "行政区划"])
    for n, (name, department, base, region) in enumerate(cells):
        writer.writerow([f"事项{name}", CODE.format(n), "行政许可", f"部门{department}", base, region])
    for found in table(out.getvalue())[0]:
        assert len(found.name) <= 200 and len(found.department) <= 200
        assert len(found.base_code) <= 80 and len(found.region) <= 6
        assert "\0" not in "".join((found.name, found.department, *found.elements.values()))


def test_a_region_by_its_name_or_its_long_code() -> None:
    text = "事项名称,实施编码,事项类型,实施主体,行政区划,基本编码\n"
    text += f"户外广告审批,{CODE.format(1)},行政许可,区城管局,历下区,\n"
    text += f"户外广告审批二,{CODE.format(2)},行政许可,区城管局,370102000000,000131001000\n"
    by_name, by_code = table(text)[0]
    assert (by_name.region, by_name.base_code) == ("511602", "511A33038003")  # from the code
    assert (by_code.region, by_code.base_code) == ("370102", "000131001000")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20个工作日", (20, "工作日")),
        ("20 工作日内", (20, "工作日")),
        ("3天", (3, "自然日")),
        ("2个月", (2, "月")),
        ("当场", (0, "工作日")),
        ("三天左右", None),
        ("", None),
    ],
)
def test_limits_are_read(text: str, expected: tuple[int, str] | None) -> None:
    assert limit(text) == expected


def test_the_national_code_and_the_check_character() -> None:
    code, wrong = codes.read("11510000008282348Q4000109014001")
    assert wrong == "" and code is not None
    assert (code.base, code.region) == ("000109014001", "510000")
    assert codes.is_credit_code("91350100M000100Y43")
    assert not codes.is_credit_code("91350100M000100Y44")
    assert [codes.level_of(c) for c in ("370000", "370100", "370102", "")] == ["省级", "市级", "县级", ""]
