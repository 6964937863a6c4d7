"""The Merkle tree of RFC 9162 §2.1 over SHA-256: hashes, the right edge that appends without reading back, proofs.

Pure: a log is a sequence of leaf hashes. `Edge` is all that a sealer has to keep of it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

LEAF_PREFIX: Final = b"\x00"
NODE_PREFIX: Final = b"\x01"
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
HASH_BYTES: Final = 32


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry."""
    return hashlib.sha256(LEAF_PREFIX + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(NODE_PREFIX + left + right).digest()


@dataclass(slots=True)
class Edge:
    """The right edge of a tree: one hash for each perfect subtree, by height. Appending costs one hash on average."""

    size: int = 0
    _levels: list[bytes | None] = field(default_factory=list)

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Append leaf hashes."""
        sha256 = hashlib.sha256
        self.size += len(leaves)
        carry, height = list(leaves), 0
        while carry:  # as in binary addition: what stands at this height goes before what comes from below
            if height == len(self._levels):
                self._levels.append(None)
            standing = self._levels[height]
            if standing is not None:
                carry.insert(0, standing)
            self._levels[height] = carry.pop() if len(carry) % 2 else None
            carry = [sha256(NODE_PREFIX + a + b).digest() for a, b in zip(carry[::2], carry[1::2], strict=True)]
            height += 1

    def join(self, behind: Self) -> None:
        """Append another edge's leaves, without having them.

        Raises:
            ValueError: a perfect subtree of it would lie across two of this tree: only behind a multiple of the power
                of two above its size (or at its size, if it is one) can an edge be joined.
        """
        for height in reversed(range(len(behind._levels))):
            node = behind._levels[height]
            if node is not None:
                self._graft(node, height)

    def _graft(self, node: bytes, height: int) -> None:
        """Append a perfect subtree of 2^height leaves."""
        if self.size % (1 << height):
            raise ValueError("a subtree begins at a multiple of its size")
        self.size += 1 << height
        self._levels += [None] * (height + 1 - len(self._levels))
        while (standing := self._levels[height]) is not None:
            node, self._levels[height] = node_hash(standing, node), None
            height += 1
            if height == len(self._levels):
                self._levels.append(None)
        self._levels[height] = node

    def root(self, *, over: bytes | None = None) -> bytes:
        """The root hash of the tree so far; with `over`, if a part with that root, as `join` takes it, stood behind."""
        result = over
        for standing in self._levels:
            if standing is not None:
                result = standing if result is None else node_hash(standing, result)
        return EMPTY_ROOT if result is None else result

    def dump(self) -> str:
        """The hashes in hex, largest subtree first, space separated."""
        return " ".join(standing.hex() for standing in reversed(self._levels) if standing is not None)

    @classmethod
    def load(cls, size: int, text: str) -> Self:
        """Read what `dump` wrote for a tree of `size` leaves.

        Raises:
            ValueError: the number or the length of the hashes does not fit the size.
        """
        hashes = [bytes.fromhex(word) for word in text.split()]
        if size < 0 or len(hashes) != size.bit_count() or any(len(one) != HASH_BYTES for one in hashes):
            raise ValueError("the edge does not fit the size of the tree")
        levels: list[bytes | None] = [None] * size.bit_length()
        for height in reversed(range(size.bit_length())):
            if size >> height & 1:
                levels[height] = hashes.pop(0)
        return cls(size, levels)


def root_hash(leaves: Sequence[bytes]) -> bytes:
    """The root hash over leaf hashes."""
    edge = Edge()
    edge.extend(leaves)
    return edge.root()


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


Range = tuple[int, int]
"""A subtree: its first leaf, and the one after its last."""


def inclusion_ranges(size: int, *, index: int) -> list[Range]:
    """The subtrees whose roots are the audit path of one leaf (RFC 9162 §2.1.3.1), from the leaf upwards.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise IndexError("there is no such leaf")
    path: list[Range] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((begin, middle))
            begin = middle
    path.reverse()
    return path


def consistency_ranges(size: int, *, old_size: int) -> list[Range]:
    """The subtrees whose roots prove that the first `old_size` leaves were there before (RFC 9162 §2.1.4.1).

    Raises:
        IndexError: `old_size` lies outside 1 … `size`.
    """
    if not 1 <= old_size <= size:
        raise IndexError("there is no such older tree")
    path: list[Range] = []
    begin, end, whole = 0, size, True  # whole: the older tree's root is a node that the verifier knows
    while old_size != end:
        middle = begin + _split(end - begin)
        if old_size <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((begin, middle))
            begin, whole = middle, False
    if not whole:
        path.append((begin, end))
    path.reverse()
    return path


def perfect_parts(begin: int, end: int) -> list[tuple[int, int]]:
    """The perfect subtrees that a subtree consists of, from the left: first leaf and height of each."""
    parts = []
    while begin < end:
        height = (end - begin).bit_length() - 1
        if begin:  # a node of height h begins at a multiple of 2^h
            height = min(height, (begin & -begin).bit_length() - 1)
        parts.append((begin, height))
        begin += 1 << height
    return parts


def inclusion_proof(leaves: Sequence[bytes], *, index: int) -> list[bytes]:
    """The audit path of one leaf, as `inclusion_ranges` lays it out.

    Raises:
        IndexError: there is no such leaf.
    """
    return [root_hash(leaves[begin:end]) for begin, end in inclusion_ranges(len(leaves), index=index)]


def consistency_proof(leaves: Sequence[bytes], *, old_size: int) -> list[bytes]:
    """The proof that the tree of the first `old_size` leaves is a prefix of this one, as `consistency_ranges` has it.

    Raises:
        IndexError: `old_size` lies outside 1 … the present size.
    """
    return [root_hash(leaves[begin:end]) for begin, end in consistency_ranges(len(leaves), old_size=old_size)]


def inclusion_holds(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a leaf hash is the leaf at `index` of the tree of `size` leaves with this root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            result = node_hash(sibling, result)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and result == root


def consistency_holds(*, old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a tree grew out of an older one by appending only (RFC 9162 §2.1.4.2)."""
    if old_size == size:
        return old_root == root and not proof
    if not 0 < old_size < size:
        return False
    path = list(proof)
    if old_size & (old_size - 1) == 0:  # a perfect older tree is its own first node
        path.insert(0, old_root)
    if not path:
        return False
    position, last = old_size - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and old == old_root and new == root
