"""The installment case (个性化分期): one workflow from application to decision.

It owns existence, outcome and next step. Between two human decisions it runs short local activities; a decision itself
is applied by a normal activity, so that its acceptance stands in the history before anything else is written.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from models.contracts.installments import (
    ApplyDecisionInput,
    AssessAffordabilityInput,
    CaseCarried,
    CaseInput,
    CaseResult,
    CaseView,
    DecideInput,
    DecideResult,
    MendedBureau,
    QueryBureauInput,
    StoreMendedBureauInput,
)
from models.contracts.platform import (
    BlockedOutcome,
    CloseTasksInput,
    EvaluateGateInput,
    Fence,
    GateAnswer,
    OpenTask,
    OpenTaskInput,
    RegisterRunInput,
)
from models.domain.ids import installment_workflow_id
from models.domain.states import CHECKER_TASKS, OUTCOMES, CaseOutcome, CaseStage, Gate, Outcome, TaskType
from workflows.installments.transitions import GIVEN_UP, TRANSITIONS, WITHDRAWN, Next
from workflows.ports.installments import BureauPort, InstallmentPort
from workflows.ports.platform import PlatformPort
from workflows.support.failures import STEP_FAILED, failure_code
from workflows.support.ids import GATEWAYS_QUEUE
from workflows.support.options import DATABASE, DECIDING, GATEWAY, PARKED
from workflows.support.refusals import refusal

T = TypeVar("T")

# What each stage asks a person, once its machine part is done.
_STAGE_TASK = {
    CaseStage.DOCUMENTS: TaskType.DOCUMENTS,
    CaseStage.ASSESSMENT: TaskType.ASSESSMENT,
    CaseStage.APPROVAL: TaskType.APPROVAL,
    CaseStage.COUNTER_OFFER: TaskType.COUNTER_OFFER,
}
_BUREAU_STEP = "installments.query_bureau"


class _Left(Exception):
    """The case has ended meanwhile; the step's answer no longer matters."""


