"""The stages before any row is read: classify the event, plan, approval by both companies, back up."""

from models.domain.states import Gate, Outcome, TaskType
from models.domain.transfers.states import JobStage, Side
from workflows.ports.transfers import BackupPort
from workflows.transfers.desk import JobDesk


class PreparingStages(JobDesk):
    """From the legal event to proven backups."""

    async def classify(self) -> None:
        """A person says which legal event it is (法律事件定性); the rules ask for its evidence."""
        if "classified" not in self._done:
            await self.ask(TaskType.TRANSFER_CLASSIFICATION)
            self._done.append("classified")
        await self.pass_gate(Gate.TRANSFER_CLASSIFY)
        await self.enter(JobStage.PLANNING)

    async def plan(self) -> None:
        """The plan is complete, assessed and, where data leave the country, allowed to (方案)."""
        if self._return_reason is not None:  # it came back: people mend it, and say when that is done
            await self.ask(TaskType.TRANSFER_GATE, step=Gate.TRANSFER_PLAN)
        await self.pass_gate(Gate.TRANSFER_PLAN)
        if (await self.read()).abroad:
            await self.pass_gate(Gate.TRANSFER_CROSS_BORDER)
        await self.enter(JobStage.APPROVING)

    async def approve(self) -> None:
        """Both companies approve the same plan (双方审批): two persons, none of whom made it."""
        for side in (Side.SOURCE, Side.TARGET):
            name = f"approved/{side}"
            if name in self._done:
                continue
            if await self.ask(TaskType.TRANSFER_PLAN_APPROVAL, choice=side) is not Outcome.APPROVE:
                return  # returned: the decision has moved the job back
            self._done.append(name)
        await self.enter(JobStage.BACKING_UP)

    async def back_up(self) -> None:
        """A container of each book, and the proof that it can be restored (备份)."""
        for side in (await self.read()).sides:
            await self.walk("transfers.snapshot", BackupPort.snapshot, side=side)
            await self.walk("transfers.prove_backup", BackupPort.prove_backup, side=side)
        await self.pass_gate(Gate.TRANSFER_BACKUP)
        await self.enter(JobStage.COLLECTING)
