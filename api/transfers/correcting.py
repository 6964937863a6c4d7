"""Rows of a job by hand: entered from phone and mail, corrected out of quarantine, rejected for good. Blocking.

Whoever works on rows has passed the job's course: each of these raises `TrainingMissing` before anything is changed.
"""

from datetime import datetime

from pydantic.alias_generators import to_camel
from sqlmodel import Session

from api.deps import ApiDeps
from api.etags import check_version
from api.four_eyes import by, refuse_maker
from api.identity.authenticate import fresh_login
from api.identity.principal import Principal
from api.transfers.lookup import job_to_open
from api.transfers.row_bodies import EntryBody
from api.transfers.row_views import changes_of
from api.transfers.sourcing import next_number
from compliance.audit.deeds import Deed, shown_hash
from compliance.audit.unit import unit_of_work
from compliance.transfers.proof_keys import job_proof_key
from compliance.vault.records import Record, RecordVault
from compliance.vault.transfer_rows import CORRECTION_LAYOUT, MARK, open_rows, seal_rows
from models.domain.canonical import digest
from models.domain.customers.faults import ROW, as_document, from_document
from models.domain.customers.record import KEY_FIELDS
from models.domain.customers.spelling import Spelled, spell_record
from models.domain.customers.validity import check_record
from models.domain.shanghai import shanghai_date
from models.domain.tokens import new_token
from models.domain.transfers.mapping import IDENTITY
from models.domain.transfers.scope import faults_within, scope_of
from models.domain.transfers.source_desk import SourceKind
from models.domain.transfers.states import JobStage, RowOutcome
from models.domain.transfers.verdicts import QUARANTINED, of_reading, outcome_of
from models.errors import FieldFault, FormInvalid, NotFound, StaleVersion, WrongState
from models.operations.idempotency import KeySlot, open_key
from models.operations.transfers.corrections import decide, keep_applied, propose
from models.operations.transfers.quarantine import (
    Corrected,
    HeldRow,
    close_task,
    discard_row,
    keep_correction,
    show_anew,
)
from models.operations.transfers.rows import NewRow, add_rows, hold_job
from models.queries.transfers.sources import last_line, row_of, sources_of
from models.tables.transfer_corrections import TransferCorrection
from models.tables.transfers import TransferJob, TransferRow, TransferSource

ENTRY_STAGES = frozenset({JobStage.BACKING_UP, JobStage.COLLECTING})


def enter_row(
    deps: ApiDeps, principal: Principal, token: str, body: EntryBody, *, slot: KeySlot, fingerprint: str
) -> str:
    """One row into the job's source of kind `staff`; returns its subject, by which the row is found.

    Raises:
        FormInvalid: nothing was entered, or a field that the plan does not let move.
        WrongState: the job collects no more.
    """
    job, now = job_to_open(deps, principal, token), deps.clock()
    _require_entry(job)
    _require_scope(job, body.values.given())
    spelled = spell_record(body.values.given(), today=shanghai_date(now))
    if not spelled.values:
        raise FormInvalid(faults=(FieldFault(pointer="/values", code="required"),))
    subject = new_token("sub")
    [(_, cell)] = seal_rows(deps.vault, tenant=job.tenant, rows=[(subject, spelled.values)], create=True)
    proof = job_proof_key(deps.vault, tenant=job.tenant, job=job.token).digest(spelled.values)
    faults = as_document(of_reading(faults_within(spelled.faults, scope_of(job.plan))))
    deed = _deed(job, principal, "transfer.row-entered", now, subject=subject, channel=body.channel)
    with unit_of_work(deps.database, deed) as unit:
        open_key(unit.session, slot, fingerprint=fingerprint, resource_id=subject, status=201, now=now)
        _require_entry(hold_job(unit.session, job.token))
        sources = sources_of(unit.session, job.token)
        source = next((each for each in sources if each.kind == SourceKind.STAFF.value), None)
        if source is None:
            document = IDENTITY.as_document()
            source = TransferSource(
                id=new_token("tsr"),
                tenant=job.tenant,
                job=job.token,
                number=next_number(sources),
                kind=SourceKind.STAFF.value,
                place="staff",
                mapping=document,
                mapping_hash=digest(document),
            )
            unit.session.add(source)
            unit.session.flush()
        line = last_line(unit.session, source.id) + 1
        numbers = add_rows(
            unit.session,
            tenant=job.tenant,
            job=job.token,
            source=source.id,
            rows=[NewRow(line, subject, cell, faults, proof)],
            read_before=source.read_rows,
        )
        if numbers is None:
            raise WrongState(params={"state": job.stage})
        deed.facts["number"] = numbers[0]
    return subject


