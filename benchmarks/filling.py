"""Fill an installation up with cases, set by set: copies of real ones, spread over a year, offices and people.

Every copy has what its pattern has: draft, events, clock, and, while it is open, its token. Only the hash
chain of a copy's events is the pattern's own and does not verify; nothing measured here reads it.
"""

from typing import Any

import crowd as crowds

OPEN_SHARE = 0.05
PEOPLE = 250_000  # that the copies are spread over
_PATTERN = (
    "select id from cases_case where ref = %s and (closed_at is null) = %s order by submitted_at limit 1"
)
_TABLES = (
    ("cases_draft", "id"),
    ("cases_case", "id"),
    ("cases_event", "case_id"),
    ("cases_clockinterval", "case_id"),
    ("cases_token", "case_id"),
)
_OWN = {  # what a copy has of its own; every other moment is the pattern's, moved by the copy's age
    "number": "c.number",
    "trace_id": "c.id",
    "subject_id": "c.subject_id",
    "org_id": "c.org_id",
    "command_id": "uuidv7(-c.age)",
    "due_at": "c.due_at",
}
_MOMENTS = {
    "submitted_at", "accepted_at", "decided_at", "closed_at", "created", "saved", "at", "start", "end",
}  # fmt: skip


def fill(total: int, open_in_office: int, crowd: crowds.Crowd) -> int:
    """Bring an installation to ``total`` cases, of which ``open_in_office`` are open in the first office.

    Returns:
        how many cases there are.
    """
    from django.db import connections

    open_pattern = _open_case(crowd)
    office = next(iter(crowd.offices.values()))
    connection = connections["owner"]
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")  # foreign keys of copies hold by themselves
        cursor.execute("set synchronous_commit = off")
        cursor.execute("set work_mem = '128MB'")
        cursor.execute("select count(*) from cases_case")
        missing = total - cursor.fetchone()[0]
        cursor.execute("select count(*) from cases_token where org_id = %s and kind = 'user'", [office])
        here = open_in_office - cursor.fetchone()[0]
        cursor.execute(_PATTERN, [crowds.ITEM, False])
        closed_pattern = cursor.fetchone()[0]
        opened = min(max(int(missing * OPEN_SHARE), here), max(missing, 0))
        for pattern, first, count in ((closed_pattern, 0, missing - opened), (open_pattern, missing, opened)):
            if count > 0:
                is_open = pattern == open_pattern
                _copies(cursor, first, count, office, here if is_open else 0, is_open)
                for table, key in _TABLES:
                    _copy(cursor, table, key, pattern)
                cursor.execute("drop table copies")
        cursor.execute("set session_replication_role = origin")
        cursor.execute(
            "vacuum analyze cases_case, cases_draft, cases_event, cases_token, cases_clockinterval"
        )
        cursor.execute("checkpoint")
        cursor.execute("select count(*) from cases_case")
        (there,) = cursor.fetchone()
    connection.close()
    return int(there)


def _open_case(crowd: crowds.Crowd) -> Any:
    """A fresh application that nobody has touched."""
    from yiwang.engines.cases import api as cases
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.accounts.models import User
    from yiwang.kernel.accounts.queries import actor_of
    from yiwang.kernel.ids import new_id

    values = {"service.proof_from": "2025-01", "service.proof_to": "2025-12"}
    with acting(SYSTEM):
        actor = actor_of(User.objects.select_related("person").get(id=crowd.residents[0].user_id))
    with acting(actor):
        return cases.file(actor, crowds.ITEM, {}, values, (), new_id())


def _copies(cursor, first: int, count: int, office, here: int, is_open: bool) -> None:
    """The table of who the copies are: a year of them, in every office, or the first ``here`` in one."""
    cursor.execute(
        """
        create temp table copies as
        with offices as materialized (
          select row_number() over (order by id) - 1 as n, count(*) over () as many, id, left(region_id, 6) as region
          from orgs_organisation where id <> %(office)s
        ), numbered as (
          select g, interval '1 second' * (31536000.0 * (%(count)s - g) / %(count)s) as age
          from generate_series(1, %(count)s) g
        )
        select uuidv7(-n.age) as id, n.age,
          case when n.g <= %(here)s then %(office)s else o.id end as org_id,
          o.region || '-' || to_char(now() - n.age, 'YYYYMMDD') || '-' || (900000000 + %(first)s + n.g) as number,
          md5('person ' || (n.g %% %(people)s))::uuid as subject_id,
          case when %(open)s then now() + interval '1 hour' * ((n.g * 7919) %% 480 - 48) end as due_at
        from numbered n join offices o on o.n = (n.g * 31) %% o.many
        """,
        {
            "office": office, "count": count, "here": here, "first": first, "people": PEOPLE, "open": is_open,
        },
    )  # fmt: skip


def _copy(cursor, table: str, key: str, pattern) -> None:
    """Every row of the pattern in one table, once for each copy."""
    cursor.execute(
        "select column_name from information_schema.columns where table_name = %s and is_generated = 'NEVER'",
        [table],
    )
    columns = [row[0] for row in cursor.fetchall()]
    own = _OWN | {key: "c.id"}
    source = [f't."{c}" - c.age' if c in _MOMENTS else own.get(c, f't."{c}"') for c in columns]
    names = ", ".join(f'"{c}"' for c in columns)
    cursor.execute(
        f"insert into {table} ({names}) select {', '.join(source)} from copies c cross join {table} t"
        f" where t.{key} = %s order by c.id",
        [pattern],
    )
