"""Evidence, stated facts and training grants of a transfer job over HTTP."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from litestar import Controller, Request, Response, delete, get, post, put
from litestar.params import FromPath, JSONBody
from sqlmodel import col, select

from api.bodies import known_token
from api.deps import ApiDeps, Deps
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.transfers import job_acts
from api.transfers.job_bodies import (
    EvidenceAnswer,
    EvidenceList,
    FactAnswer,
    FactBody,
    GrantAnswer,
    GrantBody,
    GrantList,
    ReferenceBody,
)
from api.transfers.job_controller import PATH, nudge_all
from api.transfers.job_views import evidence_answer
from api.transfers.lookup import known_job
from api.transfers.uploading import EvidenceUpload
from api.uploads import Upload, receive
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.files import FileAddress
from compliance.vault.shelf import Shelf
from models.domain.ids import job_record, transfer_workflow_id
from models.domain.pointers import pointer_of
from models.domain.roles import Permission
from models.domain.tokens import new_token
from models.domain.transfers.evidence import OF_CLASS
from models.errors import FieldFault, FormInvalid, NotFound
from models.queries.transfers import jobs as queries
from models.tables.transfer_grants import TransferGrant
from models.tables.transfer_jobs import TransferEvidence


class TransferProofController(Controller):
    """What a job's gates rest on."""

    path = f"{PATH}/{{job:str}}"
    tags = ("Transfers",)

    @get(
        "/evidence",
        guards=[requires(Permission.TRANSFERS_READ)],
        sync_to_thread=True,
        operation_id="ListTransferEvidence",
    )
    def evidence(self, job: FromPath[str], deps: Deps, principal: Caller) -> EvidenceList:
        """All evidence on file, and what the classes of the job ask for besides."""
        with deps.database.read() as session:
            found = known_job(session, principal, job)
            rows = queries.evidence_of(session, found.token)
        wanted = [kind for each in found.classes for kind in OF_CLASS[each]]
        missing = [kind for kind in dict.fromkeys(wanted) if kind not in {row.kind for row in rows}]
        return EvidenceList(items=[evidence_answer(row) for row in rows], missing=missing)

    @post("/evidence-references", guards=[requires(Permission.TRANSFERS_RUN)], operation_id="AddTransferReference")
    async def add_reference(
        self,
        job: FromPath[str],
        data: JSONBody[ReferenceBody],
        deps: Deps,
        principal: Caller,
        idempotency_key: KeyHeader,
    ) -> Response[EvidenceAnswer]:
        """Record evidence that is kept elsewhere: where, and the SHA-256 of the document."""
        slot = key_slot(principal, route=f"transfers.add-reference/{job}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)
        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: job_acts.add_reference(deps, principal, job, data, slot=slot, digest=digest),
            rebuild=lambda evidence: _kept(deps, evidence),
        )

    @post(
        "/evidence",
        guards=[requires(Permission.TRANSFERS_RUN)],
        opt={"multipart": True},
        operation_class=EvidenceUpload,
        operation_id="AddTransferEvidence",
    )
    async def add_evidence(
        self,
        job: FromPath[str],
        request: Request[Any, Any, Any],
        deps: Deps,
        principal: Caller,
        idempotency_key: KeyHeader,
    ) -> Response[EvidenceAnswer]:
        """Add a PDF, PNG or JPEG of at most 10 MiB; it is sealed as it comes in, under the job's own key."""
        found = await in_thread(_own, deps, principal, job)
        slot = key_slot(principal, route=f"transfers.add-evidence/{job}", key=idempotency_key)
        evidence_id, kept = new_token("tev"), False
        shelf, address = _shelf(deps), FileAddress(found, job_record(job), evidence_id)

        def seal(pieces: Iterator[bytes]) -> Any:
            return shelf.put(address, pieces)

        try:
            upload = await receive(request, seal=seal)
            kind = _kind(upload)
            digest = await in_thread(fingerprint, deps, slot, {"kind": kind, "content": upload.content_digest})

            def act() -> str:
                nonlocal kept
                row = _evidence(deps, principal, job, evidence_id, upload, kind=kind)
                job_acts.keep_evidence(deps, principal, row, slot=slot, digest=digest)
                kept = True
                return evidence_id

            return await once(deps, slot, fingerprint=digest, act=act, rebuild=lambda known: _kept(deps, known))
        finally:
            if not kept:  # refused, repeated or failed: a sealed file without a row is of no use to anybody
                await in_thread(shelf.path(address).unlink, missing_ok=True)

    @put("/facts/{name:str}", guards=[requires(Permission.TRANSFERS_RUN)], operation_id="StateTransferFact")
    async def state_fact(
        self, job: FromPath[str], name: FromPath[str], data: JSONBody[FactBody], deps: Deps, principal: Caller
    ) -> FactAnswer:
        """State a fact for the rules that no record tells, in place of an earlier statement (事实登记)."""
        fact = await in_thread(job_acts.state_fact, deps, principal, job, name, data)
        await deps.dispatcher.nudge(transfer_workflow_id(job))
        return FactAnswer(name=fact.name, value=fact.value["value"], evidence=fact.evidence)

    @get(
        "/grants", guards=[requires(Permission.TRANSFERS_READ)], sync_to_thread=True, operation_id="ListTransferGrants"
    )
    def grants(self, job: FromPath[str], deps: Deps, principal: Caller) -> GrantList:
        """Who has passed the course and may open data of the job, and until when."""
        with deps.database.read() as session:
            token = known_job(session, principal, job).token
            rows = session.exec(
                select(TransferGrant).where(col(TransferGrant.job) == token).order_by(col(TransferGrant.granted_at))
            ).all()
        return GrantList(items=[_grant(row) for row in rows])

    @post("/grants", guards=[requires(Permission.TRANSFERS_TRAIN)], operation_id="GrantTransferTraining")
    async def add_grant(
        self, job: FromPath[str], data: JSONBody[GrantBody], deps: Deps, principal: Caller, idempotency_key: KeyHeader
    ) -> Response[GrantAnswer]:
        """Record that somebody has passed the course (培训准入); nobody records their own.

        With `isSponsor` the job's own steps open on it too; one that waited goes on.
        """
        slot = key_slot(principal, route=f"transfers.grant/{job}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def rebuild(grant: str) -> Stored:
            with deps.database.read() as session:
                answer = _grant(session.get_one(TransferGrant, grant))
            return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"), headers={})

        answer = await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: job_acts.grant(deps, principal, job, data, slot=slot, digest=digest),
            rebuild=rebuild,
        )
        await nudge_all(deps, job)  # a step of the job may wait for this very grant
        return answer

    @delete(
        "/grants/{grant:str}",
        guards=[requires(Permission.TRANSFERS_TRAIN)],
        sync_to_thread=True,
        operation_id="RevokeTransferTraining",
    )
    def revoke(self, job: FromPath[str], grant: FromPath[str], deps: Deps, principal: Caller) -> None:
        """Take a grant back: from now on it opens nothing. Repeating it changes nothing."""
        now = deps.clock()
        deed = job_acts.deed(principal, "transfer.training-revoked", job, now, grant=known_token(grant))
        with unit_of_work(deps.database, deed) as unit:
            known_job(unit.session, principal, job)
            row = unit.session.get(TransferGrant, grant, with_for_update=True)
            if row is None or row.job != job:
                raise NotFound(detail=grant)
            if row.revoked_at is not None:
                raise Unchanged
            row.revoked_at = now
            unit.session.add(row)


