"""What the clock starts (定期核对): without arguments, it has a sample of moved records checked as of its date."""

from datetime import datetime
from typing import Final

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from models.contracts.transfer_accuracy import AccuracyInput
from models.domain.ids import tenant_of_workflow
from workflows.ports.transfer_accuracy import AccuracyPort
from workflows.support.options import BULK, SHANGHAI_AHEAD

_DUE_AT: Final = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")


@workflow.defn(name="transfers.accuracy_scheduled")
class AccuracyScheduled:
    """`accuracy/<tenant>/scheduled-<time>`, started by the tenant's schedule. Late, it checks its own date."""

    @workflow.run
    async def run(self) -> int:
        """Check; returns how many findings there are."""
        due: datetime = workflow.info().typed_search_attributes.get(_DUE_AT) or workflow.now()
        wanted = AccuracyInput(
            tenant=tenant_of_workflow(workflow.info().workflow_id), on=(due + SHANGHAI_AHEAD).date().isoformat()
        )
        done = await workflow.execute_activity_method(AccuracyPort.check_accuracy, wanted, **BULK)
        return done.findings
