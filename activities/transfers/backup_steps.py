"""The adapter of back up (备份): a sealed snapshot of one side's book, and its proof by restoring it into scratch.

A backup that was found wrong stays on record with what was found; the next try of its proof makes another one first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from sqlmodel import Session, col, update
from temporalio import activity
from temporalio.exceptions import CancelledError

from activities.transfers.backup_files import BackupFiles
from activities.transfers.backup_snapshot import BackupMaker
from compliance.audit.deeds import Deed
from compliance.audit.seal import SIGNING_KEY_NAME
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.transfers.backup_envelopes import BackupName, escrow_public_key, open_as_tenant
from compliance.transfers.backup_faults import BackupFault, FaultCode
from compliance.transfers.backup_manifest import manifest_hash, name_in, verified
from compliance.transfers.backup_proof import prove
from compliance.transfers.proof_keys import job_proof_key
from compliance.transfers.training import require_training
from compliance.vault.keyring import Vault
from models.contracts.transfers import ChunkDone, ChunkStep
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.tokens import named_token
from models.domain.transfers.scope import scope_of
from models.domain.transfers.states import BackupState, Side
from models.errors import NotFound
from models.queries.transfers.backups import newest_backup, transfer_job
from models.tables.transfers import TransferBackup, TransferJob
from workflows.ports.transfers import BackupPort

_DONE: Final = ChunkDone(after=None)
_PAUSED: Final = ChunkDone(after=None, paused=True)


@dataclass(slots=True)
class SqlBackup(BackupPort):
    """The steps.

    Attributes:
        folder: where containers and manifests lie, one folder for each job; outside the data directory.
        escrow: the offline recipient of every container, unless the plan of a job names another.
    """

    database: Database
    vault: Vault
    clock: Clock
    folder: Path
    escrow: X25519PublicKey | None = None

    @activity.defn(name="transfers.snapshot", no_thread_cancel_exception=True)
    def snapshot(self, input: ChunkStep) -> ChunkDone:
        """Write the container of one side; one that was made and not found wrong is found again."""
        job, tenant = self._job(input)
        if tenant is None:
            return _DONE  # the source's records come from files: its book is not here
        if job.paused_at is not None:
            return _PAUSED
        newest = self._newest(input)
        if newest is None or newest.state == BackupState.FAILED:
            require_training(self.database, job=job.token, now=self.clock())
            self._make(job, _name(tenant, input, number=1 if newest is None else newest.number + 1))
        return _DONE

    @activity.defn(name="transfers.prove_backup", no_thread_cancel_exception=True)
    def prove_backup(self, input: ChunkStep) -> ChunkDone:
        """Restore one side's container into scratch and compute its manifest again; `stopped` names what differs."""
        job, tenant = self._job(input)
        if tenant is None:
            return _DONE
        if job.paused_at is not None:
            return _PAUSED
        self.snapshot(input)  # finds it, but where the last one was found wrong
        backup = self._newest(input)
        if backup is None or backup.state == BackupState.PROVEN:
            return _DONE
        require_training(self.database, job=job.token, now=self.clock())
        try:
            figures = self._proven(job, backup)
        except BackupFault as fault:
            self._note(backup, BackupState.FAILED, fault=fault.as_json())
            return ChunkDone(after=None, stopped=f"backup-{fault.code.value}")
        self._note(backup, BackupState.PROVEN, root=figures["root"])
        return _DONE

    # Making -----------------------------------------------------------------------------------------------------------

    def _make(self, job: TransferJob, name: BackupName) -> None:
        files, signing = BackupFiles(self.folder).of_job(job.token), self.vault.signing_key(SIGNING_KEY_NAME)
        found = files.finished(name, public_key=signing.public_key(), beat=_beat)
        if found is None:
            maker = BackupMaker(
                database=self.database,
                vault=self.vault,
                clock=self.clock,
                signing_key=signing,
                escrow=_escrow_of(job.plan) or self.escrow,
                fields=scope_of(job.plan),
            )
            path = files.new(name)
            key = job_proof_key(self.vault, tenant=job.tenant, job=job.token)
            document = maker.make(name, key, path, beat=_beat)
            files.write_manifest(path, document)
            found = path, document
        if not self._record(name, found[1]):  # another try was first; its container is the one on record
            files.forget(found[0])

    def _record(self, name: BackupName, document: Mapping[str, Any]) -> bool:
        now, manifest = self.clock(), document["manifest"]
        row = TransferBackup(
            id=name.id,
            tenant=name.tenant,
            job=name.job,
            side=name.side,
            number=name.number,
            state=BackupState.MADE,
            manifest=dict(document),
            manifest_hash=manifest_hash(manifest),
            records=manifest["figures"]["rows"],
            root=manifest["figures"]["root"],
            made_at=now,
        )
        facts = {
            "container": manifest["container"]["sha256"],
            "escrow": manifest["escrow"],
            "leftOut": manifest["scope"]["leftOut"],
            "manifest": row.manifest_hash,
            "number": name.number,
            "records": row.records,
            "root": row.root,
            "side": name.side,
        }
        is_new = True
        with unit_of_work(self.database, _deed("transfer.backup-made", name, now, facts)) as unit:
            standing = unit.session.get(TransferBackup, name.id)
            if standing is not None:
                is_new = standing.manifest_hash == row.manifest_hash
                raise Unchanged
            unit.session.add(row)
        return is_new

    # Proving ----------------------------------------------------------------------------------------------------------

    def _proven(self, job: TransferJob, backup: TransferBackup) -> dict[str, Any]:
        files = BackupFiles(self.folder).of_job(job.token)
        public_key = self.vault.signing_key(SIGNING_KEY_NAME).public_key()
        manifest = verified(backup.manifest or {}, public_key=public_key)
        name = name_in(manifest)
        if name != _name_of(backup):
            raise BackupFault(FaultCode.OTHER_BACKUP, names=(name.id,))
        secrets = open_as_tenant(self.vault, name, manifest["recipients"])
        path = files.root / Path(manifest["container"]["file"]).name
        return prove(path, manifest, secrets, scratch=files.root, beat=_beat)

    def _note(
        self,
        backup: TransferBackup,
        state: BackupState,
        *,
        fault: dict[str, Any] | None = None,
        root: str | None = None,
    ) -> None:
        now, name = self.clock(), _name_of(backup)
        action = "transfer.backup-proven" if fault is None else "transfer.backup-failed"
        facts: dict[str, Any] = {"manifest": backup.manifest_hash, "number": name.number, "side": name.side}
        facts |= {"records": backup.records, "root": root} if fault is None else {"fault": fault}
        with unit_of_work(self.database, _deed(action, name, now, facts)) as unit:
            changed = unit.session.connection().execute(
                update(TransferBackup)
                .where(col(TransferBackup.id) == backup.id, col(TransferBackup.state) == BackupState.MADE)
                .values(state=state, fault=fault, proven_at=now if fault is None else None)
            )
            if not changed.rowcount:
                raise Unchanged

    # Inside -----------------------------------------------------------------------------------------------------------

    def _job(self, input: ChunkStep) -> tuple[TransferJob, str | None]:
        with self.database.read() as session:
            job = _found(session, input.job)
        return job, job.tenant if Side(input.side) is Side.TARGET else job.source_tenant

    def _newest(self, input: ChunkStep) -> TransferBackup | None:
        with self.database.read() as session:
            return newest_backup(session, job=input.job, side=input.side)


