"""The data directory on disk: private to its owner, and held by one process tree at a time."""

import fcntl
import json
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from deploy.exits import CommandFailed, ExitCode
from deploy.values import DataDir, Settings

PRIVATE_DIRECTORY: Final = 0o700
PRIVATE_FILE: Final = 0o600
PATIENCE_SECONDS: Final = 3.0  # a killed supervisor's children need a moment to go
_POLL_SECONDS: Final = 0.05


def make_private() -> None:
    """Everything this process and its children create is for their owner alone, and none of them leaves a core dump.

    A core would hold keys and opened data in clear, in a file that nobody looks after.
    """
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def prepare(data: DataDir) -> None:
    """Make the directories, and close what an earlier version or a hasty copy left open."""
    for directory in (data.root, data.files, data.logs, data.run):
        directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        directory.chmod(PRIVATE_DIRECTORY)
    for path in data.root.iterdir():
        if path.is_file():
            path.chmod(PRIVATE_FILE)


def is_empty(data: DataDir) -> bool:
    """Whether no installation has lived here."""
    return not any(path.exists() for path in (data.database, data.keys, data.temporal))


def write_private(path: Path, value: Any) -> None:
    """Write JSON, 0600, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_json(path: Path) -> Any:
    """What `write_private` wrote, or None."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


@contextmanager
def held(data: DataDir, *, purpose: str, patience: float = PATIENCE_SECONDS) -> Iterator[int]:
    """Hold the directory; yields the locked descriptor, to be handed to every child.

    The kernel lets go when the last process that has the descriptor is gone: after `kill -9` of the holder nobody can
    open the same files while a child of it still lives.

    Args:
        data: the directory.
        purpose: what the holder is doing, for whoever is turned away.
        patience: seconds to wait for the present holder.

    Raises:
        CommandFailed: exit code 75, naming the holder.
    """
    data.root.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    descriptor = os.open(data.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        _wait_for(descriptor, data, patience)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "purpose": purpose}).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def holder(data: DataDir) -> dict[str, Any] | None:
    """Who holds the directory now, or None."""
    try:
        descriptor = os.open(data.lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _named(descriptor)
    finally:
        os.close(descriptor)
    return None


def _wait_for(descriptor: int, data: DataDir, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)
                continue
            named = _named(descriptor)
            raise CommandFailed(
                ExitCode.TEMPORARY,
                f"{data.root} is held by process {named.get('pid', '?')} (`casework {named.get('purpose', '?')}`); "
                "stop it first, or use the running installation",
            ) from None
        return


def _named(descriptor: int) -> dict[str, Any]:
    try:
        value = json.loads(os.pread(descriptor, 4096, 0))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@contextmanager
def exclusive(settings: Settings, *, purpose: str) -> Iterator[None]:
    """Hold the directory of an embedded installation for one command; nothing to hold with PostgreSQL.

    Raises:
        CommandFailed: exit code 75 at once, naming the holder.
    """
    if not settings.database_url.startswith("sqlite"):
        yield
        return
    with held(settings.data, purpose=purpose, patience=0.0):
        yield
