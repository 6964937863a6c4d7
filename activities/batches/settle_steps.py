"""The adapter of a batch's steps: reconcile, report, improve and close (对账、报告)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlmodel import Session
from temporalio import activity

from activities.batches.report_writing import ReportWriter
from activities.batches.settling import Settling
from activities.documents.render import Renderer
from compliance.audit.deeds import Deed
from compliance.audit.proofs import one_snapshot
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.keyring import Vault
from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import PartDone, PartStep, Reconciled, RunClosable
from models.contracts.platform import Done
from models.database.engine import Database
from models.domain.clock import Clock
from models.operations.batches import funding
from models.queries.batches.closing import run_lacks
from models.queries.batches.sides import open_suspense
from models.tables.batch_runs import BatchRun
from workflows.ports.batches import SettlePort


@dataclass(slots=True)
class SqlSettle(SettlePort):
    """The adapter that the workers of the `bulk` queue register.

    Attributes:
        is_bank_day: for years of which the tenant has no calendar of its own; raises `LookupError` where it has none.
    """

    database: Database
    vault: Vault
    clock: Clock
    is_bank_day: Callable[[date], bool]
    renderer: Renderer = field(default_factory=Renderer)

    @activity.defn(name="batches.settle_orders", no_thread_cancel_exception=True)
    def settle_orders(self, input: PartStep) -> PartDone:
        """Write the one final state of each order whose answer nothing can change any more."""
        after = tuple(int(part) for part in input.after.split(".")) if input.after else None
        settling = self._settling(input.run)
        place, rows = settling.settle((after[0], after[1]) if after else None)
        return PartDone(after=None if place is None else f"{place[0]}.{place[1]}", rows=rows)

    @activity.defn(name="batches.reconcile", no_thread_cancel_exception=True)
    def reconcile(self, input: RunStep) -> Reconciled:
        """Orders against files, ledger and statement, to the cent; every order in one final state."""
        settling = self._settling(input.run)
        settling.settle(None)  # what was within its term of returns when it was walked over may be past it now
        found, within = settling.reconcile()
        with self.database.read() as session:
            waiting = open_suspense(session, input.run)
        # Orders within their term of returns are no difference: they wait for the business date.
        if found.differs["order-open"] == within:
            waiting += found.differs.pop("order-open", 0)
        figures = found.figures() | {"waiting": waiting}
        deed = self._deed(settling.run, "batch.reconciled", self.clock())
        with unit_of_work(self.database, deed) as unit:
            _keep(unit.session, input.run, figures, now=deed.at)
            deed.facts = {
                "orders": found.orders,
                "ordersMinor": found.orders_minor,
                "settledMinor": found.settled_minor,
                "differs": list(found.codes),
                "waiting": waiting,
            }
        return Reconciled(orders=found.orders, settled_minor=found.settled_minor, differs=found.codes, waiting=waiting)

    @activity.defn(name="batches.write_report", no_thread_cancel_exception=True)
    def write_report(self, input: RunStep) -> Done:
        """The report as HTML, PDF and JSON in zh-CN and en, and suggestions; the same facts give the same report."""
        ReportWriter(self.database, self.vault, self.clock, self.renderer).write(self._run(input.run))
        return Done()

    @activity.defn(name="batches.may_close", no_thread_cancel_exception=True)
    def may_close(self, input: RunStep) -> RunClosable:
        """Whether nothing waits and everything adds up."""
        with self.database.read() as session:
            one_snapshot(session.connection())
            return RunClosable(lacks=run_lacks(session, session.get_one(BatchRun, input.run)))

    @activity.defn(name="batches.release_run", no_thread_cancel_exception=True)
    def release_run(self, input: RunStep) -> Done:
        """Let go of what the run held: the rest of its funding. Leases of chunks lapse; no file of it lies in clear."""
        run = self._run(input.run)
        deed = self._deed(run, "batch.funding-released", self.clock())
        with unit_of_work(self.database, deed) as unit:
            rest = funding.release(unit.session, run.token, now=deed.at)
            if rest is None:
                raise Unchanged
            deed.facts = {"amountMinor": rest}
        return Done()

    # Inside -----------------------------------------------------------------------------------------------------------

    def _run(self, token: str) -> BatchRun:
        with self.database.read() as session:
            return session.get_one(BatchRun, token)

    def _settling(self, token: str) -> Settling:
        return Settling(self.database, self.clock, self.is_bank_day, self._run(token))

    def _deed(self, run: BatchRun, action: str, now: datetime) -> Deed:
        return Deed(tenant=run.tenant, action=action, target=run.token, actor="workflow", at=now)


def _keep(session: Session, token: str, figures: dict[str, object], *, now: datetime) -> None:
    """Keep the figures with the run, for the gate behind it and for closing; the same ones change nothing.

    Raises:
        Unchanged: they stand there.
    """
    run = session.get_one(BatchRun, token, with_for_update=True, populate_existing=True)
    if run.counts.get("reconciled") == figures:
        raise Unchanged
    run.counts = run.counts | {"reconciled": figures}
    run.updated_at = now
    session.add(run)
