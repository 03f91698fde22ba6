"""我的空间, or an enterprise's 企业空间: what waits, cases, certificates, policies, messages, mandates on one page.

Plan P33. It only gathers; each part has a page of its own in the room that keeps it.
"""

from datetime import timedelta

from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from yiwang.domains.policy import queries as policy
from yiwang.domains.services.guide import guide
from yiwang.engines.cases import api as cases
from yiwang.kernel.accounts import queries as accounts
from yiwang.kernel.documents import api as documents
from yiwang.kernel.notify.models import Message

FEW = 5  # of each part; its own page has them all
SOON = timedelta(days=30)  # an authorisation that ends within this is marked


@require_GET
def space(request):
    """Everything of the person, or of whom he acts for."""
    actor = request.actor
    if actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next={reverse('space')}")
    drafts = [(d, guide(d.ref, {})) for d in cases.open_drafts(actor)[:FEW]]
    today = timezone.localdate()
    given = [m for m in accounts.given(actor) if not m.revoked_at and (not m.until or m.until >= today)]
    enterprise = policy.enterprise_of(actor)
    return render(
        request,
        "portal/space.html",
        {
            "enterprise": enterprise,
            "todo": cases.todo(actor),
            "wishes": policy.wishes(enterprise) if enterprise else [],
            "drafts": [(d, g.pack.name) for d, g in drafts if g],
            "cases": cases.own(actor)[:FEW],
            "licences": documents.certificates(actor)[:FEW],
            "enjoys": policy.enjoyed(enterprise)[:FEW] if enterprise else [],
            "inbox": Message.objects.filter(subject_id=actor.subject_id)[:FEW],
            "given": given[:FEW],
            "soon": today + SOON,
            "held": accounts.held(actor) if actor.acting_for is None else [],
        },
    )
