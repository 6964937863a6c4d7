"""The pricing guard stops what the law or the authority does not allow, and nothing at the boundary itself."""

from dataclasses import replace
from decimal import Decimal

import pytest

from models.domain.plans.guard import Breach, Limits, guard
from models.domain.plans.negotiation import DEFAULT_TERMS, Balances, Family
from models.domain.plans.offers import offer
from models.texts.render import LOCALES, has_text
from tests.models.domain.plans.rounds import ROUND, the_round

_WIDE = Limits(concession_bps=10_000)


def test_an_ordinary_offer_passes() -> None:
    assert guard(offer(Family.FIXED_TERM, ROUND), _WIDE) == ()


def test_the_concession_counts_whole_and_its_limit_is_inclusive() -> None:
    one = offer(Family.FIXED_TERM, ROUND)
    conceded = one.figures.concession_bps
    assert guard(one, Limits(concession_bps=conceded)) == ()
    assert guard(one, Limits(concession_bps=conceded - 1)) == (Breach.CONCESSION_ABOVE_AUTHORITY,)


def test_sixty_months_pass_and_sixty_one_do_not() -> None:
    assert guard(offer(Family.FIXED_TERM, the_round(term_months=60)), _WIDE) == ()
    longer = offer(Family.FIXED_TERM, the_round(term_months=61, max_term_months=61))
    assert guard(longer, _WIDE) == (Breach.TERM_ABOVE_MAXIMUM, Breach.LAST_DUE_ABOVE_MAXIMUM)


def test_sixty_rows_that_end_after_five_years_do_not_pass() -> None:
    late = the_round(term_months=60, max_term_months=61, first_due=ROUND.start.replace(month=4, day=2))
    assert guard(offer(Family.FIXED_TERM, late), _WIDE) == (Breach.LAST_DUE_ABOVE_MAXIMUM,)


@pytest.mark.parametrize(
    ("cash", "months", "found"),
    [
        (50_000_00, 24, ()),
        (50_000_01, 24, (Breach.CASH_AMOUNT_ABOVE_MAXIMUM,)),
        (50_000_00, 25, (Breach.CASH_TERM_ABOVE_MAXIMUM,)),
    ],
)
def test_cash_advances_outside_a_personalised_plan(cash: int, months: int, found: tuple[Breach, ...]) -> None:
    one = offer(Family.FIXED_TERM, the_round(balances=Balances(cash_minor=cash), term_months=months))
    assert guard(one, replace(_WIDE, art_70=False)) == found
    assert guard(one, _WIDE) == ()


def test_a_plan_without_cash_may_be_long_in_any_case() -> None:
    one = offer(Family.FIXED_TERM, the_round(balances=Balances(purchases_minor=90_000_00), term_months=60))
    assert guard(one, replace(_WIDE, art_70=False)) == ()


def test_a_plan_dearer_than_the_debt_today_does_not_pass() -> None:
    dear = the_round(terms=replace(DEFAULT_TERMS, monthly_fee_rate=Decimal("0.02")))
    assert Breach.RATE_ABOVE_ORIGINAL in guard(offer(Family.INTEREST_FREE, dear), _WIDE)


def test_what_is_not_offered_may_not_be_chosen() -> None:
    assert guard(offer(Family.FIXED_TERM, the_round(term_months=61)), _WIDE) == (Breach.NOT_OFFERED,)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_breach_has_words(locale: str) -> None:
    for breach in Breach:
        assert has_text(f"plan.breach.{breach}", locale)
