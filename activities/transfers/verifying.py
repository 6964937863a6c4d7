"""Verify (核验): each row by itself, against every rule; what breaks one goes into quarantine with a task."""

from collections.abc import Mapping, Sequence

from sqlalchemy import RowMapping

from activities.transfers.chunked import CHUNK, JobWork
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.keyring import Vault
from compliance.vault.transfer_rows import open_rows
from models.contracts.transfers import ChunkDone
from models.domain.customers.faults import as_document, from_document
from models.domain.customers.validity import check_record
from models.domain.shanghai import shanghai_date
from models.domain.transfers.scope import faults_within, scope_of
from models.domain.transfers.states import RowOutcome
from models.domain.transfers.verdicts import of_reading, outcome_of
from models.operations.transfers.quarantine import HeldRow, add_tasks
from models.operations.transfers.rows import Verdict, finish_source, hold_job, keep_verdicts, unverified
from models.queries.transfers.sources import sources_of
from models.tables.transfers import TransferSource


class Verifying:
    """One turn of verifying one job."""

    def __init__(self, work: JobWork, vault: Vault) -> None:
        self._work, self._vault = work, vault
        self._today = shanghai_date(work.clock())
        self._fields = scope_of(work.job.plan)
        with work.database.read() as session:
            self._sources: dict[str, TransferSource] = {each.id: each for each in sources_of(session, work.job.token)}

    def turn(self) -> ChunkDone:
        """Verify on until every row has an outcome, or the turn is over; then nothing more can be entered by hand."""
        job = self._work.job.token
        while True:
            if self._work.is_paused():
                return ChunkDone(after="", paused=True)
            with self._work.database.read() as session:
                rows = unverified(session, job=job, limit=CHUNK)
            if not rows:
                self._close_entry()
                return ChunkDone(after=None)
            self._chunk(rows)
            self._work.rest()
            if self._work.turn_is_over:
                return ChunkDone(after=str(rows[-1]["number"]))

    def _chunk(self, rows: Sequence[RowMapping]) -> None:
        opened = open_rows(
            self._vault,
            tenant=self._work.job.tenant,
            rows=[(row["subject_id"], bytes(row["row_cell"])) for row in rows],
        )
        verdicts, held = [], []
        for row, (subject, values) in zip(rows, opened, strict=True):
            source = self._sources.get(row["source"]) or self._late(row["source"])
            stricter: Mapping[str, str] = source.mapping.get("severity", {})
            kept = from_document(row["faults"])
            found_faults = check_record(values, today=self._today, as_read=of_reading(kept)).faults
            faults = faults_within(found_faults, self._fields)
            outcome, reason = outcome_of(faults, stricter)
            found = as_document(faults)
            verdicts.append(Verdict(row["number"], outcome, found, reason))
            if outcome is RowOutcome.HELD:
                held.append(HeldRow(row["number"], row["line"], source.number, subject, found))
        now, job = self._work.clock(), self._work.job
        deed = self._work.deed("transfer.rows-verified", until=rows[-1]["number"], rows=len(rows), held=len(held))
        with unit_of_work(self._work.database, deed) as unit:
            hold_job(unit.session, job.token)  # two runs of this step do not meet
            if not keep_verdicts(unit.session, job=job.token, verdicts=verdicts):
                raise Unchanged
            add_tasks(unit.session, job, held, now=now)

    def _late(self, source_id: str) -> TransferSource:
        """A source that was opened after this turn began."""
        with self._work.database.read() as session:
            source = session.get_one(TransferSource, source_id)
        self._sources[source_id] = source
        return source

    def _close_entry(self) -> None:
        """Rows that were entered by hand are all there: matching begins, and sees every row."""
        with self._work.database.read() as session:
            waiting = [each.id for each in sources_of(session, self._work.job.token) if each.finished_at is None]
        for source in waiting:
            deed = self._work.deed("transfer.source-read", source=source)
            with unit_of_work(self._work.database, deed) as unit:
                if not finish_source(unit.session, source, now=self._work.clock()):
                    raise Unchanged
