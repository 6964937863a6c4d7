"""Reading a run's file (导入): opened in memory, cleaned line by line, and kept as sealed rows, part by part.

A part that is repeated reads from the beginning, because a duplicate is told by the lines before it, and writes only
the lines behind the last one that stands.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from sqlmodel import Session, col, func, select

from activities.batches.files.reading import Cleaning
from activities.batches.run_work import RunWork
from activities.support.chunked import CHUNK
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.batch_rows import kept_row, row_subject
from compliance.vault.files import FileAddress
from compliance.vault.keyring import Vault
from compliance.vault.shelf import Shelf
from models.contracts.batch_steps import PartDone
from models.domain.batches.files.layout import Layout
from models.domain.batches.files.report import QualityReport
from models.domain.batches.files.rows import CleanRow, HeldRow
from models.domain.batches.files.totals import Totals
from models.domain.ids import job_record
from models.errors import FormInvalid
from models.queries.batches.layouts import find_layout
from models.queries.batches.run_list import import_of
from models.tables.batch_imports import BatchImport, BatchQuality, BatchRow

# By how a fault's code begins: the word of the file's problem (`batch-file-problem.<word>`).
_PROBLEMS: Final = {
    "file-too-large": "too-large",
    "file-too-many": "too-many-rows",
    "file-encoding": "encoding",
    "file-column": "heading",
    "file-count": "control-total",
    "file-sum": "control-total",
    "file-trailer": "control-total",
}
BEFORE: Final = "before"


@dataclass(frozen=True, slots=True)
class RowReading:
    """One turn of reading for one run."""

    work: RunWork
    vault: Vault
    files_root: Path

    def turn(self) -> PartDone:
        """Read on until the file is through, or the turn is over. A file that is refused as a whole stops the step."""
        with self.work.database.read() as session:
            taken = import_of(session, self.work.run.token)
            if taken is None or self.work.is_held():  # the file has not come yet: the run waits for it, paused
                return PartDone(after="", paused=True)
            if taken.finished_at is not None:
                return PartDone(after=None, stopped=taken.problem)
            last = session.exec(select(func.max(BatchRow.line)).where(col(BatchRow.import_id) == taken.id)).one() or 0
            layout = find_layout(session, taken.tenant, taken.layout, taken.layout_version)[2]
        stated = Totals(count=taken.control_count, sum_minor=taken.control_minor)
        try:
            with self._opened(taken) as path:
                cleaning = Cleaning(path, layout, today=self.work.run.business_date, stated=stated)
                return self._read(taken, layout, cleaning, last)
        except FormInvalid as refused:
            return self._refuse(taken, _problem(refused.faults[0].code))

    def _read(self, taken: BatchImport, layout: Layout, cleaning: Cleaning, last: int) -> PartDone:
        rows = 0
        fresh = (each for each in cleaning if each.line > last)
        while part := list(islice(fresh, CHUNK)):
            if self.work.is_held():
                return PartDone(after=str(last), paused=True, rows=rows)
            self._write(taken, layout, part)
            rows, last = rows + len(part), part[-1].line
            self.work.rest()
            if self.work.turn_is_over:
                return PartDone(after=str(last), rows=rows)
        assert cleaning.report is not None
        problem = self._finish(taken, cleaning.report)
        return PartDone(after=None, stopped=problem, rows=rows)

    def _write(self, taken: BatchImport, layout: Layout, part: Sequence[CleanRow | HeldRow]) -> None:
        subjects = [row_subject(taken.id, each.line, 1) for each in part]
        # Keys are made before the transaction: one that nothing uses is all that a death leaves.
        self.vault.subject_keys(tenant=taken.tenant, subject_ids=set(subjects), create=True)
        rows = [kept_row(self.vault, taken, layout, each) for each in part]
        with unit_of_work(self.work.database, self.work.deed("batch.rows-read", until=part[-1].line)) as unit:
            held = _import(unit.session, taken.id)
            last = unit.session.exec(select(func.max(BatchRow.line)).where(col(BatchRow.import_id) == taken.id)).one()
            if last is not None and last >= part[0].line:
                raise Unchanged  # another run of this step was first
            for number, row in enumerate(rows, start=held.read_rows + 1):
                row.number = number
            held.read_rows += len(rows)
            unit.session.add_all([held, *rows])
            unit.deed.facts["rows"] = len(rows)

    def _finish(self, taken: BatchImport, report: QualityReport) -> str | None:
        """The file is through. Totals that differ stop the run: with them nothing may be paid."""
        problem = _problem(report.file_faults[0].code) if report.file_faults else None
        now = self.work.clock()
        deed = self.work.deed("batch.quality-reported", moment=BEFORE, read=report.read, rejected=report.rejected)
        with unit_of_work(self.work.database, deed) as unit:
            held = _import(unit.session, taken.id)
            if held.finished_at is not None:
                raise Unchanged
            held.finished_at, held.problem = now, problem
            quality = BatchQuality(
                import_id=taken.id, moment=BEFORE, tenant=taken.tenant, figures=report.as_document(), made_at=now
            )
            unit.session.add_all([held, quality])
            if problem is not None:
                unit.also(self.work.deed("batch.file-refused", problem=problem))
        return problem

    def _refuse(self, taken: BatchImport, problem: str) -> PartDone:
        now: datetime = self.work.clock()
        with unit_of_work(self.work.database, self.work.deed("batch.file-refused", problem=problem)) as unit:
            held = _import(unit.session, taken.id)
            if held.finished_at is not None:
                raise Unchanged
            held.finished_at, held.problem = now, problem
            unit.session.add(held)
        return PartDone(after=None, stopped=problem)

    @contextmanager
    def _opened(self, taken: BatchImport) -> Iterator[Path]:
        """The file in clear in memory alone: it has no name on any disk, and is gone with the step."""
        address = FileAddress(taken.tenant, job_record(taken.run), taken.file_name)
        shelf = Shelf(vault=self.vault, root=self.files_root)
        with os.fdopen(os.memfd_create("batch-file", os.MFD_CLOEXEC), "wb") as memory:
            for piece in self.vault.open_file(address, shelf.path(address)):
                memory.write(piece)
            memory.flush()
            yield Path(f"/proc/self/fd/{memory.fileno()}")


def _import(session: Session, import_id: str) -> BatchImport:
    return session.get_one(BatchImport, import_id, with_for_update=True, populate_existing=True)


def _problem(code: str) -> str:
    """Why a whole file is refused, as the one word that people are told."""
    return next((word for begin, word in _PROBLEMS.items() if code.startswith(begin)), "not-this-form")
