"""What the daily run tells customers (通知): put into the queue in the transaction of what it is about."""

from datetime import date, datetime, timedelta
from typing import Final, Protocol

from sqlmodel import Session

from activities.daily.chunks import DayWork
from models.domain.notices import DebitFailure, MandateStanding, NoticeChannel, NoticeKind, case_tail
from models.domain.servicing.snapshot import state_from
from models.domain.tokens import new_token
from models.operations.notices import NewNotice, queue_notice
from models.tables.agreements import Agreement, Mandate
from models.tables.daily import DebitOrder

# How long a customer whose debit is not tried again has to pay by another way.
_GRACE: Final = timedelta(days=3)
_REASONS: Final = {
    **dict.fromkeys(("AM02", "AM04", "AM14"), DebitFailure.INSUFFICIENT_FUNDS),
    **dict.fromkeys(("AC01", "AC04", "AC06", "AG01"), DebitFailure.ACCOUNT),
    **dict.fromkeys(("MD01", "MD06", "MD07", "SL01", "MS02"), DebitFailure.MANDATE),
}


class About(Protocol):
    """The work under way, and the time of its unit."""

    work: DayWork
    now: datetime


def payment_received(session: Session, agreement: Agreement, order: DebitOrder, about: About) -> None:
    """A debit has come in; the notice of each debit says how the mandate stands (DDB-REVOKE)."""
    state = state_from(agreement.snapshot or "")
    mandate = session.get_one(Mandate, order.mandate_id)
    ended = mandate.revoked_at is not None or mandate.valid_to < about.work.day.on
    queue(
        session,
        agreement,
        NoticeKind.PAYMENT_RECEIVED,
        key=f"paid/{order.id}",
        now=about.now,
        amount=order.amount_minor,
        date=about.work.day.on.isoformat(),
        left=state.owed_in_all_minor,
        mandate=(MandateStanding.ENDED if ended else MandateStanding.ACTIVE).value,
    )


def debit_failed(
    session: Session, agreement: Agreement, order: DebitOrder, about: About, *, until: date | None
) -> None:
    """A debit was rejected or came back; money should be there when it is tried again."""
    queue(
        session,
        agreement,
        NoticeKind.DEBIT_FAILED,
        key=f"failed/{order.id}/{order.state.lower()}",
        now=about.now,
        amount=order.amount_minor,
        date=order.requested_on.isoformat(),
        reason=_REASONS.get(order.reason_code or "", DebitFailure.OTHER).value,
        until=(until or about.work.day.on + _GRACE).isoformat(),
    )


def queue(
    session: Session, agreement: Agreement, kind: NoticeKind, *, key: str, now: datetime, **params: int | str
) -> None:
    """Queue a notice by text message about an agreement."""
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
