"""A correction is a matter of the office that must answer it: in its inbox, with a clock, pressed when it is late.

It can be answered on the matter or on the page of corrections; either closes the other. One found faulty opens a
second matter: the source delivers the line anew.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.cases import api as cases
from yiwang.kernel.access.contracts import SYSTEM, Refused

from . import actions
from .models import Correction
from .queries import ASKED

FAULTY = "enterprise.faulty"  # opens a matter; so does ASKED, when it is asked
_ANSWERS = {str(Correction.State.FAULTY): True, str(Correction.State.SOUND): False}


def follow(made: Correction) -> None:
    """Open, or close, the matters of a correction as it now stands. Within a transaction of the system."""
    id = str(made.id)
    if made.answered_at is None and made.done_at is None:
        _open(ASKED, made)
        return
    if made.answered_at is not None and made.state in _ANSWERS:
        cases.seen_done(ASKED, made.answer, outcome=made.state, id=id)
    else:
        cases.seen_done(ASKED, _("%(state)s，不用再答复。") % {"state": made.get_state_display()}, id=id)
    if made.state == Correction.State.FAULTY and made.done_at is None:
        _open(FAULTY, made)
    elif made.done_at is not None:
        cases.seen_done(FAULTY, _("来源已经重新报送，或不用再更正，系统办结。"), id=id)


def closed(case: cases.Case) -> None:
    """An office closed a matter: its answer is the correction's; what is not done is asked for again."""
    opened_by = {pack.id: event for event in (ASKED, FAULTY) for pack in cases.matters_for(event)}
    event = opened_by.get(case.ref)
    made = Correction.objects.filter(id=case.data["id"]).select_related("org").first() if event else None
    if made is None or made.done_at is not None:
        return
    ended = cases.outcome_of(case)
    if event == ASKED and made.answered_at is None:
        try:
            if ended["outcome"] in _ANSWERS:
                actions.answer(SYSTEM, made.id, _ANSWERS[ended["outcome"]], ended["reason"], ended["by"])
            else:
                _open(ASKED, made, case.number, _("更正申请还没有撤回，也没有一致，要答复"))
        except Refused as refused:
            _open(ASKED, made, case.number, str(refused))
    elif event == FAULTY:
        _open(FAULTY, made, case.number, _("平台还没有收到更正后的记录"))


def _open(event: str, made: Correction, before: str = "", why: str = "") -> None:
    """One for a correction and, when it was closed and nothing was done, one more for each such case.

    Args:
        before: number of the case that was closed. why: so that somebody sees why it is back.
    """
    if made.org is None:
        return
    data: dict[str, Any] = {
        "id": str(made.id),
        "title": made.title,
        "uscc": made.uscc,
        "words": made.words,
        "asks": _("企业申请更正") if made.freezes else _("数据冲突裁决"),
        "asked": f"{timezone.localdate(made.asked_at):%Y-%m-%d}",
        "answer": made.answer,
        "again": f"{before}：{why}" if before else "",
    }
    link = f"/desk/corrections?at={made.id}" if event == ASKED else f"/desk/hub/{made.dataset}/upload"
    for pack in cases.matters_for(event):
        cases.open_matter(pack.id, (made.id, before), made.org, data, about=made.title, link=link)
