"""Routes of the backups (备份) of a transfer job: both companies may read them; containers themselves go by hand."""

from litestar import Controller, get
from litestar.params import FromPath

from api.deps import Deps
from api.identity.authenticate import requires
from api.identity.principal import Caller
from api.transfers.backup_bodies import BackupAnswer, BackupList, ManifestAnswer
from models.domain.roles import Permission
from models.errors import NotFound
from models.queries.transfers.backups import backups_of, visible_job
from models.tables.transfers import TransferBackup


class TransferBackupController(Controller):
    """Backups of a job, and their signed manifests."""

    path = "/v1/transfers/{job:str}/backups"
    tags = ("Transfers",)

    @get("/", guards=[requires(Permission.TRANSFERS_READ)], sync_to_thread=True, operation_id="ListTransferBackups")
    def list_backups(self, job: FromPath[str], deps: Deps, principal: Caller) -> BackupList:
        """Every backup of both sides, by side and number."""
        with deps.database.read() as session:
            known = visible_job(session, job, tenant=principal.tenant)
            if known is None:
                raise NotFound
            found = backups_of(session, known.token)
        return BackupList(items=[_answer(each) for each in found])

    @get(
        "/{backup:str}/manifest",
        guards=[requires(Permission.TRANSFERS_READ)],
        sync_to_thread=True,
        operation_id="GetTransferBackupManifest",
    )
    def manifest(self, job: FromPath[str], backup: FromPath[str], deps: Deps, principal: Caller) -> ManifestAnswer:
        """The signed manifest of one backup: counts, keyed figures, digests. No key opens anything by it alone."""
        with deps.database.read() as session:
            known = visible_job(session, job, tenant=principal.tenant)
            found = None if known is None else session.get(TransferBackup, backup)
        if found is None or found.job != job or found.manifest is None:
            raise NotFound
        document = found.manifest
        return ManifestAnswer(
            format=document["format"],
            manifest=document["manifest"],
            verifier_key=document["verifierKey"],
            signature=document["signature"],
        )


def _answer(backup: TransferBackup) -> BackupAnswer:
    manifest = (backup.manifest or {}).get("manifest", {})
    return BackupAnswer(
        id=backup.id,
        side=backup.side,
        number=backup.number,
        state=backup.state,
        records=backup.records,
        root=backup.root,
        manifest_hash=backup.manifest_hash,
        escrow=manifest.get("escrow"),
        fault=backup.fault,
        made_at=backup.made_at,
        proven_at=backup.proven_at,
    )
