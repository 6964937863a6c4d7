"""The shelf: a finished document is put once, and whoever comes second finds the first one's file."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from compliance.vault.files import FileAddress
from compliance.vault.keyring import Vault
from compliance.vault.shelf import Shelf
from models.errors import CannotOpen, SubjectShredded

ADDRESS = FileAddress("acme", "sub_1", "doc_1")


@pytest.fixture
def shelf(vault: Vault, tmp_path: Path) -> Shelf:
    """A shelf with nothing on it, and a person whose documents it holds."""
    vault.ensure_tenant("acme")
    vault.create_subject(tenant="acme", subject_id="sub_1")
    return Shelf(vault=vault, root=tmp_path / "files")


def names(shelf: Shelf) -> list[str]:
    return [path.name for path in shelf.root.rglob("*") if path.is_file()]


def test_the_first_one_that_is_put_stands(shelf: Shelf) -> None:
    first = shelf.put_once(ADDRESS, b"what was read")
    kept = shelf.path(ADDRESS).read_bytes()
    assert shelf.put_once(ADDRESS, b"what was printed later") == first
    assert shelf.path(ADDRESS).read_bytes() == kept
    assert shelf.read(ADDRESS) == b"what was read"
    assert first.size_bytes == len(b"what was read")
    assert first.digest == hashlib.sha256(kept).hexdigest()
    assert b"what was read" not in kept


def test_of_many_at_once_all_tell_of_one_file(shelf: Shelf) -> None:
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda number: shelf.put_once(ADDRESS, b"document %d" % number), range(16)))
    assert len({kept.digest for kept in told}) == 1
    assert told[0].digest == hashlib.sha256(shelf.path(ADDRESS).read_bytes()).hexdigest()
    shelf.put_once(ADDRESS, b"")
    assert names(shelf) == ["doc_1"]


def test_what_a_killed_try_has_left_goes_with_the_next(shelf: Shelf) -> None:
    folder = shelf.path(ADDRESS).parent
    folder.mkdir(parents=True)
    for left in (".doc_1.00ff.draft", "..doc_1.00ff.draft.ee11.part", ".doc_2.00ff.draft"):
        (folder / left).write_bytes(b"half")
    shelf.put_once(ADDRESS, b"whole")
    assert sorted(names(shelf)) == [".doc_2.00ff.draft", "doc_1"]  # another document's is not ours to clear


def test_a_file_of_somebody_else_is_not_taken_for_ours(shelf: Shelf) -> None:
    shelf.vault.create_subject(tenant="acme", subject_id="sub_2")
    shelf.put_once(FileAddress("acme", "sub_2", "doc_1"), b"theirs")
    with pytest.raises(CannotOpen):
        shelf.put_once(ADDRESS, b"ours")


def test_nothing_is_put_for_who_was_erased(shelf: Shelf) -> None:
    shelf.vault.shred_subject(tenant="acme", subject_id="sub_1")
    with pytest.raises(SubjectShredded):
        shelf.put_once(ADDRESS, b"too late")
    assert names(shelf) == []
