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


@lru_cache(maxsize=1)
def _index(release: str, _catalogue: UUID | None) -> Index:
    library = packs.library(release)
    entries = chain(from_packs(library), from_catalogue(catalogue.guides(library)))
    return Index(entries, vocabulary(library))
