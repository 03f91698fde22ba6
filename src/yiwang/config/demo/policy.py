"""The province's enterprises for policies: 30,000 invented ones, and the one that people of the demo act for.

Seeded. Codes have the shape of GB 32100 with region 379901, which was never issued. Two thirds are household
businesses of which little is known, as in life.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from django.db import connections
from django.utils import timezone

from yiwang.domains.policy import province, queries
from yiwang.engines.cases.forms.uscc import make_uscc
from yiwang.kernel.orgs.models import Post, Region
from yiwang.kernel.orgs.queries import responsible
from yiwang.kernel.packs import api as packs

from . import enterprises
from .people import NEVER_ISSUED, Demo

COUNT, SEED, REGISTER = 30_000, 20230116, "ent_profile"
INDUSTRIES = (
    ("F52", 26),
    ("H62", 15),
    ("F51", 11),
    ("O80", 9),
    ("G54", 6),
    ("C34", 4),
    ("C35", 4),
    ("C13", 4),
    ("C26", 3),
    ("I65", 4),
    ("M73", 3),
    ("E50", 4),
    ("A01", 4),
    ("L72", 3),
)
LEAD = date(2026, 6, 30)  # nobody was founded later
OFFICE = "惠企政策服务"
COUNTY = "370102"


def records(boss: Demo, count: int = COUNT) -> Iterator[tuple[str, dict[str, Any]]]:
    """Code and fields of every enterprise; the demo's own one first, with everything known."""
    yield enterprises.USCC, own(boss)
    chance = random.Random(SEED)  # noqa: S311 (invented enterprises)
    counties = list(
        Region.objects.filter(level="county", official=True, valid_to=None)
        .order_by("code")
        .values_list("code", flat=True)
    )
    kinds = [k for k, _w in INDUSTRIES]
    weights = [w for _k, w in INDUSTRIES]
    for n in range(1, count):
        code = make_uscc("9", "1", NEVER_ISSUED, "MP", n)
        region, industry = chance.choice(counties), chance.choices(kinds, weights)[0]
        yield code, _one(chance, n, region, industry, chance.random() < 2 / 3)


def own(boss: Demo) -> dict[str, Any]:
    """济南泉味餐饮: eight people, two years old. What only itself can say (数字化投入) is left open."""
    return {
        "名称": enterprises.NAME,
        "注册地": boss.county,
        "主体类型": "企业",
        "行业": "H62",
        "规模": "微型",
        "成立日期": "2024-05-20",
        "从业人数": 8,
        "参保人数": 8,
        "失业保险月数": 26,
        "失业保险费": 9600,
        "裁员率": 0,
        "新招高校毕业生": 1,
        "新招就业困难人员": 0,
        "见习人数": 0,
        "培训取证人数": 0,
        "高层次人才": 0,
        "发明专利": 0,
        "环保处罚次数": 0,
        "营业收入": 320,
        "上年营业收入": 260,
        "资产总额": 150,
        "应纳税所得额": 18,
        "地方税费": 0.8,
        "研发费用": 0,
        "上年研发费用": 0,
        "出口额": 0,
        "上年出口额": 0,
        "技改投资": 0,
        "贷款余额": 50,
        "贷款利息": 1.8,
        "专精特新": "无",
        "严重失信": False,
        "欠税": False,
        "高新技术企业": False,
        "科技型中小企业": False,
        "领过创业补贴": False,
        "首次贷款": True,
        "跨境电商": False,
        "绿色工厂": False,
    }


