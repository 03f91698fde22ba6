"""Papers the system writes from what was filled in, for the applicant to sign (系统生成待签)."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.documents.render import render
from yiwang.kernel.orgs.queries import region_names
from yiwang.kernel.packs import api as packs

from . import forms
from .applying import fill
from .models import Draft


def paper(actor: Actor, draft: Draft, key: str) -> tuple[str, bytes]:
    """The paper of one material of a draft, as far as it is filled in: its name and a PDF.

    Nothing is kept: what counts is the signed copy that is uploaded.

    Args:
        key: ``material@holder``; the material's pack names a layout (``generated``).

    Raises:
        Refused: the form has no such material, or the system does not write it.
    """
    filled = fill(actor, draft)
    material = next((m for m in filled.plan.materials if m.key == key and m.generated), None)
    if material is None:
        raise Refused(_("这份申请没有由系统生成的“%(key)s”，请回到表单页面下载。") % {"key": key})
    names = region_names().get
    plan, data = filled.plan, filled.data
    values: dict[str, Any] = {
        f.path: forms.show(plan, f.path, data[f.path], names)
        for f in plan.fields
        if data.get(f.path) not in (None, "")
    }
    listed = {g.role: [_row(values, g, row) for row in g.rows] for g in plan.groups}
    day = timezone.localdate()
    template = packs.asset(draft.release, f"base/documents/{material.generated}.typ")
    date = f"{day.year}年{day.month}月{day.day}日"
    return material.name, render(template, {"values": values, "rows": listed, "date": date})


def _row(values: dict[str, Any], group: forms.Group, row: str) -> dict[str, Any]:
    """What is filled in of one row: element → as people read it."""
    return {c: v for c in ("name", "idno", *group.columns) if (v := values.get(f"{row}.{c}")) is not None}
