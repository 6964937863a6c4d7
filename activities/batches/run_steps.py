"""The adapter of a run's own records. A decision and all that it changes is one transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session
from temporalio import activity

from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from models.contracts.batch_run import ApplyRunDecision, EndRun, EnterRunStage, RunRead, RunStep, RunWanted
from models.contracts.platform import Done
from models.database.engine import Database
from models.domain.batches.kinds import KINDS, KindName, MemberSource, Origin, stages_of
from models.domain.batches.settings import DEFAULTS
from models.domain.batches.states import RunStage
from models.domain.clock import Clock
from models.domain.ids import batch_workflow_id, tenant_of_case
from models.domain.states import DecisionState, Outcome, TaskType
from models.operations import decisions, projection
from models.operations.batches import runs
from models.operations.batches.cohorts import screen_again
from models.queries.batches.runs import has_orders
from models.queries.batches.screening import screens_of_members
from models.tables.batch_runs import BatchRun
from models.tables.tasks import Decision
from workflows.ports.batch_run import BatchRunPort


@dataclass(slots=True)
class SqlBatchRun(BatchRunPort):
    """The adapter that the workers of the `cases` queue register."""

    database: Database
    clock: Clock

    @activity.defn(name="batches.read_run", no_thread_cancel_exception=True)
    def read_run(self, input: RunStep) -> RunRead:
        """What of the records decides which way the run goes."""
        with self.database.read() as session:
            run = session.get_one(BatchRun, input.run)
        kind, origin = KINDS[KindName(run.kind)], Origin(run.origin)
        return RunRead(
            stages=tuple(stage.value for stage in stages_of(kind.name, origin)),
            from_file=run.source == MemberSource.FILE,
            window=int(run.settings.get("window", DEFAULTS.window)),
            sends_files=bool(kind.message),
            # The daily run presents again by itself, as an order of a later date's run.
            has_retries=kind.has_retries and origin is not Origin.DAILY,
            closes_itself=origin is Origin.DAILY or bool(run.settings.get("closesItself", False)),
        )

    @activity.defn(name="batches.enter_stage", no_thread_cancel_exception=True)
    def enter_stage(self, input: EnterRunStage) -> Done:
        """Write where the run stands, fenced."""
        now = self.clock()
        with unit_of_work(self.database, _deed(input.run, "batch.stage-entered", now, stage=input.stage)) as unit:
            if not runs.put_run(unit.session, input.run, fence=input.fence, now=now, stage=input.stage):
                raise Unchanged
        return Done()

    @activity.defn(name="batches.wanted", no_thread_cancel_exception=True)
    def wanted(self, input: RunStep) -> RunWanted:
        """Whether people want the run to wait, or to end."""
        with self.database.read() as session:
            run = session.get_one(BatchRun, input.run)
            return RunWanted(
                paused=run.paused_at is not None,
                cancelled=run.cancel_asked_at is not None,
                moved=has_orders(session, run.token),
            )

    @activity.defn(name="batches.apply_decision", no_thread_cancel_exception=True)
    def apply_decision(self, input: ApplyRunDecision) -> Done:
        """Write all that a decision changes, in one transaction."""
        now = self.clock()
        with unit_of_work(self.database, _deed(input.run, "batch.decided", now)) as unit:
            session = unit.session
            if session.get_one(Decision, input.decision_id).state == DecisionState.APPLIED:
                raise Unchanged
            decision = decisions.settle_applied(session, decision_id=input.decision_id, now=now)
            projection.close_task(
                session, workflow_id=input.workflow_id, task_no=input.task_no, fence=input.fence, now=now
            )
            task_type, outcome = TaskType(input.task_type), Outcome(input.outcome)
            if (task_type, outcome) == (TaskType.BATCH_BREAKER, Outcome.RUN_ON):
                budget = decision.form.get("failureBps")
                runs.run_on(session, input.run, settings={} if budget is None else {"failureBps": budget}, now=now)
            elif (task_type, outcome) == (TaskType.BATCH_GATE, Outcome.RETRY):
                _screen_again(session, input.run)
            elif (task_type, outcome) == (TaskType.BATCH_APPROVAL, Outcome.RETURN):
                runs.begin_anew(session, input.run, now=now)
            runs.put_run(
                session,
                input.run,
                fence=input.fence,
                now=now,
                stage=input.next_stage,
                outcome=input.run_outcome,
                reason_code=input.reason_code if input.next_stage == RunStage.ENDED else None,
            )
            unit.deed.facts = {
                "decision": decision.id,
                "task": input.task_type,
                "outcome": input.outcome,
                "reason": input.reason_code,
                "by": decision.staff_id,
                "shown": decision.shown_hash,
                "stage": input.next_stage,
                "runOutcome": input.run_outcome,
            }
        return Done()

    @activity.defn(name="batches.end_run", no_thread_cancel_exception=True)
    def end_run(self, input: EndRun) -> Done:
        """Write how the run ended, and close what is open of it."""
        now = self.clock()
        deed = _deed(input.run, "batch.ended", now, outcome=input.outcome, reason=input.reason_code)
        with unit_of_work(self.database, deed) as unit:
            projection.cancel_open_tasks(
                unit.session, workflow_id=batch_workflow_id(input.run), fence=input.fence, now=now
            )
            written = runs.put_run(
                unit.session,
                input.run,
                fence=input.fence,
                now=now,
                stage=RunStage.ENDED.value,
                outcome=input.outcome,
                reason_code=input.reason_code,
            )
            if not written:
                raise Unchanged
        return Done()


def _screen_again(session: Session, token: str) -> None:
    run = session.get_one(BatchRun, token)
    screened = screens_of_members(tenant=run.tenant, kind=KindName(run.kind), on=run.business_date)
    screen_again(session, run, screened)


def _deed(run: str, action: str, now: datetime, **facts: object) -> Deed:
    return Deed(tenant=tenant_of_case(run), action=action, target=run, actor="workflow", at=now, facts=facts)
