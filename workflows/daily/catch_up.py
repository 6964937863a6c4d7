"""Business dates one after the other up to a wanted one, the missed ones first (补跑)."""

from datetime import date
from typing import Final

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError

from models.contracts.daily import CatchUpInput, DailyRunInput, NextDay
from models.domain.ids import daily_workflow_id
from workflows.ports.daily import DailyPort
from workflows.support.options import DAY_STEP_REST, DECIDING, WORKFLOW_TASK_TIMEOUT

# Rounds of at most a month each: a history of so many is still short.
_ROUNDS: Final = 12


@workflow.defn(name="daily.catch_up")
class DailyCatchUp:
    """`daily/<tenant>/until/<date>`. Two of them for one tenant share the dates: each date runs once."""

    @workflow.run
    async def run(self, input: CatchUpInput) -> None:
        """Run dates until the books stand beyond the wanted one."""
        for _ in range(_ROUNDS):
            answer: NextDay = await workflow.execute_activity_method(DailyPort.next_date, input, **DECIDING)
            if answer.business_date is None:
                return
            first = date.fromisoformat(answer.business_date).toordinal()
            for day in range(first, first + answer.count):
                business_date = date.fromordinal(day).isoformat()
                if not await self._run(DailyRunInput(tenant=input.tenant, business_date=business_date)):
                    await workflow.sleep(DAY_STEP_REST)  # it will be over
                    break
        workflow.continue_as_new(input)

    async def _run(self, day: DailyRunInput) -> bool:
        """Run a date; False if somebody else runs it."""
        try:
            await workflow.execute_child_workflow(
                "daily.run",
                day,
                id=daily_workflow_id(day.tenant, day.business_date),
                task_timeout=WORKFLOW_TASK_TIMEOUT,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            )
        except WorkflowAlreadyStartedError:
            return False
        return True
