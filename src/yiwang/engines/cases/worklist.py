"""The inbox: open work of an official's posts, the most urgent first, filtered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yiwang.kernel.access.contracts import Actor

from .contracts import Phase
from .items import graph
from .models import Case, SavedFilter, Token
from .queries import HEAVY

WHEN = {
    "overdue": gettext_lazy("已超期"),
    "today": gettext_lazy("今天到期"),
    "week": gettext_lazy("七天内到期"),
}


@dataclass(frozen=True)
class Work:
    """One line of the inbox."""

    case: Case
    token_id: int
    step: str
    due_at: datetime | None
    tone: str
    left: str
    assignee: str
    outcomes: tuple[tuple[str, str], ...]
    pressed: bool  # 督办: somebody above waits for it

    @property
    def key(self) -> str:
        """How a form names this piece of work."""
        return f"{self.case.id}:{self.token_id}"


def tone(due_at: datetime | None, phase: str, now: datetime) -> tuple[str, str]:
    """The colour of a clock and its words: green, amber within a day, red when overdue, grey standing still."""
    if phase == Phase.SUSPENDED:
        return "calm", _("已暂停计时")
    if phase == Phase.SUPPLEMENT:
        return "calm", _("等申请人补正")
    if due_at is None:
        return "calm", _("未开始计时")
    left = due_at - now
    if left < timedelta(0):
        return "bad", _("已超期 %(days)s 天") % {"days": max(1, -left.days - (left.seconds == 0))}
    days = (timezone.localtime(due_at).date() - timezone.localtime(now).date()).days
    if days == 0:
        return "warn", _("今天到期")
    if days == 1:
        return "warn", _("明天到期")
    return "ok", _("还有 %(days)s 天") % {"days": days}


def work_of(actor: Actor) -> QuerySet[Token]:
    """Every open piece of work for the actor's posts."""
    mine = Q(pk__in=[])
    for org, roles in actor.posts.items():
        mine |= Q(org_id=org, role__in=list(roles))
    return Token.objects.filter(mine, kind="user")


def filtered(actor: Actor, wanted: Mapping[str, str]) -> QuerySet[Token]:
    """The actor's work as the filter narrows it.

    Args:
        wanted: ``due`` (overdue, today, week), ``ref`` (a service), ``step``, ``q`` (number or applicant),
            ``mine`` (only what is assigned to the actor).
    """
    now = timezone.now()
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    found = work_of(actor)
    if wanted.get("due") == "overdue":
        found = found.filter(due_at__lt=now)
    elif wanted.get("due") == "today":
        found = found.filter(due_at__gte=midnight, due_at__lt=midnight + timedelta(days=1))
    elif wanted.get("due") == "week":
        found = found.filter(due_at__lt=midnight + timedelta(days=7))
    if wanted.get("ref"):
        found = found.filter(case__ref=wanted["ref"])
    if wanted.get("step"):
        found = found.filter(name=wanted["step"])
    if wanted.get("mine"):
        found = found.filter(assignee_id=actor.person_id)
    text = wanted.get("q", "").strip()
    if text:
        found = found.filter(Q(case__number__startswith=text) | Q(case__subject_name__contains=text))
    return found


def inbox(actor: Actor, wanted: Mapping[str, str], limit: int = 50, after: int = 0) -> list[Work]:
    """A page of the actor's work, the most urgent first."""
    now = timezone.now()
    heavy = [f"case__{column}" for column in HEAVY]
    tokens = filtered(actor, wanted).select_related("case", "case__org").defer(*heavy)
    tokens = tokens.annotate(pressed=Q(case__extra__has_key="escalations"))
    tokens = tokens.order_by("due_at", "case_id")
    lines = []
    for token in tokens[after : after + limit]:
        colour, left = tone(token.due_at, token.case.phase, now)
        node = graph(token.case.flow_id).node(token.node)
        easy = tuple((o.code, o.name) for o in node.outcomes if o.reason != "required")
        lines.append(
            Work(
                token.case,
                token.id,
                token.name,
                token.due_at,
                colour,
                left,
                token.assignee_name or "",
                easy,
                token.pressed,
            )
        )
    return lines


Place = tuple[datetime | None, UUID, int]


def page(actor: Actor, wanted: Mapping[str, str], after: Place | None = None, limit: int = 50) -> list[Token]:
    """A page of the actor's work for a department's system: it goes on where the last page ended.

    Args:
        after: due time, case and token of the last piece of work of the page before.
    """
    found = filtered(actor, wanted)
    if after is not None:
        due_at, case_id, token_id = after
        beyond = Q(case_id__gt=case_id) | Q(case_id=case_id, id__gt=token_id)
        if due_at is None:
            found = found.filter(beyond, due_at=None)
        else:
            found = found.filter(Q(due_at__gt=due_at) | Q(due_at=None) | (Q(due_at=due_at) & beyond))
    heavy = [f"case__{column}" for column in HEAVY]
    return list(
        found.select_related("case", "case__org").defer(*heavy).order_by("due_at", "case_id", "id")[:limit]
    )


def choices(actor: Actor) -> dict[str, list[Any]]:
    """What the filter can choose from: the services and steps of the actor's open work."""
    rows = work_of(actor).order_by().values_list("case__ref", "case__name", "name").distinct()[:500]
    return {
        "refs": sorted({(ref, name) for ref, name, _step in rows}),
        "steps": sorted({step for _ref, _name, step in rows}),
    }


def saved(actor: Actor) -> list[SavedFilter]:
    """The actor's named filters."""
    return list(SavedFilter.objects.filter(person_id=actor.person_id).order_by("name"))


def save(actor: Actor, name: str, query: str) -> None:
    """Keep a filter under a name; the same name again replaces it."""
    SavedFilter.objects.update_or_create(
        person_id=actor.person_id, name=name.strip()[:40], defaults={"query": query[:500]}
    )


def forget(actor: Actor, filter_id: str) -> None:
    """Drop a named filter."""
    SavedFilter.objects.filter(person_id=actor.person_id, id=filter_id).delete()
