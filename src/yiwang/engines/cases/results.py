"""收受分离: a window takes in for another county, and hands the result out when it has come back."""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.session import as_system
from yiwang.kernel.audit.api import record
from yiwang.kernel.documents.models import IssuedDocument
from yiwang.kernel.orgs.models import Organisation

from . import forms
from .actions.moving import AlreadyChanged, execute
from .case_form import plan_of
from .models import Case, Draft
from .queries import documents_of
from .store import Change, Locked
from .windows import receipt

ADDRESS = "service.delivery_addr"


def results(actor: Actor, draft_id: UUID) -> list[IssuedDocument]:
    """The documents of a closed case that the actor's window took in; empty while it is open.

    Raises:
        Refused: not taken in at the actor's window.
    """
    _draft, case, _family = receipt(actor, draft_id)
    if case.closed_at is None:
        return []
    with as_system(actor):
        return documents_of(case)


def result(actor: Actor, draft_id: UUID, document_id: UUID) -> IssuedDocument:
    """One of the results, to print; the look is recorded.

    Raises:
        Refused: none of this window's.
    """
    found = next((d for d in results(actor, draft_id) if d.id == document_id), None)
    if found is None:
        raise Refused(_("没有找到这份结果。"))
    record(actor, "result.printed", "document", found.id, draft_id)
    return found


def by_post(case: Case) -> bool:
    """Whether the result goes by post: the pack's own condition for asking an address holds, and there is one."""
    if not case.data.get(ADDRESS):
        return False
    plan = plan_of(case)
    field = next((f for f in plan.fields if f.path == ADDRESS), None)
    return field is not None and forms.visible(plan, field, case.data)


def hand_out(actor: Actor, draft_id: UUID, tracking: str, command_id: UUID) -> Locked:
    """The window gives the result to the person, or to the post as he chose.

    Args:
        tracking: the post's number, needed when the applicant chose delivery by post.

    Raises:
        Refused: not this window's, no result yet, or no tracking number.
    """
    draft, case, _family = receipt(actor, draft_id)
    posted = by_post(case)
    tracking = tracking.strip()[:40]

    def decide(held: Locked, now: datetime) -> Change:
        if held.closed_at is None:
            raise Refused(_("还没有办结，结果出来后再交付。"))
        if held.extra.get("delivered"):
            raise AlreadyChanged(_("已经登记过交付。"))
        if posted and not tracking:
            raise Refused(_("办事人选了邮寄送达，请填写快递单号。"))
        window = Organisation.objects.get(id=draft.org_id).name
        delivered = {"at": now.isoformat(), "window": window, "tracking": tracking if posted else ""}
        return Change("delivered", delivered, patch={"extra": {**held.extra, "delivered": delivered}})

    with as_system(actor):  # the case is another office's; whose window it is was asked above
        return execute(actor, draft_id, command_id, decide)


def waiting_at(case: Case) -> UUID | None:
    """The window that took a case in and should hand its result out, or None."""
    draft = Draft.objects.filter(id=case.id).first()
    return draft.org_id if draft else None
