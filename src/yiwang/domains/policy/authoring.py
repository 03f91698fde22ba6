"""A department edits its policies: a draft, what is wrong with it, its effect on the province, two persons to publish."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import yaml
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.judge import library as policies
from yiwang.engines.judge.api import Axis, Effect, NotARule, analyse, compile_plan, effect
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.audit.api import record
from yiwang.kernel.events.api import emit
from yiwang.kernel.orgs.models import Organisation
from yiwang.kernel.packs import api as packs
from yiwang.kernel.packs.contracts import Pack
from yiwang.kernel.packs.loader import parse

from . import actions, coordination, province, queries
from .contracts import PUBLISHER, WRITER
from .models import PolicyDraft

CELL = ("field", "test", "text", "clause")
_ID = re.compile(r"[a-z][a-z0-9_]{0,30}(\.[a-z][a-z0-9_]{0,30}){1,3}")


def offices(actor: Actor) -> list[Organisation]:
    """Offices in which the actor works on policies."""
    held = [org for org, roles in actor.posts.items() if {WRITER, PUBLISHER} & set(roles)]
    return list(Organisation.objects.filter(id__in=held).select_related("region"))


def own(actor: Actor) -> list[Pack]:
    """Every policy, in force or not, that the actor's offices issued."""
    mine = {o.id for o in offices(actor)}
    return [p for p in packs.current().all("policy") if (o := actions.office(p)) and o.id in mine]


def draft_of(actor: Actor, draft_id: UUID) -> PolicyDraft | None:
    """A draft of the actor's office, or None."""
    found = PolicyDraft.objects.filter(id=draft_id).first()
    return found if found and found.org_id in {o.id for o in offices(actor)} else None


def begin(actor: Actor, ref: str, new_id: str = "", new_name: str = "") -> PolicyDraft:
    """A draft from the published version, or the one that is open already; with ``new_id`` a new policy after it.

    Raises:
        Refused: not the actor's office, or an id that is taken or malformed.
    """
    pack = next((p for p in own(actor) if p.id == ref), None)
    org = actions.office(pack) if pack else None
    if pack is None or org is None or not actor.has_role(org.id, WRITER):
        raise Refused(_("这项政策不是您单位出的，或您没有编写的岗位。"))
    if new_id or new_name:
        if not _ID.fullmatch(new_id) or not new_name or packs.current().find("policy", new_id):
            told = {"id": new_id, "name": new_name}
            raise Refused(
                _("标识“%(id)s”或名称“%(name)s”不能用：标识用小写英文、数字、下划线和点，不与现有的重复。")
                % told
            )
    open_one = PolicyDraft.objects.filter(
        policy=new_id or ref, author=actor.label, state__in=[PolicyDraft.DRAFT, PolicyDraft.REJECTED]
    ).first()
    if open_one:
        return open_one
    data = copy.deepcopy(dict(pack.data))
    data["version"] = 1 if new_id else data["version"] + 1
    if new_id:
        data |= {"id": new_id, "name": new_name}
    made = PolicyDraft.objects.create(
        policy=data["id"], org_id=org.id, data=data, author=actor.label, author_name=actor.name
    )
    record(actor, "policy.drafted", "policy", ref, draft=str(made.id))
    return made


