"""Books against bank (对账): every movement of money on either side is agreed on or named as a difference. Pure.

Each side is matched by identity (order, end-to-end id, the bank's reference), never by amount or day, which are what
is being checked. A fault gives one difference: a movement that is missing is not also of a wrong amount.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import zip_longest
from typing import Final

from models.domain.daily import OrderState
from models.domain.reconciliation.differences import About, Difference, Kind, Reconciliation
from models.domain.reconciliation.records import Accounts, BankLine, BookedMoney, BookOrder
from models.domain.reconciliation.tolerance import DEFAULT_TOLERANCE, BankDays, Tolerance, last_day

_AT_THE_BANK: Final = frozenset({OrderState.SENT, OrderState.ACCEPTED})
_MOVED: Final = frozenset({OrderState.SETTLED, OrderState.RETURNED})


def reconcile(accounts: Accounts, *, is_bank_day: BankDays, tolerance: Tolerance = DEFAULT_TOLERANCE) -> Reconciliation:
    """Compare both sides.

    Args:
        accounts: both sides, each order with all that either side says of it.
        is_bank_day: the bank's calendar.
        tolerance: the days that may pass.
    """
    return _Comparison(accounts, is_bank_day, tolerance).result()


@dataclass(slots=True)
class _Leg:
    """One direction of an order's money: in, or back."""

    about: About
    order: BookOrder
    booked: Sequence[BookedMoney]
    lines: Sequence[BankLine]


@dataclass(slots=True)
class _Comparison:
    accounts: Accounts
    is_bank_day: BankDays
    tolerance: Tolerance
    agreeing: int = 0
    pending: int = 0
    found: list[Difference] = field(default_factory=list)

    def result(self) -> Reconciliation:
        of_orders, others = self._by_order()
        by_reference = {line.reference: line for line in self.accounts.lines if line.reference is not None}
        debits = {order.end_to_end_id for order in self.accounts.orders if order.paid}
        for order in self.accounts.orders:
            self._order(order, of_orders.get(order.order_id, []))
        claimed = set()
        for payment in self.accounts.transfers:
            line = by_reference.get(payment.reference or "")
            if line is not None:
                claimed.add(line.line_id)
            if self._in_period(payment.booked_on) or (line is not None and self._in_period(line.value_date)):
                self._transfer(payment, line, debits)
        for line in others:
            if line.line_id not in claimed and self._in_period(line.value_date):
                self._note(Kind.ORPHAN, About.UNKNOWN, line=line)
        self.found.extend(_wrong_postings(self.accounts))
        return Reconciliation(
            orders=len(self.accounts.orders),
            lines=len(self.accounts.lines),
            agreeing=self.agreeing,
            pending=self.pending,
            differences=tuple(self.found),
        )

    def _in_period(self, day: date) -> bool:
        return self.accounts.first <= day <= self.accounts.last

    def _by_order(self) -> tuple[dict[str, list[BankLine]], list[BankLine]]:
        """The lines of each order, and those of none. A line that matched nothing may still bear our id."""
        known = {order.order_id for order in self.accounts.orders}
        by_id = {order.end_to_end_id: order.order_id for order in self.accounts.orders}
        of_orders: dict[str, list[BankLine]] = {}
        others = []
        for line in self.accounts.lines:
            order_id = line.order_id if line.order_id in known else by_id.get(line.end_to_end_id or "")
            if order_id is None:
                others.append(line)
            else:
                of_orders.setdefault(order_id, []).append(line)
        return of_orders, others

    # Debits and what came back of them --------------------------------------------------------------------------------

    def _order(self, order: BookOrder, lines: Sequence[BankLine]) -> None:
        came = _Leg(About.DEBIT, order, order.paid, [line for line in lines if not line.back])
        back = _Leg(About.RETURN, order, order.back, [line for line in lines if line.back])
        if order.state in _AT_THE_BANK and not lines and not order.paid:
            until = last_day(order.requested_on, self.tolerance.settles_within, is_bank_day=self.is_bank_day)
            if self.accounts.as_of > until:
                self.found.append(_difference(Kind.UNANSWERED, About.DEBIT, order=order, until=until))
            else:
                self.pending += 1
            return
        if order.state in _MOVED and not lines and not order.paid:
            self._note(Kind.MISSING_IN_BOOKS, About.DEBIT, order=order)
            return
        self._leg(came)
        self._leg(back)

    def _leg(self, leg: _Leg) -> None:
        # What moved the right way first: an entry the other way round is then what is left over.
        lines = sorted(leg.lines, key=lambda line: (line.is_reversed, line.amount_minor != leg.order.amount_minor))
        for place, (booked, line) in enumerate(zip_longest(leg.booked, lines)):
            if line is None:
                kind = Kind.DOUBLE_IN_BOOKS if place else Kind.MISSING_AT_BANK
                self._note(kind, leg.about, order=leg.order, booked=booked)
            elif line.is_reversed:
                self._note(Kind.WRONG_DIRECTION, leg.about, order=leg.order, booked=booked, line=line)
            elif booked is not None:
                self._pair(leg, booked, line)
            elif place:
                self._note(Kind.DOUBLE_AT_BANK, leg.about, order=leg.order, line=line)
            elif line.amount_minor != leg.order.amount_minor:
                self._note(Kind.WRONG_AMOUNT, leg.about, order=leg.order, line=line)
            else:
                self._note(Kind.MISSING_IN_BOOKS, leg.about, order=leg.order, line=line)

    def _pair(self, leg: _Leg, booked: BookedMoney, line: BankLine) -> None:
        order, kinds = leg.order, []
        if line.amount_minor != booked.amount_minor or booked.amount_minor != order.amount_minor:
            kinds.append(Kind.WRONG_AMOUNT)
        if None not in (line.account, order.account) and line.account != order.account:
            kinds.append(Kind.WRONG_ACCOUNT)
        if not self._in_time(leg, booked, line):
            kinds.append(Kind.WRONG_DAY)
        for kind in kinds:
            self._note(kind, leg.about, order=order, booked=booked, line=line)
        self.agreeing += not kinds

    def _in_time(self, leg: _Leg, booked: BookedMoney, line: BankLine) -> bool:
        if leg.about is About.DEBIT:
            asked, days = leg.order.requested_on, self.tolerance.settles_within
            return asked <= line.value_date <= last_day(asked, days, is_bank_day=self.is_bank_day)
        first, second = sorted((line.value_date, booked.booked_on))
        return second <= last_day(first, self.tolerance.booked_within, is_bank_day=self.is_bank_day)

    # Money that staff recorded ----------------------------------------------------------------------------------------

    def _transfer(self, payment: BookedMoney, line: BankLine | None, debits: Collection[str]) -> None:
        # A debit books itself, and what lies in suspense stands on the clearing account already.
        twice = payment.reference in debits
        if line is not None:
            twice = twice or line.in_suspense or line.end_to_end_id in debits
        if twice:
            self._note(Kind.DOUBLE_IN_BOOKS, About.TRANSFER, booked=payment, line=line)
            return
        days = self.tolerance.booked_within
        if line is None:
            if self.accounts.as_of > last_day(payment.booked_on, days, is_bank_day=self.is_bank_day):
                self._note(Kind.MISSING_AT_BANK, About.TRANSFER, booked=payment)
            else:
                self.pending += 1
            return
        first, second = sorted((line.value_date, payment.booked_on))
        if line.is_reversed or line.back:
            self._note(Kind.WRONG_DIRECTION, About.TRANSFER, booked=payment, line=line)
        elif line.amount_minor != payment.amount_minor:
            self._note(Kind.WRONG_AMOUNT, About.TRANSFER, booked=payment, line=line)
        elif not line.assigned and second > last_day(first, days, is_bank_day=self.is_bank_day):
            self._note(Kind.WRONG_DAY, About.TRANSFER, booked=payment, line=line)
        else:
            self.agreeing += 1

    def _note(
        self,
        kind: Kind,
        about: About,
        *,
        order: BookOrder | None = None,
        booked: BookedMoney | None = None,
        line: BankLine | None = None,
    ) -> None:
        self.found.append(_difference(kind, about, order=order, booked=booked, line=line))


