"""Proposed rows for another due date, a pause and a re-age: dates, interest, and that they are serviced as proposed."""

from datetime import date
from decimal import Decimal

import pytest

from models.domain.servicing.events import Event, EventKind
from models.domain.servicing.fold import fold
from models.domain.servicing.revisions import (
    NothingToRevise,
    PauseInterest,
    due_date_rows,
    level_rows,
    pause_rows,
    re_age_rows,
)
from models.domain.servicing.state import Status
from models.domain.servicing.terms import Accrual
from tests.models.domain.servicing.histories import ACTIVATED, START, even_terms, payment


def _facts(rows):
    return [(row.no, row.due, row.principal_minor, row.interest_minor) for row in rows]


def test_a_later_due_day_lengthens_the_first_period_only():
    state = fold(even_terms(), [ACTIVATED], date(2026, 1, 20))
    rows = due_date_rows(even_terms(), state, day=25)
    # Ten days more on 3,000.00 at 12 %: 10.00.
    assert _facts(rows) == [
        (1, date(2026, 2, 25), 100_000, 2_000),
        (2, date(2026, 3, 25), 100_000, 1_000),
        (3, date(2026, 4, 25), 100_000, 1_000),
    ]


def test_an_earlier_due_day_shortens_it_and_moves_on_if_it_has_passed():
    state = fold(even_terms(), [ACTIVATED], date(2026, 2, 6))
    rows = due_date_rows(even_terms(), state, day=5)
    assert [row.due for row in rows] == [date(2026, 3, 5), date(2026, 4, 5), date(2026, 5, 5)]
    early = due_date_rows(even_terms(), fold(even_terms(), [ACTIVATED], START), day=12)
    assert _facts(early)[0] == (1, date(2026, 2, 12), 100_000, 700)


def test_a_month_without_the_day_has_it_on_its_last():
    rows = due_date_rows(even_terms(), fold(even_terms(), [ACTIVATED], START), day=31)
    assert [row.due for row in rows] == [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]


def test_a_pause_stops_interest_or_lets_it_run():
    state = fold(even_terms(), [ACTIVATED], START)
    stops = pause_rows(even_terms(), state, months=2, interest=PauseInterest.STOPS)
    runs = pause_rows(even_terms(), state, months=2, interest=PauseInterest.RUNS)
    assert [row.due for row in stops] == [row.due for row in runs] == [date(2026, month, 15) for month in (4, 5, 6)]
    assert [row.interest_minor for row in stops] == [1_000, 1_000, 1_000]
    assert [row.interest_minor for row in runs] == [1_000 + 6_000, 1_000, 1_000]  # two months of 1 % on 3,000.00


def test_a_plan_without_a_rate_stretches_the_interest_of_the_row():
    terms = even_terms(accrual=Accrual.SHARE, annual_rate=Decimal(0))
    rows = pause_rows(terms, fold(terms, [ACTIVATED], START), months=1, interest=PauseInterest.RUNS)
    assert [row.interest_minor for row in rows] == [2_000, 1_000, 1_000]


def test_a_re_age_spreads_all_that_is_owed_and_is_serviced_as_proposed():
    day = date(2026, 3, 25)
    terms = even_terms()
    state = fold(terms, [ACTIVATED], day)
    rows = re_age_rows(terms, state, rows=6, first_due=date(2026, 4, 25))
    assert [row.no for row in rows] == [3, 4, 5, 6, 7, 8]
    assert sum(row.principal_minor for row in rows) == 300_000
    # 20.00 of two missed rows and 3.33 of the running period, without interest on them, in six parts.
    fresh = level_rows(terms, 300_000, (day, *(row.due for row in rows)))
    moved = [row.interest_minor - new.interest_minor for row, new in zip(rows, fresh, strict=True)]
    assert sum(moved) == 2_333
    assert max(moved) - min(moved) <= 1
    event = Event(id="ra", kind=EventKind.RE_AGE, value_date=day, rows=rows)
    after = fold(terms, [ACTIVATED, event], day)
    assert (after.days_past_due, after.refits, after.status) == (0, 0, Status.ACTIVE)
    assert [row.total_minor for row in after.coming_rows] == [row.total_minor for row in rows]
    paid = [payment(f"p{row.no}", row.due, row.total_minor) for row in rows]
    late = payment("l", day, after.late_unpaid_minor)
    assert fold(terms, [ACTIVATED, event, late, *paid], rows[-1].due).status is Status.PAID_OFF


def test_level_rows_are_equal_but_for_the_last_and_free_of_interest_at_zero():
    dates = (START, *(date(2026, month, 15) for month in range(2, 8)))
    rows = level_rows(even_terms(), 100_000, dates)
    assert len({row.total_minor for row in rows[:-1]}) == 1
    assert abs(rows[-1].total_minor - rows[0].total_minor) <= 6
    free = level_rows(even_terms(annual_rate=Decimal(0)), 100_000, dates)
    assert [row.total_minor for row in free] == [16_667] * 5 + [16_665]


def test_where_nothing_is_left_there_is_nothing_to_revise():
    terms = even_terms()
    paid = [payment(f"p{row.no}", row.due, row.total_minor) for row in terms.rows]
    done = fold(terms, [ACTIVATED, *paid], date(2026, 5, 1))
    for state in (done, fold(terms, [], START)):
        with pytest.raises(NothingToRevise):
            due_date_rows(terms, state, day=3)
        with pytest.raises(NothingToRevise):
            pause_rows(terms, state, months=1, interest=PauseInterest.STOPS)
    with pytest.raises(NothingToRevise):
        re_age_rows(terms, done, rows=3, first_due=date(2026, 6, 1))
    with pytest.raises(ValueError, match="ahead"):
        re_age_rows(terms, done, rows=3, first_due=date(2026, 5, 1))
    with pytest.raises(ValueError, match="month"):
        pause_rows(terms, done, months=0, interest=PauseInterest.STOPS)
