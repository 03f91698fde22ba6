"""What follows from a case's events: results issued and written back, siblings started, people told.

Each handler runs as the system, in the transaction that deletes its outbox row; everything it does
carries an id derived from the event, so that running again after a crash changes nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.accounts.actions import found_enterprise
from yiwang.kernel.accounts.models import Person
from yiwang.kernel.calendar import api as calendar
from yiwang.kernel.documents import api as documents
from yiwang.kernel.events.api import on
from yiwang.kernel.ids import derived_id
from yiwang.kernel.notify.api import tell
from yiwang.kernel.orgs.models import Post
from yiwang.kernel.orgs.queries import MANAGER, above, region_names, responsible
from yiwang.kernel.packs import api as packs
from yiwang.kernel.registers import api as registers

from . import actions, forms
from .case_form import item_plan, plan_of
from .contracts import PURPOSE, Phase, Result
from .items import graph, item
from .matters import MATTER
from .models import Case, Number, Rectification, Undertaking
from .notices import content_of, message_of
from .periodic import award
from .results import waiting_at
from .undertakings import OWED
from .windows import WINDOW
from .words import OPINION


def _case(body: dict[str, Any]) -> Case:
    return Case.objects.select_related("org", "parent").get(id=body["case"])


@on("cases.service")
def serve(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Do a flow's service or send task, then let the flow go on."""
    case, token = _case(body), body["token"]
    if not case.tokens.filter(id=token).exists():
        return  # withdrawn meanwhile
    data = _issue(case) if body["action"] == "issue" else {}
    actions.finish_service(SYSTEM, case.id, token, derived_id("service", case.id, token), data)


def _issue(case: Case) -> dict[str, Any]:
    """Allocate what the item produces, write it back to the registers, make the certificate."""
    plan = item_plan(case)
    data = {**case.data, "today": timezone.localdate().isoformat()}
    made: dict[str, Any] = {}
    for allocation in forms.allocations(plan, case.ref, data):
        if not data.get(allocation.path):
            serial = _next(allocation.scope) if allocation.scope else 0
            made[allocation.path] = forms.render(allocation, serial)
            data[allocation.path] = made[allocation.path]
    for register, key, fields in forms.write_backs(plan, case.ref, data):
        registers.write_back(register, key, fields)
    new, holder = forms.founded(plan, case.ref, data), None
    if new:
        legal, _known = Person.objects.get_or_create(idno=new.legal_idno, defaults={"name": new.legal_name})
        holder = found_enterprise(new.name, new.uscc, legal).id
    award(case, timezone.localdate())
    licence = forms.licence(plan, case.ref, data, region_names().get)
    if licence:
        content = documents.Content(
            licence.type, licence.number or case.number, licence.holder, (), licence.rows
        )
        template = packs.asset(case.release, "base/documents/certificate.typ")
        about = replace(_about(case), holder_id=holder)
        documents.issue(("licence", case.id), documents.LICENCE, template, content, about)
    return made


def _next(scope: str) -> int:
    """The next serial number of a scope. One row per scope: a register's numbers have no gaps."""
    Number.objects.get_or_create(scope=scope)
    Number.objects.filter(scope=scope).update(last=F("last") + 1)
    return Number.objects.values_list("last", flat=True).get(scope=scope)


def _about(case: Case) -> documents.Concerning:
    return documents.Concerning(
        case.subject_id, case.subject_name, case.org_id, case.org.name if case.org else "", case.id
    )


MOST_STEPS = 10  # that the system takes by itself in one case
_FORWARD = ("accept", "pass", "grant")


@on("cases.self-decision")
def decide(body: dict[str, Any], trace_id: UUID | None) -> None:
    """秒批: grant at once what the pack lets registers decide alone; anything unknown waits for a person."""
    case = _case(body)
    plan = item_plan(case)
    data = {**case.data, "today": timezone.localdate().isoformat()}

    def look(register: str, key: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] | None = registers.lookup(register, key, PURPOSE, case.id)
        except registers.Unavailable as down:
            raise forms.RegisterUnavailable(str(down)) from down
        return found

    conditions = [c.value for c in forms.conditions(plan, case.ref, data, look)]
    materials = [m["way"] != forms.Way.UPLOAD for m in case.extra.get("materials", [])]
    if not forms.decides_itself(plan, case.ref, data, conditions, materials):
        return
    for step in range(MOST_STEPS):
        token = case.tokens.filter(kind="user").order_by("id").first()
        if token is None:
            return
        codes = [o.code for o in graph(case.flow_id).node(token.node).outcomes]
        forward = next((code for code in _FORWARD if code in codes), None)
        if forward is None:
            return
        reason = _("受理条件和材料均已由登记库核验，系统自动办理。")
        command = derived_id("self-decision", case.id, step)
        actions.complete(SYSTEM, case.id, token.id, forward, reason, command)


