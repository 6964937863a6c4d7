"""What is done to a transfer job at the edge: created, planned, proven, stated, held; each is one audited deed."""

from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from sqlmodel import col, select

from api.deps import ApiDeps
from api.etags import check_version
from api.four_eyes import by
from api.identity.principal import Principal
from api.transfers.job_bodies import FactBody, GrantBody, NewJobBody, PlanBody, ReferenceBody, RollbackBody
from api.transfers.lookup import known_job
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.rules.fact_table import FACTS
from compliance.rules.facts import checked_fact, facts_needed, spelled_fact
from compliance.rules.rule import FactKind
from compliance.rules.transfers.classify import classes_of
from models.domain.ids import job_record
from models.domain.states import Gate
from models.domain.tokens import new_case_token, new_token
from models.domain.transfers.evidence import EVIDENCE_KINDS
from models.domain.transfers.plan import Plan, plan_from_toml
from models.domain.transfers.rollbacks import RollbackState
from models.domain.transfers.states import JobStage
from models.errors import FieldFault, FormInvalid, FourEyesViolation, NotFound
from models.operations.idempotency import KeySlot, open_key
from models.operations.transfers import jobs
from models.queries.transfers import jobs as queries
from models.tables.staff import Staff
from models.tables.tenants import Tenant
from models.tables.transfer_grants import TransferGrant
from models.tables.transfer_jobs import TransferEvidence, TransferFact, TransferRollback
from models.tables.transfers import TransferJob, TransferWave

# What a record tells is never stated: these follow from the plan, the rows, the notices or the registers.
_TOLD_BY_RECORDS: Final = frozenset(
    {
        "transfer_classes", "transfer_evidence", "export_abroad", "data_grade", "cutover_on", "recipient_same_purposes",
        "recipient_undertaking", "recipient_contract", "transfer_assessed", "contractors_used", "contractor_terms",
        "contractor_passed_on", "contractor_deletion_proof", "processing_started_at", "recipient_notice_items",
        "pia_approved_at", "assessment_sections", "assessment_made_on", "assessment_kept_until", "restore_tested",
        "backup_made_at", "backup_encrypted", "first_write_at", "c3_stored_encrypted", "subjects", "export_persons",
        "key_field_mismatches", "mismatches_open", "key_changes", "key_changes_with_diff", "key_changes_by_two",
        "correction_asked", "correction_checked", "correction_made", "subjects_told", "subjects_consented_apart",
        "subjects_consented_anew", "rests_on_consent", "consented_apart", "audit_asked_on", "audit_officer",
        "notice_entered_at", "notice_known_at", "notice_relied_on_at", "notice_channel_designated",
        "assignment_notice_at", "creditor_change_told",
    }
)  # fmt: skip


def stateable() -> dict[str, FactKind]:
    """Facts that people state, by name: those of a transfer's gates that no record tells."""
    needed: dict[str, FactKind] = {}
    for gate in Gate:
        if gate.value.startswith("transfers."):
            needed |= facts_needed(gate)
    return {name: kind for name, kind in sorted(needed.items()) if name not in _TOLD_BY_RECORDS}


def create(deps: ApiDeps, principal: Principal, body: NewJobBody, *, slot: KeySlot, digest: str) -> str:
    """Write a job with its plan; blocking. Returns its token.

    Raises:
        FormInvalid: the event is of no class, the source is unknown, or the plan has faults.
    """
    now, token = deps.clock(), new_case_token(principal.tenant)
    event: dict[str, Any] = {
        "transferred": body.transferred,
        "transfer_event": body.transfer_event,
        "recipient_abroad": body.recipient_abroad,
    }
    classes = classes_of(event)
    if not classes:
        raise FormInvalid(faults=(FieldFault(pointer="/transferEvent", code="transfer-no-class"),))
    with deps.database.read() as session:
        known = body.source_tenant is None or session.get(Tenant, body.source_tenant) is not None
    if not known or body.source_tenant == principal.tenant:
        raise FormInvalid(faults=(FieldFault(pointer="/sourceTenant", code="transfer-source-unknown"),))
    plan = read_plan(deps, body, classes=classes)
    # What is said about the job is sealed under a key of its own in each company; keys come before rows.
    for tenant in filter(None, (principal.tenant, body.source_tenant)):
        deps.vault.create_subject(tenant=tenant, subject_id=job_record(token))
    job = TransferJob(
        token=token,
        tenant=principal.tenant,
        source_tenant=body.source_tenant,
        branch=principal.branch,
        classes=list(classes),
        facts=event,
        plan=plan.plan,
        plan_hash=plan.plan_hash,
        error_budget=plan.error_budget,
        stage=JobStage.CLASSIFYING.value,
        created_by=principal.staff_id,
        created_by_person=principal.person_id,
        created_at=now,
        updated_at=now,
    )
    facts = {"classes": list(classes), "source": body.source_tenant, "plan": plan.plan_hash}
    with unit_of_work(deps.database, deed(principal, "transfer.created", token, now, **facts)) as unit:
        open_key(unit.session, slot, fingerprint=digest, resource_id=token, status=HTTPStatus.CREATED, now=now)
        jobs.create_job(unit.session, job, plan, by=by(principal), now=now)
        for name, value in event.items():
            unit.session.add(_statement(job, name, FACTS[name].kind, value, principal=principal, now=now))
    return token


