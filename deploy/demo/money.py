"""Finances of generated customers in minor units: log-normal where life is, rounded as people round.

The figures aim at plausibility, not at the statistics of any bank. Amounts are drawn as floats and become integers at
once; no arithmetic on money happens here.
"""

from dataclasses import dataclass
from itertools import accumulate
from math import exp
from random import Random
from typing import Final

from deploy.demo.draw import between, weighted

_YUAN: Final = 100
_HARDSHIPS: Final = ("unemployment", "illness", "business-failure", "disaster", "other")
_HARDSHIP_WEIGHTS: Final = tuple(accumulate((38, 22, 20, 6, 14)))
# What is left of the former income.
_INCOME_LEFT: Final = {"unemployment": 0.45, "illness": 0.65, "business-failure": 0.55, "disaster": 0.70, "other": 0.85}
_PAST_DUE: Final = ((0, 0), (1, 30), (31, 60), (61, 90), (91, 180), (181, 360))
_PAST_DUE_WEIGHTS: Final = tuple(accumulate((24, 26, 18, 13, 13, 6)))
_TERMS: Final = (6, 12, 18, 24, 36, 48, 60)
_TERM_WEIGHTS: Final = tuple(accumulate((4, 22, 8, 26, 22, 8, 10)))
_DEPENDANTS: Final = (0, 1, 2, 3, 4)
_DEPENDANT_WEIGHTS: Final = tuple(accumulate((28, 33, 27, 9, 3)))
# Provinces where pay lies well above the rest, by the first two digits of the region.
_DEAR_PROVINCES: Final = {"11": 1.7, "31": 1.7, "44": 1.25, "33": 1.25, "32": 1.2, "12": 1.2, "35": 1.1}


@dataclass(frozen=True, kw_only=True, slots=True)
class Money:
    """What a customer has, owes and asks for; amounts in minor units."""

    credit_limit_minor: int
    total_due_minor: int
    days_past_due: int
    monthly_income_minor: int
    essential_expense_minor: int
    other_debt_payment_minor: int
    dependants: int
    hardship_code: str
    requested_amount_minor: int
    requested_term_months: int


def pick_money(rng: Random, *, province_code: str) -> Money:
    """One customer's figures."""
    hardship = weighted(rng, _HARDSHIPS, _HARDSHIP_WEIGHTS)
    former = _log_normal(
        rng, median=6_800 * _DEAR_PROVINCES.get(province_code, 1.0), sigma=0.48, low=1_800, high=120_000
    )
    income = _rounded(former * _INCOME_LEFT[hardship] * rng.uniform(0.8, 1.15), step=100)
    essential = _rounded(min(former * rng.uniform(0.2, 0.38), 15_000), step=50)
    limit = _rounded(former * _log_normal(rng, median=3.2, sigma=0.55, low=0.6, high=15), step=1_000)
    due = max(limit * rng.random() ** 0.4 * 1.06, 1_000) * _YUAN
    total_due = int(due)
    low, high = weighted(rng, _PAST_DUE, _PAST_DUE_WEIGHTS)
    other = _log_normal(rng, median=1_400, sigma=0.8, low=100, high=30_000) if rng.random() < 0.45 else 0
    part = 1.0 if rng.random() < 0.7 else rng.uniform(0.5, 0.95)
    return Money(
        credit_limit_minor=max(limit, 3_000) * _YUAN,
        total_due_minor=total_due,
        days_past_due=between(rng, low, high),
        monthly_income_minor=income * _YUAN,
        essential_expense_minor=max(essential, 800) * _YUAN,
        other_debt_payment_minor=_rounded(other, step=10) * _YUAN,
        dependants=weighted(rng, _DEPENDANTS, _DEPENDANT_WEIGHTS),
        hardship_code=hardship,
        # Nobody asks for more than is owed, and people ask in hundreds.
        requested_amount_minor=int(total_due * part) // (100 * _YUAN) * (100 * _YUAN),
        requested_term_months=weighted(rng, _TERMS, _TERM_WEIGHTS),
    )


def _log_normal(rng: Random, *, median: float, sigma: float, low: float, high: float) -> float:
    return min(max(median * exp(rng.gauss(0.0, sigma)), low), high)


def _rounded(amount: float, *, step: int) -> int:
    return int(amount / step + 0.5) * step
