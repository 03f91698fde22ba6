"""Reactions: a delivery grades anew the enterprises it is about, the same minute."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.cases import api as cases
from yiwang.engines.hub import api as hub
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.accounts.models import Enterprise, Mandate
from yiwang.kernel.audit.api import record
from yiwang.kernel.events.api import emit, on, slowly
from yiwang.kernel.ids import derived_id
from yiwang.kernel.notify.api import tell
from yiwang.kernel.orgs.models import Post
from yiwang.kernel.orgs.queries import responsible

from . import actions, conflicts, linkage, names, pressing, running, tables
from .models import Correction
from .queries import ASKED, CREDIT
from .regrading import PURPOSE, linked_to, reasons, regrade
from .running import NOTICE, RELIEVED


@on("hub.loaded")
def loaded(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Grade again whom a small delivery is about; a large one, which names nobody, waits for the run over all."""
    touched, table, dataset = body.get("touched"), tables.current(), hub.find(body["dataset"])
    if table is None or dataset is None or not hub.count_touched(body["counts"]):
        return
    if touched is not None and dataset.id == table.subjects.id:
        names.follow(touched["subjects"])  # before this transaction has looked at the hub
    actions.settle(dataset.id)
    if touched is None:
        return
    codes = list(dict.fromkeys([*touched["subjects"], *linked_to(dataset.id, touched["keys"])]))
    if dataset.id in table.datasets:
        for code in codes:
            regrade(code, "delivery", trace_id=trace_id)
    plan = tables.plan()
    if plan and any(dataset.id in {s.dataset.id for s in (f.authority, *f.others)} for f in plan.facts):
        emit("enterprise.compare", {"codes": codes})


@on("enterprise.compare")
def compare(body: dict[str, Any], trace_id: UUID | None) -> None:
    """What departments say of some enterprises, after a small delivery.

    An event of its own: the comparison has a connection of the owner's, and would wait for the collector that
    waits for the handler of the delivery to let go of the tables that it has read.
    """
    conflicts.find(body["codes"])


@on(ASKED)
def corrected(body: dict[str, Any], trace_id: UUID | None) -> None:
    """A line is in dispute, or no longer: the class follows at once, and who waits for an answer hears of it."""
    made = Correction.objects.select_related("org").get(id=body["correction"])
    if made.freezes:
        regrade(body["uscc"], "correction", trace_id=trace_id)
    pressing.follow(made)
    if made.answered_at is None:
        if made.done_at is None:
            _tell_answering(made)
    elif made.freezes:
        text = f"{made.title}：{made.get_state_display()}。{made.answer}"
        _tell_enterprise(made.uscc, derived_id("correction-answer", made.id), _("更正申请有了答复"), text)


def _tell_answering(made: Correction) -> None:
    asks = _("企业申请更正一条记录") if made.freezes else _("与别的来源不一致，请更正一条记录")
    for post in Post.objects.filter(until=None, org_id=made.org_id, roles__overlap=[hub.REPORTER, CREDIT]):
        id = derived_id("correction", made.id, post.person_id)
        text = _("%(what)s：%(words)s。请在 %(day)s 前核实并答复。") % {
            "what": made.title, "words": made.words, "day": made.due_on,
        }  # fmt: skip
        tell(id, post.person_id, asks, text, "/desk/corrections")


@on("cases.closed")
def matter_closed(body: dict[str, Any], trace_id: UUID | None) -> None:
    """What an office says in a matter about a correction is the correction's answer."""
    case = cases.find(SYSTEM, UUID(body["case"]))
    if case is not None and case.kind == cases.MATTER:
        pressing.closed(case)


@on("enterprise.linked")
def linked(body: dict[str, Any], trace_id: UUID | None) -> None:
    """A record was linked to an enterprise, or no longer is: its file and its class follow."""
    regrade(body["uscc"], "link")


@on(NOTICE)
def notice(body: dict[str, Any], trace_id: UUID | None) -> None:
    """A class that sampling will go by from a day on: the enterprise hears of it before."""
    text = _(
        "按公开的积分表，贵单位的信用风险类别将从 %(day)s 起为 %(grade)s。每一分的来源、依据和失效日都在一企一档里；"
        "认为记录不对的，可以在那里申请更正，核实期间该记录不计分。"
    ) % {"day": body["from_day"], "grade": body["grade"]}
    id = derived_id("grade-notice", body["uscc"], body["grade"], body["from_day"])
    told = _tell_enterprise(body["uscc"], id, _("信用风险类别将要变化"), text)
    verb = "enterprise.noticed" if told else "enterprise.unreached"
    record(SYSTEM, verb, "enterprise", body["uscc"], trace_id)
    _have_checked(body, told, trace_id)


@on(RELIEVED)
def relieved(body: dict[str, Any], trace_id: UUID | None) -> None:
    """The class is no longer one that is noticed: who was to look need not, and the enterprise hears that too."""
    ended = not body["grade"]
    why = (
        _("企业已经不再分类（如已注销），系统办结。") if ended else _("类别已经好转为 %(grade)s，系统办结。")
    )
    cases.seen_done(NOTICE, why % body, uscc=body["uscc"])
    if body["was_from"]:
        id = derived_id("grade-relieved", body["uscc"], body["was"], body["was_from"])
        text = (
            _("前次告知的类别 %(was)s 不再生效，现在不分类。")
            if ended
            else _("前次告知的类别 %(was)s 不再生效，现为 %(grade)s。")
        ) % body
        _tell_enterprise(body["uscc"], id, _("信用风险类别不再变差"), text)


def _have_checked(body: dict[str, Any], told: bool, trace_id: UUID | None) -> None:
    """Somebody of the office that supervises it goes to see, before the class is in force; one at a time."""
    found, table, wanted = None, tables.current(), cases.matters_for(NOTICE)
    if wanted and table is not None and table.fairness is not None:
        found = next(iter(hub.of_subject(hub.current(table.subjects.id), body["uscc"], PURPOSE)), None)
    for pack in wanted if found else ():
        region = found[table.fairness.region]
        office = responsible(pack.data["function"], region)
        if office is not None and not cases.has_open_matter(pack.id, uscc=body["uscc"]):
            key = (body["uscc"], body["grade"], body["from_day"])
            data = {
                **body,
                "because": body.get("because") or reasons(body["uscc"]),
                "name": found["name"],
                "region": region,
                "address": found.get("address") or "",
                "told": _("已发到企业空间") if told else _("企业没有账号，请核查时当面告知"),
            }
            cases.open_matter(pack.id, key, office, data, about=found["name"], trace_id=trace_id)


def _tell_enterprise(uscc: str, id: UUID, title: str, text: str) -> bool:
    """A message to the enterprise itself, for whoever acts for it; False when it has no account here."""
    own = Enterprise.objects.filter(uscc=uscc).first()
    if own is None:
        return False
    tell(id, own.id, title, text, "/enterprise")
    return Mandate.objects.filter(subject_id=own.id, revoked_at=None).exists()


@slowly
def index_names() -> None:
    """The names to search by: all when none are there, else those of large deliveries."""
    names.catch_up()


@slowly
def link_records() -> None:
    """Records that came without a code."""
    linkage.run()


@slowly
def compare_all() -> None:
    """What departments say differently of the same enterprise, once a day and after large deliveries."""
    if conflicts.due(timezone.localtime()):
        conflicts.run()


@slowly
def grade_all() -> None:
    """The run over all enterprises, once a day and after large deliveries."""
    if running.due(timezone.localtime()):
        running.run()
