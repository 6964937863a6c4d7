"""Rows of a transfer job: written with the count of their source in one transaction, and verified once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import RowMapping, bindparam, func, update
from sqlalchemy import select as alchemy_select
from sqlmodel import Session, col, select

from models.database.bulk import insert_many
from models.domain.transfers.states import MoveState, RowOutcome
from models.tables.transfers import TransferJob, TransferRow, TransferSource

_ROWS = TransferRow.__table__  # type: ignore[attr-defined]


class NewRow(NamedTuple):
    """A row as it was read and sealed."""

    line: int
    subject: str
    cell: bytes
    faults: list[dict[str, str]]
    digest: bytes


def hold_job(session: Session, job: str) -> TransferJob:
    """The job, locked until the transaction ends: numbers of rows are given one after the other.

    Raises:
        NoResultFound: no such job.
    """
    return session.exec(select(TransferJob).where(col(TransferJob.token) == job).with_for_update(of=TransferJob)).one()


def add_rows(
    session: Session,
    *,
    tenant: str,
    job: str,
    source: str,
    rows: Sequence[NewRow],
    read_before: int,
    left_out: Mapping[str, int] | None = None,
) -> range | None:
    """Add rows to a source that has given `read_before` so far; None if it has given another number meanwhile.

    `left_out`: values by field that these rows had and the plan does not let move.

    Returns:
        The numbers that the rows have in the job.
    """
    hold_job(session, job)
    counted = session.execute(
        update(TransferSource)
        .where(
            col(TransferSource.id) == source,
            col(TransferSource.read_rows) == read_before,
            col(TransferSource.finished_at).is_(None),
        )
        .values(read_rows=read_before + len(rows))
        .execution_options(synchronize_session=False)
    )
    if counted.rowcount == 0:  # type: ignore[attr-defined]
        return None
    if left_out:
        _count_left_out(session, source, left_out)
    first = (session.exec(select(func.max(TransferRow.number)).where(col(TransferRow.job) == job)).one() or 0) + 1
    insert_many(
        session,
        _ROWS,
        [
            {
                "job": job,
                "number": number,
                "tenant": tenant,
                "source": source,
                "line": row.line,
                "subject_id": row.subject,
                "row_cell": row.cell,
                "faults": row.faults,
                "digest": row.digest,
                "move": MoveState.WAITING.value,
                "version": 1,
            }
            for number, row in enumerate(rows, start=first)
        ],
    )
    return range(first, first + len(rows))


def _count_left_out(session: Session, source: str, left_out: Mapping[str, int]) -> None:
    """Add to what a source had beside the scope; the row is held by the update before."""
    held = session.get_one(TransferSource, source, populate_existing=True)
    before = held.left_out or {}
    held.left_out = {name: int(before.get(name, 0)) + left_out.get(name, 0) for name in sorted({*before, *left_out})}
    session.add(held)
    session.flush()


def finish_source(session: Session, source: str, *, now: datetime) -> bool:
    """The source has given its last row; False if that was said before."""
    ended = session.execute(
        update(TransferSource)
        .where(col(TransferSource.id) == source, col(TransferSource.finished_at).is_(None))
        .values(finished_at=now)
        .execution_options(synchronize_session=False)
    )
    return bool(ended.rowcount)  # type: ignore[attr-defined]


class Verdict(NamedTuple):
    """What verifying found of one row."""

    number: int
    outcome: RowOutcome
    faults: list[dict[str, str]]
    reason_code: str | None


def keep_verdicts(session: Session, *, job: str, verdicts: Sequence[Verdict]) -> int:
    """Write the outcome of rows that have none; answers how many that were."""
    clean = [each.number for each in verdicts if each.outcome is RowOutcome.ACCEPTED and not each.faults]
    others = [each for each in verdicts if each.outcome is not RowOutcome.ACCEPTED or each.faults]
    kept = 0
    if clean:
        done = session.execute(
            update(TransferRow)
            .where(col(TransferRow.job) == job, col(TransferRow.number).in_(clean), col(TransferRow.outcome).is_(None))
            .values(outcome=RowOutcome.ACCEPTED.value, faults=[], version=TransferRow.version + 1)
            .execution_options(synchronize_session=False)
        )
        kept += done.rowcount  # type: ignore[attr-defined]
    if others:
        statement = (
            update(_ROWS)
            .where(_ROWS.c.job == job, _ROWS.c.number == bindparam("of"), _ROWS.c.outcome.is_(None))
            .values(
                outcome=bindparam("ended"),
                faults=bindparam("found"),
                reason_code=bindparam("why"),
                version=_ROWS.c.version + 1,
            )
        )
        session.connection().execute(
            statement,
            [
                {"of": each.number, "ended": each.outcome.value, "found": each.faults, "why": each.reason_code}
                for each in others
            ],
        )
        kept += len(others)
    return kept


def unverified(session: Session, *, job: str, limit: int) -> Sequence[RowMapping]:
    """Rows without an outcome, in the order of their numbers."""
    query = (
        alchemy_select(
            _ROWS.c.number, _ROWS.c.line, _ROWS.c.source, _ROWS.c.subject_id, _ROWS.c.row_cell, _ROWS.c.faults
        )
        .where(_ROWS.c.job == job, _ROWS.c.outcome.is_(None))
        .order_by(_ROWS.c.number)
        .limit(limit)
    )
    return session.connection().execute(query).mappings().all()
