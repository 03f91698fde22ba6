"""Reads of the catalogue: what is in force, what the packs have taken up, and how far that goes."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from yiwang.kernel.packs import api as packs
from yiwang.kernel.packs.contracts import Library, Pack

from .contracts import Need, Standard, standard_of
from .models import CatalogueImport, CatalogueItem

LEVELS = ("省级", "市级", "县级", "乡级")
CLAIMED, UNCLAIMED, COMPLETE, INCOMPLETE = "claimed", "unclaimed", "complete", "incomplete"


def version() -> UUID | None:
    """Changes with each import that changed something."""
    return CatalogueImport.objects.order_by("-at").values_list("id", flat=True).first()


def latest() -> CatalogueImport | None:
    """The last import."""
    return CatalogueImport.objects.order_by("-at").first()


def in_force() -> QuerySet[CatalogueItem]:
    """Items that are not cancelled, in a stable order."""
    return CatalogueItem.objects.filter(cancelled=False).order_by("department", "name", "code")


def claims(library: Library) -> dict[str, Pack]:
    """Base code → the pack that has taken the item up, so that it can be done online."""
    found = {}
    for pack in library.all("service_item"):
        base = pack.data.get("codes", {}).get("base")
        if base:
            found[base] = pack
    return found


def find(code: str) -> CatalogueItem | None:
    """An item by its code, cancelled ones included."""
    return CatalogueItem.objects.select_related("seen").filter(code=code).first()


def guides(library: Library) -> Iterator[tuple[str, str, str, str]]:
    """(code, name, department, type) of what is a guide only: for the search index."""
    return (
        in_force()
        .exclude(base_code__in=list(claims(library)))
        .values_list("code", "name", "department", "type")
        .iterator()
    )


def _complete(standard: Standard) -> Q:
    return Q(elements__has_keys=[e.key for e in standard.needed(Need.PUBLISH)])


def selected(
    library: Library, level: str = "", state: str = "", department: str = ""
) -> QuerySet[CatalogueItem]:
    """The rows behind a number of the board, or of a department."""
    rows = in_force()
    claimed = Q(base_code__in=list(claims(library)))
    complete = claimed | _complete(standard_of(library))
    states = {CLAIMED: claimed, UNCLAIMED: ~claimed, COMPLETE: complete, INCOMPLETE: ~complete}
    if state in states:
        rows = rows.filter(states[state])
    if level in LEVELS:
        rows = rows.filter(elements__level=level)
    elif level:
        rows = rows.filter(Q(elements__level__isnull=True) | ~Q(elements__level__in=LEVELS))
    if department:
        rows = rows.filter(department=department)
    return rows


@dataclass(frozen=True)
class Coverage:
    """One line of the board. ``level`` is empty for rows that do not say theirs."""

    level: str
    due: int
    claimed: int
    complete: int

    @property
    def share(self) -> int:
        return round(100 * self.claimed / self.due) if self.due else 0


def coverage(library: Library) -> list[Coverage]:
    """How many items are to be taken up, are, and have every element: by level, the sum last."""
    claimed = Q(base_code__in=list(claims(library)))
    complete = claimed | _complete(standard_of(library))
    rows = {
        level: (due, taken, whole)
        for level, due, taken, whole in in_force()
        .order_by()
        .values_list("elements__level")
        .annotate(due=Count("id"), taken=Count("id", filter=claimed), whole=Count("id", filter=complete))
    }
    lines = [Coverage(level, *rows.pop(level, (0, 0, 0))) for level in LEVELS]
    if rows:
        lines.append(Coverage(_("其他"), *(sum(column) for column in zip(*rows.values(), strict=True))))
    total = (sum(getattr(line, f) for line in lines) for f in ("due", "claimed", "complete"))
    return [*lines, Coverage("", *total)]


def departments() -> list[tuple[str, int]]:
    """Every department of the catalogue with its number of items, largest first."""
    rows = in_force().order_by().values_list("department").annotate(n=Count("id"))
    return sorted(rows, key=lambda r: (-r[1], r[0]))


def current_standard() -> Standard:
    """The standard of the packs in force."""
    return standard_of(packs.current())
