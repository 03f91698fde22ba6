"""Deliveries handed in by tests; the product's own collector loads them."""

import io
import itertools
from datetime import datetime

import psycopg
from product import PRODUCT, until

from yiwang.config import embedded
from yiwang.engines.hub import actions, datasets, queries
from yiwang.engines.hub.codes import CREDIT, is_uscc
from yiwang.engines.hub.models import Delivery
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting

HEADER = "统一社会信用代码,企业名称,类型,登记状态,住所,所在区划,成立日期,核准日期\n"
serial = itertools.count(1)


def owner():
    return psycopg.connect(embedded.url(PRODUCT.var / "postgres", embedded.OWNER), autocommit=True)


def code() -> str:
    """A code nobody has had yet."""
    first = f"91379901YY{next(serial):06d}0"
    return next(first + c for c in CREDIT if is_uscc(first + c))


def row(uscc, name="示例公司", approved="2026-03-02", status="1", region="370102", address="泉城路1号"):
    return f"{uscc},{name},1100,{status},{address},{region},2020-01-01,{approved}\n"


def give(content, name="t.csv", dataset="ent_registration", as_of=None, mode=None, wait=True, batch=""):
    """Hand content in as the system; the product's own collector loads it."""
    content = content.encode() if isinstance(content, str) else content
    with acting(SYSTEM):
        found = datasets.current(dataset)
        made = actions.receive(
            SYSTEM, found, name, io.BytesIO(content), len(content), as_of, mode, "system", batch
        )
    return done(made) if wait else made


def fresh(delivery):
    with acting(SYSTEM):
        return Delivery.objects.get(pk=delivery.pk)


def done(delivery, patience=60):
    return until(lambda: (d := fresh(delivery)).state in ("loaded", "refused") and d, patience)


UNSAID = "没有这些列"


def told(delivery):
    """Row, field and fault of each message, but for the notice of columns that a file does not have."""
    return [(m["row"], m["field"], m["what"]) for m in delivery.messages if not m["what"].startswith(UNSAID)]


def now_holds(uscc):
    with acting(SYSTEM):
        return queries.as_of(datasets.current("ent_registration"), {"uscc": uscc})


def moment(day, hour=12):
    return datetime.fromisoformat(f"2026-{day}T{hour:02d}:00:00+08:00")


def sample(dataset, **over):
    """A line of a dataset by its own examples."""
    told = {f.name: over.get(f.id, f.example or ("示例" if f.required else "")) for f in dataset.fields}
    return ",".join(told) + "\n", ",".join(told.values()) + "\n"
