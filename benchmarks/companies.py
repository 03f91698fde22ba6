"""Invented enterprises of the province and dirty records about them, for the linking benchmark. Seeded.

Short names, trades and places come from the reference data beside the project (never part of it); what is
built from them is nobody's. One in eight of the enterprises is then left out of the register, so that
records about them have no right answer there.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pypinyin import lazy_pinyin

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
FORMS = (
    ("有限公司", 26), ("有限责任公司", 8), ("股份有限公司", 1), ("经营部", 10), ("商行", 6), ("超市", 8),
    ("店", 14), ("饭店", 5), ("厂", 3), ("中心", 3), ("农民专业合作社", 3), ("工作室", 3), ("服务部", 4),
    ("理发店", 3), ("便利店", 3),
)  # fmt: skip
BRANCHES = ("第一分公司", "分公司", "开发区分店", "二店", "东关店", "营业部", "门市部")
ROADS = [
    "和平",
    "解放",
    "人民",
    "建设",
    "文化",
    "泉城",
    "经十",
    "历山",
    "大明湖",
    "胜利",
    "中山",
    "新华",
    "青年",
    "花园",
    "工业",
    "北园",
    "山大",
    "南京",
    "香港",
    "延安",
    "长江",
    "黄河",
    "泰山",
    "东风",
    "光明",
    "朝阳",
    "育才",
    "健康",
    "府前",
    "滨河",
    "迎宾",
    "金融",
    "科技",
    "创业",
    "兴业",
    "振兴",
]


@dataclass
class World:
    """The register and what else is needed to make records about it."""

    names: list[str]
    county: np.ndarray  # index into counties
    counties: list[tuple[str, str, str]]  # code, city, county
    road: np.ndarray
    number: np.ndarray
    phone: np.ndarray
    licence: np.ndarray
    brand: list[str]
    trade: list[str]
    form: np.ndarray
    kept: np.ndarray  # in the register


def _lines(name: str) -> list[str]:
    return [
        line.strip().lstrip("\ufeff") for line in (SHARED / "names" / name).read_text("utf-8").splitlines()
    ]


def make(n: int, seed: int = 7) -> World:
    """``n`` enterprises of which 88 % are in the register."""
    chance = np.random.default_rng(seed)
    with (SHARED / "geo" / "shandong_divisions.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    by_code = {row["code"]: row["name"] for row in rows}
    counties = [(r["code"], by_code[r["parent"]], r["name"]) for r in rows if r["level"] == "county"]
    short = [b for b in _lines("company_short_forms_sample.txt")[3:] if 2 <= len(b) <= 4 and _chinese(b)]
    letters = sorted({c for b in short for c in b})
    weights = np.array([sum(c in b for b in short[::37]) + 1 for c in letters], float)
    made = chance.choice(letters, (n // 2, 3), p=weights / weights.sum())
    sizes = chance.choice([2, 3], n // 2, p=[0.7, 0.3])
    pool = short + ["".join(row[:size]) for row, size in zip(made, sizes, strict=True)]
    brand_at = np.where(
        chance.random(n) < 0.35,
        (len(short) * chance.random(n) ** 2.2).astype(np.int64),
        chance.integers(0, len(pool), n),
    )
    trades = [t for t in _lines("trade.txt") if 2 <= len(t) <= 4 and _chinese(t)]
    trade_at = (len(trades) * chance.random(n) ** 2).astype(np.int64)
    forms, odds = zip(*FORMS, strict=True)
    form_at = chance.choice(len(forms), n, p=np.array(odds) / sum(odds))
    county = chance.integers(0, len(counties), n)
    style = chance.random(n)
    brand, trade, names = [], [], []
    for i in range(n):
        _code, city, place = counties[county[i]]
        area = city if style[i] < 0.3 else place if style[i] < 0.8 else city + place
        if style[i] > 0.95:
            area = "山东"
        b, t = pool[brand_at[i]], trades[trade_at[i]]
        brand.append(b)
        trade.append(t)
        names.append(area + b + t + forms[form_at[i]])
    return World(
        names, county, counties,
        chance.integers(0, len(ROADS), n), chance.integers(1, 400, n),
        13000000000 + chance.integers(0, 900_000_000, n), chance.integers(10**9, 10**10, n),
        brand, trade, form_at, chance.random(n) >= 0.12,
    )  # fmt: skip


def _chinese(text: str) -> bool:
    return all("\u4e00" <= c <= "\u9fff" for c in text)


def register(world: World) -> pa.Table:
    """The register: id, name, region, address, phone, licence."""
    at = np.flatnonzero(world.kept)
    return pa.table(
        {
            "id": pa.array(at),
            "name": pa.array([world.names[i] for i in at]),
            "region": pa.array([world.counties[world.county[i]][0] for i in at]),
            "address": pa.array([_address(world, i) for i in at]),
            "phone": pa.array([str(world.phone[i]) for i in at]),
            "licence": pa.array([f"L{world.licence[i]}" for i in at]),
        }
    )


def _address(world: World, i: int, number: int = 0) -> str:
    _code, city, place = world.counties[world.county[i]]
    return f"{city}{place}{ROADS[world.road[i]]}路{number or world.number[i]}号"


def records(world: World, n: int, seed: int) -> pa.Table:
    """Complaints without a code: key, name, region, address, phone, licence; ``truth`` is the entity, kept or not."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, len(world.names), n)
    sounds: dict[str, list[str]] = {}
    for c in sorted({c for b in world.brand[:200_000] for c in b}):
        sounds.setdefault(lazy_pinyin(c)[0], []).append(c)
    forms = [f for f, _odds in FORMS]
    names, addresses, phones, regions, licences = [], [], [], [], []
    luck = chance.random((n, 12))
    for k in range(n):
        i, r = int(truth[k]), luck[k]
        code = world.counties[world.county[i]][0]
        brand, trade, form = world.brand[i], world.trade[i], forms[world.form[i]]
        if r[0] < 0.10:
            name = world.names[i]
        else:
            if r[1] < 0.15:  # heard, not read
                at = int(r[2] * len(brand))
                same = sounds.get(lazy_pinyin(brand[at])[0], [brand[at]])
                brand = brand[:at] + same[int(r[3] * len(same))] + brand[at + 1 :]
            elif r[1] < 0.19 and len(brand) > 2:
                at = int(r[2] * len(brand))
                brand = brand[:at] + brand[at + 1 :]
            area = "" if r[4] < 0.35 else world.names[i][: world.names[i].index(world.brand[i])]
            trade = "" if r[5] < 0.12 else trade[:2] if r[5] < 0.22 else trade
            form = "" if r[6] < 0.5 else "公司" if "公司" in form and r[6] < 0.6 else form
            name = area + brand + trade + form
            if r[7] < 0.08:
                name += BRANCHES[int(r[8] * len(BRANCHES))]
        names.append(name)
        if r[9] < 0.7:
            other = int(chance.integers(1, 400)) if chance.random() < 0.3 else 0
            addresses.append(
                _address(world, i, other) if chance.random() < 0.9 else f"{ROADS[world.road[i]]}路"
            )
        else:
            addresses.append("")
        phones.append(
            "" if r[10] < 0.5 else str(world.phone[i]) if r[10] < 0.75
            else str(world.phone[int(chance.integers(0, len(world.names)))]) if r[10] < 0.8
            else str(13000000000 + int(chance.integers(0, 900_000_000)))
        )  # fmt: skip
        regions.append(
            code if r[11] < 0.95 else world.counties[int(chance.integers(0, len(world.counties)))][0]
        )
        licences.append(f"L{world.licence[i]}" if chance.random() < 0.03 else "")
    return pa.table(
        {
            "key": pa.array(np.arange(n)),
            "name": names,
            "region": regions,
            "address": addresses,
            "phone": phones,
            "licence": licences,
            "truth": pa.array(truth),
        }
    )