def _found(session: Session, token: str) -> TransferJob:
    job = transfer_job(session, token)
    if job is None:
        raise NotFound(detail=f"transfer job {token}")
    return job


def _name(tenant: str, step: ChunkStep, *, number: int) -> BackupName:
    key = f"{step.job}/{step.side}/{number}"
    return BackupName(id=named_token("tbk", key), tenant=tenant, job=step.job, side=step.side, number=number)


def _name_of(backup: TransferBackup) -> BackupName:
    return BackupName(id=backup.id, tenant=backup.tenant, job=backup.job, side=backup.side, number=backup.number)


def _escrow_of(plan: Mapping[str, Any]) -> X25519PublicKey | None:
    """The escrow key that the approved plan names (`backup.escrow_key`, 32 bytes in base64), if it names one."""
    named = plan.get("backup")
    text = named.get("escrow_key") if isinstance(named, Mapping) else None
    return None if not text else escrow_public_key(str(text).encode())


def _deed(action: str, name: BackupName, at: datetime, facts: dict[str, Any]) -> Deed:
    return Deed(
        tenant=name.tenant,
        action=action,
        target=name.job,
        actor="workflow",
        at=at,
        facts={"backup": name.id, **facts},
    )


def _beat() -> None:
    if activity.in_activity():
        activity.heartbeat()
        if activity.is_cancelled():
            raise CancelledError
