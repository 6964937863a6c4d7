"""Money and changes taken in (入账): rules asked, event booked, case told, deed recorded, in one unit of work each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus

from api.agreements.access import deed_on, open_date, quote_for
from api.agreements.bodies import PaymentBody, PrepaymentBody, RedemptionBody
from api.agreements.gate import Blocked, Change, ask, interest_in, keep_blocked
from api.agreements.views import receipt_answer
from api.deps import ApiDeps
from api.idempotency import Stored
from api.identity.principal import Principal
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unit, unit_of_work
from models.domain.rule_words import ChangeKind
from models.domain.servicing.settlement import ItemCode
from models.domain.tokens import uuid7
from models.operations.idempotency import KeySlot, open_key
from models.operations.money_notices import tell_received
from models.operations.payments import Money, Receipt, lock_agreement, prepay, record_payment
from models.operations.quotes import check_redeemable, quoted_on, redeem
from models.queries.servicing import is_on_record
from models.tables.agreements import Agreement, SettlementQuote

_INTEREST = frozenset({ItemCode.DUE_INTEREST.value, ItemCode.LATE_INTEREST.value, ItemCode.USED_INTEREST.value})


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """Whose request it is, and the slot under which it has its effect once."""

    principal: Principal
    slot: KeySlot
    fingerprint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """What an effect is given inside its unit."""

    unit: Unit
    agreement: Agreement
    event_id: str
    on: date
    now: datetime


def take_payment(deps: ApiDeps, asking: Asking, agreement: Agreement, body: PaymentBody) -> str:
    """Book a payment; blocking. Returns the event's id.

    Raises:
        WrongState, FormInvalid, AlreadyBooked: as `record_payment`.
        KeyTaken: another request under this key was first.
    """

    def effect(desk: Desk) -> Receipt:
        money = Money(
            event_id=desk.event_id,
            amount_minor=body.amount_minor,
            value_date=body.value_date,
            channel=body.channel,
            bank_reference=body.bank_reference,
        )
        return record_payment(desk.unit.session, desk.agreement, money, on=desk.on, now=desk.now)

    return _take(deps, asking, agreement, "payment.recorded", effect)


def take_prepayment(deps: ApiDeps, asking: Asking, agreement: Agreement, body: PrepaymentBody) -> str:
    """Book a partial prepayment, if the rules allow the change; blocking. Returns the event's id.

    Raises:
        WrongState, FormInvalid, ShownChanged, AlreadyBooked: as `prepay`.
        BlockedByRule: naming the rule.
        KeyTaken: another request under this key was first.
    """

    def effect(desk: Desk) -> Receipt:
        session, on = desk.unit.session, desk.on
        money = Money(
            event_id=desk.event_id,
            amount_minor=body.amount_minor,
            value_date=on,
            channel=body.channel,
            bank_reference=body.bank_reference,
        )
        settles = quoted_on(session, desk.agreement, as_of=on, valid_until=on)
        due = {ItemCode.DUE_INTEREST, ItemCode.LATE_INTEREST}
        agreed = body.agreed_in is not None and is_on_record(
            session, body.agreed_in, case_token=desk.agreement.case_token
        )
        change = Change(
            kind=ChangeKind.PREPAYMENT,
            key=f"change/{desk.agreement.id}/{desk.event_id}",
            asked_minor=sum(item.amount_minor for item in settles.items if item.code in due),
            now_settles=settles,
            agreed_by_customer=agreed,
        )
        results = ask(session, desk.agreement, change, now=desk.now)
        receipt = prepay(
            session,
            desk.agreement,
            money,
            choice=body.choice,
            shown_hash=body.option_hash,
            on=on,
            now=desk.now,
        )
        desk.unit.deed.facts |= {"choice": body.choice.value, "option": body.option_hash, "rules": results}
        if body.agreed_in is not None:
            desk.unit.deed.facts["agreedIn"] = body.agreed_in
        return receipt

    return _take(deps, asking, agreement, "prepayment.recorded", effect)


def take_redemption(deps: ApiDeps, asking: Asking, quote_id: str, body: RedemptionBody) -> str:
    """Settle by a quote, if the rules allow it; blocking. Returns the event's id.

    Raises:
        NotFound: there is no such quote for the caller.
        QuoteStale, WrongState, FormInvalid, AlreadyBooked: as `redeem`.
        BlockedByRule: naming the rule.
        KeyTaken: another request under this key was first.
    """
    _, agreement = quote_for(deps, asking.principal, quote_id)

    def effect(desk: Desk) -> Receipt:
        session = desk.unit.session
        quote = session.get_one(SettlementQuote, quote_id, populate_existing=True)
        now_settles = check_redeemable(session, desk.agreement, quote, on=desk.on)
        change = Change(
            kind=ChangeKind.SETTLEMENT,
            key=f"change/{desk.agreement.id}/{desk.event_id}",
            asked_minor=sum(item["amountMinor"] for item in quote.items if item["code"] in _INTEREST),
            now_settles=now_settles,
        )
        results = ask(session, desk.agreement, change, now=desk.now)
        money = Money(
            event_id=desk.event_id,
            amount_minor=body.amount_minor,
            value_date=quote.as_of,
            channel=body.channel,
            bank_reference=body.bank_reference,
        )
        receipt = redeem(session, desk.agreement, quote, money, quoted=now_settles, on=desk.on, now=desk.now)
        desk.unit.deed.facts |= {
            "quote": quote.id,
            "hash": quote.quote_hash,
            "interestMinor": interest_in(now_settles),
            "rules": results,
        }
        return receipt

    return _take(deps, asking, agreement, "settlement.redeemed", effect)


def receipt(deps: ApiDeps, event_id: str, *, locale: str) -> Stored:
    """The answer to money that was taken in; blocking."""
    with deps.database.read() as session:
        answer = receipt_answer(session, event_id, locale=locale)
    return Stored(
        status=HTTPStatus.CREATED,
        body=answer.model_dump(mode="json"),
        headers={"Location": f"/v1/installment-cases/{answer.case_token}/agreement"},
    )


def _take(deps: ApiDeps, asking: Asking, agreement: Agreement, action: str, effect: Callable[[Desk], Receipt]) -> str:
    now = deps.clock()
    event_id = uuid7(now)
    deed: Deed = deed_on(agreement, action, by=asking.principal, at=now)
    try:
        with unit_of_work(deps.database, deed) as unit:
            open_key(unit.session, asking.slot, fingerprint=asking.fingerprint, resource_id=event_id, now=now)
            desk = Desk(
                unit=unit,
                agreement=lock_agreement(unit.session, agreement.id),
                event_id=event_id,
                on=open_date(unit.session, tenant=agreement.tenant, clock=deps.clock),
                now=now,
            )
            taken = effect(desk)
            tell_received(unit.session, desk.agreement, taken, on=desk.on, now=now)
            deed.facts |= _told(taken, desk)
    except Blocked as blocked:
        raise keep_blocked(deps, asking.principal, agreement, blocked) from None
    return event_id


def _told(receipt: Receipt, desk: Desk) -> dict[str, object]:
    event, after = receipt.event, receipt.booked.after
    return {
        "event": event.id,
        "kind": event.kind.value,
        "amountMinor": event.amount_minor,
        "valueDate": event.value_date.isoformat(),
        "bookedOn": desk.on.isoformat(),
        "channel": event.channel.value if event.channel is not None else None,
        "status": after.status.value,
        "owedMinor": after.owed_now_minor,
        "news": receipt.told.value if receipt.told is not None else None,
    }
