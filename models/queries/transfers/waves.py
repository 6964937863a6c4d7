"""Reads over waves: conservation, waves of a job, changes of a record, conflicts."""

from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlmodel import Session, col

from models.domain.transfers.states import MoveState, RowOutcome
from models.tables.transfer_waves import TransferConflict
from models.tables.transfers import TransferChange, TransferRow, TransferSource, TransferWave


@dataclass(frozen=True, kw_only=True, slots=True)
class Conserved:
    """What a job has read, and where it ended (守恒): read = accepted + rejected + merged + held.

    Attributes:
        read: as the sources have counted it.
        rows: rows on record.
        undecided: rows without an outcome.
        unfinished: sources that were not read to their end.
    """

    read: int
    rows: int
    accepted: int
    rejected: int
    merged: int
    held: int
    undecided: int
    unfinished: int

    @property
    def holds(self) -> bool:
        """Whether it adds up."""
        ended = self.accepted + self.rejected + self.merged + self.held
        return self.read == self.rows == ended and not (self.undecided or self.unfinished)

    def told(self) -> dict[str, int]:
        """As it stands in records and events."""
        return {
            "read": self.read,
            "rows": self.rows,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "merged": self.merged,
            "held": self.held,
            "undecided": self.undecided,
            "unfinished": self.unfinished,
        }


def conserved(session: Session, job: str) -> Conserved:
    """The figures of a job, counted from its rows."""
    sources = session.execute(
        select(
            func.coalesce(func.sum(col(TransferSource.read_rows)), 0),
            func.count(),
            func.count(col(TransferSource.finished_at)),
        ).where(col(TransferSource.job) == job)
    ).one()
    by_outcome: dict[str | None, int] = {
        outcome: int(count)
        for outcome, count in session.execute(
            select(col(TransferRow.outcome), func.count())
            .where(col(TransferRow.job) == job)
            .group_by(col(TransferRow.outcome))
        )
    }
    return Conserved(
        read=int(sources[0]),
        rows=sum(by_outcome.values()),
        accepted=by_outcome.get(RowOutcome.ACCEPTED, 0),
        rejected=by_outcome.get(RowOutcome.REJECTED, 0),
        merged=by_outcome.get(RowOutcome.MERGED, 0),
        held=by_outcome.get(RowOutcome.HELD, 0),
        undecided=by_outcome.get(None, 0),
        unfinished=int(sources[1]) - int(sources[2]),
    )


def moves_of(session: Session, job: str, *, wave: int | None = None) -> dict[tuple[str, str], int]:
    """How many rows of a job or wave stand in each outcome and move state."""
    statement = select(col(TransferRow.outcome), col(TransferRow.move), func.count()).where(
        col(TransferRow.job) == job, col(TransferRow.wave).is_not(None)
    )
    if wave is not None:
        statement = statement.where(col(TransferRow.wave) == wave)
    found = session.execute(statement.group_by(col(TransferRow.outcome), col(TransferRow.move)))
    return {(str(outcome), str(move)): int(count) for outcome, move, count in found}


def moved_rows(session: Session, job: str) -> int:
    """How many rows have reached the book."""
    return sum(count for (_, move), count in moves_of(session, job).items() if move == MoveState.MOVED)


def list_waves(session: Session, job: str) -> list[TransferWave]:
    """All waves of a job, by number."""
    statement = select(TransferWave).where(col(TransferWave.job) == job).order_by(col(TransferWave.number))
    return list(session.execute(statement).scalars())


def list_changes(session: Session, job: str, record_id: str) -> list[TransferChange]:
    """What a job did to a record, in the order in which it did it."""
    statement = (
        select(TransferChange)
        .where(col(TransferChange.job) == job, col(TransferChange.record_id) == record_id)
        .order_by(col(TransferChange.at), col(TransferChange.version_after), col(TransferChange.row_number))
    )
    return list(session.execute(statement).scalars())


def list_conflicts(
    session: Session, job: str, *, state: str | None = None, after: tuple[int, str] | None = None, limit: int = 50
) -> list[TransferConflict]:
    """Conflicts of a job by row, a page."""
    statement = select(TransferConflict).where(col(TransferConflict.job) == job)
    if after is not None:
        number, name = after
        statement = statement.where(
            or_(
                col(TransferConflict.row_number) > number,
                and_(col(TransferConflict.row_number) == number, col(TransferConflict.id) > name),
            )
        )
    if state is not None:
        statement = statement.where(col(TransferConflict.state) == state)
    statement = statement.order_by(col(TransferConflict.row_number), col(TransferConflict.id)).limit(limit)
    return list(session.execute(statement).scalars())
