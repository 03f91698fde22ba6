"""What an applicant hands in against what an office asked for (补正); one rule for the page and the API.

Where it changes what others have agreed to (``consents``), they are asked again, and the office has it when all of
them have agreed.
"""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import SYSTEM, Actor, Refused
from yiwang.kernel.access.session import as_system
from yiwang.kernel.ids import derived_id

from . import actions, consents, forms
from .case_form import in_bundle, in_item, plan_of
from .contracts import Phase
from .forms import FieldError, FormPlan
from .models import Case, Draft
from .queries import family
from .store import Locked


def asked_of(case: Case) -> dict[str, str]:
    """What a case's office asked for last: key (a material's has an ``@``) → its name."""
    return {entry["key"]: entry["label"] for entry in case.extra.get("supplement", {}).get("items", ())}


def checked(
    case: Case, values: Mapping[str, Any], files: Collection[str]
) -> tuple[dict[str, Any], list[FieldError]]:
    """Everything that was asked for must be there and right, and nothing else.

    Args:
        values: as entered, by path. files: keys of the materials that were handed in.

    Returns:
        the values tidy, under the names of the case's own item, and what is missing, wrong or was not asked for.
    """
    asked, plan = asked_of(case), plan_of(case)
    tidy: dict[str, Any] = {}
    known = "、".join(asked)
    wrong = [
        FieldError(key, key, None, _("没有要求补正这一项。要补正的：%(known)s") % {"known": known})
        for key in (*values, *files)
        if key not in asked
    ]
    for key, label in asked.items():
        if "@" in key:
            if key not in files:
                wrong.append(FieldError(key, label, None, _("请上传%(name)s") % {"name": label}))
            continue
        given = values.get(key)
        tidy[key], fault = forms.validate(plan, key, "" if given is None else str(given))
        if fault or tidy[key] in (None, ""):
            told = fault.message if fault else _("请填写%(name)s") % {"name": label}
            wrong.append(FieldError(key, label, given, told))
    return in_item(case, tidy), wrong


def answer(
    actor: Actor, case: Case, values: dict[str, Any], files: dict[str, str], command_id: UUID
) -> Locked:
    """Hand in what was asked for; or, where others agreed to what changes, ask them and keep it until they have.

    Args:
        values, files: as ``checked`` has found them right.

    Raises:
        Refused: not his case, nothing is waited for, somebody named now who cannot be asked.
    """
    was = in_bundle(case, case.data)
    changed = {path for path, value in in_bundle(case, values).items() if was.get(path) != value}
    if not consents.touched(plan_of(case), changed):
        return actions.answer_supplement(actor, case.id, values, files, command_id)
    with transaction.atomic():
        held = actions.hold_supplement(actor, case.id, values, files, command_id)
        if not held.already:
            _ask(actor, case)
        return held


def _ask(actor: Actor, case: Case) -> None:
    """Ask everybody about all that waits in the family; who was asked about something else hears it is over."""
    root = case.parent or case
    with as_system(actor):
        draft = Draft.objects.select_for_update().get(id=root.id)
    mine = held_of(case)
    case.refresh_from_db()
    if mine:  # another answer than the one they were asked about
        consents.cancel(actor, draft)
    plan, _before, data = told_again(root)
    consents.ask(actor, draft, plan, data, root.subject_name)


def held_of(case: Case) -> dict[str, Any]:
    """What a case's applicant has handed in and others have yet to agree to: ``values`` and ``files``, or nothing."""
    return case.extra.get("supplement", {}).get("held", {}) if case.phase == Phase.SUPPLEMENT else {}


def told_again(root: Case) -> tuple[FormPlan, dict[str, Any], dict[str, Any]]:
    """The plan of an application, its values as they are, and as they would be with what waits."""
    before = dict(root.data)
    for child in family(root):
        before |= in_bundle(child, child.data)
    after = dict(before)
    for child in family(root):
        after |= in_bundle(child, held_of(child).get("values", {}))
    return plan_of(root), before, after


def release(draft: Draft) -> None:
    """Everybody has agreed: what waited goes to the offices.

    Raises:
        Refused: nothing waits any more.
    """
    waiting = [c for c in family(Case.objects.get(id=draft.id)) if held_of(c)]
    if not waiting:
        raise Refused(_("这件办件已经不用补正了，您的答复没有用上。"))
    for child in waiting:
        held = held_of(child)
        command = derived_id("supplement-agreed", child.id, child.seq)
        actions.answer_supplement(SYSTEM, child.id, held["values"], held["files"], command)
