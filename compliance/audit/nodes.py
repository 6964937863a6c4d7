"""The stored tree: subtree hashes out of leaves and kept nodes, so that a proof costs the same at any size of the log.

Nodes are kept for every 256th level step: 2^8, 2^16 and 2^24 leaves. Whatever they say is checked by whoever asks
(`compliance.audit.proofs`): a node that was altered makes a proof that does not hold, never one that holds wrongly.
"""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import func, insert
from sqlmodel import Session, col, select

from compliance.audit.log import node_hash, perfect_parts, root_hash
from models.tables.audit import AuditLeaf, AuditNode

STEP: Final = 8  # heights between two kept levels
FAN: Final = 1 << STEP
LEVELS: Final = (STEP, 2 * STEP, 3 * STEP)
_MOST: Final = 64  # nodes of a level in one transaction: a log that is older than its nodes catches up bit by bit
_BLOCKS_KEPT: Final = 64


class LeavesMissing(RuntimeError):
    """The log lacks leaves that its size says it has; `casework audit verify` names the first."""


def extend_nodes(session: Session, *, old_size: int, size: int) -> None:
    """Keep the nodes that a log of `size` leaves has and the store lacks; part of the sealer's transaction."""
    if old_size >> STEP == size >> STEP:
        return
    for height in LEVELS:
        if not size >> height:
            return
        newest = session.exec(select(func.max(AuditNode.idx)).where(col(AuditNode.height) == height)).one()
        have = -1 if newest is None else int(newest)
        end = min(size >> height, have + 1 + _MOST)
        made = []
        for index in range(have + 1, end):
            below = _stored(session, height - STEP, index)
            if len(below) < FAN:
                break  # the level below has not caught up yet
            made.append({"height": height, "idx": index, "hash": root_hash(below).hex()})
        if made:
            session.execute(insert(AuditNode), made)


@dataclass(slots=True)
class StoredTree:
    """Subtree hashes of the log in a database.

    Attributes:
        use_nodes: False to take nothing but leaves, where a node turned out to be wrong.
    """

    session: Session
    use_nodes: bool = True
    _blocks: dict[tuple[int, int], list[bytes]] = field(default_factory=dict)

    def subtree(self, begin: int, end: int) -> bytes:
        """The root over the leaves `begin` … `end`, which must be a subtree (`compliance.audit.log.Range`).

        Raises:
            LeavesMissing: they are not all there.
        """
        result: bytes | None = None
        for first, height in reversed(perfect_parts(begin, end)):
            part = self._perfect(first, height)
            result = part if result is None else node_hash(part, result)
        if result is None:
            raise LeavesMissing("an empty subtree has no hash")
        return result

    def _perfect(self, first: int, height: int) -> bytes:
        level = min(height - height % STEP, LEVELS[-1]) if self.use_nodes else 0
        if level == 0 and height > STEP:
            halves = (self._perfect(first, height - 1), self._perfect(first + (1 << height - 1), height - 1))
            return node_hash(*halves)
        count, index = 1 << height - level, first >> level
        if count > FAN:
            halves = (self._perfect(first, height - 1), self._perfect(first + (1 << height - 1), height - 1))
            return node_hash(*halves)
        offset = index % FAN
        hashes = self._block(level, index // FAN)[offset : offset + count]
        if len(hashes) < count:
            if level == 0:
                raise LeavesMissing(f"leaves are missing behind {first}")
            # Not kept yet: the log was sealed by an older version.
            hashes += [self._from_below(level, each) for each in range(index + len(hashes), index + count)]
        return root_hash(hashes)

    def _from_below(self, level: int, index: int) -> bytes:
        below = self._block(level - STEP, index)
        if len(below) < FAN:
            if level == STEP:
                raise LeavesMissing(f"leaves are missing behind {(index << STEP) + len(below)}")
            first = index * FAN
            below = below + [self._from_below(level - STEP, each) for each in range(first + len(below), first + FAN)]
        return root_hash(below)

    def _block(self, level: int, number: int) -> list[bytes]:
        block = self._blocks.get((level, number))
        if block is None:
            if len(self._blocks) >= _BLOCKS_KEPT:
                self._blocks.clear()
            block = self._blocks[level, number] = _stored(self.session, level, number)
        return block


def _stored(session: Session, level: int, number: int) -> list[bytes]:
    """The hashes of one block of `FAN` nodes, up to the first that is not there or is none."""
    begin, end = number * FAN, (number + 1) * FAN
    if level == 0:
        rows = session.exec(
            select(AuditLeaf.idx, AuditLeaf.leaf_hash)
            .where(col(AuditLeaf.idx) >= begin, col(AuditLeaf.idx) < end)
            .order_by(col(AuditLeaf.idx))
        )
    else:
        rows = session.exec(
            select(AuditNode.idx, AuditNode.hash)
            .where(col(AuditNode.height) == level, col(AuditNode.idx) >= begin, col(AuditNode.idx) < end)
            .order_by(col(AuditNode.idx))
        )
    hashes: list[bytes] = []
    for index, text in rows:
        if index != begin + len(hashes):
            break
        try:
            hashes.append(bytes.fromhex(text))
        except ValueError:
            break
    return hashes
