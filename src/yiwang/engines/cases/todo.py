"""What waits for a person or an enterprise, the most urgent first: the answers that only they can give."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Actor

from .contracts import Phase
from .models import Case, Consent, Grant, Rectification, Undertaking
from .supplements import held_of
from .undertakings import OWED


@dataclass(frozen=True)
class Todo:
    """``words``: what to do. ``about``: of what, as packs and people say it. ``due``: by when, if there is a day."""

    words: str
    about: tuple[str, ...]
    link: str
    due: datetime | None = None


def todo(actor: Actor) -> list[Todo]:
    """What waits for the actor's subject: supplements, owed materials, consents, yearly reviews, answers to judge."""
    subject = actor.subject_id
    waiting = Case.objects.filter(subject_id=subject, phase=Phase.SUPPLEMENT).select_related("parent")
    asked_by: dict[Case, list[str]] = {}  # what several departments ask for is answered on one page
    asking = set(
        Consent.objects.filter(asker_id=subject, answered_at=None).values_list("draft_id", flat=True)
    )
    for c in waiting.order_by("due_at"):
        if held_of(c) and (c.parent_id or c.id) in asking:
            continue  # done, and now others have to agree
        asked_by.setdefault(c.parent or c, []).append(c.name)
    found = [
        Todo(_("补正材料"), tuple(dict.fromkeys((root.name, *names))), f"{_page(root)}/supplement")
        for root, names in asked_by.items()
    ]
    owed = Undertaking.objects.filter(subject_id=subject, kind=OWED, settled_at=None).select_related("case")
    found += [Todo(_("补交材料"), (u.name, u.case.name), _page(u.case), u.due_at) for u in owed]
    reviewed = Grant.objects.filter(subject_id=subject, review_open=True).select_related("case")
    found += [Todo(_("年度核对：确认情况没有变化"), (g.name,), f"{_page(g.case)}#pay") for g in reviewed]
    answered = Rectification.objects.filter(subject_id=subject, closed_at=None).exclude(answered_at=None)
    found += [
        Todo(_("投诉或差评已答复，请说是否解决"), (r.case.name,), f"{_page(r.case)}#rate")
        for r in answered.select_related("case")
    ]
    if actor.acting_for is None:  # nobody agrees in another's name
        asked = Consent.objects.filter(subject_id=subject, answered_at=None, until__gt=timezone.now())
        found += [Todo(_("请您确认"), (c.name, c.asker_name), f"/consents/{c.id}", c.until) for c in asked]
    return sorted(found, key=lambda t: (t.due is not None, t.due or timezone.now()))  # without a day: now


def _page(case: Case) -> str:
    return f"/cases/{case.parent_id or case.id}"
