"""Judge enterprises anew when what is known of them, or the policies, changed; tell each what it gained or lost.

All of a batch at once by the vector evaluator; the explanation is made when somebody reads the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from yiwang.engines.judge.api import Plan, compile_plan, match_table
from yiwang.kernel.accounts.models import Enterprise
from yiwang.kernel.events.api import emit
from yiwang.kernel.ids import new_id
from yiwang.kernel.notify.api import tell
from yiwang.kernel.packs import api as packs
from yiwang.kernel.registers.api import lookup_many

from . import province, queries
from .models import Standing, Statement, Subscription

WAYS = ("sms", "email")
AT_ONCE = 500  # enterprises in one transaction
Change = tuple[list[str], list[str]]


def changed(register: str, keys: Sequence[str]) -> None:
    """Records of a register changed. Only enterprises that somebody acts for here are judged.

    A register that does not answer raises Unavailable: the event is tried again later.
    """
    if not packs.current().all("judge_fields"):
        return
    declared = queries.frame()
    if register != declared.register:
        return
    found = lookup_many(register, keys, queries.PURPOSE)
    province.replace(declared, {key: found.get(key) for key in keys})
    judge(list(Enterprise.objects.filter(uscc__in=keys).order_by("id")), found)


def everybody() -> None:
    """The policies changed: judge every enterprise that was judged before, some at a time."""
    held = [str(one) for one in Standing.objects.order_by("subject_id").values_list("subject_id", flat=True)]
    for start in range(0, len(held), AT_ONCE):
        emit("policy.rejudge", {"subjects": held[start : start + AT_ONCE]})


def some(subjects: Iterable[UUID]) -> None:
    """Judge these enterprises anew."""
    there = list(Enterprise.objects.filter(id__in=list(subjects)).order_by("id"))
    declared = queries.frame()
    judge(there, lookup_many(declared.register, [e.uscc for e in there], queries.PURPOSE))


def again(enterprise: Enterprise) -> Change:
    """Judge one and tell; returns the ids of policies gained and lost. The first time is silent."""
    declared = queries.frame()
    found = lookup_many(declared.register, [enterprise.uscc], queries.PURPOSE)
    return judge([enterprise], found)[enterprise.id]


def judge(enterprises: Sequence[Enterprise], records: Mapping[str, Mapping[str, Any]]) -> dict[UUID, Change]:
    """Judge a batch with the register's records by code, keep the outcome, tell whom it changed.

    Returns:
        ids of policies gained and lost, by enterprise.
    """
    if not enterprises:
        return {}
    ids = [e.id for e in enterprises]
    now = entitled(enterprises, records)
    held = {s.subject_id: s for s in Standing.objects.select_for_update().filter(subject_id__in=ids)}
    told: dict[UUID, Change] = {}
    for enterprise in enterprises:
        mine, standing = now[enterprise.id], held.get(enterprise.id)
        before = standing.entitled if standing else mine
        told[enterprise.id] = sorted(set(mine) - set(before)), sorted(set(before) - set(mine))
    Standing.objects.bulk_create(
        [Standing(subject_id=e.id, uscc=e.uscc, entitled=now[e.id]) for e in enterprises],
        update_conflicts=True,
        unique_fields=["subject_id"],
        update_fields=["uscc", "entitled", "judged_at"],
    )
    wants = set(Subscription.objects.filter(subject_id__in=ids).values_list("subject_id", flat=True))
    for subject, (gained, lost) in told.items():
        if gained or lost:
            _tell(subject, gained, lost, WAYS if subject in wants else ())
    return told


def entitled(
    enterprises: Sequence[Enterprise], records: Mapping[str, Mapping[str, Any]]
) -> dict[UUID, list[str]]:
    """Ids of the policies in force that each is entitled to, by the register and its own statements."""
    now = queries.prepared()
    said: dict[UUID, list[Statement]] = {}
    for one in Statement.objects.filter(subject_id__in=[e.id for e in enterprises]):
        said.setdefault(one.subject_id, []).append(one)
    rows = [
        (e.uscc, queries.known(records.get(e.uscc) or {}, said.get(e.id, ()), now.frame)[0])
        for e in enterprises
    ]
    plan = _plan(now.release, now.day)
    at, slots = match_table(plan, province.table(now.frame, rows), now.frame.fields, now.day)
    found: list[set[str]] = [set() for _one in enterprises]
    for row, slot in zip(at.tolist(), slots.tolist(), strict=True):
        found[row].add(plan.policies[plan.slots[slot].policy].id)
    return {e.id: sorted(ids) for e, ids in zip(enterprises, found, strict=True)}


@lru_cache(maxsize=2)
def _plan(release: str, day: Any) -> Plan:
    now = queries.prepared_for(release, day)
    return compile_plan(now.judge.policies, now.frame.fields)


def _tell(subject: UUID, gained: list[str], lost: list[str], ways: tuple[str, ...]) -> None:
    names = {p.id: p.name for p in packs.current().all("policy")}
    said = []
    if gained:
        said.append(_("现在可以享受：%(names)s。") % {"names": "、".join(names.get(i, i) for i in gained)})
    if lost:
        said.append(_("不再符合：%(names)s。") % {"names": "、".join(names.get(i, i) for i in lost)})
    tell(
        new_id(),
        subject,
        _("您的企业能享受的政策有变化"),
        "".join(said) + _("原因和金额请看“你能享受什么”。"),
        "/policies/mine",
        ways=ways,
    )
