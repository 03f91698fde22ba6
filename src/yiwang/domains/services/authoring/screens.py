"""The author's pages: a list, an editor with everything wrong and a preview, the second person's decision."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.packs import api as packs

from . import actions, rules
from .models import Proposal
from .preview import preview


def _roles(request) -> set[str]:
    held = {role for roles in request.actor.posts.values() for role in roles}
    if not held & {rules.AUTHOR, rules.PUBLISHER}:
        raise Http404
    return held


@require_GET
def proposals(request):
    """Drafts, what waits for the second person, and what can be copied to begin with."""
    roles = _roles(request)
    found = Proposal.objects.exclude(state=Proposal.DRAFT) | Proposal.objects.filter(
        author=request.actor.label
    )
    library = packs.current()
    return render(
        request,
        "services/proposals.html",
        {
            "proposals": found.distinct()[:100],
            "may_write": rules.AUTHOR in roles,
            "packs": [*library.all("bundle"), *library.all("service_item")],
        },
    )


@require_http_methods(["GET", "POST"])
def write(request, proposal_id=None):
    """The editor. Saving keeps the text, right or wrong."""
    roles = _roles(request)
    proposal = Proposal.objects.filter(id=proposal_id).first() if proposal_id else None
    if proposal_id and proposal is None:
        raise Http404
    content, problem = proposal.content if proposal else "", ""
    if request.method == "POST":
        content = request.POST.get("content", "").replace("\r\n", "\n")
        try:
            saved = actions.propose(request.actor, content, proposal_id)
            return redirect("proposal", saved.id)
        except Refused as refused:
            problem = str(refused)
    elif proposal is None and request.GET.get("copy"):
        content = _copied(request.GET["copy"])
    return render(
        request,
        "services/proposal.html",
        {
            "proposal": proposal,
            "content": content,
            "problem": problem,
            "problems": actions.problems(proposal.path, proposal.content) if proposal and not problem else [],
            "preview": preview(proposal.path, proposal.content) if proposal and not problem else None,
            "mine": proposal is None or proposal.author == request.actor.label,
            "editable": proposal is None or proposal.state in (Proposal.DRAFT, Proposal.REJECTED),
            "may_decide": proposal is not None
            and proposal.state == Proposal.HANDED_IN
            and rules.PUBLISHER in roles
            and proposal.author != request.actor.label,
        },
        status=422 if problem else 200,
    )


def _copied(ref: str) -> str:
    library = packs.current()
    pack = library.find("bundle", ref) or library.find("service_item", ref)
    return packs.asset(packs.current_release(), pack.file).decode() if pack else ""


@require_POST
def decide_proposal(request, proposal_id):
    """Hand in, publish or reject."""
    _roles(request)
    if not Proposal.objects.filter(id=proposal_id).exists():
        raise Http404
    verb, note = request.POST.get("verb"), request.POST.get("note", "")
    try:
        if verb == "hand-in":
            actions.hand_in(request.actor, proposal_id)
            messages.success(request, _("已提交，等另一位同事审核发布。"))
        else:
            done = actions.decide(request.actor, proposal_id, verb == "publish", note)
            published = done.state == Proposal.PUBLISHED
            messages.success(request, _("已发布，即刻生效。") if published else _("已退回作者。"))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("proposal", proposal_id)
