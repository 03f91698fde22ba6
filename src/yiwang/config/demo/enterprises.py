"""Who opens an enterprise in the demo, and one that exists: its owner, its handler, its registers.

Codes have the shape of GB 32100 with region 379901, which was never issued: no code belongs to anyone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from yiwang.engines.cases.forms.uscc import make_uscc
from yiwang.kernel.accounts.actions import found_enterprise
from yiwang.kernel.accounts.models import Mandate

from .people import NEVER_ISSUED, Demo

FOUNDER, BOSS, HANDLER = "宋凯", "谢博文", "罗鹏飞"
NAME = "济南泉味餐饮有限公司（示例）"
USCC = make_uscc("9", "1", NEVER_ISSUED, "MB", 1)
PARCELS = {FOUNDER: "370102001001GB00001F00010001", BOSS: "370102001001GB00002F00010001"}


def records(everybody: Iterable[Demo]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What registers say: the founder's lease, the addresses, the enterprise that exists."""
    people = {p.name: p for p in list(everybody)[:40]}
    founder, boss = people[FOUNDER], people[BOSS]
    county = boss.address.split("区")[0] + "区"
    yield "leases", founder.idno, {"bdcdyh": PARCELS[FOUNDER], "yt": "商业服务", "zzrq": "2030-12-31"}
    for n, parcel in enumerate(PARCELS.values(), start=1):
        where = {"dz": f"{county}泉城路{n}00号一层", "qh": boss.county, "yzbm": "250011"}
        yield "addresses", parcel, where
    yield (
        "enterprises",
        USCC,
        {
            "mc": NAME, "lx": "有限责任公司（自然人独资）", "zczb": 30, "jyxm": "H62.01",
            "zs": f"{county}泉城路200号一层", "qh": boss.county, "yzbm": "250011", "bdcdyh": PARCELS[BOSS],
            "ygrs": 8, "clrq": "2024-05-20", "frxm": boss.name, "frsfz": boss.idno, "frdh": boss.phone,
        },
    )  # fmt: skip
    yield "ent_names", NAME, {"dm": USCC}


def make(sign_in: Callable, people: Mapping[str, Demo]) -> None:
    """The enterprise with its owner as administrator and a handler. As the system."""
    boss = sign_in("boss", people[BOSS], f"{NAME}　法定代表人", 5)
    handler = sign_in("handler", people[HANDLER], f"{NAME}　经办人", 6)
    enterprise = found_enterprise(NAME, USCC, boss.person)
    Mandate.objects.create(
        subject_kind="enterprise",
        subject_id=enterprise.id,
        subject_name=enterprise.name,
        agent=handler.person,
        agent_name=handler.person.name,
        roles=["handler"],
        scope=None,
        since="2024-06-01",
        granted_by=f"user:{boss.id}",
    )
