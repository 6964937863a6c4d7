"""The adapter of cleaning: a file is read by its layout, judged and quarantined (数据清洗)."""

from dataclasses import dataclass

from temporalio import activity

from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import PartDone, PartStep, RecordsLeft
from models.contracts.platform import Done
from models.database.engine import Database
from models.domain.clock import Clock
from workflows.ports.batches import CleanPort


@dataclass(slots=True)
class SqlClean(CleanPort):
    """Holds the places of these steps: none works yet, and no worker registers it."""

    database: Database
    clock: Clock

    @activity.defn(name="batches.read_rows", no_thread_cancel_exception=True)
    def read_rows(self, input: PartStep) -> PartDone:
        """Read the next lines by the layout into sealed rows; one line is read once."""
        raise NotImplementedError(input.run)

    @activity.defn(name="batches.validate_rows", no_thread_cancel_exception=True)
    def validate_rows(self, input: PartStep) -> PartDone:
        """Validate what was read and not judged yet; faults open record tasks."""
        raise NotImplementedError(input.run)

    @activity.defn(name="batches.quarantined", no_thread_cancel_exception=True)
    def quarantined(self, input: RunStep) -> RecordsLeft:
        """How many quarantined rows nobody has decided about."""
        raise NotImplementedError(input.run)

    @activity.defn(name="batches.quality_report", no_thread_cancel_exception=True)
    def quality_report(self, input: RunStep) -> Done:
        """Write the figures of data quality as they are now."""
        raise NotImplementedError(input.run)
