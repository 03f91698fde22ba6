"""The contract in SQL and the contract row by row: two ways to one answer, compared on dirty rows."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yiwang.engines.hub.checks import checks
from yiwang.engines.hub.codes import CREDIT, idno_sql, is_idno, is_uscc, uscc_sql
from yiwang.engines.hub.contract import dataset_of
from yiwang.engines.hub.contracts import Dataset, Field, NotTranslatable, Rule, Territory, Type
from yiwang.engines.hub.describing import openapi, whose
from yiwang.engines.hub.feelsql import Translator
from yiwang.engines.hub.lint import lint
from yiwang.engines.hub.messages import columns, of_row
from yiwang.engines.hub.repairs import propose
from yiwang.engines.hub.rowwise import expression, judge, repeated
from yiwang.engines.hub.sharing.contracts import limits_of
from yiwang.engines.hub.sql import repeated as repeated_sql
from yiwang.engines.hub.sql import validated
from yiwang.kernel.packs.contracts import Library
from yiwang.kernel.packs.loader import read

PACKS = Path(__file__).resolve().parents[5] / "packs"
LIBRARY, _PROBLEMS = read(PACKS)
TODAY = date(2026, 11, 25)
CON = duckdb.connect()
FIVE = ("ent_registration", "ent_permits", "product_licences", "penalties", "complaints")


def credit(first17: str) -> str:
    return next(c for c in (first17 + x for x in CREDIT) if is_uscc(c))


GOOD = credit("91379901MB0000019")
EVERY = (
    Field("code", "代码", Type.USCC, required=True),
    Field("person", "号码", Type.IDNO),
    Field("kind", "类", Type.CODE, codelist="k", codes=frozenset({"01", "A2", "it's"})),
    Field("place", "区划", Type.REGION, codes=frozenset({"370102", "370103"})),
    Field("count", "数", Type.INT, minimum="0", maximum="100"),
    Field("other", "另一个数", Type.INT),
    Field("money", "钱", Type.DECIMAL, scale=3, minimum="-5.5", maximum="1000000"),
    Field("day", "日", Type.DATE, required=True, minimum="1990-01-01", maximum="2030-12-31"),
    Field("end", "止", Type.DATE),
    Field("at", "时刻", Type.DATETIME),
    Field("word", "文字", Type.STRING, max_length=5, pattern="[a-z是否]+"),
)
RULES = tuple(
    Rule(f"r{n}", holds, "day", "不成立", "改")
    for n, holds in enumerate(
        (
            "end = null or end >= day",
            "day <= as_of",
            'kind != "01" or count != null',
            "count + 1 < money or not(count in [5..10))",
            'if kind = "A2" then count between 1 and 3 else other != count',
            'word in ("a", "b", null) or string length(word) > 2',
            'starts with(word, "a") or contains(word, "b") or ends with(word, "c")',
            'kind in ("01", "A2") and day in [date("2000-01-01")..@"2020-01-01"]',
            "-count < 3 and other - count > -7",
            "at = null or at != null and count in (< 5, > 50)",
        )
    )
)
DATASET = Dataset(
    id="d", name="D", version=1, department="x", fields=EVERY, key=("code",), valid_from="day",
    subject_entity="ent", subject_field="code", rules=RULES, unique=(("word", "count"),), territory="place",
    by_id={f.id: f for f in EVERY},
)  # fmt: skip

blank = st.sampled_from(["", " ", "\t", "\u3000", "\u00a0"])
junk = st.one_of(
    st.none(),
    st.text(st.sampled_from("0123456789X-/.:T年 \0\ufffd'\"aA是Ｏ９"), max_size=20),
    st.text(max_size=8),
)


def cells(*good: st.SearchStrategy) -> st.SearchStrategy:
    told = st.tuples(blank, st.one_of(*good), blank).map("".join)
    return st.one_of(told, told, junk)


days = st.dates(date(1980, 1, 1), date(2035, 1, 1)).flatmap(
    lambda d: st.sampled_from(
        [f"{d:%Y-%m-%d}", f"{d:%Y%m%d}", f"{d.year}/{d.month}/{d.day}", f"{d:%Y-%m-%d} 08:30"]
    )
)
rows = st.fixed_dictionaries(
    {
        "code": cells(st.just(GOOD), st.text(st.sampled_from(CREDIT), min_size=18, max_size=18)),
        "person": cells(st.from_regex(r"\A37990119[89][0-9](0[1-9]|1[0-2])[0-3][0-9]00[0-9][0-9X]\Z")),
        "kind": cells(st.sampled_from(["01", "A2", "it's", "a2", "03", "01\0", "\ufffd"])),
        "place": cells(st.sampled_from(["370102", "370103", "370104"])),
        "count": cells(st.integers(-3, 105).map(str)),
        "other": cells(st.integers().map(str)),
        "money": cells(
            st.decimals(-10, 2000000, places=3).map(str), st.sampled_from(["1.2345", "1e5", "5."])
        ),
        "day": cells(days),
        "end": cells(days),
        "at": cells(days, st.sampled_from(["2024-01-01T23:59:59", "2024-01-01 24:00", "2024-02-30 10:00"])),
        "word": cells(st.sampled_from(["a", "abc", "是", "xbz", "qqqqqq", "a\ufffd", "\0a"])),
    }
)


def tidy(row: dict) -> dict:
    """The row without any blank, as most that come are: it is judged by a shorter way."""
    return {id: text and "".join(text.split()) for id, text in row.items()}


HERE = replace(DATASET, within=Territory("历下区", frozenset({"370102", "370104"})))


def by_sql(some: list[dict], dataset: Dataset = DATASET) -> list[tuple]:
    table = pa.table({f.id: pa.array([r[f.id] for r in some], pa.string()) for f in EVERY})
    table = table.append_column("_n", pa.array(range(len(some)), pa.int64()))
    con = CON.cursor()  # others leave results half read
    con.register("raw_rows", table)
    listed = ", ".join(f'"{f.id}"' for f in EVERY)
    found = con.sql(
        f"select {listed}, _bad from ({validated(dataset, 'raw_rows', TODAY.isoformat())}) order by _n"
    )
    return found.fetchall()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(rows | rows.map(tidy), min_size=1, max_size=25), st.sampled_from([DATASET, HERE]))
def test_sql_judges_every_row_as_the_row_by_row_oracle_does(some, dataset):
    some = [
        {k: v if v is None else v.encode("utf-8", "replace").decode() for k, v in r.items()} for r in some
    ]
    for row, told in zip(some, by_sql(some, dataset), strict=True):
        values, mask = judge(dataset, row, TODAY)
        named = {c.bit: (c.kind, c.field, c.rule) for c in checks(dataset)}
        differ = [named[b] for b in named if (told[-1] ^ mask) >> b & 1]
        assert (differ, list(told[:-1])) == ([], list(values.values())), row


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["", "x", "y"]), st.sampled_from(["1", " 1", "2"]))
    )
)
def test_sql_finds_the_same_repeated_rows_as_the_oracle(triples):
    some = [
        dict.fromkeys((f.id for f in EVERY), None) | {"code": a, "word": b, "count": c} for a, b, c in triples
    ]
    table = pa.table({f.id: pa.array([r[f.id] for r in some], pa.string()) for f in EVERY})
    CON.register("raw_rows", table.append_column("_n", pa.array(range(len(some)), pa.int64())))
    found = CON.sql(repeated_sql(DATASET, "raw_rows")).fetchall()
    clash, same = repeated(DATASET, some)
    assert {n for n, is_same, _w in found if not is_same} == set(clash)
    assert {n for n, is_same, _w in found if is_same} == same


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from(CREDIT + "IOSVZa"), min_size=17, max_size=19), st.booleans())
def test_credit_code_in_sql_equals_python(text, mend):
    text = credit(text[:17]) if mend and all(c in CREDIT for c in text[:17]) else text
    assert CON.execute(f"select {uscc_sql('x')} from (select ? as x)", [text]).fetchone() == (is_uscc(text),)


@settings(max_examples=300, deadline=None)
@given(
    st.from_regex(r"\A[0-9]{6}[0-9]{4}[01][0-9][0-3][0-9][0-9]{3}\Z"),
    st.sampled_from("0123456789Xx"),
    st.booleans(),
)
def test_person_number_in_sql_equals_python(first, last, mend):
    texts = [first + last]
    if mend:
        texts += [first + c for c in "0123456789X"]
    for text in texts:
        assert CON.execute(f"select {idno_sql('x')} from (select ? as x)", [text]).fetchone() == (
            is_idno(text),
        )


@given(st.text(st.sampled_from(CREDIT), min_size=17, max_size=17), st.integers(0, 15))
def test_a_lost_code_is_found_again_only_when_the_check_digit_is_a_single_witness(first, at):
    code = credit(first)
    field = DATASET.field("code")
    assert propose(field, code.lower()) in (code, "") if code.lower() != code else True
    wide = "".join(chr(ord(c) + 0xFEE0) for c in code)
    assert propose(field, wide) == code
    swapped = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
    if swapped != code:
        assert not is_uscc(swapped)
        told = propose(field, swapped)
        assert told in ("", code) or is_uscc(told)
        candidates = {swapped[:n] + swapped[n + 1] + swapped[n] + swapped[n + 2 :] for n in range(17)}
        assert (told == code) == ({c for c in candidates if is_uscc(c)} == {code})
    misread = code[:at] + "O" + code[at + 1 :]
    assert propose(field, misread) == code  # O is no character of a code: the digit shows which one it was


def test_a_message_names_row_field_value_remedy_and_a_proposal():
    row = {"code": GOOD.lower(), "day": "2024年5月20日", "count": "1,2", "kind": "Ａ2"}
    _values, mask = judge(DATASET, row, TODAY)
    told = {m.field: m for m in reversed([*of_row(DATASET, 7, row, mask)])}
    assert told["代码"].proposal == GOOD
    assert told["日"].proposal == "2024-05-20"
    assert told["数"].proposal == "12"
    assert told["类"].proposal == "A2"
    assert str(told["代码"]).startswith(f"第 7 行“代码”“{GOOD.lower()}”不是有效的统一社会信用代码")
    assert f"很可能是 {GOOD}" in told["代码"].remedy
    _values, mask = judge(DATASET, {"code": "9.13799E+17", "day": "2024-01-01"}, TODAY)
    assert "被表格软件存成了数" in next(of_row(DATASET, 2, {"code": "9.13799E+17"}, mask)).what


@pytest.mark.parametrize(
    ("place", "what"),
    [
        ("370102", []),
        ("370103", ["不在历下区范围内"]),  # a division, and another office's
        ("370104", ["不在行政区划表里"]),  # none in the contract's list: told once
        ("3701", ["不是六位行政区划代码"]),
        ("", []),  # required or not is another check
    ],
)
def test_a_row_of_another_region_is_told_once_and_by_both_judges(place, what):
    row = dict.fromkeys((f.id for f in EVERY), "") | {"code": GOOD, "day": "2024-05-20", "place": place}
    _values, mask = judge(HERE, row, TODAY)
    told = [m for m in of_row(HERE, 3, row, mask) if m.field == "区划"]
    assert [m.what for m in told] == what
    assert by_sql([row], HERE)[0][-1] == mask
    if place == "370103":
        assert str(told[0]) == (
            "第 3 行“区划”“370103”不在历下区范围内。本单位只报本区划的记录：核对区划；确属别处的，由那里的单位报"
        )
    assert not [m for m in of_row(DATASET, 3, row, judge(DATASET, row, TODAY)[1]) if "范围" in m.what]
    # The bits are those of the contract, whoever delivers.
    assert [(c.bit, c.kind, c.field) for c in checks(HERE)] == [
        (c.bit, c.kind, c.field) for c in checks(DATASET)
    ]


def test_the_description_says_in_a_sentence_what_the_office_delivers():
    assert whose(DATASET) == ""
    assert whose(HERE) == "本单位只报历下区的记录（“区划”写 370102、370104），别处的由那里的单位报。"
    assert whose(HERE) in openapi(HERE, "/")["info"]["description"]


MOMENT = Field("m", "时刻", Type.DATETIME)
DAY = Field("d", "日", Type.DATE)
STATE = Field(
    "s",
    "状态",
    Type.CODE,
    codes=frozenset({"01", "02", "10"}),
    labels={"01": "正常", "02": "停业", "10": "停业"},
    names=(("正常", "01"), ("停业", "02"), ("停业", "10")),
)
PHONE = Field("p", "电话", Type.STRING, pattern="[0-9-]{7,20}", example="0531-55550000")


@pytest.mark.parametrize(
    ("field", "text", "proposal"),
    [
        (MOMENT, "2026/3/2 9:30", "2026-03-02 09:30:00"),
        (MOMENT, "2026年3月2日 9时5分", "2026-03-02 09:05:00"),
        (MOMENT, "2026-03-02 09:30:00.000", "2026-03-02 09:30:00"),
        (MOMENT, "46083.395833", "2026-03-02 09:30:00"),
        (MOMENT, "2026年3月2日", "2026-03-02"),
        (MOMENT, "昨天 9:30", ""),
        (DAY, "２０２６１１０１", "20261101"),
        (DAY, "2026年2月30日", ""),
        (STATE, "2", "02"),
        (STATE, "010", "10"),
        (STATE, "正常", "01"),
        (STATE, "停业", ""),  # two codes are called so
        (PHONE, "０５３１－5555 0000", "0531-55550000"),
    ],
)
def test_what_people_and_spreadsheets_write_is_proposed_as_it_should_be(field, text, proposal):
    assert propose(field, text) == proposal


def test_messages_are_for_clerks_not_for_programmers():
    fields = (STATE, PHONE, replace(PHONE, id="q", name="属实", pattern="是|否|部分属实"), DAY)
    contract = replace(DATASET, fields=fields, key=("s",), rules=(), by_id={f.id: f for f in fields})
    row = {"s": "在营", "p": "电话", "q": "Y", "d": "2026-02-30"}
    told = {m.field: m for m in of_row(contract, 2, row, judge(contract, row, TODAY)[1])}
    assert told["状态"].remedy == "改成其中之一：01 正常、02 停业、10 停业"
    assert told["电话"].remedy == "写成 0531-55550000 的样子"
    assert told["属实"].remedy == "写成其中之一：是、否、部分属实"
    assert told["日"].what == "没有这一天或这个时刻"


@pytest.mark.parametrize(("field", "name"), [("word", "文字"), ("kind", "类"), ("code", "代码")])
def test_a_damaged_character_is_told_with_the_remedy_and_never_lost(field, name):
    row = {"code": GOOD, "day": "2024-05-20", field: "\ufffd\ufffda"}
    _values, mask = judge(DATASET, row, TODAY)
    told = {m.field: m for m in reversed([*of_row(DATASET, 4, row, mask)])}
    assert str(told[name]).startswith(
        f"第 4 行“{name}”“\ufffd\ufffda”有读不出的字，文件里已经损坏。从原系统重新导出"
    )
    assert by_sql([dict.fromkeys((f.id for f in EVERY), None) | row])[0][-1] == mask


def test_a_code_with_an_invisible_character_is_told_not_dropped():
    row = dict.fromkeys((f.id for f in EVERY), None) | {"code": GOOD, "day": "2024-05-20", "kind": "01\0"}
    _values, mask = judge(DATASET, row, TODAY)
    assert next(of_row(DATASET, 2, row, mask)).field == "类"
    assert by_sql([row])[0][-1] == mask


def test_a_rule_says_nothing_of_a_cell_that_is_no_value():
    """A number with a comma is told once, not again as a fine without an amount."""
    needs = Rule("needs", 'kind != "01" or count != null', "count", "没有数", "补上")
    contract = replace(DATASET, rules=(needs,))
    row = {"code": GOOD, "day": "2024-05-20", "kind": "01", "count": "1,000"}
    assert [m.what for m in of_row(contract, 2, row, judge(contract, row, TODAY)[1])] == ["不是整数"]
    row["count"] = ""
    assert [m.what for m in of_row(contract, 2, row, judge(contract, row, TODAY)[1])] == ["没有数"]


def test_columns_are_found_by_any_of_their_names():
    dataset = dataset_of(LIBRARY.get("dataset", "ent_registration"), LIBRARY)
    placed, notices, lacking = columns(dataset, ["\ufeff信用代码", "名称", "备注", "名称", "住所 "])
    assert placed == {0: "uscc", 1: "name", 4: "address"}
    assert [(m.field, m.what) for m in notices] == [
        ("备注", "不是合同里的字段，这一列没有收"),
        ("名称", "这一列重复，只收了第一列"),
    ]
    assert "登记状态" in lacking


@pytest.mark.parametrize("id", [p.id for p in LIBRARY.all("dataset")])
def test_every_pack_reads_as_a_contract_and_takes_its_own_examples(id):
    dataset = dataset_of(LIBRARY.get("dataset", id), LIBRARY, {"370102"})
    CON.execute(
        "create or replace table empty_rows as select 0::bigint as _n"
        + "".join(f', null::varchar as "{f.id}"' for f in dataset.fields)
    )
    CON.sql(validated(dataset, "empty_rows", "2026-11-25")).fetchall()
    CON.sql(repeated_sql(dataset, "empty_rows")).fetchall()
    row = {f.id: f.example for f in dataset.fields if f.example}
    _values, mask = judge(dataset, row, TODAY)
    wrong = [c for c in checks(dataset) if mask >> c.bit & 1 and c.kind not in ("required", "rule")]
    assert wrong == []


def test_the_five_datasets_of_the_plan_are_there():
    assert set(FIVE) <= {p.id for p in LIBRARY.all("dataset")}
    assert [str(p) for p in lint(LIBRARY)] == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("count * 2 > 1", "不能译成 SQL"),
        ("count > day", "不能比较"),
        ("nothing = 1", "没有字段 nothing"),
        ("count + 1", "不是真假"),
        ("count >", "写得不对"),
        ('matches(word, "a")', "函数 matches"),
        ("for x in [1] return x", "不能译成 SQL"),
    ],
)
def test_a_rule_that_has_no_sql_is_refused_by_packs_check(text, why):
    with pytest.raises(NotTranslatable, match=why):
        Translator(DATASET, lambda id: id, "as_of").condition(text)
    assert expression("1 = 1").evaluate({}) is True


def test_packs_check_names_what_is_wrong_in_a_dataset():
    pack = LIBRARY.get("dataset", "penalties")
    data = {**pack.data, "department": "没有的部门", "valid_from": "name", "fields": {
        **pack.data["fields"], "kind": {"name": "处罚类别", "type": "code", "level": "公开", "codelist": "nowhere"},
        "facts": {"name": "违法事实", "type": "string", "level": "公开", "pattern": "\\d+", "min": 3},
    }}  # fmt: skip
    changed = type(pack)(**{k: getattr(pack, k) for k in pack.__slots__} | {"data": data})
    told = "\n".join(p.what for p in lint(LIBRARY.with_packs([changed])))
    for what in (
        "没有「没有的部门」",
        "name 不是日期",
        "代码表 nowhere 不存在",
        "不通用的写法",
        "string 没有大小",
    ):
        assert what in told
    assert isinstance(LIBRARY, Library)


@pytest.mark.parametrize(
    ("field", "what"),
    [("nothing", "没有字段 nothing"), ("name", "name 不是区划"), ("region", "region 不是必填")],
)
def test_packs_check_names_a_territory_that_cannot_be_told(field, what):
    pack = LIBRARY.get("dataset", "penalties")  # whose region may be empty
    data = dict(pack.data) | {"territory": field}
    changed = type(pack)(**{k: getattr(pack, k) for k in pack.__slots__} | {"data": data})
    assert what in "\n".join(p.what for p in lint(LIBRARY.with_packs([changed])))


def _with_limits(*rows):
    pack = LIBRARY.get("dataset", "penalties")
    data = dict(pack.data) | {"sharing": {**pack.data["sharing"], "rows": list(rows)}}
    return type(pack)(**{k: getattr(pack, k) for k in pack.__slots__} | {"data": data})


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"field": "nothing", "test": "is", "value": "x"}, "没有字段 nothing"),
        ({"field": "name", "test": "from", "value": "x"}, "string 不能用 from 比"),
        ({"field": "fine", "test": "from", "value": "today"}, "decimal 不能和 today 比"),
        ({"field": "decided_on", "test": "from", "value": "去年"}, "“去年”不是 date 的值"),
    ],
)
def test_packs_check_names_a_limit_on_rows_that_cannot_be_enforced(row, what):
    assert what in "\n".join(p.what for p in lint(LIBRARY.with_packs([_with_limits(row)])))


def test_a_limit_is_told_to_the_database_as_the_contract_has_it():
    made = dataset_of(_with_limits({"field": "decided_on", "test": "to", "value": "today"}), LIBRARY)
    assert limits_of(made) == [{"field": "decided_on", "test": "to", "value": "today", "or_missing": False}]
