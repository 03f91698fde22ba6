"""From those entitled to the money: list, publicity, wish, payment, receipt.

Nothing is paid twice: a payment is unique by policy, enterprise and period, and by group, in PostgreSQL. Just before
the money moves the enterprise is judged once more; a condition that no longer holds stops it, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.judge.api import Status, compile_plan
from yiwang.engines.judge.library import load
from yiwang.kernel.access.contracts import SYSTEM, Actor, Refused
from yiwang.kernel.access.session import as_system
from yiwang.kernel.accounts.models import Enterprise
from yiwang.kernel.audit.api import record
from yiwang.kernel.calendar.api import working_calendar
from yiwang.kernel.events.api import emit
from yiwang.kernel.ids import derived_id
from yiwang.kernel.notify.api import tell
from yiwang.kernel.packs import api as packs
from yiwang.kernel.packs.contracts import Pack
from yiwang.kernel.registers.api import lookup_many

from . import actions, province, queries
from .contracts import PUBLISHER
from .models import Application, Grant, Payment, Round

AT_ONCE = 1000  # enterprises read from the register together
_ACCOUNT = re.compile(r"\d{8,30}\Z")


def require_office(actor: Actor, pack: Pack, role: str):
    """The issuing office, where the actor holds ``role``. Raises Refused."""
    org = actions.office(pack)
    if org is None or not actor.has_role(org.id, role):
        raise Refused(_("“%(name)s”由别的部门兑付，或您没有这个岗位。") % {"name": pack.name})
    return org


def make_list(actor: Actor, ref: str) -> Round:
    """List everyone entitled now who was not listed in this period, and begin the publicity.

    Raises:
        Refused: no such post, not a policy that is paid here without application, nobody entitled, over the budget.
        NoProvince: the province's data were never copied.
    """
    pack = actions.require_policy(ref)
    org = require_office(actor, pack, PUBLISHER)
    if not pack.data["benefit"]["paid"] or pack.data["mode"] != "免申即享":
        raise Refused(_("“%(name)s”不是免申即享的资金政策，不生成名单。") % {"name": pack.name})
    day = timezone.localdate()
    period = actions.period_of(pack, day)
    with as_system(actor):
        taken = set(
            Grant.objects.filter(policy=ref, period=period)
            .exclude(state__in=[Grant.DECLINED, Grant.STOPPED])
            .values_list("uscc", flat=True)
        )
        stack = pack.data.get("group", "")
        if stack:
            taken |= set(Payment.objects.filter(stack=stack, period=period).values_list("uscc", flat=True))
    fresh = [key for key in _entitled(pack) if key not in taken]
    judged = list(_judged(pack, fresh))
    if not judged:
        raise Refused(_("没有新的符合条件的企业。"))
    _within_budget(pack, period, sum((amount for *_rest, amount in judged), Decimal(0)))
    return _begin(actor, pack, org.id, period, judged)


def _entitled(pack: Pack) -> list[str]:
    """Codes of those entitled by the province's copy; who is really listed is judged by the register."""
    declared = queries.frame()
    source = province.source(declared)
    plan = compile_plan([load(pack.data, declared, timezone.localdate())], declared.fields, source.cuts())
    rows: set[int] = set()
    for found, _slots in source.pairs(plan):
        rows.update(int(row) for row in found)
    return province.keys(sorted(rows))


def _judged(pack: Pack, keys: Iterable[str]) -> Iterator[tuple[str, str, Decimal]]:
    """Code, name, amount of those whom the register of now entitles. Each read is in the ledger."""
    now = queries.prepared()
    keys = list(keys)
    for start in range(0, len(keys), AT_ONCE):
        part = keys[start : start + AT_ONCE]
        for key, fields in lookup_many(now.frame.register, part, queries.PURPOSE).items():
            status, amount, _why = judge_one(now, pack.id, fields)
            if status is Status.ENTITLED and amount:
                yield key, str(fields.get(now.frame.name) or key), amount


def judge_one(now: queries.Prepared, ref: str, fields: Any) -> tuple[Status, Decimal | None, str]:
    """How a record stands to one policy: status, amount, and in words what does not hold."""
    row = queries.policies.given(fields, now.frame)
    judge, priced = now.single(ref)
    full, _bad = queries.filled_row(priced, row, now.day)
    verdict = judge.explain(row)[0]
    texts = {
        c["field"]: c for c in queries.policies.conditions(now.packs[ref].data, now.frame)[verdict.rule.id]
    }
    why = "；".join(
        f"{texts[f.condition.field.name]['text']}（{texts[f.condition.field.name]['clause']}）"
        for f in verdict.findings
        if f.answer is not True
    )
    return verdict.status, full.get(queries.amount_field(ref)), why


