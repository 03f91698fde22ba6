"""20,000 invented persons: families, marriages, births, consistent enough for registers to answer.

Seeded, so every installation has the same people. Their ID numbers begin with 379901, a region code that
was never issued: no number belongs to anyone.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from yiwang.engines.cases.forms.functions import idno_check_digit
from yiwang.kernel.ids import derived_id

SEED = 20230115
NEVER_ISSUED = "379901"
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
WOMEN = "秀兰桂英玉梅红霞雪琴丽娟静敏婷慧芳颖倩雯欣怡梦瑶佳琪晓燕海霞春花"
MEN = "建国志强伟明军勇杰磊涛超鹏飞宇浩博文俊峰海洋立新德胜永刚凯旋振华"
ROADS = ("文化路", "解放路", "泉城路", "青年路", "建设街", "胜利街", "府前街", "滨河路", "学府路", "和平街")
COUNTIES = ("370102", "370103", "370202", "370302", "370402", "370602", "370702", "371002", "371302", "371502")
BANKS = ("001", "002", "003")


@dataclass
class Demo:
    """One invented person and the family ties that registers need."""

    n: int
    name: str
    sex: str
    born: date
    county: str
    address: str
    idno: str
    spouse: "Demo | None" = None
    married: date | None = None
    gave_birth: datetime | None = None
    baby_sex: str = "女"
    insured: bool = True
    births: int = 0
    id: UUID = field(init=False)

    def __post_init__(self) -> None:
        self.id = derived_id("demo-person", self.n)

    @property
    def phone(self) -> str:
        return f"1990000{self.n:04d}" if self.n < 10000 else f"199000{self.n:05d}"


class Maker:
    """Makes persons one after the other from one seeded stream."""

    def __init__(self, today: date, county_names: dict[str, str]) -> None:
        self.random = random.Random(SEED)  # noqa: S311 (invented people, not secrets)
        self.today = today
        self.county_names = county_names
        self.orders: dict[tuple[date, str], int] = {}
        self.n = 0

    def person(self, sex: str, born: date, county: str, name: str = "", address: str = "") -> Demo:
        self.n += 1
        return Demo(
            n=self.n,
            name=name or self.name(sex),
            sex=sex,
            born=born,
            county=county,
            address=address or self.address(county),
            idno=self.idno(sex, born),
        )

    def name(self, sex: str) -> str:
        given = WOMEN if sex == "女" else MEN
        first = self.random.choice(SURNAMES)
        return first + "".join(self.random.sample(given, self.random.choice((1, 2, 2))))

    def address(self, county: str) -> str:
        road, house = self.random.choice(ROADS), self.random.randint(1, 199)
        room = self.random.randint(1, 6) * 100 + self.random.randint(1, 4)
        return f"{self.county_names[county]}{road}{house}号{self.random.randint(1, 20)}号楼{room}室"

    def idno(self, sex: str, born: date) -> str:
        order = self.orders.get((born, sex), 0) + 1
        self.orders[(born, sex)] = order
        first = f"{NEVER_ISSUED}{born:%Y%m%d}{2 * order - (sex == '男'):03d}"
        return first + idno_check_digit(first)

    def day(self, first: int, last: int) -> date:
        """A birthday of somebody between ``first`` and ``last`` years old."""
        return self.today - timedelta(days=self.random.randint(first * 365, last * 365))


def people(today: date, county_names: dict[str, str], count: int = 20000) -> Iterator[Demo]:
    """The demo world's people; the first ones are those of the sign-in list.

    Args:
        today: births are placed in the days before it, so that there is always a newborn.
        county_names: code → full name of the counties they live in.
    """
    make = Maker(today, county_names)
    yield from _leading(make)
    while make.n < count:
        county = make.random.choice(COUNTIES)
        kind = make.random.random()
        if kind < 0.6:
            yield from _couple(make, county)
        elif kind < 0.85:
            yield make.person(make.random.choice("男女"), make.day(16, 80), county)
        else:
            yield make.person(make.random.choice("男女"), make.day(60, 95), county)


def _leading(make: Maker) -> Iterator[Demo]:
    """Twelve young families of 历下区, all with a newborn: the demo mother, and those of the sample cases."""
    names = [("王秀兰", "李建国"), ("张雪琴", "刘志强"), ("陈静", "杨明军"), ("赵婷", "黄海洋"), ("周慧", "吴俊峰"),
             ("徐丽娟", "孙浩"), ("胡欣怡", "朱立新"), ("高倩", "林宇"), ("何雯", "郭振华"), ("马晓燕", "罗鹏飞"),
             ("梁梦瑶", "宋凯"), ("郑佳琪", "谢博文")]  # fmt: skip
    for n, (wife, husband) in enumerate(names):
        yield from _family(make, "370102", wife, husband, recent=1 + n % 20)
    yield make.person("男", date(1950, 5, 1), "370102", "孙德胜")


def _family(make: Maker, county: str, wife: str, husband: str, recent: int) -> Iterator[Demo]:
    address = make.address(county)
    mother = make.person("女", make.day(24, 36), county, wife, address)
    father = make.person("男", make.day(25, 40), county, husband, address)
    _marry(make, mother, father, make.day(1, 3))
    _birth(make, mother, recent)
    yield mother
    yield father


def _couple(make: Maker, county: str) -> Iterator[Demo]:
    address = make.address(county)
    age = make.random.randint(23, 70)
    wife = make.person("女", make.day(age, age + 2), county, address=address)
    husband = make.person("男", make.day(age, age + 5), county, address=address)
    _marry(make, wife, husband, make.day(1, max(2, age - 22)))
    if age < 42 and make.random.random() < 0.25:
        _birth(make, wife, make.random.randint(1, 300))
    wife.insured = make.random.random() < 0.8
    yield wife
    yield husband
    if age < 50:
        for _ in range(make.random.choice((0, 1, 1, 2))):
            wife.births += 1
            born = make.day(1, max(2, age - 22))
            yield make.person(make.random.choice("男女"), born, county, address=address)


def _marry(make: Maker, wife: Demo, husband: Demo, when: date) -> None:
    wife.spouse, husband.spouse = husband, wife
    wife.married = husband.married = when


def _birth(make: Maker, mother: Demo, days_ago: int) -> None:
    day = make.today - timedelta(days=days_ago)
    mother.gave_birth = datetime(day.year, day.month, day.day, make.random.randint(0, 23), make.random.randint(0, 59))
    mother.baby_sex = make.random.choice("男女")
    mother.births += 1