def _own(deps: ApiDeps, principal: Principal, token: str) -> str:
    """The tenant of a job that the caller's institution receives."""
    with deps.database.read() as session:
        return known_job(session, principal, token, own=True).tenant


def _evidence(
    deps: ApiDeps, principal: Principal, job: str, evidence_id: str, upload: Upload, *, kind: str
) -> TransferEvidence:
    return TransferEvidence(
        id=evidence_id,
        tenant=principal.tenant,
        job=job,
        kind=kind,
        digest=upload.content_digest,
        file_name=evidence_id,
        media_type=upload.media_type,
        size_bytes=upload.sealed.size_bytes,
        added_by=principal.staff_id,
        added_by_person=principal.person_id,
        added_at=deps.clock(),
    )


def _kind(upload: Upload) -> str:
    unknown = [name for name in upload.fields if name != "kind"]
    if unknown:
        raise FormInvalid(
            faults=tuple(FieldFault(pointer=pointer_of([name]), code="unknown-field") for name in unknown)
        )
    job_acts.refuse_kind(upload.fields.get("kind"))
    return upload.fields["kind"]


def _kept(deps: ApiDeps, evidence: str) -> Stored:
    with deps.database.read() as session:
        answer = evidence_answer(session.get_one(TransferEvidence, evidence))
    return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"), headers={})


def _grant(row: TransferGrant) -> GrantAnswer:
    return GrantAnswer(
        id=row.id,
        staff_id=row.staff_id,
        course=row.course,
        passed_at=row.passed_at,
        valid_until=row.valid_until,
        is_sponsor=row.is_sponsor,
        granted_by=row.granted_by,
        revoked_at=row.revoked_at,
    )


def _shelf(deps: ApiDeps) -> Shelf:
    return Shelf(vault=deps.vault, root=deps.files_root)
