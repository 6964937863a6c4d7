"""What the daily run tells customers (通知): queued in the transaction of what it is about, a chunk at a time."""

from datetime import date, timedelta
from typing import Final

from models.domain.notices import DebitFailure, MandateStanding, NoticeChannel, NoticeKind, case_tail
from models.domain.tokens import new_token
from models.operations.notices import NewNotice
from models.tables.agreements import Agreement
from models.tables.daily import DebitOrder

# How long a customer whose debit is not tried again has to pay by another way.
_GRACE: Final = timedelta(days=3)
_REASONS: Final = {
    **dict.fromkeys(("AM02", "AM04", "AM14"), DebitFailure.INSUFFICIENT_FUNDS),
    **dict.fromkeys(("AC01", "AC04", "AC06", "AG01"), DebitFailure.ACCOUNT),
    **dict.fromkeys(("MD01", "MD06", "MD07", "SL01", "MS02"), DebitFailure.MANDATE),
}


def failure_of(reason_code: str | None) -> DebitFailure:
    """Why a debit was not made, in words that a customer can act on."""
    return _REASONS.get(reason_code or "", DebitFailure.OTHER)


def payment_received(
    agreement: Agreement, order: DebitOrder, *, mandate_ended: bool, left_minor: int, on: date
) -> NewNotice:
    """A debit has come in; the notice of each debit says how the mandate stands (DDB-REVOKE)."""
    return notice_of(
        agreement,
        NoticeKind.PAYMENT_RECEIVED,
        key=f"paid/{order.id}",
        amount=order.amount_minor,
        date=on.isoformat(),
        left=left_minor,
        mandate=(MandateStanding.ENDED if mandate_ended else MandateStanding.ACTIVE).value,
    )


def debit_failed(agreement: Agreement, order: DebitOrder, *, until: date | None, on: date) -> NewNotice:
    """A debit was rejected or came back; money should be there when it is tried again."""
    return notice_of(
        agreement,
        NoticeKind.DEBIT_FAILED,
        key=f"failed/{order.id}/{order.state.lower()}",
        amount=order.amount_minor,
        date=order.requested_on.isoformat(),
        reason=failure_of(order.reason_code).value,
        until=(until or on + _GRACE).isoformat(),
    )


def notice_of(agreement: Agreement, kind: NoticeKind, *, key: str, **params: int | str) -> NewNotice:
    """A notice by text message about an agreement; to be queued with those of its chunk."""
    return NewNotice(
        id=new_token("ntc"),
        tenant=agreement.tenant,
        subject_id=agreement.subject_id,
        case_token=agreement.case_token,
        business_key=key,
        kind=kind,
        channel=NoticeChannel.SMS,
        params={"case": case_tail(agreement.case_token), **params},
    )
