"""The datasets of the packs, as contracts. Cached by release: a contract never changes within one."""

from functools import lru_cache

from yiwang.kernel.orgs.models import Region
from yiwang.kernel.packs import api as packs
from yiwang.kernel.packs.contracts import UnknownPack

from .contract import dataset_of
from .contracts import Dataset

LEVELS = ("province", "city", "county")


@lru_cache(maxsize=128)
def of_release(release: str, id: str) -> Dataset:
    """A dataset as a release has it.

    Raises:
        UnknownPack: it has none of that id.
    """
    library = packs.library(release)
    return dataset_of(library.get("dataset", id), library, regions())


@lru_cache(maxsize=1)
def regions() -> frozenset[str]:
    """Codes of divisions down to counties, today's and former ones (a record keeps its old code)."""
    return frozenset(Region.objects.filter(level__in=LEVELS).values_list("code", flat=True))


def current(id: str) -> Dataset:
    """The dataset in force. Raises UnknownPack."""
    return of_release(packs.current_release(), id)


def find(id: str) -> Dataset | None:
    """The dataset in force, or None."""
    try:
        return current(id)
    except UnknownPack:
        return None


def every() -> list[Dataset]:
    """All datasets in force, in the order of id."""
    release = packs.current_release()
    return [of_release(release, pack.id) for pack in packs.library(release).all("dataset")]
