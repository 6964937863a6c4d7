"""Annual rates that others have published: the flows, the figure to its last published digit, and where it stands.

Amounts in minor units. The figures come from the sources, none was worked out here. Where a source says `cited`, the
example was cited without its text at hand: flows and figure belong together to the last digit, but are to be compared
once more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from models.domain.rates.calendars import months_before
from models.domain.rates.europe import Span
from models.domain.rates.flows import DatedFlow

_REG_Z = "Regulation Z, 12 CFR 1026, Appendix J"
_CITED = " (cited)"
_FFIEC = (
    "github.com/andrewmurphy353/curo, test/daycounts/us_appendix_j_test.dart, checked there with the FFIEC APR tool"
)
_SHEET = (
    "github.com/simontreanor/FSharp.Finance.Personal, tests/AprUsActuarialTests.fs, checked there with a spreadsheet"
)
_CURO_EU = "github.com/andrewmurphy353/curo (Dart and Python), EU 2008/48/EC"
_EU_98_7 = "Directive 98/7/EC, Annex II (examples of calculation)"
_GUIDE = "Commission guidelines SWD(2012) 128, 4.1.1; curo, test/daycount/eu_2008_48_ec_test.dart"


@dataclass(frozen=True, kw_only=True)
class AprCase:
    """One published rate. `percent` has the digits of the source; `span` is the basis the source chose (EU only)."""

    name: str
    source: str
    percent: Decimal
    flows: tuple[DatedFlow, ...]
    span: Span | None = None


def _monthly(first: date, number: int, amount: int, *, every: int = 1, due_day: int | None = None) -> list[DatedFlow]:
    days = [months_before(first, -every * k, due_day=due_day) for k in range(number)]
    return [DatedFlow(on=day, amount_minor=-amount) for day in days]


def _daily(first: date, number: int, amount: int, *, every: int) -> list[DatedFlow]:
    return [DatedFlow(on=first + timedelta(every * k), amount_minor=-amount) for k in range(number)]


def _case(
    name: str,
    percent: str,
    advance: tuple[date, int] | list[tuple[date, int]],
    *payments: DatedFlow | Iterable[DatedFlow],
    source: str,
    span: Span | None = None,
) -> AprCase:
    advances = advance if isinstance(advance, list) else [advance]
    flows = [DatedFlow(on=day, amount_minor=amount) for day, amount in advances]
    for one in payments:
        flows.extend([one] if isinstance(one, DatedFlow) else one)
    return AprCase(name=name, source=source, percent=Decimal(percent), flows=tuple(flows), span=span)


def _pay(day: date, amount: int) -> DatedFlow:
    return DatedFlow(on=day, amount_minor=-amount)


def _every_four_weeks_once_a_month() -> list[DatedFlow]:
    """Example (c)(6)(i): every four weeks; what would fall a second time into a month comes two weeks later."""
    day, flows = date(1978, 2, 20), []
    while len(flows) < 24:
        flows.append(_pay(day, 100_00))
        following = day + timedelta(28)
        day = following + timedelta(14) if following.month == day.month else following
    return flows


_CITED_EXAMPLES = {"(c)(5)(ii)", "(c)(5)(iii)", "(c)(5)(iv)", "(c)(6)(i)", "(c)(7)(i)"}


def _z(
    name: str,
    percent: str,
    advance: tuple[date, int] | list[tuple[date, int]],
    *payments: DatedFlow | Iterable[DatedFlow],
) -> AprCase:
    cited = _CITED if name in _CITED_EXAMPLES else ""
    return _case(name, percent, advance, *payments, source=f"{_REG_Z} {name}{cited}")


REGULATION_Z = (
    _z("(c)(1)(i)", "9.69", (date(1978, 1, 10), 5000_00), _monthly(date(1978, 2, 10), 24, 230_00)),
    _z("(c)(1)(ii)", "11.82", (date(1978, 2, 10), 6000_00), _monthly(date(1978, 4, 1), 36, 200_00)),
    _z(
        "(c)(1)(iii)",
        "10.34",
        (date(1978, 2, 23), 5000_00),
        _monthly(date(1978, 3, 1), 12, 219_17),
        _monthly(date(1978, 3, 16), 12, 219_17),
    ),
    _z("(c)(1)(iv)", "8.97", (date(1978, 5, 23), 10000_00), _monthly(date(1978, 10, 1), 40, 385_00, every=3)),
    _z("(c)(1)(v)", "14.96", (date(1978, 3, 20), 500_00), _daily(date(1978, 4, 21), 30, 17_60, every=7)),
    _z(
        "(c)(2)(i)",
        "10.08",
        (date(1978, 1, 10), 5000_00),
        _pay(date(1978, 2, 10), 250_00),
        _monthly(date(1978, 3, 10), 23, 230_00),
    ),
    _z(
        "(c)(2)(ii)",
        "28.50",
        (date(1978, 3, 18), 400_00),
        _pay(date(1978, 4, 20), 39_50),
        _daily(date(1978, 5, 18), 11, 38_31, every=28),
    ),
    _z(
        "(c)(3)(i)",
        "10.50",
        (date(1978, 1, 10), 5000_00),
        _monthly(date(1978, 2, 10), 23, 230_00),
        _pay(date(1980, 1, 10), 280_00),
    ),
    _z(
        "(c)(3)(ii)",
        "12.22",
        (date(1978, 4, 3), 200_00),
        _daily(date(1978, 4, 11), 19, 9_50, every=14),
        _pay(date(1978, 4, 11) + timedelta(14 * 19), 30_00),
    ),
    _z(
        "(c)(4)(i)",
        "10.90",
        (date(1978, 1, 10), 5000_00),
        _pay(date(1978, 2, 10), 250_00),
        _monthly(date(1978, 3, 10), 22, 230_00),
        _pay(date(1980, 1, 10), 280_00),
    ),
    _z(
        "(c)(4)(ii)",
        "7.30",
        (date(1978, 1, 10), 8000_00),
        _pay(date(1978, 3, 1), 449_36),
        _monthly(date(1978, 5, 1), 18, 465_00, every=2),
        _pay(date(1981, 5, 1), 200_00),
    ),
    _z("(c)(5)(i)", "11.45", (date(1978, 1, 3), 1000_00), _pay(date(1978, 9, 15), 1080_00)),
    _z("(c)(5)(ii)", "8.80", (date(1978, 7, 15), 1000_00), _pay(date(1979, 1, 15), 1044_00)),
    _z("(c)(5)(iii)", "8.76", (date(1978, 1, 17), 1000_00), _pay(date(1979, 7, 17), 1135_19)),
    _z("(c)(5)(iv)", "11.36", (date(1978, 1, 17), 1000_00), _pay(date(1980, 1, 17), 1240_00)),
    _z("(c)(6)(i)", "12.00", (date(1978, 1, 25), 2135_00), _every_four_weeks_once_a_month()),
    _z(
        "(c)(7)(i)",
        "10.25",
        [(date(1979, 4, 10), 20000_00), (date(1979, 6, 12), 20000_00), (date(1979, 9, 18), 20000_00)],
        _monthly(date(1979, 12, 10), 240, 612_36),
    ),
    _case(
        "quarterly, first period of 3 months 8 days",
        "9.15",
        (date(1978, 6, 23), 10000_00),
        _monthly(date(1978, 10, 1), 40, 385_00, every=3),
        source=_SHEET,
    ),
    _case(
        "quarterly, short first period",
        "9.32",
        (date(1978, 7, 23), 10000_00),
        _monthly(date(1978, 10, 1), 40, 385_00, every=3),
        source=_SHEET,
    ),
    _case(
        "daily", "94.15", (date(2023, 10, 26), 1000_00), _daily(date(2023, 11, 30), 5, 220_00, every=1), source=_SHEET
    ),
    _case(
        "weekly, long first period",
        "176.52",
        (date(2023, 10, 28), 1000_00),
        _daily(date(2023, 11, 30), 5, 250_00, every=7),
        source=_SHEET,
    ),
    _case(
        "weekly, regular",
        "412.40",
        (date(2023, 11, 23), 1000_00),
        _daily(date(2023, 11, 30), 5, 250_00, every=7),
        source=_SHEET,
    ),
    _case(
        "weekly, short first period",
        "434.30",
        (date(2023, 11, 24), 1000_00),
        _daily(date(2023, 11, 30), 5, 250_00, every=7),
        source=_SHEET,
    ),
    _case(
        "yearly, short first period",
        "78.34",
        (date(2023, 10, 26), 1000_00),
        _monthly(date(2023, 11, 30), 5, 500_00, every=12),
        source=_SHEET,
    ),
    _case(
        "yearly, fee kept back",
        "10.53",  # the tool takes 3 days for 3/360 of a year, the regulation for 3/365: they differ further on
        (date(2026, 4, 27), 99000_00),
        _monthly(date(2027, 4, 30), 3, 40215_00, every=12),
        source=_FFIEC,
    ),
    _case(
        "half-yearly, ends of months",
        "10.569370",
        (date(2026, 4, 27), 99000_00),
        _monthly(date(2026, 10, 31), 6, 19700_00, every=6, due_day=31),
        source=_FFIEC,
    ),
    _case(
        "quarterly, ends of months",
        "10.859928",
        (date(2026, 4, 27), 99000_00),
        _monthly(date(2026, 7, 31), 8, 13946_73, every=3, due_day=31),
        source=_FFIEC,
    ),
    _case(
        "monthly, 5 odd days, fee kept back",
        "14.69204",
        (date(2026, 1, 10), 9800_00),
        _monthly(date(2026, 2, 15), 12, 884_91),
        source=_FFIEC,
    ),
    _case(
        "every two weeks, 5 odd days",
        "6.7769",
        (date(2025, 12, 6), 9900_00),
        _daily(date(2025, 12, 25), 26, 394_68, every=14),
        source=_FFIEC,
    ),
    _case(
        "weekly, fee kept back",
        "6.99610",
        (date(2025, 12, 6), 9900_00),
        _daily(date(2025, 12, 13), 52, 197_25, every=7),
        source=_FFIEC,
    ),
    _case(
        "one payment after 42 days",
        "14.77381",
        (date(2025, 12, 6), 10000_00),
        _pay(date(2026, 1, 17), 10170_00),
        source=_FFIEC,
    ),
    _case(
        "three monthly payments",
        "11.996224",
        (date(2022, 1, 1), 1000_00),
        _monthly(date(2022, 2, 1), 3, 340_02),
        source="github.com/andrewmurphy353/curo, test/calculator_solve_rate_test.dart",
    ),
)


def _ecu(name: str, percent: str, advance: int, *payments: DatedFlow, span: Span = Span.YEAR) -> AprCase:
    cited = _CITED if name.startswith("B") or "fourth" in name else ""
    return _case(name, percent, (date(1994, 1, 1), advance), *payments, source=f"{_EU_98_7}, {name}{cited}", span=span)


_THREE = (_pay(date(1994, 4, 1), 272_00), _pay(date(1994, 7, 1), 272_00), _pay(date(1995, 1, 1), 544_00))
EUROPE = (
    _ecu("A, first", "12.96", 1000_00, _pay(date(1995, 7, 1), 1200_00)),
    _ecu("A, first, one decimal", "13.0", 1000_00, _pay(date(1995, 7, 1), 1200_00)),
    _ecu("A, second", "16.9", 950_00, _pay(date(1995, 7, 1), 1200_00)),
    _ecu("A, third", "13.07", 1000_00, _pay(date(1995, 1, 1), 600_00), _pay(date(1996, 1, 1), 600_00)),
    _ecu("A, fourth", "13.226", 1000_00, *_THREE),
    _ecu("B, first", "12.92", 1000_00, _pay(date(1995, 7, 1), 1200_00), span=Span.MONTH),
    _ecu("B, third", "13.07", 1000_00, _pay(date(1995, 1, 1), 600_00), _pay(date(1996, 1, 1), 600_00), span=Span.MONTH),
    _ecu("B, fourth", "13.2", 1000_00, *_THREE, span=Span.MONTH),
    _case(
        "six of 172.55",
        "12.68619061",
        (date(2022, 1, 1), 1000_00),
        _monthly(date(2022, 2, 1), 6, 172_55),
        source=_CURO_EU,
    ),
    _case(
        "six of 1708.40 in advance",
        "12.68260859",
        (date(2026, 1, 15), 10000_00),
        _monthly(date(2026, 1, 15), 6, 1708_40),
        source=_CURO_EU,
    ),
    _case(
        "six of 1707.00",
        "8.569257",
        (date(2026, 1, 5), 10000_00),
        _monthly(date(2026, 2, 5), 6, 1707_00),
        source=_CURO_EU,
    ),
    _case(
        "six of 1707.00 and a fee of 50 with the first",
        "10.45",
        (date(2026, 1, 5), 10000_00),
        _monthly(date(2026, 2, 5), 6, 1707_00),
        _pay(date(2026, 2, 5), 50_00),
        source=_CURO_EU,
    ),
    _case(
        "sixty of 222.44",
        "12.7",
        (date(2020, 1, 1), 10000_00),
        _monthly(date(2020, 2, 1), 60, 222_44),
        source="github.com/rimas-kudelis/php-apr-calculator, spec/CalculatorSpec.php (personal loan)",
    ),
)

# From, to, what it is measured in, whole spans, days, days a year (where there are days).
INTERVAL_SOURCE = _GUIDE
INTERVALS = (
    (date(2019, 1, 12), date(2020, 1, 12), Span.MONTH, 12, 0, None),
    (date(2012, 1, 12), date(2012, 2, 15), Span.MONTH, 1, 3, 365),
    (date(2012, 1, 12), date(2012, 3, 15), Span.MONTH, 2, 3, 365),
    (date(2012, 1, 12), date(2012, 4, 15), Span.MONTH, 3, 3, 365),
    (date(2013, 1, 12), date(2013, 2, 15), Span.MONTH, 1, 3, 366),
    (date(2013, 1, 12), date(2013, 3, 15), Span.MONTH, 2, 3, 366),
    (date(2013, 1, 12), date(2013, 4, 15), Span.MONTH, 3, 3, 366),
    (date(2013, 2, 25), date(2013, 3, 28), Span.MONTH, 1, 3, 366),
    (date(2013, 2, 26), date(2013, 3, 29), Span.MONTH, 1, 2, 366),
    (date(2012, 2, 26), date(2012, 3, 29), Span.MONTH, 1, 3, 366),
    (date(2024, 12, 31), date(2025, 2, 28), Span.MONTH, 2, 0, None),
    (date(2024, 2, 28), date(2024, 3, 31), Span.MONTH, 1, 1, 366),
    (date(2024, 2, 29), date(2024, 3, 31), Span.MONTH, 1, 0, None),
    (date(2024, 1, 31), date(2024, 2, 29), Span.MONTH, 1, 0, None),
    (date(2024, 1, 31), date(2025, 2, 28), Span.MONTH, 13, 0, None),
    (date(2012, 1, 12), date(2012, 2, 15), Span.YEAR, 0, 34, 365),
    (date(2012, 1, 12), date(2013, 2, 15), Span.YEAR, 1, 34, 365),
    (date(2012, 1, 12), date(2014, 2, 15), Span.YEAR, 2, 34, 365),
    (date(2020, 1, 1), date(2021, 3, 15), Span.YEAR, 1, 74, 366),
    (date(2024, 2, 27), date(2025, 2, 28), Span.YEAR, 1, 1, 365),
    (date(2024, 2, 29), date(2025, 3, 31), Span.YEAR, 1, 31, 366),
    (date(2024, 2, 28), date(2025, 2, 27), Span.YEAR, 0, 365, 366),
    (date(2024, 2, 28), date(2025, 2, 28), Span.YEAR, 1, 0, None),
    (date(2023, 2, 28), date(2024, 2, 29), Span.YEAR, 1, 0, None),
    (date(2012, 1, 12), date(2012, 1, 26), Span.WEEK, 2, 0, None),
    (date(2012, 1, 12), date(2013, 1, 10), Span.WEEK, 52, 0, None),
    (date(2012, 1, 12), date(2012, 1, 30), Span.WEEK, 2, 4, 365),
    (date(2012, 1, 12), date(2013, 1, 12), Span.WEEK, 52, 2, 365),
)
