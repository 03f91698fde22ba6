"""Reads of regions, organisations and posts."""

from datetime import date
from functools import lru_cache
from uuid import UUID

from django.db.models import Q

from .models import Organisation, Post, Region


def posts_of(person_id: UUID, today: date) -> dict[UUID, frozenset[str]]:
    """Organisation id → roles that the person holds on ``today``."""
    held: dict[UUID, frozenset[str]] = {}
    for org_id, roles in (
        Post.objects.filter(Q(until=None) | Q(until__gte=today), person_id=person_id, since__lte=today)
        .values_list("org_id", "roles")
        .iterator()
    ):
        held[org_id] = held.get(org_id, frozenset()) | frozenset(roles)
    return held


def current_region(code: str) -> Region | None:
    """Today's division for a code, following successors: 371202 莱城区 → 370116 莱芜区."""
    region = Region.objects.filter(code=code).first()
    for _ in range(5):  # a chain of renamings is short; a loop in the data must not hang
        if region is None or region.successor_id is None:
            break
        region = Region.objects.get(code=region.successor_id)
    return region


def responsible(function: str, region_code: str) -> Organisation | None:
    """The office that does a department's work in a region: there, else in the region above it.

    Args:
        function: a department by its function, such as 公安, as packs name it.
        region_code: code of a division or functional zone, today's or a former one.
    """
    region = current_region(region_code)
    while region is not None:
        org = Organisation.objects.filter(region=region, functions__contains=[function]).first()
        if org:
            return org
        region = region.parent
    return None


@lru_cache(maxsize=1)
def region_names() -> dict[str, str]:
    """Code → full name of every county and city, for documents and pages."""
    rows = Region.objects.filter(level__in=("city", "county")).values_list(
        "code", "name", "parent__name", "level"
    )
    return {
        code: f"{parent}{name}" if level == "county" and parent else name
        for code, name, parent, level in rows
    }
