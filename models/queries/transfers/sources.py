"""Sources and rows of a transfer job, as collecting and its screens read them."""

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import Session, col, select

from models.domain.transfers.states import RowOutcome
from models.tables.transfer_corrections import TransferCorrection, TransferQuality
from models.tables.transfers import TransferRow, TransferSource


def sources_of(session: Session, job: str) -> Sequence[TransferSource]:
    """In the order in which they are read."""
    return session.exec(
        select(TransferSource).where(col(TransferSource.job) == job).order_by(col(TransferSource.number))
    ).all()


def last_line(session: Session, source: str) -> int:
    """The line of the last row that is on record; 0 if there is none."""
    return session.exec(select(func.max(TransferRow.line)).where(col(TransferRow.source) == source)).one() or 0


def row_of(session: Session, job: str, number: int) -> TransferRow | None:
    """One row. A number that no column holds is the number of none."""
    if not 0 < number < 2**63:
        return None
    return session.get(TransferRow, (job, number), populate_existing=True)


def rows_of(
    session: Session, job: str, *, outcome: RowOutcome | None, reason_code: str | None, after: int, limit: int
) -> Sequence[TransferRow]:
    """Rows of a job by number, behind `after`."""
    query = select(TransferRow).where(col(TransferRow.job) == job, col(TransferRow.number) > after)
    if outcome is not None:
        query = query.where(col(TransferRow.outcome) == outcome.value)
    if reason_code is not None:
        query = query.where(col(TransferRow.reason_code) == reason_code)
    return session.exec(query.order_by(col(TransferRow.number)).limit(limit)).all()


def corrections_of(session: Session, job: str, number: int) -> Sequence[TransferCorrection]:
    """The corrections of a row, the latest first."""
    return session.exec(
        select(TransferCorrection)
        .where(col(TransferCorrection.job) == job, col(TransferCorrection.row_number) == number)
        .order_by(col(TransferCorrection.created_at).desc(), col(TransferCorrection.id))
    ).all()


def held_count(session: Session, job: str, *, reason_code: str) -> int:
    """How many rows are held for this reason."""
    return session.exec(
        select(func.count())
        .select_from(TransferRow)
        .where(
            col(TransferRow.job) == job,
            col(TransferRow.outcome) == RowOutcome.HELD.value,
            col(TransferRow.reason_code) == reason_code,
        )
    ).one()


def quality_of(session: Session, job: str) -> dict[str, TransferQuality]:
    """The data-quality reports by moment."""
    found = session.exec(select(TransferQuality).where(col(TransferQuality.job) == job)).all()
    return {each.moment: each for each in found}
