"""Corrections of quarantined rows of a batch (更正): said by one person, confirmed by another, then judged anew.

Nearly every field of such a row says who gets how much, so that each correction takes two persons. The corrected row is
the next attempt of its line: the old one stays as it was, replaced.
"""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from models.domain.batches.states import RowState
from models.domain.ids import batch_row_workflow_id
from models.domain.states import OPEN_TASK_STATES, TaskState
from models.errors import NotFound, StaleVersion, WrongState
from models.operations.four_eyes import By, is_maker, stand_as_checker, stand_as_maker, why_not
from models.tables.batch_imports import BatchCorrection, BatchImport, BatchRow
from models.tables.tasks import Task

PROPOSED = "proposed"
APPLIED = "applied"
REFUSED = "refused"


def propose(session: Session, correction: BatchCorrection, *, by: By, now: datetime) -> None:
    """Note a correction that waits for a second person.

    Raises:
        WrongState: another correction of the row waits already; the transaction is spoilt.
    """
    session.add(correction)
    try:
        session.flush()
    except IntegrityError:
        raise WrongState(params={"state": "correction-waits"}) from None
    subject = correction.shown_hash
    stand_as_maker(session, tenant=by.tenant, subject=subject, person_id=by.person_id, record_id=correction.id, now=now)


def decide(session: Session, correction_id: str, *, shown_hash: str, confirm: bool, by: By, now: datetime) -> None:
    """The second person's word on what they were shown.

    Raises:
        NotFound, WrongState, ShownChanged, FourEyesViolation: why it does not count; nothing was changed.
    """
    done = session.exec(
        update(BatchCorrection)
        .where(
            col(BatchCorrection.id) == correction_id,
            col(BatchCorrection.state) == PROPOSED,
            col(BatchCorrection.shown_hash) == shown_hash,
            ~is_maker(shown_hash=shown_hash, person_id=by.person_id),
        )
        .values(
            state=APPLIED if confirm else REFUSED,
            decided_by=by.staff_id,
            decided_by_person=by.person_id,
            decided_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    if not done.rowcount:
        present = session.get(BatchCorrection, correction_id, populate_existing=True)
        if present is None:
            raise NotFound
        raise why_not(
            session, state=present.state, waiting=PROPOSED, shown_hash=present.shown_hash, person_id=by.person_id
        )
    stand_as_checker(
        session, tenant=by.tenant, subject=shown_hash, person_id=by.person_id, record_id=correction_id, now=now
    )


def replace_row(session: Session, run: str, row: BatchRow, corrected: BatchRow, *, now: datetime) -> None:
    """Put a corrected row in the place of a quarantined one; it waits to be judged, and the old one's task is done.

    Raises:
        WrongState: the row is not in quarantine any more.
        StaleVersion: it is another one by now.
    """
    taken = session.get_one(BatchImport, row.import_id, with_for_update=True, populate_existing=True)
    done = session.exec(
        update(BatchRow)
        .where(
            col(BatchRow.import_id) == row.import_id,
            col(BatchRow.number) == row.number,
            col(BatchRow.version) == row.version,
            col(BatchRow.state) == RowState.HELD.value,
        )
        .values(state=RowState.REPLACED.value, version=row.version + 1)
        .execution_options(synchronize_session=False)
    )
    if not done.rowcount:
        present = session.get_one(BatchRow, (row.import_id, row.number), populate_existing=True)
        if present.state != RowState.HELD:
            raise WrongState(params={"state": "not-quarantined"})
        raise StaleVersion(params={"currentVersion": present.version})
    # Every attempt counts as read, so that read = accepted + held + rejected + replaced.
    taken.read_rows += 1
    corrected.number = taken.read_rows
    session.add_all([taken, corrected])
    session.exec(
        update(Task)
        .where(
            col(Task.workflow_id) == batch_row_workflow_id(run, row.subject_id),
            col(Task.task_no) == 1,
            col(Task.state).in_(OPEN_TASK_STATES),
        )
        .values(state=TaskState.DONE.value, version=Task.version + 1, updated_at=now, closed_at=now)
        .execution_options(synchronize_session=False)
    )
    session.flush()