def read_plan(deps: ApiDeps, body: PlanBody, *, classes: tuple[str, ...]) -> jobs.NewPlan:
    """A plan that was sent, checked: its shape, what its class asks for, and that its people are there.

    Raises:
        FormInvalid: naming every field at fault.
    """
    if (body.plan is None) == (body.plan_toml is None):
        fault = FieldFault(pointer="", code="exactly-one", params={"allowed": "plan, planToml"})
        raise FormInvalid(faults=(fault,))
    sent = body.plan if body.plan is not None else plan_from_toml(body.plan_toml or "")
    plan = Plan.read(sent, classes=classes)
    named = plan.staff()
    with deps.database.read() as session:
        found = session.exec(select(Staff.id).where(col(Staff.id).in_(named), col(Staff.active).is_(True))).all()
    if named - set(found):
        raise FormInvalid(faults=(FieldFault(pointer="/plan/owners", code="unknown-person"),))
    return jobs.NewPlan(plan=plan.record(), plan_hash=plan.hash(), error_budget=plan.error_budget)


def replace_plan(deps: ApiDeps, principal: Principal, token: str, body: PlanBody, *, read_version: int) -> None:
    """Put another version of the plan in force; blocking.

    Raises:
        NotFound, FormInvalid, StaleVersion, WrongState: why not.
    """
    with deps.database.read() as session:
        job = known_job(session, principal, token, own=True)
    check_version(read=read_version, current=job.version)
    plan, now = read_plan(deps, body, classes=tuple(job.classes)), deps.clock()
    with unit_of_work(deps.database, deed(principal, "transfer.planned", token, now, plan=plan.plan_hash)) as unit:
        number = queries.plan_versions(unit.session, token)[0].number + 1
        jobs.replace_plan(unit.session, job, plan, number=number, by=by(principal), now=now)
        unit.deed.facts |= {"number": number}


def add_reference(
    deps: ApiDeps, principal: Principal, token: str, body: ReferenceBody, *, slot: KeySlot, digest: str
) -> str:
    """Keep where evidence lies and what its hash is; blocking. Returns its id.

    Raises:
        NotFound, FormInvalid, WrongState: why not.
    """
    refuse_kind(body.kind)
    evidence = TransferEvidence(
        id=new_token("tev"),
        tenant=principal.tenant,
        job=token,
        kind=body.kind,
        digest=body.digest,
        reference=body.reference,
        added_by=principal.staff_id,
        added_by_person=principal.person_id,
        added_at=deps.clock(),
    )
    keep_evidence(deps, principal, evidence, slot=slot, digest=digest)
    return evidence.id


def keep_evidence(
    deps: ApiDeps, principal: Principal, evidence: TransferEvidence, *, slot: KeySlot, digest: str
) -> None:
    """Write evidence that has been checked; blocking."""
    now = evidence.added_at
    facts = {"evidence": evidence.id, "kind": evidence.kind, "digest": evidence.digest}
    with unit_of_work(deps.database, deed(principal, "transfer.evidence-added", evidence.job, now, **facts)) as unit:
        open_key(unit.session, slot, fingerprint=digest, resource_id=evidence.id, status=HTTPStatus.CREATED, now=now)
        jobs.add_evidence(unit.session, known_job(unit.session, principal, evidence.job), evidence)


def refuse_kind(kind: str | None) -> None:
    """Refuse evidence of a kind that no rule knows.

    Raises:
        FormInvalid: with the kinds that there are.
    """
    if kind is None:
        raise FormInvalid(faults=(FieldFault(pointer="/kind", code="missing"),))
    if kind not in EVIDENCE_KINDS:
        allowed: dict[str, str | int] = {"allowed": ", ".join(EVIDENCE_KINDS)}
        raise FormInvalid(faults=(FieldFault(pointer="/kind", code="not-one-of", params=allowed),))


def state_fact(deps: ApiDeps, principal: Principal, token: str, name: str, body: FactBody) -> TransferFact:
    """Keep a statement; blocking.

    Raises:
        NotFound: no such job, or no such evidence of it.
        FormInvalid: no gate asks people for this fact, or its value is of another type.
    """
    kinds, now = stateable(), deps.clock()
    if name not in kinds:
        raise NotFound(detail=name)
    value = _typed(kinds[name], body.value)
    try:
        checked = checked_fact(name, kinds[name], value)
    except (TypeError, ValueError):
        expected: dict[str, str | int] = {"expected": kinds[name].value}
        raise FormInvalid(faults=(FieldFault(pointer="/value", code="wrong-type", params=expected),)) from None
    with unit_of_work(deps.database, deed(principal, "transfer.fact-stated", token, now, fact=name)) as unit:
        job = known_job(unit.session, principal, token, own=True)
        fact = _statement(job, name, kinds[name], checked, principal=principal, now=now, evidence=body.evidence)
        unit.deed.facts |= {"value": fact.value["value"], "evidence": body.evidence}
        jobs.state_fact(unit.session, job, fact)
    return fact


