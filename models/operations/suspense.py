"""Money in suspense assigned to an agreement (暂收认领) by two persons. Functions over a session.

What lay in suspense leaves it, and the same money is booked as a payment on the day on which the bank had it: nobody
pays late interest for the days on which the bank did not know whose it was. Four-eyes holds in three layers, as for
reversals: the API asks, the compare-and-set asks, and `four_eyes` is unique over subject and person.
"""

from datetime import date, datetime
from typing import Final

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from models.domain.daily import ReplyState
from models.domain.reconciliation.records import entry_reference
from models.domain.servicing.events import PaymentChannel
from models.domain.servicing.ledger import Account
from models.domain.tokens import uuid7
from models.errors import Conflict, FieldFault, FormInvalid, WrongState
from models.operations.four_eyes import By, is_maker, stand_as_checker, stand_as_maker, why_not
from models.operations.payments import Money, Receipt, record_payment, refuse_date, refuse_ended
from models.tables.agreements import Agreement, LedgerEntry
from models.tables.daily import BankReply, DebitOrder
from models.tables.suspense import SuspenseAssignment

PROPOSED: Final = "PROPOSED"
CONFIRMED: Final = "CONFIRMED"
REJECTED: Final = "REJECTED"
TAKEN_BACK: Final = "TAKEN_BACK"  # its payment was reversed: the money lies in suspense again


def shown(assignment: SuspenseAssignment) -> dict[str, object]:
    """What both persons see; its hash is what the second one is bound to."""
    return {
        "assignment": assignment.id,
        "entry": assignment.reply_id,
        "agreement": assignment.agreement_id,
        "amountMinor": assignment.amount_minor,
        "valueDate": assignment.value_date.isoformat(),
        "bankReference": assignment.bank_reference,
        "reasonCode": assignment.reason_code,
    }


def draft(
    session: Session,
    reply: BankReply,
    agreement: Agreement,
    *,
    assignment_id: str,
    reason_code: str,
    by: By,
    on: date,
    now: datetime,
) -> SuspenseAssignment:
    """A proposal that is not written yet: the caller hashes what it shows, then `propose` writes it.

    Raises:
        WrongState: the entry is not in suspense (any more), or nothing is owed on the agreement.
        FormInvalid: the entry took money away, or is of a debit order: what was debited twice goes back to its payer;
            or the bank had it before the agreement was in force.
        Conflict: another proposal for it waits already.
    """
    if reply.state != ReplyState.SUSPENSE:
        raise WrongState(detail=reply.id, params={"state": reply.state})
    refuse_ended(agreement)
    if not came_in(reply) or reply.value_date is None:
        raise FormInvalid(faults=(FieldFault(pointer="/entryId", code="no-money-came"),))
    if _is_of_an_order(session, reply):
        raise FormInvalid(faults=(FieldFault(pointer="/entryId", code="money-of-an-order"),))
    refuse_date(agreement, reply.value_date, on=on)
    if session.exec(_waiting(reply.id)).first() is not None:
        raise Conflict(detail=reply.id)
    return SuspenseAssignment(
        id=assignment_id,
        tenant=agreement.tenant,
        reply_id=reply.id,
        agreement_id=agreement.id,
        amount_minor=reply.amount_minor,
        value_date=reply.value_date,
        bank_reference=entry_reference(reply.business_key.removeprefix(f"{reply.tenant}/")) or reply.id,
        reason_code=reason_code,
        shown_hash="",
        state=PROPOSED,
        proposed_by=by.staff_id,
        proposed_at=now,
    )


def propose(session: Session, assignment: SuspenseAssignment, *, by: By, now: datetime) -> None:
    """Write a proposal that waits for its second person.

    Raises:
        Conflict: another one for the same entry was first.
    """
    session.add(assignment)
    stand_as_maker(session, **_stand(assignment), person_id=by.person_id, now=now)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(detail=assignment.reply_id) from None


