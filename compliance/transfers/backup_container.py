"""The container of a backup: a sealed file (`compliance.vault.files`) under its own key, and the digest of each chunk.

The sealed file authenticates each chunk with its number and whether it is the last. The digests, which the manifest
holds, need no key: with them anybody says which chunk was altered, is missing or stands in the place of another.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from compliance.transfers.backup_envelopes import BackupName, Secrets
from compliance.transfers.backup_faults import BackupFault, FaultCode
from compliance.transfers.backup_stream import BackedUp, frame, read_frames
from compliance.vault.files import CHUNK_BYTES, HEADER_BYTES, FileAddress, open_file, seal_file
from compliance.vault.suites import TAG_BYTES
from models.errors import CannotOpen

SUFFIX: Final = ".cwtb"
SEALED_CHUNK_BYTES: Final = CHUNK_BYTES + TAG_BYTES
_PIECE_RECORDS: Final = 256
Beat = Callable[[], None]


def write_container(path: Path, name: BackupName, secrets: Secrets, records: Iterable[BackedUp]) -> dict[str, Any]:
    """Write the container; it appears whole, or not at all.

    Returns:
        What the manifest says of it: sizes, the digests of header and chunks, that of the whole.
    """
    sealed = seal_file(secrets.content, _address(name), _pieces(records), path)
    header, chunks = digests_of(path)
    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "contentBytes": sealed.size_bytes,
        "sealedChunkBytes": SEALED_CHUNK_BYTES,
        "sha256": sealed.digest,
        "header": header,
        "chunks": chunks,
    }


def read_container(path: Path, name: BackupName, secrets: Secrets) -> Iterator[BackedUp]:
    """The records of a container, each authentic; only the end proves that none is missing behind it.

    Raises:
        BackupFault: the key does not open it, a chunk does not open, or a record cannot be read; while iterating too.
    """
    try:
        pieces = open_file(secrets.content, _address(name), path)
    except CannotOpen:  # the header's commitment: of this key and this backup, or of another
        raise BackupFault(FaultCode.WRONG_KEY) from None
    yield from read_frames(_authentic(pieces))


def digests_of(path: Path, *, beat: Beat | None = None) -> tuple[str, list[str]]:
    """SHA-256 of the header and of each sealed chunk of a container, in hexadecimal.

    Raises:
        BackupFault: there is no such file.
    """
    try:
        with path.open("rb") as file:
            header = hashlib.sha256(file.read(HEADER_BYTES)).hexdigest()
            chunks = []
            while chunk := file.read(SEALED_CHUNK_BYTES):
                chunks.append(hashlib.sha256(chunk).hexdigest())
                if beat is not None and len(chunks) % 256 == 0:
                    beat()
    except FileNotFoundError:
        raise BackupFault(FaultCode.CONTAINER_MISSING) from None
    return header, chunks


def check_container(path: Path, container: Mapping[str, Any], *, beat: Beat | None = None) -> None:
    """Hold a container against its manifest, without any key.

    Args:
        path: the container.
        container: the part of the manifest that `write_container` gave.
        beat: called now and then.

    Raises:
        BackupFault: it is not the container that the manifest describes; the first thing that is wrong, by name.
    """
    try:
        wanted, header = [str(each) for each in container["chunks"]], str(container["header"])
        size = int(container["bytes"])
    except (KeyError, TypeError, ValueError):
        raise BackupFault(FaultCode.MANIFEST_UNREADABLE) from None
    found_header, found = digests_of(path, beat=beat)
    if found_header == header and found == wanted:
        return
    if found_header != header:
        own = set(wanted)
        code = FaultCode.HEADER_ALTERED if any(each in own for each in found) else FaultCode.OTHER_BACKUP
        raise BackupFault(code)
    raise _fault_of(wanted, found, grew=path.stat().st_size - size)


def _fault_of(wanted: Sequence[str], found: Sequence[str], *, grew: int) -> BackupFault:
    """What became of the chunks, by their digests alone."""
    first = next((n for n, (one, two) in enumerate(zip(wanted, found, strict=False)) if one != two), None)
    if first is None:
        if len(found) < len(wanted):
            return BackupFault(FaultCode.TRUNCATED, chunk=len(found))
        return BackupFault(FaultCode.TOO_LONG, chunk=len(wanted))
    place = {digest: number for number, digest in enumerate(wanted)}
    stands = place.get(found[first])
    if len(found) < len(wanted) and stands is not None and _is_part(found, wanted):
        return BackupFault(FaultCode.CHUNK_MISSING, chunk=first)
    if grew < 0 and stands is None and first == len(found) - 1:
        return BackupFault(FaultCode.TRUNCATED, chunk=first)
    if grew > 0 and stands is None and first == len(wanted) - 1 and len(found) >= len(wanted):
        return BackupFault(FaultCode.TOO_LONG, chunk=first)
    if stands is not None:
        return BackupFault(FaultCode.CHUNK_SWAPPED, chunk=first, other=stands)
    return BackupFault(FaultCode.CHUNK_ALTERED, chunk=first)


def _is_part(found: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether these are chunks of the container in their order, some left out."""
    rest = iter(wanted)
    return all(each in rest for each in found)


def forget_drafts(folder: Path, stem: str) -> None:
    """Remove what killed tries left half written of a container of that name."""
    for draft in folder.glob(f".{stem}*.part"):
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()


def _address(name: BackupName) -> FileAddress:
    return FileAddress(tenant=name.tenant, subject=f"{name.job}/{name.side}/{name.number}", document_id=name.id)


def _pieces(records: Iterable[BackedUp]) -> Iterator[bytes]:
    pending: list[bytes] = []
    for record in records:
        pending.append(frame(record))
        if len(pending) == _PIECE_RECORDS:
            yield b"".join(pending)
            pending.clear()
    yield b"".join(pending)


def _authentic(pieces: Iterator[bytes]) -> Iterator[bytes]:
    number = 0
    while True:
        try:
            piece = next(pieces)
        except StopIteration:
            return
        except CannotOpen:
            raise BackupFault(FaultCode.CHUNK_ALTERED, chunk=number) from None
        yield piece
        number += 1
