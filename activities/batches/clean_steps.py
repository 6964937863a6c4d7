"""The adapter of cleaning: a file is read by its layout, judged and quarantined (数据清洗)."""

from dataclasses import dataclass
from pathlib import Path

from sqlmodel import col, func, select
from temporalio import activity

from activities.batches.row_reading import RowReading
from activities.batches.row_validating import keep_quality, validate
from activities.batches.run_work import RunWork
from compliance.vault.keyring import Vault
from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import PartDone, PartStep, RecordsLeft
from models.contracts.platform import Done
from models.database.engine import Database
from models.domain.batches.states import RowState
from models.domain.clock import Clock
from models.queries.batches.run_list import import_of
from models.tables.batch_imports import BatchRow
from workflows.ports.batches import CleanPort


@dataclass(slots=True)
class SqlClean(CleanPort):
    """The adapter that the workers of the `bulk` queue register.

    Attributes:
        files_root: where sealed files lie.
    """

    database: Database
    clock: Clock
    vault: Vault
    files_root: Path

    @activity.defn(name="batches.read_rows", no_thread_cancel_exception=True)
    def read_rows(self, input: PartStep) -> PartDone:
        """Read the next lines by the layout into sealed rows; one line is read once."""
        return RowReading(self._work(input.run), self.vault, self.files_root).turn()

    @activity.defn(name="batches.validate_rows", no_thread_cancel_exception=True)
    def validate_rows(self, input: PartStep) -> PartDone:
        """Judge what was read and not judged yet; faults open record tasks."""
        return validate(self._work(input.run))

    @activity.defn(name="batches.quarantined", no_thread_cancel_exception=True)
    def quarantined(self, input: RunStep) -> RecordsLeft:
        """How many quarantined rows nobody has decided about."""
        with self.database.read() as session:
            taken = import_of(session, input.run)
            if taken is None:
                return RecordsLeft(count=0)
            held = (col(BatchRow.import_id) == taken.id, col(BatchRow.state) == RowState.HELD.value)
            return RecordsLeft(count=session.exec(select(func.count()).where(*held)).one())

    @activity.defn(name="batches.quality_report", no_thread_cancel_exception=True)
    def quality_report(self, input: RunStep) -> Done:
        """Write the figures of data quality as they are now; the same ones change nothing."""
        keep_quality(self._work(input.run))
        return Done()

    def _work(self, run: str) -> RunWork:
        return RunWork.of(self.database, self.clock, run)
