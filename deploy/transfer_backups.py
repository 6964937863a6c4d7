"""The steps of back up (备份) as this installation runs them: where containers lie, and to whom they are sealed."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from activities.duties.runner import Duty
from activities.transfers.backup_retention import BackupRetention
from activities.transfers.backup_steps import SqlBackup
from activities.transfers.job_retention import JobRetention
from compliance.transfers.backup_envelopes import escrow_public_key
from compliance.vault.keyring import Vault
from deploy.values import Settings
from models.database.engine import Database
from models.domain.clock import Clock


def backup_steps(settings: Settings, *, database: Database, vault: Vault, clock: Clock) -> SqlBackup:
    """The steps, for the worker of the bulk queue. The settings were judged before (`deploy.safety`)."""
    return SqlBackup(database, vault, clock, transfer_backup_folder(settings), escrow=_escrow(settings))


def transfer_backup_folder(settings: Settings) -> Path:
    """Where the containers of transfer jobs lie, sealed: beside what else the bank takes over."""
    return settings.exchange / "transfers" / "backups"


def retention_duties(settings: Settings, *, database: Database, vault: Vault) -> tuple[Duty, ...]:
    """What deletes backups, and destroys the keys of a job, when their time is over."""
    return BackupRetention(database, vault, transfer_backup_folder(settings)), JobRetention(database, vault)


def _escrow(settings: Settings) -> X25519PublicKey | None:
    path = settings.transfer_escrow
    return None if path is None else escrow_public_key(path.read_bytes())