def edited(data: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """The policy with what the grid says; an empty test removes a row. Numbers that are none stay as typed."""
    new = copy.deepcopy(dict(data))
    for key in ("summary", "mode", "once"):
        new[key] = form.get(key, new[key]).strip() or new[key]
    new["effective"] = {
        k: form.get(f"effective-{k}", "").strip() for k in ("from", "to") if form.get(f"effective-{k}")
    }
    new["benefit"] = {
        **new["benefit"],
        "amount": form.get("amount", new["benefit"]["amount"]).strip(),
        "text": form.get("amount-text", new["benefit"]["text"]).strip(),
    }
    budget = form.get("budget", "").strip()
    new["budget"] = {**new["budget"], "value": _number(budget)}
    group = form.get("group", "").strip()
    new.pop("group", None)
    if group:
        new["group"] = group
    lists: dict[str, list[dict[str, Any]]] = {}
    rows = sorted(
        {int(k[1:].split("-")[0]) for k in form if k.startswith("r") and k[1:].split("-")[0].isdigit()}
    )
    for n in rows:
        cell: dict[str, Any] = {k: form.get(f"r{n}-{k}", "").strip() for k in CELL}
        if not cell["test"] or not cell["field"]:
            continue
        cell["text"] = cell["text"] or f"{cell['field']} {cell['test']}"
        cell["clause"] = cell["clause"] or _("待定")
        if form.get(f"r{n}-hard"):
            cell["hard"] = True
        lists.setdefault(form.get(f"r{n}-rule", ""), []).append(cell)
    new["conditions"] = lists.get("", [])
    new["tests"] = [_example(test, n, form) for n, test in enumerate(new["tests"])]
    if new.get("rules"):
        new["rules"] = [{**r, "conditions": lists[r["id"]]} for r in new["rules"] if r["id"] in lists]
        if not new["rules"]:
            del new["rules"]
    return new


def _example(test: Mapping[str, Any], n: int, form: Mapping[str, str]) -> dict[str, Any]:
    """An embedded example with the outcome that the grid expects of it."""
    found = {**test, "status": form.get(f"t{n}-status", test["status"])}
    found.pop("amount", None)
    amount = form.get(f"t{n}-amount", str(test.get("amount", ""))).strip()
    if amount:
        found["amount"] = _number(amount)
    return found


def _number(text: str) -> Any:
    try:
        value = Decimal(text)
    except ArithmeticError:
        return text
    return int(value) if value == int(value) else float(value)


def save(actor: Actor, draft: PolicyDraft, form: Mapping[str, str]) -> None:
    """Keep the grid as it was filled in, right or wrong. Raises Refused."""
    if draft.author != actor.label or draft.state not in (PolicyDraft.DRAFT, PolicyDraft.REJECTED):
        raise Refused(_("这份草稿不是您的，或已经提交，不能再改。"))
    draft.data, draft.state = edited(draft.data, form), PolicyDraft.DRAFT
    draft.save()
    record(actor, "policy.draft-saved", "policy", draft.policy, draft=str(draft.id))


def text_of(data: Mapping[str, Any]) -> str:
    """A policy as its file."""
    return yaml.safe_dump(dict(data), allow_unicode=True, sort_keys=False, width=1000)


def _path(ref: str) -> str:
    """The file of a policy; a new one lies beside the others."""
    found = packs.current().find("policy", ref) or packs.current().all("policy")[0]
    return found.file if found.id == ref else f"{found.file.rpartition('/')[0]}/{ref}.yaml"


def problems(data: Mapping[str, Any]) -> list[str]:
    """What is wrong with a draft, as sentences: the schema's, then the rules'."""
    pack, found = parse(text_of(data).encode(), _path(data["id"]))
    if pack is None:
        return [f"{p.what}。{p.remedy}" for p in found]
    release = packs.current_release()
    library = packs.current().with_packs([pack])
    mine = [p for p in policies.lint(library, queries.regions(release), pack.id) if p.file == pack.file]
    return [f"{p.what}。{p.remedy}" for p in mine]


@dataclass(frozen=True)
class Reach:
    """What a draft does to the province. ``groups``: name of the axis → lines (label, entitled, gained, lost).

    A count below the pack's ``fewest`` is None, so that nobody can be made out.
    """

    effect: Effect
    groups: dict[str, list[tuple[str, Any, Any, Any]]]
    budget: Decimal
    over: Decimal
    findings: list[Any] = field(default_factory=list)
    relations: list[coordination.Relation] = field(default_factory=list)
    scalar: list[str] = field(default_factory=list)


def reach(data: Mapping[str, Any]) -> Reach:
    """Count a draft over the whole province, beside the published version; compare it with those in force.

    Raises:
        NotARule, NoProvince: it cannot be counted yet.
    """
    declared, day = queries.frame(), timezone.localdate()
    mine = policies.load(data, declared, day)
    before = packs.current().find("policy", data["id"])
    old = policies.load(before.data, declared, day) if before else None
    source = province.source(declared)
    axes = [Axis(name, prefix) for name, prefix in declared.axes]
    told = effect(
        source,
        mine,
        old,
        axes,
        data["benefit"]["amount"],
        before.data["benefit"]["amount"] if before else None,
    )
    fewest = queries.rules_of()["fewest"]["value"]
    groups = {}
    for place, (name, prefix) in enumerate(declared.axes):
        groups[name] = _axis(told, place, declared, name, prefix, fewest)
    budget = Decimal(str(data["budget"]["value"]))
    over = max(Decimal(0), (told.cost or Decimal(0)) - budget)
    hits = source.count(compile_plan([mine], declared.fields, source.cuts())).rules
    told_hits = {rule: count for (_policy, rule), count in hits.items()}
    others = [p.data for p in packs.current().all("policy")]
    related = coordination.relations(data, others, declared, day)
    return Reach(told, groups, budget, over, analyse(mine, hits=told_hits), related, mine.scalar_only())


def _axis(told: Effect, place: int, declared: Any, name: str, prefix: int, fewest: int) -> list[Any]:
    sums: dict[str, list[int]] = {}
    for group in told.groups:
        line = sums.setdefault(group.key[place], [0, 0, 0])
        for n, value in enumerate((group.entitled, group.gained, group.lost)):
            line[n] += value
    names = declared.fields[name].codes.names if declared.fields[name].codes else {}
    found = []
    for key, counts in sorted(sums.items(), key=lambda item: (-item[1][0], item[0])):
        if any(counts):
            label = names.get(key) or names.get(f"{key:0<6}") or key or _("没有登记")
            found.append((label, *(None if 0 < c < fewest else c for c in counts)))
    return found


def hand_in(actor: Actor, draft: PolicyDraft) -> None:
    """Ask for publication. Raises Refused while anything is wrong."""
    if draft.author != actor.label or draft.state != PolicyDraft.DRAFT:
        raise Refused(_("没有找到您的这份草稿，或它已经提交。"))
    found = problems(draft.data)
    if found:
        raise Refused(_("还有 %(n)s 处问题，改好后才能提交：") % {"n": len(found)} + found[0])
    draft.state = PolicyDraft.HANDED_IN
    draft.save()
    record(actor, "policy.handed-in", "policy", draft.policy, draft=str(draft.id))


def decide(actor: Actor, draft: PolicyDraft, publish: bool, note: str) -> None:
    """Publish or reject, by another person of the office. Published, it is in force at once.

    Raises:
        Refused: no such post, the author himself, not handed in, no reason, or wrong beside what is in force now.
    """
    draft = PolicyDraft.objects.select_for_update().get(id=draft.id)
    if not actor.has_role(draft.org_id, PUBLISHER):
        raise Refused(_("您没有审核发布政策的岗位。"))
    if draft.state != PolicyDraft.HANDED_IN:
        raise Refused(_("这份草稿没有提交，或已经处理过。"))
    if draft.author == actor.label:
        raise Refused(_("不能发布自己写的政策，请由另一个人审核发布。"))
    if not publish and not note.strip():
        raise Refused(_("退回请写明理由。"))
    if publish:
        found = problems(draft.data)  # the policy and what it refers to; nothing else has changed
        if found:
            raise Refused(_("与现行的包合在一起有问题，请退回：") + found[0])
        with packs.tree_with(_path(draft.policy), text_of(draft.data)) as root:
            draft.release, _new = packs.load(root)
        emit("policy.published", {"policy": draft.policy, "release": draft.release})
    draft.state = PolicyDraft.PUBLISHED if publish else PolicyDraft.REJECTED
    draft.decided_by, draft.decided_name = actor.label, actor.name
    draft.decided_at, draft.note = timezone.now(), note.strip()[:500]
    draft.save()
    verb = "policy.published" if publish else "policy.rejected"
    record(actor, verb, "policy", draft.policy, draft=str(draft.id), release=draft.release)


__all__ = [
    "NotARule",
    "Reach",
    "begin",
    "decide",
    "draft_of",
    "edited",
    "hand_in",
    "offices",
    "own",
    "problems",
    "reach",
    "save",
]
