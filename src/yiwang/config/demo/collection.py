"""Deliveries of the demo's departments: some hundred invented enterprises, their permits, penalties, complaints.

Only files are made here; the collector loads them once the installation runs. Their codes have the shape of
GB 32100 with region 379901, which was never issued.
"""

import csv
import io
import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.utils import timezone

from yiwang.engines.cases.forms.uscc import make_uscc
from yiwang.engines.hub import actions, datasets
from yiwang.kernel.access.contracts import SYSTEM, Actor
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import User
from yiwang.kernel.accounts.queries import actor_of

from .enterprises import NAME, USCC
from .people import COUNTIES, NEVER_ISSUED, Demo

COUNT = 240
COUNTY = COUNTIES[0]  # where the demo's reporter works
BRANDS = ("泉润", "鲁信达", "海岱", "文昌", "金桥", "顺和", "瑞丰", "齐盛", "蓝湾", "百合", "德源", "明湖")
TRADES = (
    ("餐饮", "H62"),
    ("商贸", "F52"),
    ("食品", "C14"),
    ("机械", "C35"),
    ("软件", "I65"),
    ("物流", "G59"),
)
ROADS = ("文化路", "解放路", "泉城路", "青年路", "建设街", "滨河路")
Row = dict[str, object]


def make(everybody: list[Demo]) -> None:
    """Hand the files in as the reporting officials would."""
    maker = random.Random(20230115)  # noqa: S311 (invented enterprises, not secrets)
    now = timezone.localtime()
    firms = [_firm(maker, n, everybody[500 + n].name, now) for n in range(COUNT)]
    known = {**firms[0], "统一社会信用代码": USCC, "企业名称": NAME, "成立日期": "2024-05-20"}
    first = [{**f, "核准日期": f["成立日期"], "登记状态": "1", "注销日期": ""} for f in [*firms, known]]
    _by_place("ent_registration", "登记注册-全量.csv", first, "所在区划", now - timedelta(days=40))
    _deliver("reporter_sd", "ent_registration", "登记注册-日增量.csv", _changed(maker, firms, now), now)
    _nothing_new("reporter", "ent_registration", now)
    _deliver("reporter_xs", "ent_permits", "行政许可.csv", _permits(maker, firms, now), now)
    licences = list(_licences(maker, firms, now))
    _by_place("product_licences", "生产许可.csv", licences, "生产地区划", now)
    _deliver(
        "reporter",
        "penalties",
        "行政处罚.csv",
        [*_penalties(maker, firms, now), _own_penalty(known, now)],
        now,
    )
    _by_place("complaints", "投诉举报.csv", _complaints(maker, firms, licences, now), "事发区划", now)
    _deliver("", "public_credit", "公共信用综合评价.csv", _public(firms, known, now), now)
    _deliver("reporter", "industry_credit", "行业信用评价.csv", _of_industry(firms, known, now), now)
    _deliver("reporter", "ent_relations", "企业关系.csv", _relations(firms, known, now), now)
    _deliver("reporter", "annual_reports", "年报.csv", _reports(firms, known, now), now)
    _deliver("reporter", "online_sellers", "平台内经营者.csv", _sellers(firms, known, now), now)


def _by_place(dataset: str, name: str, rows: Iterable[Row], place: str, as_of: datetime) -> None:
    """A county delivers its own, the province's office what the others have not delivered themselves."""
    rows = list(rows)
    _deliver("reporter_sd", dataset, name, [row for row in rows if row[place] != COUNTY], as_of)
    _deliver("reporter", dataset, name, [row for row in rows if row[place] == COUNTY], as_of)


def _nothing_new(username: str, dataset: str, as_of: datetime) -> None:
    found, actor = datasets.find(dataset), _actor(username)
    if found is not None:
        with acting(actor):
            actions.nothing_new(actor, found, as_of)


def _actor(username: str) -> Actor:
    with acting(SYSTEM):
        return actor_of(User.objects.select_related("person").get(username=username))


def _deliver(username: str, dataset: str, name: str, rows: Iterable[Row], as_of: datetime) -> None:
    rows = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    content = text.getvalue().encode()
    found = datasets.find(dataset)
    if found is None:  # packs of somebody's own
        return
    if not username:  # from the province's platform
        with acting(SYSTEM):
            actions.receive(SYSTEM, found, name, io.BytesIO(content), len(content), as_of, None, "system")
        return
    actor = _actor(username)
    with acting(actor):
        actions.receive(actor, found, name, io.BytesIO(content), len(content), as_of)


def _firm(maker: random.Random, n: int, legal: str, now: datetime) -> Row:
    trade, industry = TRADES[n % len(TRADES)]
    opened = now.date() - timedelta(days=maker.randint(60, 6000))
    return {
        "统一社会信用代码": make_uscc("9", "1", NEVER_ISSUED, "MC", n + 1),
        "企业名称": f"济南{BRANDS[n % len(BRANDS)]}{n + 1}号{trade}有限公司（示例）",
        "类型": "1100", "登记状态": "1", "注册资本（万元）": maker.choice((10, 50, 100, 500, 1000)),
        "行业代码": industry, "住所": f"{maker.choice(ROADS)}{maker.randint(1, 200)}号",
        "所在区划": COUNTIES[n % len(COUNTIES)], "法定代表人姓名": legal, "联系电话": f"0531-5550{n:04d}",
        "登记机关": "市场监督管理局（示例）", "成立日期": opened.isoformat(), "核准日期": opened.isoformat(),
        "注销日期": "",
    }  # fmt: skip


