"""Trees, tiles and proofs against the definitions of RFC 9162, written out the slow way."""

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.kernel.ledger import tiles, tree
from yiwang.kernel.ledger.checkpoint import Checkpoint, NotSigned, read, read_verifier_key, sign, verifier_key


def mth(data):
    """MTH as §2.1.1 says it, recursively."""
    if not data:
        return sha256(b"").digest()
    if len(data) == 1:
        return sha256(b"\x00" + data[0]).digest()
    k = 1
    while k * 2 < len(data):
        k *= 2
    return sha256(b"\x01" + mth(data[:k]) + mth(data[k:])).digest()


def path(m, data):
    """PATH as §2.1.3.1 says it."""
    if len(data) <= 1:
        return []
    k = 1
    while k * 2 < len(data):
        k *= 2
    return [*path(m, data[:k]), mth(data[k:])] if m < k else [*path(m - k, data[k:]), mth(data[:k])]


def proof(m, data, whole=True):
    """SUBPROOF as §2.1.4.1 says it."""
    if m == len(data):
        return [] if whole else [mth(data)]
    k = 1
    while k * 2 < len(data):
        k *= 2
    if m <= k:
        return [*proof(m, data[:k], whole), mth(data[k:])]
    return [*proof(m - k, data[k:], False), mth(data[:k])]


def data_of(n):
    return [str(i).encode() for i in range(n)]


def grown(size, batches):
    """Tiles of a tree of ``size`` leaves, added in batches."""
    kept: dict = {}
    done = n = 0

    def fetch(keys):
        return {k: kept[k] for k in keys if k in kept}

    while done < size:
        more = min(batches[n % len(batches)], size - done)
        new = [tree.leaf_hash(d) for d in data_of(size)[done : done + more]]
        kept.update(tiles.append(done, new, fetch))
        done, n = done + more, n + 1
    return kept


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 1400), st.lists(st.integers(1, 700), min_size=1, max_size=5), st.data())
def test_tiles_give_the_roots_and_proofs_of_the_rfc(size, batches, data):
    kept = grown(size, batches)
    subtree = tiles.reader(kept)
    leaves = data_of(size)
    assert tree.root_of(0, size, subtree) == mth(leaves)
    smaller = data.draw(st.integers(1, size))
    index = data.draw(st.integers(0, smaller - 1))
    got = tree.inclusion_proof(index, smaller, subtree)
    assert got == path(index, leaves[:smaller])
    root = mth(leaves[:smaller])
    assert tree.included(tree.leaf_hash(leaves[index]), index, smaller, got, root)
    between = tree.consistency_proof(smaller, size, subtree)
    assert between == proof(smaller, leaves)
    assert tree.consistent(smaller, size, root, mth(leaves), between)
    needed = tiles.keys_of(tree.inclusion_spans(index, smaller) + tree.consistency_spans(smaller, size))
    assert needed <= kept.keys()  # and nothing else was asked for
    above = {(level, at >> 8 * (level + 1)) for level in range(4) for at in (index, smaller - 1)}
    assert tiles.keys_of(tree.inclusion_spans(index, smaller)) <= above  # what sequencing.place_of fetches
    few = tiles.reader({k: kept[k] for k in needed})
    assert tree.inclusion_proof(index, smaller, few) == got


@settings(max_examples=150, deadline=None)
@given(st.integers(2, 70), st.data())
def test_no_false_proof_is_believed(size, data):
    leaves = data_of(size)
    index = data.draw(st.integers(0, size - 1))
    good, root = path(index, leaves), mth(leaves)
    leaf = tree.leaf_hash(leaves[index])
    n = data.draw(st.integers(0, len(good) - 1))
    for bad in (good[:-1], [*good, good[0]], [*good[:n], b"\x00" * 32, *good[n + 1 :]]):
        assert not tree.included(leaf, index, size, bad, root)
    other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index))
    assert not tree.included(leaf, other, size, good, root)
    assert not tree.included(tree.leaf_hash(b"other"), index, size, good, root)
    old = data.draw(st.integers(1, size - 1))
    between = proof(old, leaves)
    changed = [b"rewritten", *leaves[1:]]
    assert not tree.consistent(old, size, mth(leaves[:old]), mth(changed), proof(old, changed))
    assert not tree.consistent(old, size, mth(leaves[:old]), root, between[:-1])


def test_there_is_no_leaf_outside_the_tree():
    with pytest.raises(IndexError):
        tree.inclusion_spans(5, 5)
    with pytest.raises(IndexError):
        tree.consistency_spans(0, 5)
    assert not tree.included(b"", 5, 5, [], b"")


def test_a_checkpoint_is_read_by_whoever_has_the_public_key_and_nobody_else_signs_it():
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    head = Checkpoint("yiwang.example/ledger", 15_000_000, b"\x07" * 32, ("2026-11-25T10:00:00Z",))
    note = sign(head, "yiwang.example/ledger", key)
    name, public = read_verifier_key(verifier_key("yiwang.example/ledger", key.public_key()))
    assert read(note, name, public) == head
    witnessed = note + sign(head, "witness", other).split("\n\n")[1]
    assert read(witnessed, name, public) == head  # another's line does no harm
    for wrong in (note.replace("15000000", "15000001"), "", "a\nb\n\n", note.replace("\u2014", "-")):
        with pytest.raises(NotSigned):
            read(wrong, name, public)
    with pytest.raises(NotSigned):
        read(sign(head, name, other), name, public)
    with pytest.raises(NotSigned):
        read_verifier_key("a+00000000+AAAA")
