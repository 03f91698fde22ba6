"""How a pack will look to residents, before it is in force."""

from dataclasses import dataclass
from typing import Any

from yiwang.domains.services.guide import Guide, guide
from yiwang.engines.cases.forms import FormPlan, PlanError
from yiwang.kernel.packs import api as packs
from yiwang.kernel.packs.contracts import UnknownPack
from yiwang.kernel.packs.loader import parse


@dataclass(frozen=True)
class Preview:
    """The guide page, the form page by page, and the burden."""

    guide: Guide
    pages: list[dict[str, Any]]
    burden: dict[str, Any]


def preview(path: str, content: str) -> Preview | None:
    """What residents would get; None while the file is not well-formed enough to tell."""
    pack, _problems = parse(content.encode(), path)
    if pack is None:
        return None
    library = packs.current().with_packs([pack])
    try:
        shown = guide(pack.id, {}, library)
    except (PlanError, UnknownPack, KeyError):  # still being written: the list of problems says what is wrong
        return None
    if shown is None:
        return None
    return Preview(shown, _pages(shown.plan), shown.burden)


def _pages(plan: FormPlan) -> list[dict[str, Any]]:
    fields = {f.path: f for f in plan.fields}
    return [
        {"title": page.title, "fields": [fields[p] for p in page.fields if not fields[p].supporting]}
        for page in plan.pages
    ]
