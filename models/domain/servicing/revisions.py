"""New rows for a changed due date (变更还款日), a pause (停息/延期) and a re-age (重新计龄): proposals for events.

Each function returns rows for the event of that kind, on the day of the state it was given. Whether a revision is
allowed (term of 60 months, consent, authority) is a matter of rules, not of this arithmetic.
"""

import calendar
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from itertools import pairwise
from typing import Final

from models.domain.schedules.rounding import ARITHMETIC
from models.domain.schedules.rows import Row
from models.domain.servicing.book import Book
from models.domain.servicing.days import half_up, position
from models.domain.servicing.state import RowState, State
from models.domain.servicing.terms import Accrual, AgreementTerms

Amortise = Callable[[AgreementTerms, int, tuple[date, ...]], tuple[Row, ...]]

_MONTHS: Final = 12


class PauseInterest(StrEnum):
    """What a pause does to contract interest."""

    STOPS = "stops"  # 停息: the rows only move
    RUNS = "runs"  # the first row after the pause asks for the months between


class NothingToRevise(ValueError):
    """No row is still to come, or no principal is owed: there is nothing that new rows could carry."""


def due_date_rows(terms: AgreementTerms, state: State, *, day: int) -> tuple[Row, ...]:
    """Rows to come on another day of the month; a month without that day has them on its last.

    The first row falls in its own month if that is still ahead, else everything moves a month on. Interest of the
    first row follows the length of its period; the other periods keep theirs.

    Args:
        terms: what was signed.
        state: folded to the day of the change.
        day: day of the month, 1 to 31.

    Raises:
        NothingToRevise: no row is to come.
    """
    coming = _coming(state)
    later = 0 if _in_month(coming[0].due, 0, day) > state.as_of else 1
    dues = tuple(_in_month(row.due, later, day) for row in coming)
    return _moved(state, dues=dues, interest=_stretched(terms, state, dues[0]))


def pause_rows(terms: AgreementTerms, state: State, *, months: int, interest: PauseInterest) -> tuple[Row, ...]:
    """Rows to come, so many months later.

    Args:
        terms: what was signed.
        state: folded to the day of the pause.
        months: how long nothing falls due.
        interest: whether contract interest runs meanwhile.

    Raises:
        NothingToRevise: no row is to come.
        ValueError: the pause is not at least a month long.
    """
    if months < 1:
        raise ValueError("a pause lasts a month or more")
    coming = _coming(state)
    dues = tuple(_in_month(row.due, months, row.due.day) for row in coming)
    runs = interest is PauseInterest.RUNS
    return _moved(state, dues=dues, interest=_stretched(terms, state, dues[0]) if runs else None)


def re_age_rows(
    terms: AgreementTerms, state: State, *, rows: int, first_due: date, amortise: Amortise | None = None
) -> tuple[Row, ...]:
    """Everything unpaid in new rows by the month: principal due and to come, with the interest and fees owed so far.

    Interest and fees owed are spread evenly and bear no interest themselves. Late interest stays where it is.

    Args:
        terms: what was signed.
        state: folded to the day of the re-age.
        rows: number of new rows.
        first_due: date of the first one, after the day of the state.
        amortise: makes rows from principal and due dates; level installments at the contract rate if not given.

    Raises:
        NothingToRevise: no principal is owed.
        ValueError: there is no row, or the first is not ahead.
    """
    if rows < 1 or first_due <= state.as_of:
        raise ValueError("a re-age has rows that are ahead")
    principal = state.unpaid_principal_minor + sum(row.paid_principal_minor for row in state.coming_rows)
    if not principal:
        raise NothingToRevise("no principal is owed")
    payoff = Book.resume(terms, state).payoff()
    interest = payoff.interest_minor + sum(row.unpaid_interest_minor for row in state.due_rows)
    fee = payoff.fee_minor + sum(row.unpaid_fee_minor for row in state.due_rows)
    first_no = state.coming_rows[0].no if state.coming_rows else state.rows[-1].no + 1
    dues = (state.as_of, *(_in_month(first_due, step, first_due.day) for step in range(rows)))
    return tuple(
        Row(
            no=first_no + index,
            due=row.due,
            principal_minor=row.principal_minor,
            interest_minor=row.interest_minor + _part(interest, index, rows),
            fee_minor=row.fee_minor + _part(fee, index, rows),
        )
        for index, row in enumerate((amortise or level_rows)(terms, principal, dues))
    )


def level_rows(terms: AgreementTerms, principal_minor: int, dates: tuple[date, ...]) -> tuple[Row, ...]:
    """Equal installments (等额本息) at the contract rate; the last row takes the remainder.

    Args:
        terms: for rate and day count.
        principal_minor: to be repaid.
        dates: the day from which interest runs, then the due dates.
    """
    number, (over, under) = position(terms.day_count), terms.rate_fraction
    count = len(dates) - 1
    with localcontext(ARITHMETIC):
        rate = terms.annual_rate / _MONTHS
        factor = rate / (1 - (1 + rate) ** -count) if rate else Decimal(1) / count
        level = int((principal_minor * factor).quantize(Decimal(1), ROUND_HALF_UP))
    rows, balance = [], principal_minor
    for index, (start, due) in enumerate(pairwise(dates), 1):
        interest = half_up(balance * max(0, number(due) - number(start)) * over, under)
        principal = balance if index == count else min(balance, max(0, level - interest))
        rows.append(Row(no=index, due=due, principal_minor=principal, interest_minor=interest))
        balance -= principal
    return tuple(rows)


def _coming(state: State) -> tuple[RowState, ...]:
    if not state.active or not state.coming_rows:
        raise NothingToRevise("no row is to come")
    return state.coming_rows


def _moved(state: State, *, dues: tuple[date, ...], interest: int | None) -> tuple[Row, ...]:
    return tuple(
        Row(
            no=row.no,
            due=due,
            principal_minor=row.principal_minor - row.waived_principal_minor,
            interest_minor=row.interest_minor if interest is None or index else interest,
            fee_minor=row.fee_minor,
        )
        for index, (row, due) in enumerate(zip(state.coming_rows, dues, strict=True))
    )


def _stretched(terms: AgreementTerms, state: State, due: date) -> int:
    """Interest of the first row to come if its period ends on another day."""
    first, number = state.coming_rows[0], position(terms.day_count)
    start = state.due_rows[-1].due if state.due_count else terms.start
    old, new = number(first.due) - number(start), number(due) - number(start)
    if terms.accrual is Accrual.SHARE:
        return half_up(first.interest_minor * new, max(1, old))
    over, under = terms.rate_fraction
    base = sum(row.unpaid_principal_minor for row in state.coming_rows)
    if new >= old:
        return first.interest_minor + half_up(base * (new - old) * over, under)
    return max(0, first.interest_minor - half_up(base * (old - new) * over, under))


def _in_month(day: date, later: int, wanted: int) -> date:
    year, month = divmod(day.year * _MONTHS + day.month - 1 + later, _MONTHS)
    return date(year, month + 1, min(wanted, calendar.monthrange(year, month + 1)[1]))


def _part(total: int, index: int, count: int) -> int:
    return total * (index + 1) // count - total * index // count
