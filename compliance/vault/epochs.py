"""Keys of backup epochs (备份周期密钥): one for each day, beside the key-encryption key, destroyed after N days.

A backup of the key store is sealed under the key of its day. When that key is destroyed, the backup is dark wherever
its copies lie, and with it the wrapped keys of everybody who was erased since: an erasure is complete after N days.
The folder holds nothing else than these keys and a list of tokens of who was erased; it is never part of a backup, and
whoever mirrors it must mirror deletions too.
"""

import base64
import binascii
import contextlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from compliance.vault.files import FileAddress, key_version_of, open_file, seal_file
from compliance.vault.framing import framed
from compliance.vault.kek import sync_folder
from compliance.vault.suites import DEFAULT_SUITE, SealingKey
from models.errors import CannotOpen, KeysUnavailable

KEY_BYTES: Final = 32
TOMBSTONES: Final = "erased.jsonl"
_FIRST: Final = date(2020, 1, 1)  # the day whose key has the number 0; two bytes last until 2199
_NAME: Final = re.compile(r"\A([0-9]{4}-[0-9]{2}-[0-9]{2})\.key\Z")
# What a sealed archive is bound to; the key itself belongs to its day.
_ADDRESS: Final = FileAddress("_", "backup", "keys")


class EpochGone(CannotOpen):
    """The key of this day was destroyed, or was never here: what it sealed cannot be read again."""


@dataclass(frozen=True, slots=True)
class ErasedNote:
    """Somebody who was erased, by token; so that a restored backup does not bring them back."""

    tenant: str
    subject_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EpochKeys:
    """The folder of epoch keys; mode 0700, files 0600."""

    folder: Path

    def current(self, now: datetime) -> SealingKey:
        """The key of this day in UTC, made at its first use.

        Raises:
            KeysUnavailable: the folder cannot be written.
        """
        day = epoch_of(now)
        with contextlib.suppress(EpochGone):
            return self.key_of(day)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make(day)
        except OSError as error:
            raise KeysUnavailable(detail=f"no epoch key can be made in {self.folder}: {error.strerror}") from None
        return self.key_of(day)

    def key_of(self, day: date) -> SealingKey:
        """The key of a day.

        Raises:
            EpochGone: it is not here.
        """
        try:
            secret = base64.b64decode(self._path(day).read_bytes().strip(), validate=True)
        except (OSError, binascii.Error, ValueError):
            raise EpochGone(detail=f"the backup epoch key of {day.isoformat()} is not in {self.folder}") from None
        if len(secret) != KEY_BYTES:
            raise EpochGone(detail=f"the backup epoch key of {day.isoformat()} is damaged")
        suite = DEFAULT_SUITE
        key = suite.derive(secret, info=framed("casework.backup-epoch", day.isoformat()), length=suite.key_bytes)
        return SealingKey(suite, key, version=(day - _FIRST).days)

    def days(self) -> list[date]:
        """The days whose keys are here, the oldest first."""
        if not self.folder.is_dir():
            return []
        found = (_NAME.match(path.name) for path in self.folder.iterdir())
        return sorted(date.fromisoformat(match[1]) for match in found if match is not None)

    def destroy_old(self, now: datetime, *, keep_days: int) -> list[date]:
        """Destroy every key whose day lies `keep_days` days or more before this one; returns those days."""
        last = epoch_of(now) - timedelta(days=keep_days)
        gone = [day for day in self.days() if day <= last]
        for day in gone:
            wipe(self._path(day))
        if gone:
            sync_folder(self.folder)
        return gone

    # Archives ---------------------------------------------------------------------------------------------------------

    def seal(self, source: Path, target: Path, *, now: datetime) -> None:
        """Seal a file under the key of this day; `target` appears whole or not at all."""
        with source.open("rb") as content:
            seal_file(self.current(now), _ADDRESS, content, target)

    def open(self, sealed: Path) -> Iterator[bytes]:
        """The content of a sealed archive.

        Raises:
            EpochGone: the key of its day was destroyed.
            CannotOpen: it is no sealed archive, or was altered or cut; while iterating too.
        """
        return open_file(self.key_of(sealed_on(sealed)), _ADDRESS, sealed)

    # Who was erased ---------------------------------------------------------------------------------------------------

    def note_erased(self, tenant: str, subject_id: str, at: datetime) -> None:
        """Remember the token of somebody whose keys are about to go; once, however often it is said."""
        if any((each.tenant, each.subject_id) == (tenant, subject_id) for each in self.erased()):
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        line = json.dumps({"tenant": tenant, "subject": subject_id, "at": at.astimezone(UTC).isoformat()})
        descriptor = os.open(self.folder / TOMBSTONES, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            if file.tell() and not (self.folder / TOMBSTONES).read_bytes().endswith(b"\n"):
                file.write(b"\n")  # behind a line that a crash has cut off
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.folder)

    def erased(self) -> list[ErasedNote]:
        """Everybody who was noted; a line that a crash has cut off is passed over."""
        path = self.folder / TOMBSTONES
        if not path.exists():
            return []
        notes = []
        for line in path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                said = json.loads(line)
                notes.append(ErasedNote(said["tenant"], said["subject"], datetime.fromisoformat(said["at"])))
        return notes

    def _make(self, day: date) -> None:
        try:
            descriptor = os.open(self._path(day), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:  # another process was first: its key is the one
            return
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.folder)

    def _path(self, day: date) -> Path:
        return self.folder / f"{day.isoformat()}.key"


def epoch_of(now: datetime) -> date:
    """The day in UTC to which an instant belongs."""
    return now.astimezone(UTC).date()


def sealed_on(sealed: Path) -> date:
    """The day under whose key an archive was sealed.

    Raises:
        CannotOpen: it is no sealed archive.
    """
    return _FIRST + timedelta(days=key_version_of(sealed))


def is_sealed(path: Path) -> bool:
    """Whether a file is a sealed archive."""
    try:
        key_version_of(path)
    except CannotOpen:
        return False
    return True


def wipe(path: Path) -> None:
    """Overwrite a file, then remove it: what a disk keeps of removed files is nothing that helps."""
    try:
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.write(os.urandom(min(size, 1024 * 1024)) if size <= 1024 * 1024 else bytes(size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    path.unlink(missing_ok=True)
