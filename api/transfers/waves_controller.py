"""Routes of waves (批次) and of what a job did to a record; rollback of one record is asked for here."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody

from api.deps import ApiDeps, Deps, Locale
from api.four_eyes import by
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import fresh_login, requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.transfers.conflicts_views import conflict_answer
from api.transfers.lookup import job_to_open, known_job
from api.transfers.masking import masked_field
from api.transfers.readings import note_changes_shown
from api.transfers.waves_bodies import (
    ChangeAnswer,
    ChangeList,
    ConflictAnswer,
    FieldChange,
    RollbackRequestBody,
    WaveAnswer,
    WaveList,
)
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.customer_layout import open_customers, stored_of
from models.domain.customers.record import FIELDS
from models.domain.privacy.masks import MaskPolicy
from models.domain.roles import Permission
from models.domain.transfers.images import columns_of
from models.errors import NotFound, SubjectShredded, WrongState
from models.operations.idempotency import open_key
from models.operations.transfers.conflicts import request_undo
from models.operations.transfers.wave_moves import records_by_id
from models.queries.products import masks_of
from models.queries.transfers.waves import list_changes, list_waves
from models.tables.transfer_waves import TransferConflict
from models.tables.transfers import TransferChange, TransferWave


class TransferWaveController(Controller):
    """Waves of a job, and the journal of a record."""

    path = "/v1/transfers/{job:str}"
    tags = ("Transfers",)

    @get("/waves", guards=[requires(Permission.TRANSFERS_READ)], sync_to_thread=True, operation_id="ListTransferWaves")
    def waves(self, job: FromPath[str], deps: Deps, principal: Caller) -> WaveList:
        """All waves: how far each is, its roots, and what the account at its end has found."""
        with deps.database.read() as session:
            found = list_waves(session, known_job(session, principal, job, own=True).token)
        return WaveList(items=[_wave(each) for each in found])

    @get(
        "/records/{record:str}/changes",
        guards=[requires(Permission.TRANSFERS_READ)],
        sync_to_thread=True,
        operation_id="ListTransferChanges",
    )
    def changes(self, job: FromPath[str], record: FromPath[str], deps: Deps, principal: Caller) -> ChangeList:
        """What the job did to a record, before and after, masked; that it was shown is recorded."""
        token = job_to_open(deps, principal, job).token
        with deps.database.read() as session:
            lines = list_changes(session, token, record)
            masks = masks_of(session, principal.tenant)
        if not lines:
            raise NotFound
        items = [_change(deps, each, masks) for each in lines]
        fields = {field.field for item in items for field in item.fields}
        note_changes_shown(deps, principal, token, record, fields=fields)
        return ChangeList(record=record, items=items)

    @post(
        "/records/{record:str}/rollback-requests",
        guards=[requires(Permission.TRANSFERS_UNDO)],
        operation_id="RequestTransferRollback",
    )
    async def request_rollback(
        self,
        job: FromPath[str],
        record: FromPath[str],
        data: JSONBody[RollbackRequestBody],
        *,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[ConflictAnswer]:
        """Ask that a record becomes what it was before the job's last change; another person must confirm the task.

        Needs a fresh log-in. A record that the job has inserted is removed, and its key destroyed.
        """
        fresh_login(principal, now=deps.clock())
        slot = key_slot(principal, route=f"transfers.rollback/{job}/{record}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def act() -> str:
            now = deps.clock()
            line, version = _last_change(deps, principal, job, record)
            deed = Deed(
                tenant=principal.tenant,
                action="transfer.rollback-requested",
                target=line.job,
                actor=principal.staff_id,
                at=now,
                facts={"record": record, "row": line.row_number, "wave": line.wave, "reason": data.reason_code},
            )
            with unit_of_work(deps.database, deed) as unit:
                conflict = request_undo(
                    unit.session, line, record_version=version, reason=data.reason_code, by=by(principal), now=now
                )
                open_key(
                    unit.session, slot, fingerprint=digest, resource_id=conflict.id, status=HTTPStatus.CREATED, now=now
                )
                deed.facts["conflict"] = conflict.id
                return conflict.id

        def rebuild(conflict_id: str) -> Stored:
            with deps.database.read() as session:
                conflict = session.get_one(TransferConflict, conflict_id)
            return Stored(
                status=HTTPStatus.CREATED,
                body=conflict_answer(conflict, locale=locale).model_dump(mode="json"),
                headers={"Location": f"/v1/transfers/{job}/conflicts/{conflict_id}"},
            )

        return await once(deps, slot, fingerprint=digest, act=act, rebuild=rebuild)


def _last_change(deps: ApiDeps, principal: Principal, job: str, record: str) -> tuple[TransferChange, int]:
    """The newest change that stands, and the record's present version."""
    with deps.database.read() as session:
        lines = [
            line
            for line in list_changes(session, known_job(session, principal, job, own=True).token, record)
            if line.undone_at is None
        ]
        present = records_by_id(session, [record]).get(record)
    if not lines:
        raise NotFound
    if present is None:
        raise WrongState(params={"state": "removed"})
    return max(lines, key=lambda line: (line.version_after, line.row_number)), int(present["version"])


def _wave(wave: TransferWave) -> WaveAnswer:
    return WaveAnswer(
        number=wave.number,
        attempt=wave.attempt,
        state=wave.state,
        rows=wave.rows,
        moved=wave.moved,
        failed=wave.failed,
        conflicts=wave.conflicts,
        root_before=wave.root_before,
        root_after=wave.root_after,
        root_undone=wave.root_undone,
        begun_at=wave.begun_at,
        ended_at=wave.ended_at,
        checked=wave.checked,
    )


def _change(deps: ApiDeps, line: TransferChange, masks: MaskPolicy) -> ChangeAnswer:
    try:
        before, after = _opened(deps, line.tenant, line.before_image), _opened(deps, line.tenant, line.after_image)
    except SubjectShredded:
        before = after = None
    readable = after is not None
    return ChangeAnswer(
        id=line.id,
        wave=line.wave,
        attempt=line.attempt,
        row=line.row_number,
        kind=line.kind,
        version_before=line.version_before,
        version_after=line.version_after,
        at=line.at,
        undone_at=line.undone_at,
        conflict=line.conflict,
        readable=readable,
        fields=_fields(before or {}, after or {}, masks),
    )


def _fields(before: Mapping[str, str | None], after: Mapping[str, str | None], masks: MaskPolicy) -> list[FieldChange]:
    return [
        FieldChange(
            field=name,
            before=masked_field(name, before.get(name), masks),
            after=masked_field(name, after.get(name), masks),
            changed=before.get(name) != after.get(name),
        )
        for name in FIELDS
        if before.get(name) is not None or after.get(name) is not None
    ]


def _opened(deps: ApiDeps, tenant: str, image: bytes | None) -> Mapping[str, Any] | None:
    if image is None:
        return None
    [customer] = open_customers(deps.vault, tenant=tenant, stored=[stored_of(columns_of(image))])
    return customer.values
