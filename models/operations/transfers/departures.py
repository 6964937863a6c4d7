"""Marking records of the giving company as moved out (转出), and giving them back when their rows are rolled back.

A record that has left is written to by nobody; it takes its old state, version and date again where nothing has
happened to it meanwhile, so that a rolled back job leaves no trace in either book.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Table, bindparam, select, update
from sqlmodel import Session

from models.database.bulk import insert_many
from models.domain.customers.showing import CustomerState
from models.domain.transfers.states import MoveState
from models.operations.transfers.links import link_merged, unlink_rows
from models.operations.transfers.wave_moves import RECORDS, ROWS
from models.tables.transfer_departures import TransferDeparture

DEPARTURES: Final[Table] = TransferDeparture.__table__  # type: ignore[attr-defined]


class Leaving(NamedTuple):
    """A row that has moved, and the record at the giving company; None where it knows none."""

    row_number: int
    record_id: str | None


class Departed(NamedTuple):
    """How many rows were noted, how many records left with them, and how many rows the book does not know."""

    rows: int
    records: int
    unknown: int


class _Before(NamedTuple):
    subject: str
    state: str | None
    version: int | None
    updated_at: datetime | None


def depart(session: Session, leaving: Sequence[Leaving], *, job: str, tenant: str, now: datetime) -> Departed:
    """Mark the records of rows that have moved, at most some hundreds.

    A row that was rolled back meanwhile, or is noted already, is left as it is; so is a record that was erased.
    """
    fresh = _to_note(session, leaving, job=job)
    present = _present(session, [each.record_id for each in fresh if each.record_id is not None], tenant=tenant)
    # Two rows may be one record: it leaves with the first, and comes back with the last.
    first: set[str] = set()
    rows = []
    for each in fresh:
        record = each.record_id or ""
        known = record in present and present[record].state != CustomerState.MOVED_OUT and record not in first
        before = present[record] if known else _Before("", None, None, None)
        rows.append(
            {
                "job": job,
                "row_number": each.row_number,
                "tenant": tenant,
                "record_id": record if record in present else None,
                "state_before": before.state,
                "version_before": before.version,
                "updated_before": before.updated_at,
                "left_at": now,
                "back_at": None,
            }
        )
        first.update({record} if known else ())
    if rows:
        numbers = [row["row_number"] for row in rows]
        session.execute(DEPARTURES.delete().where(DEPARTURES.c.job == job, DEPARTURES.c.row_number.in_(numbers)))
        insert_many(session, DEPARTURES, rows)
        both = {
            each.row_number: (str(each.record_id), present[str(each.record_id)].subject)
            for each in fresh
            if each.record_id in present
        }
        link_merged(session, both, job=job, other_tenant=tenant, now=now)
    if first:
        session.execute(
            update(RECORDS)
            .where(RECORDS.c.id.in_(sorted(first)), RECORDS.c.tenant == tenant)
            .values(state=CustomerState.MOVED_OUT.value, version=RECORDS.c.version + 1, updated_at=now)
        )
    return Departed(rows=len(rows), records=len(first), unknown=sum(row["record_id"] is None for row in rows))


def _to_note(session: Session, leaving: Sequence[Leaving], *, job: str) -> list[Leaving]:
    """Rows that have moved and are not noted. They are held: a rollback of them waits, or was before us."""
    numbers = [each.row_number for each in leaving]
    moved = session.execute(
        select(ROWS.c.number)
        .where(ROWS.c.job == job, ROWS.c.number.in_(numbers), ROWS.c.move == MoveState.MOVED.value)
        .order_by(ROWS.c.number)
        .with_for_update()
    ).scalars()
    noted = session.execute(
        select(DEPARTURES.c.row_number).where(
            DEPARTURES.c.job == job, DEPARTURES.c.row_number.in_(numbers), DEPARTURES.c.back_at.is_(None)
        )
    ).scalars()
    fresh = set(moved) - set(noted)
    return [each for each in leaving if each.row_number in fresh]


def _present(session: Session, ids: Sequence[str], *, tenant: str) -> dict[str, _Before]:
    found = session.execute(
        select(RECORDS.c.id, RECORDS.c.subject_id, RECORDS.c.state, RECORDS.c.version, RECORDS.c.updated_at)
        .where(RECORDS.c.id.in_(list(ids)), RECORDS.c.tenant == tenant, RECORDS.c.erased_at.is_(None))
        .order_by(RECORDS.c.id)
        .with_for_update()
    )
    return {record: _Before(*before) for record, *before in found}


def come_back(session: Session, job: str, numbers: Sequence[int], *, now: datetime) -> int:
    """Give the giving company back the records of rows that were rolled back; returns how many. Repeatable."""
    unlink_rows(session, job, numbers, now=now)
    standing = (
        session.execute(
            select(*DEPARTURES.c)
            .where(DEPARTURES.c.job == job, DEPARTURES.c.row_number.in_(list(numbers)), DEPARTURES.c.back_at.is_(None))
            .order_by(DEPARTURES.c.row_number)
            .with_for_update()
        )
        .mappings()
        .all()
    )
    if not standing:
        return 0
    session.execute(
        update(DEPARTURES)
        .where(DEPARTURES.c.job == job, DEPARTURES.c.row_number.in_([each["row_number"] for each in standing]))
        .values(back_at=now)
    )
    records = sorted({each["record_id"] for each in standing if each["record_id"] is not None})
    free = _with_no_other_row(session, records)
    if not free:
        return 0
    was = {
        record: (state, version, updated)
        for record, state, version, updated in session.execute(
            select(
                DEPARTURES.c.record_id,
                DEPARTURES.c.state_before,
                DEPARTURES.c.version_before,
                DEPARTURES.c.updated_before,
            )
            .where(DEPARTURES.c.job == job, DEPARTURES.c.record_id.in_(free), DEPARTURES.c.state_before.is_not(None))
            .order_by(DEPARTURES.c.left_at)
        )
    }
    _put_back(session, was, now=now)
    return len(was)


def _with_no_other_row(session: Session, records: Sequence[str]) -> list[str]:
    others = select(DEPARTURES.c.record_id).where(
        DEPARTURES.c.record_id.in_(list(records)), DEPARTURES.c.back_at.is_(None)
    )
    bound = set(session.execute(others).scalars())
    return [record for record in records if record not in bound]


def _put_back(session: Session, was: dict[str, tuple[str, int, datetime]], *, now: datetime) -> None:
    if not was:
        return
    gone = (RECORDS.c.id == bindparam("b_id"), RECORDS.c.state == CustomerState.MOVED_OUT.value)
    untouched = (
        update(RECORDS)
        .where(*gone, RECORDS.c.version == bindparam("b_version") + 1)
        .values(state=bindparam("n_state"), version=bindparam("b_version"), updated_at=bindparam("n_updated"))
    )
    session.connection().execute(
        untouched,
        [
            {"b_id": record, "b_version": version, "n_state": state, "n_updated": updated}
            for record, (state, version, updated) in was.items()
        ],
    )
    # Something was done to it since, as an erasure: it is what that left, in its old state.
    touched = (
        update(RECORDS).where(*gone).values(state=bindparam("n_state"), version=RECORDS.c.version + 1, updated_at=now)
    )
    session.connection().execute(touched, [{"b_id": record, "n_state": state} for record, (state, _, _) in was.items()])
