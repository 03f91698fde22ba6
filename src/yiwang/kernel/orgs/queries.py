"""Reads of regions, organisations and posts."""

from datetime import date
from functools import lru_cache
from uuid import UUID

from django.db.models import Q

from .models import Organisation, Post, Region

MANAGER = "manager"  # the role of a post that oversees an office's work
STEWARD = "steward"  # the role of a post that looks after data in general


def posts_of(person_id: UUID, today: date) -> dict[UUID, frozenset[str]]:
    """Organisation id → roles that the person holds on ``today``, the post held longest first."""
    held: dict[UUID, frozenset[str]] = {}
    posts = Post.objects.filter(Q(until=None) | Q(until__gte=today), person_id=person_id, since__lte=today)
    for org_id, roles in posts.order_by("since", "id").values_list("org_id", "roles"):
        held[org_id] = held.get(org_id, frozenset()) | frozenset(roles)
    return held


def below(org_ids: list[UUID]) -> frozenset[UUID]:
    """The offices one level down that do the same work: a city's bureau oversees those of its counties."""
    found: set[UUID] = set()
    for org in Organisation.objects.filter(id__in=org_ids):
        found |= set(
            Organisation.objects.filter(
                region__parent_id=org.region_id, functions__overlap=org.functions
            ).values_list("id", flat=True)
        )
    return frozenset(found)


def above(org: Organisation) -> Organisation | None:
    """The office one level up that does the same work, or None."""
    return (
        Organisation.objects.filter(region_id=org.region.parent_id, functions__overlap=org.functions)
        .order_by("name")
        .first()
    )


def colleagues(org_id: UUID, role: str) -> list[Post]:
    """The posts of an office that hold a role today. Names of persons are for the system to read."""
    return list(Post.objects.filter(org_id=org_id, roles__contains=[role], until=None).order_by("id"))


def office_with(role: str, region_code: str, beyond: UUID | None = None) -> Organisation | None:
    """The office with a post of a role: in a region, else in those above it, else the first of all.

    Args:
        region_code: code of a division, today's or a former one; unknown or empty: the first of all.
        beyond: an office that has spoken already; another is preferred, if there is one.
    """
    held = Post.objects.filter(roles__contains=[role], until=None).values("org")
    found = Organisation.objects.filter(id__in=held).order_by("region_id", "name")
    if beyond is not None and found.exclude(id=beyond).exists():
        found = found.exclude(id=beyond)
    region = current_region(region_code)
    while region is not None:
        org = found.filter(region=region).first()
        if org:
            return org
        region = region.parent
    return found.first()


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


def staffed(function: str, roles: list[str], region_code: str) -> Organisation | None:
    """The office of a department that has somebody with one of the roles: in a region, else above it, else the first.

    Without any such office, one that has nobody: it stands there, and whoever oversees it sees that.

    Args:
        region_code: code of a division, today's or a former one; unknown or empty: the first of all.
    """
    offices = Organisation.objects.filter(functions__contains=[function]).order_by("region_id")
    able = offices.filter(posts__until=None, posts__roles__overlap=roles).distinct()
    region = current_region(region_code)
    while region is not None:
        org = able.filter(region=region).first()
        if org:
            return org
        region = region.parent
    return able.first() or responsible(function, region_code) or offices.first()


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
