"""Proofs out of a database: they hold, they stay cheap in a long log, and a wrong cache makes no wrong one."""

import base64
from pathlib import Path

import pytest
from sqlalchemy import insert, text
from sqlmodel import select

from compliance.audit import standalone
from compliance.audit.log import (
    consistency_proof,
    inclusion_holds,
    inclusion_proof,
    leaf_hash,
    perfect_parts,
    root_hash,
)
from compliance.audit.nodes import FAN, StoredTree, extend_nodes
from compliance.audit.proofs import (
    PROOF_HEADER,
    ProofFails,
    Signed,
    checkpoint_of_size,
    newest_checkpoint,
    prove_consistency,
    prove_inclusion,
)
from models.database.engine import Database
from models.tables.audit import AuditLeaf, AuditNode
from tests.compliance.audit.logs import KEYS, fill, intruder, record

KEY = KEYS.public_key


def leaves_only(database: Database, count: int) -> list[bytes]:
    """Leaves without events: for what looks at hashes alone."""
    hashes = [leaf_hash(str(number).encode()) for number in range(count)]
    with database.engine.begin() as connection:
        for first in range(0, count, 5_000):
            connection.execute(
                insert(AuditLeaf),
                [
                    {"idx": index, "event_id": f"e{index}", "leaf_hash": hashes[index].hex(), "mac": ""}
                    for index in range(first, min(count, first + 5_000))
                ],
            )
    return hashes


def keep_nodes(database: Database, size: int) -> None:
    """What the sealer does over and over."""
    for old in range(0, size, 64 * FAN):
        with database.write() as session:
            extend_nodes(session, old_size=old, size=size)
    with database.write() as session:
        extend_nodes(session, old_size=0, size=size)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 1_000, 1_300])
