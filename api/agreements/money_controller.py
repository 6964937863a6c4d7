"""Money on an agreement: payments at the counter or by transfer, partial prepayments, and settlement quotes."""

from http import HTTPStatus
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody
from pydantic import BaseModel

from api.agreements.access import agreement_for, deed_on, open_date, quote_for
from api.agreements.answers import (
    PrepaymentOptionAnswer,
    PrepaymentOptionsAnswer,
    ReceiptAnswer,
    SettlementQuoteAnswer,
)
from api.agreements.bodies import PaymentBody, PrepaymentBody, PrepaymentOptionsBody, QuoteBody, RedemptionBody
from api.agreements.booking import Asking, receipt, take_payment, take_prepayment, take_redemption
from api.agreements.plans import plan_rows
from api.agreements.views import quote_answer
from api.bodies import known_token
from api.deps import ApiDeps, Deps, Locale
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.wording import worded
from compliance.audit.unit import unit_of_work
from models.domain.roles import Permission
from models.operations.idempotency import open_key
from models.operations.payments import lock_agreement, option_hash, options_for
from models.operations.quotes import make_quote
from models.tables.agreements import Agreement, SettlementQuote

QUOTES = "/v1/settlement-quotes"


class AgreementMoneyController(Controller):
    """Money on one agreement."""

    path = "/v1/agreements/{agreement_id:str}"
    tags = ("Agreements",)

    @post("/payments", guards=[requires(Permission.PAYMENTS_RECORD)], operation_id="RecordPayment")
    async def pay(
        self,
        *,
        agreement_id: FromPath[str],
        data: JSONBody[PaymentBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[ReceiptAnswer]:
        """Book money that came in at the counter or by transfer; under its bank reference it is booked once."""
        agreement = await in_thread(agreement_for, deps, principal, agreement_id)
        asking = await _asking(deps, principal, f"payments.record/{agreement.id}", idempotency_key, data)
        return await _once(deps, asking, lambda: take_payment(deps, asking, agreement, data), locale=locale)

    @post(
        "/prepayment-options",
        guards=[requires(Permission.CASES_READ)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ListPrepaymentOptions",
    )
    def options(
        self,
        *,
        agreement_id: FromPath[str],
        data: JSONBody[PrepaymentOptionsBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
    ) -> PrepaymentOptionsAnswer:
        """What a partial prepayment today would change: fewer rows or smaller ones, side by side. Nothing is stored."""
        agreement = agreement_for(deps, principal, agreement_id)
        return _options(deps, agreement, data.amount_minor, locale=locale)

    @post("/prepayments", guards=[requires(Permission.PAYMENTS_RECORD)], operation_id="Prepay")
    async def prepay(
        self,
        *,
        agreement_id: FromPath[str],
        data: JSONBody[PrepaymentBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[ReceiptAnswer]:
        """Book a partial prepayment with exactly the rows that the customer was shown and agreed to."""
        agreement = await in_thread(agreement_for, deps, principal, agreement_id)
        asking = await _asking(deps, principal, f"payments.prepay/{agreement.id}", idempotency_key, data)
        return await _once(deps, asking, lambda: take_prepayment(deps, asking, agreement, data), locale=locale)

    @post("/settlement-quotes", guards=[requires(Permission.SETTLEMENTS_QUOTE)], operation_id="MakeSettlementQuote")
    async def quote(
        self,
        *,
        agreement_id: FromPath[str],
        data: JSONBody[QuoteBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[SettlementQuoteAnswer]:
        """What settles the agreement on a day, itemised and kept; it is redeemed by its id."""
        agreement = await in_thread(agreement_for, deps, principal, agreement_id)
        asking = await _asking(deps, principal, f"settlements.quote/{agreement.id}", idempotency_key, data)

        def rebuild(quote_id: str) -> Stored:
            with deps.database.read() as session:
                row = session.get_one(SettlementQuote, quote_id)
            answer = quote_answer(row, currency=agreement.currency, locale=locale)
            return Stored(
                status=HTTPStatus.CREATED,
                body=answer.model_dump(mode="json"),
                headers={"Location": f"{QUOTES}/{quote_id}"},
            )

        return await once(
            deps,
            asking.slot,
            fingerprint=asking.fingerprint,
            act=lambda: _make_quote(deps, asking, agreement, data),
            rebuild=rebuild,
        )


class SettlementQuoteController(Controller):
    """Quotes that were made."""

    path = f"{QUOTES}/{{quote_id:str}}"
    tags = ("Agreements",)

    @get("/", guards=[requires(Permission.CASES_READ)], sync_to_thread=True, operation_id="GetSettlementQuote")
    def get_quote(
        self, quote_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale
    ) -> SettlementQuoteAnswer:
        """One quote as it was made."""
        quote, agreement = quote_for(deps, principal, quote_id)
        return quote_answer(quote, currency=agreement.currency, locale=locale)

    @post("/redemptions", guards=[requires(Permission.PAYMENTS_RECORD)], operation_id="RedeemSettlementQuote")
    async def redeem(
        self,
        *,
        quote_id: FromPath[str],
        data: JSONBody[RedemptionBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[ReceiptAnswer]:
        """Settle the agreement by a quote, once, while it holds; the case hears of it."""
        asking = await _asking(deps, principal, f"settlements.redeem/{known_token(quote_id)}", idempotency_key, data)
        return await _once(deps, asking, lambda: take_redemption(deps, asking, quote_id, data), locale=locale)


async def _asking(deps: ApiDeps, principal: Principal, route: str, key: str, body: BaseModel) -> Asking:
    slot = key_slot(principal, route=route, key=key)
    return Asking(principal=principal, slot=slot, fingerprint=await in_thread(fingerprint, deps, slot, body))


async def _once(deps: ApiDeps, asking: Asking, act: Any, *, locale: str) -> Response[Any]:
    """A booking and its receipt; the receipt is kept, since the agreement goes on."""

    def rebuild(event_id: str) -> Stored:
        return receipt(deps, event_id, locale=locale)

    async def finish(event_id: str) -> Stored:
        return await in_thread(rebuild, event_id)

    return await once(deps, asking.slot, fingerprint=asking.fingerprint, act=act, rebuild=rebuild, finish=finish)


def _make_quote(deps: ApiDeps, asking: Asking, agreement: Agreement, body: QuoteBody) -> str:
    now = deps.clock()
    deed = deed_on(agreement, "settlement.quoted", by=asking.principal, at=now)
    with unit_of_work(deps.database, deed) as unit:
        locked = lock_agreement(unit.session, agreement.id)
        quote = make_quote(
            unit.session,
            locked,
            as_of=body.as_of,
            on=open_date(unit.session, tenant=agreement.tenant, clock=deps.clock),
            made_by=asking.principal.staff_id,
            now=now,
        )
        open_key(
            unit.session,
            asking.slot,
            fingerprint=asking.fingerprint,
            resource_id=quote.id,
            now=now,
            status=HTTPStatus.CREATED,
        )
        deed.facts |= {
            "quote": quote.id,
            "asOf": quote.as_of.isoformat(),
            "amountMinor": quote.total_minor,
            "hash": quote.quote_hash,
        }
        return quote.id


def _options(deps: ApiDeps, agreement: Agreement, amount_minor: int, *, locale: str) -> PrepaymentOptionsAnswer:
    with deps.database.read() as session:
        on = open_date(session, tenant=agreement.tenant, clock=deps.clock)
        both = options_for(session, agreement, amount_minor=amount_minor, on=on)
    return PrepaymentOptionsAnswer(
        agreement_id=agreement.id,
        as_of=on,
        amount_minor=amount_minor,
        due_minor=both.due_minor,
        principal_minor=both.principal_minor,
        options=[
            PrepaymentOptionAnswer(
                choice=option.choice.value,
                choice_text=worded(f"prepayment-choice.{option.choice}", locale),
                hash=option_hash(agreement, both, option, on=on),
                saved_minor=option.saved_minor,
                fewer_rows=option.fewer_rows,
                highest_minor=option.highest_minor,
                last_due=option.last_due,
                rows=plan_rows(option.rows),
            )
            for option in (both.shorter, both.lower)
        ],
    )
