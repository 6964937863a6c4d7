"""Money that staff record (柜面、转账还款): payments and partial prepayments, each once by the bank's reference."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from models.domain.servicing.events import Event, EventKind, PaymentChannel, PrepaymentChoice
from models.domain.servicing.prepayment import Prepayment, PrepaymentOption, PrepaymentRefused, prepayment_options
from models.domain.servicing.settlement import canonical_digest
from models.domain.servicing.state import ENDED, Status
from models.domain.servicing.stored import rows_to_json, terms_from_json
from models.domain.states import NewsKind
from models.errors import AlreadyBooked, FieldFault, FormInvalid, ShownChanged, WrongState
from models.operations.booking import Booked, NewEvent, book, known_keys
from models.operations.folding import state_on
from models.operations.news import tell_good_news
from models.tables.agreements import Agreement

_CLOSED: Final = frozenset(status.value for status in (*ENDED, Status.PENDING))


@dataclass(frozen=True, kw_only=True, slots=True)
class Money:
    """Money that has come in.

    Attributes:
        event_id: UUIDv7 that its event will have.
        amount_minor: above zero; zero only where waiting credit covers a settlement.
        bank_reference: the bank's own reference of the entry; under it the money is booked once in an institution.
    """

    event_id: str
    amount_minor: int
    value_date: date
    channel: PaymentChannel
    bank_reference: str

    def business_key(self, tenant: str) -> str:
        """The key under which this money is in the books."""
        return f"bank/{tenant}/{self.bank_reference}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What a booking came to, and what the case was told in the same transaction."""

    event: Event
    booked: Booked
    told: NewsKind | None


def lock_agreement(session: Session, agreement_id: str) -> Agreement:
    """The agreement for a booking; nobody else books on it until the unit ends."""
    return session.exec(
        select(Agreement).where(col(Agreement.id) == agreement_id).with_for_update().execution_options(
            populate_existing=True
        )
    ).one()  # fmt: skip


def refuse_ended(agreement: Agreement) -> None:
    """Refuse money and changes where nothing is owed any more.

    Raises:
        WrongState: with the agreement's status.
    """
    if agreement.status in _CLOSED:
        raise WrongState(detail=agreement.id, params={"state": agreement.status})


def book_money(
    session: Session, agreement: Agreement, event: Event, *, business_key: str, on: date, now: datetime
) -> Receipt:
    """Book one event of money and tell the case what is good news, in this transaction.

    Raises:
        AlreadyBooked: the business key is in the books.
    """
    if known_keys(session, [business_key]):
        raise AlreadyBooked(detail=agreement.id)
    new = NewEvent(event=event, business_key=business_key)
    try:
        (booked,) = book(session, [(agreement, [new])], as_of=on, now=now)
    except IntegrityError:  # at the same moment on another agreement, whose lock is not ours
        raise AlreadyBooked(detail=agreement.id) from None
    told = tell_good_news(session, agreement, booked.after, on=on, now=now)
    return Receipt(event=event, booked=booked, told=told)


def record_payment(session: Session, agreement: Agreement, money: Money, *, on: date, now: datetime) -> Receipt:
    """Book a payment at the counter or by transfer (还款); the allocation follows from the value date.

    Args:
        session: of a unit of work.
        agreement: locked.
        money: what came in.
        on: the open business date.
        now: for the record.

    Raises:
        WrongState: nothing is owed any more.
        FormInvalid: the value date lies before the agreement came into force, or ahead of the business date.
        AlreadyBooked: money with this reference is in the books.
    """
    refuse_ended(agreement)
    refuse_date(agreement, money.value_date, on=on)
    event = Event(
        id=money.event_id,
        kind=EventKind.PAYMENT,
        value_date=money.value_date,
        amount_minor=money.amount_minor,
        channel=money.channel,
        ref=money.bank_reference,
    )
    return book_money(session, agreement, event, business_key=money.business_key(agreement.tenant), on=on, now=now)


def refuse_date(agreement: Agreement, value_date: date, *, on: date) -> None:
    """Refuse a value date before the agreement was in force or after the open business date.

    Raises:
        FormInvalid: at `/valueDate`.
    """
    first = agreement.activated_on or agreement.start
    if not first <= value_date <= on:
        params: dict[str, str | int] = {"from": first.isoformat(), "to": on.isoformat()}
        raise FormInvalid(faults=(FieldFault(pointer="/valueDate", code="value-date", params=params),))


# Partial prepayment ---------------------------------------------------------------------------------------------------


def options_for(session: Session, agreement: Agreement, *, amount_minor: int, on: date) -> Prepayment:
    """Both ways of a partial prepayment on the business date (提前部分还款试算). Nothing is stored.

    Raises:
        WrongState: nothing is owed any more, or the claim is written off.
        FormInvalid: the money does not go beyond what is due, or is enough to settle.
    """
    refuse_ended(agreement)
    if agreement.status == Status.WRITTEN_OFF:
        raise WrongState(detail=agreement.id, params={"state": agreement.status})
    try:
        return prepayment_options(
            terms_from_json(agreement.terms), state_on(session, agreement, on), amount_minor=amount_minor
        )
    except PrepaymentRefused:
        params: dict[str, str | int] = {"dueMinor": agreement.owed_minor}
        raise FormInvalid(
            faults=(FieldFault(pointer="/amountMinor", code="prepayment-range", params=params),)
        ) from None


def option_hash(agreement: Agreement, both: Prepayment, option: PrepaymentOption, *, on: date) -> str:
    """What a choice is bound to: the day, the money and every new row."""
    facts: dict[str, Any] = {
        "agreement": agreement.id,
        "asOf": on.isoformat(),
        "choice": option.choice.value,
        "dueMinor": both.due_minor,
        "principalMinor": both.principal_minor,
        "rows": rows_to_json(option.rows),
        "savedMinor": option.saved_minor,
    }
    return canonical_digest(facts)


def prepay(
    session: Session,
    agreement: Agreement,
    money: Money,
    *,
    choice: PrepaymentChoice,
    shown_hash: str,
    on: date,
    now: datetime,
) -> Receipt:
    """Book a partial prepayment with exactly the rows that were shown; it is valued on the business date.

    Raises:
        WrongState, FormInvalid: as `options_for`.
        ShownChanged: the rows are not those any more that the customer was shown.
        AlreadyBooked: money with this reference is in the books.
    """
    key = money.business_key(agreement.tenant)
    if known_keys(session, [key]):  # said first: with the money in the books the options are others
        raise AlreadyBooked(detail=agreement.id)
    both = options_for(session, agreement, amount_minor=money.amount_minor, on=on)
    option = both.shorter if choice is PrepaymentChoice.SHORTER else both.lower
    if option_hash(agreement, both, option, on=on) != shown_hash:
        raise ShownChanged
    event = Event(
        id=money.event_id,
        kind=EventKind.PREPAYMENT,
        value_date=on,
        amount_minor=money.amount_minor,
        channel=money.channel,
        ref=money.bank_reference,
        choice=choice,
        rows=option.rows,
    )
    return book_money(session, agreement, event, business_key=key, on=on, now=now)
