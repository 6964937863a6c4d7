"""The yearly rates of a quoted plan, side by side, as decimal strings; what has no rate is null."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, TypeVar

from models.domain.rates.america import actuarial_rate
from models.domain.rates.europe import rate_of_charge
from models.domain.rates.flows import flows_of_rows
from models.domain.rates.simple import simple_rate
from models.domain.rates.solving import NoRate
from models.domain.rates.yields import nominal, per_period
from models.domain.schedules.rows import Row

_Rate = TypeVar("_Rate")
_DIGITS: Final = Decimal("0.00000001")


def rates_of(rows: Sequence[Row], *, start: date, received_minor: int) -> dict[str, str | None]:
    """`irrMonthly`, `irrTimes12` (IRR×12), `effective`, `simple` (单利), `european`, `usActuarial`: fractions a year.

    `europeanPercent` and `usActuarialPercent` are the figures as their laws want them disclosed.

    Args:
        rows: the plan, in order.
        start: the day from which interest runs.
        received_minor: what the borrower really had on that day.
    """
    flows = flows_of_rows(rows, start=start, received_minor=received_minor)
    europe = _or_none(lambda: rate_of_charge(flows))
    america = _or_none(lambda: actuarial_rate(flows))
    simple = _or_none(lambda: simple_rate(rows, start=start, received_minor=received_minor))
    monthly = per_period(europe.rate) if europe else None
    return {
        "irrMonthly": _plain(monthly),
        "irrTimes12": _plain(nominal(monthly) if monthly is not None else None),
        "effective": _plain(europe.rate if europe else None),
        "simple": _plain(simple),
        "european": _plain(europe.rate if europe else None),
        "europeanPercent": str(europe.percent) if europe else None,
        "usActuarial": _plain(america.rate if america else None),
        "usActuarialPercent": str(america.percent) if america else None,
    }


def _or_none(rate: Callable[[], _Rate]) -> _Rate | None:
    try:
        return rate()
    except NoRate:
        return None


def _plain(rate: Decimal | None) -> str | None:
    return None if rate is None else format(rate.quantize(_DIGITS) + 0, "f")
