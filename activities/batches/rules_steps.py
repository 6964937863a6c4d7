"""The adapter of a batch's steps: bind the rule set (规则集), and rehearse (试运行)."""

from dataclasses import dataclass

from temporalio import activity

from activities.batches.binding import bind
from activities.batches.judging import Judge
from activities.batches.rehearsing import HoldFunding, Rehearsal, no_funding
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import PartDone, PartStep, Rehearsed, RulesBound
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.ids import tenant_of_case
from models.tables.batch_runs import BatchRun
from workflows.ports.batches import RulesPort


@dataclass(slots=True)
class SqlRules(RulesPort):
    """The adapter that the workers of the `bulk` queue register.

    Attributes:
        judge: what rows come to; the same that executes.
        hold_funding: reserves the client's funding for what the rehearsal says.
    """

    database: Database
    clock: Clock
    judge: Judge
    hold_funding: HoldFunding = no_funding

    @activity.defn(name="batches.bind_rules", no_thread_cancel_exception=True)
    def bind_rules(self, input: RunStep) -> RulesBound:
        """Bind the version in force for the kind and the date; once bound it stays."""
        now, answer = self.clock(), RulesBound(version="", lacks=("rule-set-missing",))
        deed = Deed(
            tenant=tenant_of_case(input.run), action="batch.rules-bound", target=input.run, actor="workflow", at=now
        )
        with unit_of_work(self.database, deed) as unit:
            run = unit.session.get_one(BatchRun, input.run, with_for_update=True, populate_existing=True)
            answer = bind(unit.session, run, now=now)
            if not answer.version or not unit.session.is_modified(run):
                raise Unchanged
            unit.deed.facts["version"] = answer.version
            unit.session.add(run)
        return answer

    @activity.defn(name="batches.rehearse", no_thread_cancel_exception=True)
    def rehearse(self, input: PartStep) -> PartDone:
        """The code path of `execute_chunk` with effects off: write the next rows' expected outcomes."""
        return self._rehearsal().rehearse(input)

    @activity.defn(name="batches.sum_rehearsal", no_thread_cancel_exception=True)
    def sum_rehearsal(self, input: RunStep) -> Rehearsed:
        """Totals and hash of the rehearsal, as the approval shows them; reserves the client's funding."""
        return self._rehearsal().sum_up(input.run)

    @activity.defn(name="batches.compare_live", no_thread_cancel_exception=True)
    def compare_live(self, input: PartStep) -> PartDone:
        """Line by line, what the live run did otherwise than the rehearsal, and why."""
        return self._rehearsal().compare(input)

    def _rehearsal(self) -> Rehearsal:
        return Rehearsal(self.database, self.clock, self.judge, self.hold_funding)
