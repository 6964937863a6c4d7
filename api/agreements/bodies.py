"""What routes of agreements take."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from api.bodies import MAX_MINOR, Body, Minor, Sha256Hex, Token
from models.domain.servicing.events import PaymentChannel, PrepaymentChoice

BankReference = Annotated[str, Field(pattern=r"\A[A-Za-z0-9][A-Za-z0-9./_-]{0,63}\Z")]
"""The bank's own reference of an entry: under it money is booked once."""
Paid = Annotated[int, Field(ge=1, le=MAX_MINOR)]
"""Money that came in, minor units, above zero."""
ByHand = Literal[PaymentChannel.COUNTER, PaymentChannel.TRANSFER]
"""How money comes in that staff record; debits come in through the bank's files alone."""
EventId = Annotated[str, Field(pattern=r"\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]


class ReversalReason(StrEnum):
    """Why an entry is taken back (冲正原因)."""

    WRONG_AGREEMENT = "wrong-agreement"  # 入错账户
    WRONG_AMOUNT = "wrong-amount"  # 金额有误
    BOOKED_TWICE = "booked-twice"  # 重复入账
    MONEY_RETURNED = "money-returned"  # 资金退回


class QuoteBody(Body):
    """A settlement quote for the day on which the money will be valued."""

    as_of: date


class RedemptionBody(Body):
    """Money that settles by a quote; it is valued on the quote's day."""

    amount_minor: Minor
    channel: ByHand
    bank_reference: BankReference


class PaymentBody(Body):
    """A payment at the counter or by transfer."""

    amount_minor: Paid
    value_date: date
    channel: ByHand
    bank_reference: BankReference


class PrepaymentOptionsBody(Body):
    """What the customer would pay on the business date."""

    amount_minor: Paid


class PrepaymentBody(Body):
    """A partial prepayment: one of the ways that were shown, by its hash.

    `agreedIn`: the document, or the recorded contact, in which the customer agreed to the new rows.
    """

    amount_minor: Paid
    choice: Literal[PrepaymentChoice.SHORTER, PrepaymentChoice.LOWER]
    option_hash: Sha256Hex
    channel: ByHand
    bank_reference: BankReference
    agreed_in: Token | None = None


class ReversalBody(Body):
    """An entry that shall be taken back; another person confirms."""

    event_id: EventId
    reason_code: Literal[
        ReversalReason.WRONG_AGREEMENT,
        ReversalReason.WRONG_AMOUNT,
        ReversalReason.BOOKED_TWICE,
        ReversalReason.MONEY_RETURNED,
    ]


class AssignmentReason(StrEnum):
    """How it was found whose money it is (认领依据)."""

    REMITTANCE_TEXT = "remittance-text"  # 附言注明
    PAYER_ACCOUNT = "payer-account"  # 付款账户为本人
    CUSTOMER_CONFIRMED = "customer-confirmed"  # 客户确认并提供凭证


class AssignmentBody(Body):
    """Money in suspense that is a payment on this agreement; another person confirms."""

    entry_id: Token
    reason_code: Literal[
        AssignmentReason.REMITTANCE_TEXT, AssignmentReason.PAYER_ACCOUNT, AssignmentReason.CUSTOMER_CONFIRMED
    ]


class SecondPersonBody(Body):
    """The second person's word, bound to what was shown."""

    shown_hash: Sha256Hex
