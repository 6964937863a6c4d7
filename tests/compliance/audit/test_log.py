"""The tree against published values, against a second spelling of the definition, and its proofs against liars."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.log import (
    EMPTY_ROOT,
    Edge,
    consistency_holds,
    consistency_proof,
    inclusion_holds,
    inclusion_proof,
    leaf_hash,
    root_hash,
)

# The entries and roots that the certificate-transparency implementations share as test vectors.
ENTRIES = [bytes.fromhex(value) for value in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + by_definition(leaves[:k]) + by_definition(leaves[k:])).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_published_ones(size: int) -> None:
    assert root_hash([leaf_hash(entry) for entry in ENTRIES[:size]]).hex() == ROOTS[size - 1]


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert Edge().root() == EMPTY_ROOT == by_definition([])


@given(st.lists(st.integers(0, 40), max_size=8))
def test_appending_in_pieces_gives_the_root_of_the_whole_and_survives_storage(pieces: list[int]) -> None:
    leaves = leaves_of(sum(pieces))
    edge, begin = Edge(), 0
    for piece in pieces:
        edge = Edge.load(edge.size, edge.dump())
        edge.extend(leaves[begin : begin + piece])
        begin += piece
        assert edge.root() == by_definition(leaves[:begin])
    assert edge.size == len(leaves)


@pytest.mark.parametrize(("size", "text"), [(1, ""), (2, "00"), (3, "aa" * 32), (-1, ""), (1, "zz" * 32)])
def test_an_edge_that_does_not_fit_its_size_is_refused(size: int, text: str) -> None:
    with pytest.raises(ValueError, match=r"edge|hex"):
        Edge.load(size, text)


@given(st.integers(1, 70), st.data())
def test_every_leaf_is_provably_in_and_only_at_its_place(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(leaves, index=index), root_hash(leaves)
    assert inclusion_holds(leaves[index], index=index, size=size, proof=proof, root=root)
    other = data.draw(st.integers(0, size - 1))
    assert inclusion_holds(leaves[other], index=index, size=size, proof=proof, root=root) == (other == index)
    assert inclusion_holds(leaves[index], index=other, size=size, proof=proof, root=root) == (other == index)
    assert not inclusion_holds(leaf_hash(b"other"), index=index, size=size, proof=proof, root=root)
    assert not inclusion_holds(leaves[index], index=index, size=size, proof=[*proof, root], root=root)


@given(st.integers(1, 70), st.data())
def test_growth_is_provable_and_a_changed_past_is_not(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    old_size = data.draw(st.integers(1, size))
    proof = consistency_proof(leaves, old_size=old_size)
    old_root, root = root_hash(leaves[:old_size]), root_hash(leaves)
    assert consistency_holds(old_size=old_size, old_root=old_root, size=size, root=root, proof=proof)

    changed = data.draw(st.integers(0, old_size - 1))
    forged = [*leaves]
    forged[changed] = leaf_hash(b"forged")
    forged_proof = consistency_proof(forged, old_size=old_size)
    assert not consistency_holds(
        old_size=old_size, old_root=old_root, size=size, root=root_hash(forged), proof=forged_proof
    )
    if proof:
        assert not consistency_holds(old_size=old_size, old_root=old_root, size=size, root=root, proof=proof[:-1])
    assert not consistency_holds(old_size=old_size, old_root=old_root, size=size, root=root, proof=[*proof, root])


def test_there_is_no_proof_for_what_is_not_there() -> None:
    with pytest.raises(IndexError):
        inclusion_proof(leaves_of(3), index=3)
    with pytest.raises(IndexError):
        consistency_proof(leaves_of(3), old_size=4)
    assert not inclusion_holds(leaves_of(1)[0], index=1, size=1, proof=[], root=root_hash(leaves_of(1)))
    assert not consistency_holds(old_size=0, old_root=EMPTY_ROOT, size=2, root=root_hash(leaves_of(2)), proof=[])
