"""What departments say differently of one enterprise: found by declared rules, decided by a person, undone by one.

Nothing is overwritten. A verdict asks the source of the other value to correct it, within the limit of the pack; the
difference is over when the source has delivered what agrees. As the owner: ``find``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.cases import api as cases
from yiwang.engines.hub import api as hub
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.session import as_system
from yiwang.kernel.audit.api import record
from yiwang.kernel.events.api import emit, emit_on
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.purposes import purpose_of
from yiwang.kernel.orgs.models import Organisation

from . import tables
from .models import Conflict, Correction
from .portrait.facts import statement
from .queries import ASKED, CREDIT, latest_of, office_of

OWN = "数据管理"  # the purpose under which data are compared
COLUMNS = "kind, key, value, since, other_key, other_value, other_since"


def find(codes: Sequence[str] | None = None) -> int:
    """Compare all enterprises, or some; returns how many differences there are. As the owner."""
    plan, found = tables.plan(), 0
    if plan is None:
        return 0
    with hub.owner_connection() as con, con.transaction():
        why = purpose_of(OWN)
        if codes is not None:
            con.execute("set local lock_timeout = '10s'")
        con.execute("select set_config('app.actor', 'system', true)")
        con.execute(
            "select ledger_note(%s, 'enterprise.conflict', '*', %s, %s, null, null, 'run', array['facts'], array[true])",
            [new_id(), why.name, why.basis],
        )
        told: set[str] = set()
        for fact in plan.facts:
            for source in fact.others:
                if not _holds(con, fact.authority.dataset.id) or not _holds(con, source.dataset.id):
                    continue
                text = statement(fact, source, source.dataset.id not in told, codes is not None)
                told.add(source.dataset.id)
                found += _put(con, fact.id, fact.authority.dataset.id, source.dataset.id, text, codes)
        _end(con)
    return found


def _end(con: Any) -> None:
    """Corrections that the sources' agreement settles, or whose difference is another one now, are over."""
    over = con.execute(
        "update enterprise_correction c set done_at = now(), state = 'done' from enterprise_conflict k "
        "where k.correction_id = c.id and k.state = 'gone' and c.done_at is null returning c.id, c.uscc"
    ).fetchall()
    over += con.execute(
        "update enterprise_correction c set done_at = now(), state = 'withdrawn' where not freezes and done_at is null "
        "and not exists (select 1 from enterprise_conflict k where k.correction_id = c.id) returning c.id, c.uscc"
    ).fetchall()
    for id, uscc in over:
        emit_on(con, ASKED, {"correction": str(id), "uscc": uscc})


def _holds(con: Any, dataset: str) -> bool:
    return hub.exists(con, dataset) and not hub.is_empty(con, dataset)


def _put(con: Any, fact: str, authority: str, source: str, text: str, codes: Sequence[str] | None) -> int:
    """Store the differences of one pair; those that are no more are over, those whose values changed are open again."""
    params = {"codes": list(codes or ()), "fact": fact, "authority": authority, "source": source}
    con.execute("drop table if exists told")
    con.execute(f"create temp table told as {text}", params)
    same = ", ".join(f"c.{n.strip()}" for n in COLUMNS.split(","))
    new = ", ".join(f"excluded.{n.strip()}" for n in COLUMNS.split(","))
    sets = ", ".join(f"{n.strip()} = excluded.{n.strip()}" for n in COLUMNS.split(","))
    con.execute(
        f"insert into enterprise_conflict as c (id, uscc, fact, dataset, other_dataset, {COLUMNS}, found_at, state, "
        "verdict, why, decided_by) select ledger_id(), uscc, %(fact)s, %(source)s, %(authority)s, "
        f"{COLUMNS}, now(), 'open', '', '', '' from told on conflict (uscc, fact, dataset) do update set {sets}, "
        "found_at = excluded.found_at, state = 'open', verdict = '', why = '', decided_by = '', decided_at = null, "
        f"correction_id = null where c.state = 'gone' or ({same}) is distinct from ({new})",
        params,
    )
    some = " and c.uscc = any(%(codes)s)" if codes is not None else ""
    con.execute(
        "update enterprise_conflict c set state = 'gone' where fact = %(fact)s and dataset = %(source)s "
        f"and state <> 'gone'{some} and not exists (select 1 from told t where t.uscc = c.uscc)",
        params,
    )
    ((n,),) = con.execute("select count(*) from told").fetchall()
    return int(n)


def due(now: datetime) -> bool:
    """Whether today's comparison has not been made, or more came since than is compared one by one."""
    with hub.owner_connection() as con:
        there = con.execute("select exists (select 1 from hub_holding)").fetchone() == (True,)
        ((began,),) = con.execute(
            "select max(began) from enterprise_conflictrun where ended is not null"
        ).fetchall()
        if not there or began is None or began.astimezone(now.tzinfo).date() < now.date():
            return there
        return bool(hub.large_since(con, began))


def run() -> int:
    """Compare all, one at a time; returns how many differences there are."""
    with hub.owner_connection() as con:
        if con.execute("select pg_try_advisory_lock(hashtext('yiwang conflicts'))").fetchone() != (True,):
            return 0
        ((id,),) = con.execute(
            "insert into enterprise_conflictrun (began, found) values (now(), 0) returning id"
        ).fetchall()
        found = find()
        con.execute("update enterprise_conflictrun set ended = now(), found = %s where id = %s", [found, id])
        return found


