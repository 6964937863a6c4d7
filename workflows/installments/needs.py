"""From the documents to a recommendation: credit record, affordability, Art. 70 gate (需求与还款能力)."""

from temporalio import workflow

from models.contracts.agreements import ReadBalancesInput
from models.contracts.installments import (
    AssessAffordabilityInput,
    QueryBureauInput,
    StoreMendedBureauInput,
)
from models.contracts.platform import BlockedOutcome, Done
from models.domain.states import CaseStage, Gate, Outcome, TaskType
from workflows.installments.desk import BUREAU_STEP, CaseDesk, Left, bar
from workflows.ports.agreements import CorePort
from workflows.ports.installments import BureauPort, InstallmentPort
from workflows.support.desk import T
from workflows.support.failures import STEP_FAILED
from workflows.support.ids import GATEWAYS_QUEUE
from workflows.support.options import DATABASE, GATEWAY


class NeedsStages(CaseDesk):
    """Documents, needs and assessment."""

    async def work_out_needs(self) -> None:
        """What a rule stands against is not begun: the documents task comes back with the rule on it.

        Before the notice nothing is read or asked anywhere; both first gates are asked, so that all that lacks is named
        at once. Whether the holder is known, the core says; without that nobody's credit report is drawn.
        """
        answers = [await self.gate(Gate.INTAKE), await self.gate(Gate.BUREAU)]
        if any(answer.blocks for answer in answers):
            await self.move(CaseStage.DOCUMENTS, return_reason="blocked-by-rule")
            return
        await self._read_balances()
        if (await self.gate(Gate.DUE_DILIGENCE)).blocks:
            await self.move(CaseStage.DOCUMENTS, return_reason="blocked-by-rule")
            return
        await self._query_bureau()
        step = AssessAffordabilityInput(case_token=self._case, round=self.count("affordability"))
        await self.incidental(
            "installments.assess_affordability",
            lambda: workflow.execute_local_activity_method(InstallmentPort.assess_affordability, step, **DATABASE),
        )
        self._needs_gate = await self.gate(Gate.NEEDS)
        await self.move(CaseStage.ASSESSMENT)

    async def assess(self) -> None:
        """Ask for a recommendation, which Art. 70 may bar."""
        blocked: tuple[BlockedOutcome, ...] = ()
        if self._needs_gate is not None:
            blocked = bar(self._needs_gate, Outcome.RECOMMEND)
        await self.ask(TaskType.ASSESSMENT, blocked=blocked)

    async def _query_bureau(self) -> None:
        """Ask once per key; refused for good, two persons retry, enter the figures by hand, or give up."""
        key = f"bureau/{self._case}/{self.count('bureau')}"
        while True:
            try:
                await self._call_bureau(QueryBureauInput(case_token=self._case, query_key=key))
            except STEP_FAILED as error:
                choice, figures, decision_id = await self.incident(BUREAU_STEP, error)
                if choice is not Outcome.MEND or figures is None:
                    continue
                await self._store_mended(
                    StoreMendedBureauInput(
                        case_token=self._case, query_key=key, figures=figures, decision_id=decision_id
                    )
                )
            self.leave_if_ended()
            return

    async def _call_bureau(self, query: QueryBureauInput) -> None:
        await self._unless_ended(
            workflow.start_activity_method(BureauPort.query_bureau, query, task_queue=GATEWAYS_QUEUE, **GATEWAY)
        )

    async def _unless_ended(self, call: workflow.ActivityHandle[T]) -> T:
        await workflow.wait_condition(lambda: call.done() or self._stage is CaseStage.ENDED)
        if not call.done():  # withdrawn while the other side was silent: nobody needs its answer
            call.cancel()
            raise Left
        return await call

    async def _read_balances(self) -> None:
        """What the card core says is owed, by kind; without it nobody plans. While it is silent, two persons decide."""
        step = ReadBalancesInput(case_token=self._case, key=f"balances/{self._case}/{self.count('balances')}")
        await self.incidental("core.read_balances", lambda: self._call_core(step))

    async def _call_core(self, step: ReadBalancesInput) -> Done:
        return await self._unless_ended(
            workflow.start_activity_method(CorePort.read_balances, step, task_queue=GATEWAYS_QUEUE, **GATEWAY)
        )

    async def _store_mended(self, mended: StoreMendedBureauInput) -> None:
        await self.incidental(
            "installments.store_mended_bureau",
            lambda: workflow.execute_local_activity_method(InstallmentPort.store_mended_bureau, mended, **DATABASE),
        )
