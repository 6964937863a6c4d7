"""The records that take part in duplicate detection, and their tokens. Nothing is opened here."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import String, cast, func, literal
from sqlmodel import Session, col, select

from models.domain.matching.settling import ROW_PREFIX
from models.tables.customers import CustomerRecord
from models.tables.transfer_scopes import in_question
from models.tables.transfers import TransferJob, TransferRow, TransferToken

_AT_ONCE: Final = 5_000  # tokens of so many records are read at a time
_ROW: Final = TransferRow.__table__.c  # type: ignore[attr-defined]
_TOKEN: Final = TransferToken.__table__.c  # type: ignore[attr-defined]
_CUSTOMER: Final = CustomerRecord.__table__  # type: ignore[attr-defined]

SealedRow = tuple[int, str, bytes]  # number, subject, cell


def numbers_to_match(session: Session, job: str, *, after: int, limit: int | None = None) -> Sequence[int]:
    """Numbers of rows that nobody has turned away and no wave has moved, in order."""
    return session.exec(
        select(TransferRow.number)
        .where(col(TransferRow.job) == job, col(TransferRow.number) > after, *in_question())
        .order_by(col(TransferRow.number))
        .limit(limit)
    ).all()


def rows_to_match(session: Session, job: str, *, after: int, limit: int) -> Sequence[SealedRow]:
    """These rows, sealed: number, subject and cell."""
    return session.execute(
        select(TransferRow.number, TransferRow.subject_id, TransferRow.row_cell)
        .where(col(TransferRow.job) == job, col(TransferRow.number) > after, *in_question())
        .order_by(col(TransferRow.number))
        .limit(limit)
    ).all()


def sealed_rows(session: Session, job: str, numbers: Sequence[int]) -> Sequence[SealedRow]:
    """Rows by number, sealed, wherever they stand."""
    return session.execute(
        select(TransferRow.number, TransferRow.subject_id, TransferRow.row_cell).where(
            col(TransferRow.job) == job, col(TransferRow.number).in_(numbers)
        )
    ).all()


def customers_after(
    session: Session, job: TransferJob, columns: Sequence[str], *, after: str, limit: int
) -> Sequence[tuple[Any, ...]]:
    """These columns of the target's own records, id first, by id; not of those that the job itself has brought."""
    return session.execute(
        select(*(_CUSTOMER.c[name] for name in ("id", *columns)))
        .where(
            _CUSTOMER.c.tenant == job.tenant,
            _CUSTOMER.c.id > after,
            _CUSTOMER.c.erased_at.is_(None),
            _CUSTOMER.c.state != "moved-out",
            func.coalesce(_CUSTOMER.c.origin, "") != job.token,
        )
        .order_by(_CUSTOMER.c.id)
        .limit(limit)
    ).all()


def customers_by_id(
    session: Session, tenant: str, columns: Sequence[str], ids: Sequence[str]
) -> Sequence[tuple[Any, ...]]:
    """These columns of records that are not erased, id first."""
    return session.execute(
        select(*(_CUSTOMER.c[name] for name in ("id", *columns))).where(
            _CUSTOMER.c.tenant == tenant, _CUSTOMER.c.id.in_(ids), _CUSTOMER.c.erased_at.is_(None)
        )
    ).all()


def token_count(session: Session, job: str) -> int:
    """How many records of a job have tokens."""
    return session.exec(select(func.count()).select_from(TransferToken).where(col(TransferToken.job) == job)).one()


def tokens_of_rows(session: Session, job: str, *, after: int) -> Sequence[tuple[int, bytes]]:
    """Numbers and packed tokens of some of the job's rows from behind a number on; none: that was all."""
    return session.execute(
        select(_ROW.number, _TOKEN.tokens)
        .join_from(
            TransferRow.__table__,  # type: ignore[attr-defined]
            TransferToken.__table__,  # type: ignore[attr-defined]
            (_TOKEN.job == _ROW.job) & (_TOKEN.record == literal(ROW_PREFIX).concat(cast(_ROW.number, String))),
        )
        .where(_ROW.job == job, _ROW.number > after)
        .order_by(_ROW.number)
        .limit(_AT_ONCE)
    ).all()


def tokens_of_targets(session: Session, job: str, *, after: str) -> Sequence[tuple[str, bytes]]:
    """Names and packed tokens of some records of the target's book from behind a name on; none: that was all."""
    return session.execute(
        select(_TOKEN.record, _TOKEN.tokens)
        .where(_TOKEN.job == job, _TOKEN.record > after, ~_TOKEN.record.startswith(ROW_PREFIX, autoescape=True))
        .order_by(_TOKEN.record)
        .limit(_AT_ONCE)
    ).all()
