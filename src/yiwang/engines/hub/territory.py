"""Which records an office delivers: those of its own division and what lies below it.

A former code counts where its successor does. An office of a smaller place than a county (a zone or a street, whose
codes are longer) delivers for the division above it. An office of a province, and the system, have no limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from uuid import UUID

from yiwang.kernel.access.contracts import Actor
from yiwang.kernel.orgs.models import Organisation, Region

from .actions import office_of
from .contracts import Dataset, Mode, Territory, Whole
from .datasets import LEVELS
from .models import Delivery, State


@lru_cache(maxsize=1)
def _map() -> tuple[dict[str, Region], dict[str, frozenset[str]]]:
    """Every division by its code, and of each down to counties the codes that lie in it."""
    known = {region.code: region for region in Region.objects.all()}
    codes: dict[str, set[str]] = {}
    for region in known.values():
        if region.level in LEVELS:
            for around in _upwards(region, known):
                codes.setdefault(around.code, set()).add(region.code)
    return known, {code: frozenset(found) for code, found in codes.items()}


def _upwards(region: Region | None, known: dict[str, Region]) -> Iterator[Region]:
    """Today's division, and those around it: a chain of successors first, then of parents."""
    for _hop in range(10):  # a loop in the data must not hang
        if region is None:
            return
        if region.successor_id is None:
            yield region
        region = known.get(region.successor_id or region.parent_id or "")


@lru_cache(maxsize=4096)
def _place(code: str) -> str:
    known, codes = _map()
    return next((r.code for r in _upwards(known.get(code), known) if r.code in codes), code)


def place_of(org: Organisation) -> str:
    """The code of the division for which an office delivers."""
    return _place(org.region_id)


def territory_of(org: Organisation | None) -> Territory | None:
    """Where an office's records lie; None without a limit: the system, and offices of a province."""
    if org is None:
        return None
    known, codes = _map()
    place = place_of(org)
    if place not in codes:  # a division that the packs no longer know: nothing but its code is its own
        return Territory(org.name, frozenset({place}))
    region = known[place]
    return None if region.level == LEVELS[0] else Territory(region.name, codes[place])


def covers(org: Organisation | None, other: Organisation) -> bool:
    """Whether what one office delivers may hold the records of another."""
    territory = territory_of(org)
    return territory is None or place_of(other) in territory.codes


def wholes_after(dataset: Dataset, delivery: Delivery) -> list[Whole]:
    """The full deliveries of later moments that are loaded, the earliest first; of each territory only that one.

    One that was broken is no witness of what there was not.
    """
    found = Delivery.objects.using("owner").filter(
        dataset=dataset.id, state=State.LOADED, mode=Mode.FULL, as_of__gt=delivery.as_of
    )
    first: dict[frozenset[str] | None, Whole] = {}
    for one in found.exclude(counts__has_key="doubtful").order_by("as_of", "seq").select_related("org"):
        territory = territory_of(one.org) if dataset.territory else None
        codes = territory.codes if territory else None
        first.setdefault(codes, Whole(one.seq, codes))
    return list(first.values())


def bound(dataset: Dataset, org: Organisation | None) -> Dataset:
    """The contract as it holds for a delivery of that office."""
    return replace(dataset, within=territory_of(org)) if dataset.territory else dataset


def bound_for(actor: Actor, dataset: Dataset, office: UUID | None = None) -> Dataset:
    """The contract as it holds for what the actor delivers, for one of his offices. Raises what ``office_of`` raises."""
    return bound(dataset, None if actor.system else office_of(actor, dataset, office))
