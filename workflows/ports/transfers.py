"""What a transfer job needs from the outside, stage by stage. Each step can be killed and repeated at any point.

Steps over many rows take a `ChunkStep` and give a `ChunkDone`: one activity does as many parts as fit and beats after
each; the workflow repeats it from where the answer says, so that a run can go on as a new one between two of them.
"""

from abc import ABC, abstractmethod

from temporalio import activity

from models.contracts.platform import Done
from models.contracts.transfers import (
    ChunkDone,
    ChunkStep,
    CloseAnswer,
    JobStep,
    NoticesLeft,
    OpenRecords,
    WaveMeasured,
    WavesPlanned,
)


class BackupPort(ABC):
    """Back up (备份): both books into sealed containers, proven by restoring them."""

    @activity.defn(name="transfers.snapshot", no_thread_cancel_exception=True)
    @abstractmethod
    def snapshot(self, input: ChunkStep) -> ChunkDone:
        """Write the container of one side from one consistent snapshot; a repeated call finds it written."""

    @activity.defn(name="transfers.prove_backup", no_thread_cancel_exception=True)
    @abstractmethod
    def prove_backup(self, input: ChunkStep) -> ChunkDone:
        """Restore one side's container into scratch and compute the manifest again; `stopped` names what differs."""


class CollectPort(ABC):
    """Collect (采集) and check each row by itself (核验)."""

    @activity.defn(name="transfers.collect", no_thread_cancel_exception=True)
    @abstractmethod
    def collect(self, input: ChunkStep) -> ChunkDone:
        """Read every source of the job into sealed rows; counts what was read."""

    @activity.defn(name="transfers.verify_rows", no_thread_cancel_exception=True)
    @abstractmethod
    def verify_rows(self, input: ChunkStep) -> ChunkDone:
        """Completeness, validity and consistency of each row: accepted so far, or quarantined as a record task."""

    @activity.defn(name="transfers.quarantined", no_thread_cancel_exception=True)
    @abstractmethod
    def quarantined(self, input: JobStep) -> OpenRecords:
        """How many quarantined rows nobody has decided about."""

    @activity.defn(name="transfers.quality_report", no_thread_cancel_exception=True)
    @abstractmethod
    def quality_report(self, input: JobStep) -> Done:
        """Write the figures of data quality of the job as they are now, before or after corrections."""


class MatchPort(ABC):
    """Duplicates inside the job and against the target's book (查重)."""

    @activity.defn(name="transfers.make_tokens", no_thread_cancel_exception=True)
    @abstractmethod
    def make_tokens(self, input: ChunkStep) -> ChunkDone:
        """Blocking tokens of one side under the job's own linkage key."""

    @activity.defn(name="transfers.match", no_thread_cancel_exception=True)
    @abstractmethod
    def match(self, input: ChunkStep) -> ChunkDone:
        """Score candidate pairs, apply the policy, write pairs and the outcome of rows; reviews are record tasks."""

    @activity.defn(name="transfers.unreviewed", no_thread_cancel_exception=True)
    @abstractmethod
    def unreviewed(self, input: JobStep) -> OpenRecords:
        """How many pairs wait for a person."""

    @activity.defn(name="transfers.destroy_linkage", no_thread_cancel_exception=True)
    @abstractmethod
    def destroy_linkage(self, input: JobStep) -> Done:
        """Destroy the linkage key and every token: the two books cannot be joined again."""


class WavePort(ABC):
    """Update in waves (分批更新), roll back, reconcile."""

    @activity.defn(name="transfers.plan_waves", no_thread_cancel_exception=True)
    @abstractmethod
    def plan_waves(self, input: JobStep) -> WavesPlanned:
        """Give every row that moves a wave; once. Refuses a job whose rows do not add up."""

    @activity.defn(name="transfers.begin_wave", no_thread_cancel_exception=True)
    @abstractmethod
    def begin_wave(self, input: ChunkStep) -> WaveMeasured:
        """Note the root of the target's book before the wave."""

    @activity.defn(name="transfers.move_rows", no_thread_cancel_exception=True)
    @abstractmethod
    def move_rows(self, input: ChunkStep) -> ChunkDone:
        """Move a wave's rows into the target's book, each with its line in the journal; stops on the error budget."""

    @activity.defn(name="transfers.end_wave", no_thread_cancel_exception=True)
    @abstractmethod
    def end_wave(self, input: ChunkStep) -> WaveMeasured:
        """Reconcile: every row in one state, every record as its row, the root of the book; refresh statistics."""

    @activity.defn(name="transfers.undo_rows", no_thread_cancel_exception=True)
    @abstractmethod
    def undo_rows(self, input: ChunkStep) -> ChunkDone:
        """Put back what a wave changed, last change first; what changed since is a conflict for a person."""

    @activity.defn(name="transfers.end_undo", no_thread_cancel_exception=True)
    @abstractmethod
    def end_undo(self, input: ChunkStep) -> WaveMeasured:
        """Hold the root after the undo against the one before the wave."""

    @activity.defn(name="transfers.reconcile", no_thread_cancel_exception=True)
    @abstractmethod
    def reconcile(self, input: JobStep) -> ChunkDone:
        """The whole job: conservation at each hop, checksums by column, roots; `stopped` names what differs."""

    @activity.defn(name="transfers.hand_downstream", no_thread_cancel_exception=True)
    @abstractmethod
    def hand_downstream(self, input: ChunkStep) -> ChunkDone:
        """Hand the changed records to what lies downstream (file, Parquet, hook), each exactly once."""


class NoticePort(ABC):
    """Tell the customers (告知), ask for consent where the class wants it, and follow up (回访)."""

    @activity.defn(name="transfers.plan_notices", no_thread_cancel_exception=True)
    @abstractmethod
    def plan_notices(self, input: ChunkStep) -> ChunkDone:
        """One notice for each customer of the job, by class and language; once."""

    @activity.defn(name="transfers.send_notices", no_thread_cancel_exception=True)
    @abstractmethod
    def send_notices(self, input: ChunkStep) -> ChunkDone:
        """Send what is due by each notice's next channel, inside the hours in which people may be called."""

    @activity.defn(name="transfers.notices_left", no_thread_cancel_exception=True)
    @abstractmethod
    def notices_left(self, input: JobStep) -> NoticesLeft:
        """Take in receipts and bounces; what is not settled yet."""

    @activity.defn(name="transfers.publish_notice", no_thread_cancel_exception=True)
    @abstractmethod
    def publish_notice(self, input: JobStep) -> Done:
        """The public notice (公告), for those whom no channel reaches; last."""

    @activity.defn(name="transfers.follow_ups_open", no_thread_cancel_exception=True)
    @abstractmethod
    def follow_ups_open(self, input: JobStep) -> OpenRecords:
        """How many objections, corrections and bounces wait for a person."""


class ReportPort(ABC):
    """Audit (内部审计) and close."""

    @activity.defn(name="transfers.write_report", no_thread_cancel_exception=True)
    @abstractmethod
    def write_report(self, input: JobStep) -> Done:
        """The internal audit report and the transparency page, in zh-CN and en; the same facts give the same report."""

    @activity.defn(name="transfers.may_close", no_thread_cancel_exception=True)
    @abstractmethod
    def may_close(self, input: JobStep) -> CloseAnswer:
        """Whether every customer is in one evidenced notice state, everything adds up and nothing waits."""
