"""Merkle trees as RFC 9162 §2.1 defines them, over SHA-256. Pure.

A hash is 32 bytes. Leaves are numbered from 0; ``size`` is the number of leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

Subtree = Callable[[int, int], bytes]
"""``(level, index)`` → the root of the complete subtree over leaves index·2^level … (index+1)·2^level − 1."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf (§2.1.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


EMPTY_ROOT = sha256(b"").digest()


def halves(hashes: Sequence[bytes]) -> list[bytes]:
    """The next level up of a complete level: half as many hashes."""
    return [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes) - 1, 2)]


def complete_subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """The complete subtrees, from the left, that make up leaves ``start`` … ``end`` − 1.

    ``start`` must be a multiple of the largest power of two smaller than the span, as it is in every
    split that the RFC makes.
    """
    parts = []
    while start < end:
        level = (end - start).bit_length() - 1
        parts.append((level, start >> level))
        start += 1 << level
    return parts


def root_of(start: int, end: int, subtree: Subtree) -> bytes:
    """MTH(D[start:end])."""
    if start == end:
        return EMPTY_ROOT
    parts = [subtree(level, index) for level, index in complete_subtrees(start, end)]
    found = parts.pop()
    while parts:
        found = node_hash(parts.pop(), found)
    return found


def _split(span: int) -> int:
    """The largest power of two smaller than ``span``."""
    return 1 << ((span - 1).bit_length() - 1)


def inclusion_spans(index: int, size: int) -> list[tuple[int, int]]:
    """The leaf ranges whose roots make up PATH(index, D[size]) (§2.1.3.1), from the leaf upwards.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise IndexError(f"leaf {index} of a tree of {size}")
    spans: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def consistency_spans(old: int, size: int) -> list[tuple[int, int]]:
    """The leaf ranges whose roots make up PROOF(old, D[size]) (§2.1.4.1).

    Raises:
        IndexError: ``old`` is not between 1 and ``size``.
    """
    if not 1 <= old <= size:
        raise IndexError(f"from a tree of {old} to one of {size}")
    spans: list[tuple[int, int]] = []
    start, end, whole = 0, size, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start, whole = middle, False
    return ([] if whole else [(start, end)]) + spans[::-1]


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The audit path of a leaf in the tree of the first ``size`` leaves."""
    return [root_of(a, b, subtree) for a, b in inclusion_spans(index, size)]


def consistency_proof(old: int, size: int, subtree: Subtree) -> list[bytes]:
    """What shows that the tree of ``size`` leaves begins with the tree of ``old`` leaves."""
    return [root_of(a, b, subtree) for a, b in consistency_spans(old, size)]


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether ``path`` shows the leaf's hash at ``index`` in the tree with that root (§2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(sibling, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and found == root


def consistent(old: int, size: int, old_root: bytes, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether ``path`` shows that the newer tree begins with the older one (§2.1.4.2)."""
    if old == size:
        return old_root == root and not path
    if not 1 <= old < size or not path:
        return False
    rest = [old_root, *path] if old & (old - 1) == 0 else list(path)
    node, last = old - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = rest[0]
    for sibling in rest[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and first == old_root and second == root
