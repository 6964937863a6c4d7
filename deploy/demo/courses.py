"""What agreements of the demo live through once they are in force, as data: debits that fail, and what people do when.

A course is bound to the rows of its agreement: an act is so many days after a row fell due, and a fate is what the bank
makes of the next debit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from deploy.demo.mock_bank import ACCOUNT_CLOSED, MANDATE_GONE, SETTLES, Fate, rejected, returned
from deploy.demo.plans import IN_SERVICE
from models.domain.states import CaseOutcome, Outcome


class Deed(StrEnum):
    """What somebody does on a business date."""

    PAY = "pay"  # the customer transfers what is due, an officer records it
    PREPAY_SHORTER = "prepay-shorter"  # part of what is to come, for fewer rows
    PREPAY_LOWER = "prepay-lower"  # … for smaller rows
    SETTLE = "settle"  # a quote is asked for and redeemed
    TAKE_BACK = "take-back"  # money is recorded on the wrong agreement, and taken back by two persons


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """A deed `days` after the row `row` fell due."""

    row: int
    days: int
    deed: Deed


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """One way through service.

    Attributes:
        name: for the table of what happened.
        end: the outcome of the case when the months are over, or `in-service`.
        months: rows of the plan; None takes the customer's wish.
        by_debit: the customer authorises debits; else they pay by transfer.
        fates: what the bank makes of the debits, in turn; those after the last settle.
        acts: what people do.
        when_default_due: what the approver says, in turn, when the agreement may be declared broken.
    """

    name: str
    end: str = CaseOutcome.COMPLETED
    months: int | None = None
    by_debit: bool = True
    fates: tuple[Fate, ...] = ()
    acts: tuple[Act, ...] = ()
    when_default_due: tuple[Outcome, ...] = (Outcome.DECLARE,)


_NO_MONEY: Final = rejected()
_CLOSED: Final = rejected(ACCOUNT_CLOSED)
_MANY: Final = 12  # as many debits as the longest of these plans can have


def _paying(rows: int) -> tuple[Act, ...]:
    return tuple(Act(row=no, days=0, deed=Deed.PAY) for no in range(1, rows + 1))


KEPT_HALF: Final = Course(name="kept for half a year", months=6)
KEPT_NINE: Final = Course(name="kept for nine months", months=9)
KEPT_YEAR: Final = Course(name="kept for a year", months=12)
KEPT_ON: Final = Course(name="kept, with rows beyond these months", end=IN_SERVICE, months=24)
SHORTER: Final = Course(
    name="prepaid in part, fewer rows", months=12, acts=(Act(row=4, days=9, deed=Deed.PREPAY_SHORTER),)
)
LOWER: Final = Course(
    name="prepaid in part, smaller rows", months=10, acts=(Act(row=3, days=9, deed=Deed.PREPAY_LOWER),)
)
MISSED_ONCE: Final = Course(name="missed, cured by the next try", months=6, fates=(SETTLES, _NO_MONEY))
MISSED_OFTEN: Final = Course(
    name="missed three tries, cured by transfer",
    months=8,
    fates=(SETTLES, _NO_MONEY, _NO_MONEY, _NO_MONEY),
    acts=(Act(row=2, days=19, deed=Deed.PAY),),
)
LATE_RETURN: Final = Course(
    name="a debit came back late, the row opened again", months=7, fates=(SETTLES, returned(days=5))
)
TAKEN_BACK: Final = Course(
    name="money by hand, taken back by two persons", months=6, acts=(Act(row=2, days=6, deed=Deed.TAKE_BACK),)
)
SETTLED_EARLY: Final = Course(name="settled early by a quote", months=12, acts=(Act(row=5, days=11, deed=Deed.SETTLE),))
BROKEN: Final = Course(
    name="broken: the account was closed", end=CaseOutcome.BROKEN, months=12, fates=(SETTLES, *(_CLOSED,) * _MANY)
)
BROKEN_MANDATE: Final = Course(
    name="broken: the mandate was withdrawn",
    end=CaseOutcome.BROKEN,
    months=10,
    fates=(SETTLES, SETTLES, rejected(MANDATE_GONE)),
)
SPARED: Final = Course(
    name="given more time, then paid all that was overdue",
    months=9,
    fates=(SETTLES, *(_CLOSED,) * 4),
    acts=(Act(row=5, days=11, deed=Deed.PAY),),
    when_default_due=(Outcome.EXTEND, Outcome.DECLARE),
)
BY_TRANSFER: Final = Course(name="paid by transfer, row by row", months=6, by_debit=False, acts=_paying(6))

COURSES: Final[tuple[tuple[Course, int], ...]] = (
    (KEPT_HALF, 3),
    (KEPT_NINE, 2),
    (KEPT_YEAR, 2),
    (SHORTER, 2),
    (LOWER, 2),
    (MISSED_ONCE, 2),
    (MISSED_OFTEN, 2),
    (LATE_RETURN, 2),
    (TAKEN_BACK, 1),
    (SETTLED_EARLY, 2),
    (BROKEN, 1),
    (BROKEN_MANDATE, 1),
    (SPARED, 1),
    (BY_TRANSFER, 1),
)
"""Courses and how often each is lived; whoever comes after the last keeps a plan with rows beyond these months."""


def courses(signing_on_paper: Sequence[bool]) -> Iterator[Course]:
    """A course for each agreement to be; whoever signs on paper gives no mandate and pays by transfer."""
    by_link = (course for course, count in COURSES for _ in range(count))
    for on_paper in signing_on_paper:
        yield BY_TRANSFER if on_paper else next(by_link, KEPT_ON)