def correct_row(
    deps: ApiDeps, principal: Principal, token: str, number: int, changes: dict[str, str], *, read_version: int
) -> str:
    """Correct a quarantined row: at once, or as a proposal where a key field changes; returns the correction's id.

    Of a line that had too many or too few columns the values may be confirmed as they were read, by two persons.

    Raises:
        FormInvalid: nothing would change, or a field that the plan does not let move would.
        WrongState: the row is not in quarantine, or another correction waits.
        StaleVersion: somebody has corrected it meanwhile.
    """
    job, now = job_to_open(deps, principal, token), deps.clock()
    row = _quarantined(deps, job, number)
    check_version(read=read_version, current=row.version)
    _require_scope(job, changes)
    before, after = _before(deps, row), _after(deps, job, row, changes, now=now)
    touched = sorted(name for name in changes if before.get(name) != after.values.get(name))
    vouched = not touched and any(fault["field"] == ROW for fault in row.faults)
    if vouched:
        touched = sorted(changes)  # a line that was read askew: two persons vouch for values that came out right
    if not touched:
        raise FormInvalid(faults=(FieldFault(pointer="/values", code="nothing-changed"),))
    correction = _correction(deps, principal, row, {name: after.values.get(name, "") for name in touched}, now=now)
    needs_second = vouched or bool(KEY_FIELDS.intersection(touched))
    action = "transfer.correction-proposed" if needs_second else "transfer.row-corrected"
    deed = _deed(job, principal, action, now, number=row.number, correction=correction.id, fields=touched)
    corrected = None if needs_second else _sealed(deps, job, row, after)
    with unit_of_work(deps.database, deed) as unit:
        if corrected is None:
            propose(unit.session, correction, by=by(principal), now=now)
        else:
            _keep(unit.session, job, row, corrected, now=now)
            keep_applied(unit.session, correction)
            deed.facts["outcome"] = corrected.outcome.value
    return correction.id


def decide_correction(
    deps: ApiDeps,
    principal: Principal,
    token: str,
    number: int,
    correction_id: str,
    *,
    shown: str,
    confirm: bool,
    reason_code: str | None = None,
) -> None:
    """The second person confirms a correction, which is applied then, or refuses it.

    Raises:
        FourEyesViolation: the caller made it.
        ShownChanged, WrongState, StaleVersion: what was shown holds no more.
    """
    job, now = job_to_open(deps, principal, token), deps.clock()
    fresh_login(principal, now=now)
    refuse_maker(deps, principal, shown_hash=shown)
    with deps.database.read() as session:
        correction = session.get(TransferCorrection, correction_id)
    if correction is None or (correction.job, correction.row_number) != (job.token, number):
        raise NotFound
    corrected, row = None, _row(deps, job, number)
    if confirm:
        row = _quarantined(deps, job, number)
        if row.version != correction.row_version:
            raise StaleVersion(params={"currentVersion": row.version})
        changes = changes_of(deps, correction, tenant=job.tenant)
        corrected = _sealed(deps, job, row, _after(deps, job, row, changes, now=now))
    action = "transfer.correction-confirmed" if confirm else "transfer.correction-refused"
    deed = _deed(job, principal, action, now, number=number, correction=correction_id, fields=correction.fields)
    with unit_of_work(deps.database, deed) as unit:
        decide(
            unit.session,
            correction_id,
            shown_hash=shown,
            confirm=confirm,
            reason_code=reason_code,
            by=by(principal),
            now=now,
        )
        if corrected is not None:
            _keep(unit.session, job, row, corrected, now=now)
            deed.facts["outcome"] = corrected.outcome.value


def discard(
    deps: ApiDeps, principal: Principal, token: str, number: int, *, reason_code: str, read_version: int
) -> None:
    """Reject a quarantined row for good; its task is done.

    Raises:
        WrongState: it is not in quarantine.
        StaleVersion: it was corrected meanwhile.
    """
    job, now = job_to_open(deps, principal, token), deps.clock()
    row = _quarantined(deps, job, number)
    check_version(read=read_version, current=row.version)
    deed = _deed(job, principal, "transfer.row-discarded", now, number=number, reason=reason_code)
    with unit_of_work(deps.database, deed) as unit:
        discard_row(unit.session, job=job.token, subject=row.subject_id, reason_code=reason_code)
        close_task(unit.session, job=job.token, subject=row.subject_id, now=now)


