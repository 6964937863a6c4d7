"""Files that `casework transfer` reads and writes: plans and mappings (TOML), reports."""

from pathlib import Path
from typing import Final

from deploy import datadir
from deploy.exits import CommandFailed, ExitCode

_MOST_BYTES: Final = 1 << 20


def read_text(path: Path) -> str:
    """A text of at most a megabyte.

    Raises:
        CommandFailed: 65, it cannot be read, is longer, or is no UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise CommandFailed(ExitCode.DATA, f"{path}: longer than a megabyte")
        return content.decode()
    except UnicodeDecodeError:
        raise CommandFailed(ExitCode.DATA, f"{path}: this is no UTF-8 text") from None
    except OSError as error:
        raise CommandFailed(ExitCode.DATA, f"{path} cannot be read: {error.strerror}") from None


def write_new(path: Path, content: bytes, *, force: bool) -> None:
    """Write a file for its owner alone; it appears when it is complete.

    Raises:
        CommandFailed: 73, it exists and shall not be replaced, or cannot be written.
    """
    if path.exists() and not force:
        raise CommandFailed(ExitCode.CANNOT_CREATE, f"{path} exists; choose another name or give --force")
    unfinished = path.with_name(f".{path.name}.part")
    try:
        unfinished.write_bytes(content)
        unfinished.chmod(datadir.PRIVATE_FILE)
        unfinished.replace(path)
    except OSError as error:
        raise CommandFailed(ExitCode.CANNOT_CREATE, f"{path} cannot be written: {error.strerror}") from None
