"""定期待遇: what an item grants is paid period by period, as long as the conditions hold, with a yearly review.

One row per grant and period, unique in the database: however often the run is repeated, nothing is paid
twice. Before each payment the item's conditions are tested again on the registers of the day; what no
longer holds stops the grant with its reason, what cannot be told today waits for the next run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import SYSTEM, Actor, Refused
from yiwang.kernel.access.rules import require_subject, visible
from yiwang.kernel.access.session import acting
from yiwang.kernel.audit.api import record
from yiwang.kernel.ids import derived_id
from yiwang.kernel.notify.api import tell
from yiwang.kernel.registers import api as registers

from . import forms
from .case_form import item_plan
from .contracts import PURPOSE
from .items import item
from .models import Case, Grant, Payment

ACTIVE, PAUSED, STOPPED = "active", "paused", "stopped"


@dataclass
class Ran:
    """What one run did."""

    paid: int = 0
    stopped: int = 0
    postponed: int = 0
    reviews: int = 0
    paused: int = 0


def period_of(day: date) -> str:
    """The month of a day: 2026-12."""
    return f"{day:%Y-%m}"


def next_period(period: str) -> str:
    """The month after a month."""
    year, month = map(int, period.split("-"))
    return f"{year + month // 12}-{month % 12 + 1:02d}"


def a_year_after(day: date) -> date:
    """The same day a year on; 29 February becomes 1 March."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return date(day.year + 1, 3, 1)


def award(case: Case, on: date) -> Grant | None:
    """Begin to pay what a granted case awards (``periodic`` of its pack); None when it awards nothing.

    Once per case, however often it is called.
    """
    spec = item(case.release, case.kind, case.ref).data.get("periodic")
    if not spec:
        return None
    first = period_of(on) if spec["from"] == "当月" else next_period(period_of(on))
    grant, _new = Grant.objects.get_or_create(
        case_id=case.id,
        defaults={
            "subject_id": case.subject_id,
            "org_id": case.org_id,
            "name": case.name,
            "due_period": first,
            "review_on": a_year_after(on) if "review" in spec else None,
        },
    )
    return grant


def of_case(case: Case) -> Grant | None:
    """The grant of a case, with its payments; None when it has none."""
    return Grant.objects.filter(case_id=case.id).prefetch_related("payments").first()


def run(on: date | None = None, limit: int | None = None) -> Ran:
    """Pay everything that is due on a day, open and enforce reviews. Safe to repeat.

    Args:
        on: the day to count as today. limit: so many grants at most.
    """
    day = on or timezone.localdate()
    ran = Ran()
    with acting(SYSTEM):
        active = Grant.objects.filter(status=ACTIVE)
        due = active.filter(due_period__lte=period_of(day)) | active.filter(review_on__lte=day)
        ids = list(due.order_by("due_period").values_list("case_id", flat=True)[:limit])
    for case_id in ids:
        with acting(SYSTEM):
            grant = Grant.objects.select_for_update(skip_locked=True).filter(case_id=case_id).first()
            if grant is not None:
                _run_one(grant, day, ran)
    return ran


def _run_one(grant: Grant, day: date, ran: Ran) -> None:
    case = Case.objects.select_related("org").get(id=grant.case_id)
    spec = item(case.release, case.kind, case.ref).data["periodic"]
    _review(grant, spec, day, ran)
    while grant.status == ACTIVE and grant.due_period <= period_of(day):
        plan, data, reasons = _today(case, spec, day)
        if reasons is None:
            ran.postponed += 1
            break
        if reasons:
            grant.status, grant.because, grant.ended_on = STOPPED, "；".join(reasons), day
            ran.stopped += 1
            title = _("不再发放：%(name)s") % {"name": grant.name}
            _say(grant, f"stopped-{day}", title, _("原因：%(why)s。不服的可以申请复核或行政复议。") % {
                "why": grant.because
            })  # fmt: skip
            break
        amount = forms.value(plan, spec["amount"]["value"], data)
        if amount is None or Decimal(str(amount)) <= 0:  # the pack cannot say how much: nothing is guessed
            ran.postponed += 1
            break
        Payment.objects.get_or_create(
            grant=grant,
            period=grant.due_period,
            defaults={
                "subject_id": grant.subject_id,
                "org_id": grant.org_id,
                "amount": Decimal(str(amount)),
                "account": str(data.get(spec["account"], ""))[-4:],
                "paid_on": day,
            },
        )
        ran.paid += 1
        grant.due_period = next_period(grant.due_period)
    grant.save()


def _review(grant: Grant, spec: Mapping[str, Any], day: date, ran: Ran) -> None:
    """Open the yearly review when its day has come; pause when nobody confirmed in time."""
    if grant.review_on is None or day < grant.review_on or grant.status != ACTIVE:
        return
    until = grant.review_on + timedelta(days=spec["review"]["within"]["value"])
    if not grant.review_open:
        grant.review_open = True
        ran.reviews += 1
        text = _("请在 %(day)s 前确认情况没有变化，点一下即可。") % {"day": until}
        title = _("年度复核：%(name)s") % {"name": grant.name}
        _say(grant, f"review-{grant.review_on}", title, text)
    if day > until:
        grant.status, grant.because = PAUSED, _("年度复核到期没有确认")
        ran.paused += 1


def _today(
    case: Case, spec: Mapping[str, Any], day: date
) -> tuple[forms.FormPlan, dict[str, Any], list[str] | None]:
    """The case on the registers of the day, and why it may not be paid; None when that cannot be told now."""
    plan = item_plan(case)
    silent: list[str] = []

    def look(register: str, key: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] | None = registers.lookup(register, key, PURPOSE, case.id)
        except registers.Unavailable as down:
            silent.append(register)
            raise forms.RegisterUnavailable(str(down)) from down
        return found

    # What a register said on applying is asked again; only what the person typed stays.
    told = case.extra.get("provenance", {})
    from_registers = {f.path for f in plan.fields if f.lookups and told.get(f.path) != forms.TYPED}
    kept = {path: value for path, value in case.data.items() if path not in from_registers}
    data, _sources = forms.fill(plan, {**kept, "today": day.isoformat()}, look)
    tested = [c for c in forms.conditions(plan, case.ref, data, look) if c.id in spec["while"]]
    if silent or any(c.value is None for c in tested):
        return plan, data, None
    return plan, data, [_("不再符合“%(text)s”") % {"text": c.text} for c in tested if not c.value]


def _say(grant: Grant, what: str, title: str, text: str) -> None:
    message = derived_id("message", grant.case_id, what)
    tell(message, grant.subject_id, title, text, f"/cases/{grant.case_id}#pay", grant.case_id)


def confirm(actor: Actor, case_id: UUID) -> Grant:
    """The beneficiary confirms that nothing has changed; a paused grant goes on with the next run.

    Raises:
        Refused: not his, stopped, or no review is open.
    """
    grant = Grant.objects.select_for_update().filter(visible(actor), case_id=case_id).first()
    if grant is None:
        raise Refused(_("没有找到这项待遇。"))
    require_subject(actor, grant)
    if grant.status == STOPPED:
        raise Refused(_("已经停发（%(why)s），请重新申请。") % {"why": grant.because})
    if not grant.review_open or grant.review_on is None:
        raise Refused(_("现在没有要确认的复核。"))
    grant.review_on, grant.review_open = a_year_after(grant.review_on), False
    grant.status, grant.because = ACTIVE, ""
    grant.save()
    record(actor, "grant.confirmed", "grant", grant.case_id, grant.case_id)
    return grant