@workflow.defn(name="installments.case")
class InstallmentCase:
    """One case. State is set in `__init__` only, since a handler may run before `run` does."""

    @workflow.init
    def __init__(self, input: CaseInput) -> None:
        carried = input.carried
        self._case = input.case_token
        self._workflow_id = installment_workflow_id(input.case_token)
        self._epoch = 0
        self._stage = CaseStage(carried.stage) if carried else CaseStage.INTAKE
        self._outcome: CaseOutcome | None = None
        self._reason: str | None = None
        self._seq = carried.seq if carried else 0
        self._task_no = carried.task_no if carried else 0
        self._rounds = dict(carried.rounds) if carried else {}
        self._applied = dict(carried.applied) if carried else {}
        self._needs_gate = carried.needs_gate if carried else None
        self._return_reason = carried.return_reason if carried else None
        self._open: OpenTask | None = None
        self._choice: tuple[Outcome, MendedBureau | None, str] | None = None  # of the incident task
        self._lock = asyncio.Lock()

    # -- the life of the case ------------------------------------------------------------------------------------------

    @workflow.run
    async def run(self, input: CaseInput) -> CaseResult:
        """From application to approved, countered, rejected or withdrawn."""
        try:
            await self._register()
            while self._stage is not CaseStage.ENDED:
                try:
                    await self._run_stage()
                except _Left:
                    break
                if workflow.info().get_current_history_length() > input.events_per_run:
                    await self._go_on_as_new(input)
        except asyncio.CancelledError:
            # An operator cancelled the case in Temporal: nobody may be left with a task that leads nowhere.
            await asyncio.shield(self._close_after_cancel())
            raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        assert self._outcome is not None
        return CaseResult(case_token=self._case, outcome=self._outcome, reason_code=self._reason)

    async def _register(self) -> None:
        info = workflow.info()
        step = RegisterRunInput(workflow_id=self._workflow_id, run_id=info.run_id)
        registered = await self._persist(
            lambda: workflow.execute_local_activity_method(PlatformPort.register_run, step, **DATABASE)
        )
        self._epoch = registered.epoch

    async def _run_stage(self) -> None:
        """The machine part of the present stage, then its question to a person."""
        if self._stage is CaseStage.INTAKE:
            self._stage = CaseStage.DOCUMENTS
            return
        if self._stage is CaseStage.NEEDS:
            await self._work_out_needs()
            return
        blocked: tuple[BlockedOutcome, ...] = ()
        if self._stage is CaseStage.ASSESSMENT and self._needs_gate is not None:
            blocked = _bar(self._needs_gate, Outcome.RECOMMEND)
        if self._stage is CaseStage.APPROVAL:
            answer = await self._gate(Gate.DECISION)
            blocked = _bar(answer, Outcome.APPROVE, Outcome.COUNTER, Outcome.REJECT)
        stage = self._stage
        await self._ask(_STAGE_TASK[stage], blocked=blocked)

    async def _work_out_needs(self) -> None:
        """Credit record, affordability, Art. 70 gate (需求与还款能力)."""
        if (await self._gate(Gate.BUREAU)).blocks:
            # Without written consent nobody is queried: the documents task comes back with the rule on it.
            await self._move(CaseStage.DOCUMENTS, return_reason="blocked-by-rule")
            return
        await self._query_bureau()
        step = AssessAffordabilityInput(case_token=self._case, round=self._count("affordability"))
        await self._incidental(
            "installments.assess_affordability",
            lambda: workflow.execute_local_activity_method(InstallmentPort.assess_affordability, step, **DATABASE),
        )
        self._needs_gate = await self._gate(Gate.NEEDS)
        await self._move(CaseStage.ASSESSMENT)

    async def _query_bureau(self) -> None:
        """Ask once per key; refused for good, two persons retry, enter the figures by hand, or give up."""
        key = f"bureau/{self._case}/{self._count('bureau')}"
        while True:
            try:
                await self._call_bureau(QueryBureauInput(case_token=self._case, query_key=key))
            except STEP_FAILED as error:
                choice, figures, decision_id = await self._incident(_BUREAU_STEP, error)
                if choice is not Outcome.MEND or figures is None:
                    continue
                await self._store_mended(
                    StoreMendedBureauInput(
                        case_token=self._case, query_key=key, figures=figures, decision_id=decision_id
                    )
                )
            self._leave_if_ended()
            return

    async def _call_bureau(self, query: QueryBureauInput) -> None:
        call = workflow.start_activity_method(BureauPort.query_bureau, query, task_queue=GATEWAYS_QUEUE, **GATEWAY)
        await workflow.wait_condition(lambda: call.done() or self._stage is CaseStage.ENDED)
        if not call.done():  # withdrawn while the bureau was silent: nobody needs its answer
            call.cancel()
            raise _Left
        await call

    async def _store_mended(self, mended: StoreMendedBureauInput) -> None:
        await self._incidental(
            "installments.store_mended_bureau",
            lambda: workflow.execute_local_activity_method(InstallmentPort.store_mended_bureau, mended, **DATABASE),
        )

    # -- asking people -------------------------------------------------------------------------------------------------

    async def _ask(self, task_type: TaskType, *, blocked: tuple[BlockedOutcome, ...] = ()) -> None:
        """Open the stage's task and wait until a decision has moved the case on."""
        stage = self._stage
        await self._open_task(task_type, blocked=blocked)
        await workflow.wait_condition(lambda: self._stage is not stage or self._open is None)
        self._leave_if_ended()

    async def _open_task(
        self,
        task_type: TaskType,
        *,
        blocked: tuple[BlockedOutcome, ...] = (),
        step: str | None = None,
        code: str | None = None,
        choice: str | None = None,
    ) -> None:
        async with self._lock:
            self._leave_if_ended()
            question = OpenTaskInput(
                workflow_id=self._workflow_id,
                case_token=self._case,
                task_no=self._task_no + 1,
                task_type=task_type,
                fence=self._next_fence(),
                blocked=blocked,
                return_reason=self._return_reason,
                incident_step=step,
                incident_code=code,
                incident_choice=choice,
            )
            self._open = await self._persist(
                lambda: workflow.execute_local_activity_method(PlatformPort.open_task, question, **DATABASE)
            )
            self._task_no += 1
            self._return_reason = None

    async def _incident(
        self, step: str, error: ActivityError | ApplicationError
    ) -> tuple[Outcome, MendedBureau | None, str]:
        """Two persons agree on retry, mend or give up; the case waits for them and goes on living."""
        code = failure_code(error)
        mendable = () if step == _BUREAU_STEP else (_not_mendable(),)
        while True:
            self._choice = None
            await self._open_task(TaskType.INCIDENT, step=step, code=code, blocked=mendable)
            await workflow.wait_condition(lambda: self._open is None or self._stage is CaseStage.ENDED)
            self._leave_if_ended()
            chosen = self._choice
            if chosen is None:
                continue
            await self._open_task(TaskType.INCIDENT_CONFIRM, step=step, code=code, choice=chosen[0])
            await workflow.wait_condition(lambda: self._open is None or self._stage is CaseStage.ENDED)
            self._leave_if_ended()
            if self._choice is not None:
                return chosen

    async def _incidental(self, step: str, call: Callable[[], Awaitable[T]]) -> T:
        """A step that, when it is refused for good, becomes an incident instead of the end of the case."""
        while True:
            try:
                answer = await call()
            except STEP_FAILED as error:
                await self._incident(step, error)
            else:
                self._leave_if_ended()
                return answer

    async def _persist(self, call: Callable[[], Awaitable[T]]) -> T:
        """A step without which not even an incident can be shown: it is repeated until it works."""
        while True:
            try:
                return await call()
            except STEP_FAILED:
                await workflow.sleep(PARKED)

    async def _gate(self, gate: Gate) -> GateAnswer:
        step = EvaluateGateInput(case_token=self._case, gate=gate, round=self._count(gate))
        return await self._incidental(
            "rules.evaluate_gate",
            lambda: workflow.execute_local_activity_method(PlatformPort.evaluate_gate, step, **DATABASE),
        )

    # -- decisions -----------------------------------------------------------------------------------------------------

    @workflow.update(name="decide", description="A person's decision on the open task, or on the case itself")
    async def decide(self, input: DecideInput) -> DecideResult:
        """Apply one decision, once. The answer is the state after it."""
        fingerprint = repr(input)
        known = self._applied.get(input.decision_id)
        if known is not None:
            if known != fingerprint:
                raise refusal("idempotency-mismatch")
            return self._result(input.decision_id)
        # A decision may come while the run that knows its task is being replayed: wait for that step.
        await workflow.wait_condition(lambda: self._epoch > 0 and (input.task_no or 0) <= self._task_no)
        async with self._lock:
            self._refuse_unless_valid(input)
            following = self._following(input)
            applied = ApplyDecisionInput(
                workflow_id=self._workflow_id,
                case_token=self._case,
                decision_id=input.decision_id,
                fence=self._next_fence(),
                next_stage=following.stage,
                task_no=input.task_no,
                outcome=input.outcome,
                case_outcome=following.outcome,
                reason_code=input.reason_code or following.reason,
                terms=input.terms,
            )
            try:
                await workflow.execute_activity_method(InstallmentPort.apply_decision, applied, **DECIDING)
            except STEP_FAILED as error:
                raise refusal(failure_code(error)) from error
            self._remember(input, fingerprint, following)
        return self._result(input.decision_id)

    @decide.validator
    def _validate(self, input: DecideInput) -> None:
        if input.decision_id not in self._applied and (input.task_no or 0) <= self._task_no:
            self._refuse_unless_valid(input)

    def _refuse_unless_valid(self, input: DecideInput) -> None:
        """The third layer of four-eyes, and every other reason for a no.

        Raises:
            ApplicationError: its type is a problem code.
        """
        if self._stage is CaseStage.ENDED:
            raise refusal("wrong-state")
        if input.task_no is None:
            if input.outcome != Outcome.WITHDRAW:
                raise refusal("wrong-state")
            return
        task = self._open
        if task is None or task.task_no != input.task_no:
            raise refusal("wrong-state")
        task_type = TaskType(task.task_type)
        if input.outcome not in OUTCOMES[task_type]:
            raise refusal("form-invalid")
        if any(barred.outcome == input.outcome for barred in task.blocked):
            raise refusal("blocked-by-rule")
        if task_type in CHECKER_TASKS:
            if input.person_id is None or input.person_id in task.excluded_persons:
                raise refusal("four-eyes-violation")
            if input.shown_hash != task.shown_hash:
                raise refusal("shown-changed")

    def _following(self, input: DecideInput) -> Next:
        if input.task_no is None:
            return WITHDRAWN
        assert self._open is not None
        task_type, outcome = TaskType(self._open.task_type), Outcome(input.outcome)
        if task_type is TaskType.INCIDENT_CONFIRM and outcome is Outcome.CONFIRM and self._gives_up():
            return GIVEN_UP
        return TRANSITIONS.get((task_type, outcome), Next(self._stage))

    def _gives_up(self) -> bool:
        return self._choice is not None and self._choice[0] is Outcome.GIVE_UP

    def _remember(self, input: DecideInput, fingerprint: str, following: Next) -> None:
        task_type = TaskType(self._open.task_type) if self._open and input.task_no is not None else None
        if task_type is TaskType.INCIDENT:
            self._choice = (Outcome(input.outcome), input.mended, input.decision_id)
        elif task_type is TaskType.INCIDENT_CONFIRM and input.outcome == Outcome.REJECT:
            self._choice = None
        self._applied[input.decision_id] = fingerprint
        self._return_reason = input.reason_code if input.outcome == Outcome.RETURN else None
        self._stage, self._outcome = following.stage, following.outcome
        self._reason = (input.reason_code or following.reason) if following.outcome is not None else None
        self._open = None

    def _result(self, decision_id: str) -> DecideResult:
        return DecideResult(decision_id=decision_id, stage=self._stage, outcome=self._outcome)

    # -- what the reconciler asks --------------------------------------------------------------------------------------

    @workflow.query(name="view", description="Stage, outcome and open task, as the workflow knows them")
    def view(self) -> CaseView:
        """The workflow's own account, against which the records are held."""
        return CaseView(
            case_token=self._case,
            stage=self._stage,
            outcome=self._outcome,
            epoch=self._epoch,
            seq=self._seq,
            open_tasks=(self._open,) if self._open is not None else (),
            reason_code=self._reason,
        )

    # -- small things --------------------------------------------------------------------------------------------------

    def _next_fence(self) -> Fence:
        self._seq += 1
        return Fence(epoch=self._epoch, seq=self._seq)

    def _count(self, what: str) -> int:
        self._rounds[what] = self._rounds.get(what, 0) + 1
        return self._rounds[what]

    async def _move(self, stage: CaseStage, *, return_reason: str | None = None) -> None:
        """Go on without a decision; the records learn of it when the next task is opened."""
        async with self._lock:
            self._leave_if_ended()
            self._stage, self._return_reason = stage, return_reason

    def _leave_if_ended(self) -> None:
        if self._stage is CaseStage.ENDED:
            raise _Left

    async def _close_after_cancel(self) -> None:
        step = CloseTasksInput(
            workflow_id=self._workflow_id,
            case_token=self._case,
            fence=self._next_fence(),
            outcome=CaseOutcome.WITHDRAWN,
            reason_code="cancelled-by-operator",
        )
        await workflow.execute_local_activity_method(PlatformPort.close_tasks, step, **DATABASE)

    async def _go_on_as_new(self, input: CaseInput) -> None:
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._stage is CaseStage.ENDED:
            return
        carried = CaseCarried(
            stage=self._stage,
            seq=self._seq,
            task_no=self._task_no,
            rounds=self._rounds,
            applied=self._applied,
            needs_gate=self._needs_gate,
            return_reason=self._return_reason,
        )
        workflow.continue_as_new(CaseInput(case_token=self._case, carried=carried, events_per_run=input.events_per_run))


def _bar(answer: GateAnswer, *outcomes: Outcome) -> tuple[BlockedOutcome, ...]:
    """Every outcome barred by every rule that blocks."""
    return tuple(
        BlockedOutcome(outcome=outcome, rule_id=block.rule_id, verdict_id=block.verdict_id)
        for block in answer.blocks
        for outcome in outcomes
    )


def _not_mendable() -> BlockedOutcome:
    """Only the bureau's figures can be entered by hand."""
    return BlockedOutcome(outcome=Outcome.MEND, rule_id="step-not-mendable", verdict_id="")
