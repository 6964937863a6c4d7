"""The key-encryption key (KEK, 密钥加密密钥): the one secret that is never in a database. It wraps branch keys only.

Providers differ in where the key lies. `FileKek` and `EnvKek` hold the same kind of secret; one can replace the other.
"""

import base64
import binascii
import os
import stat
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Final

from compliance.vault.framing import framed
from compliance.vault.suites import DEFAULT_SUITE, NONCE_BYTES, TAG_BYTES, SealingKey, suite_of
from models.errors import CannotOpen, KeysUnavailable, UnsafeSetting

SECRET_BYTES: Final = 32
_FORMAT: Final = 1
_HEADER_BYTES: Final = 2
_LARGEST_FILE: Final = 4096
# 32 random bytes repeat themselves little (fewer than 17 different ones: less than 1 in 10^13). Sample keys and
# hexadecimal text do.
_FEWEST_DIFFERENT_BYTES: Final = 17


class KekProvider(ABC):
    """Wraps and unwraps keys of at most 64 bytes, bound to associated data."""

    @property
    @abstractmethod
    def id(self) -> str:
        """Names the key without telling it: for logs and for the key store's own account of who wrapped it."""

    @abstractmethod
    def wrap(self, key: bytes, *, associated_data: bytes) -> bytes:
        """The key, sealed.

        Raises:
            KeysUnavailable: the provider cannot be reached.
        """

    @abstractmethod
    def unwrap(self, wrapped: bytes, *, associated_data: bytes) -> bytes:
        """The key behind `wrapped`.

        Raises:
            CannotOpen: it was wrapped by another key, for something else, or was altered.
            KeysUnavailable: the provider cannot be reached.
        """


class _LocalKek(KekProvider):
    """A KEK whose secret lies in this process. Wrapped form: `format(1) suite(1) nonce(12) ciphertext tag(16)`."""

    def __init__(self, secret: bytes, *, source: str) -> None:
        if len(secret) < SECRET_BYTES:
            raise UnsafeSetting(
                detail=f"the key-encryption key in {source} has {len(secret)} bytes; it needs at least {SECRET_BYTES}, "
                "random, in base64: `casework keys init` makes one"
            )
        if len(set(secret)) < _FEWEST_DIFFERENT_BYTES:
            raise UnsafeSetting(
                detail=f"the key-encryption key in {source} is no random key (a sample or a text); "
                "`casework keys init` makes one"
            )
        suite = DEFAULT_SUITE
        key = suite.derive(secret, info=framed("casework.kek", _FORMAT), length=suite.key_bytes)
        self._key = SealingKey(suite, key, version=0)
        self._id = "local:" + suite.derive(secret, info=framed("casework.kek-id", _FORMAT), length=8).hex()

    @property
    def id(self) -> str:
        return self._id

    def wrap(self, key: bytes, *, associated_data: bytes) -> bytes:
        header = bytes((_FORMAT, self._key.suite.id))
        return header + self._key.seal(key, framed("casework.wrapped", header, associated_data))

    def unwrap(self, wrapped: bytes, *, associated_data: bytes) -> bytes:
        header = wrapped[:_HEADER_BYTES]
        if len(wrapped) < _HEADER_BYTES + NONCE_BYTES + TAG_BYTES or header[0] != _FORMAT:
            raise CannotOpen(detail="not a wrapped key of a known format")
        if suite_of(header[1]) is not self._key.suite:
            raise CannotOpen(detail=f"wrapped under suite {header[1]}")
        return self._key.open(wrapped[_HEADER_BYTES:], framed("casework.wrapped", header, associated_data))


class FileKek(_LocalKek):
    """The key in a file of mode 0600 that belongs to us; the file holds base64 and a line feed."""

    def __init__(self, path: Path) -> None:
        """Read the key.

        Raises:
            KeysUnavailable: there is no such file.
            UnsafeSetting: somebody else can read the file, or it holds no key; the detail names the fix.
        """
        super().__init__(_decoded(_read_private(path), source=str(path)), source=str(path))


class EnvKek(_LocalKek):
    """The key as base64 text, which the settings read from the environment or a secret store."""

    def __init__(self, value: str) -> None:
        """Take the key.

        Raises:
            UnsafeSetting: it is no base64, shorter than 32 bytes, or not random.
        """
        super().__init__(_decoded(value.encode(errors="replace"), source="the environment"), source="the environment")


def create_kek_file(path: Path) -> None:
    """Make a new key-encryption key in a file that did not exist.

    Raises:
        UnsafeSetting: the file exists. A key is never replaced: what it wrapped would be lost.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise UnsafeSetting(detail=f"{path} exists; a key-encryption key is never replaced") from None
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)
        file.write(base64.b64encode(os.urandom(SECRET_BYTES)) + b"\n")
        file.flush()
        os.fsync(descriptor)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a new or renamed name in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_private(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise KeysUnavailable(
            detail=f"no key-encryption key at {path}: put the file back; on an empty installation, `casework keys init`"
        ) from None
    except OSError as error:
        raise KeysUnavailable(detail=f"the key-encryption key at {path} cannot be read: {error.strerror}") from None
    try:
        # Asked of the open file, so that it cannot be exchanged between the look and the reading.
        _refuse_shared(path, os.fstat(descriptor))
        return os.read(descriptor, _LARGEST_FILE + 1)
    finally:
        os.close(descriptor)


def _refuse_shared(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeSetting(detail=f"{path} is not a regular file")
    if status.st_uid != os.geteuid():
        raise UnsafeSetting(
            detail=f"{path} belongs to user {status.st_uid}, not to {os.geteuid()}: chown {os.geteuid()} {path}"
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & ~0o600:
        raise UnsafeSetting(detail=f"{path} has mode {mode:04o}; others could read the key: chmod 0600 {path}")


def _decoded(text: bytes, *, source: str) -> bytes:
    try:
        return base64.b64decode(text.strip()[:_LARGEST_FILE], validate=True)
    except (binascii.Error, ValueError):
        raise UnsafeSetting(detail=f"the key-encryption key in {source} is not base64") from None