def _one(chance: random.Random, n: int, region: str, industry: str, household: bool) -> dict[str, Any]:
    maker = industry.startswith("C")
    staff = 1 + int(chance.expovariate(1 / 2)) if household else 1 + int(chance.lognormvariate(2.6, 1.2))
    revenue = round(staff * chance.lognormvariate(2.8, 0.7), 2)
    size = "大型" if staff >= 1000 else "中型" if staff >= 300 else "小型" if staff >= 20 else "微型"
    found: dict[str, Any] = {
        "名称": f"示例{'商户' if household else '企业'}{n:05d}",
        "注册地": region,
        "主体类型": "个体工商户" if household else "企业",
        "行业": industry,
        "规模": size,
        "成立日期": (LEAD - timedelta(days=int(chance.expovariate(1 / 2200)))).isoformat(),
        "从业人数": staff,
        "严重失信": chance.random() < 0.01,
    }
    if household and chance.random() < 0.7:  # of most household businesses nobody knows more
        return found
    insured = max(0, staff - int(chance.random() * 3))
    found |= {
        "参保人数": insured,
        "失业保险月数": chance.choice((0, 6, 11, 12, 24, 36, 60)),
        "失业保险费": insured * 420,
        "裁员率": round(max(0.0, chance.gauss(0.03, 0.04)), 4),
        "新招高校毕业生": int(chance.expovariate(1.2)),
        "新招就业困难人员": int(chance.random() < 0.05),
        "营业收入": revenue,
        "上年营业收入": round(revenue * chance.uniform(0.75, 1.2), 2),
        "资产总额": round(revenue * chance.uniform(0.4, 2), 2),
        "应纳税所得额": round(revenue * max(0.0, chance.gauss(0.06, 0.05)), 2),
        "地方税费": round(revenue * 0.004, 2),
        "环保处罚次数": int(chance.random() < 0.02),
        "欠税": chance.random() < 0.03,
    }
    if household:
        return found
    tech = industry in ("I65", "M73", "C35", "C26") or (maker and chance.random() < 0.4)
    spent = round(revenue * chance.uniform(0.01, 0.09), 2) if tech else 0
    export = round(revenue * chance.uniform(0.05, 0.7), 2) if maker and chance.random() < 0.3 else 0
    loan = round(revenue * chance.uniform(0.1, 0.5), 2) if chance.random() < 0.45 else 0
    found |= {
        "研发费用": spent,
        "上年研发费用": round(spent * chance.uniform(0.6, 1.1), 2),
        "出口额": export,
        "上年出口额": round(export * chance.uniform(0.7, 1.1), 2),
        "贷款余额": loan,
        "贷款利息": round(loan * 0.039, 2),
        "首次贷款": loan > 0 and chance.random() < 0.15,
        "高新技术企业": tech and chance.random() < 0.25,
        "科技型中小企业": tech and chance.random() < 0.35,
        "技改投资": round(revenue * 0.2, 2) if maker and chance.random() < 0.2 else 0,
        "专精特新": ("省级" if chance.random() < 0.12 else "小巨人" if chance.random() < 0.02 else "无")
        if tech
        else "无",
        "发明专利": int(chance.expovariate(0.5)) if tech else 0,
        "高层次人才": int(tech and chance.random() < 0.06),
        "绿色工厂": maker and chance.random() < 0.03,
        "领过创业补贴": chance.random() < 0.1,
    }
    if found["高新技术企业"] and chance.random() < 0.2:
        found["高新首次认定年"] = 2026
    return found


def make(sign_in: Callable, people: Mapping[str, Demo], staff: Iterable[Demo]) -> None:
    """The register by COPY, the province's copy of it, and people in the offices. As the system."""
    if packs.current().find("register", REGISTER) is None:  # packs of somebody's own
        return
    now, owner = timezone.now(), connections["owner"]
    owner.ensure_connection()
    with owner.connection.cursor() as cursor:
        with cursor.copy("copy registers_record (register, key, fields, updated) from stdin") as copy:
            for key, fields in records(people[enterprises.BOSS]):
                copy.write_row((REGISTER, key, json.dumps(fields, ensure_ascii=False), now))
        cursor.execute("analyze registers_record")
    owner.close()
    province.build(queries.frame())
    free, order = iter(staff), 60
    offices = [
        ("policy_writer", "人力资源社会保障", "370000", "政策编写", ["policy_writer"]),
        ("policy_publisher", "人力资源社会保障", "370000", "政策审核", ["policy_publisher"]),
        ("policy_desk", OFFICE, COUNTY, "受理岗、审查岗", ["acceptor", "reviewer"]),
        ("policy_decider", OFFICE, COUNTY, "决定岗", ["decider"]),
        ("policy_lx", "人力资源社会保障", COUNTY, "政策审核", ["policy_writer", "policy_publisher"]),
    ]
    for username, function, region, title, roles in offices:
        office = responsible(function, region)
        user = sign_in(username, next(free), f"{office.name}　{title}", order)
        Post.objects.create(person=user.person, org=office, title=title, roles=roles, since=date(2020, 1, 1))
        order += 1
