"""Sealed files: uploads and evidence, streamed in chunks of 64 KiB, so that memory stays flat at any size.

Each file has a key of its own, derived from its person's key and the file's address. A chunk's number, and whether it
is the last one, are authenticated with it, so a chunk that is cut off, left out, exchanged or altered does not open.
"""

import contextlib
import hashlib
import hmac
import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from compliance.vault.framing import framed
from compliance.vault.kek import sync_folder
from compliance.vault.suites import NONCE_BYTES, TAG_BYTES, SealingKey
from models.errors import CannotOpen

FILE_FORMAT: Final = 1
MAGIC: Final = b"CWSF"
CHUNK_BYTES: Final = 64 * 1024
_SALT_BYTES: Final = 32
_COMMITMENT_BYTES: Final = 32
_PREFIX_BYTES: Final = len(MAGIC) + 1 + 1 + 2 + 4 + _SALT_BYTES
HEADER_BYTES: Final = _PREFIX_BYTES + _COMMITMENT_BYTES
_MOST_CHUNKS: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class FileAddress:
    """Which document of whom a sealed file is."""

    tenant: str
    subject: str
    document_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """What was written.

    Attributes:
        size_bytes: of the content, before sealing.
        digest: SHA-256 of the sealed file, hexadecimal; it proves storage and tells nothing of the content.
    """

    size_bytes: int
    digest: str


def seal_file(key: SealingKey, address: FileAddress, source: Iterator[bytes] | BinaryIO, target: Path) -> SealedFile:
    """Seal `source` into `target`, which appears whole and flushed to disk, or not at all.

    Args:
        key: the person's current key.
        address: what the file is bound to.
        source: an open binary file, or pieces of any size.
        target: the sealed file, mode 0600; one that exists is replaced.
    """
    prefix = (
        MAGIC
        + bytes((FILE_FORMAT, key.suite.id))
        + key.version.to_bytes(2)
        + CHUNK_BYTES.to_bytes(4)
        + os.urandom(_SALT_BYTES)
    )
    file_key, commitment = _file_key(key, address, prefix)
    header = prefix + commitment
    digest = hashlib.sha256()
    size = 0
    unfinished = target.with_name(f".{target.name}.{os.urandom(8).hex()}.part")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(header)
            digest.update(header)
            for index, (chunk, last) in enumerate(_numbered(source)):
                size += len(chunk)
                sealed = _seal_chunk(file_key, index, chunk, last=last)
                file.write(sealed)
                digest.update(sealed)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            unfinished.unlink()
        raise
    sync_folder(target.parent)
    return SealedFile(size_bytes=size, digest=digest.hexdigest())


def key_version_of(path: Path) -> int:
    """Which version of the person's key a sealed file names; it still has to open.

    Raises:
        CannotOpen: it is missing or no sealed file of a known format.
    """
    return header_of(path)[1]


def header_of(path: Path) -> tuple[int, int]:
    """Suite and version of the person's key that a sealed file names.

    Raises:
        CannotOpen: it is missing or no sealed file of a known format.
    """
    try:
        with path.open("rb") as file:
            prefix = _prefix_of(file.read(HEADER_BYTES))
    except FileNotFoundError:
        raise CannotOpen(detail="the sealed file is missing") from None
    return prefix[5], _version_in(prefix)


def open_file(key: SealingKey, address: FileAddress, path: Path) -> Generator[bytes, None, None]:
    """The content, piece by piece; each piece is authentic, and only the end proves that nothing is missing behind it.

    The header is checked before this returns, so a wrong key or address is known before the first piece.

    Raises:
        CannotOpen: altered, cut, exchanged, or another document's; while iterating too.
    """
    return open_file_under(lambda _version: key, address, path)


