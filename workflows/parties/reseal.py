"""A change of suite (密码算法切换): keys, then everybody's data pass after pass, then proof. All of it stays readable.

The cursor over subjects stands in the history; a run that has grown long goes on as a new one. What is done to whom is
read from the data itself, so a step that is repeated finds its work done.
"""

from typing import Any, Final

from temporalio import workflow

from models.contracts.parties import (
    ResealBegun,
    ResealFailed,
    ResealInput,
    ResealProgress,
    ResealScanned,
    ResealStep,
    ResealWanted,
    SubjectsDone,
    SubjectsStep,
)
from workflows.ports.parties import ResealPort
from workflows.support.failures import STEP_FAILED, failure_code
from workflows.support.options import BULK, DATABASE, DECIDING, RESEAL_LOOKS_AGAIN, rest_before_try, seconds

# The first pass makes keys and seals; the next one comes when no process can hold an old key any more.
_FEWEST_PASSES: Final = 2


@workflow.defn(name="parties.reseal")
class Reseal:
    """`parties/<tenant>/reseal/<change>`. People pause, resume and cancel in SQL; a nudge only makes it notice soon."""

    @workflow.init
    def __init__(self, input: ResealInput) -> None:
        """Go on where the run before this one left off."""
        self._step = ResealStep(tenant=input.tenant, change=input.change)
        self._sealing = input.sealing
        self._passes, self._after, self._left = input.passes, input.after, input.left
        self._steps_done, self._steps_a_run = 0, input.steps_a_run
        self._waits = self._nudged = self._ended = False

    @workflow.run
    async def run(self, input: ResealInput) -> None:  # noqa: ARG002 - read in __init__, as handlers need it
        """Carry the change out. One that was carried out before is left alone."""
        begun: ResealBegun = await workflow.execute_local_activity_method(ResealPort.begin, self._step, **DATABASE)
        if not begun.is_open:
            return
        if begun.whole_tenant and not self._sealing:
            await self._until_done("publish", ResealPort.publish, self._step)
            await workflow.sleep(seconds(begun.rest_s))
            await self._until_done("activate", ResealPort.activate, self._step)
        self._sealing = True
        while not self._ended:
            await self._all_passes(begun)
            if not self._ended:
                await self._prove(begun)
        await self._until_done("close", ResealPort.close, self._step)

    @workflow.signal
    def nudged(self) -> None:
        """Somebody has paused, resumed or cancelled."""
        self._nudged = True

    @workflow.query
    def progress(self) -> ResealProgress:
        """How far this is."""
        return ResealProgress(sealing=self._sealing, passes=self._passes, after=self._after, waits=self._waits)

    async def _all_passes(self, begun: ResealBegun) -> None:
        """Pass after pass until no subject holds an old key, or a person has ended it."""
        while True:
            await self._one_pass()
            if self._ended or (not self._left and self._passes >= _FEWEST_PASSES):
                return
            await workflow.sleep(seconds(begun.rest_s))
            self._passes, self._after, self._left = self._passes + 1, "", 0

    async def _one_pass(self) -> None:
        while not self._ended:
            step = SubjectsStep(
                tenant=self._step.tenant, change=self._step.change, number=self._passes, after=self._after
            )
            done: SubjectsDone = await self._until_done("subjects", ResealPort.subjects, step)
            if done.wait:
                await self._wait_for_people()
                continue
            self._left += done.left
            self._steps_done += 1
            if done.after is None:
                return
            self._after = done.after
            if self._steps_done >= self._steps_a_run:
                self._as_new_run()

    async def _prove(self, begun: ResealBegun) -> None:
        """Scan; what is not clean waits for a person, then the passes begin again."""
        if begun.whole_tenant:
            await self._until_done("branches", ResealPort.branches, self._step)
        scanned: ResealScanned = await self._until_done("scan", ResealPort.scan, self._step)
        if scanned.is_clean:
            self._ended = True
            return
        await self._wait_for_people()
        self._passes, self._after, self._left = self._passes + 1, "", 0

    async def _wait_for_people(self) -> None:
        self._waits = True
        while True:
            wanted: ResealWanted = await workflow.execute_activity_method(ResealPort.wanted, self._step, **DECIDING)
            if wanted.goes_on or wanted.is_cancelled:
                self._waits, self._ended = False, wanted.is_cancelled
                return
            self._nudged = False
            try:
                await workflow.wait_condition(lambda: self._nudged, timeout=RESEAL_LOOKS_AGAIN)
            except TimeoutError:
                continue

    def _as_new_run(self) -> None:
        workflow.continue_as_new(
            ResealInput(
                tenant=self._step.tenant,
                change=self._step.change,
                sealing=True,
                passes=self._passes,
                after=self._after,
                left=self._left,
                steps_a_run=self._steps_a_run,
            )
        )

    async def _until_done(self, name: str, step: Any, given: Any) -> Any:
        """A step is tried until it is done: half a change is safe, and stays readable."""
        failures = 0
        while True:
            try:
                return await workflow.execute_activity_method(step, given, **BULK)
            except STEP_FAILED as error:
                failed = ResealFailed(
                    tenant=self._step.tenant, change=self._step.change, step=name, code=failure_code(error)
                )
                await workflow.execute_activity_method(ResealPort.note_failure, failed, **DECIDING)
                failures += 1
                await workflow.sleep(rest_before_try(failures))
