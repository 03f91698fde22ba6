"""Rows of a draft's repeating groups: one more, one fewer, or as many as a page had when it was drawn."""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.rules import visible
from yiwang.kernel.audit.api import record

from . import consents, forms
from .forms import FormPlan, Group
from .models import Draft


def group_of(plan: FormPlan, role: str) -> Group:
    """The repeating group of a role, with rows or without.

    Raises:
        Refused: the form has none.
    """
    found = next((g for g in (*plan.groups, *plan.closed) if g.role == role), None)
    if found is None:
        raise Refused(_("这份表单没有可以添加的“%(role)s”，请刷新页面。") % {"role": role})
    return found


def counts(plan: FormPlan) -> dict[str, int]:
    """How many rows each group has; 0 for one that nobody has begun."""
    return {g.role: len(g.rows) for g in (*plan.groups, *plan.closed)}


def set_rows(draft: Draft, plan: FormPlan, wanted: Mapping[str, int]) -> None:
    """Give a draft so many rows; it is not saved. What is in rows that go is gone.

    A usual value that nobody changed is forgotten, because it may be another one with more or fewer rows.
    """
    usual = {f.path: str(f.default) for f in plan.fields if f.origin is forms.Origin.DEFAULT}
    draft.data = {p: v for p, v in draft.data.items() if usual.get(p) != str(v)}
    answers = dict(draft.answers)
    for role, count in wanted.items():
        group = group_of(plan, role)
        for row in range(len(group.rows), max(count, 1), -1):
            if group.rows[row - 1] != group.first:
                draft.data = forms.without_row(group, row, draft.data)
                draft.uploads = forms.without_row(group, row, draft.uploads)
        answers.pop(role, None)
        if count:
            answers[role] = count
    draft.answers = answers


def _locked(actor: Actor, draft_id: UUID) -> Draft:
    """The draft to change, if it may be changed now."""
    draft = Draft.objects.select_for_update().filter(visible(actor), id=draft_id).first()
    if draft is None or draft.submitted_at:
        raise Refused(_("没有找到这份申请，或它已经提交。"))
    if consents.pending(actor, draft):
        raise Refused(_("正在等对方同意，先撤回再修改。"))
    return draft


def add_row(actor: Actor, draft_id: UUID, plan: FormPlan, role: str) -> Draft:
    """One row more at the end; the first press of the button begins the group with the fewest it has.

    Args:
        plan: of the draft as it is now.

    Raises:
        Refused: no such group, as many as there may be, not the actor's draft, submitted, or others are asked.
    """
    group = group_of(plan, role)
    if len(group.rows) >= group.max:
        what = _("%(label)s最多 %(max)s 位，已经有 %(now)s 位，不能再添加。")
        raise Refused(what % {"label": group.label, "max": group.max, "now": len(group.rows)})
    with transaction.atomic():
        draft = _locked(actor, draft_id)
        set_rows(draft, plan, {role: max(len(group.rows) + 1, group.min)})
        return _changed(actor, draft, plan, role)


def remove_row(actor: Actor, draft_id: UUID, plan: FormPlan, role: str, number: int) -> Draft:
    """Take a row out; those behind it move up. Too few for a group that a button opens: it is closed again.

    Args:
        number: counts from 1.

    Raises:
        Refused: as ``add_row``; no such row, one that is the applicant himself, or the last that must be.
    """
    group = group_of(plan, role)
    left = len(group.rows) - 1
    if left < group.min and not group.opens:
        what = _("%(label)s至少 %(min)s 位，现在 %(now)s 位，不能再去掉。")
        raise Refused(what % {"label": group.label, "min": group.min, "now": len(group.rows)})
    with transaction.atomic():
        draft = _locked(actor, draft_id)
        try:
            take_out(draft, plan, role, number)
        except ValueError as wrong:
            what = _("没有可以去掉的%(label)s%(n)s，请刷新页面核对。")
            raise Refused(what % {"label": group.label, "n": number}) from wrong
        return _changed(actor, draft, plan, role)


def take_out(draft: Draft, plan: FormPlan, role: str, number: int) -> None:
    """A draft without one row; it is not saved.

    Raises:
        ValueError: no such row, or one that is somebody the form knows anyway.
    """
    group = group_of(plan, role)
    draft.data = forms.without_row(group, number, draft.data)
    draft.uploads = forms.without_row(group, number, draft.uploads)
    left = len(group.rows) - 1
    set_rows(draft, plan, {role: left if left >= group.min else 0})


def _changed(actor: Actor, draft: Draft, plan: FormPlan, role: str) -> Draft:
    """Save it. Its pages with the group are not done yet: an empty new row is no mistake before it is saved."""
    group = group_of(plan, role)
    mine = set(group.rows) - {group.first}
    again = {
        page.id
        for page in plan.pages
        if role in page.opens or any(path.split(".", 1)[0] in mine for path in page.fields)
    }
    draft.done = [page for page in draft.done if page not in again]
    draft.revision += 1
    draft.save()
    record(actor, "draft.saved", "draft", draft.id, trace_id=draft.id, rows=role)
    return draft
