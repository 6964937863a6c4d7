"""Deleting sealed backups when their term is over (备份到期销毁): the container, then the envelopes of its key.

Files go first, so that nothing is said to be deleted that is there; killed in between, the next turn finds no file and
writes the deed. The certificate follows once the deed has its place in the log.
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final

import structlog
from sqlmodel import col, update

from activities.duties.runner import Duty
from activities.transfers.backup_files import BackupFiles
from compliance.audit.checkpoint import origin_of
from compliance.audit.deeds import Deed
from compliance.audit.seal import SIGNING_KEY_NAME
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.transfers.backup_certificate import ACTION, SHARED, issue
from compliance.transfers.backup_container import SUFFIX
from compliance.vault.erasure import inclusion_of
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.transfers.keeping import backups_until
from models.domain.transfers.states import BackupState
from models.queries.transfers.backups import backups_of_ended_jobs, uncertified_backups
from models.tables.transfers import TransferBackup, TransferJob

log = structlog.get_logger(__name__)
ACTOR: Final = "duty:backup-retention"
_NO_COPIES: Final = "the container of this installation and the envelopes of its key; no copy that was taken elsewhere"


@dataclass(slots=True)
class BackupRetention(Duty):
    """Every ten minutes over the backups of jobs that have ended; one that cannot be deleted holds up no other.

    Attributes:
        folder: where containers lie, one folder for each job.
    """

    database: Database
    vault: Vault
    folder: Path
    name: ClassVar[str] = "backup-retention"
    every: ClassVar[timedelta] = timedelta(minutes=10)

    async def run_once(self, now: datetime) -> int:
        """Go through once; returns how many backups were deleted or certified."""
        return await asyncio.to_thread(self.sweep, now)

    def sweep(self, now: datetime) -> int:
        """As `run_once`; blocking."""
        with self.database.read() as session:
            standing = backups_of_ended_jobs(session)
        deleted = sum(self._delete(backup, job, now) for backup, job in standing)
        with self.database.read() as session:
            waiting = uncertified_backups(session)
        return deleted + sum(self._certify(backup, now) for backup in waiting)

    def _delete(self, backup: TransferBackup, job: TransferJob, now: datetime) -> bool:
        if job.ended_at is None or now < (until := backups_until(job.plan, job.ended_at)):
            return False
        try:
            files = BackupFiles(self.folder / job.token)
            for container in sorted(files.root.glob(f"{backup.id}-*{SUFFIX}")):
                files.forget(container)
        except OSError as error:
            log.warning("transfer-backup.not-deleted", backup=backup.id, error_type=type(error).__name__)
            return False
        manifest = (backup.manifest or {}).get("manifest", {})
        facts: dict[str, Any] = {
            "job": job.token,
            "side": backup.side,
            "number": backup.number,
            "manifest": backup.manifest_hash,
            "container": manifest.get("container", {}).get("sha256"),
            "records": backup.records,
            "root": backup.root,
            "keptUntil": until.isoformat(),
            "escrow": manifest.get("escrow"),
        }
        deed = Deed(tenant=backup.tenant, action=ACTION, target=backup.id, actor=ACTOR, at=now, facts=facts)
        with unit_of_work(self.database, deed) as unit:
            # The manifest goes with its envelopes; its hash stays, and with it what was certified of it.
            gone = unit.session.connection().execute(
                update(TransferBackup)
                .where(col(TransferBackup.id) == backup.id, col(TransferBackup.deleted_at).is_(None))
                .values(state=BackupState.DELETED.value, manifest=None, deleted_at=now)
            )
            if not gone.rowcount:
                raise Unchanged
        return bool(unit.event_ids)

    def _certify(self, backup: TransferBackup, now: datetime) -> bool:
        with self.database.read() as session:
            inclusion = inclusion_of(session, action=ACTION, target=backup.id)
        if inclusion is None or backup.deleted_at is None:
            return False
        facts = json.loads(inclusion.body)["facts"]
        key = self.vault.signing_key(SIGNING_KEY_NAME)
        statement = {name: facts.get(name) for name in SHARED} | {
            "installation": origin_of(key.public_key()),
            "tenant": backup.tenant,
            "backup": backup.id,
            "deletedAt": backup.deleted_at.isoformat(),
            "covers": _NO_COPIES,
        }
        text = issue(statement, inclusion, key=key)
        deed = Deed(
            tenant=backup.tenant, action="transfer.backup-deletion-certified", target=backup.id, actor=ACTOR, at=now
        )
        with unit_of_work(self.database, deed) as unit:
            kept = unit.session.connection().execute(
                update(TransferBackup)
                .where(col(TransferBackup.id) == backup.id, col(TransferBackup.certificate).is_(None))
                .values(certificate=text)
            )
            if not kept.rowcount:
                raise Unchanged
        return bool(unit.event_ids)
