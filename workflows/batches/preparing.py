"""The stages before anything outside changes, from the cohort on (客群、清洗、规则、试运行、复核)."""

from models.contracts.batch_steps import RulesBound
from models.contracts.platform import BlockedOutcome
from models.domain.states import Gate, Outcome, TaskType
from workflows.batches.desk import RunDesk
from workflows.ports.batches import CleanPort, CohortPort, RulesPort


class PreparingStages(RunDesk):
    """From the first row to the approval."""

    async def choose(self) -> None:
        """Of the book: choose, and freeze. Rows of a file are chosen once they are clean."""
        if self._return_reason is not None:  # it came back: people mend it, and say when that is done
            await self.ask(TaskType.BATCH_GATE, step=Gate.BATCH_COHORT)
        if not (await self.read()).from_file:
            await self._choose_and_freeze()
        await self.enter_next()

    async def clean(self) -> None:
        """Read the file, judge every row, wait for what people decide of the quarantined; then choose and freeze."""
        if (await self.read()).from_file:
            await self._clean_rows()
            await self._choose_and_freeze()
        await self.enter_next()

    async def _clean_rows(self) -> None:
        """Corrected rows come in while people work on the quarantine: they are judged until none is left."""
        await self.walk("batches.read_rows", CleanPort.read_rows)
        looks, rounds = 0, 0
        while "clean" not in self._done:
            await self.walk("batches.validate_rows", CleanPort.validate_rows, again=str(rounds))
            await self.once("batches.quality_report", CleanPort.quality_report, self._run)
            left = await self.bulk_call("batches.quarantined", CleanPort.quarantined, self._run)
            if not left.count:
                break
            looks += 1
            await self.rest(looks)
            await self.heed()
            self.forget(f"batches.validate_rows/{rounds}")
            rounds += 1
        self._done.append("clean")
        self.forget("batches.quality_report")
        await self.once("batches.quality_report", CleanPort.quality_report, self._run)

    async def _choose_and_freeze(self) -> None:
        """The gate stands between choosing and freezing: it counts who should not be in."""
        await self.walk("batches.choose_members", CohortPort.choose_members)
        await self.pass_gate(Gate.BATCH_COHORT)
        await self.once("batches.freeze_cohort", CohortPort.freeze_cohort, self._run)

    async def bind_rules(self) -> None:
        """The approved version of the rule set in force; without one, a person sees to it."""
        while "rules-bound" not in self._done:
            bound: RulesBound = await self.bulk_call("batches.bind_rules", RulesPort.bind_rules, self._run)
            if bound.version:
                self._done.append("rules-bound")
            else:
                # Each code bars going on as a rule would, so that the inbox tells it in words.
                lacks = tuple(
                    BlockedOutcome(outcome=Outcome.ACCEPT, rule_id=lack, verdict_id="") for lack in bound.lacks
                )
                await self.ask(
                    TaskType.BATCH_GATE,
                    step=Gate.BATCH_RULE_SET,
                    blocked=lacks,
                    code=next(iter(bound.lacks), None),
                )
        await self.pass_gate(Gate.BATCH_RULE_SET)
        await self.enter_next()

    async def rehearse(self) -> None:
        """The same code path with effects off; its totals are what is approved."""
        await self.walk("batches.rehearse", RulesPort.rehearse)
        await self.once("batches.sum_rehearsal", RulesPort.sum_rehearsal, self._run)
        await self.enter_next()

    async def approve(self) -> None:
        """A second person approves cohort, rules and rehearsal by one hash (复核). Returned, the run begins anew."""
        if await self.ask(TaskType.BATCH_APPROVAL) is Outcome.APPROVE:
            await self.enter_next()
