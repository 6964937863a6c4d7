"""Internal audit and close (内部审计、结项)."""

from models.contracts.platform import BlockedOutcome
from models.contracts.transfers import CloseAnswer
from models.domain.states import Gate, Outcome, TaskType
from models.domain.transfers.states import JobOutcome, JobStage
from workflows.ports.transfers import MatchPort, ReportPort
from workflows.transfers.desk import JobDesk


class FinishingStages(JobDesk):
    """The last two stages."""

    async def audit(self) -> None:
        """The rules of the audit, then the report over the same facts."""
        await self.pass_gate(Gate.TRANSFER_AUDIT)
        await self.once("transfers.write_report", ReportPort.write_report)
        await self.enter(JobStage.CLOSING)

    async def close(self) -> None:
        """A person closes the job on what was shown; what it still lacks bars that, and is named."""
        if "confirmed" not in self._done:
            if not await self._confirmed():
                return
            self._done.append("confirmed")
        await self.once("transfers.destroy_linkage", MatchPort.destroy_linkage)
        await self.end(JobOutcome.COMPLETED)

    async def _confirmed(self) -> bool:
        answer: CloseAnswer = await self.bulk_call("transfers.may_close", ReportPort.may_close, self._job)
        lacks = answer.lacks if answer.lacks or answer.may_close else ("not-closable",)
        blocked = tuple(
            BlockedOutcome(outcome=Outcome.CONFIRM, rule_id=f"close-{lack}", verdict_id="") for lack in lacks
        )
        return await self.ask(TaskType.TRANSFER_CLOSE, blocked=blocked) is Outcome.CONFIRM
