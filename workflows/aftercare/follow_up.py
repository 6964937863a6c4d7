"""A follow-up call (回访): one question to an officer. Who was not reached is asked for again by the daily run."""

import asyncio

from temporalio import workflow

from models.contracts.aftercare import CareInput, CareResult, RecordFollowUpInput
from models.contracts.installments import DecideInput
from models.contracts.platform import Fence, OpenTask
from models.domain.ids import follow_up_workflow_id
from models.domain.states import FollowUpState, TaskType
from workflows.aftercare.desk import DROPPED, CareDesk
from workflows.ports.aftercare import AftercarePort
from workflows.support.options import DECIDING


@workflow.defn(name="aftercare.follow_up")
class FollowUpCall(CareDesk):
    """One attempt. It has no timer: business dates belong to the daily run."""

    @workflow.init
    def __init__(self, input: CareInput) -> None:
        super().__init__(
            workflow_id=follow_up_workflow_id(input.case_token, input.item),
            case_token=input.case_token,
            item=input.item,
            stage=FollowUpState.OPEN,
        )

    @workflow.run
    async def run(self, input: CareInput) -> CareResult:
        """Ask, and wait for the answer."""
        try:
            await self.register()
            await self.open_task(TaskType.FOLLOW_UP)
            await workflow.wait_condition(lambda: self._stage == FollowUpState.DONE)
        except asyncio.CancelledError:
            await asyncio.shield(self.drop())
            raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        return CareResult(item=input.item, outcome=self._outcome or DROPPED)

    async def apply(self, input: DecideInput, *, task: OpenTask, fence: Fence) -> None:
        """What happened is put on record, the rules that stand against it beside it."""
        found = RecordFollowUpInput(
            workflow_id=self._workflow_id,
            case_token=self._case,
            item=self._item,
            decision_id=input.decision_id,
            fence=fence,
            task_no=task.task_no,
            outcome=input.outcome,
            reason_code=input.reason_code,
            next_contact_days=input.next_contact_days,
        )
        await workflow.execute_activity_method(AftercarePort.record_follow_up, found, **DECIDING)
        self._stage, self._outcome = FollowUpState.DONE, input.outcome
