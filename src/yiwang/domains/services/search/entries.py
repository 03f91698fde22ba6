"""What can be found: bundles and items of the packs, and catalogue rows that are only guides so far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from yiwang.kernel.packs.contracts import Library

from .contracts import Entry, Kind, Vocabulary


def from_packs(library: Library) -> Iterator[Entry]:
    """Bundles and service items."""
    for kind, name in ((Kind.BUNDLE, "bundle"), (Kind.ITEM, "service_item")):
        for pack in library.all(name):
            yield Entry(
                kind=kind,
                ref=pack.id,
                title=pack.name,
                about=pack.data.get("summary", ""),
                words=tuple(pack.data.get("search", ())),
                department=pack.data["lead"] if kind is Kind.BUNDLE else pack.data["authority"]["function"],
            )


def from_catalogue(rows: Iterable[tuple[str, str, str, str]]) -> Iterator[Entry]:
    """Guide-only entries from (code, name, department, type)."""
    for code, name, department, type_ in rows:
        yield Entry(Kind.GUIDE, code, name, type_, (), department)


def vocabulary(library: Library) -> Vocabulary:
    """The synonyms of every pack of that kind, in the order of id."""
    packs = library.all("synonyms")
    return Vocabulary(
        groups=tuple(tuple(group) for pack in packs for group in pack.data["groups"]),
        deeds=tuple(tuple(group) for pack in packs for group in pack.data.get("deeds", ())),
        ignore=tuple(
            word
            for pack in packs
            for words in (pack.data.get("ignore", ()), *pack.data.get("asks", {}).values())
            for word in words
        ),
    )
