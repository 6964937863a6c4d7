"""What the clock starts (日终定时): without arguments, it has missed dates run up to the day on which it was due."""

from datetime import datetime
from typing import Final

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import WorkflowAlreadyStartedError

from models.contracts.daily import CatchUpInput
from models.domain.ids import catch_up_workflow_id, tenant_of_workflow
from workflows.support.options import SHANGHAI_AHEAD, WORKFLOW_TASK_TIMEOUT

_DUE_AT: Final = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")


@workflow.defn(name="daily.scheduled")
class DailyScheduled:
    """`daily/<tenant>/scheduled-<time>`, started by the tenant's schedule. One that comes late runs the same dates."""

    @workflow.run
    async def run(self) -> None:
        """Start the catch-up under its own id; one that runs already is the one that is wanted."""
        due: datetime = workflow.info().typed_search_attributes.get(_DUE_AT) or workflow.now()
        tenant = tenant_of_workflow(workflow.info().workflow_id)
        until = (due + SHANGHAI_AHEAD).date().isoformat()
        try:
            await workflow.start_child_workflow(
                "daily.catch_up",
                CatchUpInput(tenant=tenant, until=until),
                id=catch_up_workflow_id(tenant, until),
                task_timeout=WORKFLOW_TASK_TIMEOUT,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            )
        except WorkflowAlreadyStartedError:
            return
