"""Reads about the backups of transfer jobs, and the walk over a book that a backup is made of."""

from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Any, Final

from sqlalchemy import RowMapping, Table, collate, select
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from models.tables.customers import CustomerRecord
from models.tables.transfers import TransferBackup, TransferJob

_BOOK: Final[Table] = CustomerRecord.__table__  # type: ignore[attr-defined]
_PAGE: Final = 500


def transfer_job(session: Session, token: str) -> TransferJob | None:
    """A job by its token."""
    return session.get(TransferJob, token)


def newest_backup(session: Session, *, job: str, side: str) -> TransferBackup | None:
    """The newest backup of one side; None while there is none."""
    return session.exec(
        select_rows(TransferBackup)
        .where(col(TransferBackup.job) == job, col(TransferBackup.side) == side)
        .order_by(col(TransferBackup.number).desc())
        .limit(1)
    ).one_or_none()


def backups_of(session: Session, job: str) -> Sequence[TransferBackup]:
    """All backups of a job, by side and number."""
    return session.exec(
        select_rows(TransferBackup)
        .where(col(TransferBackup.job) == job)
        .order_by(col(TransferBackup.side), col(TransferBackup.number))
    ).all()


def backups_of_ended_jobs(session: Session) -> Sequence[tuple[TransferBackup, TransferJob]]:
    """Backups that are still there and whose job has ended, the oldest end first."""
    found = session.exec(
        select_rows(TransferBackup, TransferJob)
        .join(TransferJob, col(TransferJob.token) == col(TransferBackup.job))
        .where(col(TransferJob.ended_at).is_not(None), col(TransferBackup.deleted_at).is_(None))
        .order_by(col(TransferJob.ended_at), col(TransferBackup.id))
    )
    return [(backup, job) for backup, job in found.all()]


def uncertified_backups(session: Session) -> Sequence[TransferBackup]:
    """Backups that were deleted and have no certificate yet."""
    return session.exec(
        select_rows(TransferBackup)
        .where(col(TransferBackup.deleted_at).is_not(None), col(TransferBackup.certificate).is_(None))
        .order_by(col(TransferBackup.id))
    ).all()


def walk_book(session: Session, *, tenant: str) -> Generator[RowMapping, None, None]:
    """The stored columns of every record of a book that was not erased, in the rising order of the ids' bytes.

    Rows come as they are read, a page at a time, so memory stays flat; all of one snapshot where the session is in one.
    Who leaves the walk early closes it.
    """
    # PostgreSQL sorts by the language of the database, which need not be the order of the bytes.
    order: Any = _BOOK.c.id if session.get_bind().dialect.name == "sqlite" else collate(_BOOK.c.id, "C")
    statement = select(_BOOK).where(_BOOK.c.tenant == tenant, _BOOK.c.erased_at.is_(None)).order_by(order)
    # Closed where the walk is left early: PostgreSQL holds a cursor for it.
    with closing(session.connection().execute(statement.execution_options(yield_per=_PAGE))) as rows:
        yield from rows.mappings()
