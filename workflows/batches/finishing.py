"""Reconcile, report, close (对账、报告、结项)."""

from models.contracts.batch_steps import Reconciled, RunClosable
from models.contracts.platform import BlockedOutcome
from models.domain.batches.states import RunOutcome, RunStage
from models.domain.states import Gate, Outcome, TaskType
from workflows.batches.desk import RunDesk
from workflows.ports.batches import RulesPort, SettlePort


class FinishingStages(RunDesk):
    """From the last answer to the end."""

    async def reconcile(self) -> None:
        """Every order in one final state, and all books equal to the cent; what differs is an incident."""
        await self.walk("batches.settle_orders", SettlePort.settle_orders)
        if RunStage.REHEARSING in (await self.read()).stages:
            await self.walk("batches.compare_live", RulesPort.compare_live)
        looks = 0
        while "reconciled" not in self._done:
            found: Reconciled = await self.bulk_call("batches.reconcile", SettlePort.reconcile, self._run)
            if found.differs:
                await self.incident("batches.reconcile", found.differs[0])
            elif found.waiting:  # nothing is wrong: people have their tasks, and decide
                looks += 1
                await self.rest(looks)
                await self.heed()
            else:
                self._done.append("reconciled")
        await self.pass_gate(Gate.BATCH_AFTER_RUN)
        await self.enter_next()

    async def report(self) -> None:
        """The report over what is now fixed, and what could be done better."""
        await self.once("batches.write_report", SettlePort.write_report, self._run)
        await self.enter_next()

    async def close(self) -> None:
        """A person closes the run on what was shown; one of the daily run closes by itself if nothing is lacking."""
        while "confirmed" not in self._done:
            closable: RunClosable = await self.bulk_call("batches.may_close", SettlePort.may_close, self._run)
            if ((await self.read()).closes_itself and not closable.lacks) or await self._ask_to_close(
                closable
            ) is Outcome.CONFIRM:
                self._done.append("confirmed")
        await self.once("batches.release_run", SettlePort.release_run, self._run)
        await self.end(RunOutcome.CANCELLED if self._stopping else RunOutcome.COMPLETED)

    async def _ask_to_close(self, closable: RunClosable) -> Outcome:
        blocked = tuple(
            BlockedOutcome(outcome=Outcome.CONFIRM, rule_id=f"batch-{lack}", verdict_id="") for lack in closable.lacks
        )
        return await self.ask(TaskType.BATCH_CLOSE, blocked=blocked)