def _difference(
    kind: Kind,
    about: About,
    *,
    order: BookOrder | None = None,
    booked: BookedMoney | None = None,
    line: BankLine | None = None,
    until: date | None = None,
) -> Difference:
    """What was expected is the books' word, what was found is the bank's."""
    expected_on = until or (booked.booked_on if booked is not None else None)
    if about is About.DEBIT and until is None and order is not None:
        expected_on = order.requested_on
    expected = booked.amount_minor if booked is not None else (order.amount_minor if order is not None else None)
    agreement = booked.agreement_id if booked is not None else (order.agreement_id if order is not None else None)
    return Difference(
        kind=kind,
        about=about,
        agreement_id=agreement,
        order_id=order.order_id if order is not None else None,
        event_id=booked.event_id if booked is not None else None,
        line_id=line.line_id if line is not None else None,
        expected_minor=expected,
        found_minor=line.amount_minor if line is not None else None,
        expected_on=expected_on,
        found_on=line.value_date if line is not None else None,
    )


def _wrong_postings(accounts: Accounts) -> Iterator[Difference]:
    for each in accounts.clearing:
        if each.expected_minor != each.posted_minor:
            yield Difference(
                kind=Kind.WRONG_POSTING,
                about=About.CLEARING,
                agreement_id=each.agreement_id,
                line_id=each.line_id,
                expected_minor=each.expected_minor,
                found_minor=each.posted_minor,
                expected_on=each.booked_on,
            )