@on("cases.happened")
def inform(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Make the signed notice that the pack has for what happened, and tell the applicant."""
    case, what = _case(body), body["what"]
    if case.kind == MATTER:  # nobody applied
        return
    content = content_of(case, what, body)
    if content:
        template = packs.asset(case.release, "base/documents/notice.typ")
        documents.issue((what, case.id, body["seq"]), what, template, content, _about(case))
    message = message_of(case, what, body)
    if message:
        title, text, ways = message
        tell(
            derived_id("message", case.id, body["seq"], what),
            case.subject_id,
            title,
            text,
            f"/cases/{case.parent_id or case.id}",
            case.id,
            ways,
        )


@on("cases.closed")
def closed(body: dict[str, Any], trace_id: UUID | None) -> None:
    """A child's end moves its bundle: results flow to those that wait for them."""
    case = _case(body)
    if case.parent is None and case.channel == WINDOW:
        _result_at_window(case)
    if case.kind == "bundle":
        if body["result"] == Result.WITHDRAWN:
            for child in case.children.filter(closed_at=None):
                _withdraw_child(child)
        else:
            inform({"case": str(case.id), "seq": case.seq, "what": "closed"}, trace_id)
        return
    if case.parent is None:
        return
    parent = case.parent
    produced = _produced(case) if body["result"] == Result.GRANTED else {}
    token = _child_token(parent, case.ref)
    if token is not None:
        actions.finish_service(
            SYSTEM,
            parent.id,
            token,
            derived_id("child", parent.id, case.id),
            _in_bundle(parent, case, produced),
        )
    for sibling in parent.children.filter(phase=Phase.WAITING, after__contains=[case.ref]):
        _start_or_stop(parent, sibling)


def _result_at_window(case: Case) -> None:
    """The window that took a case in hears that its result is there to be handed out (收受分离)."""
    window = waiting_at(case)
    if window:
        title = _("结果待交付：%(name)s %(number)s") % {"name": case.name, "number": case.number}
        text = _("由贵窗口代收的这件已经办结，请交给%(who)s。") % {"who": case.subject_name}
        _tell_staff(case, "result", [window], {WINDOW}, title, text, f"/window/receipts/{case.id}")


def _withdraw_child(child: Case) -> None:
    if child.decided_at is None:
        actions.withdraw(SYSTEM, child.id, "随一件事整体撤回", derived_id("withdraw", child.id))


def _child_token(parent: Case, ref: str) -> int | None:
    for token in parent.tokens.filter(kind="case"):
        if token.body.get("item") == ref:
            return token.id
    return None


def _produced(case: Case) -> dict[str, Any]:
    outputs = item(case.release, "service_item", case.ref).data.get("outputs", {})
    return {f["path"]: case.data.get(f["path"]) for f in outputs.get("fields", [])}


def _in_bundle(parent: Case, case: Case, produced: dict[str, Any]) -> dict[str, Any]:
    """An item's results under the bundle's names of the roles."""
    plan = plan_of(parent)
    bind = plan.item(case.ref).bind
    renamed = {}
    for path, value in produced.items():
        role, element = path.split(".", 1)
        renamed[f"{bind.get(role, role)}.{element}"] = value
    return renamed


def _no_register(register: str, key: str) -> Mapping[str, Any] | None:
    raise forms.RegisterUnavailable(register)  # registers were read when the form was filled in


def _start_or_stop(parent: Case, sibling: Case) -> None:
    """Begin a waiting sibling once all it needs is there; stop it when what it needs will never come."""
    parent.refresh_from_db()
    results = dict(parent.children.filter(ref__in=sibling.after).values_list("ref", "result"))
    failed = [ref for ref, result in results.items() if result and result != Result.GRANTED]
    command = derived_id("begin", sibling.id)
    try:
        if failed:
            name = parent.children.get(ref=failed[0]).name
            actions.stop_waiting(SYSTEM, sibling.id, name, command)
        elif all(results.values()):
            plan = plan_of(parent)
            known, _sources = forms.fill(plan, parent.data, _no_register)  # derive from what has come
            data = forms.project(plan, sibling.ref, known)
            authority = forms.authority(plan, sibling.ref, known)
            if sibling.org_id is None and authority.region:
                org = responsible(authority.function, authority.region)
                Case.objects.filter(id=sibling.id).update(org=org)
            actions.start(SYSTEM, sibling.id, command, data)
    except Refused:
        pass  # another sibling's end got there first


@on("calendar.changed")
def recalculate(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Deadlines that crossed provisional days follow the notice that has now arrived."""
    calendar.forget()  # this process may hold a copy from a few seconds before the notice
    mark = f"{body['source']} {timezone.now():%Y%m%d%H%M}"
    for case_id in Case.objects.filter(due_provisional=True, closed_at=None).values_list("id", flat=True):
        actions.recompute_due(SYSTEM, case_id, body["source"], derived_id("recompute", case_id, mark))


def _tell_staff(
    case: Case, what: str, org_ids: list[UUID], roles: set[str], title: str, text: str, link: str = ""
) -> None:
    """A message to everybody who holds one of the roles in the offices."""
    for post in Post.objects.filter(org_id__in=org_ids, roles__overlap=list(roles), until=None):
        tell(
            derived_id("message", case.id, case.seq, what, post.person_id),
            post.person_id,
            title,
            text,
            link or f"/desk/cases/{case.id}",
            case.id,
        )


@on("cases.escalated")
def pressed(body: dict[str, Any], trace_id: UUID | None) -> None:
    """督办 reaches those who have the case, and their manager."""
    case = _case(body)
    roles = {t.role for t in case.tokens.filter(kind="user")} | {MANAGER}
    title = _("督办：%(name)s %(number)s") % {"name": case.name, "number": case.number}
    _tell_staff(case, "escalated", [case.org_id], roles, title, body["note"])


@on("cases.review-asked")
def review_asked(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Everybody with a post in an office that is asked for its opinion hears of it."""
    case = _case(body)
    title = _("会审：%(name)s %(number)s") % {"name": case.name, "number": case.number}
    for review in case.reviews.filter(answered_at=None, dropped_at=None):
        for post in Post.objects.filter(org_id=review.org_id, until=None):
            key = derived_id("message", review.id, "asked", post.person_id)
            tell(key, post.person_id, title, review.question, f"/desk/reviews/{review.id}", case.id)


@on("cases.review-answered")
def review_answered(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Those who wait for the opinion hear that it has come."""
    case = _case(body)
    review = case.reviews.get(id=body["review"])
    roles = {t.role for t in case.tokens.filter(kind="user")}
    title = _("会审意见到了：%(name)s %(number)s") % {"name": case.name, "number": case.number}
    text = f"{review.org_name}：{OPINION[review.opinion]}。{review.text}"
    _tell_staff(case, f"review-{review.id}", [case.org_id], roles, title, text)


@on("cases.overdue")
def overdue(body: dict[str, Any], trace_id: UUID | None) -> None:
    """A case ran over its limit: its office's manager hears of it, and the office above."""
    case = _case(body)
    higher = above(case.org) if case.org else None
    orgs = [org.id for org in (case.org, higher) if org]
    title = _("已超期：%(name)s %(number)s") % {"name": case.name, "number": case.number}
    text = _("%(org)s 没有在承诺时限内办结，请督促。") % {"org": case.org.name if case.org else ""}
    _tell_staff(case, "overdue", orgs, {MANAGER}, title, text)


@on("ratings.rectify")
def to_rectify(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Whoever is to mend a bad rating hears of it."""
    done = Rectification.objects.get(id=body["rectification"])
    if done.assignee_id:
        case = _case(body)
        tell(
            derived_id("message", done.id, "rectify"),
            done.assignee_id,
            _("差评整改：%(name)s") % {"name": case.name},
            _("请在 %(day)s 前核实、整改并回访。") % {"day": timezone.localtime(done.due_at).date()},
            "/desk/ratings",
            case.id,
        )


@on("ratings.answered")
def rectified(body: dict[str, Any], trace_id: UUID | None) -> None:
    """The person who rated hears what was mended, and is asked whether it is solved."""
    done = Rectification.objects.get(id=body["rectification"])
    tell(
        derived_id("message", done.id, "answered"),
        done.subject_id,
        _("您的评价有了答复"),
        done.answer,
        f"/cases/{body['case']}#rate",
        UUID(body["case"]),
    )


@on("cases.undertaking-due")
def undertaking_due(body: dict[str, Any], trace_id: UUID | None) -> None:
    """The day of an undertaking has passed: who owes it hears of it, and so does the office."""
    made = Undertaking.objects.get(id=body["undertaking"])
    case = _case(body)
    if made.kind == OWED:
        text = _("“%(name)s”应在 %(day)s 前补交，请尽快上传，逾期可能不予受理。") % {
            "name": made.name,
            "day": timezone.localtime(made.due_at).date(),
        }
        tell(
            derived_id("message", made.id, "due"),
            made.subject_id,
            _("有一份材料该补交了"),
            text,
            f"/cases/{case.parent_id or case.id}",
            case.id,
        )
    roles = {role for post in Post.objects.filter(org_id=made.org_id, until=None) for role in post.roles}
    title = _("到期：%(name)s") % {"name": made.name}
    _tell_staff(case, f"undertaking-{made.id}", [made.org_id], roles, title, case.number)
