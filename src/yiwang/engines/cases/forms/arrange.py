"""The order of things: fields on pages, items in batches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from yiwang.engines.cases.forms.contracts import FormField, Group, Origin, Page, PlanError
from yiwang.engines.cases.forms.demand import Bound


def in_pages(
    fields: Mapping[str, FormField],
    declared: Iterable[Mapping[str, Any]],
    role_label: Callable[[str], str],
    groups: Collection[Group] = (),
    closed: Collection[Group] = (),
) -> tuple[Page, ...]:
    """The fields page by page: as the pack groups them, what is left by whom it is about.

    A page that names a repeating role gets its columns, row by row; rows are never parted over pages. Where
    a page would hold nothing but a group without rows, that group is begun on the page before it.
    """
    left = dict(fields)
    pages: list[Page] = []
    homeless: list[str] = []  # groups without rows, until there is a page
    for entry in declared:
        mine: list[str] = []
        for pattern in entry["fields"]:
            role, _, element = pattern.partition(".")
            group = next((g for g in groups if g.role == role), None)
            matches = [p for p in left if p == pattern or (element == "*" and p.startswith(f"{role}."))]
            if group:
                matches = _cells(group, left)
            homeless += [g.role for g in closed if g.role == role and g.role not in homeless]
            for path in matches:
                mine.append(path)
                del left[path]
        if mine:
            pages.append(Page(entry["id"], entry["title"], entry["why"], tuple(mine)))
        if pages and homeless:
            pages[-1] = replace(pages[-1], opens=(*pages[-1].opens, *homeless))
            homeless = []
    for group in groups:
        cells = _cells(group, left)
        if cells:
            pages.append(Page(group.role, group.label, "", tuple(cells)))
            for path in cells:
                del left[path]
    by_role: dict[str, list[str]] = {}
    for path in left:
        by_role.setdefault(path.split(".", 1)[0], []).append(path)
    for role, paths in by_role.items():
        if pages and all(left[p].origin is not Origin.ASKED for p in paths):
            last = pages[-1]
            pages[-1] = replace(last, fields=(*last.fields, *paths))
        else:
            pages.append(Page(role, f"{role_label(role)}的信息", "", tuple(paths)))
    shown = {role for page in pages for role in page.opens}
    more = tuple(g.role for g in closed if g.role not in shown)
    if pages and more:
        pages[-1] = replace(pages[-1], opens=(*pages[-1].opens, *more))
    return tuple(pages)


def _cells(group: Group, left: Collection[str]) -> list[str]:
    """The fields of a group, row by row; its first row, when that is somebody else, only with the columns."""
    cells = [f"{row}.{column}" for row in group.rows for column in group.columns]
    rest = [p for p in left if p.split(".", 1)[0] in set(group.rows) - {group.first}]
    return list(dict.fromkeys([*(p for p in cells if p in left), *rest]))


def produced_licences(items: Iterable[Bound]) -> dict[str, str]:
    """``material@holder`` of every licence that an item issues → the item."""
    made = {}
    for item in items:
        licence = item.pack.data.get("outputs", {}).get("licence")
        if licence and licence.get("material"):
            made[f"{licence['material']}@{item.bind.get(licence['holder'], licence['holder'])}"] = (
                item.pack.id
            )
    return made


def in_order(
    items: Iterable[Bound],
    produced: Mapping[str, str],
    licences: Mapping[str, str],
    after: Iterable[Mapping[str, Any]],
) -> tuple[tuple[tuple[str, ...], ...], dict[str, frozenset[str]], dict[tuple[str, str], tuple[str, ...]]]:
    """Which item waits for which, from what they produce and need.

    Args:
        produced: path → the item that outputs it. licences: ``material@holder`` → the item that issues it.
        after: orders that the law, not the data, demands.

    Returns:
        batches that can run side by side, each item's predecessors, and what flows between each pair.

    Raises:
        PlanError: a cycle.
    """
    ids = {i.pack.id for i in items}
    needs: dict[str, set[str]] = {i: set() for i in ids}
    why: dict[tuple[str, str], set[str]] = {}

    def need(item: str, before: str | None, because: str) -> None:
        if before in ids and before != item:
            assert before is not None  # noqa: S101 (in ids)
            needs[item].add(before)
            why.setdefault((before, item), set()).add(because)

    for item in items:
        for entry in item.pack.data["fields"]:
            path = item.path(entry if isinstance(entry, str) else entry["path"])
            need(item.pack.id, produced.get(path), path)
        for entry in item.pack.data.get("materials", ()):
            material, holder = (entry if isinstance(entry, str) else entry["ref"]).split("@")
            key = f"{material}@{item.bind.get(holder, holder)}"
            need(item.pack.id, licences.get(key), key)
    for entry in after:
        if entry["item"] in ids:
            need(entry["item"], entry["after"], entry["why"])
    batches: list[tuple[str, ...]] = []
    done: set[str] = set()
    while done < ids:
        ready = tuple(sorted(i for i in ids - done if needs[i] <= done))
        if not ready:
            raise PlanError(f"事项之间循环依赖：{'、'.join(sorted(ids - done))}")
        batches.append(ready)
        done |= set(ready)
    return (
        tuple(batches),
        {i: frozenset(n) for i, n in needs.items()},
        {pair: tuple(sorted(reasons)) for pair, reasons in why.items()},
    )
