"""Make a plan, draw it, or drop it; each with its audit event."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.domains.enterprise import tables
from yiwang.domains.enterprise.models import SamplingPlan, SamplingStratum
from yiwang.domains.enterprise.queries import CREDIT
from yiwang.domains.enterprise.risk.contracts import Table
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.audit.api import record
from yiwang.kernel.calendar.api import working_calendar
from yiwang.kernel.calendar.rules import CalendarTooShort
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.purposes import purpose_of, purposes
from yiwang.kernel.orgs.models import Organisation
from yiwang.kernel.packs import api as packs

from . import rules
from .queries import may_read, plan_of, regions_of

LONGEST = 366  # days of a period


@dataclass(frozen=True)
class Wish:
    """What somebody wants to plan. regions, industries: empty for all; first, last: None for what is no date."""

    name: str
    purpose: str
    org: UUID
    first: date | None
    last: date | None
    regions: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()


def plan(actor: Actor, wish: Wish) -> SamplingPlan:
    """Freeze who is in scope by the classes in force, then make the seed; nobody is drawn yet.

    Raises:
        Refused: not his post, no name, a purpose or code that is not in the lists, a period that is none.
    """
    table = tables.current()
    if table is None or table.fairness is None:
        raise Refused(_("还没有积分表，不知道各类抽多少：请先装载 risk_points 包。"))
    if CREDIT not in actor.posts.get(wish.org, ()):
        raise Refused(_("抽查计划由信用监管岗制定，您在这个单位没有这个岗位。"))
    if wrong := faults(wish):
        raise Refused(" ".join(message for _field, message in wrong))
    regions = sorted(wish.regions or _regions(wish))
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('yiwang sampling'))")
    made = SamplingPlan.objects.create(
        number=(SamplingPlan.objects.aggregate(n=Max("number"))["n"] or 0) + 1,
        name=wish.name.strip()[:100], purpose=wish.purpose, org_id=wish.org, first=wish.first, last=wish.last,
        regions=regions, industries=sorted(wish.industries), release=packs.current_release(),
        rounding=table.rounding, rounding_says=table.rounding_says,
        made_by=actor.label, made_by_name=actor.name, frozen_at=timezone.now(),
        # Nobody chooses the lot: the seed is random, in the transaction that freezes the scope, and never changes.
        seed=secrets.token_hex(16),
    )  # fmt: skip
    subjects, why = table.subjects, purpose_of(wish.purpose)
    with connection.cursor() as cursor:
        cursor.execute(
            "select grade, subjects, digest from enterprise_sampling_freeze(%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                *(
                    new_id(),
                    made.id,
                    subjects.id,
                    subjects.subject_field,
                    table.fairness.region,
                    table.industry,
                ),
                *(why.name, why.basis),
            ],
        )
        found = {grade: (count, digest) for grade, count, digest in cursor.fetchall()}
    strata = _strata(made, table, found)
    SamplingStratum.objects.bulk_create(strata)
    record(
        actor, "enterprise.sampling-planned", "sampling", made.id,
        number=made.number, subjects=sum(s.subjects for s in strata), wanted=sum(s.wanted for s in strata),
    )  # fmt: skip
    return made


def purposes_offered() -> list[str]:
    """Purposes that a plan may have: those of supervision that the register is given out for."""
    table, declared = tables.current(), purposes()
    return [p for p in table.subjects.purposes if p in declared and declared[p].supervision] if table else []


def faults(wish: Wish) -> list[tuple[str, str]]:
    """Everything that is wrong with a wish, as (field of the form, what to do)."""
    found = []
    if len(wish.name.strip()) < 2:
        found.append(("name", _("请写计划的名称，例如“2027 年度食品生产抽查”。")))
    offered = purposes_offered()
    if not wish.purpose:
        found.append(("purpose", _("请选用途：%(known)s。") % {"known": "、".join(offered)}))
    elif wish.purpose not in offered:
        told = {"p": wish.purpose, "known": "、".join(offered)}
        found.append(("purpose", _("登记信息不向用途“%(p)s”的抽查提供，请从中选一个：%(known)s。") % told))
    found += _period(wish)
    mine = _regions(wish)
    if other := [r for r in wish.regions if r not in mine]:
        told = {"r": "、".join(other)}
        found.append(("region", _("区划 %(r)s 不归您单位，请只选本地和下级区划。") % told))
    table = tables.current()
    listed = table.subjects.field(table.industry).codes if table else frozenset()
    if unknown := [i for i in wish.industries if i not in listed]:
        told = {"i": "、".join(map(repr, unknown))}
        found.append(("industry", _("行业代码 %(i)s 不在行业分类里，请从列表里选。") % told))
    return found


def _period(wish: Wish) -> list[tuple[str, str]]:
    days = (("first", _("开始日"), wish.first), ("last", _("截止日"), wish.last))
    what = _("%(name)s不是日期，请写成 2027-01-01 的样子。")
    found = [(field, what % {"name": name}) for field, name, day in days if day is None]
    if wish.first is not None and wish.first < timezone.localdate():
        what = _("抽查期从 %(first)s 开始，已经过去：请从今天或以后的日子开始。")
        found.append(("first", what % {"first": wish.first}))
    if wish.first is None or wish.last is None:
        return found
    if not 1 <= (wish.last - wish.first).days + 1 <= LONGEST:
        told = {"first": wish.first, "last": wish.last, "n": LONGEST}
        what = _("抽查期 %(first)s 至 %(last)s 不对：截止日不能早于开始日，最长 %(n)s 天。")
        return [*found, ("last", what % told)]
    try:
        working_calendar().is_working(wish.last)
    except CalendarTooShort as short:
        what = _("%(why)s：请把截止日提前，或先导入那一年的放假通知。")
        found.append(("last", what % {"why": short}))
    return found


def _regions(wish: Wish) -> dict[str, str]:
    return regions_of(Organisation.objects.select_related("region").get(id=wish.org))


def _strata(made: SamplingPlan, table: Table, found: dict[str, tuple[int, str]]) -> list[SamplingStratum]:
    rows = [(c.id, c.name, c.percent, c.times, c.within_days, c.says) for c in table.classes]
    rows.append(
        (
            "", _("未分类（含首次分类还在告知期内的）"),
            table.unrated_percent, table.unrated_times, table.unrated_within, table.unrated_says,
        )
    )  # fmt: skip
    told = []
    for place, (grade, name, percent, times, within, says) in enumerate(rows):
        subjects, digest = found.get(grade, (0, ""))
        share = Decimal(str(percent))
        told.append(
            SamplingStratum(
                plan=made, place=place, grade=grade, name=name[:60], percent=share, times=times, within_days=within,
                says=says[:200], subjects=subjects, digest=digest,
                wanted=rules.wanted(subjects, share, table.rounding) if times else 0,
                visits=rules.visits(times, within, made.first, made.last),
            )
        )  # fmt: skip
    return told


def draw(actor: Actor, plan_id: UUID) -> int:
    """Draw the lot of a plan; returns how many. Never again afterwards.

    Raises:
        Refused: no such plan, not his, drawn or dropped already.
    """
    one = _ready(actor, plan_id)
    days = rules.working_days(one.first, one.last, working_calendar().is_working)
    why = purpose_of(one.purpose)
    with connection.cursor() as cursor:
        cursor.execute(
            "select enterprise_sampling_draw(%s, %s, %s, %s, %s)",
            [new_id(), one.id, days, why.name, why.basis],
        )
        (count,) = cursor.fetchone()
    _end(actor, one, SamplingPlan.State.DRAWN)
    record(
        actor, "enterprise.sampling-drawn", "sampling", one.id, number=one.number, seed=one.seed, drawn=count
    )
    return int(count)


def drop(actor: Actor, plan_id: UUID, why: str) -> None:
    """Give a plan up that was not drawn; it stays in the list, with the reason.

    Raises:
        Refused: see ``draw``; no reason.
    """
    one = _ready(actor, plan_id)
    if len(why.strip()) < 4:
        raise Refused(_("请写明为什么不抽了：作废的计划连同理由一直留在列表里。"))
    _end(actor, one, SamplingPlan.State.DROPPED, why.strip()[:200])
    record(actor, "enterprise.sampling-dropped", "sampling", one.id, number=one.number)


def frame(actor: Actor, plan_id: UUID, grade: str) -> list[str]:
    """The codes in scope of one class, for whoever recomputes the lot; an entry each in the ledger.

    Raises:
        Refused: no such plan, or not his to see.
    """
    one = plan_of(plan_id)
    if one is None or not may_read(one):
        raise Refused(_("没有找到这个抽查计划，或它的底数不归您单位看。"))
    why = purpose_of(one.purpose)
    with connection.cursor() as cursor:
        cursor.execute(
            "select enterprise_sampling_frame(%s, %s, %s, %s, %s)",
            [new_id(), one.id, grade, why.name, why.basis],
        )
        (codes,) = cursor.fetchone()
    found = codes.split("\n") if codes else []
    record(
        actor, "enterprise.sampling-frame-read", "sampling", one.id, number=one.number, grade=grade, codes=len(found)
    )  # fmt: skip
    return found


def _ready(actor: Actor, plan_id: UUID) -> SamplingPlan:
    one = SamplingPlan.objects.filter(id=plan_id).first()
    if one is None or CREDIT not in actor.posts.get(one.org_id, ()):
        raise Refused(_("没有找到这个抽查计划，或它不是您单位的。"))
    if one.state != SamplingPlan.State.READY:
        raise Refused(_("计划“%(n)s”%(s)s，不能再改。") % {"n": one.name, "s": one.get_state_display()})
    return one


def _end(actor: Actor, one: SamplingPlan, state: str, why: str = "") -> None:
    done = SamplingPlan.objects.filter(id=one.id, state=SamplingPlan.State.READY).update(
        state=state, ended_at=timezone.now(), ended_by_name=actor.name, why_dropped=why
    )
    if not done:
        raise Refused(_("这个计划刚刚被别人抽取或作废了，请刷新页面看结果。"))
