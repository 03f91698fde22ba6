"""What an applicant hands in against what an office asked for (补正); one rule for the page and the API."""

from collections.abc import Collection, Mapping
from typing import Any

from django.utils.translation import gettext as _

from . import forms
from .case_form import in_item, plan_of
from .forms import FieldError
from .models import Case


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