def ask_rollback(
    deps: ApiDeps, principal: Principal, token: str, body: RollbackBody, *, slot: KeySlot, digest: str
) -> str:
    """Ask for a rollback; blocking. Returns the id of the request.

    Raises:
        NotFound: no such job or wave.
        WrongState: nothing has moved, the job has ended, or another request is open.
    """
    now = deps.clock()
    asked = TransferRollback(
        id=new_token("trb"),
        tenant=principal.tenant,
        job=token,
        wave=body.wave,
        state=RollbackState.PROPOSED.value,
        reason_code=body.reason_code,
        asked_by=principal.staff_id,
        asked_by_person=principal.person_id,
        asked_at=now,
    )
    facts = {"rollback": asked.id, "wave": body.wave, "reason": body.reason_code}
    with unit_of_work(deps.database, deed(principal, "transfer.rollback-asked", token, now, **facts)) as unit:
        job = known_job(unit.session, principal, token, own=True)
        if body.wave is not None and unit.session.get(TransferWave, (token, body.wave)) is None:
            raise NotFound(detail=f"{token}/{body.wave}")
        open_key(unit.session, slot, fingerprint=digest, resource_id=asked.id, status=HTTPStatus.CREATED, now=now)
        jobs.ask_rollback(
            unit.session,
            job,
            asked,
            moved=queries.has_moved(unit.session, token),
            is_asked=queries.open_rollback(unit.session, token) is not None,
        )
    return asked.id


def grant(deps: ApiDeps, principal: Principal, token: str, body: GrantBody, *, slot: KeySlot, digest: str) -> str:
    """Record a passed course; blocking. Returns the id of the grant.

    Raises:
        NotFound: no such job or person.
        FourEyesViolation: nobody records their own.
        FormInvalid: it ends before it begins, or was passed in the future.
    """
    now = deps.clock()
    if body.valid_until <= body.passed_at:
        raise FormInvalid(faults=(FieldFault(pointer="/validUntil", code="ends-before-it-begins"),))
    if body.passed_at > now:
        raise FormInvalid(faults=(FieldFault(pointer="/passedAt", code="in-the-future"),))
    row = TransferGrant(
        id=new_token("tgr"),
        tenant=principal.tenant,
        job=token,
        staff_id=body.staff_id,
        course=body.course,
        passed_at=body.passed_at,
        valid_until=body.valid_until,
        is_sponsor=body.is_sponsor,
        granted_by=principal.staff_id,
        granted_at=now,
    )
    facts = {"grant": row.id, "staff": row.staff_id, "course": row.course, "sponsor": row.is_sponsor}
    with unit_of_work(deps.database, deed(principal, "transfer.training-granted", token, now, **facts)) as unit:
        job = known_job(unit.session, principal, token)
        person = unit.session.get(Staff, body.staff_id)
        if person is None or person.tenant not in (job.tenant, job.source_tenant):
            raise NotFound(detail=body.staff_id)
        if person.person_id == principal.person_id:
            raise FourEyesViolation
        open_key(unit.session, slot, fingerprint=digest, resource_id=row.id, status=HTTPStatus.CREATED, now=now)
        unit.session.add(row)
    return row.id


def deed(principal: Principal, action: str, token: str, now: datetime, **facts: Any) -> Deed:
    """A deed of the caller about a job."""
    return Deed(tenant=principal.tenant, action=action, target=token, actor=principal.staff_id, at=now, facts=facts)


def _statement(
    job: TransferJob,
    name: str,
    kind: FactKind,
    value: Any,
    *,
    principal: Principal,
    now: datetime,
    evidence: str | None = None,
) -> TransferFact:
    return TransferFact(
        job=job.token,
        name=name,
        tenant=job.tenant,
        value={"value": spelled_fact(value), "kind": kind.name.lower()},
        evidence=evidence,
        stated_by=principal.staff_id,
        stated_at=now,
    )


def _typed(kind: FactKind, value: Any) -> Any:
    """A JSON value as the rules have it: dates and instants from ISO 8601, lists as tuples.

    Raises:
        FormInvalid: it is no such date.
    """
    readers: dict[FactKind, Any] = {
        FactKind.DATE: lambda told: datetime.strptime(told, "%Y-%m-%d").date(),  # noqa: DTZ007 - a calendar date
        FactKind.INSTANT: datetime.fromisoformat,
        FactKind.CODES: tuple,
    }
    try:
        return readers[kind](value) if kind in readers else value
    except (TypeError, ValueError):
        expected: dict[str, str | int] = {"expected": kind.value}
        raise FormInvalid(faults=(FieldFault(pointer="/value", code="wrong-type", params=expected),)) from None
