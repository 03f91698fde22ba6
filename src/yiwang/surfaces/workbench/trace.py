"""全链追溯: one trace id from what was collected, through judgement, warning and case, to the result that came back.

Plan G2. Who may see one: whoever may see a case of it, or the delivery that it began with (its office, and those who
look after data). Of a matter that another office handles it shows that there is one and when it ended; applications
of people that others handle are only counted. What happened many times is one line, with how often.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Min
from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.http import require_GET

from yiwang.engines.cases import api as cases
from yiwang.engines.hub import api as hub
from yiwang.kernel.access.guards import staff_only
from yiwang.kernel.access.session import as_system
from yiwang.kernel.audit.models import AuditEvent
from yiwang.kernel.ledger.models import Use
from yiwang.kernel.ledger.purposes import source_names
from yiwang.kernel.notify.models import Message

COLLECTED, JUDGED, WARNED, HANDLED, RESULT = (
    gettext_lazy("采集"),
    gettext_lazy("判断"),
    gettext_lazy("预警"),
    gettext_lazy("办件"),
    gettext_lazy("结果"),
)
WRITTEN_BACK = "matter.written-back"
WHOLE = 20  # cases, and deliveries, that are shown step by step; the rest briefly
VERBS = {
    "hub.loaded": (COLLECTED, gettext_noop("数据装载")),
    "enterprise.graded": (JUDGED, gettext_noop("信用风险分类重算，有变化")),
    "enterprise.noticed": (WARNED, gettext_noop("类别将要变差，已事先告知企业")),
    "enterprise.unreached": (WARNED, gettext_noop("类别将要变差，企业没有账号，由核查的人当面告知")),
    WRITTEN_BACK: (RESULT, gettext_noop("办理结果写回数据集")),
    "publicity.published": (RESULT, gettext_noop("依法公示")),
    "publicity.taken-down": (RESULT, gettext_noop("停止公示")),
    "draft.opened": (HANDLED, gettext_noop("开始填写")),
    "draft.saved": (HANDLED, gettext_noop("保存一页")),
    "draft.answered": (HANDLED, gettext_noop("选定情形")),
    "consent.asked": (HANDLED, gettext_noop("请另一方同意")),
    "material.viewed": (HANDLED, gettext_noop("查看材料")),
    "case.reviewed": (HANDLED, gettext_noop("查看会审的办件")),
    "case.rated": (RESULT, gettext_noop("评价")),
    "case.complained": (RESULT, gettext_noop("投诉")),
    "rectification.opened": (RESULT, gettext_noop("开出整改")),
    "rectification.answered": (RESULT, gettext_noop("整改已答复")),
    "rectification.settled": (RESULT, gettext_noop("评价人确认")),
}


@dataclass(frozen=True)
class Line:
    """One thing that happened on the way."""

    at: datetime
    stage: str
    words: str
    who: str
    link: str = ""


@require_GET
@staff_only
def trace(request, trace_id: UUID):
    """Everything that carries a trace id, in order."""
    actor = request.actor
    mine, others = cases.traced(actor, trace_id)
    began = hub.delivery(actor, trace_id)
    if not (mine or began):
        raise Http404
    lines = [*_audited(actor, trace_id), *(line for case in mine[:WHOLE] for line in _of_case(actor, case))]
    briefly = [*mine[WHOLE:], *(case for case in others if case.kind == cases.MATTER)]
    lines += [line for case in briefly for line in _briefly(case)]
    lines.sort(key=lambda line: line.at)
    stages = Counter(str(line.stage) for line in lines)
    return render(
        request,
        "workbench/trace.html",
        {
            "trace": trace_id,
            "lines": lines,
            "others": sum(case.kind != cases.MATTER for case in others),
            "began": began,
            "stages": [(s, stages[str(s)]) for s in (COLLECTED, JUDGED, WARNED, HANDLED, RESULT)],
        },
    )


def _audited(actor, trace_id: UUID) -> Iterator[Line]:
    """What was done once is a line; what was done often, such as five hundred classes, is one line too."""
    happened = AuditEvent.objects.filter(trace_id=trace_id)
    often = happened.exclude(object_type="delivery").values("verb", "actor_name")
    for row in often.annotate(at=Min("at"), n=Count("id")).order_by("at"):
        stage, words = VERBS.get(row["verb"], (HANDLED, row["verb"]))
        text = _(words) if row["n"] == 1 else _("%(what)s（%(n)s 次）") % {"what": _(words), "n": row["n"]}
        yield Line(row["at"], stage, text, row["actor_name"])
    deliveries = list(happened.filter(object_type="delivery").order_by("at")[:WHOLE])
    names = {d.id: d.name for d in hub.every()}
    for event in deliveries:
        stage, words = VERBS.get(event.verb, (HANDLED, event.verb))
        dataset = event.detail.get("dataset", "")
        seen = hub.delivery(actor, UUID(event.object_id))
        link = f"/desk/hub/deliveries/{event.object_id}" if seen else ""
        yield Line(event.at, stage, f"{_(words)}：{names.get(dataset, dataset)}", event.actor_name, link)
    back = [event.object_id for event in deliveries if event.verb == WRITTEN_BACK]
    for loaded in AuditEvent.objects.filter(
        verb="hub.loaded", trace_id__in=back
    ):  # data again, with its own way
        onward = f"/desk/trace/{loaded.trace_id}"
        yield Line(loaded.at, RESULT, _("写回的数据已装载，从这里继续"), loaded.actor_name, onward)


def _briefly(case: cases.Case) -> Iterator[Line]:
    told = {"name": case.name, "org": case.org.name if case.org else ""}
    yield Line(case.submitted_at, HANDLED, _("%(name)s：交%(org)s办理") % told, _("系统"))
    if case.closed_at:
        yield Line(case.closed_at, HANDLED, _("%(name)s：%(org)s已办结") % told, told["org"])


def _of_case(actor, case: cases.Case) -> Iterator[Line]:
    link = f"/desk/cases/{case.id}"
    for happening in cases.history(case):
        yield Line(
            happening.at, HANDLED, f"{case.name} {case.number}：{happening.words}", happening.actor, link
        )
    for document in cases.documents_of(case, [case]):
        yield Line(
            document.issued_at, RESULT, _("文书：%(title)s") % {"title": document.title}, document.org_name
        )
    names = source_names()
    with as_system(actor):
        told = list(
            Message.objects.filter(case_id=case.id).order_by("created").values_list("created", "title")
        )
        uses = list(Use.objects.filter(case_id=case.id).order_by("at"))
    for at, title in told:
        yield Line(at, RESULT, _("消息：%(title)s") % {"title": title}, _("系统"))
    for use in uses:
        what = {"source": names.get(use.source, use.source), "purpose": use.purpose}
        yield Line(use.at, JUDGED, _("查用%(source)s（%(purpose)s），已记入账本") % what, _("系统"))
