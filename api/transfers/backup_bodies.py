"""Shapes of the backups (备份) of a transfer job."""

from datetime import datetime
from typing import Any

from api.bodies import Answer


class BackupAnswer(Answer):
    """One backup: whose book, how far it is proven, and what a proof found by name. Nothing here opens anything.

    `escrow`: the offline recipient's key, or that there is none and what this means.
    """

    id: str
    side: str
    number: int
    state: str
    records: int | None
    root: str | None
    manifest_hash: str | None
    escrow: str | None
    fault: dict[str, Any] | None
    made_at: datetime
    proven_at: datetime | None
    deleted_at: datetime | None


class BackupList(Answer):
    """All backups of a job, those that were found wrong among them."""

    items: list[BackupAnswer]


class ManifestAnswer(Answer):
    """The signed manifest, as `casework transfer verify` takes it (docs/transfer-backup.md)."""

    format: str
    manifest: dict[str, Any]
    verifier_key: str
    signature: str
