"""The adapter of a transfer job's own records. A decision and all that it changes is one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, delete, select
from temporalio import activity

from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, Unit, unit_of_work
from compliance.transfers.training import SPONSOR, training_of
from models.contracts.platform import Done
from models.contracts.transfer_job import (
    ApplyJobDecision,
    EndJob,
    EnterStage,
    JobRead,
    JobWanted,
    RollbackSettled,
    WaveHalted,
    WaveRef,
    WavesStanding,
)
from models.contracts.transfers import JobStep
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.ids import tenant_of_case, transfer_workflow_id
from models.domain.states import DecisionState, Outcome, TaskType
from models.domain.tokens import named_token
from models.domain.transfers.evidence import LEGAL_OPINION
from models.domain.transfers.rollbacks import RollbackState
from models.domain.transfers.states import CONSENT_FIRST, JobStage, LegalClass, WaveState
from models.operations import decisions, projection
from models.operations.transfers import jobs
from models.queries.transfers import jobs as queries
from models.queries.transfers.facts_stated import stated_facts
from models.tables.tasks import Decision
from models.tables.transfer_jobs import TransferApproval, TransferRollback
from models.tables.transfers import TransferJob, TransferWave
from workflows.ports.transfer_job import JobPort

_BEGUN_AT_ONCE: Final = 20
_WAITS: Final = (WaveState.STOPPED.value, WaveState.UNDONE.value)
_CHANGED: Final = (WaveState.MOVING.value, WaveState.MOVED.value, WaveState.STOPPED.value, WaveState.UNDOING.value)


@dataclass(slots=True)
class SqlTransferJob(JobPort):
    """The adapter that the workers of the `cases` queue register."""

    database: Database
    clock: Clock

    @activity.defn(name="transfers.read_job", no_thread_cancel_exception=True)
    def read_job(self, input: JobStep) -> JobRead:
        """What of the records decides which way the job goes."""
        with self.database.read() as session:
            job = session.get_one(TransferJob, input.job)
            opinion = LEGAL_OPINION in queries.evidence_kinds(session, job.token) and bool(
                stated_facts(session, job.token).get("notice_only_opinion")
            )
        classes, plan = set(job.classes), job.plan
        abroad = LegalClass.G.value in classes
        asked = bool(classes & {each.value for each in CONSENT_FIRST})
        return JobRead(
            sides=queries.sides_of(job),
            abroad=abroad,
            claims=bool(plan["scope"]["claims"]),
            # An opinion may settle whether a sale of business needs consent; it says nothing of a recipient abroad.
            consent_first=asked and (abroad or not opinion),
            tells=classes != {LegalClass.B.value},
            receipt_wait_s=int(plan["receiptWaitS"]),
            waves_at_once=int(plan["wavesAtOnce"]),
            at_s=int(self.clock().timestamp()),
        )

    @activity.defn(name="transfers.enter_stage", no_thread_cancel_exception=True)
    def enter_stage(self, input: EnterStage) -> Done:
        """Write where the job stands, fenced."""
        now = self.clock()
        with unit_of_work(self.database, _deed(input.job, "transfer.stage-entered", now, stage=input.stage)) as unit:
            if not jobs.put_job(unit.session, input.job, fence=input.fence, now=now, stage=input.stage):
                raise Unchanged
        return Done()

    @activity.defn(name="transfers.wanted", no_thread_cancel_exception=True)
    def wanted(self, input: JobStep) -> JobWanted:
        """Whether people want the job to wait, to end, or to be rolled back; and whether its sponsor is trained."""
        with self.database.read() as session:
            job = session.get_one(TransferJob, input.job)
            asked = queries.open_rollback(session, job.token)
            wave = session.get(TransferWave, (job.token, asked.wave)) if asked is not None and asked.wave else None
            moved = queries.has_moved(session, job.token)
            training = training_of(session, job=job.token, staff_id=SPONSOR, now=self.clock())
        return JobWanted(
            paused=job.paused_at is not None,
            cancelled=job.cancel_asked_at is not None,
            moved=moved,
            rollback=asked.id if asked is not None else None,
            rollback_wave=(asked.wave or 0) if asked is not None else 0,
            rollback_attempt=wave.attempt if wave is not None else 0,
            rollback_confirmed=asked is not None and asked.state == RollbackState.CONFIRMED,
            trained=training.grant is not None,
        )

    @activity.defn(name="transfers.waves_standing", no_thread_cancel_exception=True)
    def waves_standing(self, input: JobStep) -> WavesStanding:
        """Which waves are to begin, how many move, and which one waits for a person."""
        with self.database.read() as session:
            counts = queries.wave_counts(session, input.job)
            planned = _waves(session, input.job, (WaveState.PLANNED.value,), limit=_BEGUN_AT_ONCE)
            stopped = next(iter(_waves(session, input.job, _WAITS, limit=1)), None)
            changed = session.exec(
                select(TransferWave)
                .where(col(TransferWave.job) == input.job, col(TransferWave.state).in_(_CHANGED))
                .order_by(col(TransferWave.begun_at).desc(), col(TransferWave.number).desc())
                .limit(1)
            ).first()
            return WavesStanding(
                planned=tuple(_ref(wave) for wave in planned),
                moving=counts.get(WaveState.MOVING, 0),
                moved=counts.get(WaveState.MOVED, 0),
                stopped=_ref(stopped) if stopped is not None else None,
                stopped_state=stopped.state if stopped is not None else "",
                stopped_code=stopped.stop_code if stopped is not None else None,
                last_changed=_ref(changed) if changed is not None else None,
            )

    @activity.defn(name="transfers.halt_wave", no_thread_cancel_exception=True)
    def halt_wave(self, input: WaveHalted) -> Done:
        """Note that a wave stands still, and why. One that never began goes back to where it was."""
        now = self.clock()
        deed = _deed(input.job, "transfer.wave-halted", now, wave=input.wave, attempt=input.attempt, code=input.code)
        with unit_of_work(self.database, deed) as unit:
            wave = unit.session.get_one(TransferWave, (input.job, input.wave), with_for_update=True)
            halts = (WaveState.PLANNED, WaveState.MOVING, WaveState.STOPPED)
            if wave.attempt != input.attempt or wave.state not in halts or wave.stop_code == input.code:
                raise Unchanged
            wave.state, wave.stop_code = WaveState.STOPPED.value, input.code
            wave.version += 1
            unit.session.add(wave)
        return Done()

    @activity.defn(name="transfers.apply_decision", no_thread_cancel_exception=True)
    def apply_decision(self, input: ApplyJobDecision) -> Done:
        """Write all that a decision changes, in one transaction."""
        now = self.clock()
        with unit_of_work(self.database, _deed(input.job, "transfer.decided", now)) as unit:
            session = unit.session
            known = session.get_one(Decision, input.decision_id)
            if known.state == DecisionState.APPLIED:
                raise Unchanged
            decision = decisions.settle_applied(session, decision_id=input.decision_id, now=now)
            projection.close_task(
                session, workflow_id=input.workflow_id, task_no=input.task_no, fence=input.fence, now=now
            )
            self._apply(unit, input, decision, now=now)
            jobs.put_job(
                session,
                input.job,
                fence=input.fence,
                now=now,
                stage=input.next_stage,
                outcome=input.job_outcome,
                reason_code=input.reason_code if input.next_stage == JobStage.ENDED else None,
            )
            unit.deed.facts = {
                "decision": decision.id,
                "task": input.task_type,
                "outcome": input.outcome,
                "reason": input.reason_code,
                "dissent": decision.form.get("dissent"),
                "by": decision.staff_id,
                "shown": decision.shown_hash,
                "stage": input.next_stage,
                "jobOutcome": input.job_outcome,
            }
        return Done()

    def _apply(self, unit: Unit, input: ApplyJobDecision, decision: Decision, *, now: datetime) -> None:
        session, task_type, outcome = unit.session, TaskType(input.task_type), Outcome(input.outcome)
        job = session.get_one(TransferJob, input.job)
        if (task_type, outcome) == (TaskType.TRANSFER_PLAN_APPROVAL, Outcome.APPROVE):
            _approve(session, job, decision, now=now)
        elif (task_type, outcome) == (TaskType.TRANSFER_PLAN_APPROVAL, Outcome.RETURN):
            # Both are asked anew, also about a plan that comes back as it was; the decisions themselves stay.
            session.exec(delete(TransferApproval).where(col(TransferApproval.job) == job.token))
        elif task_type is TaskType.TRANSFER_WAVE_STOPPED and outcome is Outcome.RUN_ON:
            _run_on(session, job, input.wave, budget=int(decision.form["errorBudget"]), now=now)
        elif task_type is TaskType.TRANSFER_WAVE_STOPPED:
            _undo(session, job, input, decision, now=now)
        elif task_type is TaskType.TRANSFER_ROLLBACK and input.rollback is not None:
            jobs.decide_rollback(
                session, input.rollback, confirm=outcome is Outcome.CONFIRM, staff_id=decision.staff_id or "", now=now
            )
            _hold_for(session, job, now=now)

    @activity.defn(name="transfers.settle_rollback", no_thread_cancel_exception=True)
    def settle_rollback(self, input: RollbackSettled) -> Done:
        """A rollback is done; what was held for it goes on."""
        now = self.clock()
        deed = _deed(input.job, "transfer.rolled-back", now, rollback=input.rollback)
        with unit_of_work(self.database, deed) as unit:
            asked = unit.session.get_one(TransferRollback, input.rollback, with_for_update=True)
            if asked.state == RollbackState.DONE:
                raise Unchanged
            asked.state, asked.done_at = RollbackState.DONE.value, now
            unit.deed.facts |= {"wave": asked.wave}
            job = unit.session.get_one(TransferJob, input.job, with_for_update=True)
            job.paused_at, job.version = None, job.version + 1
            unit.session.add_all((asked, job))
        return Done()

    @activity.defn(name="transfers.end_job", no_thread_cancel_exception=True)
    def end_job(self, input: EndJob) -> Done:
        """Write how the job ended, and close what is open of it."""
        now = self.clock()
        deed = _deed(input.job, "transfer.ended", now, outcome=input.outcome, reason=input.reason_code)
        with unit_of_work(self.database, deed) as unit:
            projection.cancel_open_tasks(
                unit.session, workflow_id=transfer_workflow_id(input.job), fence=input.fence, now=now
            )
            written = jobs.put_job(
                unit.session,
                input.job,
                fence=input.fence,
                now=now,
                stage=JobStage.ENDED.value,
                outcome=input.outcome,
                reason_code=input.reason_code,
            )
            if not written:
                raise Unchanged
        return Done()


def _approve(session: Session, job: TransferJob, decision: Decision, *, now: datetime) -> None:
    """One company has approved the plan as it is; the source's company comes first."""
    known = queries.approvals_of(session, job.token, plan_hash=job.plan_hash)
    side = "target" if any(each.side == "source" for each in known) else "source"
    session.add(
        TransferApproval(
            decision_id=decision.id,
            tenant=decision.tenant,
            job=job.token,
            side=side,
            plan_hash=job.plan_hash,
            staff_id=decision.staff_id or "",
            person_id=decision.person_id or "",
            at=now,
        )
    )
    session.flush()


