"""An agreement in service (还款期): the case sleeps until the daily run tells it what changes its next step."""

from temporalio import workflow

from models.contracts.agreements import BreakInput, CloseInput
from models.contracts.installments import CaseNews
from models.contracts.platform import CancelTaskInput, RecordStageInput
from models.domain.states import CaseOutcome, CaseStage, Gate, NewsKind, TaskType
from workflows.installments.desk import CaseDesk
from workflows.ports.agreements import AgreementPort, CorePort, SigningPort
from workflows.ports.platform import PlatformPort
from workflows.support.failures import STEP_FAILED
from workflows.support.ids import GATEWAYS_QUEUE
from workflows.support.options import DATABASE, DECIDING, GATEWAY

_ASKS = {NewsKind.MISSED: TaskType.MISSED, NewsKind.DEFAULT_DUE: TaskType.DEFAULT}


class ServicingStages(CaseDesk):
    """Service, breach and close."""

    @workflow.signal(name="told", description="News of the daily run; the same key twice is one")
    async def told(self, news: CaseNews) -> None:
        """Take the news in; the case turns to it when its turn comes."""
        if news.key not in self._told:
            self._told.append(news.key)
            self._news.append(news)

    async def serve(self) -> None:
        """Work through the news one after the other; between them nothing runs and no timer is set."""
        await self._record_stage()
        while self._stage is CaseStage.SERVICING:
            await workflow.wait_condition(lambda: bool(self._news) or self._stage is not CaseStage.SERVICING)
            if self._stage is not CaseStage.SERVICING:
                return
            kind = NewsKind(self._news.pop(0).kind)
            await self._drop_open_task()
            if kind is NewsKind.SETTLED:
                await self.move(CaseStage.CLOSING)
            elif kind in _ASKS:
                await self.open_task(_ASKS[kind])

    async def break_agreement(self) -> None:
        """The agreement is broken: concessions end, the debt goes back to collection (违约)."""
        breaking = BreakInput(case_token=self._case)
        await self.incidental(
            "installments.break_agreement",
            lambda: workflow.execute_activity_method(AgreementPort.break_agreement, breaking, **DECIDING),
        )
        await self.order_core("core.resume_collection", CorePort.resume_collection)
        await self._end(CaseOutcome.BROKEN)

    async def close(self) -> None:
        """Nothing is owed: letter, release of the card, retention clock (结清)."""
        closing = CloseInput(case_token=self._case)
        if not await self._close_books(closing):
            await self.move(CaseStage.SERVICING)
            return
        await self.order_core("core.release_card", CorePort.release_card)
        await self.pass_gate(Gate.CLOSE)
        await self.incidental(
            "installments.close_letter",
            lambda: workflow.execute_activity_method(
                SigningPort.close_letter, closing, task_queue=GATEWAYS_QUEUE, **GATEWAY
            ),
        )
        await self._end(CaseOutcome.COMPLETED)

    async def _close_books(self, closing: CloseInput) -> bool:
        """Close the agreement; False if the news came first that something is owed again."""
        while not any(news.kind == NewsKind.REOPENED for news in self._news):
            try:
                await workflow.execute_activity_method(AgreementPort.close_agreement, closing, **DECIDING)
            except STEP_FAILED as error:
                await self.incident("installments.close_agreement", error)
            else:
                self.leave_if_ended()
                return True
        return False

    async def _record_stage(self) -> None:
        async with self._lock:
            step = RecordStageInput(
                workflow_id=self._workflow_id,
                case_token=self._case,
                fence=self.next_fence(),
                stage=CaseStage.SERVICING,
            )
            await self.persist(
                lambda: workflow.execute_local_activity_method(PlatformPort.record_stage, step, **DATABASE)
            )

    async def _drop_open_task(self) -> None:
        """What was asked before has settled itself or is asked anew: no task may stay that leads nowhere."""
        async with self._lock:
            if self._open is None:
                return
            step = CancelTaskInput(
                workflow_id=self._workflow_id,
                case_token=self._case,
                task_no=self._open.task_no,
                fence=self.next_fence(),
            )
            await self.persist(
                lambda: workflow.execute_local_activity_method(PlatformPort.cancel_task, step, **DATABASE)
            )
            self._open = None

    async def _end(self, outcome: CaseOutcome) -> None:
        async with self._lock:
            step = RecordStageInput(
                workflow_id=self._workflow_id,
                case_token=self._case,
                fence=self.next_fence(),
                stage=CaseStage.ENDED,
                outcome=outcome,
            )
            await self.persist(
                lambda: workflow.execute_local_activity_method(PlatformPort.record_stage, step, **DATABASE)
            )
            self._stage, self._outcome = CaseStage.ENDED, outcome
