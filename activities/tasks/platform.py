"""The platform's steps over SQL: epochs, gates, tasks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select
from temporalio import activity

from activities.tasks.content import content_of
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.policy import ask_gate
from compliance.rules.evaluate import RULE_SET_VERSION, blocks
from compliance.verdicts import verdict_rows
from models.contracts.platform import (
    BlockedOutcome,
    CancelTaskInput,
    CloseTasksInput,
    Done,
    EvaluateGateInput,
    GateAnswer,
    OpenTask,
    OpenTaskInput,
    RecordStageInput,
    RegisterRunInput,
    RuleBlock,
    RunRegistered,
)
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.ids import case_of_start, is_batch, is_transfer, start_key, tenant_of_case, tenant_of_workflow
from models.domain.shanghai import shanghai_date
from models.domain.states import CHECKER_TASKS, CaseStage, Gate, OutboxKind, TaskType
from models.operations import outbox, projection, runs
from models.operations.four_eyes import stand_as_makers
from models.queries.batches.facts import BATCH_GATES, batch_facts
from models.queries.facts import gate_facts
from models.queries.transfers.facts import TRANSFER_GATES, transfer_facts
from models.tables.batch_runs import BatchRun
from models.tables.installments import RuleVerdict
from models.tables.tasks import Task
from models.tables.transfers import TransferJob
from workflows.ports.platform import PlatformPort

_STAGE_OF_TASK: Final = {
    TaskType.DOCUMENTS: CaseStage.DOCUMENTS,
    TaskType.ASSESSMENT: CaseStage.ASSESSMENT,
    TaskType.NEGOTIATION: CaseStage.NEGOTIATION,
    TaskType.APPROVAL: CaseStage.APPROVAL,
    TaskType.COUNTER_OFFER: CaseStage.COUNTER_OFFER,
    TaskType.SIGNING: CaseStage.SIGNING,
    TaskType.PAPER_CHECK: CaseStage.PAPER_CHECK,
    TaskType.ACTIVATION: CaseStage.ACTIVATION,
    TaskType.MISSED: CaseStage.SERVICING,
    TaskType.DEFAULT: CaseStage.SERVICING,
}


@dataclass(slots=True)
class SqlPlatform(PlatformPort):
    """The adapter that every worker registers."""

    database: Database
    clock: Clock

    @activity.defn(name="platform.register_run", no_thread_cancel_exception=True)
    def register_run(self, input: RegisterRunInput) -> RunRegistered:
        """Give this run its epoch, once; closes the start's outbox row."""
        now = self.clock()
        key = start_key(input.workflow_id)
        case_token = case_of_start(key)
        action = "case.run-registered" if key == case_token else "aftercare.started"
        if is_transfer(input.workflow_id):
            action = "transfer.run-registered"
        elif is_batch(input.workflow_id):
            action = "batch.run-registered"
        deed = _deed(tenant_of_workflow(input.workflow_id), action, case_token, now)
        epoch, ended = 0, None
        with unit_of_work(self.database, deed) as unit:
            epoch, is_new = runs.register_run(unit.session, workflow_id=input.workflow_id, run_id=input.run_id, now=now)
            unit.deed.facts = {"epoch": epoch, "run": input.run_id, "workflow": input.workflow_id}
            outbox.close(unit.session, kind=OutboxKind.START, business_key=key, now=now)
            ended = runs.end_of(unit.session, input.workflow_id, case_token) if input.first else None
            if not is_new and not unit.session.dirty:
                raise Unchanged
        return RunRegistered(epoch=epoch, outcome=ended and ended[0], reason_code=ended and ended[1])

    @activity.defn(name="rules.evaluate_gate", no_thread_cancel_exception=True)
    def evaluate_gate(self, input: EvaluateGateInput) -> GateAnswer:
        """Ask the rules of a gate and store their verdicts, once per gate key."""
        now = self.clock()
        key = f"{input.case_token}/{input.gate}/{input.round}"
        tenant = tenant_of_case(input.case_token)
        deed = _deed(tenant, "rules.evaluated", input.case_token, now)
        with unit_of_work(self.database, deed) as unit:
            stored = _stored_verdicts(unit.session, key)
            if stored:
                answer = _gate_answer(key, stored)
                raise Unchanged
            facts = _facts(unit.session, input, now=now)
            verdicts = ask_gate(unit.session, tenant, Gate(input.gate), facts, as_of=shanghai_date(now))
            rows = verdict_rows(verdicts, gate=Gate(input.gate), case_token=input.case_token, key=key, now=now)
            unit.session.add_all(rows)
            unit.deed.facts = {"gate": input.gate, "results": {row.rule_id: row.result for row in rows}}
            answer = _gate_answer(key, rows)
        return answer

    @activity.defn(name="tasks.open_task", no_thread_cancel_exception=True)
    def open_task(self, input: OpenTaskInput) -> OpenTask:
        """Write the task's row, fenced; returns what it shows by hash and whom it bars."""
        now = self.clock()
        tenant = tenant_of_case(input.case_token)
        deed = _deed(tenant, "task.opened", input.case_token, now)
        with unit_of_work(self.database, deed) as unit:
            before = _seq_of(unit.session, input)
            content = content_of(unit.session, input, now=now)
            task = projection.put_task(unit.session, content, fence=input.fence, now=now)
            answer = _open_task(task, input)
            if before == (task.epoch, task.seq):
                raise Unchanged
            if TaskType(task.type) in CHECKER_TASKS:
                stand_as_makers(
                    unit.session,
                    tenant=tenant,
                    subject=task.shown_hash,
                    persons=tuple(task.excluded_persons),
                    now=now,
                )
            stage = _STAGE_OF_TASK.get(TaskType(task.type))
            if stage is not None:
                projection.put_case(unit.session, case_token=input.case_token, fence=input.fence, now=now, stage=stage)
            unit.deed.facts = {"task": task.id, "type": task.type, "no": task.task_no, "shown": task.shown_hash}
        return answer

    @activity.defn(name="tasks.close_tasks", no_thread_cancel_exception=True)
    def close_tasks(self, input: CloseTasksInput) -> Done:
        """Close what is open of a workflow that ends without a decision."""
        now = self.clock()
        deed = _deed(tenant_of_case(input.case_token), "case.ended", input.case_token, now)
        deed.facts = {"outcome": input.outcome, "reason": input.reason_code}
        with unit_of_work(self.database, deed) as unit:
            projection.cancel_open_tasks(unit.session, workflow_id=input.workflow_id, fence=input.fence, now=now)
            written = projection.put_case(
                unit.session,
                case_token=input.case_token,
                fence=input.fence,
                now=now,
                stage=CaseStage.ENDED,
                outcome=input.outcome,
                reason_code=input.reason_code,
            )
            if not written:
                raise Unchanged
        return Done()

    @activity.defn(name="tasks.cancel_task", no_thread_cancel_exception=True)
    def cancel_task(self, input: CancelTaskInput) -> Done:
        """Take a task out of the inbox whose question has settled itself."""
        now = self.clock()
        deed = _deed(tenant_of_case(input.case_token), "task.cancelled", input.case_token, now)
        deed.facts = {"no": input.task_no}
        with unit_of_work(self.database, deed) as unit:
            cancelled = projection.cancel_task(
                unit.session, workflow_id=input.workflow_id, task_no=input.task_no, fence=input.fence, now=now
            )
            if not cancelled:
                raise Unchanged
        return Done()

    @activity.defn(name="platform.record_stage", no_thread_cancel_exception=True)
    def record_stage(self, input: RecordStageInput) -> Done:
        """Write where the case stands, when no decision brought it there."""
        now = self.clock()
        stage = CaseStage(input.stage)
        action = "case.ended" if stage is CaseStage.ENDED else "case.moved"
        deed = _deed(tenant_of_case(input.case_token), action, input.case_token, now)
        deed.facts = {"stage": input.stage, "outcome": input.outcome}
        with unit_of_work(self.database, deed) as unit:
            if stage is CaseStage.ENDED:
                projection.cancel_open_tasks(unit.session, workflow_id=input.workflow_id, fence=input.fence, now=now)
            written = projection.put_case(
                unit.session,
                case_token=input.case_token,
                fence=input.fence,
                now=now,
                stage=stage,
                outcome=input.outcome,
            )
            if not written:
                raise Unchanged
        return Done()