def open_file_under(
    key_of: Callable[[int], SealingKey], address: FileAddress, path: Path
) -> Generator[bytes, None, None]:
    """As `open_file`, under the key that `key_of` gives for the version in the file's header.

    The file is opened once: one that is sealed again and exchanged meanwhile (`activities.parties`) is read to its end
    as it was.
    """
    with contextlib.ExitStack() as opened:
        try:
            file = opened.enter_context(path.open("rb"))
        except FileNotFoundError:
            raise CannotOpen(detail="the sealed file is missing") from None
        header = file.read(HEADER_BYTES)
        prefix = _prefix_of(header)
        key = key_of(_version_in(prefix))
        if prefix[5] != key.suite.id or _version_in(prefix) != key.version:
            raise _refused(address)
        file_key, commitment = _file_key(key, address, prefix)
        if not hmac.compare_digest(header, prefix + commitment):
            raise _refused(address)
        pieces = _pieces(file_key, address, file, chunk_bytes=int.from_bytes(prefix[8:12]))
        next(pieces)  # from here on the iterator closes the file, also where nobody reads it
        opened.pop_all()
    return pieces


def _pieces(
    file_key: SealingKey, address: FileAddress, file: BinaryIO, *, chunk_bytes: int
) -> Generator[bytes, None, None]:
    """Nothing first; then the content, from behind the header on."""
    sealed_bytes = chunk_bytes + TAG_BYTES
    with file:
        yield b""
        index = 0
        sealed = file.read(sealed_bytes)
        while True:
            following = file.read(sealed_bytes)
            try:
                yield _open_chunk(file_key, index, sealed, last=not following)
            except CannotOpen:
                raise _refused(address) from None
            if not following:
                return
            index, sealed = index + 1, following


def _numbered(source: Iterator[bytes] | BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Chunks of exactly `CHUNK_BYTES`, only the last one shorter; an empty source is one empty last chunk."""
    # A file is an iterator too, but of lines.
    read = getattr(source, "read", None)
    pieces: Iterator[bytes] = iter(source) if read is None else iter(lambda: read(CHUNK_BYTES), b"")
    pending = bytearray()
    for piece in pieces:
        pending += piece
        while len(pending) > CHUNK_BYTES:
            yield bytes(pending[:CHUNK_BYTES]), False
            del pending[:CHUNK_BYTES]
    yield bytes(pending), True


def _seal_chunk(file_key: SealingKey, index: int, chunk: bytes, *, last: bool) -> bytes:
    if index >= _MOST_CHUNKS:
        raise ValueError("a sealed file holds at most 2^32 chunks")
    # The nonce follows from the chunk's place, so it is not written.
    return file_key.seal_under(_nonce(index, last=last), chunk, _chunk_binding(index, last=last))[NONCE_BYTES:]


def _open_chunk(file_key: SealingKey, index: int, sealed: bytes, *, last: bool) -> bytes:
    return file_key.open(_nonce(index, last=last) + sealed, _chunk_binding(index, last=last))


def _nonce(index: int, *, last: bool) -> bytes:
    # Unique because every file has a key of its own.
    return bytes(7) + index.to_bytes(4) + bytes((last,))


def _chunk_binding(index: int, *, last: bool) -> bytes:
    return framed("casework.file-chunk", index, int(last))


def _file_key(key: SealingKey, address: FileAddress, prefix: bytes) -> tuple[SealingKey, bytes]:
    suite = key.suite
    info = framed("casework.file", address.tenant, address.subject, address.document_id, prefix)
    derived = key.derive(info=info, length=suite.key_bytes + _COMMITMENT_BYTES, salt=prefix[-_SALT_BYTES:])
    return SealingKey(suite, derived[: suite.key_bytes], version=key.version), derived[suite.key_bytes :]


def _prefix_of(header: bytes) -> bytes:
    known = len(header) == HEADER_BYTES and header.startswith(MAGIC) and header[4] == FILE_FORMAT
    if not known or int.from_bytes(header[8:12]) != CHUNK_BYTES:
        raise CannotOpen(detail="not a sealed file of a known format")
    return header[:_PREFIX_BYTES]


def _version_in(prefix: bytes) -> int:
    return int.from_bytes(prefix[6:8])


def _refused(address: FileAddress) -> CannotOpen:
    return CannotOpen(detail=f"sealed file of document {address.document_id}")
