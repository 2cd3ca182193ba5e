"""The tree of RFC 6962 against the published roots and an oracle written from the definition."""

import functools
import hashlib

import pytest

from calib.ledger.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    includes,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    nodes_of,
    root,
)

PUBLISHED_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
PUBLISHED_ROOTS = [
    "e3b0c442",
    "6e340b9c",
    "fac54203",
    "aeb6bcfe",
    "d37ee418",
    "4e3bbb1f",
    "76e67dad",
    "ddb89be4",
    "5dc9da79",
]
"""First four bytes for sizes 0 to 8: the reference tree of the Certificate Transparency project."""


def mth(leaves):
    """Return the Merkle tree hash straight from the definition (RFC 6962 2.1)."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m, leaves):
    """Return PATH(m, D[n]) of RFC 6962 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m, leaves, *, whole):
    """Return SUBPROOF(m, D[n], b) of RFC 6962 2.1.2."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], whole=whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], whole=False), mth(leaves[:k])]


def grown(size):
    leaves = [f"leaf {i}".encode() for i in range(size)]
    return leaves, nodes_of([leaf_hash(leaf) for leaf in leaves])


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size):
    nodes = nodes_of([leaf_hash(leaf) for leaf in PUBLISHED_LEAVES[:size]])
    assert root(size, nodes).hex()[:8] == PUBLISHED_ROOTS[size]


def test_every_proof_of_small_trees_is_that_of_the_definition():
    leaves, nodes = grown(40)
    for n in range(1, 41):
        assert root(n, nodes) == mth(leaves[:n])
        for i in range(n):
            assert list(inclusion_proof(i, n, nodes)) == path(i, leaves[:n])
        for m in range(1, n + 1):
            expected = subproof(m, leaves[:n], whole=True)
            assert list(consistency_proof(m, n, nodes)) == expected


def oracle(leaves):
    """Return MTH, PATH and SUBPROOF over leaves[start:end], by the definition and remembered."""

    @functools.cache
    def tree(start, end):
        if end - start < 2:
            return mth(leaves[start:end])
        k = 1 << (end - start - 1).bit_length() - 1
        return hashlib.sha256(b"\1" + tree(start, start + k) + tree(start + k, end)).digest()

    def path_in(m, start, end):
        if end - start == 1:
            return []
        k = 1 << (end - start - 1).bit_length() - 1
        if m < k:
            return [*path_in(m, start, start + k), tree(start + k, end)]
        return [*path_in(m - k, start + k, end), tree(start, start + k)]

    def subproof_in(m, start, end, *, whole):
        if m == end - start:
            return [] if whole else [tree(start, end)]
        k = 1 << (end - start - 1).bit_length() - 1
        if m <= k:
            return [*subproof_in(m, start, start + k, whole=whole), tree(start + k, end)]
        return [*subproof_in(m - k, start + k, end, whole=False), tree(start, start + k)]

    return tree, path_in, subproof_in


@pytest.mark.slow
def test_every_proof_up_to_256_leaves_is_that_of_the_definition_and_holds():
    leaves, nodes = grown(256)
    hashes = [leaf_hash(leaf) for leaf in leaves]
    tree, path_in, subproof_in = oracle(leaves)
    roots = [root(n, nodes) for n in range(257)]
    assert roots == [mth([])] + [tree(0, n) for n in range(1, 257)]
    for n in range(1, 257):
        for i in range(n):
            proof = inclusion_proof(i, n, nodes)
            assert list(proof) == path_in(i, 0, n)
            assert includes(hashes[i], i, n, proof, roots[n])
            assert not includes(hashes[i - 1], i, n, proof, roots[n]) or n == 1
        for m in range(1, n + 1):
            proof = consistency_proof(m, n, nodes)
            assert list(proof) == subproof_in(m, 0, n, whole=True)
            assert is_consistent(m, n, proof, roots[m], roots[n])
            assert not is_consistent(m, n, proof, roots[m - 1], roots[n])


def test_no_proof_holds_for_anything_else():
    """A proof turned to another leaf, place, size or root, shortened, lengthened or bent."""
    leaves, nodes = grown(33)
    hashes = [leaf_hash(leaf) for leaf in leaves]
    roots = [root(n, nodes) for n in range(34)]
    accepted = tried = 0
    for n in (1, 2, 3, 7, 8, 9, 21, 33):
        for i in range(n):
            proof = inclusion_proof(i, n, nodes)
            wrong = [(hashes[i], j, n, proof, roots[n]) for j in (*range(n + 2), -1) if j != i]
            wrong += [(hashes[j], i, n, proof, roots[n]) for j in range(n) if j != i]
            wrong += [(hashes[i], i, n, proof, r) for s, r in enumerate(roots) if s != n]
            wrong += [(hashes[i], i, n, proof[:-1], roots[n])] if proof else []
            wrong += [(hashes[i], i, n, (*proof, roots[n]), roots[n])]
            wrong += [
                (hashes[i], i, n, (*proof[:s], bytes(32), *proof[s + 1 :]), roots[n])
                for s in range(len(proof))
            ]
            wrong += [(hashes[i], i, n, (*proof, b"short"), roots[n])]
            tried += len(wrong)
            accepted += sum(includes(*one) for one in wrong)
        for m in range(n):
            proof = consistency_proof(m, n, nodes)
            bent = [(*proof[:s], bytes(32), *proof[s + 1 :]) for s in range(len(proof))]
            wrong = [(m, n, one, roots[m], roots[n]) for one in bent]
            wrong += [(m, n, proof, roots[k], roots[n]) for k in range(n + 1) if k != m]
            wrong += [(m, n, proof, roots[m], roots[k]) for k in range(1, 34) if k != n and m]
            wrong += [(m, n, (*proof, roots[n]), roots[m], roots[n])]
            wrong += [(m, n, proof[1:], roots[m], roots[n])] if proof else []
            wrong += [(n, m, proof, roots[n], roots[m])]
            tried += len(wrong)
            accepted += sum(is_consistent(*one) for one in wrong)
    assert tried > 10_000
    assert accepted == 0


def test_a_smaller_size_may_share_path_and_place_but_not_the_root():
    """Sizes in which a leaf has the same path differ in their root alone."""
    leaves, nodes = grown(8)
    proof = inclusion_proof(0, 8, nodes)
    leaf = leaf_hash(leaves[0])
    assert not includes(leaf, 0, 8, proof, root(7, nodes))
    assert includes(leaf, 0, 8, proof, root(8, nodes))


def test_the_empty_tree_begins_every_tree_and_nothing_else_does():
    _, nodes = grown(3)
    assert is_consistent(0, 3, (), EMPTY_ROOT, root(3, nodes))
    assert is_consistent(0, 0, (), EMPTY_ROOT, EMPTY_ROOT)
    assert not is_consistent(0, 0, (), EMPTY_ROOT, root(3, nodes))
    assert not is_consistent(0, 3, (), root(1, nodes), root(3, nodes))
    assert not is_consistent(0, 3, (bytes(32),), EMPTY_ROOT, root(3, nodes))


@pytest.mark.parametrize(("place", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_proof_of_what_is_not_there(place, size):
    _, nodes = grown(3)
    with pytest.raises(ValueError, match="not among the first"):
        inclusion_proof(place, size, nodes)


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (3, 2)])
def test_a_tree_does_not_begin_with_a_larger_one(old, new):
    _, nodes = grown(3)
    with pytest.raises(ValueError, match="does not begin"):
        consistency_proof(old, new, nodes)
