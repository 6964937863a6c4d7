"""What became of the giving company's own book, as it is on record here (旧库处置): open, locked or deleted."""

from typing import Final

from sqlalchemy import Table, func, select
from sqlmodel import Session

from models.domain.customers.showing import CustomerState
from models.domain.transfers.states import MoveState
from models.tables.customers import CustomerRecord
from models.tables.transfer_departures import TransferDeparture
from models.tables.transfer_scopes import not_departed
from models.tables.transfers import TransferJob, TransferRow

DEPARTURES: Final[Table] = TransferDeparture.__table__  # type: ignore[attr-defined]
RECORDS: Final[Table] = CustomerRecord.__table__  # type: ignore[attr-defined]
ROWS: Final[Table] = TransferRow.__table__  # type: ignore[attr-defined]


def departed_facts(session: Session, job: TransferJob) -> dict[str, object]:
    """`old_store_state` where the giving company keeps its book here; else nothing, and people state it.

    `open`: something has moved and its record is still in use there. `locked`: every record is marked as moved out, so
    nobody writes to it. `deleted`: each was erased as well.
    """
    if job.source_tenant is None:
        return {}
    standing = (DEPARTURES.c.job == job.token, DEPARTURES.c.back_at.is_(None), DEPARTURES.c.record_id.is_not(None))
    of_record = DEPARTURES.join(RECORDS, RECORDS.c.id == DEPARTURES.c.record_id)
    counted = session.execute(
        select(RECORDS.c.state, RECORDS.c.erased_at.is_not(None), func.count())
        .select_from(of_record)
        .where(*standing)
        .group_by(RECORDS.c.state, RECORDS.c.erased_at.is_not(None))
    ).all()
    if not counted:
        return {}
    waiting = session.execute(select(func.count()).select_from(ROWS).where(*not_departed(job.token))).scalar_one()
    in_use = sum(count for state, erased, count in counted if not erased and state != CustomerState.MOVED_OUT)
    kept = sum(count for _, erased, count in counted if not erased)
    if waiting or in_use:
        return {"old_store_state": "open"}
    return {"old_store_state": "locked" if kept else "deleted"}


def departure_counts(session: Session, job: str) -> dict[str, int]:
    """For the job's progress: rows that have moved, noted at the giving company, known there, and come back."""
    moved = select(func.count()).select_from(ROWS).where(ROWS.c.job == job, ROWS.c.move == MoveState.MOVED.value)
    standing = (DEPARTURES.c.job == job, DEPARTURES.c.back_at.is_(None))
    left = select(func.count()).select_from(DEPARTURES).where(*standing, DEPARTURES.c.record_id.is_not(None))
    unknown = select(func.count()).select_from(DEPARTURES).where(*standing, DEPARTURES.c.record_id.is_(None))
    return {
        "moved": session.execute(moved).scalar_one(),
        "movedOut": session.execute(left).scalar_one(),
        "notInBook": session.execute(unknown).scalar_one(),
    }
