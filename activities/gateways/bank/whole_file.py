"""Files that appear whole or not at all: written beside their name, flushed to disk, then renamed."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from compliance.vault.kek import sync_folder

UNFINISHED_SUFFIX: Final = ".part"
CHUNK_BYTES: Final = 1024 * 1024


class DigestWriter:
    """A binary sink that counts and digests what goes through it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> int:
        """Write, count, digest."""
        self._digest.update(data)
        self.size_bytes += len(data)
        return self._file.write(data)

    @property
    def digest(self) -> str:
        """SHA-256 of everything so far, hexadecimal."""
        return self._digest.hexdigest()


@contextmanager
def whole_file(target: Path) -> Iterator[DigestWriter]:
    """Write `target` (mode 0640, so that a transfer program of its group may read it).

    When the block ends without an error, the content is on disk under its name; otherwise nothing of it stays. A killed
    process leaves a hidden file with the suffix `.part`, which nobody reads and the next tidying removes.
    """
    unfinished = target.with_name(f".{target.name}.{os.urandom(8).hex()}{UNFINISHED_SUFFIX}")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640), "wb") as file:
            yield DigestWriter(file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
        sync_folder(target.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def digest_of(path: Path) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
