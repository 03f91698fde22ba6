"""Who builds on a dataset: every place of every pack that names it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from yiwang.kernel.packs.contracts import Library, Pack


@dataclass(frozen=True, slots=True)
class Use:
    """An indicator, a feature or a rule that reads a dataset.

    id: of the thing within its pack, "" for the pack as a whole. says: its condition or formula, as the pack has it.
    """

    pack: Pack
    id: str
    name: str
    says: str = ""


def uses(dataset: str, library: Library) -> list[Use]:
    """Everything in the packs that reads a dataset, in the order of the packs."""
    return [use for pack in library if pack.kind != "dataset" for use in _in(pack, dataset)]


def indicator(library: Library, kind: str, pack_id: str, id: str) -> tuple[Use, list[str]] | None:
    """One of them with the datasets that it reads, or None."""
    pack = library.find(kind, pack_id)
    if pack is None or kind == "dataset":
        return None
    found = [(use, dataset) for use, dataset in _walk(pack, pack.data, "") if use.id == id]
    return (found[0][0], sorted({dataset for _use, dataset in found})) if found else None


def _in(pack: Pack, dataset: str) -> Iterator[Use]:
    return (use for use, named in _walk(pack, pack.data, "") if named == dataset)


def _walk(pack: Pack, value: Any, key: str) -> Iterator[tuple[Use, str]]:
    if isinstance(value, dict):
        named = value.get("dataset")
        if isinstance(named, str):
            says = next((str(value[k]) for k in ("when", "who", "formula", "sql") if k in value), "")
            yield Use(pack, str(value.get("id", key)), str(value.get("name", pack.name)), says), named
        for inner, child in value.items():
            yield from _walk(pack, child, str(inner))
    elif isinstance(value, list):
        for child in value:
            yield from _walk(pack, child, key)
