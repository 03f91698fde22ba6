"""What a flow's extension attributes ask of the one who finishes a step: another person, a visit agreed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.cases.flow import Node
from yiwang.engines.cases.store import Locked
from yiwang.kernel.access.contracts import Actor, Refused


def require_another(actor: Actor, held: Locked, node: Node) -> dict[str, Any]:
    """``yw:distinct="GROUP"``: the steps of a group are done by different persons.

    Returns:
        the case's ``extra`` with this step noted; unchanged when the step is in no group.

    Raises:
        Refused: the actor has done another step of the group.
    """
    group = node.ext.get("distinct")
    if not group:
        return held.extra
    done = held.extra.get("distinct", {}).get(group, {})
    others = [step for step, who in done.items() if step != node.id and who == actor.label]
    if others:
        raise Refused(
            _("“%(step)s”须由另一位工作人员办理：同一件事的核查由两人以上分别签署，您已经签署过一份。")
            % {"step": node.name}
        )
    groups = {**held.extra.get("distinct", {}), group: {**done, node.id: actor.label}}
    return {**held.extra, "distinct": groups}


def read_visit(details: Mapping[str, Any], now: datetime, persons: int) -> dict[str, Any]:
    """``yw:form="visit"``: when, where and who comes, checked.

    Args:
        details: ``at`` (2026-11-30T09:00, local time), ``place``, ``who`` (names).
        persons: at least so many go (``yw:persons``).

    Raises:
        Refused: naming the field, the value and the remedy.
    """
    typed = str(details.get("at", "")).strip()
    try:
        at = datetime.fromisoformat(typed)
    except ValueError as wrong:
        what = _("时间“%(value)s”不对，请写成 2026-11-30T09:00 的样子。") % {"value": typed}
        raise Refused(what) from wrong
    if at.tzinfo is None:
        at = timezone.make_aware(at)
    if at <= now:
        raise Refused(_("时间“%(value)s”已经过去，请改成今后的时间。") % {"value": typed})
    place = str(details.get("place", "")).strip()
    if not place:
        raise Refused(_("请填写地点：会告知申请人。"))
    who = [name.strip() for name in details.get("who", ()) if name.strip()]
    if len(set(who)) < persons:
        named = "、".join(who) or _("（空）")
        raise Refused(
            _("人员“%(who)s”不足：须由 %(n)s 名以上不同的工作人员前往。") % {"who": named, "n": persons}
        )
    return {"at": at.isoformat(), "place": place[:200], "who": list(dict.fromkeys(who))}


def visit_words(visit: Mapping[str, Any]) -> dict[str, str]:
    """A visit as people read it: time, place, names."""
    at = timezone.localtime(datetime.fromisoformat(visit["at"]))
    return {
        "time": f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}",
        "place": visit["place"],
        "who": "、".join(visit["who"]),
    }


def require_opinions(held: Locked) -> None:
    """A decision waits for every opinion that was asked for.

    Raises:
        Refused: one is outstanding.
    """
    if held.extra.get("reviews"):
        raise Refused(
            _("还有 %(n)s 个单位的会审意见没有回来。请等意见到齐，或在“会审”里写明理由撤回征询，再作决定。")
            % {"n": held.extra["reviews"]}
        )
