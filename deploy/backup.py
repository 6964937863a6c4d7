"""Backup and restore of an embedded installation: two archives, and the key-encryption key in neither.

The archive of the keys is sealed under the key of its day (`compliance.vault.epochs`): once that is destroyed, no copy
of the archive brings back somebody who was erased since.

Order of the snapshots: Temporal, then data, then keys. After a restore the workflows are the oldest part, so that work
is repeated and de-duplicated by its keys, never missing; and every row's subject key is there, since keys are made
first. Sealed files are copied after the data: a file is written before the row that names it.
"""

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, Final

from compliance.vault.epochs import EpochGone, EpochKeys, is_sealed, wipe
from deploy import datadir
from deploy.exits import CommandFailed, ExitCode
from deploy.snapshot import copy_sqlite
from deploy.values import DataDir, Settings
from models.domain.tokens import uuid7
from models.errors import CannotOpen

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
DATA_SUFFIX: Final = "-data.tar.gz"
KEYS_SUFFIX: Final = "-keys.tar.gz.sealed"
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Archives:
    """The two halves of a backup. They belong together, and are kept apart."""

    data: Path
    keys: Path


def backup(settings: Settings, *, target: Path, now: datetime) -> Archives:
    """Copy a running or stopped installation.

    Args:
        settings: of the embedded mode.
        target: directory for the archives; made if missing.
        now: stands in their names.

    Raises:
        CommandFailed: 64 with PostgreSQL; 65 when there is nothing to copy; 73 when an archive of that name exists; 75
            while data are being moved to other keys (`docs/suites.md`).
    """
    _embedded_only(settings)
    data = settings.data
    if datadir.is_empty(data):
        raise CommandFailed(ExitCode.DATA, f"{data.root} holds no installation")
    target.mkdir(mode=datadir.PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    stem = f"casework-{now:%Y%m%dT%H%M%SZ}"
    archives = Archives(data=target / f"{stem}{DATA_SUFFIX}", keys=target / f"{stem}{KEYS_SUFFIX}")
    facts = {
        "format": FORMAT,
        "product": version("casework"),
        "pair": uuid7(now),
        "at": now.isoformat(),
        "installation": _installation(data.keys),
    }
    if archives.keys.exists():
        raise CommandFailed(ExitCode.CANNOT_CREATE, f"{archives.keys} exists")
    with tempfile.TemporaryDirectory(dir=target, prefix=".partial-") as scratch:
        staging = Path(scratch)
        for path in (data.temporal, data.database):
            if path.exists():
                copy_sqlite(path, staging / path.name)
        _refuse_while_moving(data, staging / data.database.name)
        with _keys_copied(data) as copied:  # after the data: every row's key is there
            files = _sealed_files(data)
            _pack(
                archives.data, {**facts, "part": "data"}, [*_present(staging, (data.temporal, data.database)), *files]
            )
            packed = copied / "keys.tar.gz"
            _pack(packed, {**facts, "part": "keys"}, _present(copied, (data.keys,)))
            EpochKeys(settings.epochs).seal(packed, archives.keys, now=now)
    return archives


@contextmanager
def _keys_copied(data: DataDir) -> Iterator[Path]:
    """A folder with a copy of the key store, beside the store itself; wiped at the end.

    In clear it never touches the disk that the archives go to.
    """
    with tempfile.TemporaryDirectory(dir=data.root, prefix=".keys-") as scratch:
        folder = Path(scratch)
        if data.keys.exists():
            copy_sqlite(data.keys, folder / data.keys.name)
        try:
            yield folder
        finally:
            for path in folder.iterdir():
                wipe(path)


def _installation(keys: Path) -> str:
    """Names the key store that an archive is of: what was random about it when it was made."""
    if not keys.exists():
        return ""
    with closing(sqlite3.connect(f"file:{keys}?mode=ro", uri=True)) as store:
        row = store.execute("SELECT created_at FROM key_store").fetchone()
    return hashlib.sha256(f"casework.installation\x00{row[0] if row else ''}".encode()).hexdigest()[:32]


def _refuse_while_moving(data: DataDir, copied: Path) -> None:
    """Keys that go, and files that are sealed again, between the copies would not fit together in the archives."""
    if datadir.holder(data) is None or not copied.exists():
        return  # nobody works on it
    with closing(sqlite3.connect(copied)) as database:
        moving = database.execute("SELECT id FROM suite_changes WHERE state IN ('RUNNING', 'CANCELLING')").fetchone()
    if moving is not None:
        raise CommandFailed(
            ExitCode.TEMPORARY,
            f"data are being sealed under other keys ({moving[0]}): `casework suites pause {moving[0]}`, wait a minute "
            "for its step to end, back up, then `casework suites resume`",
        )


def restore(settings: Settings, *, data_archive: Path, keys_archive: Path) -> dict[str, Any]:
    """Put both halves into an empty data directory; returns the manifest of the data half.

    The keys may come from a later backup of the same installation: keys are made before the rows that need them, so a
    later store has every key that an older row needs, but for those of persons who were erased.

    Nothing is left behind when it fails. Opening the stores, and queueing again what was under way, is the caller's.

    Raises:
        CommandFailed: 64 with PostgreSQL; 65 when an archive is damaged, dark, or the halves do not belong together; 73
            when the directory is not empty.
    """
    _embedded_only(settings)
    data = settings.data
    if data.root.exists() and any(path != data.lock for path in data.root.iterdir()):
        raise CommandFailed(ExitCode.CANNOT_CREATE, f"{data.root} is not empty; a restore goes into an empty directory")
    data.root.mkdir(mode=datadir.PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data.root, prefix=".restore-") as scratch:
        staging = Path(scratch)
        manifests = [
            unpack(archive, staging / str(place), epochs=EpochKeys(settings.epochs))
            for place, archive in enumerate((data_archive, keys_archive))
        ]
        if [manifest["part"] for manifest in manifests] != ["data", "keys"]:
            raise CommandFailed(ExitCode.DATA, "give the data archive first and the keys archive second")
        if not belong_together(*manifests):
            raise CommandFailed(
                ExitCode.DATA,
                "these archives are not of one backup, nor are the keys of a later one of its installation",
            )
        for place in range(len(manifests)):
            for path in sorted((staging / str(place)).iterdir()):
                path.rename(data.root / path.name)
    datadir.prepare(data)
    return manifests[0]


def belong_together(data: dict[str, Any], keys: dict[str, Any]) -> bool:
    """Whether a store of keys fits a store of data: of one backup, or of a later one of the same installation."""
    if data["pair"] == keys["pair"]:
        return True
    known = bool(data.get("installation")) and data.get("installation") == keys.get("installation")
    return known and datetime.fromisoformat(keys["at"]) > datetime.fromisoformat(data["at"])


def unpack(archive: Path, target: Path, *, epochs: EpochKeys) -> dict[str, Any]:
    """Unpack an archive, sealed or not, into a folder; returns its manifest.

    Raises:
        CommandFailed: 65, it is damaged, or the key of its day was destroyed.
    """
    if not is_sealed(archive):
        return _unpack(archive, target)
    target.mkdir(mode=datadir.PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    opened = target.with_name(f"{target.name}.tar.gz")
    try:
        with os.fdopen(os.open(opened, os.O_WRONLY | os.O_CREAT | os.O_EXCL, datadir.PRIVATE_FILE), "wb") as output:
            output.writelines(epochs.open(archive))
        return _unpack(opened, target)
    except EpochGone as gone:
        raise CommandFailed(
            ExitCode.DATA, f"{archive.name} is dark: {gone.detail}. Take a later archive of the keys"
        ) from None
    except CannotOpen:
        raise CommandFailed(
            ExitCode.DATA, f"{archive.name} is damaged: it does not open under the key of its day"
        ) from None
    finally:
        wipe(opened)


def _embedded_only(settings: Settings) -> None:
    if not settings.database_url.startswith("sqlite"):
        raise CommandFailed(
            ExitCode.USAGE,
            "PostgreSQL is backed up with its own tools, in this order: Temporal's databases, then the data store, "
            "then the key store (`pg_dump --format=custom` or continuous archiving, each to a place of its own); "
            "see docs/backup.md",
        )


def _sealed_files(data: DataDir) -> list[tuple[str, Path]]:
    if not data.files.is_dir():
        return []
    whole = (path for path in data.files.rglob("*") if path.is_file() and not path.is_symlink())
    return [(f"files/{path.relative_to(data.files).as_posix()}", path) for path in sorted(whole)]


def _present(staging: Path, paths: Iterable[Path]) -> list[tuple[str, Path]]:
    return [(path.name, staging / path.name) for path in paths if (staging / path.name).exists()]


def _pack(archive: Path, facts: dict[str, Any], members: list[tuple[str, Path]]) -> None:
    """Write one archive, 0600, under a temporary name until it is whole and on disk."""
    if archive.exists():
        raise CommandFailed(ExitCode.CANNOT_CREATE, f"{archive} exists")
    partial = archive.with_name(f".partial-{archive.name}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, datadir.PRIVATE_FILE)
    sums: dict[str, str] = {}
    with os.fdopen(descriptor, "wb") as output:
        with tarfile.open(fileobj=output, mode="w:gz", compresslevel=1) as tar:
            for name, path in members:
                try:
                    source = path.open("rb")
                except FileNotFoundError:  # shredded since we listed the folder
                    continue
                with source:
                    summed = _Summing(source)
                    tar.addfile(_member(name, os.fstat(source.fileno()).st_size), summed)
                sums[name] = summed.digest.hexdigest()
            manifest = json.dumps({**facts, "sha256": sums}, indent=1, sort_keys=True).encode()
            tar.addfile(_member(MANIFEST, len(manifest)), io.BytesIO(manifest))
        output.flush()
        os.fsync(output.fileno())
    partial.replace(archive)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = datadir.PRIVATE_FILE
    return member


class _Summing(io.RawIOBase):
    """A file that is summed while it is read."""

    def __init__(self, source: IO[bytes]) -> None:
        super().__init__()
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._source.read(size)
        self.digest.update(chunk)
        return chunk


def _unpack(archive: Path, target: Path) -> dict[str, Any]:
    """Unpack into an empty folder; every file is summed, and only what the manifest lists may be there."""
    sums: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    try:
        with tarfile.open(archive, mode="r:gz") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() else None
                if content is None or not _harmless(member.name):
                    raise CommandFailed(ExitCode.DATA, f"{archive.name} holds what no backup holds")
                if member.name == MANIFEST:
                    manifest = json.loads(content.read())
                else:
                    sums[member.name] = _write(content, target / member.name)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise CommandFailed(ExitCode.DATA, f"{archive.name} cannot be read: {type(error).__name__}") from error
    if manifest is None or manifest.get("format") != FORMAT or manifest.get("sha256") != sums:
        raise CommandFailed(ExitCode.DATA, f"{archive.name} is damaged: its files do not match its manifest")
    return manifest


def _harmless(name: str) -> bool:
    path = Path(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name


def _write(content: IO[bytes], path: Path) -> str:
    path.parent.mkdir(mode=datadir.PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, datadir.PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as output:
        shutil.copyfileobj(content, output, _CHUNK)
        output.flush()
        os.fsync(output.fileno())
    with path.open("rb") as written:
        return hashlib.file_digest(written, "sha256").hexdigest()
