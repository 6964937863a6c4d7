"""What customers are told of money that staff record or take back (还款、冲正通知), in the booking's transaction."""

from datetime import date, datetime

from sqlmodel import Session

from models.domain.notices import MandateStanding, NoticeChannel, NoticeKind, case_tail
from models.domain.tokens import new_token
from models.operations.notices import NewNotice, queue_notice
from models.operations.payments import Receipt
from models.tables.agreements import Agreement, Mandate
from models.tables.reversals import Reversal


def tell_received(session: Session, agreement: Agreement, receipt: Receipt, *, on: date, now: datetime) -> None:
    """Money has come in by hand; a settlement that waiting credit covers brought none and is told at the close."""
    if receipt.event.amount_minor == 0:
        return
    _queue(
        session,
        agreement,
        NoticeKind.PAYMENT_RECEIVED,
        key=f"paid/{receipt.event.id}",
        now=now,
        amount=receipt.event.amount_minor,
        date=receipt.event.value_date.isoformat(),
        left=receipt.booked.after.owed_in_all_minor,
        mandate=_standing(session, agreement, on).value,
    )


def tell_reversed(
    session: Session, agreement: Agreement, reversal: Reversal, receipt: Receipt, *, now: datetime
) -> None:
    """Money that was recorded is taken back: what is owed, and how much of it is due, has changed."""
    after = receipt.booked.after
    _queue(
        session,
        agreement,
        NoticeKind.PAYMENT_REVERSED,
        key=f"reversed/{reversal.id}",
        now=now,
        amount=reversal.amount_minor,
        date=reversal.value_date.isoformat(),
        left=after.owed_in_all_minor,
        due=after.owed_now_minor,
    )


def _standing(session: Session, agreement: Agreement, on: date) -> MandateStanding:
    mandate = session.get(Mandate, agreement.mandate_id) if agreement.mandate_id is not None else None
    if mandate is None:
        return MandateStanding.NONE
    ended = mandate.revoked_at is not None or mandate.valid_to < on
    return MandateStanding.ENDED if ended else MandateStanding.ACTIVE


def _queue(
    session: Session, agreement: Agreement, kind: NoticeKind, *, key: str, now: datetime, **params: int | str
) -> None:
    notice = NewNotice(
        id=new_token("ntc"),
        tenant=agreement.tenant,
        subject_id=agreement.subject_id,
        case_token=agreement.case_token,
        business_key=key,
        kind=kind,
        channel=NoticeChannel.SMS,
        params={"case": case_tail(agreement.case_token), **params},
    )
    queue_notice(session, notice, now=now)
