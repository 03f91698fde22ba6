"""What the cases themselves say of the service: counts, days, channels, ratings. Aggregates only.

Read as the system, because they are about everybody and name nobody. A cell of fewer than ``FEWEST``
people is left out, so that no figure tells of one person.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from yiwang.kernel.access.contracts import Actor
from yiwang.kernel.access.session import as_system

FEWEST = 3
TOGETHER = timedelta(days=90)  # 共办: filed by the same people within this time (capabilities P26)

_ITEMS = """
with day as (
  select date, sum(working::int) over (order by date) as n from calendar_calendarday
), done as (
  select c.ref, max(c.name) over (partition by c.ref) as name, c.channel, c.extra, c.subject_id, c.result,
         c.due_at is null or c.decided_at <= c.due_at as in_time,
         b.n - a.n as days
  from cases_case c
  left join day a on a.date = (c.accepted_at at time zone 'Asia/Shanghai')::date
  left join day b on b.date = (c.decided_at at time zone 'Asia/Shanghai')::date
  where c.kind = 'service_item' and c.submitted_at >= %s
)
select ref, max(name) as name, count(*) as filed, count(*) filter (where result <> '') as closed,
       count(*) filter (where result = 'granted') as granted,
       percentile_disc(0.5) within group (order by days) as days_p50,
       percentile_disc(0.9) within group (order by days) as days_p90,
       avg(in_time::int) filter (where days is not null) as on_time,
       avg((channel = 'online')::int) as online,
       avg((extra ? 'supplement')::int) as supplemented
from done group by ref having count(distinct subject_id) >= %s order by filed desc
"""

_TOTAL = """
select count(*) as filed, count(*) filter (where closed_at is not null) as closed,
       avg((channel = 'online')::int) as online,
       avg(((extra->'burden'->>'visits')::int = 0)::int) filter (where extra ? 'burden') as no_visit,
       percentile_disc(0.5) within group (order by (extra->'burden'->>'fields')::int) as fields_p50,
       percentile_disc(0.9) within group (order by (extra->'burden'->>'fields')::int) as fields_p90,
       percentile_disc(0.5) within group (order by (extra->'burden'->>'uploads')::int) as uploads_p50
from cases_case where parent_id is null and submitted_at >= %s
"""

_MEASURED = """
select ref, count(*) as cases,
       percentile_disc(0.5) within group (order by (extra->'burden'->>'fields')::int) as fields_p50,
       percentile_disc(0.9) within group (order by (extra->'burden'->>'fields')::int) as fields_p90,
       percentile_disc(0.5) within group (order by (extra->'burden'->>'uploads')::int) as uploads_p50,
       percentile_disc(0.5) within group (order by (extra->'burden'->>'visits')::int) as visits_p50
from cases_case where parent_id is null and extra ? 'burden' and submitted_at >= %s
group by ref having count(distinct subject_id) >= %s
"""

_RATINGS = """
select r.level, count(*) as n,
       count(*) filter (where exists (
         select 1 from cases_rectification m where m.case_id = r.case_id and m.kind = 'rating')) as opened,
       count(*) filter (where exists (
         select 1 from cases_rectification m where m.case_id = r.case_id and m.kind = 'rating' and m.solved)) as solved
from cases_rating r where r.created >= %s group by r.level order by r.level desc
"""

_TOGETHER = """
select least(a.ref, b.ref) as one, greatest(a.ref, b.ref) as other, max(a.name) as name_a, max(b.name) as name_b,
       count(distinct a.subject_id) as people
from cases_case a join cases_case b
  on a.subject_id = b.subject_id and a.ref < b.ref and a.trace_id <> b.trace_id
 and b.submitted_at between a.submitted_at - %s and a.submitted_at + %s
where a.kind = 'service_item' and b.kind = 'service_item' and a.submitted_at >= %s
group by 1, 2 having count(distinct a.subject_id) >= %s order by people desc limit 20
"""


@dataclass(frozen=True)
class Statistics:
    """The figures at a moment, over the cases filed since ``since``."""

    at: datetime
    since: datetime
    total: dict[str, Any]
    items: list[dict[str, Any]]
    measured: dict[str, dict[str, Any]]
    ratings: list[dict[str, Any]]
    together: list[dict[str, Any]]


def _rows(sql: str, values: list[Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [c.name for c in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def measure(actor: Actor, days: int = 365) -> Statistics:
    """Compute everything over the last ``days`` days.

    Args:
        actor: who asks; gets the floor back afterwards.
    """
    now = timezone.now()
    since = now - timedelta(days=days)
    with as_system(actor):
        return Statistics(
            at=now,
            since=since,
            total=_rows(_TOTAL, [since])[0],
            items=_rows(_ITEMS, [since, FEWEST]),
            measured={row["ref"]: row for row in _rows(_MEASURED, [since, FEWEST])},
            ratings=_rows(_RATINGS, [since]),
            together=_rows(_TOGETHER, [TOGETHER, TOGETHER, since, FEWEST]),
        )
