"""A made-up province for `bench match`: market entities in Parquet and policies, both seeded.

Two thirds are household businesses with few fields filled; figures are log-normal, codes have popular and rare
values, most policies are for one county or city. Every threshold is invented (示例).
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from yiwang.engines.judge.rules import load_fields, load_policy

TODAY = date(2026, 11, 25)
GROUP = 250_000  # rows of a row group
PART = 3_000_000  # rows of a file; other engines are compared on the first
CITIES = [f"37{n:02}" for n in range(1, 18) if n != 12]
COUNTIES = [f"{city}{n:02}" for city in CITIES for n in range(2, 10)] + [f"{city}81" for city in CITIES[:8]]
SECTIONS = "ABCDEFGHIJKLMNOPQRST"
CLASSES = sorted(f"{SECTIONS[n * 20 // 98]}{n:02}{k:02}" for n in range(1, 98) for k in range(10, 24))
KINDS = ["个体工商户", "有限责任公司", "股份有限公司", "农民专业合作社", "个人独资企业", "合伙企业"]
SIZES = ["微型", "小型", "中型", "大型"]
STATUSES = ["存续", "注销", "吊销", "迁出"]
GRADES = ["A", "B", "C", "D", "E"]
MONEY = {"regcap": (3.5, 1.6), "revenue": (5, 1.8), "rd": (2, 1.7), "assets": (5.5, 1.8), "tax": (2, 1.9)}
MONEY |= {"export": (3, 2.0), "energy": (3, 2.2), "loan": (4, 1.5), "invest": (3, 1.9)}
FILLED = {  # share of enterprises and of households whose register holds the value
    "regcap": (0.99, 0.95), "revenue": (0.85, 0.05), "rd": (0.4, 0.0), "assets": (0.8, 0.02), "tax": (0.9, 0.4),
    "export": (0.15, 0.001), "energy": (0.5, 0.05), "loan": (0.4, 0.03), "invest": (0.3, 0.01),
    "staff": (0.9, 0.1), "social": (0.85, 0.1), "patents": (0.95, 0.01), "growth": (0.7, 0.03),
    "credit": (0.9, 0.3), "debt": (0.7, 0.02),
}  # fmt: skip
TAGS = [f"tag{n}" for n in range(18)]
STEPS = {
    "regcap": [10, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000, 10000],
    "revenue": [50, 100, 200, 300, 500, 1000, 2000, 5000, 10000, 20000, 40000, 100000],
    "rd": [10, 50, 100, 200, 500, 1000], "assets": [100, 500, 1000, 5000, 10000, 50000],
    "tax": [1, 5, 10, 50, 100, 500, 1000], "export": [10, 50, 100, 500, 1000], "energy": [10, 50, 100, 500, 5000],
    "loan": [10, 50, 100, 500, 1000], "invest": [10, 50, 100, 500, 1000, 5000],
    "staff": [3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000], "social": [1, 3, 5, 10, 20, 50, 100],
    "patents": [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 50], "growth": [-5, 0, 3, 5, 8, 10, 15, 20, 30, 50],
    "penalties": [1, 2, 3, 5], "debt": [0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
    "age": [180, 365, 540, 730, 1095, 1460, 1825, 2555, 3650, 5475],
    "rd_ratio": [0.01, 0.02, 0.025, 0.03, 0.035, 0.04, 0.05, 0.06, 0.1],
}  # fmt: skip
BELOW = {"penalties", "debt"}


def fields():
    """What rules may read: 45 columns, three of them derived."""
    raw = {
        "region": {"label": "注册地", "type": "code"},
        "industry": {"label": "行业", "type": "code"},
        "kind": {"label": "主体类型", "type": "string"},
        "size": {"label": "规模", "type": "string"},
        "status": {"label": "登记状态", "type": "string"},
        "credit": {"label": "信用等级", "type": "string"},
        "founded": {"label": "成立日期", "type": "date"},
        "age": {"label": "成立天数", "type": "number", "digits": 7, "derive": "(today - founded).days"},
        "rd_ratio": {"label": "研发强度", "type": "number", "scale": 4, "derive": "rd / revenue"},
        "tax_ratio": {"label": "税负", "type": "number", "scale": 4, "derive": "tax / revenue"},
        "growth": {"label": "营收增速", "type": "number", "scale": 2, "digits": 7, "unit": "%"},
        "debt": {"label": "资产负债率", "type": "number", "scale": 4, "digits": 7},
    }
    raw |= {name: {"type": "number", "scale": 2, "digits": 12, "unit": "万元"} for name in MONEY}
    raw |= {name: {"type": "number", "digits": 9} for name in ("staff", "social", "patents", "penalties")}
    raw |= {name: {"type": "boolean"} for name in TAGS}
    return load_fields(raw)


def policies(count, found, seed=11):
    """`count` policies of three to eight conditions."""
    rng = np.random.default_rng(seed)
    cells = {}
    return [
        load_policy(
            {
                "id": f"p{n}",
                "name": f"政策{n}",
                "rules": [{"id": "r", "when": _conditions(rng)}],
            },
            found,
            TODAY,
            cells=cells,
        )
        for n in range(count)
    ]


def edit(found, revenue="873"):
    """A policy as edited (a revenue from `revenue` on, in 万元) and as published (from 1000 on)."""

    def one(least):
        when = {
            "industry": 'starts with(?, "C")',
            "revenue": f">= {least}",
            "status": '"存续"',
            "patents": ">= 1",
        }
        return load_policy({"id": "e", "name": "技改", "rules": [{"id": "r", "when": when}]}, found, TODAY)

    return one(revenue), one("1000")


def _conditions(rng):
    when = {}
    scope = rng.random()
    if scope < 0.32:
        when["region"] = f'starts with(?, "{rng.choice(CITIES)}")'
    elif scope < 0.92:
        when["region"] = f'"{rng.choice(COUNTIES)}"'
    names = [*STEPS, "industry", "kind", "status", "credit", "size", *TAGS]
    weights = np.array([1.0] * len(STEPS) + [5, 2, 1.5, 1.5, 1.5] + [0.3] * len(TAGS))
    wanted = int(rng.integers(3, 9))
    while len(when) < wanted:
        name = str(rng.choice(names, p=weights / weights.sum()))
        if name not in when:
            when[name] = _test(name, rng)
    hard = {"region", "industry", "kind", "age", "size"}
    return {
        name: {"test": text, "clause": f"第{n}条", "hard": name in hard}
        for n, (name, text) in enumerate(when.items(), 1)
    }


def _test(name, rng):
    if name == "industry":
        draw = rng.random()
        if draw < 0.3:
            return f'starts with(?, "{rng.choice(list("CIMFGOR"))}")'
        if draw < 0.6:
            start = str(rng.choice(CLASSES))[:3]
            return f'starts with(?, "{start}")'
        some = ", ".join(f'"{c}"' for c in rng.choice(CLASSES, int(rng.integers(2, 40)), replace=False))
        return some if draw < 0.92 else f"not({some})"
    if name in ("kind", "status", "credit", "size"):
        choices = {
            "kind": ['"有限责任公司"', '"有限责任公司", "股份有限公司"', '"个体工商户"', 'not("个体工商户")'],
            "status": ['"存续"'],
            "credit": ['"A"', '"A", "B"', 'not("D", "E")'],
            "size": ['"微型"', '"微型", "小型"', '"小型", "中型"', 'not("大型")'],
        }
        return str(rng.choice(choices[name]))
    if name in TAGS:
        return "true"
    steps = STEPS[name]
    place = int(rng.integers(0, len(steps)))
    if name in BELOW:
        return f"< {steps[place]}"
    draw = rng.random()
    if draw < 0.2 and place + 1 < len(steps):
        return f"[{steps[place]}..{steps[place + 1]})"
    return f">= {steps[min(place, len(steps) // 2)]}" if draw < 0.8 else f"< {steps[place]}"


def write(folder: Path, rows: int, seed=7) -> list[Path]:
    """The entities, in files of PART rows. Two threads; each row group has a seed of its own."""
    jobs = [(folder / f"part-{n:03}.parquet", n, min(PART, rows - n * PART)) for n in range(-(-rows // PART))]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda job: _write_part(*job, seed), jobs))
    return [path for path, _, _ in jobs]


def _write_part(path, part, rows, seed):
    writer = None
    for n, start in enumerate(range(0, rows, GROUP)):
        table = _group(min(GROUP, rows - start), np.random.default_rng([seed, part, n]))
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd", compression_level=1)
        writer.write_table(table, row_group_size=GROUP)
    writer.close()


def _texts(places, texts, missing=None):
    indices = pa.array(places.astype(np.int32), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, pa.array(texts))


def _popular(rng, count, size, power=0.8):
    weights = 1 / np.arange(1, count + 1) ** power
    np.random.default_rng(3).shuffle(weights)  # the same ones are popular everywhere
    return np.searchsorted(np.cumsum(weights / weights.sum()), rng.random(size)).clip(0, count - 1)


def _decimal(cents, scale, digits, missing):
    """Integers as DECIMAL, without going through text."""
    pairs = np.empty((len(cents), 2), np.int64)
    pairs[:, 0], pairs[:, 1] = cents, cents >> 63
    bitmap = pa.py_buffer(np.packbits(~missing, bitorder="little"))
    kind = pa.decimal128(digits, scale)
    return pa.Array.from_buffers(kind, len(cents), [bitmap, pa.py_buffer(pairs)], int(missing.sum()))


def _group(n, rng):
    household = rng.random(n) < 0.68
    kind = np.where(household, 0, 1 + np.searchsorted([0.75, 0.84, 0.9, 0.96], rng.random(n)))

    def missing(name):
        enterprise, own = FILLED[name]
        return rng.random(n) >= np.where(household, own, enterprise)

    columns = {
        "region": _texts(_popular(rng, len(COUNTIES), n, 0.3), COUNTIES),
        "industry": _texts(_popular(rng, len(CLASSES), n), CLASSES),
        "kind": _texts(kind, KINDS),
        "size": _texts(np.where(household, 0, np.searchsorted([0.7, 0.94, 0.99], rng.random(n))), SIZES),
        "status": _texts(np.searchsorted([0.86, 0.92, 0.97], rng.random(n)), STATUSES),
        "credit": _texts(np.searchsorted([0.2, 0.65, 0.85, 0.95], rng.random(n)), GRADES, missing("credit")),
    }
    days = rng.gamma(2.0, 1080, n).clip(0, 18000).astype(np.int32)
    columns["founded"] = pa.array((TODAY - date(1970, 1, 1)).days - days, pa.int32()).cast(pa.date32())
    for name, (mean, spread) in MONEY.items():
        value = np.exp(rng.normal(mean, spread, n)).clip(0.01, 9e6)
        cents = (np.where(household, value * 0.05, value) * 100).astype(np.int64)
        columns[name] = _decimal(cents, 2, 12, missing(name))
    staff = np.exp(rng.normal(2, 1.2, n)).clip(1, 30000).astype(np.int32)
    columns["staff"] = pa.array(staff, mask=missing("staff"))
    columns["social"] = pa.array((staff * rng.random(n)).astype(np.int32), mask=missing("social"))
    patents = rng.poisson(np.exp(rng.normal(-1, 1.5, n))).clip(0, 3000).astype(np.int32)
    columns["patents"] = pa.array(patents, mask=missing("patents"))
    columns["penalties"] = pa.array(rng.poisson(0.15, n).astype(np.int32))
    growth = (rng.normal(6, 25, n).clip(-100, 300) * 100).astype(np.int64)
    columns["growth"] = _decimal(growth, 2, 7, missing("growth"))
    columns["debt"] = _decimal((rng.beta(3, 3, n) * 10000).astype(np.int64), 4, 7, missing("debt"))
    shares = np.random.default_rng(5).choice([0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2], len(TAGS))
    for name, share in zip(TAGS, shares, strict=True):
        columns[name] = pa.array(rng.random(n) < np.where(household, share * 0.1, share))
    return pa.table(columns)
