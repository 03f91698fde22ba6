"""Records that a delivery refers to and that are not there: told, not refused, because they may come later."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import psycopg
from psycopg import sql

from . import datasets, tables
from .contracts import Dataset, Message
from .words import said

MOST = 200  # messages of one delivery


def missing(
    con: psycopg.Connection, dataset: Dataset, seq: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(messages, tally) of a delivery's rows whose record is nowhere; as ``Delivery`` keeps them.

    Asked in the publishing transaction, when the rows are in their table.
    """
    rule = dataset.refers
    if rule is None:
        return [], []
    of, number = sql.Identifier(rule.of), sql.Identifier(rule.number)
    mine = tables.table(dataset.id)
    found: list[tuple[int, str, str]] = []
    for id in sorted(dataset.field(rule.of).codes):
        other = datasets.find(id)
        if other is None:
            continue
        there = sql.SQL("false")
        if tables.exists(con, id):
            there = sql.SQL("exists (select 1 from {} o where o.{}::text = m.{})").format(
                tables.table(id), sql.Identifier(other.key[0]), number
            )
        text = sql.SQL(
            "select m._row, m.{of}, m.{number} from {mine} m where m._delivery = %s and m.{of} = %s "
            "and not m._withdrawn and not {there} order by m._row"
        ).format(of=of, number=number, mine=mine, there=there)
        found += con.execute(text, [seq, id]).fetchall()
    name = dataset.field(rule.number).name
    messages = [
        asdict(Message(row, name, value, f"{rule.what}（{said(dataset, rule.of, id)}）", rule.remedy))
        for row, id, value in sorted(found)[:MOST]
    ]
    return messages, [{"field": name, "what": rule.what, "rows": len(found)}] if found else []
