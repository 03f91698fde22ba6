"""Judge an enterprise anew when what is known of it, or the policies, changed; tell it what it gained or lost."""

from __future__ import annotations

from django.utils.translation import gettext as _

from yiwang.engines.judge.api import Status
from yiwang.kernel.accounts.models import Enterprise
from yiwang.kernel.ids import derived_id, new_id
from yiwang.kernel.notify.api import tell
from yiwang.kernel.packs import api as packs
from yiwang.kernel.registers.api import Unavailable, lookup

from . import province, queries
from .models import Standing, Subscription

WAYS = ("sms", "email")


def changed(register: str, key: str) -> None:
    """A record of a register changed. Only enterprises that somebody acts for here are judged one by one."""
    if not packs.current().all("judge_fields"):
        return
    declared = queries.frame()
    if register != declared.register:
        return
    try:
        found = lookup(register, key, queries.PURPOSE)
    except Unavailable:
        raise  # the event is tried again later
    province.replace(declared, key, found)
    enterprise = Enterprise.objects.filter(uscc=key).first()
    if enterprise is not None:
        again(enterprise)


def everybody() -> None:
    """The policies changed: judge every enterprise that was judged before."""
    for held in list(Standing.objects.order_by("subject_id")):
        enterprise = Enterprise.objects.filter(id=held.subject_id).first()
        if enterprise is not None:
            again(enterprise)


def again(enterprise: Enterprise) -> tuple[list[str], list[str]]:
    """Judge and tell; returns the ids of policies gained and lost. The first time is silent: nothing changed."""
    space = queries.space(enterprise)
    now = sorted(c.pack.id for c in space.of(Status.ENTITLED))
    held = Standing.objects.select_for_update().filter(subject_id=enterprise.id).first()
    before = held.entitled if held else now
    Standing.objects.update_or_create(
        subject_id=enterprise.id, defaults={"uscc": enterprise.uscc, "entitled": now}
    )
    gained, lost = sorted(set(now) - set(before)), sorted(set(before) - set(now))
    if gained or lost:
        _tell(enterprise, gained, lost)
    return gained, lost


def _tell(enterprise: Enterprise, gained: list[str], lost: list[str]) -> None:
    library = packs.current()
    names = {p.id: p.name for p in library.all("policy")}
    said = []
    if gained:
        said.append(_("现在可以享受：%(names)s。") % {"names": "、".join(names.get(i, i) for i in gained)})
    if lost:
        said.append(_("不再符合：%(names)s。") % {"names": "、".join(names.get(i, i) for i in lost)})
    ways = WAYS if Subscription.objects.filter(subject_id=enterprise.id).exists() else ()
    tell(
        derived_id("policy-standing", enterprise.id, new_id()),
        enterprise.id,
        _("您的企业能享受的政策有变化"),
        "".join(said) + _("原因和金额请看“你能享受什么”。"),
        "/policies/mine",
        ways=ways,
    )
