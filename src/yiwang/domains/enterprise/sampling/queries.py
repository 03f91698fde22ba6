"""Reads of sampling plans."""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from yiwang.domains.enterprise import tables
from yiwang.domains.enterprise.models import Sampled, SamplingPlan
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.purposes import purpose_of
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


def may_read(plan: SamplingPlan) -> bool:
    """Whether scope and lot are the acting official's to see: the plan's office and those above it, with the post."""
    with connection.cursor() as cursor:
        cursor.execute("select enterprise_sampling_reader(%s)", [plan.id])
        (mine,) = cursor.fetchone()
    return bool(mine)


def drawn(plan: SamplingPlan, start: int = 0, most: int | None = None) -> list[Sampled]:
    """Enterprises drawn, the class that is inspected most first, then by lot; an entry each in the ledger.

    Args:
        start: how many to leave out. most: None for all that follow.

    Raises:
        ProgrammingError: not the actor's to see, see ``may_read``.
    """
    why = purpose_of(plan.purpose)
    return list(
        Sampled.objects.raw(
            "select * from enterprise_sampling_drawn(%s, %s, %s, %s, %s, %s)",
            [new_id(), plan.id, start, most, why.name, why.basis],
        )
    )


def public_lot(plan: SamplingPlan) -> tuple[str, str | None]:
    """The digest that binds the office to a drawn lot; the lot when the period is over, None before."""
    with connection.cursor() as cursor:
        cursor.execute("select digest, lot from enterprise_sampling_lot(%s)", [plan.id])
        digest, lot = cursor.fetchone()
    return digest, lot