def _run_on(session: Session, job: TransferJob, number: int, *, budget: int, now: datetime) -> None:
    """A stopped wave moves on; an undone one begins anew, with its next attempt."""
    wave = session.get_one(TransferWave, (job.token, number), with_for_update=True)
    if wave.state == WaveState.UNDONE:
        wave.state, wave.attempt = WaveState.PLANNED.value, wave.attempt + 1
    elif wave.state == WaveState.STOPPED:
        wave.state = WaveState.MOVING.value if wave.begun_at is not None else WaveState.PLANNED.value
    wave.stop_code, wave.version = None, wave.version + 1
    job.error_budget, job.updated_at = budget, now
    session.add_all((wave, job))
    session.flush()


def _undo(session: Session, job: TransferJob, input: ApplyJobDecision, decision: Decision, *, now: datetime) -> None:
    """A decision about a stopped wave is a rollback that nobody has to confirm again: it was a checker's."""
    session.add(
        TransferRollback(
            id=named_token("trb", decision.id),
            tenant=job.tenant,
            job=job.token,
            wave=input.wave if input.outcome == Outcome.UNDO_WAVE else None,
            state=RollbackState.CONFIRMED.value,
            reason_code=decision.reason_code or "error-rate",
            asked_by=decision.staff_id or "",
            asked_by_person=decision.person_id or "",
            asked_at=now,
            decided_by=decision.staff_id,
        )
    )
    session.flush()
    _hold_for(session, job, now=now)


def _hold_for(session: Session, job: TransferJob, *, now: datetime) -> None:
    """Waves that move make way for the rollback of the whole job."""
    asked = queries.open_rollback(session, job.token)
    if asked is not None and asked.state == RollbackState.CONFIRMED and asked.wave is None and job.paused_at is None:
        job.paused_at = now
        session.add(job)
        session.flush()


def _waves(session: Session, job: str, states: tuple[str, ...], *, limit: int) -> list[TransferWave]:
    query = select(TransferWave).where(col(TransferWave.job) == job, col(TransferWave.state).in_(states))
    return list(session.exec(query.order_by(col(TransferWave.number)).limit(limit)).all())


def _ref(wave: TransferWave) -> WaveRef:
    return WaveRef(number=wave.number, attempt=wave.attempt)


def _deed(job: str, action: str, now: datetime, **facts: object) -> Deed:
    return Deed(tenant=tenant_of_case(job), action=action, target=job, actor="workflow", at=now, facts=facts)
