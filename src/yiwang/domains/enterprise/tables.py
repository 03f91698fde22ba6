"""The points table in force. Cached by release."""

from functools import lru_cache

from yiwang.kernel.ledger.purposes import purposes
from yiwang.kernel.packs import api as packs

from .portrait.contracts import FilePlan
from .portrait.loading import plan_of
from .risk.contracts import Table
from .risk.loading import table_of


@lru_cache(maxsize=16)
def of_release(release: str) -> Table | None:
    """The points table of a release, or None when it has none."""
    library = packs.library(release)
    found = library.all("risk_points")
    return table_of(found[0], library) if found else None


def current() -> Table | None:
    """The points table in force."""
    return of_release(packs.current_release())


def allowed_purposes() -> list[str]:
    """Purposes for which files may be opened: those that everything a class is made of is given out for.

    Under a narrower purpose the points of what is left out would be missing, and the class would look better.
    """
    table, declared = current(), purposes()
    if table is None:
        return []
    all_of = [set(d.purposes) for d in table.datasets.values()]
    return [p for p in table.subjects.purposes if p in declared and all(p in those for those in all_of)]


@lru_cache(maxsize=4)
def _plan(release: str) -> FilePlan | None:
    library = packs.library(release)
    found = library.all("enterprise_file")
    return plan_of(found[0], library) if found else None


def plan() -> FilePlan | None:
    """What the file of an enterprise is made of, by the packs in force."""
    return _plan(packs.current_release())
