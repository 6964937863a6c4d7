"""Where the containers of transfer jobs lie, what killed tries left of them, and finished ones that nobody noted."""

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from compliance.transfers.backup_container import SUFFIX, Beat, check_container, forget_drafts
from compliance.transfers.backup_envelopes import BackupName
from compliance.transfers.backup_faults import BackupFault
from compliance.transfers.backup_manifest import name_in, read_document, verified
from compliance.vault.kek import sync_folder

MANIFEST_SUFFIX: Final = ".manifest.json"


@dataclass(frozen=True, slots=True)
class BackupFiles:
    """The folder of the backups of one job; nothing lies there in the clear."""

    root: Path

    def of_job(self, job: str) -> "BackupFiles":
        """The folder of one job, made if it is missing."""
        folder = self.root / job
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return BackupFiles(folder)

    def new(self, name: BackupName) -> Path:
        """Where a new try writes its container: two tries at once never write the same file."""
        return self.root / f"{name.id}-{os.urandom(4).hex()}{SUFFIX}"

    def write_manifest(self, container: Path, document: dict[str, Any]) -> None:
        """Put the signed manifest beside its container, whole or not at all; with it the backup is finished."""
        target = manifest_beside(container)
        draft = target.with_name(f".{target.name}.part")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
            json.dump(document, file, ensure_ascii=False, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        sync_folder(self.root)

    def finished(
        self, name: BackupName, *, public_key: Ed25519PublicKey, beat: Beat
    ) -> tuple[Path, dict[str, Any]] | None:
        """A container of this backup that a killed try had finished, with its document; what is half is thrown away."""
        found = None
        for container in sorted(self.root.glob(f"{name.id}-*{SUFFIX}")):
            document = self._whole(container, name, public_key, beat)
            if document is None or found is not None:
                self.forget(container)
            else:
                found = container, document
        forget_drafts(self.root, name.id)
        return found

    @staticmethod
    def forget(container: Path) -> None:
        """Remove a container and its manifest."""
        for path in (manifest_beside(container), container):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()

    @staticmethod
    def _whole(container: Path, name: BackupName, public_key: Ed25519PublicKey, beat: Beat) -> dict[str, Any] | None:
        try:
            document = read_document(manifest_beside(container).read_bytes())
            manifest = verified(document, public_key=public_key)
            if name_in(manifest) != name:
                return None
            check_container(container, manifest["container"], beat=beat)
        except (FileNotFoundError, BackupFault, KeyError):
            return None
        return document


def manifest_beside(container: Path) -> Path:
    """Where the manifest of a container lies."""
    return container.with_name(container.name.removesuffix(SUFFIX) + MANIFEST_SUFFIX)