def decide(
    session: Session, assignment: SuspenseAssignment, *, shown_hash: str, confirm: bool, by: By, now: datetime
) -> SuspenseAssignment:
    """Confirm or reject as the second person. Call it with the agreement locked; `book_assignment` follows.

    Raises:
        FourEyesViolation: the person asked for it.
        WrongState: it was decided before.
        ShownChanged: the caller was shown something else.
    """
    decided = session.exec(
        update(SuspenseAssignment)
        .where(
            col(SuspenseAssignment.id) == assignment.id,
            col(SuspenseAssignment.state) == PROPOSED,
            col(SuspenseAssignment.shown_hash) == shown_hash,
            ~is_maker(shown_hash=col(SuspenseAssignment.shown_hash), person_id=by.person_id),
        )
        .values(state=CONFIRMED if confirm else REJECTED, decided_by=by.staff_id, decided_at=now)
        .execution_options(synchronize_session=False)
    ).rowcount
    after = session.get_one(SuspenseAssignment, assignment.id, populate_existing=True)
    if not decided:
        raise why_not(session, state=after.state, waiting=PROPOSED, shown_hash=after.shown_hash, person_id=by.person_id)
    stand_as_checker(session, **_stand(after), person_id=by.person_id, now=now)
    return after


def book_assignment(
    session: Session, agreement: Agreement, assignment: SuspenseAssignment, *, on: date, now: datetime
) -> Receipt:
    """Book a confirmed one: out of suspense, and a payment on the agreement, valued when the bank had it.

    Raises:
        WrongState: the entry left suspense meanwhile, or nothing is owed any more.
        AlreadyBooked: staff recorded this money by its reference meanwhile.
    """
    _move(session, assignment.reply_id, seen=ReplyState.SUSPENSE, to=ReplyState.ASSIGNED)
    _post(session, assignment, journal="out", signed_minor=-assignment.amount_minor, on=on, now=now)
    money = Money(
        event_id=uuid7(now),
        amount_minor=assignment.amount_minor,
        value_date=assignment.value_date,
        channel=PaymentChannel.TRANSFER,
        bank_reference=assignment.bank_reference,
    )
    receipt = record_payment(session, agreement, money, on=on, now=now)
    assignment.booked_event_id = receipt.event.id
    session.add(assignment)
    session.flush()
    return receipt


def take_back_assignment(session: Session, *, event_id: str, on: date, now: datetime) -> None:
    """If a payment that is reversed came out of suspense, its money lies there again, for somebody to look at."""
    assignment = session.exec(
        select(SuspenseAssignment).where(
            col(SuspenseAssignment.booked_event_id) == event_id, col(SuspenseAssignment.state) == CONFIRMED
        )
    ).one_or_none()
    if assignment is None:
        return
    assignment.state = TAKEN_BACK
    session.add(assignment)
    _move(session, assignment.reply_id, seen=ReplyState.ASSIGNED, to=ReplyState.SUSPENSE)
    _post(session, assignment, journal="back", signed_minor=assignment.amount_minor, on=on, now=now)
    session.flush()


def came_in(reply: BankReply) -> bool:
    """Whether the entry brought money."""
    credit = reply.credit if reply.credit is not None else reply.status == "SETTLED"
    return credit and reply.amount_minor > 0


def _is_of_an_order(session: Session, reply: BankReply) -> bool:
    if reply.order_id is not None:
        return True
    orders = select(DebitOrder.id).where(
        col(DebitOrder.tenant) == reply.tenant, col(DebitOrder.end_to_end_id) == reply.end_to_end_id
    )
    return reply.end_to_end_id is not None and session.exec(orders).first() is not None


def _waiting(reply_id: str) -> SelectOfScalar[str]:
    return select(SuspenseAssignment.id).where(
        col(SuspenseAssignment.reply_id) == reply_id, col(SuspenseAssignment.state) == PROPOSED
    )


def _stand(assignment: SuspenseAssignment) -> dict[str, str]:
    return {"tenant": assignment.tenant, "subject": assignment.shown_hash, "record_id": assignment.id}


def _move(session: Session, reply_id: str, *, seen: ReplyState, to: ReplyState) -> None:
    moved = session.exec(
        update(BankReply)
        .where(col(BankReply.id) == reply_id, col(BankReply.state) == seen.value)
        .values(state=to.value)
        .execution_options(synchronize_session=False)
    ).rowcount
    if not moved:
        raise WrongState(detail=reply_id, params={"state": session.get_one(BankReply, reply_id).state})


def _post(
    session: Session, assignment: SuspenseAssignment, *, journal: str, signed_minor: int, on: date, now: datetime
) -> None:
    """The journal names the entry first, so that all that was posted of it is found together."""
    for account, amount in ((Account.BANK_CLEARING, signed_minor), (Account.SUSPENSE, -signed_minor)):
        session.add(
            LedgerEntry(
                id=uuid7(now),
                tenant=assignment.tenant,
                journal=f"suspense/{assignment.reply_id}/{journal}/{assignment.id}",
                account=account.value,
                amount_minor=amount,
                booked_on=on,
                created_at=now,
            )
        )
