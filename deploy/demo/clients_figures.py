"""What a card client of a file would write into an application: one documented, seeded rule (`docs/book.md`).

The file knows limit, bills, payments and delays. What it does not know (income, living cost, dependants, other debts,
why the money is short) is worked out of what it knows, in whole numbers; the seed only scatters it.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from random import Random
from typing import Final

from deploy.demo.clients import MONTHS, Client
from deploy.demo.draw import between, pick, weighted
from models.domain.application import HardshipCode

MINOR: Final = 100
"""A unit of the file is read as one yuan."""

_BASE_INCOME: Final = {1: 15_000, 2: 11_000}  # by EDUCATION, a month
_OTHER_INCOME: Final = 8_500
_AGE_PERCENT: Final = ((25, 75), (35, 100), (50, 115), (60, 105), (200, 80))  # below this age: of the base income
_LIMIT_MONTHS: Final = 6  # banks grant about so many months' income
_LEAST_INCOME: Final = 3_000
# What is left of the former income, in hundredths.
_INCOME_LEFT: Final = {
    HardshipCode.UNEMPLOYMENT: 45,
    HardshipCode.ILLNESS: 65,
    HardshipCode.BUSINESS_FAILURE: 55,
    HardshipCode.DISASTER: 70,
    HardshipCode.OTHER: 85,
}
_ESSENTIAL_PERCENT: Final = 28
_LEAST_ESSENTIAL, _MOST_ESSENTIAL = 1_200, 12_000
_DRAWN_TO_THE_LIMIT: Final = 80  # hundredths: whoever uses so much of a card tends to have a second one
_TERMS: Final = (6, 12, 18, 24, 36, 48, 60)
_SHARE_OF_INCOME: Final = 4  # people ask for the shortest term that takes a quarter of their income
_ASKED_IN: Final = 100 * MINOR
_LONG_LATE, _OFTEN_LATE, _SELDOM_LATE = 3, 4, 1  # months
_DAYS: Final = 30
_PAPER_FROM, _LINK_BELOW = 55, 35  # years of age
_DEPENDANTS: Final = (0, 1, 2, 3)
_DEPENDANT_WEIGHTS: Final = tuple(accumulate((30, 40, 25, 5)))


class Proof(StrEnum):
    """When the client brings evidence of the hardship."""

    AT_ONCE = "at-once"
    WHEN_ASKED = "when-asked"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What stands in the application; amounts in minor units of CNY."""

    credit_limit_minor: int
    total_due_minor: int
    days_past_due: int
    monthly_income_minor: int
    essential_expense_minor: int
    other_debt_payment_minor: int
    dependants: int
    hardship: HardshipCode
    proof: Proof
    willing_to_repay: bool
    requested_amount_minor: int
    requested_term_months: int
    by_link: bool
    on_paper: bool


def figures_of(client: Client, rng: Random) -> Figures:
    """Work out the application of a client. The bill may be zero or a credit; then there is nothing to apply for."""
    hardship = _hardship(client, rng)
    proof = _proof(client, rng)
    former = _former_income(client, rng)
    income = _rounded(former * _INCOME_LEFT[hardship] // 100, step=100)
    due = client.bills[0] * MINOR
    # People ask in hundreds, and never for more than they owe.
    asked = due // _ASKED_IN * _ASKED_IN if due >= _ASKED_IN else due
    dependants = weighted(rng, _DEPENDANTS, _DEPENDANT_WEIGHTS) if client.is_married else 0
    essential = min(max(former * _ESSENTIAL_PERCENT // 100, _LEAST_ESSENTIAL), _MOST_ESSENTIAL)
    return Figures(
        credit_limit_minor=client.limit * MINOR,
        total_due_minor=due,
        days_past_due=max(client.delays[0], 0) * _DAYS,
        monthly_income_minor=income * MINOR,
        essential_expense_minor=_rounded(essential, step=50) * MINOR,
        other_debt_payment_minor=_other_debt(client, former, rng) * MINOR,
        dependants=dependants,
        hardship=hardship,
        proof=proof,
        willing_to_repay=any(client.paid) or rng.random() < 0.5,
        requested_amount_minor=asked,
        requested_term_months=_term(asked // MINOR, income),
        # Through a link only with the evidence at hand: it is handed in with the application.
        by_link=client.age < _LINK_BELOW and proof is Proof.AT_ONCE and rng.random() < 0.5,
        on_paper=client.age >= _PAPER_FROM,
    )


def _former_income(client: Client, rng: Random) -> int:
    """A month's income before the hardship: the mean of what education and age, and what the limit, suggest."""
    percent = next(percent for below, percent in _AGE_PERCENT if client.age < below)
    usual = _BASE_INCOME.get(client.education, _OTHER_INCOME) * percent // 100
    suggested = (usual + client.limit // _LIMIT_MONTHS) // 2
    return max(_rounded(suggested * between(rng, 85, 115) // 100, step=100), _LEAST_INCOME)


def _hardship(client: Client, rng: Random) -> HardshipCode:
    """Why the money is short, by the shape of the last six months."""
    if client.delays[0] >= _LONG_LATE and not any(client.paid[:3]):
        return HardshipCode.UNEMPLOYMENT  # for three months not a cent
    if _months_late(client) <= _SELDOM_LATE:
        return pick(rng, (HardshipCode.ILLNESS, HardshipCode.ILLNESS, HardshipCode.DISASTER))  # it came at once
    if _months_late(client) >= _OFTEN_LATE:
        return pick(rng, (HardshipCode.BUSINESS_FAILURE, HardshipCode.UNEMPLOYMENT))  # it has lasted
    return pick(rng, (HardshipCode.OTHER, HardshipCode.UNEMPLOYMENT, HardshipCode.ILLNESS))


def _proof(client: Client, rng: Random) -> Proof:
    """The longer the trouble, the likelier there is a paper about it."""
    if _months_late(client) >= _OFTEN_LATE:
        return Proof.AT_ONCE
    if _months_late(client) > _SELDOM_LATE:
        return pick(rng, (Proof.AT_ONCE, Proof.WHEN_ASKED))
    return pick(rng, (Proof.AT_ONCE, Proof.WHEN_ASKED, Proof.NEVER))


def _months_late(client: Client) -> int:
    assert len(client.delays) == MONTHS
    return sum(delay > 0 for delay in client.delays)


def _other_debt(client: Client, former: int, rng: Random) -> int:
    if client.bills[0] * 100 < client.limit * _DRAWN_TO_THE_LIMIT:
        return 0
    return _rounded(former * between(rng, 4, 12) // 100, step=10)


def _term(asked: int, income: int) -> int:
    return next((term for term in _TERMS if asked * _SHARE_OF_INCOME <= income * term), _TERMS[-1])


def _rounded(amount: int, *, step: int) -> int:
    return (amount + step // 2) // step * step
