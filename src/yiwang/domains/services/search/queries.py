"""The index in force: one per process, for a release of packs and a version of the catalogue."""

from functools import lru_cache
from itertools import chain
from uuid import UUID

from yiwang.domains.services.catalogue import queries as catalogue
from yiwang.kernel.packs import api as packs
from yiwang.kernel.packs.contracts import Pack

from .contracts import Found
from .entries import from_catalogue, from_packs, vocabulary
from .index import Index


def find(question: str, limit: int = 20) -> Found:
    """What a question finds among bundles, items and catalogue guides in force."""
    return _index(packs.current_release(), catalogue.version()).find(question, limit)


def online() -> list[Pack]:
    """Everything that can be done online: bundles first, then items."""
    library = packs.current()
    return [*library.all("bundle"), *library.all("service_item")]


def online_for(question: str, limit: int) -> list[Pack]:
    """What can be done online and fits a question, the best first; everything for no question."""
    if not question:
        return online()[:limit]
    library = packs.current()
    found = [
        library.find("bundle" if h.is_bundle else "service_item", h.entry.ref)
        for h in find(question, limit).hits
    ]
    return [pack for pack in found if pack is not None]


@lru_cache(maxsize=1)
def _index(release: str, _catalogue: UUID | None) -> Index:
    library = packs.library(release)
    entries = chain(from_packs(library), from_catalogue(catalogue.guides(library)))
    return Index(entries, vocabulary(library))
