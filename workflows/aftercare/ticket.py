"""A ticket (工单): asked of an officer, and of a higher role when its clock has run out; a rejection takes two."""

import asyncio

from temporalio import workflow

from models.contracts.aftercare import (
    CareInput,
    CareResult,
    EscalateTicketInput,
    ReadTicketInput,
    SettleTicketInput,
    TicketFacts,
)
from models.contracts.installments import DecideInput
from models.contracts.platform import Fence, OpenTask
from models.domain.ids import ticket_workflow_id
from models.domain.states import Outcome, TaskType, TicketOutcome, TicketStage
from workflows.aftercare.desk import DROPPED, CareDesk
from workflows.ports.aftercare import AftercarePort
from workflows.support.options import DATABASE, DECIDING, until


@workflow.defn(name="aftercare.ticket")
class TicketCase(CareDesk):
    """One ticket. Its clock is the wall clock: what the law gives the bank does not wait for a daily run."""

    @workflow.init
    def __init__(self, input: CareInput) -> None:
        super().__init__(
            workflow_id=ticket_workflow_id(input.case_token, input.item),
            case_token=input.case_token,
            item=input.item,
            stage=TicketStage.HANDLING,
        )
        self._facts: TicketFacts | None = None
        self._escalated = False

    @workflow.run
    async def run(self, input: CareInput) -> CareResult:
        """Ask until the customer has an answer."""
        try:
            await self.register()
            step = ReadTicketInput(case_token=input.case_token, item=input.item)
            self._facts = await self.persist(
                lambda: workflow.execute_local_activity_method(AftercarePort.read_ticket, step, **DATABASE)
            )
            while self._stage != TicketStage.ENDED:
                if self._open is None:
                    await self.open_task(self._question())
                await self._until_answered_or_late()
        except asyncio.CancelledError:
            await asyncio.shield(self.drop())
            raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        return CareResult(item=input.item, outcome=self._outcome or DROPPED)

    async def apply(self, input: DecideInput, *, task: OpenTask, fence: Fence) -> None:
        """Write the decision; what it ends is told to the customer in the same transaction."""
        stage, outcome = self._following(Outcome(input.outcome))
        decided = SettleTicketInput(
            workflow_id=self._workflow_id,
            case_token=self._case,
            item=self._item,
            decision_id=input.decision_id,
            fence=fence,
            task_no=task.task_no,
            outcome=input.outcome,
            next_stage=stage,
            ticket_outcome=outcome,
            reason_code=input.reason_code,
        )
        settled = await workflow.execute_activity_method(AftercarePort.settle_ticket, decided, **DECIDING)
        assert self._facts is not None
        self._facts = TicketFacts(
            kind=self._facts.kind, due_at=settled.due_at, checked_rejection=self._facts.checked_rejection
        )
        self._stage, self._outcome = stage, outcome

    def _question(self) -> TaskType:
        if self._stage == TicketStage.CHECKING:
            return TaskType.TICKET_CHECK
        return TaskType.TICKET_OVERDUE if self._escalated else TaskType.TICKET

    def _following(self, outcome: Outcome) -> tuple[TicketStage, TicketOutcome | None]:
        assert self._facts is not None  # nothing is open before it was read
        if outcome is Outcome.ANSWER:
            return TicketStage.ENDED, TicketOutcome.ANSWERED
        if outcome is Outcome.CONFIRM or (outcome is Outcome.REJECT and not self._facts.checked_rejection):
            return TicketStage.ENDED, TicketOutcome.REJECTED
        if outcome is Outcome.REJECT:
            return TicketStage.CHECKING, None
        return TicketStage.HANDLING, None  # returned by the checker, or given more time

    async def _until_answered_or_late(self) -> None:
        """Wait for the open question; when the clock runs out first, the ticket goes up, once."""
        asked = self._task_no
        if self._escalated:
            await workflow.wait_condition(lambda: self._open is None)
            return
        assert self._facts is not None
        waiting = until(self._facts.due_at, now=workflow.now())
        try:
            await workflow.wait_condition(lambda: self._open is None, **waiting)
        except TimeoutError:
            await self._escalate(asked)

    async def _escalate(self, asked: int) -> None:
        async with self._lock:
            if self._open is None or self._task_no != asked:  # answered just now
                return
            step = EscalateTicketInput(
                workflow_id=self._workflow_id, case_token=self._case, item=self._item, fence=self.next_fence()
            )
            await self.persist(
                lambda: workflow.execute_local_activity_method(AftercarePort.escalate_ticket, step, **DATABASE)
            )
            self._escalated = True
            if self._stage != TicketStage.CHECKING:
                self._open = None
