"""Settlement quotes (结清试算): stored, itemised, and redeemed once by their id."""

from datetime import date, datetime, timedelta
from typing import Final

from sqlmodel import Session

from models.domain.servicing.events import Event, EventKind
from models.domain.servicing.settlement import SettlementQuote as Quoted
from models.domain.servicing.settlement import settlement_quote
from models.domain.servicing.state import Status
from models.domain.servicing.stored import terms_from_json
from models.domain.tokens import new_token
from models.errors import FieldFault, FormInvalid, QuoteStale, WrongState
from models.operations.folding import state_on
from models.operations.payments import Money, Receipt, book_money, refuse_ended
from models.tables.agreements import Agreement, SettlementQuote

BOOKING_DAYS: Final = 3  # a transfer that is valued on the quote's day may reach the books so much later
LONGEST_AHEAD: Final = timedelta(days=366)


def quoted_on(session: Session, agreement: Agreement, *, as_of: date, valid_until: date) -> Quoted:
    """What settles the agreement on a day, as the books stand now."""
    return settlement_quote(
        terms_from_json(agreement.terms),
        state_on(session, agreement, as_of),
        agreement=agreement.id,
        valid_until=valid_until,
    )


def make_quote(
    session: Session, agreement: Agreement, *, as_of: date, on: date, made_by: str, now: datetime
) -> SettlementQuote:
    """Work out and keep a quote.

    Args:
        session: of a unit of work.
        agreement: in force.
        as_of: the day on which the money is valued; at most a year ahead.
        on: the open business date.
        made_by: staff id.
        now: for the record.

    Raises:
        WrongState: nothing is owed any more, or the claim is written off.
        FormInvalid: the day lies before the agreement came into force, or too far ahead.
    """
    _refuse_unsettleable(agreement)
    first, last = agreement.activated_on or agreement.start, on + LONGEST_AHEAD
    if not first <= as_of <= last:
        params: dict[str, str | int] = {"from": first.isoformat(), "to": last.isoformat()}
        raise FormInvalid(faults=(FieldFault(pointer="/asOf", code="value-date", params=params),))
    valid_until = max(as_of, on) + timedelta(days=BOOKING_DAYS)
    quoted = quoted_on(session, agreement, as_of=as_of, valid_until=valid_until)
    row = SettlementQuote(
        id=new_token("quo"),
        tenant=agreement.tenant,
        agreement_id=agreement.id,
        as_of=as_of,
        valid_until=valid_until,
        total_minor=quoted.amount_minor,
        items=[item.as_record() for item in quoted.items],
        facts={
            "surplusMinor": quoted.surplus_minor,
            "sparedMinor": quoted.spared_minor,
            "usedFrom": quoted.used_from.isoformat(),
            "usedDays": quoted.used_days,
        },
        quote_hash=quoted.digest,
        agreement_version=agreement.version,
        made_by=made_by,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def check_redeemable(session: Session, agreement: Agreement, quote: SettlementQuote, *, on: date) -> Quoted:
    """The quote as the books give it now, if it is still the one that was shown.

    The day's run alone does not make a quote stale; whatever changes a figure of its day does.

    Raises:
        QuoteStale: with its reason: `redeemed`, `not-yet`, `lapsed` or `booked-since`.
        WrongState: nothing is owed any more, or the claim is written off.
    """
    if quote.redeemed_by_event is not None:
        raise _stale(quote, "redeemed")
    if on < quote.as_of:
        raise _stale(quote, "not-yet")
    if on > quote.valid_until:
        raise _stale(quote, "lapsed")
    _refuse_unsettleable(agreement)
    quoted = quoted_on(session, agreement, as_of=quote.as_of, valid_until=quote.valid_until)
    if quoted.digest != quote.quote_hash:
        raise _stale(quote, "booked-since")
    return quoted


def redeem(
    session: Session,
    agreement: Agreement,
    quote: SettlementQuote,
    money: Money,
    *,
    quoted: Quoted,
    on: date,
    now: datetime,
) -> Receipt:
    """Settle the agreement by a quote (提前结清); more than the quote waits as the customer's credit.

    Args:
        session: of a unit of work.
        agreement: locked.
        quote: as stored.
        money: valued on the quote's day.
        quoted: what `check_redeemable` answered in this unit, under the same lock.
        on: the open business date.
        now: for the record.

    Raises:
        FormInvalid: the money does not reach the quote.
        AlreadyBooked: money with this reference is in the books.
    """
    if not quoted.redeemed_by(amount_minor=money.amount_minor, value_date=money.value_date, booked=on):
        fault = FieldFault(pointer="/amountMinor", code="below-quote", params={"min": quote.total_minor})
        raise FormInvalid(faults=(fault,))
    event = Event(
        id=money.event_id,
        kind=EventKind.SETTLEMENT,
        value_date=money.value_date,
        amount_minor=money.amount_minor,
        channel=money.channel,
        ref=quote.id,
    )
    key = money.business_key(agreement.tenant)
    receipt = book_money(session, agreement, event, business_key=key, on=on, now=now)
    quote.redeemed_by_event = event.id
    session.add(quote)
    session.flush()
    return receipt


def _refuse_unsettleable(agreement: Agreement) -> None:
    refuse_ended(agreement)
    if agreement.status == Status.WRITTEN_OFF:
        raise WrongState(detail=agreement.id, params={"state": agreement.status})


def _stale(quote: SettlementQuote, reason: str) -> QuoteStale:
    return QuoteStale(detail=quote.id, params={"reason": reason, "asOf": quote.as_of.isoformat()})
