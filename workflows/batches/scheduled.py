"""What the clock starts (批量排期): without arguments, it begins the run of its date, and stands for it meanwhile.

While it runs, the date counts as under way: what becomes of the plan's next date is then the schedule's overlap policy.
It ends when the run has handed its files to the bank, or has ended; answers and late returns hold up no other date.
"""

from datetime import datetime
from typing import Final

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from models.contracts.batch_plans import PlannedDate, PlannedRun, PlannedWait
from models.domain.ids import plan_of_scheduled
from workflows.ports.batch_plans import BatchPlanPort
from workflows.support.failures import STEP_FAILED
from workflows.support.options import DECIDING, SHANGHAI_AHEAD, rest_before_try, until_looking_again

_DUE_AT: Final = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
_LOOKS_A_RUN: Final = 200  # of a history; at ten minutes each more than a day


@workflow.defn(name="batches.scheduled")
class BatchScheduled:
    """`plans/<tenant>/<plan>/scheduled-<time>`, of the plan's schedule or a backfill: a date, however late."""

    @workflow.run
    async def run(self, waited: PlannedWait | None = None) -> None:
        """Begin the run of the date; a date that has one gets no other.

        It returns nothing: which run stands for the date is in the records, and the schedule's next date needs no word
        of this one.
        """
        info = workflow.info()
        due: datetime = info.typed_search_attributes.get(_DUE_AT) or workflow.now()
        on = waited.on if waited is not None else (due + SHANGHAI_AHEAD).date().isoformat()
        looks = waited.looks if waited is not None else 0
        wanted = PlannedDate(plan=plan_of_scheduled(info.workflow_id), on=on)
        most, failures = looks + _LOOKS_A_RUN, 0
        while True:
            try:
                stands: PlannedRun = await workflow.execute_activity_method(
                    BatchPlanPort.begin_planned, wanted, **DECIDING
                )
            except STEP_FAILED:  # a defect: the date is not given up for it
                failures += 1
                rest = rest_before_try(failures)
            else:
                if not stands.under_way:
                    return
                failures = 0
                rest = until_looking_again(looks + 1)["timeout"]
            looks += 1
            await workflow.sleep(rest)
            if looks >= most:
                workflow.continue_as_new(PlannedWait(on=on, looks=looks))
