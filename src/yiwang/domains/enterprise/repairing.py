"""Which shared records are repaired, and from when: the points table as functions of PostgreSQL.

``enterprise_repaired(dataset, keys)`` gives (key, the first day on which the repair acts): the day of the first repair,
or the end of the shortest term of the record's seriousness if that is later, as ``risk.rules`` has it.
``enterprise_repaired_since(dataset, seq, pending)`` gives the keys whose repairs came, changed or went since a delivery.

They are made by the owner when packs come into force. The table is in the packs, the records are in PostgreSQL, and the
application may read neither the fields of the conditions nor the repairs, so the answer is made where the records are.
Their comment is the hash of their text, by which it is seen that they are to be made again.
"""

import hashlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from psycopg import Connection

from yiwang.engines.hub import api as hub
from yiwang.engines.hub.cells import postgres_type
from yiwang.engines.hub.contracts import Dataset
from yiwang.engines.hub.feelsql import Translator, quoted
from yiwang.kernel.events.api import on, slowly
from yiwang.kernel.packs import api as packs

from . import tables
from .risk.contracts import Indicator, Table
from .risk.sql import joined, name

TODAY = "(now() at time zone 'Asia/Shanghai')::date"


def statements(table: Table, others: dict[str, Dataset]) -> list[str]:
    """The two functions, as statements.

    Args:
        others: contracts of datasets whose records may be repaired, of those that the table does not look at.
    """
    repairs = table.repairs
    acts, since = [], []
    if repairs is not None:
        for id in sorted(table.datasets[repairs.dataset].field(repairs.of).codes):
            dataset = table.datasets.get(id) or others.get(id)
            for group in _groups(table, dataset) if dataset else ():
                acts.append(_acts(table, dataset, *group))
                since.append(_since(table, dataset, *group))
    return [
        _function("enterprise_repaired(p_dataset text, p_keys text[])", "table (key text, acts date)", acts),
        _function(
            "enterprise_repaired_since(p_dataset text, p_seq integer, p_pending integer[])",
            "table (key text)",
            since,
        ),
    ]


def _function(head: str, gives: str, parts: list[str]) -> str:
    body = "\n".join(parts)
    return (
        f"create or replace function {head} returns {gives} "
        f"language plpgsql stable set search_path = public as $$\n#variable_conflict use_column\nbegin\n{body}\nend $$"
    )


def _groups(table: Table, dataset: Dataset) -> Iterator[tuple[str, tuple[str, ...], list[Indicator]]]:
    """(space, event, indicators) of a dataset: what repairs of its records name, and how serious those are."""
    found: dict[tuple[str, tuple[str, ...]], list[Indicator]] = {}
    for i in table.indicators:
        if i.dataset == dataset.id:
            found.setdefault((i.space, i.event), []).append(i)
    for (space, event), indicators in (found or {(dataset.id, dataset.key): []}).items():
        yield space, event, indicators


def _guarded(dataset: Dataset, table: Table, query: str) -> str:
    """The query, where all that it reads has been delivered."""
    read = dict.fromkeys((dataset.id, table.repairs.dataset, table.subjects.id))
    there = " and ".join(f"to_regclass({quoted(f'hub.{name(t)}')}) is not null" for t in read)
    return f"if p_dataset = {quoted(dataset.id)} and {there} then return query {query}; end if;"


def _acts(
    table: Table, dataset: Dataset, space: str, event: tuple[str, ...], indicators: list[Indicator]
) -> str:
    r = table.repairs
    theirs = name(table.datasets[r.dataset].subject_field)
    parts = [
        f"r.{name(f)} = split_part(w.key, e'\\x1f', {n})::{postgres_type(dataset.field(f))}"
        for n, f in enumerate(dataset.key, 1)
    ]
    terms = "".join(f", {_term(table, dataset, i)}" for i in indicators if i.min_days)
    return _guarded(
        dataset,
        table,
        f"select w.key, greatest(m.day{terms}) from unnest(p_keys) w (key) join hub.{name(dataset.id)} r "
        f"on {' and '.join(parts)} cross join lateral (select min(p.{name(r.day)})::date as day "
        f"from hub.{name(r.dataset)} p where p.{name(r.of)} = {quoted(space)} "
        f"and p.{name(r.event)} = {_event(event, dataset)} and not p._withdrawn "
        # A repair of somebody else's with the same number is a mistake of its source's.
        f"and coalesce(p.{theirs} = r.{name(dataset.subject_field)}, true)) m where m.day is not null",
    )


def _term(table: Table, dataset: Dataset, i: Indicator) -> str:
    """The end of the shortest term under one indicator, null where that does not apply."""
    applies = Translator(dataset, lambda id: f"r.{name(id)}", TODAY).condition(i.when)
    if i.industries:
        subjects = table.subjects
        starts = " or ".join(f"starts_with(b.{name(table.industry)}, {quoted(s)})" for s in i.industries)
        applies += (
            f" and exists (select 1 from hub.{name(subjects.id)} b where b.{name(subjects.subject_field)} = "
            f"r.{name(dataset.subject_field)} and ({starts}))"
        )
    return f"case when {applies} then r.{name(i.since)}::date + {i.min_days} end"


def _since(
    table: Table, dataset: Dataset, space: str, event: tuple[str, ...], _indicators: list[Indicator]
) -> str:
    r = table.repairs
    of, number = name(r.of), name(r.event)

    def later(column: str) -> str:
        return f"(p.{column} > p_seq or p.{column} = any (p_pending))"

    moved = (
        f"select p.{number} as number from hub.{name(r.dataset)} p "
        f"where p.{of} = {quoted(space)} and {later('_delivery')} "
        f"union select p.{number} from hub.{name(f'{r.dataset}_hist')} p "
        f"where p.{of} = {quoted(space)} and {later('_until')}"
    )
    key = f"array_to_string(array[{', '.join(f'r.{name(k)}::text' for k in dataset.key)}], e'\\x1f', '')"
    return _guarded(
        dataset,
        table,
        f"select {key} from ({moved}) m join hub.{name(dataset.id)} r on {_event(event, dataset)} = m.number",
    )


def _event(event: tuple[str, ...], dataset: Dataset) -> str:
    """The number that a repair gives of a record; one field of texts as it is, for its index."""
    if len(event) == 1 and postgres_type(dataset.field(event[0])) == "text":
        return f"r.{name(event[0])}"
    return joined(event)


HEADS = ("enterprise_repaired(text,text[])", "enterprise_repaired_since(text,integer,integer[])")


def keep(con: Connection, release: str) -> bool:
    """Make the functions as a release has them, unless they are; returns whether they were not."""
    table = tables.of_release(release)
    if table is None:
        return False
    made = statements(table, {d.id: d for d in hub.every()})
    mark = hashlib.sha256("\n".join(made).encode()).hexdigest()
    known = con.execute("select obj_description(to_regprocedure(%s), 'pg_proc')", [HEADS[-1]]).fetchone()
    if known == (mark,):
        return False
    with con.transaction():
        for text in made:
            con.execute(text)
        for head in HEADS:
            con.execute(f"revoke all on function {head} from public")
            con.execute(f"comment on function {head} is {quoted(mark)}")
    return True


@on("packs.loaded")
def loaded(body: dict[str, Any], trace_id: UUID | None) -> None:
    """A new points table is the one that repairs go by."""
    with hub.owner_connection() as con:
        keep(con, body["release"])


@slowly
def keep_functions() -> None:
    """Should the worker have been away, or the functions be of an older version of the programme."""
    with hub.owner_connection() as con:
        keep(con, packs.current_release())
