"""The form that a case was applied for with: its plan, and values under the names of its own item."""

from collections.abc import Mapping
from typing import Any

from yiwang.kernel.packs import api as packs

from . import forms
from .forms import FormPlan
from .models import Case


def plan_of(case: Case) -> FormPlan:
    """The plan a case was applied for with: its bundle's, or its own."""
    root = case.parent or case
    return forms.plan(packs.library(root.release), root.ref, root.extra.get("answers", {}))


def item_plan(case: Case) -> FormPlan:
    """The plan of a case's own item, in its own roles, with as many rows as were applied for."""
    return forms.plan(packs.library(case.release), case.ref, case.extra.get("rows", {}))


def _bind(case: Case) -> dict[str, str]:
    return dict(plan_of(case).item(case.ref).bind)


def in_item(case: Case, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values under the bundle's roles, renamed to every role of the case's own item that is bound to them."""
    bind = _bind(case)
    own: dict[str, Any] = {}
    for path, value in values.items():
        role, element = path.split(".", 1)
        for mine in [item for item, bundle in bind.items() if bundle == role] or [role]:
            own[f"{mine}.{element}"] = value
    return own


def in_bundle(case: Case, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values under the roles of a case's own item, renamed to the bundle's."""
    bind = _bind(case)
    own = (path.split(".", 1) for path in values)
    return {f"{bind.get(role, role)}.{element}": values[f"{role}.{element}"] for role, element in own}


def value_in_bundle(case: Case, path: str, newer: Mapping[str, Any] | None = None) -> Any:
    """A case's value for a path in the bundle's roles.

    Args:
        newer: values under the item's own names that come before the case's.
    """
    data = {**case.data, **(newer or {})}
    return next((v for own in in_item(case, {path: None}) if (v := data.get(own)) is not None), None)
