"""The European rate of charge is what the directive's examples and other systems publish, to their last digit."""

from datetime import date

import pytest

from models.domain.rates.europe import Span, interval, rate_of_charge
from models.domain.rates.yields import in_percent
from tests.models.published.apr_cases import EUROPE, INTERVAL_SOURCE, INTERVALS, AprCase


@pytest.mark.parametrize("case", EUROPE, ids=lambda case: case.name)
def test_published_rate(case: AprCase) -> None:
    digits = -int(case.percent.as_tuple().exponent)
    assert in_percent(rate_of_charge(case.flows, span=case.span).rate, digits=digits) == case.percent, case.source


@pytest.mark.parametrize("published", INTERVALS, ids=lambda row: f"{row[0]}-{row[1]}-{row[2]}")
def test_published_interval(published: tuple[date, date, Span, int, int, int | None]) -> None:
    start, end, span, whole, days, a_year = published
    found = interval(start, end, span=span)
    assert (found.whole, found.days) == (whole, days), INTERVAL_SOURCE
    assert a_year is None or found.days_a_year == a_year, INTERVAL_SOURCE
