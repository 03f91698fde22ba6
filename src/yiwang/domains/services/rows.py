"""Repeating groups on a page: a fieldset for each row, and buttons that add one or take one out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from yiwang.domains.services.forms import Widget
from yiwang.engines.cases import api as cases
from yiwang.engines.cases import forms
from yiwang.kernel.access.contracts import Refused

POSTED = "rows."  # before a group's role: how many rows the page was drawn with
BUTTON = "row"


@dataclass
class Block:
    """Fields that stand together. Of a row: what the rows are called, its number, who it is if that is known, and
    what its button for taking it out sends.

    ``add``: what the button below it sends; ``first``: it begins the group; ``why``: who should press it.
    """

    widgets: list[Widget] = field(default_factory=list)
    id: str = ""
    label: str = ""
    number: int = 0
    who: str = ""
    himself: bool = False
    remove: str = ""
    add: str = ""
    first: bool = False
    why: str = ""


def blocks(filled: cases.Filled, page: str, widgets: list[Widget]) -> list[Block]:
    """The fields of a page in order, those of a group row by row, with the buttons that belong there."""
    plan = filled.plan
    fields = next(p.fields for p in plan.pages if p.id == page)
    row_of = {f"{row}.{c}": (g, row) for g in plan.groups for row in g.rows for c in g.columns}
    found: list[Block] = []
    mine = {g.role: g for g in plan.groups if any(row_of.get(p, (None,))[0] is g for p in fields)}
    rows: dict[str, Block] = {}
    for widget in widgets:
        group, row = row_of.get(widget.name, (None, ""))
        if group is None or group.role not in mine:
            if not found or found[-1].id:
                found.append(Block())
            found[-1].widgets.append(widget)
            continue
        if row not in rows:
            for one in group.rows:  # every row in its place, even one with nothing to type
                rows[one] = _row(filled, group, one)
                found.append(rows[one])
            found[-1].add = f"add:{group.role}" if len(group.rows) < group.max else ""
        rows[row].widgets.append(replace(widget, label=widget.label.partition("的")[2] or widget.label))
    for role in next(p.opens for p in plan.pages if p.id == page):
        group = next(g for g in plan.closed if g.role == role)
        why = group.why
        found.append(Block(id=f"rows-{role}", label=group.label, add=f"add:{role}", first=True, why=why))
    return found


def _row(filled: cases.Filled, group: forms.Group, row: str) -> Block:
    number = group.rows.index(row) + 1
    return Block(
        id=f"row-{group.role}-{number}",
        label=group.label,
        number=number,
        who=str(filled.data.get(f"{row}.name") or "") if row == group.first else "",
        himself=row == filled.plan.login,
        remove="" if row == group.first else f"remove:{group.role}:{number}",
    )


def posted(plan: forms.FormPlan, post: Mapping[str, str]) -> dict[str, int]:
    """How many rows the page had that is sent; of groups that the form has, and within their bounds."""
    found = {}
    for group in (*plan.groups, *plan.closed):
        text = post.get(f"{POSTED}{group.role}", "")
        if text.isascii() and text.isdigit() and len(text) < 5:
            count = min(int(text), group.max)
            found[group.role] = count if count >= group.min else 0
    return found


def press(actor, draft: cases.Draft, plan: forms.FormPlan, button: str) -> tuple[cases.Draft, str]:
    """Do what a button asks: ``add:ROLE`` or ``remove:ROLE:N``.

    Returns:
        the draft, and the id of the place to go to on its page.

    Raises:
        Refused: the button is none of this form's, or the engine refuses.
    """
    verb, _colon, rest = button.partition(":")
    role, _colon, number = rest.partition(":")
    if verb == "add":
        before = cases.counts(plan).get(role, 0)
        changed = cases.add_row(actor, draft.id, plan, role)
        return changed, f"row-{role}-{max(before + 1, 2)}"
    if verb == "remove" and number.isascii() and number.isdigit():
        changed = cases.remove_row(actor, draft.id, plan, role, int(number))
        left = cases.counts(plan).get(role, 0) - 1
        return changed, f"row-{role}-{min(int(number), left)}" if role in changed.answers else f"rows-{role}"
    raise Refused(_("没有这种操作，请刷新页面。"))


def page_of(plan: forms.FormPlan, role: str, otherwise: str) -> str:
    """The page on which a group is filled in or begun."""
    group = next((g for g in plan.groups if g.role == role), None)
    cells = {f"{row}.{c}" for row in group.rows for c in group.columns} if group else set()
    pages = [p.id for p in plan.pages if role in p.opens or cells & set(p.fields)]
    return next(iter(pages), otherwise)


__all__ = ["BUTTON", "POSTED", "Block", "blocks", "page_of", "posted", "press"]
