"""What pays the agreement off on one day (提前结清报价), itemised, with a hash that a redemption names.

CC-677 and CCN22-EARLY: interest only for money and time actually used. Interest and fees of rows that are not due are
not charged, but for the days used of the running period; there is no charge for paying early.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from models.domain.servicing.book import Book, Payoff
from models.domain.servicing.components import Component
from models.domain.servicing.state import State
from models.domain.servicing.terms import AgreementTerms


class ItemCode(StrEnum):
    """Items of a quote, in their order. Negative ones are money that the customer already gave."""

    DUE_PRINCIPAL = "due-principal"
    DUE_INTEREST = "due-interest"
    DUE_FEE = "due-fee"
    LATE_INTEREST = "late-interest"
    COMING_PRINCIPAL = "coming-principal"
    USED_INTEREST = "used-interest"
    USED_FEE = "used-fee"
    REFUND_GAP = "refund-gap"
    PAID_AHEAD = "paid-ahead"
    CREDIT = "credit"


@dataclass(frozen=True, kw_only=True, slots=True)
class QuoteItem:
    """One line of a quote in minor units."""

    code: ItemCode
    amount_minor: int

    def as_record(self) -> dict[str, object]:
        """JSON of the line."""
        return {"code": self.code.value, "amountMinor": self.amount_minor}


@dataclass(frozen=True, kw_only=True, slots=True)
class SettlementQuote:
    """What settles an agreement on `as_of`, and on no other day.

    Attributes:
        agreement: token of the agreement.
        as_of: business date of the money; may lie behind or ahead of today.
        valid_until: the last business date on which the quote may be redeemed with value date `as_of`.
        items: they add up to `amount_minor - surplus_minor`.
        amount_minor: what the customer pays; zero if waiting money covers it.
        surplus_minor: what goes back to the customer if waiting money is more than the debt.
        spared_minor: interest and fees of rows to come that are not charged.
        used_from, used_days: from when interest of the running period counts, and for how many days.
        digest: SHA-256 of all the above in canonical JSON: names the quote and proves it unaltered.
    """

    agreement: str
    as_of: date
    valid_until: date
    items: tuple[QuoteItem, ...]
    amount_minor: int
    surplus_minor: int
    spared_minor: int
    used_from: date
    used_days: int
    digest: str

    def redeemed_by(self, *, amount_minor: int, value_date: date, booked: date) -> bool:
        """Whether money settles the agreement by this quote: enough, valued on its day, booked while it is valid."""
        return amount_minor >= self.amount_minor and value_date == self.as_of and booked <= self.valid_until


def settlement_quote(
    terms: AgreementTerms, state: State, *, agreement: str, valid_until: date | None = None
) -> SettlementQuote:
    """The quote for the day of a state.

    Args:
        terms: what was signed.
        state: folded to the day the quote is for, with the events known (for a day ahead: as if no more happened).
        agreement: token of the agreement.
        valid_until: the day of the quote if not given.

    Raises:
        ValueError: the agreement is not activated, or the quote would lapse before its day.
    """
    if not state.active:
        raise ValueError("an agreement that is not activated has nothing to settle")
    valid_until = valid_until or state.as_of
    if valid_until < state.as_of:
        raise ValueError("a quote is valid at least until its day")
    payoff = Book.resume(terms, state).payoff()
    items = tuple(QuoteItem(code=code, amount_minor=amount) for code, amount in _items(state, payoff) if amount)
    owed = sum(item.amount_minor for item in items)
    coming = sum(row.interest_minor + row.fee_minor for row in state.coming_rows)
    used_from = _period_start(terms, state)
    facts: dict[str, object] = {
        "agreement": agreement,
        "asOf": state.as_of.isoformat(),
        "validUntil": valid_until.isoformat(),
        "items": [item.as_record() for item in items],
        "amountMinor": max(0, owed),
        "surplusMinor": max(0, -owed),
        "sparedMinor": max(0, coming - payoff.interest_minor - payoff.fee_minor),
        "usedFrom": used_from.isoformat(),
        "usedDays": max(0, (state.as_of - used_from).days),
    }
    return SettlementQuote(
        agreement=agreement,
        as_of=state.as_of,
        valid_until=valid_until,
        items=items,
        amount_minor=max(0, owed),
        surplus_minor=max(0, -owed),
        spared_minor=max(0, coming - payoff.interest_minor - payoff.fee_minor),
        used_from=used_from,
        used_days=max(0, (state.as_of - used_from).days),
        digest=canonical_digest(facts),
    )


def canonical_digest(facts: dict[str, object]) -> str:
    """SHA-256, in hex, of JSON with sorted keys and no blanks: the same facts always give the same digest."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _items(state: State, payoff: Payoff) -> Iterator[tuple[ItemCode, int]]:
    due = state.due_rows
    yield ItemCode.DUE_PRINCIPAL, sum(row.unpaid_principal_minor for row in due)
    yield ItemCode.DUE_INTEREST, sum(row.unpaid_interest_minor for row in due)
    yield ItemCode.DUE_FEE, sum(row.unpaid_fee_minor for row in due)
    yield ItemCode.LATE_INTEREST, state.late_unpaid_minor
    yield ItemCode.COMING_PRINCIPAL, payoff.principal_minor
    yield ItemCode.USED_INTEREST, payoff.interest_minor
    yield ItemCode.USED_FEE, payoff.fee_minor
    yield ItemCode.REFUND_GAP, state.refund_gap_minor
    yield ItemCode.PAID_AHEAD, -payoff.released_minor
    yield ItemCode.CREDIT, -state.credit_minor


def _period_start(terms: AgreementTerms, state: State) -> date:
    return state.due_rows[-1].due if state.due_count else terms.start


COMPONENT_OF: dict[ItemCode, Component] = {
    ItemCode.DUE_PRINCIPAL: Component.PRINCIPAL,
    ItemCode.DUE_INTEREST: Component.INTEREST,
    ItemCode.DUE_FEE: Component.FEE,
    ItemCode.LATE_INTEREST: Component.PENALTY,
    ItemCode.COMING_PRINCIPAL: Component.PRINCIPAL,
    ItemCode.USED_INTEREST: Component.INTEREST,
    ItemCode.USED_FEE: Component.FEE,
}
"""What each item is owed for: `AIC26` allows only items of the signed cost statement."""
