"""The daily run: every enterprise graded as of the day, changes written with their history. As the owner."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from datetime import date, datetime

import psycopg
from django.utils import timezone
from psycopg.types.json import Jsonb

from yiwang.engines.cases import api as cases
from yiwang.engines.hub import api as hub
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.events.api import emit_on
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.purposes import purpose_of
from yiwang.kernel.packs import api as packs

from . import fairness, tables
from .bulk import grade_all
from .risk.contracts import Table
from .risk.force import Standing, step

PURPOSE = "企业信用风险分类"
NOTICE, RELIEVED = "enterprise.notice", "enterprise.relieved"
COLUMNS = 'uscc, grade, total, sums, "on", in_force, from_day'
REPLACE = (
    "on conflict (uscc) do update set grade = excluded.grade, total = excluded.total, sums = excluded.sums, "
    '"on" = excluded."on", in_force = excluded.in_force, from_day = excluded.from_day'
)


def run(on: date | None = None, memory: str = "4GB") -> dict[str, float]:
    """Grade all; returns seconds of each stage and counts. One at a time by an advisory lock."""
    on, release = on or timezone.localdate(), packs.current_release()
    table = tables.of_release(release)
    if table is None:
        return {}
    with hub.owner_connection() as con:
        if con.execute("select pg_try_advisory_lock(hashtext('yiwang grade'))").fetchone() != (True,):
            return {}
        ((id,),) = con.execute(
            'insert into enterprise_run ("on", began, release, counts, seconds) '
            "values (%s, now(), %s, %s, %s) returning id",
            [on, release, "{}", "{}"],
        ).fetchall()
        began = time.monotonic()
        ((change,),) = con.execute("select coalesce(max(id), 0) from enterprise_gradechange").fetchall()
        known = Known(timezone.now(), change)
        db = grade_all(con, table, on, known.at, memory=memory)
        graded = time.monotonic() - began
        counts = dict(db.execute("select class, count(*) from grades group by class").fetchall())
        changed = _store(con, db, table, on, release, known)
        seconds = {"grade": round(graded, 2), "store": round(time.monotonic() - began - graded, 2)}
        con.execute(
            "update enterprise_run set ended = now(), counts = %s, seconds = %s where id = %s",
            [Jsonb({**counts, **changed}), Jsonb(seconds), id],
        )
        seconds["fair"] = round(fairness.compute(con, table, id, on), 2)
        return {**seconds, "enterprises": sum(counts.values()), **changed}


@dataclass(frozen=True)
class Known:
    """What a run over all knows: what was so ``at`` a moment, and the changes up to one."""

    at: datetime
    change: int


def _store(con: psycopg.Connection, db, table: Table, on: date, release: str, known: Known) -> dict[str, int]:
    """Write what changed. The first run is copied whole: five million rows through an upsert would take minutes.

    Returns:
        how many changed, and after the first run: how many are no subjects any more, how many are to get a worse
        class that is announced, and how many of those were told or are looked into.
    """
    sums = " || ',' || ".join(f"s{n}" for n in range(len(table.slots)))
    first = con.execute("select not exists (select 1 from enterprise_grade)").fetchone() == (True,)
    with con.transaction():
        _note(con, table, on)
        select = f"select uscc, class, total, '{{' || {sums} || '}}' as sums"
        if first:
            waits = _waits(table, on)
            later = ", ".join(f"'{id}'" for id in waits) or "null"
            days = " ".join(f"when '{id}' then date '{day}'" for id, day in waits.items())
            from_day = f"case class {days} end" if days else "null::date"
            _copy(
                con, f"enterprise_grade ({COLUMNS})", "grade, in_force",
                db.sql(
                    f"{select}, date '{on}' as \"on\", case when class in ({later}) then '' else class end as in_force, "
                    f"{from_day} as from_day from grades order by uscc"
                ),
            )  # fmt: skip
            ((n,),) = con.execute("select count(*) from enterprise_grade").fetchall()
            _announce(con, on)
            return {"changed": int(n)}
        con.execute(
            "create temp table graded (uscc varchar(18), grade varchar(1), total integer, sums integer[]) on commit drop"
        )
        _copy(con, "graded", "grade", db.sql(f"{select} from grades"))
        con.execute("analyze graded")
        changed = _changed(con, table, on, known)
        con.execute(
            f"insert into enterprise_grade ({COLUMNS}) select uscc, grade, total, sums, %s, in_force, from_day "
            f"from changed order by uscc {REPLACE}",
            [on],
        )
        history = (
            'insert into enterprise_gradechange (uscc, "on", at, grade, total, in_force, from_day, release, why, was, '
            "was_total) select uscc, %(on)s, clock_timestamp(), {}, %(release)s, 'daily', was, was_total from {}"
        )
        told = {"on": on, "release": release}
        con.execute(history.format("grade, total, in_force, from_day", "changed"), told)
        ended = con.execute(
            "create temp table gone on commit drop as with gone as (delete from enterprise_grade e "
            "where not exists (select 1 from graded g where g.uscc = e.uscc) and (at is null or at <= %s) "
            "returning *) select uscc, grade as was, total as was_total, in_force, from_day from gone",
            [known.at],
        ).rowcount
        con.execute(history.format("null, 0, '', null", "gone"), told)
        worse = con.execute(
            "select total, uscc, grade, in_force, from_day from changed "
            "where from_day is not null and was_from is distinct from from_day"
        ).fetchall()
        _relieve(con, [c.id for c in table.classes if c.notice_days])
        noticed = _notice(con, [(total, uscc, Standing(*now)) for total, uscc, *now in worse])
        return {"changed": changed, "ended": ended, "worse": len(worse), "noticed": noticed}


def _changed(con: psycopg.Connection, table: Table, on: date, known: Known) -> int:
    """Make ``changed``: what is to be written, with what was; returns how many.

    Who was graded by himself since the run began to read is left as he is: more was known of him. What ``step`` says
    depends on few things, so it is asked once for each of those that there are.
    """
    con.execute(
        "create temp table differs on commit drop as select g.*, e.uscc is not null as there, e.grade as was, "
        "e.total as was_total, e.in_force as was_in_force, e.from_day as was_from "
        "from graded g left join enterprise_grade e on e.uscc = g.uscc "
        "where (e.uscc is null or e.grade <> g.grade or e.total <> g.total or e.sums <> g.sums or e.from_day <= %s) "
        "and (e.at is null or e.at <= %s) "
        "and g.uscc not in (select uscc from enterprise_gradechange where id > %s)",
        [on, known.at, known.change],
    )
    con.execute("analyze differs")
    same = "d.there = s.there and d.grade = s.grade and d.was is not distinct from s.was"
    con.execute(
        "create temp table steps (there boolean, was varchar, was_in_force varchar, was_from date, grade varchar, "
        "in_force varchar, from_day date) on commit drop"
    )
    for there, was, in_force, from_day, grade in con.execute(
        "select distinct there, was, was_in_force, was_from, grade from differs"
    ).fetchall():
        now = step(table, Standing(was, in_force, from_day) if there else None, grade, on)
        con.execute(
            "insert into steps values (%s, %s, %s, %s, %s, %s, %s)",
            [there, was, in_force, from_day, grade, now.in_force, now.from_day],
        )
    return con.execute(
        f"create temp table changed on commit drop as select d.*, s.in_force, s.from_day from differs d join steps s "
        f"on {same} and d.was_in_force is not distinct from s.was_in_force "
        "and d.was_from is not distinct from s.was_from"
    ).rowcount


def _notice(con: psycopg.Connection, worse: list[tuple[int, str, Standing]]) -> int:
    """Who has a worse class to come: those with an account here hear of it, and the worst are looked into.

    Not everybody: a table that changed may make a hundred thousand worse in a day, whom nobody could visit. How many
    a run may have looked into is in the matter's pack (``most``).
    """
    limits = [p.data["most"]["value"] for p in cases.matters_for(NOTICE) if "most" in p.data]
    at_most = min(limits, default=len(worse))
    known = _with_account(con, [uscc for _total, uscc, _now in worse])
    ordered = sorted(worse, key=lambda one: (-one[0], one[1]))
    told = [now for n, now in enumerate(ordered) if n < at_most or now[1] in known]
    for _total, uscc, now in told:
        from_day = now.from_day.isoformat() if now.from_day else ""
        emit_on(con, NOTICE, {"uscc": uscc, "grade": now.grade, "from_day": from_day})
    return len(told)


def _relieve(con: psycopg.Connection, announced: list[str]) -> None:
    """Whoever is no longer in a class that is announced, if he has an account here or is being looked into."""
    better = con.execute(
        "select uscc, was, was_in_force, was_from, grade from changed where was = any(%(c)s) and grade <> all(%(c)s) "
        "union all select uscc, was, in_force, from_day, '' from gone where was = any(%(c)s)",
        {"c": announced},
    ).fetchall()
    with acting(SYSTEM):
        looked_into = cases.waiting_about(NOTICE, "uscc")
    followed = looked_into | _with_account(con, [uscc for uscc, *_rest in better])
    for uscc, was, in_force, from_day, grade in better:
        if uscc in followed:
            emit_on(con, RELIEVED, relief(uscc, Standing(was, in_force, from_day), grade))


def relief(uscc: str, before: Standing, grade: str) -> dict[str, str]:
    """What is told of a class that will not be in force; ``grade``: the one there is, "" for none."""
    was_from = before.from_day.isoformat() if before.from_day else ""
    return {"uscc": uscc, "grade": grade, "was": before.grade, "was_from": was_from}


def _with_account(con: psycopg.Connection, codes: list[str]) -> set[str]:
    found = con.execute("select uscc from accounts_enterprise where uscc = any(%s)", [codes]).fetchall()
    return {uscc for (uscc,) in found}


def _announce(con: psycopg.Connection, on: date) -> None:
    """After the first run, tell enterprises that have an account here of a class that waits for its day."""
    con.execute(
        "insert into events_outboxevent (topic, body, created, not_before, attempts, error) "
        "select 'enterprise.notice', jsonb_build_object('uscc', g.uscc, 'grade', g.grade, 'from_day', g.from_day), "
        "now(), now(), 0, '' from accounts_enterprise a join enterprise_grade g on g.uscc = a.uscc "
        'where g."on" = %s and g.from_day is not null',
        [on],
    )


def _waits(table: Table, on: date) -> dict[str, date]:
    """Class → day on which it comes into force, of those that are announced first."""
    told = {c.id: step(table, None, c.id, on).from_day for c in table.classes}
    return {id: day for id, day in told.items() if day is not None}


def _copy(con: psycopg.Connection, target: str, never_null: str, rows) -> None:
    """Rows of DuckDB into a table, in the order of its columns; "" is the class of who is not rated, no null."""
    with con.cursor().copy(f"copy {target} from stdin (format csv, force_not_null ({never_null}))") as copy:
        for batch in rows.to_arrow_reader(200_000):
            copy.write(_csv(batch))


def _csv(batch) -> bytes:
    import pyarrow.csv

    out = io.BytesIO()
    pyarrow.csv.write_csv(batch, out, pyarrow.csv.WriteOptions(include_header=False))
    return out.getvalue()


def _note(con: psycopg.Connection, table: Table, on: date) -> None:
    """One use for the whole run: it reads everybody by the same published rule, and changes are written one by one."""
    why = purpose_of(PURPOSE)
    con.execute("select set_config('app.actor', 'system', true)")
    con.execute(
        "select ledger_note(%s, %s, '*', %s, %s, null, null, 'run', array[%s::text], array[true])",
        [new_id(), table.subjects.id, why.name, why.basis, f"{table.id} {on}"],
    )


def due(now: datetime) -> bool:
    """Whether today's run has not been made, or more came or was linked since than is graded one by one."""
    with hub.owner_connection() as con:
        there = con.execute("select exists (select 1 from hub_holding)").fetchone() == (True,)
        last = con.execute(
            'select max(began) from enterprise_run where "on" = %s and ended is not null', [now.date()]
        )
        ((began,),) = last.fetchall()
        if not there or began is None:
            return there
        links = "select count(*) from enterprise_link where accepted_at > %(began)s or undone_at > %(began)s"
        ((linked,),) = con.execute(links, {"began": began}).fetchall()
        return bool(hub.large_since(con, began)) or linked > hub.TOUCHED
