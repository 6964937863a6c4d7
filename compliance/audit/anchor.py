"""The anchor file: signed checkpoints outside the database, one JSON string per line, so that a cut-off tail is seen.

It belongs on another disk, in another account or in write-once storage: whoever can write both it and the database can
cut both. A backup that is restored lies behind its anchor, and the verifier says so: those events are gone.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from compliance.audit.checkpoint import NoteInvalid, read

_TAIL_BYTES: Final = 8192  # longer than any line


@dataclass(frozen=True, slots=True)
class HeldAnchor:
    """The file under its lock."""

    _file: BinaryIO

    def last_size(self) -> int:
        """The size that the last note states; -1 for an empty file, or a last line that is no note."""
        end = self._file.seek(0, os.SEEK_END)
        self._file.seek(max(0, end - _TAIL_BYTES))
        lines = self._file.read().splitlines()
        try:
            return read(json.loads(lines[-1])).size if lines else -1
        except (ValueError, TypeError, AttributeError, NoteInvalid):
            return -1

    def append(self, notes: Sequence[str]) -> None:
        """Write notes and wait until the disk has them."""
        self._file.seek(0, os.SEEK_END)
        self._file.write(b"".join(json.dumps(note).encode() + b"\n" for note in notes))
        self._file.flush()
        os.fsync(self._file.fileno())


@dataclass(frozen=True, slots=True)
class Anchor:
    """An anchor file at a path; made on first use, readable by its owner only."""

    path: Path

    @contextmanager
    def locked(self) -> Iterator[HeldAnchor]:
        """Hold the file against other sealers of this machine.

        Raises:
            OSError: the file cannot be opened for writing.
        """
        is_new = not self.path.exists()
        with os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if is_new:
                _sync_directory(self.path.parent)
            _cut_torn_line(file)
            yield HeldAnchor(file)

    def notes(self) -> tuple[str, ...]:
        """Every note, oldest first; none if there is no file.

        A complete line that is no note comes back as it stands, so that the verifier names it; an unfinished last line
        is what a crash left and is passed over.
        """
        if not self.path.exists():
            return ()
        lines = self.path.read_bytes().split(b"\n")[:-1]
        return tuple(_note_of(line) for line in lines)


def _note_of(line: bytes) -> str:
    try:
        note = json.loads(line)
    except ValueError:
        return line.decode(errors="replace")
    return note if isinstance(note, str) else line.decode(errors="replace")


def _cut_torn_line(file: BinaryIO) -> None:
    end = file.seek(0, os.SEEK_END)
    begin = max(0, end - _TAIL_BYTES)
    file.seek(begin)
    tail = file.read()
    if tail and not tail.endswith(b"\n"):
        file.truncate(begin + tail.rfind(b"\n") + 1)


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
