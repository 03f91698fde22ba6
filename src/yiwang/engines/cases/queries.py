"""Reads of cases, each filtered by who may see."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Actor
from yiwang.kernel.access.rules import visible
from yiwang.kernel.access.session import as_system
from yiwang.kernel.documents.models import IssuedDocument

from . import chain
from .actions.steps import visit_words
from .flow import EMPTY, Cancel, Command, Complete, FireTimer, Start, State, advance, moved
from .items import graph
from .models import Case, Event, Rectification
from .words import OPINION

HEAVY = ("data", "extra", "scopes", "after", "head")
"""Columns of a case that lists do not show."""


def find(actor: Actor, case_id: UUID) -> Case | None:
    """A case the actor may see, or None."""
    return Case.objects.filter(visible(actor), id=case_id).select_related("org", "flow", "parent").first()


def own(actor: Actor) -> list[Case]:
    """The actor's own cases, bundles and stand-alone items, newest first."""
    cases = Case.objects.filter(subject_id=actor.subject_id, parent=None).select_related("org")
    return list(cases.defer(*HEAVY).order_by("-submitted_at")[:100])


def page_of_own(
    actor: Actor, words: str = "", before: tuple[datetime, UUID] | None = None, limit: int = 20
) -> list[Case]:
    """A page of the actor's own cases, newest first, without what was filled in.

    Args:
        words: the beginning of a number, or a part of a name.
        before: time and id of the last case of the page before.
    """
    found = Case.objects.filter(subject_id=actor.subject_id, parent=None)
    if words:
        found = found.filter(Q(number__startswith=words) | Q(name__contains=words))
    if before:
        at, last = before
        found = found.filter(submitted_at__lte=at).filter(Q(submitted_at__lt=at) | Q(id__lt=last))
    lean = found.select_related("org").defer(*HEAVY)
    return list(lean.order_by("-submitted_at", "-id")[:limit])


def family(case: Case) -> list[Case]:
    """A bundle's children in the order of their numbers; a single item is its own family."""
    if case.kind != "bundle":
        return [case]
    return list(case.children.select_related("org").order_by("number"))


def numbers_of(actor: Actor, case_ids: set[UUID]) -> dict[UUID, Case]:
    """The cases among these ids that the actor may see."""
    return {case.id: case for case in Case.objects.filter(visible(actor), id__in=case_ids)}


def traced(actor: Actor, trace_id: UUID) -> tuple[list[Case], list[Case]]:
    """The cases of a trace that the actor may see, in their order, and the others, whose content is not for him."""
    found = Case.objects.filter(visible(actor), trace_id=trace_id).select_related("org")
    mine = list(found.order_by("submitted_at", "number"))
    with as_system(actor):
        others = Case.objects.filter(trace_id=trace_id).exclude(id__in=[c.id for c in mine])
        return mine, list(others.select_related("org").defer(*HEAVY).order_by("submitted_at", "number"))


def documents_of(case: Case, members: list[Case] | None = None) -> list[IssuedDocument]:
    """The signed documents of a case and, for a bundle, of its children.

    Args:
        members: its family, when that is known already.
    """
    ids = [case.id, *(c.id for c in (members or family(case)))]
    return list(IssuedDocument.objects.filter(case_id__in=ids))


def rectifications(case: Case) -> list[Rectification]:
    """What a bad rating or a complaint about the case set going, round by round."""
    return list(Rectification.objects.filter(case=case).order_by("opened_at"))


def steps_of(case: Case) -> list[dict[str, Any]]:
    """The open work of a case, with the outcomes the flow offers."""
    flow = graph(case.flow_id)
    return [
        {
            "token": token.id,
            "name": token.name,
            "role": token.role,
            "due_at": token.due_at,
            "assignee": token.assignee_name,
            "outcomes": [(o.code, o.name) for o in flow.node(token.node).outcomes],
        }
        for token in case.tokens.filter(kind="user").order_by("id")
    ]


@dataclass(frozen=True)
class Happening:
    """One line of a case's history, in words."""

    at: datetime
    actor: str
    words: str
    reason: str
    tone: str


def history(case: Case) -> list[Happening]:
    """What happened, in order, in words that both sides understand."""
    return [_happening(event) for event in case.events.order_by("seq")]


