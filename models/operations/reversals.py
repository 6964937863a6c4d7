"""Reversals (冲正) by two persons: asked for, then confirmed and booked, or rejected. Functions over a session.

Four-eyes (双人复核) holds in three layers, as for changes of roles: the API asks before, the compare-and-set asks who
made the proposal, and `four_eyes` is unique over subject and person.
"""

from datetime import date, datetime
from typing import Final

from sqlalchemy import update
from sqlmodel import Session, col, select

from models.domain.servicing.events import EventKind, PaymentChannel
from models.errors import Conflict, FieldFault, FormInvalid, WrongState
from models.operations.agreements import named
from models.operations.four_eyes import By, is_maker, stand_as_checker, stand_as_maker, why_not
from models.operations.payments import Receipt, book_money
from models.operations.suspense import take_back_assignment
from models.tables.agreements import Agreement, AgreementEvent
from models.tables.reversals import Reversal

PROPOSED: Final = "PROPOSED"
CONFIRMED: Final = "CONFIRMED"
REJECTED: Final = "REJECTED"
_MONEY: Final = frozenset({EventKind.PAYMENT, EventKind.PREPAYMENT, EventKind.SETTLEMENT})


def shown(reversal: Reversal) -> dict[str, object]:
    """What both persons see; its hash is what the second one is bound to."""
    return {
        "reversal": reversal.id,
        "agreement": reversal.agreement_id,
        "event": reversal.event_id,
        "kind": reversal.kind,
        "amountMinor": reversal.amount_minor,
        "valueDate": reversal.value_date.isoformat(),
        "reasonCode": reversal.reason_code,
    }


def draft(
    session: Session, agreement: Agreement, *, reversal_id: str, event_id: str, reason_code: str, by: By, now: datetime
) -> Reversal:
    """A proposal that is not written yet: the caller hashes what it shows, then `propose` writes it.

    Raises:
        FormInvalid: there is no such event, it is no money, it came by debit (the bank takes that back itself), or it
            was taken back before.
        Conflict: another proposal for it waits already.
    """
    event = session.get(AgreementEvent, event_id)
    if event is None or event.agreement_id != agreement.id or not _reversible(event):
        raise FormInvalid(faults=(FieldFault(pointer="/eventId", code="not-reversible"),))
    if _taken_back(session, event.id):
        raise FormInvalid(faults=(FieldFault(pointer="/eventId", code="reversed-already"),))
    waiting = select(Reversal.id).where(col(Reversal.event_id) == event.id, col(Reversal.state) == PROPOSED)
    if session.exec(waiting).first() is not None:
        raise Conflict(detail=event.id)
    return Reversal(
        id=reversal_id,
        tenant=agreement.tenant,
        agreement_id=agreement.id,
        event_id=event.id,
        kind=event.kind,
        amount_minor=event.amount_minor,
        value_date=event.value_date,
        reason_code=reason_code,
        shown_hash="",
        state=PROPOSED,
        proposed_by=by.staff_id,
        proposed_at=now,
    )


def propose(session: Session, reversal: Reversal, *, by: By, now: datetime) -> None:
    """Write a proposal that waits for its second person."""
    session.add(reversal)
    stand_as_maker(session, **_stand(reversal), person_id=by.person_id, now=now)
    session.flush()


def decide(session: Session, reversal: Reversal, *, shown_hash: str, confirm: bool, by: By, now: datetime) -> Reversal:
    """Confirm or reject as the second person. Call it with the agreement locked; `book_reversal` follows.

    Raises:
        FourEyesViolation: the person asked for it.
        WrongState: it was decided before.
        ShownChanged: the caller was shown something else.
    """
    decided = session.exec(
        update(Reversal)
        .where(
            col(Reversal.id) == reversal.id,
            col(Reversal.state) == PROPOSED,
            col(Reversal.shown_hash) == shown_hash,
            ~is_maker(shown_hash=col(Reversal.shown_hash), person_id=by.person_id),
        )
        .values(state=CONFIRMED if confirm else REJECTED, decided_by=by.staff_id, decided_at=now)
        .execution_options(synchronize_session=False)
    ).rowcount
    after = session.get_one(Reversal, reversal.id, populate_existing=True)
    if not decided:
        raise why_not(session, state=after.state, waiting=PROPOSED, shown_hash=after.shown_hash, person_id=by.person_id)
    stand_as_checker(session, **_stand(after), person_id=by.person_id, now=now)
    return after


def book_reversal(session: Session, agreement: Agreement, reversal: Reversal, *, on: date, now: datetime) -> Receipt:
    """Book a confirmed reversal: the tail is folded anew, rows that were paid with it open again.

    Raises:
        AlreadyBooked: it is in the books.
        WrongState: the money was taken back in another way meanwhile.
    """
    if _taken_back(session, reversal.event_id):
        raise WrongState(detail=reversal.id, params={"state": "reversed"})
    key = f"reversal/{reversal.id}"
    new = named(
        EventKind.REVERSAL, business_key=key, on=on, now=now, target=reversal.event_id, ref=reversal.reason_code
    )
    receipt = book_money(session, agreement, new.event, business_key=key, on=on, now=now)
    reversal.booked_event_id = new.event.id
    session.add(reversal)
    session.flush()
    take_back_assignment(session, event_id=reversal.event_id, on=on, now=now)
    return receipt


def _reversible(event: AgreementEvent) -> bool:
    return EventKind(event.kind) in _MONEY and event.params.get("channel") != PaymentChannel.DEBIT


def _taken_back(session: Session, event_id: str) -> bool:
    found = select(AgreementEvent.id).where(col(AgreementEvent.target) == event_id)
    return session.exec(found).first() is not None


def _stand(reversal: Reversal) -> dict[str, str]:
    return {"tenant": reversal.tenant, "subject": reversal.shown_hash, "record_id": reversal.id}
