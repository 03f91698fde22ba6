"""Propose, hand in, publish or reject a pack file. Nothing comes into force by one person alone."""

from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.cases.lint import check_packs
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.audit.api import record
from yiwang.kernel.packs import api as packs
from yiwang.kernel.packs.contracts import Problem
from yiwang.kernel.packs.loader import parse

from . import rules
from .models import Proposal


def _require(actor: Actor, role: str) -> None:
    if not any(role in roles for roles in actor.posts.values()):
        raise Refused(_("您没有编写或发布事项的岗位。"))


def problems(path: str, content: str) -> list[Problem]:
    """Everything wrong with the tree as it would be: schema, references, lint rules, flows, embedded tests."""
    with packs.tree_with(path, content) as root:
        return check_packs(root)


def propose(actor: Actor, content: str, proposal_id: UUID | None = None) -> Proposal:
    """Save a pack file as a draft, right or wrong.

    Raises:
        Refused: no such post, too large, not a service or bundle, somebody else's draft, or handed in.
    """
    _require(actor, rules.AUTHOR)
    if len(content.encode()) > rules.MOST_BYTES:
        raise Refused(_("文件太大，最多 %(n)s KB。") % {"n": rules.MOST_BYTES // 1000})
    pack, found = parse(content.encode(), "proposal.yaml")
    kind, ref = _head(content)
    if kind not in rules.KINDS or not ref:
        first = str(found[0]) if found and pack is None else ""
        raise Refused(_("网页上只能编写事项（service_item）和一件事（bundle），请写明 kind 和 id。") + first)
    existing = packs.current().find(kind, ref)
    path = existing.file if existing else rules.path_of(kind, ref, _folder())
    if not rules.allowed(path):
        raise Refused(_("不能写到“%(path)s”。id 用小写英文、数字、下划线和点。") % {"path": path})
    proposal = Proposal.objects.filter(id=proposal_id).first() if proposal_id else None
    if proposal is None:
        proposal = Proposal(author=actor.label, author_name=actor.name)
    elif proposal.author != actor.label or proposal.state not in (Proposal.DRAFT, Proposal.REJECTED):
        raise Refused(_("这份草稿不是您的，或已经提交，不能再改。"))
    proposal.path, proposal.content, proposal.state = path, content, Proposal.DRAFT
    proposal.save()
    record(actor, "proposal.saved", "proposal", proposal.id, path=path)
    return proposal


def _head(content: str) -> tuple[str, str]:
    """Kind and id, read leniently so that a draft with mistakes elsewhere can be saved."""
    found = {}
    for line in content.splitlines():
        key, colon, value = line.partition(":")
        if colon and key in ("kind", "id") and key not in found:
            found[key] = value.strip().strip("\"'")
    return found.get("kind", ""), found.get("id", "")


def _folder() -> str:
    """The folder of the province's own packs: where its organisations are."""
    return next(iter(packs.current().all("organisations"))).file.split("/")[0]


def hand_in(actor: Actor, proposal_id: UUID) -> Proposal:
    """Ask for publication. Raises Refused while anything is wrong with it."""
    proposal = Proposal.objects.select_for_update().filter(id=proposal_id, author=actor.label).first()
    if proposal is None or proposal.state != Proposal.DRAFT:
        raise Refused(_("没有找到您的这份草稿，或它已经提交。"))
    found = problems(proposal.path, proposal.content)
    if found:
        raise Refused(_("还有 %(n)s 处问题，改好后才能提交。") % {"n": len(found)})
    proposal.state = Proposal.HANDED_IN
    proposal.save()
    record(actor, "proposal.handed-in", "proposal", proposal.id, path=proposal.path)
    return proposal


def decide(actor: Actor, proposal_id: UUID, publish: bool, note: str) -> Proposal:
    """Publish or reject, by somebody else than the author. Published, it is in force at once.

    Raises:
        Refused: no such post, the author himself, not handed in, or wrong against what is now in force.
    """
    _require(actor, rules.PUBLISHER)
    proposal = Proposal.objects.select_for_update().filter(id=proposal_id).first()
    if proposal is None or proposal.state != Proposal.HANDED_IN:
        raise Refused(_("这份草稿没有提交，或已经处理过。"))
    if proposal.author == actor.label:
        raise Refused(_("不能发布自己写的事项，请由另一个人审核发布。"))
    if not publish and not note.strip():
        raise Refused(_("退回请写明理由。"))
    if publish:
        with packs.tree_with(proposal.path, proposal.content) as root:
            found = check_packs(root)
            if found:
                raise Refused(
                    _("与现行的包合在一起有 %(n)s 处问题，请退回：") % {"n": len(found)} + str(found[0])
                )
            proposal.release, _new = packs.load(root)
    proposal.state = Proposal.PUBLISHED if publish else Proposal.REJECTED
    proposal.decided_by, proposal.decided_name = actor.label, actor.name
    proposal.decided_at, proposal.note = timezone.now(), note.strip()[:500]
    proposal.save()
    verb = "proposal.published" if publish else "proposal.rejected"
    record(actor, verb, "proposal", proposal.id, path=proposal.path, release=proposal.release)
    return proposal