def _happening(event: Event) -> Happening:
    body: dict[str, Any] = orjson.loads(event.body)
    what = event.type
    node = body.get("node_name", "")
    words = {
        "submitted": _("提交申请"),
        "opened": _("系统开出"),
        "received": _("收件，等待前序事项的结果"),
        "started": _("前序结果已到，开始办理"),
        "completed": f"{node}：{body.get('outcome_name') or _('完成')}",
        "serviced": node,
        "supplement-requested": _("一次性告知补正"),
        "supplement-held": _("申请人已补正，等其他人同意"),
        "supplement-answered": _("申请人已补正"),
        "suspended": _("暂停计时：%(ground)s") % {"ground": body.get("name", "")},
        "resumed": _("恢复计时"),
        "extension-requested": _("申请延长期限"),
        "extended": _("批准延长 %(value)s %(unit)s")
        % {"value": body.get("value", ""), "unit": body.get("unit", "")},
        "withdrawn": _("申请人撤回"),
        "assigned": _("%(node)s：交给 %(to)s 办理") % {"node": node, "to": body.get("to", "")},
        "transferred": _("由 %(was)s 转到 %(to)s 办理")
        % {"was": body.get("from", ""), "to": body.get("to", "")},
        "escalated": _("督办"),
        "review-asked": _("会审，征询：%(offices)s") % {"offices": "、".join(body.get("offices", ()))},
        "review-answered": _("会审意见，%(office)s：%(opinion)s")
        % {"office": body.get("office", ""), "opinion": OPINION.get(body.get("opinion", ""), "")},
        "review-dropped": _("会审，不再等 %(office)s 的意见") % {"office": body.get("office", "")},
        "migrated": _("办理流程随规定调整，已办环节不变"),
        "handed-in": _("补交材料：%(name)s") % {"name": body.get("name", "")},
        "undertaking-checked": _("核查承诺：%(name)s，%(found)s")
        % {"name": body.get("name", ""), "found": _("属实") if body.get("kept") else _("不实")},
        "delivered": _("结果已寄出，单号 %(n)s") % {"n": body.get("tracking")}
        if body.get("tracking")
        else _("结果已在%(window)s交给本人") % {"window": body.get("window", "")},
        "overdue": _("超过承诺时限，已报负责人和上级机构"),
        "timer": _("到时自动：%(node)s") % {"node": node},
        "stopped": _("“%(because)s”未办成，本事项不再开始") % {"because": body.get("because", "")},
        "deadline-recalculated": _("因放假安排调整，重新计算期限"),
    }.get(what, what)
    bad = what in ("withdrawn", "stopped") or body.get("outcome") in ("deny", "refuse")
    visit = visit_words(body["visit"]) if "visit" in body else None
    appointed = "，".join(visit.values()) if visit else ""
    return Happening(
        event.at,
        event.actor_name,
        words,
        body.get("reason") or body.get("note") or body.get("question") or appointed,
        "bad" if bad else "done",
    )


def visit(case: Case) -> dict[str, str] | None:
    """When, where and who comes to see the place, in words; None when nothing is agreed."""
    return visit_words(case.extra["visit"]) if "visit" in case.extra else None


def past_nodes(case: Case) -> set[str]:
    """The nodes a case has left, for drawing its flow."""
    nodes: set[str] = set()
    for body in case.events.values_list("body", flat=True):
        nodes |= {entry[1] for entry in orjson.loads(body).get("trace", ()) if entry[0] in ("leave", "start")}
    return nodes


def verify_chain(case_id: UUID) -> int:
    """Recompute the hash chain of a case over its stored bytes.

    Returns:
        how many events were checked.

    Raises:
        ValueError: naming the first event whose hash does not fit.
    """
    previous = chain.GENESIS
    count = 0
    for event in Event.objects.filter(case_id=case_id).order_by("seq"):
        at = event.at.astimezone(UTC).isoformat()
        expected = chain.link(
            event.algorithm, previous, event.seq, at, event.actor, event.command_id, event.body.encode()
        )
        if expected != bytes(event.hash):
            raise ValueError(f"case {case_id}: event {event.seq} does not fit the chain")
        previous, count = expected, count + 1
    return count


def replayed(case_id: UUID) -> State:
    """The flow's state recomputed from the events alone; equals the stored tokens."""
    case = Case.objects.get(id=case_id)
    with connection.cursor() as cursor:
        cursor.execute("select type, body from cases_event where case_id = %s order by seq", [case_id])
        rows = [(what, orjson.loads(text)) for what, text in cursor.fetchall()]
    moves = [body for what, body in rows if what == "migrated"]
    flow = graph(moves[0]["from"] if moves else case.flow_id)
    state, data = EMPTY, {}
    for what, body in rows:
        data |= body.get("data", {})
        if what == "migrated":
            after = graph(body["to"])
            state, flow = moved(flow, after, state, body["nodes"]), after
            continue
        command = _command(what, body)
        if command is not None:
            state = advance(flow, state, command, {**case.data, **data}).state
    return state


def _command(what: str, body: dict[str, Any]) -> Command | None:
    if "trace" not in body:
        return None
    if what in ("submitted", "opened", "started"):
        return Start()
    if what in ("completed", "serviced"):
        return Complete(body["token"], body.get("outcome"))
    if what == "timer":
        return FireTimer(body["token"], body["node"])
    return Cancel() if what == "withdrawn" else None
