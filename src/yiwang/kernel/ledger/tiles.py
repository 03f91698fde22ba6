"""How the tree's hashes are kept: in tiles of up to 256, eight levels of the tree to a tile. Pure.

Tile (level, n) holds the roots of the complete subtrees of 256^level leaves, numbers 256·n to 256·n + 255.
Everything between is computed again when a proof asks for it: at most 255 hashes a tile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from .tree import Subtree, complete_subtrees, halves

WIDTH = 256
DEPTH = 8  # levels of the tree in one tile
SIZE = 32

Key = tuple[int, int]  # level, number


def subtree_key(level: int, index: int) -> Key:
    """The tile from which a complete subtree is computed."""
    return level // DEPTH, index >> (DEPTH - level % DEPTH)


def keys_of(spans: Iterable[tuple[int, int]]) -> set[Key]:
    """Every tile that the roots of these leaf ranges need."""
    return {subtree_key(*part) for a, b in spans for part in complete_subtrees(a, b)}


@lru_cache(maxsize=4096)
def _rows(hashes: bytes) -> tuple[tuple[bytes, ...], ...]:
    """The levels inside a tile, the lowest first; complete nodes only."""
    row = [hashes[i : i + SIZE] for i in range(0, len(hashes), SIZE)]
    rows = [tuple(row)]
    while len(row) > 1:
        row = halves(row)
        rows.append(tuple(row))
    return tuple(rows)


def reader(tiles: Mapping[Key, bytes]) -> Subtree:
    """Subtrees out of tiles that were fetched before.

    Raises (when called):
        KeyError, IndexError: a tile, or a hash in it, is not there.
    """

    def subtree(level: int, index: int) -> bytes:
        inside = level % DEPTH
        key = subtree_key(level, index)
        return _rows(tiles[key])[inside][index - (key[1] << (DEPTH - inside))]

    return subtree


def append(
    size: int, leaves: Sequence[bytes], fetch: Callable[[set[Key]], dict[Key, bytes]]
) -> dict[Key, bytes]:
    """The tiles that change when leaves are added.

    Args:
        size: leaves before. leaves: hashes of the new ones.
        fetch: the present content of tiles; tiles that are not there yet are left out.

    Returns:
        whole new contents, by key.
    """
    changed: dict[Key, bytes] = {}
    level, start, row = 0, size, list(leaves)
    while row:
        first = start // WIDTH
        present = fetch({(level, first)}).get((level, first), b"") if start % WIDTH else b""
        content = present + b"".join(row)
        parts = [content[i : i + WIDTH * SIZE] for i in range(0, len(content), WIDTH * SIZE)]
        row = []
        for n, part in enumerate(parts, first):
            changed[level, n] = part
            if len(part) == WIDTH * SIZE:
                row.append(_rows(part)[DEPTH][0])
        level, start = level + 1, first
    return changed