def _within_budget(pack: Pack, period: str, more: Decimal) -> None:
    budget = Decimal(str(pack.data["budget"]["value"]))
    spent = Payment.objects.filter(policy=pack.id, period=period).aggregate(s=Sum("amount"))["s"] or Decimal(
        0
    )
    if spent + more > budget:
        told = {"need": spent + more, "budget": budget, "over": spent + more - budget}
        raise Refused(
            _("需要 %(need)s 元，预算 %(budget)s 元，超出 %(over)s 元；请先调整预算或条件，再生成名单。")
            % told
        )


def _begin(
    actor: Actor,
    pack: Pack,
    org_id: UUID,
    period: str,
    judged: list[tuple[str, str, Decimal]],
    case: UUID | None = None,
) -> Round:
    last = working_calendar().after(timezone.localdate(), queries.rules_of()["publicity"]["value"])
    made = Round.objects.create(
        policy=pack.id,
        name=pack.name,
        period=period,
        release=packs.current_release(),
        org_id=org_id,
        made_by=actor.label,
        public_until=last,
    )
    with as_system(actor):  # who acts for an enterprise is not the office's to see
        found = Enterprise.objects.filter(uscc__in=[key for key, *_rest in judged])
        subjects = dict(found.values_list("uscc", "id"))
    Grant.objects.bulk_create(
        [
            Grant(
                round=made,
                policy=pack.id,
                period=period,
                org_id=org_id,
                subject_id=subjects.get(key),
                uscc=key,
                name=name[:120],
                amount=amount,
                case_id=case,
            )
            for key, name, amount in judged
        ]
    )
    record(actor, "policy.listed", "round", made.id, policy=pack.id, enterprises=len(judged))
    morning = timezone.make_aware(datetime.combine(last + timedelta(days=1), time(0, 5)))
    emit("policy.publicity-over", {"round": str(made.id)}, not_before=morning)
    return made


def publicity_over(round_id: UUID) -> None:
    """Ask everyone on the list whether he wants it. As the system; again, it does nothing."""
    made = Round.objects.select_for_update().get(id=round_id)
    if made.closed_at or timezone.localdate() <= made.public_until:
        return
    made.closed_at = timezone.now()
    made.save()
    asked = list(made.grants.filter(state=Grant.LISTED).exclude(subject_id=None))
    made.grants.filter(state=Grant.LISTED).update(state=Grant.ASKED, changed_at=timezone.now())
    for grant in asked:
        title = _("“%(name)s”：%(amount)s 元，请确认是否领取") % {
            "name": made.name,
            "amount": grant.amount,
        }
        text = _("公示已结束，没有影响发放的异议。请确认并填写本单位的收款账号；不想要也可以放弃。")
        tell(derived_id("grant", grant.id, "asked"), grant.subject_id, title, text, "/policies/mine")


def answer(actor: Actor, grant_id: UUID, yes: bool, account: str) -> None:
    """The enterprise's wish. Raises Refused: not asked (any more), or no account."""
    grant = Grant.objects.select_for_update().filter(id=grant_id).first()
    if grant is None or grant.subject_id != actor.subject_id or "viewer" in actor.acting_for.roles:
        raise Refused(_("没有找到这一笔，或您的授权不能确认。"))
    if grant.state != Grant.ASKED:
        raise Refused(_("这一笔现在不用确认，可能已经确认过。"))
    account = account.replace(" ", "")
    if yes and not _ACCOUNT.match(account):
        raise Refused(
            _("收款账号“%(value)s”不对，应为 8 到 30 位数字，请对照开户许可填写。") % {"value": account}
        )
    grant.state, grant.account = (Grant.AGREED, account) if yes else (Grant.DECLINED, "")
    grant.save()
    record(actor, "policy.agreed" if yes else "policy.declined", "grant", grant.id, policy=grant.policy)
    if yes:
        emit("policy.pay", {"grant": str(grant.id)})


