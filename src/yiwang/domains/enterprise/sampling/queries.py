"""Reads of sampling plans."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from yiwang.domains.enterprise import tables
from yiwang.domains.enterprise.models import Sampled, SamplingPlan
from yiwang.kernel.orgs.models import Organisation, Region


def regions_of(org: Organisation) -> dict[str, str]:
    """Codes and names of the divisions an office is for: its own and those below, down to the county."""
    found, level = {org.region_id: org.region.name}, [org.region_id]
    while level:
        rows = Region.objects.filter(parent_id__in=level, level__in=("city", "county")).order_by("code")
        below = dict(rows.values_list("code", "name"))
        found |= below
        level = list(below)
    return found


def industries() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """The classification of industries: (letter, name, its divisions as (code, name)), from the code list."""
    from yiwang.kernel.packs import api as packs

    table = tables.current()
    if table is None:
        return []
    listed = packs.current().get("codelist", table.subjects.field(table.industry).codelist).data["codes"]
    tops = [(c["code"], c["name"]) for c in listed if len(c["code"]) == 1]
    return [
        (top, name, [(c["code"], c["name"]) for c in listed if c["code"][0] == top and len(c["code"]) > 1])
        for top, name in tops
    ]


def plans() -> list[SamplingPlan]:
    """All plans, the latest first, drawn or not."""
    return list(
        SamplingPlan.objects.select_related("org").prefetch_related("strata").order_by("-number")[:200]
    )


def plan_of(plan_id: UUID) -> SamplingPlan | None:
    """One plan, or None."""
    return SamplingPlan.objects.select_related("org").filter(id=plan_id).first()


def drawn(plan: SamplingPlan) -> Any:
    """The enterprises drawn, the class that is inspected most first, then by lot."""
    return Sampled.objects.filter(plan=plan).order_by("-grade", "place")
