"""Names taken apart, and records linked to an invented register whose answers are known."""

import random

import duckdb
import pyarrow as pa
import pytest

from yiwang.engines.hub.linking import names
from yiwang.engines.hub.linking.linker import Linker

WORDS = names.vocabulary(
    ["山东省", "济南市", "历下区", "青岛市", "市南区", "临邑县"],
    ["有限公司", "有限责任公司", "公司", "店", "饭店", "经营部"],
    ["分公司", "分店", "店"],
)


def parsed(*texts):
    db = duckdb.connect()
    db.register("arriving", pa.table({"id": list(range(len(texts))), "name": list(texts)}))
    names.parse(db, "arriving", "parsed", WORDS)
    return db.sql("select area, core, form, branch from parsed order by id").fetchall()


def test_a_name_falls_into_its_parts():
    assert parsed(
        "济南市历下区泉味餐饮有限公司",
        "泉味餐饮",
        "（青岛）海风 贸易有限责任公司第一分公司",
        "历下泉味饭店二店",
        "ＡＢＣ科技有限公司",
        "山东济南公司",
        "泉味第二分店",
        "",
    ) == [
        ("济南市历下区", "泉味餐饮", "有限公司", ""),
        ("", "泉味餐饮", "", ""),
        ("青岛", "海风贸易", "有限责任公司", "第一分公司"),
        ("历下", "泉味", "饭店", "二店"),
        ("", "abc科技", "有限公司", ""),
        ("山东济南", "公司", "", ""),
        ("", "泉味", "", "第二分店"),
        ("", "", "", ""),
    ]


def test_what_sounds_the_same_is_the_same():
    assert names.sound(["双利", "双立", "爽粒"]) == [names.sound(["双利"])[0]] * 3
    assert names.sound(["林"]) == names.sound(["灵"]) == names.sound(["宁"])  # n/ng, l/n
    assert names.sound(["泉"]) != names.sound(["海"])
    assert names.sound(["abc"]) == ["abc"]


BRANDS = "泉味 海风 明达 恒信 双利 双柳 瑞祥 金鼎 华宇 康泰 百盛 万和 同心 兴隆 福满 鑫源 德润 天虹"
TRADES = "餐饮 贸易 科技 建筑 物流 医药 食品 广告"


@pytest.fixture(scope="module")
def linked():
    """A register of two thousand, a quarter of them missing from it, and complaints about all of them."""
    chance = random.Random(5)
    brands, trades = BRANDS.split(), TRADES.split()
    everything = []
    for n in range(2600):
        region = chance.choice(["370102", "370202", "371424"])
        area = {"370102": "济南市历下区", "370202": "青岛市", "371424": "临邑县"}[region]
        brand = chance.choice(brands) + chance.choice(brands)[:1] * (n % 2)
        name = area + brand + chance.choice(trades) + "有限公司"
        road, number = chance.choice(["和平", "解放", "泉城"]), n % 300 + 1
        everything.append((n, name, region, f"{area}{road}路{number}号", f"139{n:08d}", f"L{n}"))
    register = [row for row in everything if row[0] % 4]
    records = []
    for key in range(3000):
        n, name, region, address, phone, _licence = chance.choice(everything)
        said = name[chance.choice([0, 0, 3]) :] if region != "371424" else name
        said = said.replace("有限公司", "") if chance.random() < 0.5 else said
        number = phone if chance.random() < 0.5 else ""
        records.append((key, said, region, address if chance.random() < 0.6 else "", number, "", n))
    db = duckdb.connect()
    columns = ["name", "region", "address", "phone", "licence"]
    for table, rows, cols in (
        ("source", register, ["id", *columns]),
        ("records_in", records, ["key", *columns, "truth"]),
    ):
        db.register("arriving", pa.table(dict(zip(cols, map(list, zip(*rows, strict=True)), strict=True))))
        db.execute(f"create table {table} as select * from arriving")
        db.unregister("arriving")
    db.execute(
        "create table coded as select * exclude truth, case when truth % 4 > 0 then truth end as truth"
        " from records_in where key < 1500"
    )
    db.execute("create table asked as select * exclude truth from records_in where key >= 1500")
    linker = Linker(db, WORDS)
    linker.index("source")
    linker.learn("coded", precision=0.99)
    return linker.link("asked"), {row[0]: row[-1] for row in records}


def test_links_are_right_and_nothing_is_forced(linked):
    links, truth = linked
    accepted = [(k, i) for k, i, a in zip(links.key, links.id, links.accepted, strict=True) if a]
    right = sum(truth[k] == i for k, i in accepted)
    assert right / len(accepted) > 0.97
    absent = [k for k in links.key if truth[k] % 4 == 0]
    forced = sum(1 for k, _i in accepted if truth[k] % 4 == 0)
    assert forced < 0.03 * len(absent)  # not in the register: left alone
    there = sum(1 for k in range(1500, 3000) if truth[k] % 4)
    assert right / there > 0.5


def test_every_link_says_how_likely_it_is(linked):
    links, _truth = linked
    assert ((links.score >= 0) & (links.score <= 1)).all()
    assert (links.margin <= links.score).all()
    assert len(set(links.key.tolist())) == len(links.key)  # one decision for each record