def read(ids: Sequence[UUID] | None = None, uscc: str = "", purpose: str = OWN) -> list[dict[str, Any]]:
    """Differences with what each side says: by id, or of one enterprise; an entry in the ledger for each enterprise."""
    why = purpose_of(purpose)
    with connection.cursor() as cursor:
        cursor.execute(
            "select v from enterprise_conflicts_of(%s, %s::uuid[], %s, %s, %s, %s) v",
            [new_id(), list(ids) if ids is not None else None, uscc, why.name, why.basis, why.visible_from()],
        )
        return [json.loads(v) if isinstance(v, str) else v for (v,) in cursor.fetchall()]


def decide(actor: Actor, conflict_id: UUID, right: str, why: str) -> Correction:
    """One source is right: the other is asked to correct what it says, within the limit.

    Args:
        right: the dataset that is right.

    Raises:
        Refused: not his post, no such conflict, decided already, no reason, a source that says nothing of it.
    """
    row, plan = _mine(actor, conflict_id), tables.plan()
    if row["state"] != Conflict.State.OPEN or plan is None:
        raise Refused(_("这处冲突已经裁决或已经一致，请刷新页面。"))
    sides = {row["dataset"]: row["other_dataset"], row["other_dataset"]: row["dataset"]}
    if right not in sides:
        raise Refused(
            _("请选哪个来源是对的：%(a)s，还是 %(b)s。") % {"a": row["other_dataset"], "b": row["dataset"]}
        )
    if len(why.strip()) < 4:
        raise Refused(_("请写明为什么这个来源是对的，另一方和企业都会看到。"))
    wrong = sides[right]
    dataset, good = hub.current(wrong), hub.current(right)
    key = row["key"] if wrong == row["dataset"] else row["other_key"]
    fact = next((f.name for f in plan.facts if f.id == row["fact"]), row["fact"])
    values = {row["dataset"]: row["value"], row["other_dataset"]: row["other_value"]}
    told = {
        "fact": fact, "good": good.name, "value": values[right] or "—", "mine": values[wrong] or "—", "why": why.strip(),
    }  # fmt: skip
    words = _("%(fact)s：%(good)s为“%(value)s”，贵方为“%(mine)s”，经裁决以前者为准。理由：%(why)s") % told
    org = _office(actor, dataset, key, row["region"])
    with as_system(actor):  # the other office's, so not the actor's to write
        made = Correction.objects.create(
            uscc=row["uscc"], dataset=wrong, key=key or row["uscc"], title=f"{dataset.name} {row['uscc']} {fact}"[:200],
            words=words[:1000], org=org, asked_by=actor.label, freezes=False, delivery=0,
            due_on=cases.due_day(ASKED, timezone.now()),
        )  # fmt: skip
        emit(ASKED, {"correction": str(made.id), "uscc": row["uscc"]})
    done = Conflict.objects.filter(id=conflict_id, state=Conflict.State.OPEN).update(
        state=Conflict.State.DECIDED, verdict=right, why=why.strip()[:1000], decided_by=actor.name,
        decided_at=timezone.now(), correction=made,
    )  # fmt: skip
    if not done:
        raise Refused(_("这处冲突刚刚被别人裁决了，请刷新页面。"))
    record(
        actor, "enterprise.conflict-decided", "conflict", conflict_id, right=right, correction=str(made.id)
    )
    return made


def undo(actor: Actor, conflict_id: UUID) -> None:
    """Take a verdict back: the request for correction goes with it.

    Raises:
        Refused: not his post, no such conflict, nothing decided.
    """
    row = _mine(actor, conflict_id)
    if row["state"] != Conflict.State.DECIDED:
        raise Refused(_("这处冲突没有裁决可以撤回，请刷新页面。"))
    with as_system(actor):
        open_ones = Correction.objects.filter(id=row["correction_id"], done_at=None)
        if open_ones.update(state=Correction.State.WITHDRAWN, done_at=timezone.now()):
            emit(ASKED, {"correction": str(row["correction_id"]), "uscc": row["uscc"]})
    _open(conflict_id)
    record(actor, "enterprise.conflict-undone", "conflict", conflict_id, was=row["verdict"])


def reopen(actor: Actor, made: Correction) -> None:
    """The other source says that it is right all the same: a person has to look again."""
    with as_system(actor):
        found = Conflict.objects.filter(correction_id=made.id).values_list("id", flat=True).first()
        if found is not None:
            _open(found)


def _open(conflict_id: UUID) -> None:
    Conflict.objects.filter(id=conflict_id).update(
        state=Conflict.State.OPEN, verdict="", why="", decided_by="", decided_at=None, correction=None
    )


def _mine(actor: Actor, conflict_id: UUID) -> dict[str, Any]:
    if not any(CREDIT in roles for roles in actor.posts.values()):
        raise Refused(_("数据冲突由信用监管岗裁决，您没有这个岗位。"))
    found = read([conflict_id])
    if not found:
        raise Refused(_("没有找到这处冲突，请刷新页面。"))
    return found[0]


def _office(actor: Actor, dataset: hub.Dataset, key: str | None, region: str) -> Organisation | None:
    """Who brought the record that is wrong: another county's could neither correct it nor has a right to see it.

    Args:
        key: the record's; None where there is none. region: the enterprise's, where the record names none.
    """
    found = (latest_of(dataset, key, OWN) if key else None) or {}
    with as_system(actor):  # where a record comes from is no secret of the office that delivered it
        brought = hub.Delivery.objects.filter(seq=found.get("_delivery")).select_related("org").first()
    return office_of(dataset, brought, str(found.get(dataset.territory) or region))
