"""Partial prepayment (提前部分还款), both ways side by side: fewer rows of the same size, or as many smaller ones.

New rows are derived from the rows as they stand, so that any plan keeps its shape. Interest and fee of a row follow the
principal they ran on: a row of 1.00 % of its balance stays one of 1.00 %. What ran in the present period before the
prepayment is not reduced. Dates stay. The rows shown here are the rows of the event, byte for byte.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from models.domain.schedules.rows import Row
from models.domain.servicing.book import Book
from models.domain.servicing.days import half_up
from models.domain.servicing.events import PrepaymentChoice
from models.domain.servicing.state import RowState, State
from models.domain.servicing.terms import AgreementTerms

Reschedule = Callable[["Tail"], tuple[Row, ...]]


class PrepaymentRefused(ValueError):
    """The money only pays what is due, or is enough to settle: neither is a partial prepayment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tail:
    """What new rows are derived from. Minor units.

    Attributes:
        rows: rows to come as they stand.
        before_minor: their principal; `after_minor` is what is left of it.
        accrued_minor: of the first row's interest, what ran before the prepayment.
        accrued_fee_minor: the same of its fee.
    """

    rows: tuple[Row, ...]
    before_minor: int
    after_minor: int
    accrued_minor: int
    accrued_fee_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PrepaymentOption:
    """One of the two ways. Minor units.

    Attributes:
        rows: new rows to come.
        saved_minor: interest and fees that they ask less for than the old ones.
        last_due: when the agreement ends.
        highest_minor: largest installment.
        fewer_rows: rows that fall away.
    """

    choice: PrepaymentChoice
    rows: tuple[Row, ...]
    saved_minor: int
    last_due: date
    highest_minor: int
    fewer_rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepayment:
    """Both ways side by side: `due_minor` of the money pays what is due first, `principal_minor` is prepaid."""

    due_minor: int
    principal_minor: int
    shorter: PrepaymentOption
    lower: PrepaymentOption


def prepayment_options(
    terms: AgreementTerms,
    state: State,
    *,
    amount_minor: int,
    shorter: Reschedule | None = None,
    lower: Reschedule | None = None,
) -> Prepayment:
    """What a prepayment on the day of a state would change.

    Args:
        terms: what was signed.
        state: folded to the day of the prepayment.
        amount_minor: the money.
        shorter: makes the rows of the shorter way; the rule above if not given.
        lower: makes those of the lower way.

    Raises:
        PrepaymentRefused: the money does not go beyond what is due, or reaches the whole principal to come.
    """
    book = Book.resume(terms, state)
    left = book.pay_due(amount_minor)
    payoff = book.payoff()
    if not state.active or left <= 0 or left >= payoff.principal_minor:
        raise PrepaymentRefused("a partial prepayment lies between what is due and what settles")
    tail = Tail(
        rows=tuple(_plain(row) for row in state.coming_rows),
        before_minor=payoff.principal_minor,
        after_minor=payoff.principal_minor - left,
        accrued_minor=min(payoff.interest_minor, state.coming_rows[0].interest_minor),
        accrued_fee_minor=payoff.fee_minor,
    )
    return Prepayment(
        due_minor=amount_minor - left,
        principal_minor=left,
        shorter=_option(PrepaymentChoice.SHORTER, tail, (shorter or shorter_rows)(tail)),
        lower=_option(PrepaymentChoice.LOWER, tail, (lower or lower_rows)(tail)),
    )


def lower_rows(tail: Tail) -> tuple[Row, ...]:
    """As many rows, each smaller in proportion; the last row with principal takes the remainder of rounding."""
    rows = []
    old, new = tail.before_minor, tail.after_minor
    for index, row in enumerate(tail.rows):
        interest, fee = _scaled(tail, index, old=old, new=new)
        # What the customer pays is scaled, not the principal: installments that were equal stay equal.
        kept = tail.accrued_minor + tail.accrued_fee_minor if index == 0 else 0
        total = kept + half_up((row.total_minor - kept) * tail.after_minor, tail.before_minor)
        principal = min(new, max(0, total - interest - fee)) if row.principal_minor else 0
        if row.principal_minor == old:
            principal = new
        rows.append(Row(no=row.no, due=row.due, principal_minor=principal, interest_minor=interest, fee_minor=fee))
        old, new = old - row.principal_minor, new - principal
    return tuple(rows)


def shorter_rows(tail: Tail) -> tuple[Row, ...]:
    """Rows of the same size for as long as there is principal; interest saved repays principal sooner."""
    rows = []
    old, new = tail.before_minor, tail.after_minor
    for index, row in enumerate(tail.rows):
        interest, fee = _scaled(tail, index, old=old, new=new)
        last = index == len(tail.rows) - 1
        principal = new if last else min(new, max(0, row.total_minor - interest - fee))
        rows.append(Row(no=row.no, due=row.due, principal_minor=principal, interest_minor=interest, fee_minor=fee))
        old, new = old - row.principal_minor, new - principal
        if not new:
            break
    return tuple(rows)


def _scaled(tail: Tail, index: int, *, old: int, new: int) -> tuple[int, int]:
    row = tail.rows[index]
    interest_base = tail.accrued_minor if index == 0 else 0
    fee_base = tail.accrued_fee_minor if index == 0 else 0
    if not old:
        return interest_base, fee_base
    interest = interest_base + half_up((row.interest_minor - interest_base) * new, old)
    return interest, fee_base + half_up((row.fee_minor - fee_base) * new, old)


def _option(choice: PrepaymentChoice, tail: Tail, rows: tuple[Row, ...]) -> PrepaymentOption:
    return PrepaymentOption(
        choice=choice,
        rows=rows,
        saved_minor=_charges(tail.rows) - _charges(rows),
        last_due=rows[-1].due,
        highest_minor=max(row.total_minor for row in rows),
        fewer_rows=len(tail.rows) - len(rows),
    )


def _charges(rows: tuple[Row, ...]) -> int:
    return sum(row.interest_minor + row.fee_minor for row in rows)


def _plain(row: RowState) -> Row:
    return Row(
        no=row.no,
        due=row.due,
        principal_minor=row.principal_minor - row.waived_principal_minor,
        interest_minor=row.interest_minor,
        fee_minor=row.fee_minor,
    )
