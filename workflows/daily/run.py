"""One business date of one tenant (日终): its steps in order, each tried until it is done, then the date is closed."""

from typing import Final

from temporalio import workflow

from models.contracts.daily import DailyRunInput, DayBegun, DayStepInput, StepFailedInput
from models.contracts.platform import Done
from workflows.ports.daily import DailyPort
from workflows.support.failures import STEP_FAILED, failure_code
from workflows.support.options import BULK, DATABASE, DECIDING, rest_before_try

# What a failure of the step is filed under, and the step.
_STEPS: Final = (
    ("take-replies", DailyPort.take_replies),
    ("post", DailyPort.post),
    ("arrears", DailyPort.arrears),
    ("reminders", DailyPort.reminders),
    ("debit-orders", DailyPort.debit_orders),
    ("send-file", DailyPort.send_file),
    ("roll", DailyPort.roll),
)


@workflow.defn(name="daily.run")
class DailyRun:
    """`daily/<tenant>/<date>`. What single agreements cannot do is set apart inside the steps and stops nothing."""

    @workflow.init
    def __init__(self, input: DailyRunInput) -> None:
        """Remember the date."""
        self._step = DayStepInput(tenant=input.tenant, business_date=input.business_date)

    @workflow.run
    async def run(self, input: DailyRunInput) -> None:  # noqa: ARG002 - read in __init__, as handlers need it
        """Run the date. One that was closed before is left alone; one out of order is refused."""
        begun: DayBegun = await workflow.execute_local_activity_method(DailyPort.begin, self._step, **DATABASE)
        if not begun.is_open:
            return
        for name, step in _STEPS:
            await self._until_done(name, step)

    async def _until_done(self, name: str, step: object) -> None:
        """A step must be done before the next: an order after replies that nobody read would take money twice."""
        failures = 0
        while True:
            try:
                answer: Done = await workflow.execute_activity_method(step, self._step, **BULK)  # type: ignore[call-overload]
            except STEP_FAILED as error:
                failed = StepFailedInput(
                    tenant=self._step.tenant,
                    business_date=self._step.business_date,
                    step=name,
                    code=failure_code(error),
                )
                await workflow.execute_activity_method(DailyPort.note_failure, failed, **DECIDING)
                failures += 1
                await workflow.sleep(rest_before_try(failures))
            else:
                del answer
                return
