"""From deliveries of datasets to the register that policies read, within a minute of their loading.

`judge_fields` says per field from which dataset's field it comes (`from`). After each delivery the enterprises in it
are read as they are now in the dataset's table, a job of the system like linking and grading; what differs is
written back to the register, and so judged again. An enterprise that the register has not is added only by a
delivery that tells its region: without one no policy could be meant for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import psycopg
from psycopg import sql

from yiwang.engines.hub import api as hub
from yiwang.engines.judge.library import Frame
from yiwang.kernel.events.api import emit
from yiwang.kernel.feel import parse_unary
from yiwang.kernel.packs import api as packs
from yiwang.kernel.registers.api import write_back_many

from . import queries

AT_ONCE = 500  # enterprises in one transaction


def loaded(dataset: str, seq: int, touched: Mapping[str, Any] | None) -> None:
    """A delivery was published: its enterprises, some at a time. ``touched``: as its event says; None for a large one."""
    if not packs.current().all("judge_fields"):
        return
    declared, contract = queries.frame(), hub.find(dataset)
    if contract is None or not declared.fed(dataset):
        return
    keys = touched["subjects"] if touched is not None else _subjects(contract, seq)
    for start in range(0, len(keys), AT_ONCE):
        emit("policy.feed", {"dataset": dataset, "keys": keys[start : start + AT_ONCE]})


def feed(dataset: str, keys: list[str]) -> None:
    """Bring these enterprises' fields up to date; only what differs is written, and judged anew."""
    declared, contract = queries.frame(), hub.find(dataset)
    wanted = declared.fed(dataset)
    if contract is None or not wanted:
        return
    with hub.owner_connection() as con:
        records = _records(con, contract, keys)
        held = dict(
            con.execute(
                "select key, fields from registers_record where register = %s and key = any(%s)",
                [declared.register, keys],
            ).fetchall()
        )
    changed: dict[str, dict[str, Any]] = {}
    for key in keys:
        now = {name: taken(declared, name, said, records.get(key, ())) for name, said in wanted.items()}
        if key not in held and now.get(declared.region) is None:
            continue
        differs = {n: v for n, v in now.items() if held.get(key, {}).get(n) != v}
        if differs:
            changed[key] = differs
    if changed:
        write_back_many(declared.register, changed)


def taken(declared: Frame, name: str, said: Mapping[str, Any], records: Iterable[Mapping[str, Any]]) -> Any:
    """A field's value as JSON, from an enterprise's records, the latest first; None where none tells it."""
    where = said.get("where", {})
    record = next((r for r in records if all(r.get(k) == v for k, v in where.items())), None)
    value = record.get(said["field"]) if record else None
    if value is None:
        return None
    if "test" in said:
        return parse_unary(said["test"]).evaluate(value)
    field = declared.fields[name]
    if field.type == "number":
        number = Decimal(value).quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_EVEN)
        return int(number) if number == number.to_integral_value() else float(number)
    if field.type == "date":
        return value.isoformat() if isinstance(value, date) else None
    return value if field.type == "boolean" else str(value)


def _subjects(contract: hub.Dataset, seq: int) -> list[str]:
    """Codes of the enterprises whose records a delivery brought, changed or withdrew, and whose they were before."""
    query = sql.SQL(
        "select {of} from {now} where _delivery = %s union select {of} from {before} where _until = %s"
    ).format(
        of=sql.Identifier(contract.subject_field),
        now=hub.table(contract.id),
        before=hub.table(f"{contract.id}_hist"),
    )
    with hub.owner_connection() as con:
        return sorted(code for (code,) in con.execute(query, [seq, seq]).fetchall() if code)


def _records(
    con: psycopg.Connection[Any], contract: hub.Dataset, keys: list[str]
) -> dict[str, list[dict[str, Any]]]:
    """Records in force by enterprise, the latest first."""
    names = [f.id for f in contract.fields]
    query = sql.SQL(
        "select {} from {} where {} = any(%s) and not _withdrawn order by _valid_from desc, _delivery desc, {}"
    ).format(
        sql.SQL(", ").join(map(sql.Identifier, names)),
        hub.table(contract.id),
        sql.Identifier(contract.subject_field),
        sql.SQL(", ").join(map(sql.Identifier, contract.key)),
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for row in con.execute(query, [keys]).fetchall():
        record = dict(zip(names, row, strict=True))
        found.setdefault(record[contract.subject_field], []).append(record)
    return found
