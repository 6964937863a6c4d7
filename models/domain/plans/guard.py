"""The pricing guard (定价校验): what an offer may not be, by law and by the authority of who makes it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from models.domain.plans.negotiation import LONGEST_MONTHS
from models.domain.plans.offers import PlanOffer
from models.domain.rates.calendars import months_before

CASH_LIMIT_MINOR: Final = 50_000_00
CASH_MONTHS: Final = 24


class Breach(StrEnum):
    """What is wrong with an offer; texts under `plan.breach.<code>`."""

    NOT_OFFERED = "not-offered"
    RATE_ABOVE_ORIGINAL = "rate-above-original"  # dearer than the debt is today: no relief, and SPC-CARD-2
    CONCESSION_ABOVE_AUTHORITY = "concession-above-authority"
    TERM_ABOVE_MAXIMUM = "term-above-maximum"  # CCM-70b, CCN22-TERM
    LAST_DUE_ABOVE_MAXIMUM = "last-due-above-maximum"  # CCM-70b: counted from the day it begins as well
    CASH_AMOUNT_ABOVE_MAXIMUM = "cash-amount-above-maximum"  # CCN22-CASH
    CASH_TERM_ABOVE_MAXIMUM = "cash-term-above-maximum"  # CCN22-CASH


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What an offer is held against.

    Attributes:
        concession_bps: what this person may concede of the yearly rate, basis points.
        art_70: whether this is a personalised plan under Art. 70 of the card measures (个性化分期). Such a plan takes
            in cash advances within its own limits; an ordinary installment of cash may not exceed 50,000.00 or two
            years (银保监规〔2022〕13号).
    """

    concession_bps: int
    max_term_months: int = LONGEST_MONTHS
    art_70: bool = True
    cash_limit_minor: int = CASH_LIMIT_MINOR
    cash_months: int = CASH_MONTHS


def guard(offer: PlanOffer, limits: Limits) -> tuple[Breach, ...]:
    """Everything that is wrong with an offer; nothing if it may be made. Limits are inclusive (民法典 Art. 1259)."""
    schedule, figures = offer.schedule, offer.figures
    if schedule is None or figures is None:
        return (Breach.NOT_OFFERED,)
    cash = offer.balances.cash_minor if not limits.art_70 else 0
    latest = months_before(schedule.start, -limits.max_term_months)
    found = (
        (Breach.RATE_ABOVE_ORIGINAL, figures.effective > figures.original_effective),
        (Breach.CONCESSION_ABOVE_AUTHORITY, figures.concession_bps > limits.concession_bps),
        (Breach.TERM_ABOVE_MAXIMUM, figures.term > limits.max_term_months),
        (Breach.LAST_DUE_ABOVE_MAXIMUM, figures.last_due > latest),
        (Breach.CASH_AMOUNT_ABOVE_MAXIMUM, cash > limits.cash_limit_minor),
        (Breach.CASH_TERM_ABOVE_MAXIMUM, cash > 0 and figures.term > limits.cash_months),
    )
    return tuple(code for code, broken in found if broken)
