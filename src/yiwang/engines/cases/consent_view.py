"""What somebody who is asked for his consent sees of an application before he answers."""

from yiwang.kernel.access.contracts import SYSTEM, Actor
from yiwang.kernel.access.session import as_system
from yiwang.kernel.orgs.queries import region_names

from . import forms
from .applying import fill
from .models import Consent, Draft

PUBLIC = "公开"  # the level of data that anybody may know once there is a result


def content_of(actor: Actor, consent: Consent) -> list[tuple[str, str]]:
    """What he would agree to, as (label, value): what becomes public, who is named with him, and all of himself.

    Of a bundle, only what goes to the items that need his consent.

    Nothing of anybody else's person: to be named in an application gives no right to their data.
    """
    with as_system(actor):
        draft = Draft.objects.get(id=consent.draft_id)
        filled = fill(SYSTEM, draft)
        names = region_names()
    plan, data = filled.plan, filled.data
    wants = {item.id for item in plan.items if "consent_of" in item.data}
    fellows = {row for group in plan.groups if consent.role in group.rows for row in group.rows}
    shown = []
    for field in plan.fields:
        value, role = data.get(field.path), field.path.partition(".")[0]
        if value in (None, "") or field.supporting or not forms.visible(plan, field, data):
            continue
        if not wants & set(field.items):
            continue
        named = role in fellows and field.path == f"{role}.name"
        if named or role == consent.role or field.level == PUBLIC:
            shown.append((field.label, forms.show(plan, field.path, value, names.get)))
    return shown
