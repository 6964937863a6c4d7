"""Behind `CollectPort`: collect, verify, what waits in quarantine, and the figures of data quality."""

from dataclasses import dataclass

from temporalio import activity

from activities.transfers.chunked import JobWork
from activities.transfers.collecting import Collecting
from activities.transfers.quality import write_quality
from activities.transfers.sources.desk import Sources
from activities.transfers.verifying import Verifying
from compliance.transfers.training import require_training
from compliance.vault.keyring import Vault
from models.contracts.platform import Done
from models.contracts.transfers import ChunkDone, ChunkStep, JobStep, OpenRecords
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.transfers.verdicts import QUARANTINED
from models.queries.transfers.sources import held_count
from workflows.ports.transfers import CollectPort


@dataclass(frozen=True, slots=True)
class SqlCollect(CollectPort):
    """The adapter over SQL, the vault and the sources of this installation."""

    database: Database
    vault: Vault
    sources: Sources
    clock: Clock

    @activity.defn(name="transfers.collect", no_thread_cancel_exception=True)
    def collect(self, input: ChunkStep) -> ChunkDone:
        """Read every source into sealed rows."""
        work = JobWork.of(self.database, self.clock, input.job)
        if work.job.paused_at is not None:
            return ChunkDone(after=input.after, paused=True)
        self._may_open(input.job)
        return Collecting(work, self.vault, self.sources).turn()

    @activity.defn(name="transfers.verify_rows", no_thread_cancel_exception=True)
    def verify_rows(self, input: ChunkStep) -> ChunkDone:
        """Check each row by itself."""
        self._may_open(input.job)
        return Verifying(JobWork.of(self.database, self.clock, input.job), self.vault).turn()

    @activity.defn(name="transfers.quarantined", no_thread_cancel_exception=True)
    def quarantined(self, input: JobStep) -> OpenRecords:
        """How many rows wait for a correction."""
        with self.database.read() as session:
            return OpenRecords(count=held_count(session, input.job, reason_code=QUARANTINED))

    @activity.defn(name="transfers.quality_report", no_thread_cancel_exception=True)
    def quality_report(self, input: JobStep) -> Done:
        """Write the figures as they are now."""
        write_quality(JobWork.of(self.database, self.clock, input.job), self.vault)
        return Done()

    def _may_open(self, job: str) -> None:
        """The job's steps open rows on its sponsor's grant.

        Raises:
            TrainingMissing: there is none that holds.
        """
        require_training(self.database, job=job, now=self.clock())
