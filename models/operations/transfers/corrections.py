"""Corrections of quarantined rows: proposed by one person; a changed key field is confirmed by another (四眼)."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, update

from models.errors import NotFound, WrongState
from models.operations.four_eyes import By, is_maker, stand_as_checker, stand_as_maker, why_not
from models.tables.transfer_corrections import TransferCorrection

PROPOSED = "proposed"
APPLIED = "applied"
REFUSED = "refused"


def keep_applied(session: Session, correction: TransferCorrection) -> None:
    """Note a correction that needed nobody else, in the transaction that applies it."""
    correction.state = APPLIED
    session.add(correction)
    session.flush()


def propose(session: Session, correction: TransferCorrection, *, by: By, now: datetime) -> None:
    """Note a correction that waits for a second person.

    Raises:
        WrongState: another correction of the row waits already; the transaction is spoilt.
    """
    correction.state = PROPOSED
    session.add(correction)
    try:
        session.flush()
    except IntegrityError:
        raise WrongState(params={"state": "correction-waits"}) from None
    stand_as_maker(
        session,
        tenant=by.tenant,
        subject=correction.shown_hash,
        person_id=by.person_id,
        record_id=correction.id,
        now=now,
    )


def decide(
    session: Session,
    correction_id: str,
    *,
    shown_hash: str,
    confirm: bool,
    reason_code: str | None,
    by: By,
    now: datetime,
) -> None:
    """The second person's word on what they were shown.

    Raises:
        NotFound, WrongState, ShownChanged, FourEyesViolation: why it does not count; nothing was changed.
    """
    done = session.execute(
        update(TransferCorrection)
        .where(
            col(TransferCorrection.id) == correction_id,
            col(TransferCorrection.state) == PROPOSED,
            col(TransferCorrection.shown_hash) == shown_hash,
            ~is_maker(shown_hash=shown_hash, person_id=by.person_id),
        )
        .values(
            state=APPLIED if confirm else REFUSED,
            decided_by=by.staff_id,
            decided_by_person=by.person_id,
            reason_code=reason_code,
            decided_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        present = session.get(TransferCorrection, correction_id, populate_existing=True)
        if present is None:
            raise NotFound
        raise why_not(
            session,
            state=present.state,
            waiting=PROPOSED,
            shown_hash=present.shown_hash,
            person_id=by.person_id,
        )
    stand_as_checker(
        session,
        tenant=by.tenant,
        subject=shown_hash,
        person_id=by.person_id,
        record_id=correction_id,
        now=now,
    )
