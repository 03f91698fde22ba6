"""What the sources say of decisions that must be public: the records, repairs and disputes as they stand."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from yiwang.engines.hub import api as hub
from yiwang.kernel.packs.contracts import Pack

AT_ONCE = 1000  # decisions in one transaction
Row = dict[str, Any]


@dataclass(frozen=True)
class Records:
    """Decisions by number. ``repaired``: the day of the repair that came first; ``disputed``, ``faulty``: numbers.

    began: when the first delivery of the dataset was loaded; what was due before is a backlog, not late.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    repaired: dict[str, date] = field(default_factory=dict)
    disputed: set[str] = field(default_factory=set)
    faulty: set[str] = field(default_factory=set)
    began: datetime | None = None


def touched(
    con: psycopg.Connection, pack: Pack, dataset: hub.Dataset, seq: int, after: int
) -> list[tuple[int, str]]:
    """(line, number of the decision) of a delivery's records, from a line on."""
    number, which = pack.data["number"], sql.SQL("true")
    if dataset.id != pack.data["dataset"]:
        rule = pack.data["repairs"]
        number = rule["number"]
        which = sql.SQL("{} = {}").format(sql.Identifier(rule["of"]), pack.data["dataset"])
    text = sql.SQL(
        "select _row, {}::text from {} where _delivery = %s and _row > %s and {} order by _row limit %s"
    )
    query = text.format(sql.Identifier(number), hub.table(dataset.id), which)
    return con.execute(query, [seq, after, AT_ONCE]).fetchall()


def read(con: psycopg.Connection, pack: Pack, numbers: Collection[str]) -> Records:
    """The decisions of these numbers. ``con``: a connection of the owner's."""
    said, wanted = pack.data, list(numbers)
    if not hub.exists(con, said["dataset"]):
        return Records()
    text = sql.SQL("select * from {} where {} = any(%s)")
    query = text.format(hub.table(said["dataset"]), sql.Identifier(said["number"]))
    subject = hub.current(said["dataset"]).subject_field
    found = con.cursor(row_factory=dict_row).execute(query, [wanted]).fetchall()
    rows = {str(r[said["number"]]): r for r in found if r.get(subject)}
    repaired: dict[str, date] = {}
    rule = said.get("repairs")
    if rule and hub.exists(con, rule["dataset"]):
        text = sql.SQL(
            "select {n}::text, min({day}) from {} where {of} = %s and {n} = any(%s) and not _withdrawn group by 1"
        )
        n, of, day = (sql.Identifier(rule[k]) for k in ("number", "of", "day"))
        query = text.format(hub.table(rule["dataset"]), n=n, of=of, day=day)
        repaired = dict(con.execute(query, [said["dataset"], wanted]).fetchall())
    disputed, faulty = set[str](), set[str]()
    for key, state, delivery in con.execute(
        "select key, state, delivery from enterprise_disputes(%s, %s)", [said["dataset"], wanted]
    ).fetchall():
        if state == "faulty":
            if key in rows and rows[key]["_delivery"] == delivery:  # else delivered anew
                faulty.add(key)
        else:
            disputed.add(key)
    ((began,),) = con.execute(
        "select min(loaded_at) from hub_delivery where dataset = %s and state = 'loaded'", [said["dataset"]]
    ).fetchall()
    return Records(rows, repaired, disputed, faulty, began)


def number_of_dispute(con: psycopg.Connection, correction: str) -> tuple[str, str] | None:
    """(dataset, number) of the record that a request for correction is about."""
    found = con.execute("select dataset, key from enterprise_dispute(%s)", [correction]).fetchone()
    return (found[0], found[1]) if found else None
