"""Whose matters these are: mandates, the switch between oneself and others, who looked at one's data."""

from datetime import date

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from yiwang.domains.services.search.queries import online
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.access.session import ACTING_FOR
from yiwang.kernel.accounts import actions, queries


@require_http_methods(["GET", "POST"])
def mandates(request):
    """授权管理: who may act for me (or my enterprise), for whom I may act, and giving a new one."""
    if request.actor.person_id is None:
        return redirect(f"{reverse('account_login')}?next=/mandates")
    problem = ""
    if request.method == "POST":
        try:
            _authorise(request)
            messages.success(request, _("已授权。对方登录后即可代您办理，您随时可以收回。"))
            return redirect("mandates")
        except Refused as refused:
            problem = str(refused)
    subject = request.actor.acting_for
    services = online()
    names = {pack.id: pack.name for pack in services}
    shown = [(m, [names.get(ref, ref) for ref in m.scope or ()]) for m in queries.given(request.actor)]
    return render(
        request,
        "portal/mandates.html",
        {
            "given": shown,
            "held": queries.held(request.actor) if subject is None else [],
            "services": [p for p in services if bool(p.data.get("subject")) == (subject is not None)],
            "roles": actions.ENTERPRISE_ROLES if subject and subject.kind == "enterprise" else (),
            "may_give": subject is None or "admin" in subject.roles,
            "typed": request.POST,
            "problem": problem,
        },
        status=422 if problem else 200,
    )


def _authorise(request) -> None:
    post = request.POST
    try:
        until = date.fromisoformat(post["until"]) if post.get("until") else None
    except ValueError as wrong:
        raise Refused(_("截止日期“%(day)s”不是日期，请重新选择。") % {"day": post["until"]}) from wrong
    scope = post.getlist("scope") if post.get("what") == "some" else None
    if scope == []:
        raise Refused(_("请勾选授权对方办理的事项，或选“全部事项”。"))
    roles = [post["role"]] if post.get("role") else ["handler"]
    actions.authorise(request.actor, post.get("name", ""), post.get("idno", ""), roles, scope, until)


@require_POST
def revoke_mandate(request, mandate_id):
    """Take a mandate back, or lay it down."""
    try:
        actions.revoke(request.actor, mandate_id)
    except Refused as refused:
        raise Http404 from refused
    messages.success(request, _("已收回，立即生效。"))
    return redirect("mandates")


@require_POST
def act_for(request):
    """Switch to a subject, or back to oneself; the next request checks that the mandate is in force."""
    chosen = request.POST.get("subject", "")
    if chosen and str(chosen) not in {str(m.subject_id) for m in queries.held(request.actor)}:
        messages.error(request, _("没有这项授权，或它已经结束。"))
        return redirect("mandates")
    if chosen:
        request.session[ACTING_FOR] = chosen
    else:
        request.session.pop(ACTING_FOR, None)
    return redirect("cases")
