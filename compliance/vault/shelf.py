"""The shelf of sealed documents: where each file lies, and how a finished document gets there once."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from compliance.vault.files import FileAddress, SealedFile
from compliance.vault.keyring import Vault


def file_path(files_root: Path, *, tenant: str, document_id: str) -> Path:
    """Where a document's sealed file lies."""
    return files_root / tenant / document_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """The sealed files under one root."""

    vault: Vault
    root: Path

    def path(self, address: FileAddress) -> Path:
        """Where the file of a document lies."""
        return file_path(self.root, tenant=address.tenant, document_id=address.document_id)

    def put(self, address: FileAddress, pieces: Iterator[bytes]) -> SealedFile:
        """Seal what streams in; a file of that name is replaced.

        Raises:
            SubjectShredded: the person's keys were destroyed.
        """
        target = self.path(address)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.vault.seal_file(address, pieces, target)

    def put_once(self, address: FileAddress, content: bytes) -> SealedFile:
        """Seal a finished document under a name that follows from what it is for; the first one that was put stands.

        A step that was killed after it put its file finds it again: nobody is left with two, and a digest that is on
        record is never of a file that was written over.

        Raises:
            CannotOpen: the file that is there is no document of this address.
            SubjectShredded: the person's keys were destroyed.
        """
        target = self.path(address)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not target.exists():
            draft = target.with_name(f".{target.name}.{os.urandom(8).hex()}.draft")
            try:
                self.vault.seal_file(address, iter((content,)), draft)
                with contextlib.suppress(FileExistsError):
                    os.link(draft, target)  # unlike a rename, it never takes the place of another
            except FileNotFoundError:  # another try at this moment was first, and cleared our draft away
                if not target.exists():
                    raise
            finally:
                draft.unlink(missing_ok=True)
        self._clear(target)
        return self._standing(address, target)

    def read(self, address: FileAddress) -> bytes:
        """The whole content, in memory.

        Raises:
            CannotOpen: altered or missing.
            SubjectShredded: the person's keys were destroyed.
        """
        return b"".join(self.vault.open_file(address, self.path(address)))

    def _standing(self, address: FileAddress, target: Path) -> SealedFile:
        size = sum(len(piece) for piece in self.vault.open_file(address, target))
        with target.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return SealedFile(size_bytes=size, digest=digest)

    def _clear(self, target: Path) -> None:
        """What killed tries have left beside the file: drafts of it, complete or not."""
        for left in target.parent.glob(f"*.{target.name}.*"):
            left.unlink(missing_ok=True)
