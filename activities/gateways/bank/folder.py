"""The bank as a pair of watched folders, such as a transfer program keeps in step with the bank's own.

Below the exchange folder, which lies outside the data directory since its files name people in clear:

- `outbox/`: we put files, the bank takes them away;
- `inbox/`: the bank puts files, we take them away;
- `sent/`: a receipt for each file that went out, name and digest alone;
- `done/`, `quarantine/`: what came in, under its digest and name;
- `spool/`: where a file is written and checked before it goes out.

Every step is one rename. A crash between two steps leaves the file where the next try finds it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from activities.gateways.bank.port import BankPort, InboundFile, OutboundFile
from activities.gateways.bank.whole_file import CHUNK_BYTES, UNFINISHED_SUFFIX, digest_of, whole_file
from compliance.vault.kek import sync_folder
from models.domain.clock import Clock
from models.errors import BankFileConflict, FieldFault

# What transfer programs call a file that is still coming.
UNFINISHED: Final = (".tmp", UNFINISHED_SUFFIX, ".filepart", ".writing", ".processing", ".crdownload")
_DIGEST_SHOWN: Final = 16


@dataclass(frozen=True, slots=True)
class BankFolders:
    """The folders below one root."""

    root: Path

    @property
    def outbox(self) -> Path:
        """What the bank is to take."""
        return self.root / "outbox"

    @property
    def inbox(self) -> Path:
        """What the bank has brought."""
        return self.root / "inbox"

    @property
    def sent(self) -> Path:
        """Receipts of what went out."""
        return self.root / "sent"

    @property
    def done(self) -> Path:
        """What came in and was taken."""
        return self.root / "done"

    @property
    def refused(self) -> Path:
        """What came in and could not be read."""
        return self.root / "quarantine"

    @property
    def spool(self) -> Path:
        """Where files are written before they go out."""
        return self.root / "spool"

    def prepare(self) -> None:
        """Make the folders, mode 0770: the transfer program works in them too, in a group of its own."""
        for folder in (self.outbox, self.inbox, self.sent, self.done, self.refused, self.spool):
            folder.mkdir(mode=0o770, parents=True, exist_ok=True)


@dataclass(frozen=True, slots=True)
class FolderBank(BankPort):
    """The folder adapter.

    Attributes:
        folders: where the files lie; made if they are not there.
        clock: the wall clock, by which a file's age is told.
        settle_for: how long a file must have lain unchanged; zero where the bank renames what is complete.
    """

    folders: BankFolders
    clock: Clock
    settle_for: timedelta = timedelta(seconds=2)

    def __post_init__(self) -> None:
        self.folders.prepare()

    def send(self, file: OutboundFile) -> None:
        """Copy the file into the outbox, then leave a receipt."""
        _require_plain(file.name)
        receipt = self.folders.sent / f"{file.name}.json"
        target = self.folders.outbox / file.name
        if receipt.exists():
            if json.loads(receipt.read_text())["digest"] != file.digest:
                raise BankFileConflict(detail=f"sent before with another content: {file.digest[:_DIGEST_SHOWN]}")
            return
        if not (target.exists() and digest_of(target) == file.digest):
            if target.exists():
                raise BankFileConflict(detail=f"outbox holds another file: {file.digest[:_DIGEST_SHOWN]}")
            self._copy(file, target)
        with whole_file(receipt) as sink:
            sink.write(json.dumps({"digest": file.digest}).encode())

    def replies(self) -> Sequence[InboundFile]:
        """Complete files of the inbox; hidden, unfinished, young and linked ones are left alone."""
        now = self.clock().timestamp()
        found = []
        for path in sorted(self.folders.inbox.iterdir(), key=_arrival):
            if path.name.startswith(".") or path.name.lower().endswith(UNFINISHED) or path.is_symlink():
                continue
            if not path.is_file():
                continue
            before = path.stat()
            if now - before.st_mtime < self.settle_for.total_seconds():
                continue
            digest = digest_of(path)
            after = path.stat()
            if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
                found.append(InboundFile(name=path.name, path=path, digest=digest, size_bytes=after.st_size))
        return found

    def settle(self, file: InboundFile) -> None:
        """Move the file to `done/`."""
        self._put_away(file, self.folders.done)

    def taken(self) -> Sequence[InboundFile]:
        """What lies in `done/`."""
        paths = sorted(path for path in self.folders.done.iterdir() if path.is_file() and not path.is_symlink())
        return [
            InboundFile(
                name=path.name.partition("-")[2],
                path=path,
                digest=digest_of(path),
                size_bytes=path.stat().st_size,
            )
            for path in paths
        ]

    def quarantine(self, file: InboundFile, faults: Sequence[FieldFault]) -> None:
        """Write the reasons, then move the file to `quarantine/`."""
        reasons = [{"pointer": fault.pointer, "rule": fault.code, **fault.params} for fault in faults]
        with whole_file(self.folders.refused / f"{_kept_name(file)}.faults.json") as sink:
            sink.write(json.dumps({"digest": file.digest, "faults": reasons}, indent=1).encode())
        self._put_away(file, self.folders.refused)

    def tidy(self, *, older_than: timedelta = timedelta(hours=1)) -> int:
        """Remove what killed writers left behind; answers how many files that were."""
        now, removed = self.clock().timestamp(), 0
        for folder in (self.folders.outbox, self.folders.spool, self.folders.sent, self.folders.refused):
            for path in folder.glob(f".*{UNFINISHED_SUFFIX}"):
                if now - path.stat().st_mtime >= older_than.total_seconds():
                    path.unlink(missing_ok=True)
                    removed += 1
        return removed

    def _put_away(self, file: InboundFile, folder: Path) -> None:
        source, target = self.folders.inbox / file.name, folder / _kept_name(file)
        _require_plain(file.name)
        if source.is_file() and not source.is_symlink() and digest_of(source) == file.digest:
            source.replace(target)
            sync_folder(folder)
            sync_folder(self.folders.inbox)
        elif not target.exists():  # one of the same name that came later stays where it is
            raise BankFileConflict(detail=f"neither waiting nor put away: {file.digest[:_DIGEST_SHOWN]}")

    @staticmethod
    def _copy(file: OutboundFile, target: Path) -> None:
        with file.path.open("rb") as source, whole_file(target) as sink:
            while chunk := source.read(CHUNK_BYTES):
                sink.write(chunk)
            if sink.digest != file.digest:
                raise BankFileConflict(detail=f"not the file that was checked: {file.digest[:_DIGEST_SHOWN]}")


def _arrival(path: Path) -> tuple[int, str]:
    try:
        return path.lstat().st_mtime_ns, path.name
    except FileNotFoundError:  # taken away while we look
        return 0, path.name


def _kept_name(file: InboundFile) -> str:
    # Banks use names again; the digest keeps one file apart from the next and makes the move repeatable.
    return f"{file.digest[:_DIGEST_SHOWN]}-{file.name}"


def _require_plain(name: str) -> None:
    if name in {"", ".", ".."} or Path(name).name != name or name.startswith("."):
        raise BankFileConflict(detail="not a plain file name")
