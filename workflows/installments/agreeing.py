"""From a recommendation to an agreement in force: plans, approval, signing, activation (协商、审批、签约、生效)."""

from temporalio import workflow

from models.contracts.agreements import (
    ActivateInput,
    InviteInput,
    PrepareAgreementInput,
    PrepareOffersInput,
    SealAgreementInput,
)
from models.domain.states import CaseStage, Gate, Outcome, TaskType
from workflows.installments.desk import CaseDesk, bar
from workflows.ports.agreements import AgreementPort, CorePort, SigningPort
from workflows.support.ids import GATEWAYS_QUEUE
from workflows.support.options import DATABASE, DECIDING, GATEWAY


class AgreeingStages(CaseDesk):
    """Negotiation, approval, signing and activation."""

    async def negotiate(self) -> None:
        """Put at least five plans side by side, and ask which one bank and customer agreed on."""
        step = PrepareOffersInput(case_token=self._case, round=self.count("offers"))
        await self.incidental(
            "installments.prepare_offers",
            lambda: workflow.execute_local_activity_method(AgreementPort.prepare_offers, step, **DATABASE),
        )
        await self.ask(TaskType.NEGOTIATION)

    async def approve(self) -> None:
        """Ask the approver about the chosen plan; rules about the plan and about the decision may bar it."""
        plan = await self.gate(Gate.NEGOTIATION)
        decision = await self.gate(Gate.DECISION)
        every = bar(decision, Outcome.APPROVE, Outcome.COUNTER, Outcome.REJECT)
        await self.ask(TaskType.APPROVAL, blocked=(*bar(plan, Outcome.APPROVE), *every))

    async def sign(self) -> None:
        """Print, invite, and wait for a signature by code or on paper."""
        number = self.count("signing")
        printing = PrepareAgreementInput(case_token=self._case, round=number)
        await self.incidental(
            "installments.prepare_agreement",
            lambda: workflow.execute_activity_method(
                SigningPort.prepare_agreement, printing, task_queue=GATEWAYS_QUEUE, **GATEWAY
            ),
        )
        inviting = InviteInput(case_token=self._case, round=number)
        await self.incidental(
            "installments.invite",
            lambda: workflow.execute_activity_method(
                SigningPort.invite, inviting, task_queue=GATEWAYS_QUEUE, **GATEWAY
            ),
        )
        await self.ask(TaskType.SIGNING)

    async def activate(self) -> None:
        """Seal what was signed, stop what the law stops, and bring the agreement into force; or ask what is missing."""
        assert self._signed_by is not None  # the transition table comes here by a signature only
        sealing = SealAgreementInput(case_token=self._case, decision_id=self._signed_by)
        await self.incidental(
            "installments.seal_agreement",
            lambda: workflow.execute_activity_method(
                SigningPort.seal_agreement, sealing, task_queue=GATEWAYS_QUEUE, **GATEWAY
            ),
        )
        await self.order_core("core.block_card", CorePort.block_card)
        await self.order_core("core.recall_collection", CorePort.recall_collection)
        signing, activation = await self.gate(Gate.SIGNING), await self.gate(Gate.ACTIVATION)
        if signing.blocks or activation.blocks:
            self._return_reason = "blocked-by-rule"
            await self.ask(TaskType.ACTIVATION)
            return
        activating = ActivateInput(case_token=self._case, decision_id=self._signed_by)
        await self.incidental(
            "installments.activate",
            lambda: workflow.execute_activity_method(AgreementPort.activate, activating, **DECIDING),
        )
        await self.move(CaseStage.SERVICING)
