"""Business dates one after the other up to a wanted one, the missed ones first (补跑)."""

from typing import Final

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError

from models.contracts.daily import CatchUpInput, DailyRunInput, NextDay
from models.domain.ids import daily_workflow_id
from workflows.ports.daily import DailyPort
from workflows.support.options import DAY_STEP_REST, DECIDING, WORKFLOW_TASK_TIMEOUT

# A history of this many dates is still short.
_DATES: Final = 100


@workflow.defn(name="daily.catch_up")
class DailyCatchUp:
    """`daily/<tenant>/until/<date>`. Two of them for one tenant share the dates: each date runs once."""

    @workflow.run
    async def run(self, input: CatchUpInput) -> None:
        """Run dates until the books stand beyond the wanted one."""
        for _ in range(_DATES):
            answer: NextDay = await workflow.execute_activity_method(DailyPort.next_date, input, **DECIDING)
            if answer.business_date is None:
                return
            day = DailyRunInput(tenant=input.tenant, business_date=answer.business_date)
            try:
                await workflow.execute_child_workflow(
                    "daily.run",
                    day,
                    id=daily_workflow_id(day.tenant, day.business_date),
                    task_timeout=WORKFLOW_TASK_TIMEOUT,
                    parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                )
            except WorkflowAlreadyStartedError:  # somebody else runs it; it will be over
                await workflow.sleep(DAY_STEP_REST)
        workflow.continue_as_new(input)
