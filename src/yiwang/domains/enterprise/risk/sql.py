"""The points table as one statement of DuckDB over every enterprise. Pure: text in, text out.

Relations that must be there: one for each dataset of the table under its own id (fields typed as in the contract,
current on the day, not withdrawn), ``disputed(dataset, key)`` and ``repairs(uscc, space, event, on_day)``. Conditions are
FEEL, translated by ``hub.feelsql``; identifiers come from checked contracts and are quoted.
"""

from __future__ import annotations

from datetime import date

from yiwang.engines.hub.contracts import Dataset, Type
from yiwang.engines.hub.feelsql import Translator, quoted

from .contracts import Indicator, Table


def name(id: str) -> str:
    """An identifier."""
    return '"' + id.replace('"', '""') + '"'


def statement(table: Table, on: date, disputes: bool = True, repairs: bool = True) -> str:
    """Select ``uscc, class, total, s0, s1 …`` of every subject. ``class`` is '' for one that is not rated.

    Args:
        disputes, repairs: false when those relations are empty: two joins fewer.
    """
    day = _day(on)
    subjects = table.subjects
    subject = name(subjects.subject_field)
    who = _condition(subjects, table.who, on, "")
    totals = " + ".join(
        f"least(coalesce(p.s{n}, 0), {s.cap}) * {s.weight}" for n, s in enumerate(table.slots)
    )
    sums = ", ".join(f"coalesce(p.s{n}, 0)::integer as s{n}" for n in range(len(table.slots)))
    ladder = " ".join(f"when total >= {c.least * 100} then {quoted(c.id)}" for c in reversed(table.classes))
    opened = f"r.{name(table.opened)}"
    added = ", ".join(
        f"sum(case when slot = {n} then points else 0 end) as s{n}" for n in range(len(table.slots))
    )
    return f"""
with found as (
  {" union all ".join(_spaces(table, on, disputes, repairs))}
), points as (
  select uscc, {added} from found group by uscc
), graded as (
  select r.{subject} as uscc, {opened} is null or {opened} + {table.new_days} > {day} as fresh,
         ({totals})::integer as total, {sums}
  from {name(subjects.id)} r left join points p on p.uscc = r.{subject}
  where {who}
)
select uscc, case when fresh then '' {ladder} end as class, total, {", ".join(f"s{n}" for n in range(len(table.slots)))}
from graded"""


def _spaces(table: Table, on: date, disputes: bool, repairs: bool) -> list[str]:
    """For each space of events, a select of (uscc, slot, points), an event once."""
    spaces: dict[str, dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Indicator]]] = {}
    for i in table.indicators:
        spaces.setdefault(i.space, {}).setdefault((i.dataset, i.event, i.industries), []).append(i)
    found = []
    for branches in spaces.values():
        slot = next(iter(branches.values()))[0].slot
        selects = [_branch(table, group, on, disputes, repairs) for group in branches.values()]
        whole = all(set(event) == set(table.datasets[d].key) for d, event, _i in branches)
        if len(selects) == 1 and whole:  # a record is an event
            found.append(f"select uscc, {slot} as slot, points from ({selects[0]})")
        else:
            found.append(
                f"select uscc, {slot} as slot, max(points) as points from ({' union all '.join(selects)}) "
                "group by uscc, event"
            )
    return found


def _branch(table: Table, group: list[Indicator], on: date, disputes: bool, repairs: bool) -> str:
    """Records of one dataset with the most that one of these indicators gives them."""
    first = group[0]
    dataset = table.datasets[first.dataset]
    subject = name(dataset.subject_field)
    marks = ", ".join(f"{_active(dataset, i, on)} as a{n}" for n, i in enumerate(group))
    since = ", ".join(f"r.{name(i.since)}::date as since{n}" for n, i in enumerate(group))
    event, key = joined(first.event), joined(dataset.key)
    source = f"{name(dataset.id)} r"
    where = f"r.{subject} is not null"
    if first.industries:
        told = " or ".join(
            f"starts_with(b.{name(table.industry)}, {quoted(start)})" for start in first.industries
        )
        own = name(table.subjects.subject_field)
        source += f" join {name(table.subjects.id)} b on b.{own} = r.{subject} and ({told})"
    extra = (f", {key} as key" if disputes else "") + (f", {since}" if repairs else "")
    found = f"select r.{subject} as uscc, {event} as event, {marks}{extra} from {source} where {where}"
    some = " or ".join(f"a{n}" for n in range(len(group)))
    found = f"select * from ({found}) where {some}"
    if disputes:
        at = quoted(dataset.id)
        frozen = f"select 1 from disputed d where d.dataset = {at} and d.key = f.key"
        found = f"select * from ({found}) f where not exists ({frozen})"
    if not repairs:
        best = ", ".join(f"case when a{n} then {i.points} else 0 end" for n, i in enumerate(group))
        return f"select uscc, event, greatest({best}) as points from ({found})"
    best = ", ".join(
        f"case when a{n} and (on_day is null or {_day(on)} < greatest(on_day, since{n} + {i.min_days}))"
        f" then {i.points} else 0 end"
        for n, i in enumerate(group)
    )
    return (
        f"select * from (select f.uscc, f.event, greatest({best}) as points from ({found}) f left join "
        f"(select event, uscc, min(on_day) as on_day from repairs where space = {quoted(first.space)} "
        "group by event, uscc) m on m.event = f.event and m.uscc = f.uscc) where points > 0"
    )


def _active(dataset: Dataset, i: Indicator, on: date) -> str:
    """True of a record that counts on the day, repairs and disputes apart."""
    since = f"r.{name(i.since)}"
    if dataset.field(i.since).type is Type.DATETIME:
        since = f"{since}::date"
    day = _day(on)
    parts = [f"{since} <= {day}", _condition(dataset, i.when, on, "r.")]
    if i.days is not None:
        parts.append(f"{since} > {day} - {i.days}")
    if i.ends:
        parts.append(f"(r.{name(i.ends)} is null or r.{name(i.ends)}::date > {day})")
    return f"coalesce({' and '.join(parts)}, false)"


def _condition(dataset: Dataset, text: str, on: date, prefix: str) -> str:
    return Translator(dataset, lambda id: f"{prefix}{name(id)}", _day(on)).condition(text)


def joined(fields: tuple[str, ...]) -> str:
    """The values of the fields of ``r`` as one text; see ``rules.joined``."""
    parts = " || chr(31) || ".join(f"coalesce(r.{name(f)}::varchar, '')" for f in fields)
    return parts if len(fields) > 1 else f"coalesce(r.{name(fields[0])}::varchar, '')"


def _day(on: date) -> str:
    return f"date '{on.isoformat()}'"
