"""Sealed files: whatever is done to one is noticed, and one that is not finished is not there."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.vault.files import CHUNK_BYTES, HEADER_BYTES, FileAddress, SealedFile, open_file, seal_file
from compliance.vault.framing import framed
from compliance.vault.keyring import Vault
from compliance.vault.suites import AES_256_GCM, TAG_BYTES, SealingKey
from models.errors import CannotOpen, SubjectShredded

ADDRESS = FileAddress("acme", "sub_a", "doc_1")
KEY = SealingKey(AES_256_GCM, bytes(range(32)), version=1)
SEALED_CHUNK = CHUNK_BYTES + TAG_BYTES
CONTENT = b"".join(bytes([number]) * CHUNK_BYTES for number in range(3)) + b"the end"


def _read(path: Path, *, key: SealingKey = KEY, address: FileAddress = ADDRESS) -> bytes:
    return b"".join(open_file(key, address, path))


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    seal_file(KEY, ADDRESS, io.BytesIO(CONTENT), tmp_path / "doc_1")
    return tmp_path / "doc_1"


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 200_000])
def test_a_file_of_any_size_comes_back(tmp_path: Path, size: int) -> None:
    content = (b"evidence " * (size // 9 + 1))[:size]
    path = tmp_path / "doc_1"
    result = seal_file(KEY, ADDRESS, io.BytesIO(content), path)
    raw = path.read_bytes()
    assert result == SealedFile(size_bytes=size, digest=hashlib.sha256(raw).hexdigest())
    assert _read(path) == content
    assert b"evidence" not in raw
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["doc_1"]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(st.integers(0, 100_000), max_size=5))
def test_it_does_not_matter_in_which_pieces_a_file_comes(tmp_path: Path, sizes: list[int]) -> None:
    pieces = [bytes([number]) * size for number, size in enumerate(sizes)]
    seal_file(KEY, ADDRESS, iter(pieces), tmp_path / "doc_1")
    assert _read(tmp_path / "doc_1") == b"".join(pieces)


def test_the_form_of_a_file_is_the_documented_one(sealed: Path) -> None:
    """Read by the document alone: also shows that no nonce serves two chunks."""
    raw = sealed.read_bytes()
    assert raw[:12] == b"CWSF" + bytes((1, 1)) + (1).to_bytes(2) + (65536).to_bytes(4)
    prefix, promised, body = raw[:44], raw[44:76], raw[76:]
    info = framed("casework.file", "acme", "sub_a", "doc_1", prefix)
    derived = HKDF(hashes.SHA256(), 64, prefix[12:], info).derive(bytes(range(32)))
    assert derived[32:] == promised
    content = b""
    for number in range(4):
        last = number == 3
        nonce = bytes(7) + number.to_bytes(4) + bytes((last,))
        chunk = body[number * SEALED_CHUNK : (number + 1) * SEALED_CHUNK]
        content += AESGCM(derived[:32]).decrypt(nonce, chunk, framed("casework.file-chunk", number, int(last)))
    assert content == CONTENT


def test_a_file_is_streamed_and_not_held_in_memory(tmp_path: Path) -> None:
    largest = 0

    def pieces() -> Iterator[bytes]:
        for _ in range(100):
            yield bytes(CHUNK_BYTES)

    seal_file(KEY, ADDRESS, pieces(), tmp_path / "doc_1")
    for piece in open_file(KEY, ADDRESS, tmp_path / "doc_1"):
        largest = max(largest, len(piece))
    assert largest == CHUNK_BYTES


# Tampering ------------------------------------------------------------------------------------------------------------


def test_every_flipped_bit_of_the_header_and_one_in_each_chunk_is_refused(sealed: Path) -> None:
    raw = sealed.read_bytes()
    places = [
        *range(HEADER_BYTES * 8),
        *(8 * (HEADER_BYTES + n * SEALED_CHUNK + 5) for n in range(4)),
        8 * len(raw) - 1,
    ]
    for bit in places:
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        sealed.write_bytes(flipped)
        with pytest.raises(CannotOpen):
            _read(sealed)


@pytest.mark.parametrize(
    "cut", [0, 10, HEADER_BYTES, HEADER_BYTES + 1, HEADER_BYTES + SEALED_CHUNK, HEADER_BYTES + 3 * SEALED_CHUNK, -1]
)
def test_a_file_that_was_cut_off_is_refused_also_between_two_chunks(sealed: Path, cut: int) -> None:
    sealed.write_bytes(sealed.read_bytes()[:cut])
    with pytest.raises(CannotOpen):
        _read(sealed)


def test_chunks_left_out_exchanged_or_repeated_are_refused(sealed: Path) -> None:
    raw = sealed.read_bytes()
    header, body = raw[:HEADER_BYTES], raw[HEADER_BYTES:]
    first, second, third, last = (body[n * SEALED_CHUNK : (n + 1) * SEALED_CHUNK] for n in range(4))
    for chunks in (
        (first, third, last),
        (second, first, third, last),
        (first, second, second, third, last),
        (first, second, third, last, last),
        (last,),
        (first, second, third, last, b"\x00"),
    ):
        sealed.write_bytes(header + b"".join(chunks))
        with pytest.raises(CannotOpen):
            _read(sealed)


def test_a_chunk_of_another_file_of_the_same_document_is_refused(sealed: Path, tmp_path: Path) -> None:
    seal_file(KEY, ADDRESS, io.BytesIO(CONTENT), tmp_path / "again")
    raw, again = sealed.read_bytes(), (tmp_path / "again").read_bytes()
    middle = slice(HEADER_BYTES + SEALED_CHUNK, HEADER_BYTES + 2 * SEALED_CHUNK)
    sealed.write_bytes(raw[: middle.start] + again[middle] + raw[middle.stop :])
    with pytest.raises(CannotOpen):
        _read(sealed)


@pytest.mark.parametrize(
    "elsewhere",
    [
        FileAddress("other", "sub_a", "doc_1"),
        FileAddress("acme", "sub_b", "doc_1"),
        FileAddress("acme", "sub_a", "doc_2"),
    ],
)
def test_a_file_laid_in_anothers_place_is_refused_before_the_first_piece(sealed: Path, elsewhere: FileAddress) -> None:
    with pytest.raises(CannotOpen, match=elsewhere.document_id):
        open_file(KEY, elsewhere, sealed)


def test_a_file_under_another_key_is_refused_before_the_first_piece(sealed: Path) -> None:
    with pytest.raises(CannotOpen):
        open_file(SealingKey(AES_256_GCM, bytes(32), version=1), ADDRESS, sealed)
    with pytest.raises(CannotOpen):
        open_file(SealingKey(AES_256_GCM, bytes(range(32)), version=2), ADDRESS, sealed)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotOpen, match="missing"):
        open_file(KEY, ADDRESS, tmp_path / "doc_1")


# Half-written files ---------------------------------------------------------------------------------------------------


def test_a_source_that_breaks_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(100_000)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        seal_file(KEY, ADDRESS, broken(), tmp_path / "doc_1")
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_breaks_leaves_the_earlier_file_whole(sealed: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"new"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        seal_file(KEY, ADDRESS, broken(), sealed)
    assert _read(sealed) == CONTENT


# Through the vault ----------------------------------------------------------------------------------------------------


def test_the_vault_seals_under_the_subjects_key(bank: Vault, tmp_path: Path) -> None:
    path = tmp_path / "doc_1"
    bank.seal_file(ADDRESS, io.BytesIO(CONTENT), path)
    bank.forget()
    assert b"".join(bank.open_file(ADDRESS, path)) == CONTENT
    with pytest.raises(CannotOpen):
        bank.open_file(FileAddress("acme", "sub_b", "doc_1"), path)
    bank.shred_subject(tenant="acme", subject_id="sub_a")
    with pytest.raises(SubjectShredded):
        bank.open_file(ADDRESS, path)
