"""Applying without pages: a department's system sends what it knows in one piece, and hears what is wrong."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Actor
from yiwang.kernel.ids import derived_id
from yiwang.kernel.packs import api as packs

from . import forms
from .applying import Filled, Incomplete, fill, find_draft, identify, new_draft
from .forms import FieldError, FormPlan
from .models import Case
from .submitting import hand_in

CONSENT = "consent"  # the status of an application that waits for others to agree


def unfolded(plan: FormPlan, values: Mapping[str, Any]) -> tuple[dict[str, int], dict[str, Any]]:
    """Values in which a repeating group may be a list of objects, as numbers of rows and values by path.

    Args:
        values: path → value, or a group's role → a list with one object (element → value) for each row, which
            are all the rows there are. An empty list closes a group that may be left out.

    Raises:
        Incomplete: fewer or more rows than there may be, or a row that is no object.
    """
    rows: dict[str, int] = {}
    flat = dict(values)
    for group in (*plan.groups, *plan.closed):
        given = flat.pop(group.role, None)
        if given is None:
            continue
        if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
            text = _("%(label)s应是列表，每位写一个对象。") % {"label": group.label}
            raise Incomplete([FieldError(group.role, group.label, given, text)])
        least = 0 if group.opens and not given else group.min
        if not least <= len(given) <= group.max:
            text = _("%(label)s应有 %(min)s 到 %(max)s 位，现在 %(now)s 位；不需要的不写这一项。") % {
                "label": group.label,
                "min": group.min,
                "max": group.max,
                "now": len(given),
            }
            raise Incomplete([FieldError(group.role, group.label, len(given), text)])
        rows[group.role] = len(given)
        names = forms.row_roles(group.role, group.first, len(given))
        for name, row in zip(names, given, strict=True):
            blank = {} if name == group.first else dict.fromkeys(group.columns, "")
            flat |= {f"{name}.{element}": value for element, value in (blank | row).items()}
    return rows, flat


def taken(filled: Filled, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """Values for fields of a form: tidy, with what is wrong about each.

    Args:
        values: path → text, whole number, true or false.
    """
    fields = {field.path: field for field in filled.plan.fields}
    tidy: dict[str, Any] = {}
    errors: list[FieldError] = []
    for path, raw in values.items():
        field = fields.get(path)
        if field is None:
            errors.append(FieldError(path, path, raw, _("这份表单没有“%(path)s”这一项。") % {"path": path}))
        elif not forms.editable(field, filled.provenance):
            source = filled.provenance[path].source if path in filled.provenance else _("系统")
            text = _("%(label)s由%(source)s给出，不能另填。") % {"label": field.label, "source": source}
            errors.append(FieldError(path, field.label, raw, text))
        elif isinstance(raw, dict | list):
            text = _("%(label)s应是一个值，不是列表或对象。") % {"label": field.label}
            errors.append(FieldError(path, field.label, raw, text))
        else:
            value, error = forms.clean(field, _text(raw), forms.choices(filled.plan, field, filled.data))
            tidy[path] = "" if value is None else value
            if error:
                errors.append(error)
    return tidy, errors


def _text(raw: Any) -> str:
    return "" if raw is None else str(raw).lower() if isinstance(raw, bool) else str(raw)


def file(
    actor: Actor,
    ref: str,
    answers: Mapping[str, bool],
    values: Mapping[str, Any],
    pledges: Collection[str],
    command_id: UUID,
) -> UUID:
    """Apply in one call: draft and case at once. The same command id again gives the same case.

    Raises:
        Incomplete: with every missing, wrong or unknown field; nothing is kept.
        Refused: as for opening and submitting a draft.
    """
    draft_id = derived_id("file", actor.label, command_id)
    try:
        return _file(actor, ref, answers, values, pledges, draft_id)
    except IntegrityError:  # the same command at the same moment: the other request has made the case
        draft = find_draft(actor, draft_id)
        if draft is None or not draft.submitted_at:
            raise
        return draft.id


def _file(
    actor: Actor,
    ref: str,
    answers: Mapping[str, bool],
    values: Mapping[str, Any],
    pledges: Collection[str],
    draft_id: UUID,
) -> UUID:
    with transaction.atomic():
        earlier = find_draft(actor, draft_id)
        if earlier is not None and earlier.submitted_at:
            return draft_id
        draft = new_draft(actor, ref, answers, draft_id)
        who = identify(actor, draft)
        filled = fill(actor, draft, who)
        rows, flat = unfolded(filled.plan, values)
        if rows:
            draft.answers = {**draft.answers, **rows}
            filled = fill(actor, draft, who)
        tidy, errors = taken(filled, flat)
        if errors:
            raise Incomplete(errors)
        draft.data = tidy
        filled = fill(actor, draft, who)
        draft.done = [page.id for page in filled.plan.pages]
        hand_in(actor, draft, filled, pledges)
        return draft_id


def offered(ref: str) -> bool:
    """Whether there is a service of that id now."""
    library = packs.current()
    return bool(library.find("bundle", ref) or library.find("service_item", ref))


def made(case_id: UUID) -> dict[str, Any]:
    """Number and status of a case that was just filed; without a number while others have to agree first."""
    found = Case.objects.values("id", "number", "status").filter(id=case_id).first()
    return found or {"id": case_id, "number": "", "status": CONSENT}