def _row(deps: ApiDeps, job: TransferJob, number: int) -> TransferRow:
    with deps.database.read() as session:
        row = row_of(session, job.token, number)
    if row is None:
        raise NotFound
    return row


def _quarantined(deps: ApiDeps, job: TransferJob, number: int) -> TransferRow:
    row = _row(deps, job, number)
    if row.outcome != RowOutcome.HELD or row.reason_code != QUARANTINED:
        raise WrongState(params={"state": row.outcome or "unverified"})
    return row


def _before(deps: ApiDeps, row: TransferRow) -> dict[str, str]:
    [(_, values)] = open_rows(deps.vault, tenant=row.tenant, rows=[(row.subject_id, bytes(row.row_cell))])
    return values


def _after(deps: ApiDeps, job: TransferJob, row: TransferRow, changes: dict[str, str], *, now: datetime) -> Spelled:
    """The row with the changes in it, checked. Whoever corrects a row has looked at all of it: faults of the row go."""
    merged = {**_before(deps, row), **changes}
    kept = [
        fault for fault in of_reading(from_document(row.faults)) if fault.field not in changes and fault.field != ROW
    ]
    after = check_record(merged, today=shanghai_date(now), as_read=kept)
    return Spelled(after.values, faults_within(after.faults, scope_of(job.plan)))


def _sealed(deps: ApiDeps, job: TransferJob, row: TransferRow, after: Spelled) -> Corrected:
    with deps.database.read() as session:
        source = session.get_one(TransferSource, row.source)
    outcome, _ = outcome_of(after.faults, source.mapping.get("severity", {}))
    [(_, cell)] = seal_rows(deps.vault, tenant=job.tenant, rows=[(row.subject_id, after.values)])
    proof = job_proof_key(deps.vault, tenant=job.tenant, job=job.token).digest(after.values)
    # A reason to reject is one of reading, and the row has been read by a person now.
    return Corrected(
        cell, proof, as_document(after.faults), RowOutcome.HELD if outcome is RowOutcome.REJECTED else outcome
    )


def _correction(
    deps: ApiDeps, principal: Principal, row: TransferRow, changes: dict[str, str], *, now: datetime
) -> TransferCorrection:
    correction_id = new_token("tco")
    sealing = RecordVault(deps.vault, tenant=row.tenant, layout=CORRECTION_LAYOUT)
    [sealed] = sealing.seal([Record(correction_id, row.subject_id, {**changes, MARK: ""})])
    cell = sealed.cells[CORRECTION_LAYOUT.packed_into]
    return TransferCorrection(
        id=correction_id,
        tenant=row.tenant,
        job=row.job,
        row_number=row.number,
        subject_id=row.subject_id,
        changes_cell=cell,
        fields=sorted(changes),
        row_version=row.version,
        # Of the sealed bytes: the cell is what is confirmed, and its hash tells nothing of it.
        shown_hash=shown_hash(
            {"correction": correction_id, "row": row.number, "version": row.version, "cell": cell.hex()}
        ),
        state="",
        made_by=principal.staff_id,
        made_by_person=principal.person_id,
        created_at=now,
    )


def _keep(session: Session, job: TransferJob, row: TransferRow, corrected: Corrected, *, now: datetime) -> None:
    keep_correction(session, row, corrected)
    if corrected.outcome is RowOutcome.ACCEPTED:
        close_task(session, job=job.token, subject=row.subject_id, now=now)
        return
    source = session.get_one(TransferSource, row.source)
    held = HeldRow(row.number, row.line, source.number, row.subject_id, corrected.faults)
    show_anew(session, job, held, now=now)


def _require_scope(job: TransferJob, values: dict[str, str]) -> None:
    """Refuse fields that stay behind, each by name: what is not needed is not asked for (最小必要)."""
    outside = sorted(values.keys() - scope_of(job.plan))
    if outside:
        raise FormInvalid(
            faults=tuple(FieldFault(pointer=f"/values/{to_camel(name)}", code="outside-scope") for name in outside)
        )


def _require_entry(job: TransferJob) -> None:
    if job.stage not in ENTRY_STAGES:
        raise WrongState(params={"state": job.stage})


def _deed(job: TransferJob, principal: Principal, action: str, now: datetime, **facts: object) -> Deed:
    return Deed(tenant=job.tenant, action=action, target=job.token, actor=principal.staff_id, at=now, facts=dict(facts))
