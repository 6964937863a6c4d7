"""Collect, verify, find duplicates, and decide whether to go on (采集、核验、查重、割接决策)."""

from models.domain.states import Outcome, TaskType
from models.domain.transfers.states import JobStage, Side
from workflows.ports.transfers import CollectPort, MatchPort
from workflows.transfers.desk import JobDesk


class GatheringStages(JobDesk):
    """From the first row that is read to go or no-go."""

    async def collect(self) -> None:
        """Read every source into sealed rows (采集)."""
        await self.walk("transfers.collect", CollectPort.collect)
        await self.enter(JobStage.VERIFYING)

    async def verify(self) -> None:
        """Each row by itself, then all of them against each other and the target's book; people decide the rest."""
        await self.walk("transfers.verify_rows", CollectPort.verify_rows)
        await self.once("transfers.quality_report", CollectPort.quality_report)
        await self.until_settled("transfers.quarantined", CollectPort.quarantined)
        for side in (Side.SOURCE, Side.TARGET):
            await self.walk("transfers.make_tokens", MatchPort.make_tokens, side=side)
        await self.walk("transfers.match", MatchPort.match)
        await self.until_settled("transfers.unreviewed", MatchPort.unreviewed)
        if "quality-after" not in self._done:
            await self.bulk_call("transfers.quality_report", CollectPort.quality_report, self._job)
            self._done.append("quality-after")
        await self.enter(JobStage.GO_NO_GO)

    async def decide_to_go(self) -> None:
        """One person who has not made the plan says go, on the figures that were shown (割接决策)."""
        if await self.ask(TaskType.TRANSFER_GO_NO_GO) is not Outcome.APPROVE:
            return  # back to verification: the decision has moved the job
        first = (await self.read()).consent_first
        await self.enter(JobStage.NOTIFYING_FIRST if first else JobStage.UPDATING)
