"""What every stage of a case shares: its state, how it asks people, and what it does when a step fails."""

from collections.abc import Awaitable, Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from models.contracts.agreements import CoreOrderInput
from models.contracts.installments import CaseInput, CaseNews, MendedBureau
from models.contracts.platform import (
    BlockedOutcome,
    Done,
    EvaluateGateInput,
    GateAnswer,
)
from models.domain.ids import installment_workflow_id
from models.domain.states import CaseOutcome, CaseStage, Gate, Outcome, TaskType
from workflows.ports.agreements import CorePort
from workflows.ports.platform import PlatformPort
from workflows.support.desk import Desk, T
from workflows.support.failures import STEP_FAILED, failure_code
from workflows.support.ids import GATEWAYS_QUEUE
from workflows.support.options import DATABASE, GATEWAY

CoreMethod = Callable[[CorePort, CoreOrderInput], Done]
BUREAU_STEP = "installments.query_bureau"


class Left(Exception):
    """The case has ended meanwhile; the step's answer no longer matters."""


class CaseDesk(Desk):
    """The desk of one case. State is set in `__init__` only, since a handler may run before `run` does."""

    def __init__(self, input: CaseInput) -> None:
        """Begin, or go on with what the run before handed over."""
        super().__init__(workflow_id=installment_workflow_id(input.case_token), case_token=input.case_token)
        carried = input.carried
        self._stage = CaseStage(carried.stage) if carried else CaseStage.INTAKE
        self._outcome: CaseOutcome | None = None
        self._reason: str | None = None
        self._seq = carried.seq if carried else 0
        self._task_no = carried.task_no if carried else 0
        self._rounds = dict(carried.rounds) if carried else {}
        self._applied = dict(carried.applied) if carried else {}
        self._needs_gate = carried.needs_gate if carried else None
        self._return_reason = carried.return_reason if carried else None
        self._signed_by = carried.signed_by if carried else None  # the decision that signed
        self._news: list[CaseNews] = list(carried.news) if carried else []
        self._told = list(carried.told_keys) if carried else []
        self._choice: tuple[Outcome, MendedBureau | None, str] | None = None  # of the incident task

    # -- asking people -------------------------------------------------------------------------------------------------

    async def ask(self, task_type: TaskType, *, blocked: tuple[BlockedOutcome, ...] = ()) -> None:
        """Open the stage's task and wait until a decision has moved the case on."""
        stage = self._stage
        await self.open_task(task_type, blocked=blocked)
        await workflow.wait_condition(lambda: self._stage is not stage or self._open is None)
        self.leave_if_ended()

    async def open_task(
        self,
        task_type: TaskType,
        *,
        blocked: tuple[BlockedOutcome, ...] = (),
        step: str | None = None,
        code: str | None = None,
        choice: str | None = None,
    ) -> None:
        """Put a question into the inbox; it is the one open question of the case."""
        async with self._lock:
            self.leave_if_ended()
            await self.put_question(
                self.question(
                    task_type, blocked=blocked, return_reason=self._return_reason, step=step, code=code, choice=choice
                )
            )
            self._return_reason = None

    async def incident(
        self, step: str, error: ActivityError | ApplicationError
    ) -> tuple[Outcome, MendedBureau | None, str]:
        """Two persons agree on retry, mend or give up; the case waits for them and goes on living."""
        code = failure_code(error)
        mendable = () if step == BUREAU_STEP else (_not_mendable(),)
        while True:
            self._choice = None
            await self.open_task(TaskType.INCIDENT, step=step, code=code, blocked=mendable)
            await workflow.wait_condition(lambda: self._open is None or self._stage is CaseStage.ENDED)
            self.leave_if_ended()
            chosen = self._choice
            if chosen is None:
                continue
            await self.open_task(TaskType.INCIDENT_CONFIRM, step=step, code=code, choice=chosen[0])
            await workflow.wait_condition(lambda: self._open is None or self._stage is CaseStage.ENDED)
            self.leave_if_ended()
            if self._choice is not None:
                return chosen

    # -- steps ---------------------------------------------------------------------------------------------------------

    async def incidental(self, step: str, call: Callable[[], Awaitable[T]]) -> T:
        """A step that, when it is refused for good, becomes an incident instead of the end of the case."""
        while True:
            try:
                answer = await call()
            except STEP_FAILED as error:
                await self.incident(step, error)
            else:
                self.leave_if_ended()
                return answer

    async def gate(self, gate: Gate) -> GateAnswer:
        """Ask the rules of a gate."""
        step = EvaluateGateInput(case_token=self._case, gate=gate, round=self.count(gate))
        return await self.incidental(
            "rules.evaluate_gate",
            lambda: workflow.execute_local_activity_method(PlatformPort.evaluate_gate, step, **DATABASE),
        )

    async def order_core(self, step: str, method: CoreMethod) -> None:
        """Have the card core do something, once for the case."""
        order = CoreOrderInput(case_token=self._case, key=f"{step}/{self._case}")
        await self.incidental(
            step, lambda: workflow.execute_activity_method(method, order, task_queue=GATEWAYS_QUEUE, **GATEWAY)
        )

    async def pass_gate(self, gate: Gate) -> None:
        """A gate that nobody decides at: while a rule stands against it, it is an incident."""
        while (await self.gate(gate)).blocks:
            await self.incident(str(gate), ApplicationError("blocked-by-rule", type="blocked-by-rule"))

    # -- small things --------------------------------------------------------------------------------------------------

    async def move(self, stage: CaseStage, *, return_reason: str | None = None) -> None:
        """Go on without a decision; the records learn of it when the next task is opened."""
        async with self._lock:
            self.leave_if_ended()
            self._stage, self._return_reason = stage, return_reason

    def count(self, what: str) -> int:
        """How often the case has come here, this time included; part of business keys."""
        self._rounds[what] = self._rounds.get(what, 0) + 1
        return self._rounds[what]

    def leave_if_ended(self) -> None:
        """Leave the stage at once if a decision has ended the case.

        Raises:
            Left: it has.
        """
        if self._stage is CaseStage.ENDED:
            raise Left


def bar(answer: GateAnswer, *outcomes: Outcome) -> tuple[BlockedOutcome, ...]:
    """Every outcome barred by every rule that blocks."""
    return tuple(
        BlockedOutcome(outcome=outcome, rule_id=block.rule_id, verdict_id=block.verdict_id)
        for block in answer.blocks
        for outcome in outcomes
    )


def _not_mendable() -> BlockedOutcome:
    """Only the bureau's figures can be entered by hand."""
    return BlockedOutcome(outcome=Outcome.MEND, rule_id="step-not-mendable", verdict_id="")
