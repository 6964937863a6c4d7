"""What is written of a transfer job: by its workflow, fenced, and by people, under what the job's stage allows.

Functions over a session; they never commit.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import tuple_
from sqlmodel import Session, col, update

from models.contracts.platform import Fence
from models.domain.ids import start_key, transfer_workflow_id
from models.domain.states import OutboxKind
from models.domain.transfers.rollbacks import RollbackState
from models.domain.transfers.states import JobStage
from models.errors import NotFound, WrongState
from models.operations import outbox
from models.operations.four_eyes import By
from models.tables.transfer_jobs import TransferEvidence, TransferFact, TransferPlanVersion, TransferRollback
from models.tables.transfers import TransferJob

# Until the plan is approved it may be rewritten; facts and evidence come in until the end.
PLANNABLE: Final = (JobStage.CLASSIFYING, JobStage.PLANNING)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewPlan:
    """A plan that has been checked, and its hash."""

    plan: dict[str, Any]
    plan_hash: str
    error_budget: int


def create_job(session: Session, job: TransferJob, plan: NewPlan, *, by: By, now: datetime) -> None:
    """Write a job with the first version of its plan, and have its workflow started."""
    session.add(job)
    session.flush()
    _keep_version(session, job, plan, number=1, by=by, now=now)
    workflow_id = transfer_workflow_id(job.token)
    outbox.enqueue(
        session,
        tenant=job.tenant,
        kind=OutboxKind.START,
        business_key=start_key(workflow_id),
        workflow_id=workflow_id,
        traceparent=None,
        now=now,
    )


def replace_plan(session: Session, job: TransferJob, plan: NewPlan, *, number: int, by: By, now: datetime) -> None:
    """Put version `number` of the plan in force. What was approved is void by its hash.

    Raises:
        WrongState: the plan lies before the companies, or is approved.
    """
    replaced = session.exec(
        update(TransferJob)
        .where(
            col(TransferJob.token) == job.token,
            col(TransferJob.stage).in_([stage.value for stage in PLANNABLE]),
            col(TransferJob.version) == job.version,
        )
        .values(
            plan=plan.plan,
            plan_hash=plan.plan_hash,
            error_budget=plan.error_budget,
            version=TransferJob.version + 1,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    ).rowcount
    if not replaced:
        raise WrongState(detail=job.token, params={"state": job.stage})
    _keep_version(session, job, plan, number=number, by=by, now=now)


def _keep_version(session: Session, job: TransferJob, plan: NewPlan, *, number: int, by: By, now: datetime) -> None:
    session.add(
        TransferPlanVersion(
            job=job.token,
            number=number,
            tenant=job.tenant,
            plan=plan.plan,
            plan_hash=plan.plan_hash,
            made_by=by.staff_id,
            made_by_person=by.person_id,
            made_at=now,
        )
    )
    session.flush()


def add_evidence(session: Session, job: TransferJob, evidence: TransferEvidence) -> None:
    """Keep evidence of a job that has not ended.

    Raises:
        WrongState: it has ended.
    """
    _refuse_ended(job)
    session.add(evidence)
    session.flush()


def state_fact(session: Session, job: TransferJob, fact: TransferFact) -> None:
    """Keep a statement, in place of an earlier one; the job's own row shows all of them as rules see them.

    Raises:
        WrongState: the job has ended.
        NotFound: the evidence is not of this job.
    """
    _refuse_ended(job)
    if fact.evidence is not None:
        evidence = session.get(TransferEvidence, fact.evidence)
        if evidence is None or evidence.job != job.token:
            raise NotFound(detail=fact.evidence)
    session.merge(fact)
    held = session.get_one(TransferJob, job.token, with_for_update=True, populate_existing=True)
    held.facts = held.facts | {fact.name: fact.value["value"]}
    held.version += 1
    held.updated_at = fact.stated_at
    session.add(held)
    session.flush()


def want_pause(session: Session, job: TransferJob, *, paused: bool, now: datetime) -> None:
    """Have the job wait after its present step, or go on.

    Raises:
        WrongState: it has ended, or waits already, or does not.
    """
    _refuse_ended(job)
    where = col(TransferJob.paused_at).is_(None) if paused else col(TransferJob.paused_at).is_not(None)
    changed = session.exec(
        update(TransferJob)
        .where(col(TransferJob.token) == job.token, where)
        .values(paused_at=now if paused else None, version=TransferJob.version + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    ).rowcount
    if not changed:
        raise WrongState(detail=job.token, params={"state": "paused" if paused else "running"})


def want_cancel(session: Session, job: TransferJob, *, moved: bool, reason_code: str, now: datetime) -> None:
    """Have the job end; only while nothing has `moved`, as the same transaction reads: after that it is rolled back.

    Raises:
        WrongState: it has ended, or rows have moved.
    """
    _refuse_ended(job)
    if moved:
        raise WrongState(detail=job.token, params={"state": "rows-have-moved"})
    held = session.get_one(TransferJob, job.token, with_for_update=True, populate_existing=True)
    held.cancel_asked_at = held.cancel_asked_at or now
    held.reason_code = held.reason_code or reason_code
    held.version += 1
    held.updated_at = now
    session.add(held)
    session.flush()


def ask_rollback(
    session: Session, job: TransferJob, rollback: TransferRollback, *, moved: bool, is_asked: bool
) -> None:
    """Keep a request for a rollback; a second person decides about it in the inbox.

    Args:
        session: of the unit.
        job: whose rows have `moved`, as the same transaction reads.
        rollback: the request.
        moved: whether anything has.
        is_asked: whether another request is open.

    Raises:
        WrongState: the job has ended, nothing has moved, or another request is open.
    """
    _refuse_ended(job)
    if not moved:
        raise WrongState(detail=job.token, params={"state": "nothing-moved"})
    if is_asked:
        raise WrongState(detail=job.token, params={"state": "rollback-asked"})
    session.add(rollback)
    session.flush()


def put_job(
    session: Session,
    job: str,
    *,
    fence: Fence,
    now: datetime,
    stage: str,
    outcome: str | None = None,
    reason_code: str | None = None,
) -> bool:
    """Write where the job stands, as its workflow says.

    Returns:
        False if a newer write stood there already.
    """
    values: dict[str, Any] = {
        "stage": stage,
        "epoch": fence.epoch,
        "seq": fence.seq,
        "version": TransferJob.version + 1,
        "updated_at": now,
    }
    if stage == JobStage.ENDED:
        values |= {"outcome": outcome, "ended_at": now}
        if reason_code is not None:
            values["reason_code"] = reason_code
    written = session.exec(
        update(TransferJob)
        .where(
            col(TransferJob.token) == job,
            tuple_(col(TransferJob.epoch), col(TransferJob.seq)) < tuple_(fence.epoch, fence.seq),
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(written.rowcount)


def decide_rollback(session: Session, rollback: str, *, confirm: bool, staff_id: str, now: datetime) -> None:
    """The second person's word; repeatable."""
    state = RollbackState.CONFIRMED if confirm else RollbackState.REJECTED
    session.exec(
        update(TransferRollback)
        .where(col(TransferRollback.id) == rollback, col(TransferRollback.state) == RollbackState.PROPOSED.value)
        .values(state=state.value, decided_by=staff_id, done_at=None if confirm else now)
        .execution_options(synchronize_session=False)
    )


def _refuse_ended(job: TransferJob) -> None:
    if job.stage == JobStage.ENDED:
        raise WrongState(detail=job.token, params={"state": job.outcome or job.stage})
