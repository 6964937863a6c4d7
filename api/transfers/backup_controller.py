"""Routes of the backups (备份) of a transfer job: both companies may read them; containers themselves go by hand."""

from litestar import Controller, Response, get
from litestar.params import FromPath

from api.deps import Deps
from api.identity.authenticate import requires
from api.identity.principal import Caller
from api.transfers.backup_bodies import BackupAnswer, BackupList, ManifestAnswer
from api.transfers.lookup import known_job
from models.domain.roles import Permission
from models.errors import NotFound
from models.queries.transfers.backups import backups_of
from models.tables.transfers import TransferBackup


class TransferBackupController(Controller):
    """Backups of a job, and their signed manifests."""

    path = "/v1/transfers/{job:str}/backups"
    tags = ("Transfers",)

    @get("/", guards=[requires(Permission.TRANSFERS_READ)], sync_to_thread=True, operation_id="ListTransferBackups")
    def list_backups(self, job: FromPath[str], deps: Deps, principal: Caller) -> BackupList:
        """Every backup of both sides, by side and number."""
        with deps.database.read() as session:
            found = backups_of(session, known_job(session, principal, job).token)
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
            token = known_job(session, principal, job).token
            found = session.get(TransferBackup, backup)
        if found is None or found.job != token or found.manifest is None:
            raise NotFound
        document = found.manifest
        return ManifestAnswer(
            format=document["format"],
            manifest=document["manifest"],
            verifier_key=document["verifierKey"],
            signature=document["signature"],
        )

    @get(
        "/{backup:str}/deletion-certificate",
        guards=[requires(Permission.TRANSFERS_READ)],
        sync_to_thread=True,
        media_type="application/json",
        operation_id="GetTransferBackupDeletionCertificate",
    )
    def certificate(self, job: FromPath[str], backup: FromPath[str], deps: Deps, principal: Caller) -> Response[bytes]:
        """That the container was deleted when its term was over, signed: `casework transfer verify-deletion`."""
        with deps.database.read() as session:
            token = known_job(session, principal, job).token
            found = session.get(TransferBackup, backup)
        if found is None or found.job != token or found.certificate is None:
            raise NotFound
        headers = {"Content-Disposition": f'attachment; filename="{found.id}.json"'}
        return Response(found.certificate.encode(), media_type="application/json", headers=headers)


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
        deleted_at=backup.deleted_at,
    )
