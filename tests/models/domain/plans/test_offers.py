"""Offers side by side: whatever the round, they add up, they compare honestly, and none is dropped."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings

from compliance.audit.deeds import shown_hash
from models.domain.plans.drafts import Refusal
from models.domain.plans.negotiation import DEFAULT_TERMS, Balances, Family, Kind, NegotiationInput
from models.domain.plans.offers import Note, PlanOffer, offer, side_by_side
from models.domain.rates.calendars import months_before
from tests.models.domain.plans.rounds import ROUND, rounds, the_round

_SLOW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _figures(one: PlanOffer):
    assert one.figures is not None
    return one.figures


@given(about=rounds())
@_SLOW
def test_every_offer_adds_up(about: NegotiationInput) -> None:
    for one in side_by_side(about):
        if one.schedule is None:
            continue
        figures, rows = _figures(one), one.schedule.rows
        assert sum(row.principal_minor for row in rows) == about.balances.total_minor
        assert figures.total_paid_minor == sum(row.total_minor for row in rows)
        assert figures.total_paid_minor == about.balances.total_minor + figures.total_cost_minor
        assert figures.total_cost_minor == figures.interest_minor + figures.fee_minor
        assert figures.conceded_minor == sum(line.conceded_minor for line in figures.lines) - figures.fee_minor
        assert sum(line.charged_minor for line in figures.lines) == figures.interest_minor
        assert figures.term == len(rows) <= about.max_term_months
        assert figures.last_due <= months_before(about.start, -about.max_term_months)
        assert figures.fits == all(row.total_minor <= about.capacity_minor for row in rows)
        assert (figures.effective > 0) == (figures.nominal > 0)
        assert figures.effective >= figures.nominal >= 0
        assert abs(figures.european - figures.effective) <= Decimal("0.05")


@given(about=rounds())
@_SLOW
def test_no_family_is_dropped_and_one_that_cannot_be_had_says_why(about: NegotiationInput) -> None:
    offers = side_by_side(about)
    assert tuple(one.family for one in offers) == tuple(Family)
    for one in offers:
        assert one.reasons
        if not one.offered:
            assert one.figures is None
            assert one.reasons[0] in {reason.value for reason in Refusal}


@given(about=rounds())
@_SLOW
def test_a_round_gives_the_same_offers_each_time(about: NegotiationInput) -> None:
    assert [one.hash for one in side_by_side(about)] == [one.hash for one in side_by_side(about)]


def test_without_a_concession_the_price_is_the_original_one() -> None:
    about = the_round(rate_concession_bps=0, terms=replace(DEFAULT_TERMS, arrears_bear_interest=True))
    for family in (Family.FIXED_TERM, Family.AFFORDABLE, Family.STEP_UP):
        figures = _figures(offer(family, about))
        assert (figures.conceded_minor, figures.concession_bps) == (0, 0)
        assert figures.nominal == Decimal("18.2500")
        assert figures.effective == figures.original_effective
        assert Note.DEARER.value not in offer(family, about).reasons


def test_a_lower_rate_is_conceded_to_the_basis_point() -> None:
    about = the_round(terms=replace(DEFAULT_TERMS, arrears_bear_interest=True))
    figures = _figures(offer(Family.FIXED_TERM, about))
    assert figures.concession_bps == figures.rate_concession_bps == 625
    assert figures.nominal == Decimal("12.0000")
    assert (str(figures.european), str(figures.actuarial)) == ("12.7", "12.00")
    # Worked out apart: level rows of 48,000.00 over 36 months at 1 % a month come to 1,594.29.
    assert figures.level_installment_minor == 1_594_29


def test_arrears_without_interest_are_a_concession_of_their_own() -> None:
    lines = {line.kind: line for line in _figures(offer(Family.FIXED_TERM, ROUND)).lines}
    assert lines[Kind.FEES].charged_minor == lines[Kind.INTEREST].charged_minor == 0
    assert lines[Kind.FEES].conceded_minor > 0
    assert _figures(offer(Family.FIXED_TERM, ROUND)).concession_bps > 625


def test_the_affordable_amount_is_the_row_and_the_term_follows() -> None:
    one = offer(Family.AFFORDABLE, ROUND)
    assert one.schedule is not None
    amounts = [row.total_minor for row in one.schedule.rows]
    assert set(amounts[:-1]) == {ROUND.capacity_minor}
    assert 0 < amounts[-1] <= ROUND.capacity_minor
    assert _figures(one).fits


def test_the_affordable_amount_looks_for_the_least_concession_that_keeps_the_longest_term() -> None:
    about = the_round(capacity_minor=1_000_00, rate_concession_bps=0, concession_limit_bps=1_500)
    figures = _figures(offer(Family.AFFORDABLE, about))
    assert 0 < figures.rate_concession_bps < 1_500
    assert figures.term == 60
    one_less = replace(about, concession_limit_bps=figures.rate_concession_bps - 1)
    assert offer(Family.AFFORDABLE, one_less).reasons == (Refusal.TERM_ABOVE_MAXIMUM.value,)


@pytest.mark.parametrize(
    ("about", "family", "reason"),
    [
        (the_round(capacity_minor=0), Family.AFFORDABLE, Refusal.NO_CAPACITY),
        (
            the_round(capacity_minor=200_00, rate_concession_bps=0, concession_limit_bps=0),
            Family.AFFORDABLE,
            Refusal.CAPACITY_BELOW_INTEREST,
        ),
        (the_round(term_months=61), Family.FIXED_TERM, Refusal.TERM_ABOVE_MAXIMUM),
        (the_round(term_months=2), Family.STEP_UP, Refusal.TERM_TOO_SHORT),
        (the_round(term_months=6), Family.INTEREST_PAUSE, Refusal.TERM_TOO_SHORT),
        (the_round(rate_concession_bps=1825), Family.PRINCIPAL_FIRST, Refusal.NO_INTEREST),
        (
            the_round(
                term_months=60,
                original_rate=Decimal("0.36"),
                rate_concession_bps=0,
                terms=replace(DEFAULT_TERMS, arrears_bear_interest=True),
            ),
            Family.STEP_UP,
            Refusal.STEP_BELOW_INTEREST,
        ),
    ],
)
def test_why_a_family_cannot_be_had(about: NegotiationInput, family: Family, reason: Refusal) -> None:
    assert offer(family, about).reasons == (reason.value,)


def test_a_late_first_date_leaves_fewer_rows_within_five_years() -> None:
    late = the_round(term_months=60, first_due=ROUND.start.replace(month=4, day=15))
    assert offer(Family.FIXED_TERM, late).reasons == (Refusal.TERM_ABOVE_MAXIMUM.value,)
    assert offer(Family.FIXED_TERM, replace(late, term_months=59)).offered


def test_the_shapes_of_the_families() -> None:
    offers = {one.family: one for one in side_by_side(ROUND)}
    step = [row.total_minor for row in offers[Family.STEP_UP].schedule.rows]
    assert step[0] < step[12] < step[24]
    assert len(set(step[:12])) == len(set(step[12:24])) == 1
    free = offers[Family.INTEREST_FREE]
    assert _figures(free).interest_minor == 0 < _figures(free).fee_minor
    assert Note.FEE_IS_COST.value in free.reasons
    pause = offers[Family.INTEREST_PAUSE].schedule.rows
    assert [row.interest_minor for row in pause[:6]] == [0] * 6
    assert pause[6].interest_minor > 0
    first = offers[Family.PRINCIPAL_FIRST].schedule.rows
    assert [row.interest_minor for row in first[:30]] == [0] * 30
    assert [row.principal_minor for row in first[30:]] == [0] * 6


def test_interest_after_the_principal_is_never_higher_than_the_rows_before() -> None:
    for term in (12, 24, 60):
        one = offer(Family.PRINCIPAL_FIRST, the_round(term_months=term, rate_concession_bps=0))
        rows = one.schedule.rows
        assert max(row.total_minor for row in rows) <= rows[0].total_minor + 100, term  # cents that close the sum


def test_a_fee_that_costs_more_than_the_debt_today_is_called_dearer() -> None:
    dear = replace(DEFAULT_TERMS, monthly_fee_rate=Decimal("0.02"))
    one = offer(Family.INTEREST_FREE, the_round(terms=dear))
    assert Note.DEARER.value in one.reasons
    assert _figures(one).conceded_minor < 0


def test_the_ratio_is_rounded_against_the_customer() -> None:
    figures = _figures(offer(Family.FIXED_TERM, the_round(capacity_minor=1_572_55)))
    assert figures.highest_installment_minor == 1_572_56
    assert (figures.capacity_bps, figures.fits) == (10_001, False)
    none = _figures(offer(Family.FIXED_TERM, the_round(capacity_minor=0)))
    assert (none.capacity_bps, none.fits) == (None, False)


def test_the_hash_is_that_of_what_is_shown_and_covers_every_row() -> None:
    one = offer(Family.FIXED_TERM, ROUND)
    assert one.hash == shown_hash(one.as_record())
    rows = one.schedule.rows
    moved = (
        replace(rows[3], principal_minor=rows[3].principal_minor - 1),
        replace(rows[4], principal_minor=rows[4].principal_minor + 1),
    )
    other = replace(one, schedule=replace(one.schedule, rows=(*rows[:3], *moved, *rows[5:])))
    assert other.hash != one.hash


@pytest.mark.parametrize(
    "wrong",
    [
        {"balances": Balances()},
        {"first_due": ROUND.start},
        {"term_months": 0},
        {"capacity_minor": -1},
        {"original_rate": Decimal("-0.01")},
    ],
)
def test_what_no_round_can_start_from_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"debt|first due|row|negative"):
        the_round(**wrong)


def test_a_debt_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Balances(cash_minor=-1)