def pay(grant_id: UUID) -> Payment | None:
    """Move the money, once, if everything still holds. As the system; again, it does nothing."""
    grant = Grant.objects.select_for_update().get(id=grant_id)
    if grant.state != Grant.AGREED:
        return Payment.objects.filter(grant=grant).first()
    reason, amount = _still(grant)
    if reason:
        _stop(grant, reason)
        return None
    pack = queries.prepared().packs[grant.policy]
    try:
        with transaction.atomic():
            made = Payment.objects.create(
                grant=grant,
                policy=grant.policy,
                uscc=grant.uscc,
                period=grant.period,
                stack=pack.data.get("group", ""),
                subject_id=grant.subject_id,
                org_id=grant.org_id,
                amount=amount,
                receipt=f"HZ{timezone.localdate():%Y%m%d}{str(grant.id).replace('-', '')[-12:].upper()}",
            )
    except IntegrityError:  # the database's last word: this policy, or one of its group, was paid
        _stop(grant, _("本期已经拨付过这项政策，或同组只能享受一项的另一项政策。"))
        return None
    grant.state, grant.amount = Grant.PAID, amount
    grant.save()
    record(
        SYSTEM,
        "policy.paid",
        "grant",
        grant.id,
        policy=grant.policy,
        amount=str(amount),
        receipt=made.receipt,
    )
    if grant.subject_id:
        told = {"name": pack.name, "amount": amount, "receipt": made.receipt, "tail": grant.account[-4:]}
        text = _("已拨付 %(amount)s 元到尾号 %(tail)s 的账户，回执 %(receipt)s。") % told
        tell(
            derived_id("grant", grant.id, "paid"),
            grant.subject_id,
            _("“%(name)s”已到账") % told,
            text,
            "/policies/mine",
        )
    return made


def _still(grant: Grant) -> tuple[str, Decimal]:
    """Why the money may not move now, or nothing; and how much it is today, never more than was made public."""
    now = queries.prepared()
    pack = now.packs.get(grant.policy)
    if pack is None:
        return _("政策已经到期或停止。"), Decimal(0)
    found = lookup_many(now.frame.register, [grant.uscc], queries.PURPOSE).get(grant.uscc, {})
    if (
        grant.case_id and grant.subject_id
    ):  # he applied: his own statements count, the office has checked them
        enterprise = Enterprise.objects.get(id=grant.subject_id)
        row, _own = queries.row_of(enterprise, now.frame)
        found = {**row, **{k: v for k, v in found.items() if v is not None}}
    status, amount, why = judge_one(now, grant.policy, found)
    if status is not Status.ENTITLED or not amount:
        return _("拨付前核对，条件不再满足：%(why)s") % {"why": why}, Decimal(0)
    for other in now.excluded.get(grant.policy, {}):
        if Payment.objects.filter(policy=other, uscc=grant.uscc, period=grant.period).exists():
            return _("已经享受了互斥的“%(name)s”。") % {"name": now.packs[other].name}, Decimal(0)
    amount = min(amount, grant.amount)
    try:
        _within_budget(pack, grant.period, amount)
    except Refused as over:
        return str(over), Decimal(0)
    return "", amount


def _stop(grant: Grant, reason: str) -> None:
    grant.state, grant.reason = Grant.STOPPED, reason[:500]
    grant.save()
    record(SYSTEM, "policy.stopped", "grant", grant.id, policy=grant.policy, reason=grant.reason)
    if grant.subject_id:
        title = _("“%(name)s”没有拨付") % {"name": grant.round.name}
        text = grant.reason + _("不同意的，可在政策页提出异议。")
        tell(
            derived_id("grant", grant.id, "stopped"),
            grant.subject_id,
            title,
            text,
            f"/policies/{grant.policy}",
        )


def granted(case_id: UUID) -> None:
    """An application was granted: its enterprise goes on a list of its own. As the system; again, nothing."""
    asked = Application.objects.filter(id=case_id).first()
    if asked is None or Grant.objects.filter(case_id=case_id).exists():
        return
    now = queries.prepared()
    pack = now.packs.get(asked.policy)
    org = actions.office(pack) if pack else None
    if pack is None or org is None:
        return
    enterprise = Enterprise.objects.get(id=asked.subject_id)
    row, _own = queries.row_of(enterprise, now.frame)
    status, amount, why = judge_one(now, pack.id, row)
    period = actions.period_of(pack, now.day)
    there = Grant.objects.filter(policy=pack.id, uscc=asked.uscc, period=period)
    if there.exclude(state__in=[Grant.DECLINED, Grant.STOPPED]).exists():
        why, amount = _("本期已经在兑付名单里。"), None
    if status is not Status.ENTITLED or not amount:
        text = _("申请已准予，但按登记的数据没有进入兑付名单：%(why)s") % {"why": why or _("金额为零")}
        tell(derived_id("granted", case_id), enterprise.id, pack.name, text, f"/policies/{pack.id}", case_id)
        return
    _begin(SYSTEM, pack, org.id, period, [(asked.uscc, enterprise.name, amount)], case_id)