def _changed(maker: random.Random, firms: list[Row], now: datetime) -> Iterator[Row]:
    """A day's changes: moves, a closing; and four rows as they come in life."""
    for n, firm in enumerate(firms[:36]):
        day = (now.date() - timedelta(days=maker.randint(1, 20))).isoformat()
        if n % 9 == 0:
            yield {**firm, "登记状态": "3", "注销日期": day, "核准日期": day}
        else:
            yield {**firm, "住所": f"{maker.choice(ROADS)}{maker.randint(201, 400)}号", "核准日期": day}
    code = str(firms[40]["统一社会信用代码"])
    swap = next(n for n in range(8, 17) if code[n] != code[n + 1])
    yield {**firms[40], "统一社会信用代码": code[:swap] + code[swap + 1] + code[swap] + code[swap + 2 :]}
    yield {**firms[41], "统一社会信用代码": str(firms[41]["统一社会信用代码"]).lower()}
    yield {**firms[42], "登记状态": "3"}
    yield {**firms[43], "所在区划": "999999"}


def _permits(maker: random.Random, firms: list[Row], now: datetime) -> Iterator[Row]:
    for n in range(260):
        firm = firms[n % COUNT]
        decided = now.date() - timedelta(days=maker.randint(10, 900))
        yield {
            "许可决定文书号": f"历审许〔{decided.year}〕{n + 1}号", "统一社会信用代码": firm["统一社会信用代码"],
            "行政相对人名称": firm["企业名称"],
            "许可事项": maker.choice(("食品经营许可", "公共场所卫生许可", "道路运输经营许可")),
            "许可类别": "1", "许可决定日期": decided.isoformat(),
            "有效期至": (decided + timedelta(days=1825)).isoformat(), "证件状态": "1",
            "许可机关": "行政审批服务局（示例）", "所在区划": firm["所在区划"],
        }  # fmt: skip


def _licences(maker: random.Random, firms: list[Row], now: datetime) -> Iterator[Row]:
    makers = [f for f in firms if f["行业代码"] in ("C14", "C35")]
    for n, firm in enumerate(makers[:54]):
        issued = now.date() - timedelta(days=maker.randint(30, 1500))
        yield {
            "许可证编号": f"SC1063799010{n:04d}", "统一社会信用代码": firm["统一社会信用代码"],
            "企业名称": firm["企业名称"], "产品名称": maker.choice(("糕点", "饮料", "压力锅", "人造板")),
            "生产地址": firm["住所"], "生产地区划": firm["所在区划"], "发证日期": issued.isoformat(),
            "有效期至": (issued + timedelta(days=1825)).isoformat(), "证件状态": "1",
            "发证机关": "市场监督管理局（示例）",
        }  # fmt: skip


def _penalties(maker: random.Random, firms: list[Row], now: datetime, count: int = 70) -> Iterator[Row]:
    for n in range(count):
        firm = firms[maker.randrange(COUNT)]
        decided = now.date() - timedelta(days=maker.randint(5, 700))
        yield {
            "处罚决定书文号": f"历市监处罚〔{decided.year}〕{n + 1}号", "统一社会信用代码": firm["统一社会信用代码"],
            "行政相对人名称": firm["企业名称"], "处罚类别": "02", "处罚程序": "2",
            "违法事实": "未按规定公示价格（示例）", "处罚依据": "价格法第四十二条", "处罚内容": "罚款（示例）",
            "罚款金额（万元）": maker.choice(("0.2", "0.5", "1", "")) if n % 23 == 0 else "0.5",
            "处罚决定日期": decided.isoformat(), "公示截止日期": (decided + timedelta(days=365)).isoformat(),
            "是否撤销": "否", "处罚机关": "市场监督管理局（示例）", "所在区划": firm["所在区划"],
        }  # fmt: skip


def _own_penalty(firm: Row, now: datetime) -> Row:
    """The one of the enterprise that the demo's people act for; it will try to have it corrected."""
    (first,) = _penalties(random.Random(7), [firm] * COUNT, now, 1)  # noqa: S311
    return {**first, "处罚决定书文号": "历市监处罚〔示例〕1号", "罚款金额（万元）": "12"}


