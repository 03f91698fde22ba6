"""Put the demo world into the database: people and their registers by COPY, then cases by the front door."""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from django.db import connections
from django.utils import timezone

from yiwang.domains.services.catalogue.actions import import_catalogue
from yiwang.domains.services.catalogue.queries import current_standard
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts.models import Person, User
from yiwang.kernel.orgs.models import Organisation, Post, Region
from yiwang.kernel.orgs.queries import MANAGER, responsible
from yiwang.kernel.packs import api as packs

from . import cases, collection, enterprises, policy
from .people import COUNTIES, Demo, people

CATALOGUE = "shandong/catalogue/demo.csv"
COUNTY = "370102"  # where the demo's offices have people
FUNCTIONS = (
    "卫生健康",
    "公安",
    "疾病预防控制",
    "医疗保障",
    "人力资源社会保障",
    "市场监管",
    "税务",
    "住房公积金",
    "人民银行",
    "民政",
)
TWO_EACH = (("受理岗、审查岗", ["acceptor", "reviewer"]), ("决定岗", ["decider"]))
INSPECT = "市场监管"  # whose officials also go to see places, two together


def make(say: Callable[[str], None], count: int = 20000) -> None:
    """Make the demo world once; a second call finds it and only looks whether the catalogue is new."""
    _catalogue()
    if User.objects.exclude(demo_role="").exists():
        return
    say(f"making the demo world ({count} invented persons)…")
    today = timezone.localdate()
    names = {
        r.code: f"{r.parent.name}{r.name}"
        for r in Region.objects.filter(code__in=COUNTIES).select_related("parent")
    }
    everybody = list(people(today, names, count))
    _copy(everybody, names)
    _accounts(everybody, today)
    staff = [p for p in everybody[700:900] if 28 <= (today - p.born).days // 365 <= 58]
    with acting(SYSTEM):
        policy.make(_user, {p.name: p for p in everybody[:40]}, staff)
    cases.make(say, everybody)
    collection.make(everybody)


def _catalogue() -> None:
    """The demo county's catalogue, from the release in force."""
    try:
        table = packs.asset(packs.current_release(), CATALOGUE)
    except KeyError:  # packs of somebody's own
        return
    with acting(SYSTEM):
        import_catalogue(
            SYSTEM, io.BytesIO(table), CATALOGUE, "历下区示例目录", current_standard(), lambda _finding: None
        )


def _copy(everybody: list[Demo], names: dict[str, str]) -> None:
    now = timezone.now()
    owner = connections["owner"]
    owner.ensure_connection()
    with owner.connection.cursor() as cursor:
        with cursor.copy("copy accounts_person (id, name, idno, phone) from stdin") as copy:
            for p in everybody:
                copy.write_row((p.id, p.name, p.idno, p.phone))
        with cursor.copy("copy registers_record (register, key, fields, updated) from stdin") as copy:
            for register, key, fields in _records(everybody, names):
                copy.write_row((register, key, json.dumps(fields, ensure_ascii=False), now))
        cursor.execute("analyze")
    owner.close()


def _records(everybody: Iterable[Demo], names: dict[str, str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What each department's register says of each person."""
    for county, name in names.items():
        yield "clinics", county, {"mc": f"{name}第一预防接种门诊", "dz": f"{name}文化路 1 号", "dh": "12345"}
    yield from enterprises.records(everybody)
    for p in everybody:
        yield (
            "population",
            p.idno,
            {
                "xm": p.name, "mz": "01", "hjdz": p.address, "hjqh": p.county, "whcd": "70", "xb": p.sex,
                "csrq": p.born.isoformat(),
            },
        )  # fmt: skip
        yield "residence", p.idno, {"xzz": p.address, "xzqh": p.county}
        if p.n % 7 == 0:
            yield "residence_permits", p.idno, {"zh": f"JZ{p.n:08d}", "qfqh": p.county, "qzrq": "2025-12-01"}
        if p.n % 97 == 25:
            kind, grade = ["视力", "听力", "肢体", "智力"][p.n % 4], "一二三四"[p.n % 4] + "级"
            yield "disability", p.idno, {"zh": f"{p.idno}43", "lb": kind, "dj": grade}
            yield "low_income", p.idno, {"zt": "在保", "qsrq": "2024-01-01"}
        held = "居民身份证、居民户口簿" + ("、结婚证" if p.married else "")
        yield "licences", p.idno, {"zzlx": held, "zzbs": f"示例{p.n:06d}"}
        yield (
            "sscard",
            p.idno,
            {"kh": f"SD{p.n:08d}", "yh": "示例银行", "zh": f"62179900{p.n:011d}", "zt": "正常"},
        )
        yield (
            "medical_insurance",
            p.idno,
            {
                "xm": p.name,
                "cbqh": p.county,
                "xz": "职工",
                "sybx": "参保" if p.insured else "未参保",
                "cbzt": "正常",
            },
        )
        if p.spouse and p.married:
            yield (
                "marriage",
                p.idno,
                {
                    "jhzzh": f"J379901-{p.married.year}-{min(p.n, p.spouse.n):06d}", "djrq": p.married.isoformat(),
                    "hyzk": "已婚", "poxm": p.spouse.name, "posfz": p.spouse.idno,
                },
            )  # fmt: skip
        if p.gave_birth:
            yield (
                "birth_facility",
                p.idno,
                {
                    "cssj": p.gave_birth.isoformat(), "xb": p.baby_sex, "yz": 39, "tz": 3200 + p.n % 600,
                    "sc": 49 + p.n % 4, "jg": f"{names[p.county]}妇幼保健院（示例）", "jgqh": p.county, "fmfs": "顺产",
                },
            )  # fmt: skip
            yield (
                "medical_settlement",
                p.idno,
                {"pjh": f"PJ{p.n:08d}", "je": 6800, "mxs": 42, "jsrq": p.gave_birth.date().isoformat()},
            )


def _accounts(everybody: list[Demo], today: date) -> None:
    """The sign-in list: a mother, an elder, and two officials in each of the five departments."""
    by_name = {p.name: p for p in everybody[:40]}
    with acting(SYSTEM):
        _user("mother", by_name["王秀兰"], "新生儿的母亲，历下区", 1)
        _user("father", by_name["李建国"], "孩子的父亲，历下区", 2)
        _user("elder", by_name["孙德胜"], "退休老人，试试长辈版", 3)
        officials = [p for p in everybody[40:400] if 28 <= (today - p.born).days // 365 <= 58]
        order = 10
        for function in FUNCTIONS:
            org = responsible(function, COUNTY)
            assert org is not None  # noqa: S101 (the organisation pack covers every county)
            for title, roles in TWO_EACH:
                roles = [*roles, "inspector"] if function == INSPECT else roles
                who = officials.pop()
                user = _user(f"official{order}", who, f"{org.name}　{title}", order)
                Post.objects.create(
                    person=user.person, org=org, title=title, roles=roles, since=date(2020, 1, 1)
                )
                order += 1
        _user("founder", by_name[enterprises.FOUNDER], "想开公司的人，历下区", 4)
        enterprises.make(_user, by_name)
        bureau = Organisation.objects.filter(region_id="371502", functions__contains=["卫生健康"]).first()
        for username, region, function in (
            ("manager", COUNTY, "医疗保障"),
            ("manager_city", f"{COUNTY[:4]}00", "医疗保障"),
        ):
            office = responsible(function, region)
            user = _user(username, officials.pop(), f"{office.name}　负责人", order)
            Post.objects.create(
                person=user.person, org=office, title="负责人", roles=[MANAGER], since=date(2020, 1, 1)
            )
        bureau_of_data = responsible("大数据", COUNTY)
        for username, title, role in (
            ("author", "事项编写", "author"),
            ("publisher", "事项发布", "publisher"),
        ):
            user = _user(username, officials.pop(), f"{bureau_of_data.name}　{title}", order)
            Post.objects.create(
                person=user.person, org=bureau_of_data, title=title, roles=[role], since=date(2020, 1, 1)
            )
        for username, function, title, role, region in (
            ("reporter", "市场监管", "数据归集", "reporter", COUNTY),
            ("reporter_xs", "行政审批", "数据归集", "reporter", COUNTY),
            ("steward", "大数据", "数据管理", "steward", COUNTY),
            ("credit", "市场监管", "信用监管", "credit", COUNTY),
            ("reporter_dsj", "大数据", "数据归集", "reporter", COUNTY),
            ("reporter_sd", "市场监管", "数据归集", "reporter", f"{COUNTY[:2]}0000"),
        ):
            office = responsible(function, region)
            user = _user(username, everybody[400 + order], f"{office.name}　{title}", order)
            Post.objects.create(
                person=user.person, org=office, title=title, roles=[role], since=date(2020, 1, 1)
            )
            order += 1
        for username, county in (("window", COUNTY), ("window_qd", "370202")):
            hall = responsible("政务服务", county)
            user = _user(username, officials.pop(), f"{hall.name}　综合窗口", order)
            Post.objects.create(
                person=user.person, org=hall, title="综合窗口", roles=["window"], since=date(2020, 1, 1)
            )
        if bureau:
            user = _user("bureau", officials.pop(), f"{bureau.name}　集中审批（示例）", order)
            roles = ["acceptor", "reviewer", "decider"]
            Post.objects.create(
                person=user.person, org=bureau, title="综合岗", roles=roles, since=date(2020, 1, 1)
            )


def _user(username: str, demo: Demo, role: str, order: int) -> User:
    person = Person.objects.get(id=demo.id)
    user = User(username=username, person=person, demo_role=role, demo_order=order)
    user.set_unusable_password()
    user.save()
    return user
