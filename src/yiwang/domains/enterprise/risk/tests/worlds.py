"""Small made-up worlds for the points table: enterprises, their records, disputes, repairs."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import strategies as st

from yiwang.domains.enterprise.risk.contracts import Record
from yiwang.domains.enterprise.risk.loading import table_of
from yiwang.engines.hub.contracts import Type
from yiwang.kernel.packs.loader import read

PACKS = Path(__file__).resolve().parents[6] / "packs"
LIBRARY, _PROBLEMS = read(PACKS)
TABLE = table_of(LIBRARY.get("risk_points", "enterprise"), LIBRARY)
TODAY = date(2026, 11, 25)
CODES = ("E1", "E2", "E3")
WORDS = {
    "grade": ["A", "C", "D", "3", "4", None], "kind": ["1", "3", "01", "02", "03", "06", "1100", "9500"],
    "state": ["1", "2", "3", "03", "40"],
    "status": ["1", "3", "6"], "procedure": ["1", "2"], "result": ["1", "2", "4", "5"], "upheld": ["是", "否", None],
    "industry": ["C14", "H62", "F52", None],
}  # fmt: skip


def field_value(f, day):
    """A value of a field; days lie around ``day``."""
    near = st.integers(-1200, 40).map(lambda n: day + timedelta(days=n))
    if f.type is Type.DATE:
        return near if f.required else near | st.none()
    if f.type is Type.DATETIME:
        return near.map(lambda d: datetime(d.year, d.month, d.day, 9, 30))
    if f.type is Type.INT:
        return st.integers(0, 6) | st.none()
    if f.type is Type.DECIMAL:
        return st.sampled_from([None, Decimal("0.5"), Decimal("10"), Decimal("12")])
    return st.sampled_from(WORDS.get(f.id, ["x", "y"]))


@st.composite
def records(draw, dataset, most=4, codes=CODES, day=TODAY):
    """Records of a dataset with keys of their own."""
    found = []
    for n in range(draw(st.integers(0, most))):
        values = {f.id: draw(field_value(f, day)) for f in dataset.fields}
        values[dataset.subject_field] = draw(st.sampled_from(codes))
        for k in dataset.key:
            if k != dataset.subject_field:
                values[k] = f"{dataset.id}-{n}" if dataset.field(k).type is not Type.INT else 2000 + n
        found.append(values)
    return found


@st.composite
def worlds(draw):
    """(registrations by code, records by dataset, disputed, repairs)."""
    subjects = {}
    for code in CODES:
        values = {f.id: draw(field_value(f, TODAY)) for f in TABLE.subjects.fields}
        subjects[code] = {**values, "uscc": code}
    others = [d for d in TABLE.datasets.values() if d.id not in (TABLE.subjects.id, "credit_repairs")]
    by_dataset = {d.id: _unique(d, draw(records(d))) for d in others}
    everything = [(id, v) for id, rows in by_dataset.items() for v in rows]
    chosen = draw(st.lists(st.sampled_from(everything), max_size=4)) if everything else []
    repaired = draw(st.lists(st.sampled_from(everything), max_size=4)) if everything else []
    days = [draw(st.integers(-500, 10)) for _r in repaired]
    return subjects, by_dataset, chosen, list(zip(repaired, days, strict=True))


def _unique(dataset, rows):
    return list({tuple(r[k] for k in dataset.key): r for r in rows}.values())


def of(code, subjects, by_dataset):
    """The records of one enterprise, its registration among them."""
    own = [Record(TABLE.subjects.id, subjects[code])]
    for id, rows in by_dataset.items():
        own += [Record(id, r) for r in rows if r[TABLE.datasets[id].subject_field] == code]
    return own
