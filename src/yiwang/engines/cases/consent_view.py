"""What somebody who is asked for his consent sees of an application before he answers."""

from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import SYSTEM, Actor
from yiwang.kernel.access.session import as_system
from yiwang.kernel.orgs.queries import region_names

from . import forms, supplements
from .applying import fill
from .consents import covered
from .models import Case, Consent, Draft


def content_of(actor: Actor, consent: Consent) -> list[tuple[str, str]]:
    """What he would agree to, as (label, value); of a supplement, with what it was before.

    Nothing of anybody else's person: to be named in an application gives no right to their data.
    """
    with as_system(actor):
        draft = Draft.objects.get(id=consent.draft_id)
        names = region_names()
        if draft.submitted_at is None:
            filled = fill(SYSTEM, draft)
            plan, data, before = filled.plan, filled.data, filled.data
        else:
            plan, before, data = supplements.told_again(Case.objects.get(id=draft.id))
    shown = []
    for field in covered(plan, consent.role):
        value, was = data.get(field.path), before.get(field.path)
        if value in (None, "") or not forms.visible(plan, field, data):
            continue
        text = forms.show(plan, field.path, value, names.get)
        if value != was:
            old = forms.show(plan, field.path, was, names.get) if was not in (None, "") else _("空")
            text = _("%(value)s（原来是 %(was)s）") % {"value": text, "was": old}
        shown.append((field.label, text))
    return shown
