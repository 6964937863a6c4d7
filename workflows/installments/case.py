"""The installment case (个性化分期): one workflow for its whole life, from application to the last repayment.

It owns existence, outcome and next step. Between two human decisions it runs short local activities; a decision itself,
and whatever moves money, is a normal activity, so that its acceptance stands in the history before anything is written.
"""

import asyncio
from collections.abc import Awaitable, Callable

from temporalio import workflow

from models.contracts.installments import CaseCarried, CaseInput, CaseResult, CaseView
from models.contracts.platform import CloseTasksInput
from models.domain.states import CaseOutcome, CaseStage, TaskType
from workflows.installments.agreeing import AgreeingStages
from workflows.installments.deciding import DecidingCase
from workflows.installments.desk import Left
from workflows.installments.needs import NeedsStages
from workflows.installments.servicing import ServicingStages
from workflows.ports.platform import PlatformPort
from workflows.support.options import DATABASE

# Stages that only ask a person, without a machine part before.
_PLAIN = {
    CaseStage.DOCUMENTS: TaskType.DOCUMENTS,
    CaseStage.COUNTER_OFFER: TaskType.COUNTER_OFFER,
    CaseStage.PAPER_CHECK: TaskType.PAPER_CHECK,
}
# With the share of workflow tasks, reads and judgements between two writes.
_EVENTS_AT_START, _EVENTS_PER_WRITE, _EVENTS_PER_NEWS = 3, 12, 8


@workflow.defn(name="installments.case")
class InstallmentCase(NeedsStages, AgreeingStages, ServicingStages, DecidingCase):
    """One case."""

    @workflow.init
    def __init__(self, input: CaseInput) -> None:
        super().__init__(input)
        self._written_before, self._told_before = self._seq, len(self._told)

    @workflow.run
    async def run(self, input: CaseInput) -> CaseResult:
        """Stage after stage, until the case has ended."""
        try:
            known = await self.register()
            if known.outcome is not None:
                self._stage, self._outcome, self._reason = (
                    CaseStage.ENDED,
                    CaseOutcome(known.outcome),
                    known.reason_code,
                )
            while self._stage is not CaseStage.ENDED:
                try:
                    await self._run_stage()
                except Left:
                    break
                if self._length() > input.events_per_run:
                    await self._go_on_as_new(input)
        except asyncio.CancelledError:
            # An operator cancelled the case in Temporal: nobody may be left with a task that leads nowhere.
            await asyncio.shield(self._close_after_cancel())
            raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        assert self._outcome is not None
        return CaseResult(case_token=self._case, outcome=self._outcome, reason_code=self._reason)

    async def _run_stage(self) -> None:
        """The machine part of the present stage, then its question to a person."""
        if self._stage is CaseStage.INTAKE:
            self._stage = CaseStage.DOCUMENTS
            return
        if self._stage in _PLAIN:
            await self.ask(_PLAIN[self._stage])
            return
        stages: dict[CaseStage, Callable[[], Awaitable[None]]] = {
            CaseStage.NEEDS: self.work_out_needs,
            CaseStage.ASSESSMENT: self.assess,
            CaseStage.NEGOTIATION: self.negotiate,
            CaseStage.APPROVAL: self.approve,
            CaseStage.SIGNING: self.sign,
            CaseStage.ACTIVATION: self.activate,
            CaseStage.SERVICING: self.serve,
            CaseStage.BREAKING: self.break_agreement,
            CaseStage.CLOSING: self.close,
        }
        await stages[self._stage]()

    @workflow.query(name="view", description="Stage, outcome and open task, as the workflow knows them")
    def view(self) -> CaseView:
        """The workflow's own account, against which the records are held."""
        return self.account(stage=self._stage, outcome=self._outcome, reason_code=self._reason)

    async def _close_after_cancel(self) -> None:
        step = CloseTasksInput(
            workflow_id=self._workflow_id,
            case_token=self._case,
            fence=self.next_fence(),
            outcome=CaseOutcome.WITHDRAWN,
            reason_code="cancelled-by-operator",
        )
        await workflow.execute_local_activity_method(PlatformPort.close_tasks, step, **DATABASE)

    def _length(self) -> int:
        """About how many events this run has. What Temporal tells must not decide: a replay may be told another number.

        Where a local step was slow a workflow task is renewed for it, and a replay goes over that border (TMPRL1100).
        """
        written, told = self._seq - self._written_before, len(self._told) - self._told_before
        return _EVENTS_AT_START + written * _EVENTS_PER_WRITE + told * _EVENTS_PER_NEWS

    async def _go_on_as_new(self, input: CaseInput) -> None:
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._stage is CaseStage.ENDED:
            return
        carried = CaseCarried(
            stage=self._stage,
            seq=self._seq,
            task_no=self._task_no,
            rounds=self._rounds,
            applied=self._applied,
            needs_gate=self._needs_gate,
            return_reason=self._return_reason,
            news=tuple(self._news),
            told_keys=tuple(self._told),
            signed_by=self._signed_by,
        )
        workflow.continue_as_new(CaseInput(case_token=self._case, carried=carried, events_per_run=input.events_per_run))
