"""Giving rows their waves (分批), and beginning one. Repeatable: what has a wave keeps it."""

from collections import Counter
from typing import Final

from sqlalchemy import bindparam, select, update
from sqlmodel import Session, col

from activities.transfers.wave_roots import whole_book_root
from activities.transfers.wave_work import WaveWork, wave_rows
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.transfers.wave_rows import record_id
from models.database.bulk import update_many
from models.domain.transfers.states import RowOutcome, WaveState
from models.errors import Conflict
from models.operations.transfers.wave_moves import MOVING_OUTCOMES, ROWS
from models.queries.transfers.waves import Conserved, conserved, list_waves
from models.tables.transfers import TransferJob, TransferWave

_CHUNK: Final = 500
_PLAN: Final = (
    update(ROWS)
    .where(ROWS.c.job == bindparam("b_job"), ROWS.c.number == bindparam("b_number"))
    .values(wave=bindparam("n_wave"), target_record=bindparam("n_record"), version=ROWS.c.version + 1)
)


def refuse_leaks(work: WaveWork) -> Conserved:
    """Read = accepted + rejected + merged + held, and every source read to its end.

    Raises:
        Conflict: it does not add up; the figures are said.
    """
    with work.database.read() as session:
        figures = conserved(session, work.job.token)
    if not figures.holds:
        raise Conflict(detail=f"rows of {work.job.token} do not add up: {figures.told()}")
    return figures


def plan(work: WaveWork) -> int:
    """Give every row that moves a wave, by number; returns how many waves there are.

    Raises:
        Conflict: the job's rows do not add up.
    """
    refuse_leaks(work)
    _note_book(work)
    after = 0
    while (last := _plan_chunk(work, after)) is not None:
        after = last
        work.rest()
    with work.database.read() as session:
        return len(list_waves(session, work.job.token))


def _note_book(work: WaveWork) -> None:
    """The whole book's root before the first row of the job, once."""
    if "book" in work.job.counts:
        return
    book, now = whole_book_root(work), work.clock()
    deed = work.deed("transfer.book-measured", now, root=book.root, records=book.records)
    with unit_of_work(work.database, deed) as unit:
        job = unit.session.get_one(TransferJob, work.job.token, with_for_update=True, populate_existing=True)
        if "book" in job.counts:
            raise Unchanged
        job.counts = job.counts | {"book": {"rootBefore": book.root, "recordsBefore": book.records}}
        job.version += 1
        unit.session.add(job)


def _plan_chunk(work: WaveWork, after: int) -> int | None:
    """Give the next rows behind a number their waves; the last of their numbers, None if there was none left."""
    now = work.clock()
    last: int | None = None  # stays so where there is nothing to plan
    deed = work.deed("transfer.waves-planned", now)
    with unit_of_work(work.database, deed) as unit:
        session = unit.session
        session.get_one(TransferJob, work.job.token, with_for_update=True, populate_existing=True)
        rows = session.execute(
            select(ROWS.c.number, ROWS.c.outcome, ROWS.c.target_record, ROWS.c.same_row)
            .where(
                ROWS.c.job == work.job.token,
                ROWS.c.wave.is_(None),
                ROWS.c.number > after,
                ROWS.c.outcome.in_(MOVING_OUTCOMES),
            )
            .order_by(ROWS.c.number)
            .limit(_CHUNK)
        ).all()
        if not rows:
            raise Unchanged
        last = int(rows[-1][0])
        waves = _Waves(session, work)
        values = []
        for number, outcome, target, same_row in rows:
            base = waves.base_of(same_row) if outcome == RowOutcome.MERGED and same_row is not None else None
            target_record = base[1] if base is not None else target
            if outcome == RowOutcome.ACCEPTED:
                target_record = record_id(work.job.token, number)
            wave = waves.next(base[0] if base is not None else None)
            waves.known[number] = (wave, target_record)
            values.append({"b_job": work.job.token, "b_number": number, "n_wave": wave, "n_record": target_record})
        update_many(session, _PLAN, values)
        waves.keep()
        deed.facts |= {"rows": len(rows), "first": rows[0][0], "last": last, "waves": waves.last.number}
    return last


class _Waves:
    """The waves that are looked at; the last one is filled before another begins."""

    def __init__(self, session: Session, work: WaveWork) -> None:
        self._session, self._work = session, work
        self._size = wave_rows(work.job.plan)
        self.known: dict[int, tuple[int, str | None]] = {}
        self._more: Counter[int] = Counter()
        last = session.execute(
            select(TransferWave)
            .where(col(TransferWave.job) == work.job.token)
            .order_by(col(TransferWave.number).desc())
            .limit(1)
        ).scalar_one_or_none()
        self._waves = {} if last is None else {last.number: last}
        self.last = self._new(1) if last is None else last

    def base_of(self, number: int) -> tuple[int | None, str | None] | None:
        """Wave and record of an earlier row that is the same person; itself merged or accepted, or not there."""
        if number not in self.known:
            found = self._session.execute(
                select(ROWS.c.wave, ROWS.c.target_record).where(
                    ROWS.c.job == self._work.job.token, ROWS.c.number == number, ROWS.c.outcome.in_(MOVING_OUTCOMES)
                )
            ).first()
            if found is None or found[0] is None:
                return None
            self.known[number] = (found[0], found[1])
        return self.known[number]

    def next(self, beside: int | None) -> int:
        """The wave of the next row: that of the row it depends on while it has not begun, else the one being filled."""
        wave = self._wave(beside)
        if wave is None or wave.state != WaveState.PLANNED:
            if self._rows(self.last) >= self._size or self.last.state != WaveState.PLANNED:
                self.last = self._new(self.last.number + 1)
            wave = self.last
        self._more[wave.number] += 1
        return wave.number

    def _wave(self, number: int | None) -> TransferWave | None:
        if number is None or number in self._waves:
            return self._waves.get(number or 0)
        found = self._session.get(TransferWave, (self._work.job.token, number))
        if found is not None:
            self._waves[number] = found
        return found

    def _rows(self, wave: TransferWave) -> int:
        return wave.rows + self._more[wave.number]

    def keep(self) -> None:
        """Write the waves that have got rows; an attribute of a table's object is dear for each of them."""
        for number, rows in self._more.items():
            self._waves[number].rows += rows
            self._session.add(self._waves[number])
        self._more.clear()

    def _new(self, number: int) -> TransferWave:
        wave = TransferWave(
            job=self._work.job.token, number=number, tenant=self._work.tenant, state=WaveState.PLANNED.value, rows=0
        )
        self._waves[number] = wave
        return wave
