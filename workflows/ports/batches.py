"""What a batch needs done in bulk (批量业务). All are repeated freely, each idempotent under keys of the business."""

from abc import ABC, abstractmethod

from temporalio import activity

from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import (
    ChunkDone,
    ChunksPlanned,
    ChunkStep,
    CohortFrozen,
    FilesSent,
    PartDone,
    PartStep,
    Reconciled,
    RecordsLeft,
    Rehearsed,
    RepliesTaken,
    RulesBound,
    RunClosable,
)
from models.contracts.platform import Done


class CohortPort(ABC):
    """Choose (客群): who is in the run, classified, with exclusions and their rules; then frozen by hash."""

    @activity.defn(name="batches.choose_members", no_thread_cancel_exception=True)
    @abstractmethod
    def choose_members(self, input: PartStep) -> PartDone:
        """Write the next members, from the book's criteria or from clean rows; exclusions with rule and reason."""

    @activity.defn(name="batches.freeze_cohort", no_thread_cancel_exception=True)
    @abstractmethod
    def freeze_cohort(self, input: RunStep) -> CohortFrozen:
        """Freeze the cohort by the hash of its members; repeated, it answers what was frozen."""


class CleanPort(ABC):
    """Read and clean an imported file (数据清洗): every row accepted, or in quarantine with line, field and rule."""

    @activity.defn(name="batches.read_rows", no_thread_cancel_exception=True)
    @abstractmethod
    def read_rows(self, input: PartStep) -> PartDone:
        """Read the next lines by the layout into sealed rows; one line is read once."""

    @activity.defn(name="batches.validate_rows", no_thread_cancel_exception=True)
    @abstractmethod
    def validate_rows(self, input: PartStep) -> PartDone:
        """Validate what was read and not judged yet; faults open record tasks."""

    @activity.defn(name="batches.quarantined", no_thread_cancel_exception=True)
    @abstractmethod
    def quarantined(self, input: RunStep) -> RecordsLeft:
        """How many quarantined rows nobody has decided about."""

    @activity.defn(name="batches.quality_report", no_thread_cancel_exception=True)
    @abstractmethod
    def quality_report(self, input: RunStep) -> Done:
        """Write the figures of data quality as they are now."""


class RulesPort(ABC):
    """Bind the rule set (规则集), and rehearse (试运行)."""

    @activity.defn(name="batches.bind_rules", no_thread_cancel_exception=True)
    @abstractmethod
    def bind_rules(self, input: RunStep) -> RulesBound:
        """Bind the version in force for the kind and the date; once bound it stays."""

    @activity.defn(name="batches.rehearse", no_thread_cancel_exception=True)
    @abstractmethod
    def rehearse(self, input: PartStep) -> PartDone:
        """The code path of `execute_chunk` with effects off: write the next rows' expected outcomes."""

    @activity.defn(name="batches.sum_rehearsal", no_thread_cancel_exception=True)
    @abstractmethod
    def sum_rehearsal(self, input: RunStep) -> Rehearsed:
        """Totals and hash of the rehearsal, as the approval shows them; reserves the client's funding."""

    @activity.defn(name="batches.compare_live", no_thread_cancel_exception=True)
    @abstractmethod
    def compare_live(self, input: PartStep) -> PartDone:
        """Line by line, what the live run did otherwise than the rehearsal, and why."""


class ExecutePort(ABC):
    """Execute (执行): orders, chunk by chunk, under leases."""

    @activity.defn(name="batches.plan_chunks", no_thread_cancel_exception=True)
    @abstractmethod
    def plan_chunks(self, input: RunStep) -> ChunksPlanned:
        """Cut the frozen cohort into chunks; once."""

    @activity.defn(name="batches.execute_chunk", no_thread_cancel_exception=True)
    @abstractmethod
    def execute_chunk(self, input: ChunkStep) -> ChunkDone:
        """Give every row of a chunk its order or its reason, in one transaction under the chunk's lease."""

    @activity.defn(name="batches.withdraw_orders", no_thread_cancel_exception=True)
    @abstractmethod
    def withdraw_orders(self, input: PartStep) -> PartDone:
        """Withdraw what has not left the house, in a run that is stopped."""


class BankPort(ABC):
    """Files to the bank and its answers (送盘、回盘)."""

    @activity.defn(name="batches.send_files", no_thread_cancel_exception=True)
    @abstractmethod
    def send_files(self, input: RunStep) -> FilesSent:
        """Reserve, write, check, send and mark the files of orders that wait; each exactly once."""

    @activity.defn(name="batches.take_replies", no_thread_cancel_exception=True)
    @abstractmethod
    def take_replies(self, input: RunStep) -> RepliesTaken:
        """Read what the bank has sent, match it, book it; what no order explains goes to suspense."""

    @activity.defn(name="batches.make_retries", no_thread_cancel_exception=True)
    @abstractmethod
    def make_retries(self, input: PartStep) -> PartDone:
        """Make the next attempts that are due, each under the policy that its order was bound to."""


class SettlePort(ABC):
    """Reconcile, report, improve and close (对账、报告)."""

    @activity.defn(name="batches.settle_orders", no_thread_cancel_exception=True)
    @abstractmethod
    def settle_orders(self, input: PartStep) -> PartDone:
        """Write the one final state of each order whose answer nothing can change any more."""

    @activity.defn(name="batches.reconcile", no_thread_cancel_exception=True)
    @abstractmethod
    def reconcile(self, input: RunStep) -> Reconciled:
        """Orders against files, ledger and statement, to the cent; every order in one final state."""

    @activity.defn(name="batches.write_report", no_thread_cancel_exception=True)
    @abstractmethod
    def write_report(self, input: RunStep) -> Done:
        """The report as HTML, PDF and JSON in zh-CN and en, and suggestions; the same facts give the same report."""

    @activity.defn(name="batches.may_close", no_thread_cancel_exception=True)
    @abstractmethod
    def may_close(self, input: RunStep) -> RunClosable:
        """Whether nothing waits and everything adds up."""

    @activity.defn(name="batches.release_run", no_thread_cancel_exception=True)
    @abstractmethod
    def release_run(self, input: RunStep) -> Done:
        """Let go of what the run held: the rest of its funding, its leases, its files in clear."""
