"""The yearly rates shown to a customer: the published vectors, and a simple rate that says so."""

from datetime import date
from decimal import Decimal

import pytest

from models.domain.rates.calendars import months_before
from models.domain.rates.disclosure import Annualisation, RateMethod, YearlyRates, headline, yearly_rates
from models.domain.rates.yields import effective, in_percent, irr, nominal
from models.domain.schedules.rows import Row
from models.texts.render import render

_START = date(2027, 1, 15)


def _card_rates(principal: int, months: int, charge: int, *, received: int | None = None) -> YearlyRates:
    """A card's classic: equal principal and the same charge every month. In fen."""
    share, rest = divmod(principal, months)
    rows = tuple(
        Row(
            no=no,
            due=months_before(_START, -no),
            principal_minor=share + (rest if no == months else 0),
            interest_minor=charge,
        )
        for no in range(1, months + 1)
    )
    return yearly_rates(rows, start=_START, received_minor=received or principal)


@pytest.mark.parametrize(
    ("principal", "months", "charge", "monthly", "nominal", "effective", "simple"),
    [
        (1_200_000, 12, 7_200, "1.086185", "13.0342", "13.8418", "13.2923"),
        (1_200_000, 12, 9_000, "1.351374", "16.2165", "17.4778", "16.6154"),
        (3_000_000, 24, 18_000, "1.105466", "13.2656", "14.1026", "13.8240"),
        (5_000_000, 60, 0, "0.000000", "0.0000", "0.0000", "0.0000"),
    ],
)
def test_flat_monthly_charges_cost_nearly_twice_what_they_say(  # noqa: PLR0917
    principal: int, months: int, charge: int, monthly: str, nominal: str, effective: str, simple: str
) -> None:
    rates = _card_rates(principal, months, charge)
    assert str(in_percent(rates.monthly, digits=6)) == monthly
    assert str(in_percent(rates.nominal, digits=4)) == nominal
    assert str(in_percent(rates.effective, digits=4)) == effective
    assert str(in_percent(rates.simple, digits=4)) == simple


def test_what_is_kept_back_at_the_start_is_cost() -> None:
    rate = irr([Decimal(9_500), *[-(Decimal(10_000) / 12 + 50)] * 12])
    assert str(in_percent(rate, digits=6)) == "1.727190"
    assert str(in_percent(nominal(rate), digits=4)) == "20.7263"
    assert str(in_percent(effective(rate), digits=4)) == "22.8131"
    kept = _card_rates(1_000_000, 12, 5_000, received=950_000)
    assert kept.simple > _card_rates(1_000_000, 12, 5_000).simple


def test_the_figure_at_the_top_is_the_effective_one_unless_told_otherwise() -> None:
    rates = _card_rates(1_200_000, 12, 7_200)
    assert headline(rates).rate == rates.effective > rates.nominal
    assert headline(rates, irr_annualisation=Annualisation.NOMINAL).rate == rates.nominal
    assert headline(rates, method=RateMethod.SIMPLE).rate == rates.simple


def test_a_simple_rate_is_called_simple_and_no_other_is() -> None:
    rates = _card_rates(1_200_000, 12, 7_200)
    simple = headline(rates, method=RateMethod.SIMPLE)
    assert "单利" in render(simple.label, {}, "zh-CN")
    assert "simple" in render(simple.label, {}, "en").lower()
    for annualisation in Annualisation:
        label = headline(rates, irr_annualisation=annualisation).label
        assert "单利" not in render(label, {}, "zh-CN")
        assert "simple" not in render(label, {}, "en").lower()


def test_half_a_month_more_of_interest_is_not_hidden_by_a_late_first_date() -> None:
    row = Row(no=1, due=date(2027, 3, 1), principal_minor=100_000, interest_minor=1_500)
    early = Row(no=1, due=date(2027, 2, 15), principal_minor=100_000, interest_minor=1_500)
    late_rate = yearly_rates((row,), start=_START, received_minor=100_000)
    early_rate = yearly_rates((early,), start=_START, received_minor=100_000)
    assert in_percent(early_rate.monthly, digits=20) == Decimal("1.5")
    assert early_rate.monthly > late_rate.monthly > Decimal("0.0095")