def _facts(session: Session, input: EvaluateGateInput, *, now: datetime) -> dict[str, object]:
    """The facts of a case, a transfer job or a batch's run: each goes by the token of what is asked about."""
    gate = Gate(input.gate)
    job = session.get(TransferJob, input.case_token) if gate in TRANSFER_GATES else None
    if job is not None:
        return transfer_facts(session, gate=gate, job=job, now=now)
    run = session.get(BatchRun, input.case_token) if gate in BATCH_GATES else None
    if run is not None:
        return batch_facts(session, gate=gate, run=run, now=now)
    return gate_facts(session, gate=gate, case_token=input.case_token)


def _deed(tenant: str, action: str, target: str, now: datetime) -> Deed:
    return Deed(tenant=tenant, action=action, target=target, actor="workflow", at=now)


def _stored_verdicts(session: Session, gate_key: str) -> list[RuleVerdict]:
    return list(
        session.exec(
            select(RuleVerdict).where(col(RuleVerdict.gate_key) == gate_key).order_by(col(RuleVerdict.rule_id))
        ).all()
    )


def _gate_answer(gate_key: str, rows: list[RuleVerdict]) -> GateAnswer:
    return GateAnswer(
        gate_key=gate_key,
        rule_set_version=rows[0].rule_set_version if rows else RULE_SET_VERSION,
        blocks=tuple(
            RuleBlock(rule_id=row.rule_id, result=row.result, verdict_id=row.id)
            for row in rows
            if blocks(result=row.result, severity=row.severity)
        ),
    )


def _seq_of(session: Session, input: OpenTaskInput) -> tuple[int, int] | None:
    row = session.exec(
        select(Task.epoch, Task.seq).where(
            col(Task.workflow_id) == input.workflow_id, col(Task.task_no) == input.task_no
        )
    ).one_or_none()
    return (row[0], row[1]) if row is not None else None


def _open_task(task: Task, asked: OpenTaskInput) -> OpenTask:
    return OpenTask(
        task_no=task.task_no,
        task_type=task.type,
        shown_hash=task.shown_hash,
        excluded_persons=tuple(task.excluded_persons),
        blocked=tuple(
            BlockedOutcome(outcome=barred["outcome"], rule_id=barred["rule"], verdict_id=barred["verdict"])
            for barred in task.blocked
        ),
        step=asked.incident_step,
        code=asked.incident_code,
        choice=asked.incident_choice,
    )