def _complaints(maker: random.Random, firms: list[Row], licences: list[Row], now: datetime) -> Iterator[Row]:
    """Some who complain read the number off the licence on the wall."""
    numbers = {one["统一社会信用代码"]: one["许可证编号"] for one in licences}
    for n in range(190):
        firm = firms[maker.randrange(COUNT)]
        at = now - timedelta(days=maker.randint(1, 300), minutes=maker.randint(0, 1000))
        known = n % 3 == 0  # most complaints come without a code
        yield {
            "登记编号": f"TS{at:%Y%m%d}{n:04d}", "类别": "1",
            "被诉方统一社会信用代码": firm["统一社会信用代码"] if known else "",
            "被诉方名称": firm["企业名称"], "被诉方地址": firm["住所"], "事发区划": firm["所在区划"],
            "登记时间": f"{at:%Y-%m-%d %H:%M:%S}", "问题类别": maker.choice(("食品安全", "价格", "售后服务", "合同")),
            "处理状态": "40", "办结时间": f"{at + timedelta(hours=20):%Y-%m-%d %H:%M:%S}",
            "是否属实": maker.choice(("是", "否")),
            "被诉方许可证编号": numbers.get(firm["统一社会信用代码"], "") if n % 4 < 2 else "",
        }  # fmt: skip


def _public(firms: list[Row], known: Row, now: datetime) -> Iterator[Row]:
    """What the province's credit centre found: most are good, a few poor, one no longer valid."""
    for n, firm in enumerate([known, *firms[60:110]]):
        day = now.date() - timedelta(days=400 if n == 7 else 60 + n)
        yield {
            "统一社会信用代码": firm["统一社会信用代码"], "企业名称": firm["企业名称"],
            "评价机构": "公共信用信息中心（示例）",
            "评价等级": "3" if n == 0 else ("1", "2", "2", "3", "4")[n % 5 if n % 10 < 5 else 1],
            "评价报告编号": f"GX{day:%Y%m}{n:04d}", "评价日期": day.isoformat(),
            "有效期至": (day + timedelta(days=365)).isoformat(),
        }  # fmt: skip


def _of_industry(firms: list[Row], known: Row, now: datetime) -> Iterator[Row]:
    """What the authority of catering and food found."""
    food = [f for f in firms if f["行业代码"] in ("H62", "C14")]
    for n, firm in enumerate([known, *food[:25]]):
        day = now.date() - timedelta(days=90 + n)
        yield {
            "统一社会信用代码": firm["统一社会信用代码"], "企业名称": firm["企业名称"],
            "评价机构": "市场监督管理局（示例）", "评价的行业": firm["行业代码"],
            "评价等级": "C" if n == 0 else "ABBCD"[n % 5], "评价日期": day.isoformat(),
            "有效期至": (day + timedelta(days=730)).isoformat(),
        }  # fmt: skip


def _relations(firms: list[Row], known: Row, now: datetime) -> Iterator[Row]:
    """Who invests in whom, and branches; enterprises only."""

    def row(owner: Row, own: Row, kind: str, share: str, years: int, ends: str = "") -> Row:
        since = now.date() - timedelta(days=365 * years)
        return {
            "关联企业统一社会信用代码": owner["统一社会信用代码"], "关联企业名称": owner["企业名称"],
            "统一社会信用代码": own["统一社会信用代码"], "企业名称": own["企业名称"], "关系种类": kind,
            "出资比例（%）": share, "起始日期": since.isoformat(), "终止日期": ends,
        }  # fmt: skip

    yield row(firms[1], known, "1", "60", 2)
    yield row(firms[2], known, "1", "25.5", 1)
    yield row(known, firms[60], "1", "100", 1)
    yield row(known, firms[66], "2", "", 1)
    yield row(known, firms[72], "1", "10", 2, (now.date() - timedelta(days=30)).isoformat())
    for n in range(100, 130):
        yield row(firms[n], firms[n + 30], "1" if n % 3 else "2", "51" if n % 3 else "", 1 + n % 4)


def _reports(firms: list[Row], known: Row, now: datetime) -> Iterator[Row]:
    """Annual reports; some say another name than the register, some have letters sent elsewhere, as they may."""
    for n, firm in enumerate([known, *firms[60:140]]):
        name, address = str(firm["企业名称"]), str(firm["住所"])
        yield {
            "统一社会信用代码": firm["统一社会信用代码"],
            "企业名称": name.replace("有限公司", "责任公司") if n % 20 == 5 else name,
            "报告年度": now.year - 1, "年报状态": "1",
            "公示日期": (now.date() - timedelta(days=150 + n % 30)).isoformat(),
            "通信地址": f"{address}二层" if n % 10 == 0 else address,
        }  # fmt: skip


def _sellers(firms: list[Row], known: Row, now: datetime) -> Iterator[Row]:
    """What platforms verified of their sellers: one trades under another name, some are closed in the register."""
    for n, firm in enumerate([known, *firms[0:28:9], *firms[150:176]]):
        name = str(firm["企业名称"])
        yield {
            "平台名称": "某网络交易平台（示例）", "统一社会信用代码": firm["统一社会信用代码"],
            "平台内经营者名称": name.replace("有限公司", "电子商务公司") if n == 12 else name,
            "网店名称": f"{name[:6]}旗舰店（示例）", "实际经营地址": firm["住所"], "网店状态": "1",
            "核验日期": (now.date() - timedelta(days=10 + n)).isoformat(),
        }  # fmt: skip
