"""Settlement quotes: interest for money and time actually used (CC-677, CCN22-EARLY), on any day, with a digest."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from models.domain.schedules.day_count import DayCount
from models.domain.schedules.rows import Row
from models.domain.servicing.allocation import IN_ADVANCE_ALLOCATION
from models.domain.servicing.events import Event, EventKind
from models.domain.servicing.fold import fold
from models.domain.servicing.settlement import COMPONENT_OF, ItemCode, SettlementQuote, settlement_quote
from models.domain.servicing.state import Status
from models.domain.servicing.terms import Accrual, AgreementTerms
from tests.models.domain.servicing.histories import ACTIVATED, START, even_terms, payment

_DUE = date(2026, 2, 15)


def _quote(day: date, *events: Event, terms: AgreementTerms | None = None) -> SettlementQuote:
    terms = terms or even_terms()
    return settlement_quote(terms, fold(terms, [ACTIVATED, *events], day), agreement="a-1")


def _items(quote: SettlementQuote) -> dict[str, int]:
    return {item.code.value: item.amount_minor for item in quote.items}


def test_on_the_first_day_only_the_principal_is_asked_for():
    assert _items(_quote(START)) == {"coming-principal": 300_000}


@pytest.mark.parametrize(
    ("day_count", "day", "interest"),
    [
        (DayCount.THIRTY_360_EU, date(2026, 2, 4), 1_900),  # 19 days of 360
        (DayCount.ACT_360, date(2026, 2, 4), 2_000),  # 20 days of 360
        (DayCount.ACT_365F, date(2026, 2, 4), 1_973),  # 20 of 365: 19.726…
    ],
)
def test_interest_counts_the_days_used(day_count: DayCount, day: date, interest: int):
    rows = tuple(replace(row, interest_minor=3_000) for row in even_terms().rows)
    quote = _quote(day, terms=even_terms(rows=rows, day_count=day_count))
    assert _items(quote) == {"coming-principal": 300_000, "used-interest": interest}
    assert (quote.used_from, quote.used_days) == (START, 20)
    assert quote.spared_minor == 9_000 - interest


def test_interest_of_a_period_is_never_more_than_its_row():
    # Ten days at 12 % on 3,000.00 would be 10.00; on day 25 the row's own 10.00 is the cap.
    assert _items(_quote(START + timedelta(days=25)))["used-interest"] == 1_000


def test_a_plan_without_a_rate_shares_the_interest_of_the_row_by_days():
    terms = even_terms(accrual=Accrual.SHARE, annual_rate=Decimal(0))
    assert _items(_quote(START + timedelta(days=10), terms=terms))["used-interest"] == 323  # 10.00 × 10 / 31


def test_a_fee_of_the_running_period_is_charged_by_days_and_later_ones_not_at_all():
    rows = tuple(replace(row, interest_minor=0, fee_minor=620) for row in even_terms().rows)
    quote = _quote(START + timedelta(days=10), terms=even_terms(rows=rows, annual_rate=Decimal(0)))
    assert _items(quote) == {"coming-principal": 300_000, "used-fee": 200}
    assert quote.spared_minor == 3 * 620 - 200


def test_interest_put_off_into_later_rows_is_asked_for_only_where_it_was_agreed():
    rows = tuple(
        Row(no=row.no, due=row.due, principal_minor=100_000, interest_minor=0 if row.no < 3 else 6_000)
        for row in even_terms().rows
    )
    day = date(2026, 3, 15)
    paid = [payment(f"p{row.no}", row.due, row.total_minor) for row in rows[:2]]
    stopped = _quote(day, *paid, terms=even_terms(rows=rows))
    put_off = _quote(day, *paid, terms=even_terms(rows=rows, defers_interest=True))
    assert "used-interest" not in _items(stopped)
    assert _items(put_off)["used-interest"] == 3_000 + 2_000  # 1 % of 3,000.00, then 1 % of 2,000.00


def test_arrears_late_interest_and_waiting_money_stand_in_the_quote():
    quote = _quote(date(2026, 3, 25), payment("p", date(2026, 3, 25), 500))
    items = _items(quote)
    assert items == {
        "due-principal": 200_000,
        "due-interest": 2_000,
        "late-interest": 1_900,  # 38 days and 10 days on 1,000.00, less the 5.00 paid
        "coming-principal": 100_000,
        "used-interest": 333,
    }
    assert quote.amount_minor == sum(items.values())
    waiting = _quote(date(2026, 2, 1), payment("p", date(2026, 2, 1), 400_000))
    assert waiting.amount_minor == 0
    assert waiting.surplus_minor == 400_000 - 300_000 - 1_000


def test_interest_paid_before_its_time_comes_back():
    terms = even_terms(allocation=IN_ADVANCE_ALLOCATION)
    day = date(2026, 1, 20)
    quote = _quote(day, payment("p", day, 103_000), terms=terms)
    assert _items(quote) == {"coming-principal": 300_000, "used-interest": 500, "paid-ahead": -103_000}
    event = Event(id="s", kind=EventKind.SETTLEMENT, value_date=day, amount_minor=quote.amount_minor)
    after = fold(terms, [ACTIVATED, payment("p", day, 103_000), event], day)
    assert (after.status, after.owed_in_all_minor, after.credit_minor) == (Status.SETTLED, 0, 0)


def test_a_past_and_a_future_day_can_be_quoted():
    paid = payment("p", _DUE, 101_000)
    late = payment("q", date(2026, 3, 20), 1_234)
    past = _quote(date(2026, 2, 20), paid, late)
    assert _items(past) == {"coming-principal": 200_000, "used-interest": 333}
    ahead = _quote(date(2026, 3, 10), paid)
    assert ahead.amount_minor - past.amount_minor == 667  # twenty days more, capped by the row's 10.00


def test_a_quote_equals_the_last_row_at_the_end():
    paid = [payment(f"p{row.no}", row.due, row.total_minor) for row in even_terms().rows[:2]]
    assert _quote(date(2026, 4, 15), *paid).amount_minor == 101_000
    assert _quote(date(2026, 4, 14), *paid).spared_minor == 33


def test_the_digest_names_the_quote_and_nothing_else():
    quote = _quote(date(2026, 2, 1))
    assert quote.digest == _quote(date(2026, 2, 1)).digest
    others = [
        _quote(date(2026, 2, 2)),
        _quote(date(2026, 2, 1), payment("p", date(2026, 1, 20), 1)),
        settlement_quote(even_terms(), fold(even_terms(), [ACTIVATED], date(2026, 2, 1)), agreement="a-2"),
        settlement_quote(
            even_terms(),
            fold(even_terms(), [ACTIVATED], date(2026, 2, 1)),
            agreement="a-1",
            valid_until=date(2026, 2, 3),
        ),
    ]
    assert len({quote.digest, *(other.digest for other in others)}) == 5
    assert len(quote.digest) == 64


def test_a_quote_is_redeemed_on_its_day_in_full_and_in_time():
    state = fold(even_terms(), [ACTIVATED], date(2026, 2, 1))
    quote = settlement_quote(even_terms(), state, agreement="a", valid_until=date(2026, 2, 3))
    good = {"amount_minor": quote.amount_minor, "value_date": date(2026, 2, 1), "booked": date(2026, 2, 3)}
    assert quote.redeemed_by(**good)
    assert not quote.redeemed_by(**{**good, "amount_minor": quote.amount_minor - 1})
    assert not quote.redeemed_by(**{**good, "value_date": date(2026, 2, 2)})
    assert not quote.redeemed_by(**{**good, "booked": date(2026, 2, 4)})


def test_what_cannot_be_quoted_is_refused():
    with pytest.raises(ValueError, match="not activated"):
        settlement_quote(even_terms(), fold(even_terms(), [], START), agreement="a")
    with pytest.raises(ValueError, match="until its day"):
        settlement_quote(
            even_terms(), fold(even_terms(), [ACTIVATED], _DUE), agreement="a", valid_until=_DUE - timedelta(days=1)
        )


def test_every_charge_of_a_quote_is_of_a_known_kind():
    """A charge outside the signed cost statement has no component to be (AIC26)."""
    assert set(ItemCode) - set(COMPONENT_OF) == {ItemCode.REFUND_GAP, ItemCode.PAID_AHEAD, ItemCode.CREDIT}
