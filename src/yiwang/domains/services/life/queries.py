"""The map of life events, from the packs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yiwang.kernel.packs.contracts import Library, Pack


@dataclass(frozen=True)
class Stage:
    """One stage of a life, with the bundles that belong to it."""

    subject: str
    data: Mapping[str, Any]
    bundles: tuple[Pack, ...]


def stages(library: Library) -> list[Stage]:
    """Every stage: people first, then enterprises, each in the order of its pack."""
    maps = sorted(library.all("life_map"), key=lambda p: (p.data["subject"] != "个人", p.id))
    return [
        Stage(
            subject=pack.data["subject"],
            data=stage,
            bundles=tuple(
                b
                for b in library.all("bundle")
                if b.data.get("stage", {}) == {"subject": pack.data["subject"], "life": stage["name"]}
            ),
        )
        for pack in maps
        for stage in pack.data["stages"]
    ]
