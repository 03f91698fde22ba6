"""The nouns of packs: what a government decides, read from YAML. No Django, no clock."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


class UnknownPack(LookupError):
    """There is no pack of that kind and id. The message names both and what there is."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a pack, told so that its author can mend it.

    ``file`` is relative to the packs folder, ``line`` counts from 1, ``what`` and ``remedy`` are Chinese.
    ``rule`` is the lint rule (L1 … L12) where one applies.
    """

    file: str
    line: int
    what: str
    remedy: str
    rule: str = ""

    def __str__(self) -> str:
        rule = f"[{self.rule}] " if self.rule else ""
        return f"{self.file}:{self.line}: {rule}{self.what}。怎么改：{self.remedy}"


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack file, read strictly and valid against the schema of its kind.

    ``data`` is the whole document (plain dicts, lists, str, int, Decimal-free floats, bool, None).
    ``lines`` maps the path of every node (keys and list indexes) to its line in ``file``.
    ``sha256`` is over the bytes of the file: a case pins (kind, id, version, sha256).
    """

    kind: str
    id: str
    version: int
    name: str
    data: Mapping[str, Any]
    file: str
    lines: Mapping[tuple[str | int, ...], int] = field(repr=False, compare=False)
    sha256: str = ""

    def line(self, *path: str | int) -> int:
        """The line of a node, or of its nearest ancestor that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: tuple[str | int, ...], what: str, remedy: str, rule: str = "") -> Problem:
        """A problem at a node of this pack."""
        return Problem(self.file, self.line(*path), what, remedy, rule)


class Library:
    """Every pack of a tree, immutable. Ask by kind and id."""

    __slots__ = ("_by_id", "sha256")

    def __init__(self, packs: Iterable[Pack] = ()) -> None:
        ordered = sorted(packs, key=lambda p: (p.kind, p.id))
        self._by_id: dict[tuple[str, str], Pack] = {(p.kind, p.id): p for p in ordered}
        digest = hashlib.sha256()
        for pack in self._by_id.values():
            digest.update(f"{pack.kind}\0{pack.id}\0{pack.version}\0{pack.sha256}\n".encode())
        #: over kind, id, version and hash of every pack: changes when any pack changes
        self.sha256: str = digest.hexdigest()

    def get(self, kind: str, id: str) -> Pack:
        """The pack of that kind and id.

        Raises:
            UnknownPack: there is none.
        """
        pack = self._by_id.get((kind, id))
        if pack is None:
            there = "、".join(p.id for p in self.all(kind)) or "一个也没有"
            raise UnknownPack(f"没有种类为 {kind}、id 为 {id} 的包（现有：{there}）")
        return pack

    def find(self, kind: str, id: str) -> Pack | None:
        """The pack of that kind and id, or None."""
        return self._by_id.get((kind, id))

    def all(self, kind: str) -> tuple[Pack, ...]:
        """Every pack of a kind, in the order of id."""
        return tuple(p for p in self._by_id.values() if p.kind == kind)

    def __iter__(self) -> Iterator[Pack]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def with_packs(self, packs: Iterable[Pack]) -> Library:
        """A new library in which these packs replace those of the same kind and id (a what-if, a test)."""
        return Library({**self._by_id, **{(p.kind, p.id): p for p in packs}}.values())