def test_a_stored_tree_gives_the_hashes_of_the_tree(database: Database, size: int) -> None:
    hashes = leaves_only(database, size)
    keep_nodes(database, size)
    with database.read() as session:
        for use_nodes in (True, False):
            tree = StoredTree(session, use_nodes=use_nodes)
            assert tree.subtree(0, size) == root_hash(hashes)
            for index in {0, size // 3, size // 2, size - 1}:
                path = [tree.subtree(*each) for each in _ranges(size, index)]
                assert path == inclusion_proof(hashes, index=index)


def _ranges(size: int, index: int) -> list[tuple[int, int]]:
    from compliance.audit.log import inclusion_ranges

    return inclusion_ranges(size, index=index)


def test_a_long_tree_is_read_by_its_nodes_also_while_they_catch_up(sqlite_database: Database) -> None:
    size = 66_000
    hashes = leaves_only(sqlite_database, size)
    root = root_hash(hashes)
    with sqlite_database.read() as session:
        assert StoredTree(session).subtree(0, size) == root, "an older log: not one node is kept"
    with sqlite_database.write() as session:
        extend_nodes(session, old_size=0, size=size)
        assert len(session.exec(select(AuditNode.idx)).all()) == 64, "so many in one transaction and no more"
    with sqlite_database.read() as session:
        assert StoredTree(session).subtree(0, size) == root, "some nodes are kept"
    keep_nodes(sqlite_database, size)
    with sqlite_database.read() as session:
        assert set(session.exec(select(AuditNode.height))) == {8, 16}
        tree = StoredTree(session)
        assert tree.subtree(0, size) == root
        read = sum(len(block) for block in tree._blocks.values())
        assert read <= 3 * FAN, "hundreds of hashes, not tens of thousands"


def test_perfect_parts_cover_a_subtree_from_the_left() -> None:
    assert perfect_parts(0, 7) == [(0, 2), (4, 1), (6, 0)]
    assert perfect_parts(8, 13) == [(8, 2), (12, 0)]
    assert perfect_parts(0, 0) == []


def test_an_event_is_proved_in_the_newest_checkpoint(database: Database, tmp_path: Path) -> None:
    ids = fill(database, tmp_path / "anchor", events=23)
    with database.read() as session:
        for index, event_id in enumerate(ids):
            proof = prove_inclusion(session, event_id, public_key=KEY)
            assert proof is not None
            assert (proof.index, proof.signed.checkpoint.size) == (index, 23)
            root = proof.signed.checkpoint.root
            assert inclusion_holds(proof.leaf, index=index, size=23, proof=proof.hashes, root=root)
            assert standalone.root_from_path(proof.leaf, index, 23, proof.hashes) == root


def test_the_text_of_a_proof_is_a_tlog_proof(database: Database, tmp_path: Path) -> None:
    ids = fill(database, tmp_path / "anchor", events=5)
    with database.read() as session:
        proof = prove_inclusion(session, ids[2], public_key=KEY)
    assert proof is not None
    head, _, note = proof.text().partition("\n\n")
    lines = head.split("\n")
    assert lines[:2] == [PROOF_HEADER, "index 2"]
    assert [base64.b64decode(line) for line in lines[2:]] == list(proof.hashes)
    assert note == proof.signed.note
    key = standalone.read_key(proof.verifier)
    assert standalone.check_proof(proof.text(), proof.body.encode(), key) is None
    assert standalone.check_proof(proof.text(), proof.body.replace("approve", "reject").encode(), key) is not None


def test_an_event_that_waits_or_never_was_has_no_proof(database: Database, tmp_path: Path) -> None:
    fill(database, tmp_path / "anchor", events=3)
    waiting = record(database, 9)
    with database.read() as session:
        assert prove_inclusion(session, waiting, public_key=KEY) is None
        assert prove_inclusion(session, "no-such-event", public_key=KEY) is None


def test_an_altered_event_has_no_proof(database: Database, tmp_path: Path) -> None:
    ids = fill(database, tmp_path / "anchor", events=9)
    with intruder(database) as connection:
        statement = "UPDATE audit_events SET body = replace(body, 'approve', 'reject') WHERE id = :id"
        connection.execute(text(statement), {"id": ids[4]})
    with database.read() as session, pytest.raises(ProofFails):
        prove_inclusion(session, ids[4], public_key=KEY)


def test_a_wrong_node_is_noticed_and_the_leaves_are_taken(sqlite_database: Database, tmp_path: Path) -> None:
    ids = fill(sqlite_database, tmp_path / "anchor", events=300, sealed_every=100)
    with sqlite_database.engine.begin() as connection:
        assert connection.execute(text("UPDATE audit_nodes SET hash = :h"), {"h": "ab" * 32}).rowcount == 1
    with sqlite_database.read() as session:
        for event_id in (ids[0], ids[299]):
            proof = prove_inclusion(session, event_id, public_key=KEY)
            assert proof is not None
            root = proof.signed.checkpoint.root
            assert inclusion_holds(proof.leaf, index=proof.index, size=300, proof=proof.hashes, root=root)


def test_growth_is_proved_between_any_two_sizes(database: Database, tmp_path: Path) -> None:
    fill(database, tmp_path / "anchor", events=23)
    with database.read() as session:
        hashes = [bytes.fromhex(each) for each in session.exec(select(AuditLeaf.leaf_hash).order_by(AuditLeaf.idx))]
        for old in range(24):
            for new in range(old, 24):
                proof = prove_consistency(session, old, new, public_key=KEY)
                assert proof.holds
                if 0 < old < new:
                    assert list(proof.hashes) == consistency_proof(hashes[:new], old_size=old)
                assert standalone.grows(old, proof.old_root, new, proof.root, proof.hashes)
                assert (proof.notes[1] is not None) == (new in (7, 14, 21, 23))


def test_a_size_beyond_the_log_or_in_the_wrong_order_is_refused(database: Database, tmp_path: Path) -> None:
    fill(database, tmp_path / "anchor", events=5)
    with database.read() as session:
        with pytest.raises(ValueError, match="holds 5 sealed events"):
            prove_consistency(session, 1, 6, public_key=KEY)
        with pytest.raises(ValueError, match="older size first"):
            prove_consistency(session, 4, 3, public_key=KEY)


def test_a_checkpoint_of_another_history_is_contradicted(database: Database, tmp_path: Path) -> None:
    from compliance.audit.checkpoint import Checkpoint, sign

    fill(database, tmp_path / "anchor", events=23)
    other = Checkpoint(origin=KEYS.origin, size=14, root=b"\x07" * 32)
    forged = Signed(checkpoint=other, note=sign(other, key=KEYS.signing_key))
    with database.read() as session:
        newest = newest_checkpoint(session, public_key=KEY)
        assert newest is not None
        assert not prove_consistency(session, forged, newest, public_key=KEY).holds
        held = checkpoint_of_size(session, 14, public_key=KEY)
        assert held is not None
        assert prove_consistency(session, held, newest, public_key=KEY).holds
